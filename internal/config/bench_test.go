// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkLoad reports what an account costs: in time, in memory once it is
// loaded, and in time compared with the smallest file, which is about 1 where
// nothing is quadratic.
func BenchmarkLoad(b *testing.B) {
	for _, format := range []struct {
		name  string
		write func(b *testing.B, accounts int) (file string)
	}{
		{"yaml", writeYAML},
		{"accounts.yml", writeAccountsYAML},
		{"accounts.csv", writeAccountsCSV},
	} {
		var smallest float64
		for _, accounts := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/accounts=%d", format.name, accounts), func(b *testing.B) {
				src := Source{File: format.write(b, accounts)}
				var cfg *Config
				for b.Loop() {
					var err error
					if cfg, err = Load(src); err != nil {
						b.Fatal(err)
					}
				}
				each := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(accounts)
				if smallest == 0 {
					smallest = each
				}
				b.ReportMetric(each, "ns/account")
				b.ReportMetric(each/smallest, "x-of-1000")
				b.ReportMetric(float64(heldBy(&cfg))/float64(accounts), "B/account")
			})
		}
	}
}

// heldBy is the memory of a configuration, which is gone afterwards.
func heldBy(cfg **Config) uint64 {
	var with, without runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&with)
	runtime.KeepAlive(*cfg)
	*cfg = nil
	runtime.GC()
	runtime.ReadMemStats(&without)
	return with.HeapAlloc - without.HeapAlloc
}

// writeYAML writes accounts as an exchange has them.
func writeYAML(b *testing.B, accounts int) string {
	b.Helper()
	text := withAccounts("networks:\n  mainnet:\n    accounts:\n", accounts,
		"      - id: 0.0.%d\n        name: deposit %d\n        thresholds: {warning: 1000, critical: 100}\n        labels: {team: payments, env: prod}\n")
	return writeConfiguration(b, map[string]string{"config.yml": text})
}

func writeAccountsYAML(b *testing.B, accounts int) string {
	b.Helper()
	text := withAccounts("", accounts, "- {id: 0.0.%d, name: deposit %d, thresholds: {warning: 1000, critical: 100}, labels: {team: payments, env: prod}}\n")
	return writeConfiguration(b, map[string]string{"config.yml": "networks: {mainnet: {accounts_file: accounts.yml}}\n", "accounts.yml": text})
}

func writeAccountsCSV(b *testing.B, accounts int) string {
	b.Helper()
	text := withAccounts("id,name,thresholds.warning,thresholds.critical,labels.team,labels.env\n", accounts, "0.0.%d,deposit %d,1000,100,payments,prod\n")
	return writeConfiguration(b, map[string]string{"config.yml": "networks: {mainnet: {accounts_file: accounts.csv}}\n", "accounts.csv": text})
}

// withAccounts is a text with accounts below it, each in the format.
func withAccounts(head string, accounts int, format string) string {
	var text strings.Builder
	text.WriteString(head)
	for i := range accounts {
		fmt.Fprintf(&text, format, 1001+i, i)
	}
	return text.String()
}

// writeConfiguration returns the name of config.yml.
func writeConfiguration(b *testing.B, files map[string]string) string {
	b.Helper()
	dir := b.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yml")
}
