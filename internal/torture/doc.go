// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package torture runs the built exporter against hostile mirrors, nodes,
// clients, files and signals, while an honest Prometheus scrapes it. All of it is
// in tests: make torture, and a short form in make test-integration. make soak
// runs it for long with a real Prometheus and faults.
//
// Clocks that jump are not here, as a built Go program reads the kernel's:
// TestCursorsMoveWithTheMirror in package collector has them.
package torture
