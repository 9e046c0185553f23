// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	line := func(seconds string) string { return clearLine + "query nodes: asking the network, " + seconds }
	tests := map[string]struct {
		work func(*progress)
		want string
	}{
		"less than a second": {func(*progress) { time.Sleep(999 * time.Millisecond) }, ""},
		"longer":             {func(*progress) { time.Sleep(2500 * time.Millisecond) }, line("1s") + line("2s") + clearLine},
		"a message meanwhile": {func(p *progress) {
			time.Sleep(1500 * time.Millisecond)
			fmt.Fprintln(p, "oops")
			time.Sleep(time.Second)
		}, line("1s") + clearLine + "oops\n" + line("2s") + clearLine},
		"a message at the end": {func(p *progress) {
			time.Sleep(1500 * time.Millisecond)
			fmt.Fprintln(p, "oops")
		}, line("1s") + clearLine + "oops\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var terminal bytes.Buffer
				p := newProgress(&terminal, "query nodes")
				p.start()
				test.work(p)
				p.stop()
				if got := terminal.String(); got != test.want {
					t.Errorf("got  %q\nwant %q", got, test.want)
				}
			})
		})
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buffer bytes.Buffer
		p := newProgress(&buffer, "query nodes")
		time.Sleep(time.Minute)
		p.stop()
		if buffer.Len() > 0 {
			t.Errorf("wrote %q", buffer.String())
		}
	})
	file, err := os.Create(writeFile(t, "stderr", ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	if isTerminal(file) || !isTerminal(device) {
		t.Error("files are taken for terminals, or character devices are not")
	}
}
