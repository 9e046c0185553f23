// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"net"
	"net/http"
	"time"
)

const html502 = `<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center></body>
</html>
`

// garbage is neither JSON nor protobuf.
const garbage = "\xff\xfe{{]not a message\x00"

// disturb answers a REST request the way the fault says.
func (s *rest) disturb(w http.ResponseWriter, r *http.Request, fault Fault) {
	switch fault.Kind {
	case FaultStatus:
		if fault.RetryAfter != "" {
			w.Header().Set("Retry-After", fault.RetryAfter)
		}
		writeError(w, &restError{status: fault.Status, message: http.StatusText(fault.Status)})
	case FaultLatency:
		wait(r.Context(), fault.Latency)
		s.mux.ServeHTTP(w, r)
	case FaultHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case FaultReset:
		reset(w)
	case FaultGarbage:
		writeBody(w, http.StatusOK, []byte(garbage))
	case FaultTruncate:
		s.mux.ServeHTTP(halfWriter{w}, r)
	case FaultHTML502:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte(html502))
	}
}

// halfWriter loses half of what is written. The declared length stays, so
// net/http closes the connection and the client sees an unexpected end.
type halfWriter struct{ http.ResponseWriter }

func (w halfWriter) Write(p []byte) (int, error) {
	_, err := w.ResponseWriter.Write(p[:len(p)/2])
	return len(p), err
}

// reset closes the connection of the request with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	resetConn(conn)
}

func resetConn(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// wait delays an answer. A request that ends meanwhile, because the client left
// or the simulator closes, gets none.
func wait(ctx context.Context, d time.Duration) {
	if !sleep(ctx, d) {
		panic(http.ErrAbortHandler)
	}
}

// sleep waits for d and tells whether the context outlived it.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
