// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/collector"
	"hedera_exporter/internal/simulator"
)

// TestAutoReload changes the file as Kubernetes does, by another target of the
// symbolic link to its directory.
func TestAutoReload(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "hedera_exporter.yml")
	publish := func(version, content string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, version, "hedera_exporter.yml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(version, filepath.Join(dir, "new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("..data/hedera_exporter.yml", file); err != nil {
		t.Fatal(err)
	}
	publish("1", "networks: {mainnet: {}}")
	rl := &reloader{flags: parseFlags(t, "--config.file="+file), self: collector.NewSelf(prometheus.NewRegistry()), logger: log.NewNopLogger()}
	if err := rl.reload(); err != nil {
		t.Fatal(err)
	}
	defer rl.close()
	accounts := filepath.Join(dir, "accounts.csv")
	writeAccounts := func(text string) func() {
		return func() {
			if err := os.WriteFile(accounts, []byte(text), 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var reloads, failures atomic.Int32
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go autoReload(ctx, 30*time.Second, rl.filesChanged, func() error {
			err := rl.reload()
			reloads.Add(1)
			if err != nil {
				failures.Add(1)
			}
			return err
		})
		for _, step := range []struct {
			name                        string
			change                      func()
			reloads, failures, accounts int
		}{
			{"nothing changes", func() {}, 0, 0, 0},
			{"another content", func() { publish("2", "networks: {testnet: {}}") }, 1, 0, 0},
			{"it stays", func() {}, 1, 0, 0},
			{"the same content again", func() { publish("3", "networks: {testnet: {}}") }, 1, 0, 0},
			{"it is gone", func() { _ = os.Remove(filepath.Join(dir, "..data")) }, 2, 1, 0},
			{"it is still gone", func() {}, 2, 1, 0},
			{"it is back", func() { publish("4", "networks: {testnet: {}}") }, 3, 1, 0},
			{"it names a file that is not there", func() { publish("5", "networks: {testnet: {accounts_file: accounts.csv}}") }, 4, 2, 0},
			{"it is still not there", func() {}, 4, 2, 0},
			{"it is there", writeAccounts("id,name\n0.0.2,a\n0.0.3,b\n"), 5, 2, 2},
			{"it stays", func() {}, 5, 2, 2},
			{"one more account", writeAccounts("id,name\n0.0.2,a\n0.0.3,b\n0.0.4,c\n"), 6, 2, 3},
			{"half of it", writeAccounts("id,name\n0.0.2,a\n0.0."), 7, 3, 3},
			{"it is empty", writeAccounts(""), 8, 4, 3},
			{"it is still empty", func() {}, 8, 4, 3},
			{"it is gone", func() { _ = os.Remove(accounts) }, 9, 5, 3},
			{"it is back", writeAccounts("id,name\n0.0.2,a\n"), 10, 5, 1},
			{"it is no longer named", func() { publish("6", "networks: {testnet: {}}") }, 11, 5, 0},
			{"it changes", writeAccounts("id\n0.0.2\n"), 11, 5, 0},
		} {
			step.change()
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if r, f := int(reloads.Load()), int(failures.Load()); r != step.reloads || f != step.failures {
				t.Errorf("%s: %d reloads, %d failures, want %d and %d", step.name, r, f, step.reloads, step.failures)
			}
			rl.use(func(rt *runtime) {
				if n := len(rt.config.Networks[0].Accounts); n != step.accounts {
					t.Errorf("%s: %d accounts, want %d", step.name, n, step.accounts)
				}
			})
		}
		stop()
		synctest.Wait()
	})
}

func TestAutoReloadIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := false
		go func() { autoReload(t.Context(), 0, nil, nil); done = true }()
		synctest.Wait()
		if !done {
			t.Error("it watches")
		}
	})
}

// TestNoScrapeIsLostByAReload scrapes all the time while accounts come and go: each
// scrape is whole, of one configuration or the other.
func TestNoScrapeIsLostByAReload(t *testing.T) {
	const few, many, reloads = 150, 250, 6
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: many})
	accounts := func(n int) string {
		var text strings.Builder
		text.WriteString("id,name\n")
		for i := range n {
			fmt.Fprintf(&text, "0.0.%d,account %d\n", 1001+i, i)
		}
		return text.String()
	}
	file := writeFile(t, "accounts.csv", accounts(few))
	e := startExporter(t, writeFile(t, "c.yml", fmt.Sprintf("networks: {simulated: {mirror: {url: %q}, accounts_file: %q}}", sim.URL(), file)), "--no-collector.node_probe", "--no-collector.address_book")

	var scrapes [many + 1]atomic.Int32
	scrape := func() {
		status, body := get(t, e.url+"/metrics", nil)
		n := strings.Count(body, "\nhedera_account_exists{")
		if status != http.StatusOK || n != few && n != many || strings.Contains(body, "hedera_scrape_collector_success{collector=\"accounts\",network=\"simulated\"} 0") {
			t.Errorf("status %d, %d accounts", status, n)
			return
		}
		scrapes[n].Add(1)
	}
	var scraping sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer scraping.Wait()
	defer stop()
	for range 2 {
		scraping.Go(func() {
			for ctx.Err() == nil {
				scrape()
			}
		})
	}
	for i := range reloads {
		if err := os.WriteFile(file, []byte(accounts([]int{many, few}[i%2])), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, body := request(t, http.MethodPost, e.url+"/-/reload", nil); status != http.StatusOK {
			t.Fatalf("reload: %d %s", status, body)
		}
		scrape()
	}
	stop()
	scraping.Wait()
	if scrapes[few].Load() < reloads/2 || scrapes[many].Load() < reloads/2 {
		t.Errorf("%d scrapes of %d accounts, %d of %d", scrapes[few].Load(), few, scrapes[many].Load(), many)
	}
}
