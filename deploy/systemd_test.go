//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hedera_exporter/internal/processtest"
)

// maxExposure is of the 10 that systemd-analyze security has for a unit that
// hides nothing. What is left is the network, which the exporter is for.
const maxExposure = 1.5

var unitFiles = []string{"hedera_exporter.service", "hedera_exporter.socket", "hedera_exporter.service.d/secrets.conf"}

// installUnits copies the units to a directory, where they run the built
// program, and returns it.
func installUnits(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range unitFiles {
		content := readFile(t, filepath.Join("systemd", name))
		writeFile(t, filepath.Join(dir, name), strings.ReplaceAll(content, "/usr/local/bin/hedera_exporter", binary(t, "hedera_exporter")))
	}
	return dir
}

func TestUnitsAreValid(t *testing.T) {
	dir := installUnits(t)
	for _, name := range []string{"hedera_exporter.service", "hedera_exporter.socket"} {
		if text, err := output(t, "systemd-analyze", "--man=no", "verify", filepath.Join(dir, name)); err != nil || text != "" {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	// It does find mistakes.
	writeFile(t, filepath.Join(dir, "hedera_exporter.service"), readFile(t, filepath.Join(dir, "hedera_exporter.service"))+"\n[Service]\nProtectSytem=yes\n")
	if text, _ := output(t, "systemd-analyze", "--man=no", "verify", filepath.Join(dir, "hedera_exporter.service")); !strings.Contains(text, "ProtectSytem") {
		t.Errorf("a mistake is not found: %s", text)
	}
}

func TestUnitIsHardened(t *testing.T) {
	unit := filepath.Join(installUnits(t), "hedera_exporter.service")
	text, err := output(t, "systemd-analyze", "--no-pager", "--offline=true", "security", unit)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	level := regexp.MustCompile(`Overall exposure level for hedera_exporter\.service: ([0-9.]+)`).FindStringSubmatch(text)
	if level == nil {
		t.Fatalf("no exposure level in\n%s", text)
	}
	t.Log(level[0])
	if exposure, err := strconv.ParseFloat(level[1], 64); err != nil || exposure > maxExposure {
		t.Errorf("exposure %s, want at most %v:\n%s", level[1], maxExposure, text)
	}
}

// TestEnvironmentFile has the exporter take every line that the environment
// file suggests.
func TestEnvironmentFile(t *testing.T) {
	suggestions := regexp.MustCompile(`(?m)^#?(HEDERA_EXPORTER_[A-Z_]+)="?([^"\n]+)`).
		FindAllStringSubmatch(strings.ReplaceAll(readFile(t, "systemd/hedera_exporter.default"), "\n#0.", "\n0."), -1)
	if len(suggestions) != 3 {
		t.Fatalf("suggestions: %q, want 3", suggestions)
	}
	help, err := output(t, binary(t, "hedera_exporter"), "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, suggestion := range suggestions {
		if variable := "($" + suggestion[1] + ")"; !strings.Contains(strings.Join(strings.Fields(help), ""), variable) {
			t.Errorf("no flag reads %s:\n%s", variable, help)
		}
	}
}

func TestSocketActivation(t *testing.T) {
	config := filepath.Join(t.TempDir(), "hedera_exporter.yml")
	writeFile(t, config, startSmallSimulator(t))
	address := processtest.FreeAddress(t)
	startExporter(t, exec.CommandContext(t.Context(), "systemd-socket-activate", "--listen="+address,
		"--setenv=HEDERA_EXPORTER_WEB_SYSTEMD_SOCKET=true", "--setenv=HEDERA_EXPORTER_CONFIG_FILE="+config, binary(t, "hedera_exporter")), address)
	wantAccounts(t, get(t, "http://"+address+"/metrics"))
}
