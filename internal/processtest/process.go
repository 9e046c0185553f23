// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package processtest runs built programs for tests and waits for them.
package processtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// gracePeriod is between SIGTERM and SIGKILL.
	gracePeriod  = 10 * time.Second
	pollInterval = 20 * time.Millisecond
)

// Listening matches what github.com/prometheus/exporter-toolkit logs, as logfmt or
// JSON, with the address as its group. Prometheus 3 has component=web before that.
var Listening = regexp.MustCompile(`(?:msg="Listening on"(?: \w+=\S+)*? address=|"address":")([^\s"]+)(?:\s|$|".*"msg":"Listening on")`)

var simulatorUp = regexp.MustCompile(`msg="simulated network is up" rest=(\S+)`)

// Process is a running program.
type Process struct {
	Output *Output // of stdout and stderr

	cmd   *exec.Cmd
	ended chan struct{} // closed after the program has ended
}

// Start starts cmd, which must be from exec.CommandContext: when its context
// ends, the program gets SIGTERM, and SIGKILL if that does not end it.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Output: &Output{}, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Output, p.Output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = gracePeriod
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // Wait returns the status
	}()
	return p, nil
}

// Run starts cmd and waits for its end when the test ends. The context of cmd
// must be t.Context() or end earlier.
func Run(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		<-p.ended
		if t.Failed() {
			t.Logf("output of %s:\n%s", p, p.Output)
		}
	})
	return p
}

func (p *Process) String() string { return filepath.Base(p.cmd.Path) }

// Signal sends the program a signal.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// Wait waits for the program's end and returns its exit status.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return -1, fmt.Errorf("waiting for the end of %s: %w", p, ctx.Err())
	}
}

// Stop sends a signal and returns the program's exit status.
func (p *Process) Stop(ctx context.Context, signal os.Signal) (int, error) {
	if err := p.Signal(signal); err != nil {
		return -1, err
	}
	return p.Wait(ctx)
}

// Kill ends the program and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// Await polls until condition is true. It fails when the context or the program
// ends first.
func (p *Process) Await(ctx context.Context, what string, condition func() bool) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %s: %w; output:\n%s", p, what, ctx.Err(), p.Output)
		case <-p.ended:
			return fmt.Errorf("waiting for %s: %s: it ended: %s; output:\n%s", p, what, p.cmd.ProcessState, p.Output)
		}
	}
	return nil
}

// AwaitOutput waits until the output matches pattern and returns the first group
// of the match.
func (p *Process) AwaitOutput(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	var match []string
	err := p.Await(ctx, "output like "+pattern.String(), func() bool {
		match = pattern.FindStringSubmatch(p.Output.String())
		return match != nil
	})
	if err != nil {
		return "", err
	}
	return match[min(1, len(match)-1)], nil
}

// AwaitAddress waits until a program that uses Prometheus' exporter-toolkit
// listens and returns its address. With a flag like
// --web.listen-address=127.0.0.1:0 the system chooses a free port.
func (p *Process) AwaitAddress(ctx context.Context) (string, error) {
	return p.AwaitOutput(ctx, Listening)
}

// AwaitSimulator waits until hedera_simulator answers and has written what its
// --write-config names. It returns the base URL of the REST API.
func (p *Process) AwaitSimulator(ctx context.Context) (string, error) {
	return p.AwaitOutput(ctx, simulatorUp)
}

// AwaitOK waits until a GET of url is answered with status 200.
func (p *Process) AwaitOK(ctx context.Context, url string) error {
	return p.Await(ctx, url, func() bool { return isOK(ctx, url) })
}

func isOK(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	request.Close = true // leave no idle connection behind
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

// Ports that FreeAddress chooses from: below those that systems give to
// connections and to listeners on port 0, of which there are many in tests.
const (
	firstFreePort = 10_000
	lastFreePort  = 32_000
)

// FreeAddress returns a loopback address that nothing listens on. Another program
// may take it first: use it only for what cannot choose a port and report it.
func FreeAddress(t testing.TB) string {
	t.Helper()
	var err error
	for range 100 {
		port := firstFreePort + rand.IntN(lastFreePort-firstFreePort) //nolint:gosec // nobody is to be kept from guessing it
		var listener net.Listener
		if listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal(err)
	return ""
}

// Output is a buffer that may be read while a program writes to it.
type Output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

// String returns what has been written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}
