// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"hedera_exporter/internal/leaktest"
)

func TestMain(m *testing.M) {
	leaktest.VerifyTestMain(m)
}

const deadline = 20 * time.Second

func TestRunServesUntilItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	logs, writer := io.Pipe()
	ended := make(chan error, 1)
	config := filepath.Join(t.TempDir(), "exporter.yml")
	go func() {
		err := run(ctx, []string{
			"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0", "--node.base-port=0",
			"--nodes=1", "--accounts=2", "--write-config=" + config,
		}, newLogger(writer))
		_ = writer.Close()
		ended <- err
	}()

	url := waitForURL(t, logs)
	go func() { _, _ = io.Copy(io.Discard, logs) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: deadline}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/accounts/0.0.98", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("got %s", answer.Status)
	}
	written, err := os.ReadFile(config)
	if err != nil || !bytes.Contains(written, []byte("url: "+url+"\n")) {
		t.Errorf("configuration is %q, %v", written, err)
	}

	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("got %v", err)
		}
	case <-time.After(deadline):
		t.Fatal("run did not end")
	}
}

// waitForURL reads the log up to the line that says where REST listens.
func waitForURL(t *testing.T, logs io.Reader) string {
	t.Helper()
	pattern := regexp.MustCompile(`rest=(http://\S+)`)
	var text []byte
	buffer := make([]byte, 1024)
	for {
		n, err := logs.Read(buffer)
		text = append(text, buffer[:n]...)
		if match := pattern.FindSubmatch(text); match != nil {
			return string(match[1])
		}
		if err != nil {
			t.Fatalf("the log ended: %s", text)
		}
	}
}

func TestRunErrors(t *testing.T) {
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address := listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	free := []string{"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0", "--node.base-port=0", "--nodes=1"}

	for _, tc := range []struct{ arg, want string }{
		{"--rest.listen-address=" + address, "choose another --rest.listen-address"},
		{"--grpc.listen-address=" + address, "choose another --grpc.listen-address"},
		{"--node.base-port=" + port, "choose another --node.base-port"},
		{"--nodes=99", "99 is not between 1 and 29"},
		{"--write-config=/no/such/directory/x.yml", "--write-config: "},
		{"--no-such-flag", "unknown long flag"},
	} {
		t.Run(tc.arg, func(t *testing.T) {
			err := run(t.Context(), withArg(free, tc.arg), log.NewNopLogger())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}

// withArg replaces the argument of the same flag, because kingpin refuses a
// flag given twice.
func withArg(args []string, arg string) []string {
	name, _, _ := strings.Cut(arg, "=")
	var merged []string
	for _, a := range args {
		if !strings.HasPrefix(a, name+"=") {
			merged = append(merged, a)
		}
	}
	return append(merged, arg)
}
