//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy tests what is in its folders.
package deploy

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hedera_exporter/internal/processtest"
)

// Long enough for a busy machine: only what fails waits for it.
const testDeadline = 5 * time.Minute

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

// startSimulator returns an exporter configuration for a simulated network.
func startSimulator(t *testing.T, args ...string) string {
	t.Helper()
	config, err := tryStartSimulator(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func tryStartSimulator(t *testing.T, args ...string) (string, error) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "hedera_exporter.yml")
	p := processtest.Run(t, exec.CommandContext(t.Context(), binary(t, "hedera_simulator"), append(args, "--write-config="+config)...))
	if _, err := p.AwaitSimulator(withDeadline(t)); err != nil {
		return "", err
	}
	return readFile(t, config), nil
}

// startSmallSimulator takes free ports.
func startSmallSimulator(t *testing.T) string {
	t.Helper()
	return startSimulator(t, "--static", "--nodes=1", "--accounts=10",
		"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0", "--node.base-port=0")
}

// startExporter starts an exporter that listens on address.
func startExporter(t *testing.T, cmd *exec.Cmd, address string) {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	if err := processtest.Run(t, cmd).AwaitOK(withDeadline(t), "http://"+address+"/-/ready"); err != nil {
		t.Fatal(err)
	}
}

func withDeadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	t.Cleanup(cancel)
	return ctx
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(withDeadline(t), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
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
