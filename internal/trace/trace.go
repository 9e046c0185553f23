// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package trace tells the holder of a context of the requests to other servers
// that were made with it.
package trace

import (
	"context"
	"time"
)

// Request is a request that has ended. It has nothing of what the server sent
// but a code.
type Request struct {
	// Server is the host, with a port or a scheme.
	Server string
	// Text is what was asked.
	Text string
	// Code is the status, or timeout, canceled or error where there was none.
	Code     string
	Start    time.Time
	Duration time.Duration
}

// Func is told of requests, from several goroutines, also after the context has
// ended.
type Func func(Request)

type key struct{}

// With returns a context whose requests f is told of.
func With(ctx context.Context, f Func) context.Context { return context.WithValue(ctx, key{}, f) }

// Report tells of a request made with ctx.
func Report(ctx context.Context, r Request) {
	if f, ok := ctx.Value(key{}).(Func); ok {
		f(r)
	}
}
