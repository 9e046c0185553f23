//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy tests what is in its folders.
package deploy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const testDeadline = 30 * time.Second

// binary is the path of a built program.
func binary(t *testing.T, name string) string {
	t.Helper()
	bin := os.Getenv("BIN")
	if bin == "" {
		t.Fatal("BIN is not set; run make test-integration")
	}
	return filepath.Join(bin, name)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// writeFile writes a file that every user can read.
func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, command string, args ...string) (string, error) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), command, args...).CombinedOutput()
	return string(text), err
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// start runs a program until the test ends.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	text := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = text, text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd, text)
		}
	})
}

// startSimulator returns an exporter configuration for a simulated network.
func startSimulator(t *testing.T) string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "hedera_exporter.yml")
	start(t, exec.CommandContext(t.Context(), binary(t, "hedera_simulator"), "--static", "--nodes=1", "--accounts=10",
		"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0", "--node.base-port=0", "--write-config="+config))
	await(t, "the simulator has written its configuration", func() bool {
		content, err := os.ReadFile(config)
		return err == nil && len(content) > 0
	})
	return readFile(t, config)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// await polls until condition holds.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(testDeadline); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("within %s it is not so that %s", testDeadline, what)
		}
	}
}

// get returns an empty body where nothing answers.
func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// wantAccounts fails where a scrape does not have those of the simulator.
func wantAccounts(t *testing.T, metrics string) {
	t.Helper()
	if n := strings.Count(metrics, "\nhedera_account_balance_hbar{"); n != 15 {
		t.Errorf("%d balances, want those of 10 accounts and 5 of the system:\n%.2000s", n, metrics)
	}
}
