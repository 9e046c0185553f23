// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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
	synctest.Test(t, func(t *testing.T) {
		var reloads atomic.Int32
		watch := newFileWatch(file, 30*time.Second)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go watch.run(ctx, func() error { reloads.Add(1); return nil })
		for _, step := range []struct {
			name   string
			change func()
			want   int
		}{
			{"nothing changes", func() {}, 0},
			{"another content", func() { publish("2", "networks: {testnet: {}}") }, 1},
			{"it stays", func() {}, 1},
			{"the same content again", func() { publish("3", "networks: {testnet: {}}") }, 1},
			{"it is gone", func() { _ = os.Remove(filepath.Join(dir, "..data")) }, 2},
			{"it is still gone", func() {}, 2},
			{"it is back", func() { publish("4", "networks: {testnet: {}}") }, 3},
		} {
			step.change()
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if n := reloads.Load(); int(n) != step.want {
				t.Errorf("%s: %d reloads, want %d", step.name, n, step.want)
			}
		}
		stop()
		synctest.Wait()
	})
}

func TestAutoReloadIsOff(t *testing.T) {
	for name, watch := range map[string]*fileWatch{
		"no interval": newFileWatch(writeFile(t, "c.yml", ""), 0),
		"no file":     newFileWatch("", time.Second),
	} {
		synctest.Test(t, func(t *testing.T) {
			done := false
			go func() { watch.run(t.Context(), nil); done = true }()
			synctest.Wait()
			if !done {
				t.Errorf("%s: it watches", name)
			}
		})
	}
}
