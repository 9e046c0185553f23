// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package kubernetes keeps the modules in go.mod whose CRDs make test-deploy
// applies to the API server.
package kubernetes

import (
	_ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
	_ "sigs.k8s.io/gateway-api/apis/v1"
)
