// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"hedera_exporter/internal/processtest"
)

// Prometheus runs on a history.
type Prometheus struct {
	URL     string
	process *processtest.Process
}

const startDeadline = 3 * time.Minute

// Start starts the program on the directory's configuration and history.
func Start(ctx context.Context, program, directory string) (*Prometheus, error) {
	// The blocks stay as they are: compaction would be measured too.
	process, err := processtest.Start(exec.CommandContext(ctx, program, "--config.file="+filepath.Join(directory, configName), //nolint:gosec // the caller's own program
		"--storage.tsdb.path="+filepath.Join(directory, "data"), "--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle",
		"--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h", "--storage.tsdb.retention.time=30d"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	address, err := process.AwaitAddress(ctx)
	if err != nil {
		process.Kill()
		return nil, err
	}
	return &Prometheus{URL: "http://" + address, process: process}, nil
}

// Stop ends the program at once.
func (p *Prometheus) Stop() { p.process.Kill() }

const configName = "prometheus.yml"

// RuleFiles are those that a pattern matches; none is an error.
func RuleFiles(pattern string) ([]string, error) {
	paths, err := filepath.Glob(pattern)
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("no file matches %s", pattern)
	}
	return paths, err
}

// WriteConfig writes a configuration and copies of the rule files whose groups
// are all evaluated at the interval.
func WriteConfig(rules []string, directory string, interval time.Duration) error {
	for _, path := range rules {
		if _, err := CopyRules(path, directory, interval); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(directory, configName), []byte("rule_files: ['hedera.*.yml']\n"), 0o600)
}

// CopyRules copies a rule file whose groups are then evaluated at the interval.
// It returns the path of the copy.
func CopyRules(path, directory string, interval time.Duration) (string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs it
	if err != nil {
		return "", err
	}
	var file map[string][]map[string]any
	if err := yaml.Unmarshal(content, &file); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	for _, group := range file["groups"] {
		group["interval"] = interval.String()
	}
	out, err := yaml.Marshal(file)
	if err != nil {
		return "", err
	}
	copied := filepath.Join(directory, filepath.Base(path))
	return copied, os.WriteFile(copied, out, 0o600)
}

// DropRules ends the evaluation of rules. What they have recorded stays.
func (p *Prometheus) DropRules(ctx context.Context, directory string) error {
	if err := os.WriteFile(filepath.Join(directory, configName), []byte("global: {}\n"), 0o600); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/-/reload", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("reload: %s", response.Status)
	}
	return nil
}

// AwaitEvaluations returns the metrics once each group was evaluated so often.
func (p *Prometheus) AwaitEvaluations(ctx context.Context, times float64) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		metrics, err := p.Metrics(ctx)
		if err == nil {
			counts := ByGroup(metrics, "prometheus_rule_group_iterations_total")
			// Those that a busy machine missed are among them.
			for group, missed := range ByGroup(metrics, "prometheus_rule_group_iterations_missed_total") {
				counts[group] -= missed
			}
			if len(counts) > 0 && slices.Min(slices.Collect(maps.Values(counts))) >= times {
				return metrics, nil
			}
		}
		if err := Sleep(ctx, time.Second); err != nil {
			return nil, fmt.Errorf("waiting for the first evaluations: %w", err)
		}
	}
}

// Metrics are Prometheus' own, by name and labels.
func (p *Prometheus) Metrics(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	metrics := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		i := strings.LastIndexByte(lines.Text(), ' ')
		if i < 0 || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if value, err := strconv.ParseFloat(lines.Text()[i+1:], 64); err == nil {
			metrics[lines.Text()[:i]] = value
		}
	}
	return metrics, lines.Err()
}

// ByGroup are the values of a metric by rule group.
func ByGroup(metrics map[string]float64, name string) map[string]float64 {
	values := map[string]float64{}
	for series, value := range metrics {
		if rest, found := strings.CutPrefix(series, name+`{rule_group="`); found {
			_, group, _ := strings.Cut(strings.TrimSuffix(rest, `"}`), ";")
			values[group] = value
		}
	}
	return values
}

// Sleep waits that long, or until the context ends, which is an error.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
