// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package stack runs the built simulator, the built exporter on it and a
// Prometheus that scrapes the exporter, all on loopback.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Programs are the paths of what is run.
type Programs struct {
	Bin        string // a directory with hedera_simulator and hedera_exporter
	Prometheus string
}

// Options of a stack.
type Options struct {
	Programs
	Rules     []string // rule files
	Interval  time.Duration
	Simulator []string // further flags
}

// Stack is what runs.
type Stack struct {
	SimulatorURL, PrometheusURL string

	directory string
	processes []*process
}

type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

const startDeadline = time.Minute

// Start starts all three and returns when they answer.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	directory, err := os.MkdirTemp("", "hedera-dashboards-*")
	if err != nil {
		return nil, err
	}
	s := &Stack{directory: directory}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	addresses, err := freeAddresses(ctx, 3)
	if err != nil {
		return nil, err
	}
	s.SimulatorURL, s.PrometheusURL = "http://"+addresses[0], "http://"+addresses[2]
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	if err := s.startSimulator(ctx, o, addresses[0]); err != nil {
		return nil, err
	}
	if err := s.startExporter(ctx, o, addresses[1]); err != nil {
		return nil, err
	}
	return s, s.startPrometheus(ctx, o, addresses[1], addresses[2])
}

// Close stops all and removes their files.
func (s *Stack) Close() error {
	for _, p := range s.processes {
		_ = p.cmd.Process.Kill() // it may have ended already
		<-p.ended
	}
	return os.RemoveAll(s.directory)
}

func (s *Stack) path(name string) string { return filepath.Join(s.directory, name) }

func (s *Stack) startSimulator(ctx context.Context, o Options, address string) error {
	flags := append([]string{
		"--rest.listen-address=" + address, "--grpc.listen-address=127.0.0.1:0",
		"--node.base-port=0", "--write-config=" + s.path("simulated.yml"),
	}, o.Simulator...)
	if err := s.run(filepath.Join(o.Bin, "hedera_simulator"), flags...); err != nil {
		return err
	}
	return await(ctx, "the simulator's configuration", func() bool {
		_, err := os.Stat(s.path("simulated.yml"))
		return err == nil
	})
}

func (s *Stack) startExporter(ctx context.Context, o Options, address string) error {
	if err := s.run(filepath.Join(o.Bin, "hedera_exporter"), "--config.file="+s.path("simulated.yml"), "--web.listen-address="+address); err != nil {
		return err
	}
	return awaitURL(ctx, "http://"+address+"/-/ready")
}

func (s *Stack) startPrometheus(ctx context.Context, o Options, exporter, address string) error {
	content := fmt.Sprintf("global: {scrape_interval: %s, scrape_timeout: %s, evaluation_interval: %s}\n", o.Interval, o.Interval, o.Interval)
	if len(o.Rules) > 0 {
		content += "rule_files: [" + strings.Join(o.Rules, ", ") + "]\n"
	}
	content += "scrape_configs: [{job_name: hedera, static_configs: [{targets: ['" + exporter + "']}]}]\n"
	if err := os.WriteFile(s.path("prometheus.yml"), []byte(content), 0o600); err != nil {
		return err
	}
	if err := s.run(o.Prometheus, "--config.file="+s.path("prometheus.yml"),
		"--storage.tsdb.path="+s.path("data"), "--web.listen-address="+address); err != nil {
		return err
	}
	return awaitURL(ctx, s.PrometheusURL+"/-/ready")
}

func (s *Stack) run(program string, flags ...string) error {
	log, err := os.Create(s.path(filepath.Base(program) + ".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                                              // the process has its own descriptor
	p := &process{cmd: exec.Command(program, flags...), ended: make(chan struct{})} //nolint:gosec,noctx // the caller's own programs, until Close
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.cmd.Wait() // Close kills it
		close(p.ended)
	}()
	s.processes = append(s.processes, p)
	return nil
}

// Control makes one call of the simulator's control API.
func (s *Stack) Control(ctx context.Context, method, path, body string) error {
	request, err := http.NewRequestWithContext(ctx, method, s.SimulatorURL+"/simulator"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	return err
}

func awaitURL(ctx context.Context, url string) error {
	return await(ctx, url, func() bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	})
}

func await(ctx context.Context, what string, isTrue func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !isTrue() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func freeAddresses(ctx context.Context, n int) ([]string, error) {
	addresses := make([]string, n)
	for i := range addresses {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		addresses[i] = listener.Addr().String()
	}
	return addresses, nil
}
