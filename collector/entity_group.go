// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"sync"
)

// entityGroup reads the entities of a collector, each independently of the others:
// one that fails is counted as missing and costs no other. The zero value is
// ready.
type entityGroup struct {
	group sync.WaitGroup

	mu      sync.Mutex
	missing int
	first   error // of the missing ones
}

// Go reads one entity at the same time as the others. A panic is its error.
func (e *entityGroup) Go(read func() error) {
	e.group.Go(func() { e.do(read) })
}

// do reads entities at once.
func (e *entityGroup) do(read func() error) {
	if err := guard(read); err != nil {
		e.miss(missing(err), err)
	}
}

// miss counts n entities that could not be read.
func (e *entityGroup) miss(n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.missing += n
	if e.first == nil {
		e.first = err
	}
}

// Wait returns once all entities are read or missing. The error says how many
// are missing and why the first of them is.
func (e *entityGroup) Wait() error {
	e.group.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.missing == 0 {
		return nil
	}
	return &incompleteError{missing: e.missing, first: e.first}
}

// incompleteError is the error of a collector that could read some of its
// entities.
type incompleteError struct {
	missing int
	first   error
}

func (e *incompleteError) Error() string {
	if e.missing == 1 {
		return e.first.Error()
	}
	return fmt.Sprintf("%d entities are missing; first: %s", e.missing, e.first)
}

func (e *incompleteError) Unwrap() error { return e.first }

// missing is the number of entities that err stands for, 1 for an error that
// does not say.
func missing(err error) int {
	if err == nil {
		return 0
	}
	var incomplete *incompleteError
	if errors.As(err, &incomplete) {
		return incomplete.missing
	}
	return 1
}
