//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"debug/elf"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"hedera_exporter/internal/processtest"
)

const dockerfile = "container/Dockerfile"

// image is the file system that the Dockerfile's last stage describes, made of
// the programs that make build has built: the build stage runs the same.
type image struct {
	root        string
	files       []string
	user        string
	entrypoint  []string
	healthcheck []string
}

func assemble(t *testing.T) image {
	t.Helper()
	content := readFile(t, dockerfile)
	if !regexp.MustCompile(`(?m)^ +make build BIN=/out GOOS="\$TARGETOS" GOARCH="\$TARGETARCH" `).MatchString(content) {
		t.Fatal("the build stage does something else than make build BIN=/out")
	}
	stage := content[strings.LastIndex(content, "\nFROM scratch"):]
	i := image{root: t.TempDir()}
	for _, copied := range regexp.MustCompile(`(?m)^COPY --from=build (\S+) (\S+)$`).FindAllStringSubmatch(stage, -1) {
		source := copied[1]
		if name, built := strings.CutPrefix(source, "/out/"); built {
			source = binary(t, name)
		}
		i.files = append(i.files, copied[2])
		target := filepath.Join(i.root, copied[2])
		writeFile(t, target, readFile(t, source))
		if err := os.Chmod(target, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	i.user = instruction(t, stage, `(?m)^USER (\d+:\d+)$`)
	i.entrypoint = list(t, instruction(t, stage, `(?m)^ENTRYPOINT (\[.*\])$`))
	i.healthcheck = list(t, instruction(t, stage, `(?m)^HEALTHCHECK .*CMD (\[.*\])$`))
	if err := os.Chmod(i.root, 0o755); err != nil {
		t.Fatal(err)
	}
	return i
}

func instruction(t *testing.T, stage, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(stage)
	if match == nil {
		t.Fatalf("no %s in\n%s", pattern, stage)
	}
	return match[1]
}

func list(t *testing.T, text string) (elements []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &elements); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return elements
}

// command runs a program of the image as its user on a read-only root. One who
// is not root here is root of a user namespace instead, and stays that user.
func (i image) command(ctx context.Context, program []string, args ...string) *exec.Cmd {
	unshare, user := []string{"--mount"}, "--userspec="+i.user
	if os.Getuid() != 0 {
		unshare, user = []string{"--mount", "--map-root-user"}, "--userspec=0:0"
	}
	script := `mount --bind "$0" "$0" && mount -o remount,bind,ro,nosuid,nodev "$0" && exec chroot "$1" "$0" "${@:2}"`
	arguments := slices.Concat(unshare, []string{"bash", "-c", script, i.root, user}, program, args)
	return exec.CommandContext(ctx, "unshare", arguments...)
}

func TestImageRuns(t *testing.T) {
	image := assemble(t)
	// What a volume would bring.
	writeFile(t, filepath.Join(image.root, "etc/hedera_exporter.yml"), startSmallSimulator(t))
	address := processtest.FreeAddress(t)
	healthcheck := func() (string, error) {
		text, err := image.command(t.Context(), image.healthcheck, "--url=http://"+address+"/-/healthy").CombinedOutput()
		return string(text), err
	}
	if text, err := healthcheck(); err == nil || !strings.Contains(text, "refused") {
		t.Errorf("the health check finds well what does not run: %v %s", err, text)
	}
	startExporter(t, image.command(t.Context(), image.entrypoint, "--config.file=/etc/hedera_exporter.yml", "--web.listen-address="+address), address)
	wantAccounts(t, get(t, "http://"+address+"/metrics"))
	if text, err := healthcheck(); err != nil {
		t.Errorf("health check: %v %s", err, text)
	}
	text, err := image.command(t.Context(), image.entrypoint, "--config.file=/etc/hedera_exporter.yml", "textfile", "--output.file=/hedera.prom").CombinedOutput()
	if err == nil || !strings.Contains(string(text), "read-only file system") {
		t.Errorf("the root is not read-only: %v %s", err, text)
	}
}

func TestImageHoldsNothingElse(t *testing.T) {
	image := assemble(t)
	var files []string
	if err := fs.WalkDir(os.DirFS(image.root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, "/"+path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/bin/hedera_exporter", "/etc/ssl/certs/ca-certificates.crt"}; !slices.Equal(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	if image.user != "65534:65534" {
		t.Errorf("user %s", image.user)
	}
	program, err := elf.Open(filepath.Join(image.root, "bin/hedera_exporter"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	for _, header := range program.Progs {
		if header.Type == elf.PT_INTERP {
			t.Error("the program is not static")
		}
	}
	for _, label := range []string{"title", "description", "authors", "licenses", "version", "revision"} {
		if !strings.Contains(readFile(t, dockerfile), "org.opencontainers.image."+label+"=") {
			t.Errorf("no label %s", label)
		}
	}
}

// TestContextSuffices builds from what .dockerignore lets through, for each
// platform of the image.
func TestContextSuffices(t *testing.T) {
	dir := t.TempDir()
	rules := strings.Split(readFile(t, "../.dockerignore"), "\n")
	if !slices.Contains(rules, "*") {
		t.Fatal("everything that is not named goes into the context")
	}
	for _, rule := range rules {
		name, allowed := strings.CutPrefix(rule, "!")
		if !allowed {
			continue
		}
		if err := copyContext(filepath.Join("..", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		out := filepath.Join(dir, arch)
		build := exec.CommandContext(t.Context(), "make", "build", "BIN="+out, "GOOS=linux", "GOARCH="+arch, "VERSION=1.2.3", "REVISION=abc", "BRANCH=HEAD")
		build.Dir = dir
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		program, err := elf.Open(filepath.Join(out, "hedera_exporter"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = program.Close() })
		if program.Machine != machine {
			t.Errorf("%s: built for %s", arch, program.Machine)
		}
	}
	text, err := output(t, filepath.Join(dir, runtime.GOARCH, "hedera_exporter"), "--version")
	if err != nil || !strings.Contains(text, "version 1.2.3 ") {
		t.Errorf("%v\n%s", err, text)
	}
}

// copyContext leaves out what the last two lines of .dockerignore do.
func copyContext(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "testdata" {
			return fs.SkipDir
		}
		if entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
}
