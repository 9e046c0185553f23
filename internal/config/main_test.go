// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"hedera_exporter/internal/leaktest"
)

func TestMain(m *testing.M) {
	leaktest.VerifyTestMain(m)
}

var testCollectors = map[string]Collector{
	"accounts": {Metrics: map[string]string{
		"created_timestamp": "hedera_account_created_timestamp_seconds", "hedera_account_created_timestamp_seconds": "hedera_account_created_timestamp_seconds",
		"auto_renew_period": "hedera_account_auto_renew_period_seconds", "hedera_account_auto_renew_period_seconds": "hedera_account_auto_renew_period_seconds",
		"ethereum_nonce": "hedera_account_ethereum_nonce", "hedera_account_ethereum_nonce": "hedera_account_ethereum_nonce",
	}},
	"address_book": {MaxMinInterval: time.Minute},
}

// loadText puts text into config.yml of a new working directory and loads it. An
// empty text is no file.
func loadText(t *testing.T, text string, src Source) (*Config, error) {
	t.Helper()
	if text != "" {
		t.Chdir(t.TempDir())
		src.File = "config.yml"
		write(t, src.File, text)
	}
	src.Collectors = testCollectors
	return loadBothWays(t, src)
}

// loadBothWays fails where lists that are cut are not what they are as a whole.
func loadBothWays(t *testing.T, src Source) (*Config, error) {
	t.Helper()
	cfg, err := load(src, 0)
	again, againErr := load(src, 1)
	if !reflect.DeepEqual(again, cfg) || fmt.Sprint(againErr) != fmt.Sprint(err) {
		t.Errorf("cut, it is %v\n%s\nnot %v\n%s", againErr, again, err, cfg)
	}
	return cfg, err
}

func mustLoad(t *testing.T, text string, src Source) *Config {
	t.Helper()
	cfg, err := loadText(t, text, src)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return cfg
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if dir := filepath.Dir(name); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func entityID(t *testing.T, text string) EntityID {
	t.Helper()
	id, err := ParseEntityID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
