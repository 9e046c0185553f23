// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package processtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"hedera_exporter/internal/leaktest"
)

// roleVariable has this test binary act as the program under test.
const roleVariable = "PROCESSTEST_ROLE"

// Long enough for a busy machine: only what fails waits for it.
const testDeadline = 2 * time.Minute

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "server":
		serve()
	case "failure":
		fmt.Fprintln(os.Stderr, "no such flag")
		os.Exit(3)
	default:
		leaktest.VerifyTestMain(m)
	}
}

// serve answers until SIGTERM, and then ends with status 4.
func serve() {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	listener, err := new(net.ListenConfig).Listen(stop, "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("ts=now level=INFO msg=\"Listening on\" address=%s\n", listener.Addr())
	server := http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ready" {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}),
	}
	go func() { _ = server.Serve(listener) }()
	<-stop.Done()
	cancel()
	os.Exit(4)
}

func command(ctx context.Context, role string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd
}

func withDeadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	t.Cleanup(cancel)
	return ctx
}

func TestAwaitAddress(t *testing.T) {
	ctx := withDeadline(t)
	p := Run(t, command(t.Context(), "server"))
	address, err := p.AwaitAddress(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AwaitOK(ctx, "http://"+address+"/ready"); err != nil {
		t.Fatal(err)
	}
	if isOK(ctx, "http://"+address+"/") {
		t.Error("status 503 is OK")
	}
	if status, err := p.Stop(ctx, syscall.SIGTERM); err != nil || status != 4 {
		t.Errorf("exit status %d, %v, want the program's own, 4", status, err)
	}
	if status, err := p.Wait(ctx); err != nil || status != 4 {
		t.Errorf("waiting again: %d, %v", status, err)
	}
}

func TestAwaitFailsWhenTheProgramEnds(t *testing.T) {
	p := Run(t, command(t.Context(), "failure"))
	err := p.AwaitOK(withDeadline(t), "http://127.0.0.1:1/")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such flag") {
		t.Errorf("%v, want the exit status and the output", err)
	}
}

func TestAwaitFailsAtTheDeadline(t *testing.T) {
	p := Run(t, command(t.Context(), "server"))
	if _, err := p.AwaitAddress(withDeadline(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.AwaitOutput(ctx, regexp.MustCompile("never written"))
	if err == nil || !strings.Contains(err.Error(), "never written") || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("%v, want what was waited for and why it ended", err)
	}
	if _, err := p.Wait(ctx); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("waiting for its end: %v", err)
	}
}

func TestTheEndOfTheContextEndsTheProgram(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(command(ctx, "server"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.AwaitAddress(withDeadline(t)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if status, err := p.Wait(withDeadline(t)); err != nil || status != 4 {
		t.Errorf("exit status %d, %v, want 4, of a program that was asked to end", status, err)
	}
}

func TestKill(t *testing.T) {
	p, err := Start(command(t.Context(), "server"))
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	p.Kill()
	if status, err := p.Wait(t.Context()); err != nil || status != -1 {
		t.Errorf("exit status %d, %v, want -1, of a killed program", status, err)
	}
}

func TestStartFails(t *testing.T) {
	if _, err := Start(exec.CommandContext(t.Context(), "/no/such/program")); err == nil {
		t.Error("no error for a program that is not there")
	}
}

func TestFreeAddress(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if port := listener.Addr().(*net.TCPAddr).Port; port < firstFreePort || port >= lastFreePort {
		t.Errorf("port %d may be given to a connection first", port)
	}
}

func TestListening(t *testing.T) {
	for line, want := range map[string]string{
		// hedera_exporter, Prometheus 2.42, Prometheus 3
		`time=2026-01-02T03:04:05.006Z level=INFO source=tls_config.go:395 msg="Listening on" address=127.0.0.1:9`:               "127.0.0.1:9",
		`ts=2026-01-02T03:04:05.006Z caller=tls_config.go:232 level=info component=web msg="Listening on" address=127.0.0.1:9`:   "127.0.0.1:9",
		`time=2026-01-02T03:04:05.006Z level=INFO source=tls_config.go:395 msg="Listening on" component=web address=127.0.0.1:9`: "127.0.0.1:9",
		// hedera_exporter with --log.format=json
		`{"address":"127.0.0.1:9","caller":"tls_config.go:395","level":"info","msg":"Listening on","ts":"2026-01-02T03:04:05.006Z"}`: "127.0.0.1:9",
		`{"address":"127.0.0.1:9","level":"info","msg":"stopping"}`:                                                                  "",
		// before Prometheus 3 knows its port
		`time=2026-01-02T03:04:05.006Z level=INFO msg="Start listening for connections" component=web address=127.0.0.1:0`: "",
	} {
		var got string
		if match := Listening.FindStringSubmatch(line); match != nil {
			got = match[1]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}
