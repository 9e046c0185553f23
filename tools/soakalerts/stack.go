// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"
)

const startDeadline = 2 * time.Minute

// notification is one alert of a message that Alertmanager sent.
type notification struct {
	at                                         time.Time
	receiver, status, network, alert, severity string
}

// sink receives all notifications, but the watchdog's.
type sink struct {
	*httptest.Server
	mu       sync.Mutex
	got      []notification
	networks map[string]string // of the exporters, by instance
}

func newSink() *sink {
	s := &sink{networks: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct {
			Alerts []struct {
				Status string            `json:"status"`
				Labels map[string]string `json:"labels"`
			} `json:"alerts"`
		}
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, a := range message.Alerts {
			if a.Labels["alertname"] != "HederaWatchdog" {
				s.got = append(s.got, notification{
					time.Now(), strings.Trim(r.URL.Path, "/"), a.Status, cmp.Or(a.Labels["network"], s.networks[a.Labels["instance"]]),
					a.Labels["alertname"], a.Labels["severity"],
				})
			}
		}
	}))
	return s
}

func (s *sink) all() []notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]notification(nil), s.got...)
}

type stack struct {
	directory  string
	sink       *sink
	proxies    []*httptest.Server
	processes  []*exec.Cmd
	simulators map[string]string    // URL by network
	exporters  map[string]*exec.Cmd // by network
}

func startStack(ctx context.Context, o options) (_ *stack, err error) {
	directory, err := os.MkdirTemp("", "soakalerts-*")
	if err != nil {
		return nil, err
	}
	s := &stack{directory: directory, sink: newSink(), simulators: map[string]string{}, exporters: map[string]*exec.Cmd{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	var targets []string
	for _, f := range faults {
		target, err := s.startNetwork(ctx, o, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.network, err)
		}
		s.sink.networks[target] = f.network // before anything is notified
		targets = append(targets, target)
	}
	alertmanager, err := s.startAlertmanager(ctx, o)
	if err != nil {
		return nil, err
	}
	return s, s.startPrometheus(ctx, o, alertmanager, targets)
}

// startNetwork starts a simulator, an exporter on it and a proxy before that,
// whose address it returns.
func (s *stack) startNetwork(ctx context.Context, o options, f fault) (string, error) {
	addresses, err := freeAddresses(ctx, 2)
	if err != nil {
		return "", err
	}
	network := f.network
	config := filepath.Join(s.directory, network+".yml")
	if _, err := s.start(network+"-simulator", filepath.Join(o.bin, "hedera_simulator"), "--rest.listen-address="+addresses[0],
		"--grpc.listen-address=127.0.0.1:0", "--node.base-port=0", "--nodes=4", "--accounts=3", "--write-config="+config); err != nil {
		return "", err
	}
	s.simulators[network] = "http://" + addresses[0]
	if err := await(ctx, "http://"+addresses[0]+"/simulator/"); err != nil {
		return "", err
	}
	if err := awaitFile(ctx, config); err != nil {
		return "", err
	}
	if err := configure(config, f); err != nil {
		return "", err
	}
	exporter, err := s.start(network+"-exporter", filepath.Join(o.bin, "hedera_exporter"), "--config.file="+config, "--web.listen-address="+addresses[1])
	if err != nil {
		return "", err
	}
	s.exporters[network] = exporter
	target := &url.URL{Scheme: "http", Host: addresses[1]}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorLog = log.New(io.Discard, "", 0) // an exporter that was killed
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rand.Float64() < o.lost { //nolint:gosec // no secret
			http.Error(w, "lost", http.StatusBadGateway)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	s.proxies = append(s.proxies, proxy)
	return proxy.Listener.Addr().String(), await(ctx, target.String()+"/-/ready")
}

// configure has the exporter watch three accounts, and what the fault is about.
func configure(path string, f fault) error {
	content, err := os.ReadFile(path) //nolint:gosec // our own
	if err != nil {
		return err
	}
	var written map[string]map[string]map[string]any
	if err := yaml.Unmarshal(content, &written); err != nil {
		return err
	}
	config := map[string]any{"mirror": written["networks"]["simulated"]["mirror"], "consensus": written["networks"]["simulated"]["consensus"]}
	maps.Copy(config, f.config)
	accounts, _ := config["accounts"].([]any)
	for _, id := range []string{"0.0.1001", "0.0.1002", "0.0.1003"} {
		accounts = append(accounts, map[string]any{"id": id, "thresholds": map[string]any{"critical": 1000}})
	}
	config["accounts"] = accounts
	out, err := yaml.Marshal(map[string]any{"networks": map[string]any{f.network: config}})
	if err != nil {
		return err
	}
	return os.WriteFile(path, out, 0o600)
}

func (s *stack) startAlertmanager(ctx context.Context, o options) (string, error) {
	content, err := os.ReadFile(filepath.Join(o.alerts, "alertmanager.yml"))
	if err != nil {
		return "", err
	}
	var config map[string]any
	if err := yaml.Unmarshal(content, &config); err != nil {
		return "", err
	}
	var receivers []any
	for _, r := range config["receivers"].([]any) {
		name := r.(map[string]any)["name"].(string)
		receivers = append(receivers, map[string]any{
			"name": name, "webhook_configs": []any{map[string]any{"url": s.sink.URL + "/" + name, "send_resolved": true}},
		})
	}
	config["receivers"] = receivers
	delete(config, "templates")
	path, err := s.write("alertmanager.yml", config)
	if err != nil {
		return "", err
	}
	addresses, err := freeAddresses(ctx, 1)
	if err != nil {
		return "", err
	}
	if _, err := s.start("alertmanager", o.alertmanager, "--config.file="+path, "--storage.path="+filepath.Join(s.directory, "alertmanager"),
		"--web.listen-address="+addresses[0], "--cluster.listen-address="); err != nil {
		return "", err
	}
	return addresses[0], await(ctx, "http://"+addresses[0]+"/-/ready")
}

func (s *stack) startPrometheus(ctx context.Context, o options, alertmanager string, targets []string) error {
	rules, err := filepath.Abs(filepath.Join(o.alerts, "hedera.*.yml"))
	if err != nil {
		return err
	}
	static := func(targets ...string) []any { return []any{map[string]any{"targets": targets}} }
	path, err := s.write("prometheus.yml", map[string]any{
		"global":         map[string]any{"scrape_interval": o.interval.String(), "scrape_timeout": "10s", "evaluation_interval": o.interval.String()},
		"rule_files":     []string{rules},
		"alerting":       map[string]any{"alertmanagers": []any{map[string]any{"static_configs": static(alertmanager)}}},
		"scrape_configs": []any{map[string]any{"job_name": "watch", "static_configs": static(targets...)}},
	})
	if err != nil {
		return err
	}
	addresses, err := freeAddresses(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := s.start("prometheus", o.prometheus, "--config.file="+path, "--storage.tsdb.path="+filepath.Join(s.directory, "data"),
		"--web.listen-address="+addresses[0]); err != nil {
		return err
	}
	return await(ctx, "http://"+addresses[0]+"/-/ready")
}

func (s *stack) write(name string, content any) (string, error) {
	out, err := yaml.Marshal(content)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.directory, name)
	return path, os.WriteFile(path, out, 0o600)
}

func (s *stack) start(name, program string, flags ...string) (*exec.Cmd, error) {
	log, err := os.Create(filepath.Join(s.directory, name+".log")) //nolint:gosec // in our own directory
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()     // the process has its own descriptor
	cmd := exec.Command(program, flags...) //nolint:gosec,noctx // the caller's own programs, until close
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.processes = append(s.processes, cmd)
	return cmd, nil
}

// inject makes the calls of a fault.
func (s *stack) inject(ctx context.Context, f fault) error {
	if f.kill {
		return s.exporters[f.network].Process.Kill()
	}
	if f.reload {
		if err := os.WriteFile(filepath.Join(s.directory, f.network+".yml"), []byte("networks: none\n"), 0o600); err != nil {
			return err
		}
		return s.exporters[f.network].Process.Signal(syscall.SIGHUP)
	}
	replacer, err := replacer(ctx, s.simulators[f.network])
	if err != nil {
		return err
	}
	for _, c := range f.calls {
		request, err := http.NewRequestWithContext(ctx, c.method, s.simulators[f.network]+"/simulator"+replacer.Replace(c.path), strings.NewReader(replacer.Replace(c.body)))
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %s: %s: %s", c.method, c.path, response.Status, answer)
		}
	}
	return nil
}

// replacer replaces nodes by the ids of the network, and SOON by the consensus
// timestamp of ten minutes from now.
func replacer(ctx context.Context, simulator string) (*strings.Replacer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, simulator+"/api/v1/network/nodes", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var book struct {
		Nodes []struct {
			ID int `json:"node_id"`
		} `json:"nodes"`
	}
	if err := json.NewDecoder(response.Body).Decode(&book); err != nil {
		return nil, err
	}
	if len(book.Nodes) != len(nodes) {
		return nil, fmt.Errorf("%d nodes in the address book, want %d", len(book.Nodes), len(nodes))
	}
	soon := time.Now().Add(10 * time.Minute)
	pairs := []string{"SOON", fmt.Sprintf("%d.%09d", soon.Unix(), soon.Nanosecond())}
	for i, n := range book.Nodes {
		pairs = append(pairs, nodes[i], strconv.Itoa(n.ID))
	}
	return strings.NewReplacer(pairs...), nil
}

func (s *stack) close() error {
	for _, p := range s.processes {
		_ = p.Process.Kill() // it may have ended already
		_ = p.Wait()
	}
	for _, p := range s.proxies {
		p.Close()
	}
	s.sink.Close()
	return os.RemoveAll(s.directory)
}

func await(ctx context.Context, url string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", url, ctx.Err())
		case <-tick.C:
		}
	}
}

// awaitFile waits for what is written at once, but after the simulator answers.
func awaitFile(ctx context.Context, path string) error {
	for {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %s: %w", path, err)
		}
	}
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
