//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestSimulatedConfiguration has the simulator write the configuration that
// stands in the folder, but for the first two digits of its ports: those of some
// may be in use here.
func TestSimulatedConfiguration(t *testing.T) {
	_, got, _ := strings.Cut(readFile(t, "compose/simulated.yml"), "\n")
	var err error
	for prefix := 20; prefix < 32; prefix++ { // no ports that are given to connections
		digits := strconv.Itoa(prefix)
		var written string
		if written, err = tryStartSimulator(t, "--rest.listen-address=127.0.0.1:"+digits+"551", "--grpc.listen-address=127.0.0.1:"+digits+"600", "--node.base-port="+digits+"700"); err != nil {
			continue
		}
		want := regexp.MustCompile(`\b`+digits+`([5-8]\d\d)\b`).ReplaceAllString(written, "15$1")
		if got != want {
			t.Errorf("compose/simulated.yml is\n%s\nwant\n%s", got, want)
		}
		return
	}
	t.Fatal(err)
}

func TestConfigurationsOfCompose(t *testing.T) {
	for _, name := range []string{"hedera_exporter.yml", "simulated.yml"} {
		if text, err := output(t, binary(t, "hedera_exporter"), "--config.check", "--config.file=compose/"+name); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	examples, err := filepath.Glob("prometheus/prometheus-*.yml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, name := range append(examples, "compose/prometheus.yml") {
		if text, err := output(t, os.Getenv("PROMTOOL"), "check", "config", "--syntax-only", name); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
