// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hedera_exporter/internal/config"
)

// maxFuzzedError is for what an error says beside what it quotes.
const maxFuzzedError = 1000

// FuzzProbe wants of what a client asks for that it is bounded.
func FuzzProbe(f *testing.F) {
	for _, seed := range []string{
		"", "target=0.0.98", "target=0.0.98-vfmkw,0.0.98&network=mainnet", "target=0x00000000000000000000000000000000000004e4",
		"target=0.0.HIQQEXWKW53RKN4W6XXC4Q232SYNZ3SZANVZZSUME5B5PRGXL663UAQA", "target=%zz", "target=1.2&network=%F0%9F%92%A9",
		"target=18446744073709551616.0.1", "target=0.0.2" + strings.Repeat(",0.0.3", 200), "network=" + strings.Repeat("é", 500),
		"target=0.0.98&debug=true", "target=0.0.98&debug=" + strings.Repeat("t", 500),
	} {
		f.Add(seed)
	}
	c, err := config.Load(config.Source{Network: "mainnet"})
	if err != nil {
		f.Fatal(err)
	}
	rt := &runtime{config: c, networks: []openNetwork{{Network: c.Networks[0]}}}
	h := probeHandler{maxTargets: 100}
	f.Fuzz(func(t *testing.T, query string) {
		p, err := h.parse(rt, query)
		if err != nil {
			if len(err.Error()) > maxFuzzedError {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if len(p.targets) == 0 || len(p.targets) > h.maxTargets {
			t.Errorf("%d targets", len(p.targets))
		}
		seen := map[string]bool{}
		for _, target := range p.targets {
			if seen[target.Text] || len(target.Text) > maxTargetLength || target.Text == "" {
				t.Errorf("target %q", target.Text)
			}
			seen[target.Text] = true
		}
	})
}

// FuzzScrapeTimeout wants every accepted timeout to leave time to collect.
func FuzzScrapeTimeout(f *testing.F) {
	for _, seed := range []string{"", "10", "0.5", "1e-9", "9e9", "1e400", "NaN", "+Inf", "-1", "0x1p-2", "1_0"} {
		f.Add(seed, int64(0))
		f.Add(seed, int64(time.Hour))
	}
	f.Fuzz(func(t *testing.T, header string, rendering int64) {
		timeouts := timeouts{fallback: 10 * time.Second, offset: time.Second / 2, rendering: new(atomic.Int64)}
		timeouts.rendering.Store(max(0, rendering))
		r := &http.Request{Header: http.Header{scrapeTimeoutHeader: {header}}}
		scrape, collect, err := timeouts.of(r)
		if err != nil {
			if len(err.Error()) > maxFuzzedError {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if collect < 0 || collect > scrape || scrape > maxScrapeTimeout {
			t.Errorf("%s of %s to collect", collect, scrape)
		}
	})
}
