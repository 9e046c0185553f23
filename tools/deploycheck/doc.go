// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploycheck holds the compose file and the Helm chart to the programs
// that read them. It is a module of its own for the size of what it imports.
package deploycheck
