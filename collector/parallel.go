// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// parallel is an errgroup whose functions may panic: that would end the
// process, and here is an error of the group.
type parallel struct{ group *errgroup.Group }

func newParallel(ctx context.Context) (parallel, context.Context) {
	group, ctx := errgroup.WithContext(ctx)
	return parallel{group}, ctx
}

func (p parallel) Go(f func() error) {
	p.group.Go(func() error { return guard(f) })
}

func (p parallel) Wait() error { return p.group.Wait() }
