// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hedera_exporter/internal/mirror"
)

// Reason is why a collector or a probe failed, without a word of what another
// server sent. Errors for the same reason have the same text.
func Reason(err error) string {
	if reason := mirror.Reason(err); reason != "" {
		return reason
	}
	if code := status.Code(err); code != codes.Unknown {
		return "gRPC " + code.String()
	}
	return "unexpected answer"
}
