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
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"hedera_exporter/internal/processtest"
	"hedera_exporter/tools/bench"
)

// Programs are the paths of what is run.
type Programs struct {
	Bin        string // a directory with hedera_simulator and hedera_exporter
	Prometheus string
}

// Options of a stack.
type Options struct {
	Programs
	Rules     []string // rule files, all of whose groups are evaluated at the interval
	Interval  time.Duration
	Networks  int      // by as many names the exporter watches the simulated network; 0 is one
	Simulator []string // further flags
}

// Stack is what runs.
type Stack struct {
	SimulatorURL, ExporterURL, PrometheusURL string

	exporter  string // address
	directory string
	processes []*processtest.Process
}

const startDeadline = 3 * time.Minute

// Start starts all three and returns when they answer. They run until Close, or
// until the context ends.
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
	if err := s.startSimulator(ctx, o); err != nil {
		return nil, err
	}
	if err := s.startExporter(ctx, o); err != nil {
		return nil, err
	}
	return s, s.startPrometheus(ctx, o)
}

// Close stops all and removes their files.
func (s *Stack) Close() error {
	for _, p := range s.processes {
		p.Kill()
	}
	return os.RemoveAll(s.directory)
}

func (s *Stack) path(name string) string { return filepath.Join(s.directory, name) }

func (s *Stack) startSimulator(ctx context.Context, o Options) error {
	p, err := s.run(ctx, filepath.Join(o.Bin, "hedera_simulator"), append([]string{
		"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0",
		"--node.base-port=0", "--write-config=" + s.path("simulated.yml"), "--config.canary-key=" + s.path("canary_key"),
	}, o.Simulator...)...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	if s.SimulatorURL, err = p.AwaitSimulator(ctx); err != nil {
		return err
	}
	return multiply(s.path("simulated.yml"), o.Networks)
}

// multiply lets the exporter's configuration have its network so often.
func multiply(path string, times int) error {
	if times < 2 {
		return nil
	}
	content, err := os.ReadFile(path) //nolint:gosec // the simulator has just written it
	if err != nil {
		return err
	}
	var file map[string]map[string]any
	if err := yaml.Unmarshal(content, &file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i := 2; i <= times; i++ {
		file["networks"][fmt.Sprintf("simulated-%d", i)] = file["networks"]["simulated"]
	}
	if content, err = yaml.Marshal(file); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

func (s *Stack) startExporter(ctx context.Context, o Options) (err error) {
	s.exporter, err = s.runReady(ctx, filepath.Join(o.Bin, "hedera_exporter"), "--config.file="+s.path("simulated.yml"))
	s.ExporterURL = "http://" + s.exporter
	return err
}

func (s *Stack) startPrometheus(ctx context.Context, o Options) error {
	content := fmt.Sprintf("global: {scrape_interval: %s, scrape_timeout: %s, evaluation_interval: %s}\n", o.Interval, o.Interval, o.Interval)
	copies := make([]string, len(o.Rules))
	for i, path := range o.Rules {
		var err error
		if copies[i], err = bench.CopyRules(path, s.directory, o.Interval); err != nil {
			return err
		}
	}
	content += "rule_files: [" + strings.Join(copies, ", ") + "]\n"
	content += "scrape_configs: [{job_name: hedera, static_configs: [{targets: ['" + s.exporter + "']}]}]\n"
	if err := os.WriteFile(s.path("prometheus.yml"), []byte(content), 0o600); err != nil {
		return err
	}
	address, err := s.runReady(ctx, o.Prometheus, "--config.file="+s.path("prometheus.yml"), "--storage.tsdb.path="+s.path("data"))
	s.PrometheusURL = "http://" + address
	return err
}

func (s *Stack) run(ctx context.Context, program string, flags ...string) (*processtest.Process, error) {
	p, err := processtest.Start(exec.CommandContext(ctx, program, flags...)) //nolint:gosec // the caller's own programs
	if err != nil {
		return nil, err
	}
	s.processes = append(s.processes, p)
	return p, nil
}

// runReady returns the address of a program with the web flags of Prometheus.
func (s *Stack) runReady(ctx context.Context, program string, flags ...string) (string, error) {
	p, err := s.run(ctx, program, append(flags, "--web.listen-address=127.0.0.1:0")...)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	address, err := p.AwaitAddress(ctx)
	if err != nil {
		return "", err
	}
	return address, p.AwaitOK(ctx, "http://"+address+"/-/ready")
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
