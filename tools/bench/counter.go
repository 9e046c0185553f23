// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"io"
	"net/http"
	"sync/atomic"
)

// Counter counts the bytes of answers as Grafana decodes them: not compressed.
type Counter struct{ atomic.Int64 }

// RoundTrip is http.RoundTripper's.
func (c *Counter) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err == nil {
		response.Body = counted{response.Body, c}
	}
	return response, err
}

type counted struct {
	io.ReadCloser
	to *Counter
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.to.Add(int64(n))
	return n, err
}
