//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"context"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// fileAttacks replace what the exporter reads on a reload, and reload.
var fileAttacks = []attack{
	{name: "configuration emptied", short: true, refused: true, start: onConfig(content(func(string) string { return "" }))},
	{name: "configuration cut off", short: true, refused: true, start: onConfig(content(func(good string) string { return good[:len(good)/2] }))},
	{name: "configuration cut off after the key networks", refused: true, start: onConfig(content(func(good string) string {
		return good[:strings.Index(good, "networks:")+len("networks:")]
	}))},
	{name: "configuration is a FIFO", short: true, refused: true, start: onConfig(func(path, _ string) error { return syscall.Mkfifo(path, 0o600) })},
	{name: "configuration is a directory", short: true, refused: true, start: onConfig(func(path, _ string) error { return os.Mkdir(path, 0o700) })},
	{name: "configuration is /dev/zero", refused: true, start: onConfig(func(path, _ string) error { return os.Symlink("/dev/zero", path) })},
	{name: "configuration is gone", refused: true, start: onConfig(func(string, string) error { return nil })},
	{name: "configuration of 100 MB", memory: true, short: true, refused: true, start: onConfig(content(func(good string) string { return good + strings.Repeat("# padding\n", 10<<20) }))},
	{name: "configuration of aliases of aliases", short: true, refused: true, start: onConfig(content(func(string) string { return billionLaughs() }))},
	{name: "configuration nested 100,000 deep", refused: true, start: onConfig(content(func(string) string { return "networks: " + strings.Repeat("[", 100_000) }))},
	{name: "configuration is binary", refused: true, start: onConfig(content(func(string) string { return strings.Repeat("\x00\xff", 10_000) }))},
	{name: "100 SIGHUP a second", short: true, start: hangups},
}

// onConfig has replace put something in the place of the configuration file.
func onConfig(replace func(path, good string) error) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		if err := os.Remove(e.config); err != nil {
			e.t.Error(err)
		}
		if err := replace(e.config, e.good); err != nil {
			e.t.Error(err)
		}
		for ctx.Err() == nil {
			e.signal(syscall.SIGHUP)
			e.reload(ctx)
			pause(ctx, time.Second)
		}
		if err := os.RemoveAll(e.config); err != nil {
			e.t.Error(err)
		}
		e.writeConfig()
		e.signal(syscall.SIGHUP)
	}
}

func content(change func(good string) string) func(path, good string) error {
	return func(path, good string) error { return os.WriteFile(path, []byte(change(good)), 0o600) }
}

func billionLaughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [" + strings.Repeat("lol, ", 8) + "lol]\n")
	for i := range 9 {
		previous, next := string(rune('0'+i)), string(rune('1'+i))
		b.WriteString("a" + next + ": &a" + next + " [" + strings.Repeat("*a"+previous+", ", 8) + "*a" + previous + "]\n")
	}
	return b.String() + "networks: {torture: *a9}\n"
}

func hangups(ctx context.Context, e *environment) {
	for ctx.Err() == nil {
		e.signals.Add(1)
		e.signal(syscall.SIGHUP)
		pause(ctx, 10*time.Millisecond)
	}
}

// reload is a POST /-/reload of someone else than the honest client.
func (e *environment) reload(ctx context.Context) {
	r := newRequest(http.MethodPost, "/-/reload").WithContext(ctx)
	r.URL.Host = e.address
	response, err := e.client.Do(r)
	if err != nil {
		return // the honest client's scrapes tell
	}
	_, _ = e.read("an answer to a reload", response)
}
