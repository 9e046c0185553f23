// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploycheck tests the compose file, the Helm chart and the
// kustomizations with the libraries of the programs that read them. It is a module
// of its own for the size of what it imports.
package deploycheck
