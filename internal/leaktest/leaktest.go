// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package leaktest finds goroutines that tests have left behind. Unlike goleak
// alone, which gives up after half a second, it lets them end on a busy machine.
package leaktest

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

const patience = time.Minute

// VerifyTestMain is [goleak.VerifyTestMain] for TestMain.
func VerifyTestMain(m *testing.M, options ...goleak.Option) {
	goleak.VerifyTestMain(patient{m, options}, options...)
}

type patient struct {
	m       goleak.TestingM
	options []goleak.Option
}

func (p patient) Run() int {
	status := p.m.Run()
	if status == 0 {
		_ = Find(p.options...) // goleak looks again, and tells
	}
	return status
}

// Find returns an error that names the goroutines which have not ended within a
// minute.
func Find(options ...goleak.Option) error {
	end := time.Now().Add(patience)
	for {
		err := goleak.Find(options...)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
