// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package memnet

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"hedera_exporter/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.VerifyTestMain(m) }

const anyPort = "127.0.0.1:0"

func listen(t *testing.T, n *Network, address string) net.Listener {
	t.Helper()
	listener, err := n.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// connect returns the client's and the server's half of a new connection.
func connect(t *testing.T, n *Network, listener net.Listener) (client, server net.Conn) {
	t.Helper()
	accepted := make(chan net.Conn)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
	}()
	client, err := n.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return client, <-accepted
}

func TestPortsAreOpenUntilTheyAreClosed(t *testing.T) {
	Test(t, func(t *testing.T, n *Network) {
		first := listen(t, n, anyPort)
		address := first.Addr().String()
		if other := listen(t, n, anyPort).Addr().String(); other == address {
			t.Errorf("two listeners have %s", other)
		}
		if _, err := n.Listen(t.Context(), "tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("listening twice: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := first.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepting on a closed listener: %v", err)
		}
		if _, err := n.DialContext(t.Context(), "tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialing a closed port: %v", err)
		}
		connect(t, n, listen(t, n, address))
	})
}

func TestConnections(t *testing.T) {
	Test(t, func(t *testing.T, n *Network) {
		listener := listen(t, n, anyPort)
		client, server := connect(t, n, listener)
		_, other := connect(t, n, listener)
		if server.LocalAddr().String() != listener.Addr().String() || server.RemoteAddr().String() == other.RemoteAddr().String() {
			t.Errorf("connections %s - %s and %s - %s", server.LocalAddr(), server.RemoteAddr(), other.LocalAddr(), other.RemoteAddr())
		}

		start := time.Now()
		if err := client.SetReadDeadline(start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		var timeout net.Error
		if _, err := client.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != time.Hour {
			t.Errorf("reading silence: %v after %s", err, time.Since(start))
		}
		if err := client.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(server, "hello"); err != nil {
			t.Fatal(err)
		}
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(client); err != nil || string(text) != "hello" {
			t.Errorf("read %q, %v", text, err)
		}
	})
}

func TestAddressesAreNumbers(t *testing.T) {
	var n Network
	if _, err := n.Listen(t.Context(), "tcp", "localhost"); err == nil {
		t.Error("listening: no error")
	}
	if _, err := n.DialContext(t.Context(), "tcp", "localhost:80"); err == nil {
		t.Error("dialing: no error")
	}
}

func TestDeadlineThatIsReplacedAtOnce(t *testing.T) {
	Test(t, func(t *testing.T, n *Network) {
		client, _ := connect(t, n, listen(t, n, anyPort))
		for range 1000 {
			start := time.Now()
			for _, deadline := range []time.Time{start.Add(-time.Hour), start.Add(time.Hour)} {
				if err := client.SetReadDeadline(deadline); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
				t.Fatalf("reading silence: %v after %s", err, time.Since(start))
			}
		}
	})
}

func TestWritesWaitForTheReader(t *testing.T) {
	Test(t, func(t *testing.T, n *Network) {
		client, server := connect(t, n, listen(t, n, anyPort))
		text := strings.Repeat("0123456789", bufferSize/4)
		start := time.Now()
		if err := server.SetWriteDeadline(start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		written, err := io.WriteString(server, text)
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second || written != bufferSize {
			t.Errorf("%d bytes written that nobody reads: %v after %s", written, err, time.Since(start))
		}
		if err := server.SetWriteDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(server, text[written:])
			_ = server.Close()
		}()
		if read, err := io.ReadAll(client); err != nil || string(read) != text {
			t.Errorf("read %d bytes of %d, %v", len(read), len(text), err)
		}
		if _, err := io.WriteString(client, "hello"); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("writing to a closed connection: %v", err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading from a closed connection: %v", err)
		}
	})
}
