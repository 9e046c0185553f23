// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"context"
	"testing"
)

func TestReport(t *testing.T) {
	var got []Request
	ctx, cancel := context.WithCancel(With(t.Context(), func(r Request) { got = append(got, r) }))
	cancel()
	Report(ctx, Request{Text: "GET /"})
	Report(t.Context(), Request{Text: "of another context"})
	if len(got) != 1 || got[0].Text != "GET /" {
		t.Errorf("%+v", got)
	}
}
