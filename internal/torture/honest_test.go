//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const reloadInterval = 20 * time.Second

// scrape is one of the honest Prometheus'.
type scrape struct {
	began    time.Time
	duration time.Duration
	err      error // nil if it was answered in time

	goroutines, descriptors float64
	balances                int
	reloadSuccessful        bool
	failed                  map[string]bool // collectors, by name
	unreadable              float64         // values of the mirror
}

// honest are Prometheus servers, each of which scrapes the exporter once in an
// interval and asks whether it is alive. Now and then it is reloaded.
type honest struct {
	e        *environment
	servers  int
	interval time.Duration
	timeout  time.Duration // of a scrape

	mu      sync.Mutex
	scrapes []scrape
	reloads []error
}

// run works until ctx ends.
func (h *honest) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for ctx.Err() == nil {
			pause(ctx, reloadInterval)
			h.reload(ctx)
		}
	})
	for i := range h.servers {
		wg.Go(func() {
			pause(ctx, time.Duration(i)*h.interval/time.Duration(h.servers))
			tick := time.NewTicker(h.interval)
			defer tick.Stop()
			for ctx.Err() == nil {
				h.scrape(ctx)
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
}

func (h *honest) get(ctx context.Context, method, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	r := newRequest(method, path).WithContext(ctx)
	r.URL.Host = h.e.address
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(h.timeout.Seconds(), 'g', -1, 64))
	response, err := h.e.client.Do(r)
	if err != nil {
		return "", err
	}
	body, err := h.e.read("an answer to "+path, response)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", path, response.Status, body)
	}
	return body, err
}

func (h *honest) scrape(ctx context.Context) {
	s := scrape{began: time.Now(), failed: map[string]bool{}}
	body, err := h.get(ctx, http.MethodGet, "/metrics")
	s.duration, s.err = time.Since(s.began), err
	if ctx.Err() != nil {
		return
	}
	s.parse(body)
	if _, err := h.get(ctx, http.MethodGet, "/-/healthy"); s.err == nil {
		s.err = err
	}
	if ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	h.scrapes = append(h.scrapes, s)
	h.mu.Unlock()
}

func (h *honest) reload(ctx context.Context) {
	_, err := h.get(ctx, http.MethodPost, "/-/reload")
	if ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	h.reloads = append(h.reloads, err)
	h.mu.Unlock()
}

// since returns the scrapes that began after a time.
func (h *honest) since(t time.Time) []scrape {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.scrapes), func(s scrape) bool { return s.began.Before(t) })
}

func (h *honest) takeReloads() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	reloads := h.reloads
	h.reloads = nil
	return reloads
}

func (s *scrape) parse(body string) {
	for line := range strings.Lines(body) {
		name, text, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		metric, labels, _ := strings.Cut(name, "{")
		if !found || metric == "#" {
			continue
		}
		value, _ := strconv.ParseFloat(text, 64) // of the metrics below
		switch metric {
		case "go_goroutines":
			s.goroutines = value
		case "process_open_fds":
			s.descriptors = value
		case "hedera_exporter_config_last_reload_successful":
			s.reloadSuccessful = value == 1
		case "hedera_account_balance_hbar":
			s.balances++
		case "hedera_mirror_decode_failures_total":
			s.unreadable += value
		case "hedera_scrape_collector_success":
			if value == 0 {
				s.failed[label(labels, "collector")] = true
			}
		}
	}
}

func label(labels, name string) string {
	_, after, _ := strings.Cut(labels, name+`="`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}
