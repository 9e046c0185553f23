// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// dialDeaf connects to a server that says hello and then reads no more. Like
// TCP's with a window of 0, its connections take nothing.
func dialDeaf(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		readHello(server)
		_ = http2.NewFramer(server, nil).WriteSettings()
	}()
	return client, nil
}

// readHello reads what an HTTP/2 client sends before its requests.
func readHello(conn net.Conn) {
	_, _ = io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface)))
	_, _ = conn.Read(make([]byte, 4<<10)) // the settings
}

// clients ask a server and close.
var clients = map[string]func(context.Context, DialContextFunc) error{
	"prober": func(ctx context.Context, dial DialContextFunc) error {
		prober := NewProber(ProberOptions{Timeout: time.Minute, DialContext: dial})
		defer prober.Close()
		return probe(ctx, prober, oneNode)[0].Err
	},
	"balances": func(ctx context.Context, dial DialContextFunc) error {
		client := NewBalanceClient(BalanceOptions{MaxConcurrency: 4, Timeout: time.Minute, DialContext: dial})
		defer client.Close()
		balances, err := client.Balances(ctx, oneNode, fourAccounts[:1])
		if err != nil {
			return err
		}
		return balances[0].Err
	},
	"address book": func(ctx context.Context, dial DialContextFunc) error {
		_, err := NewAddressBookClient(AddressBookOptions{Address: "192.0.2.1:5600", DialContext: dial}).Book(ctx)
		return err
	},
}

var oneNode = []Node{{ID: 3, Endpoints: []Endpoint{{Address: "192.0.2.1:50211"}}}}

// TestClosingDoesNotWaitForTheServer has servers that do not read. gRPC would wait
// 5 s for each to take its GOAWAY.
func TestClosingDoesNotWaitForTheServer(t *testing.T) {
	const timeout = 2 * time.Second
	for name, ask := range clients {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				start := time.Now()
				err := ask(ctx, dialDeaf)
				if took := time.Since(start); err == nil || took > timeout {
					t.Errorf("after %s: error %v, want one after %s", took, err, timeout)
				}
			})
		})
	}
}

// dialLeaving connects to a server that says hello and GOAWAY at once.
func dialLeaving(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer func() { _ = server.Close() }()
		readHello(server)
		var b bytes.Buffer
		framer := http2.NewFramer(&b, nil)
		_ = framer.WriteSettings()
		_ = framer.WriteGoAway(0, http2.ErrCodeNo, nil)
		_, _ = server.Write(b.Bytes())
	}()
	return client, nil
}

// TestServerThatHangsUpIsLeft has servers that end all connections. gRPC would
// connect again at once, as fast as it can until the deadline.
func TestServerThatHangsUpIsLeft(t *testing.T) {
	for name, ask := range clients {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var dials atomic.Int64
				err := ask(ctx, func(ctx context.Context, network, address string) (net.Conn, error) {
					if dials.Add(1) == 1000 {
						cancel()
					}
					return dialLeaving(ctx, network, address)
				})
				if n := dials.Load(); n > 2 {
					t.Errorf("%d connections", n)
				}
				if err == nil || ctx.Err() != nil {
					t.Errorf("error %v, want one before the deadline", err)
				}
			})
		})
	}
}

// TestWhatWasNotDialledIsNotDown has time run out before the dialling begins.
func TestWhatWasNotDialledIsNotDown(t *testing.T) {
	conn, err := dial(Endpoint{Address: "192.0.2.1:50211"}, dialDeaf, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.close()
	if err := conn.ours(); !errors.Is(err, errNotDialled) {
		t.Errorf("got %v", err)
	}
}
