// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	progressInterval = time.Second
	clearLine        = "\r\x1b[K"
)

// progress shows on a terminal that a command is still at work, from its first
// second on. Other output for the terminal goes through it and replaces the
// line.
type progress struct {
	text string
	done chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	w     io.Writer
	shown bool
}

// newProgress returns a progress that shows nothing where w is no terminal.
func newProgress(w io.Writer, text string) *progress {
	p := &progress{w: w, text: text, done: make(chan struct{})}
	if isTerminal(w) {
		p.start()
	}
	return p
}

// isTerminal takes other character devices, such as /dev/null, for terminals
// too: there it does no harm.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) start() {
	p.wg.Go(func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for elapsed := progressInterval; ; elapsed += progressInterval {
			select {
			case <-ticker.C:
				p.show(elapsed)
			case <-p.done:
				return
			}
		}
	})
}

// stop clears the line.
func (p *progress) stop() {
	close(p.done)
	p.wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearLocked()
}

func (p *progress) show(elapsed time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "%s%s: asking the network, %s", clearLine, p.text, elapsed)
	p.shown = true
}

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearLocked()
	return p.w.Write(b)
}

func (p *progress) clearLocked() {
	if p.shown {
		fmt.Fprint(p.w, clearLine)
		p.shown = false
	}
}
