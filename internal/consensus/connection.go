// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"hedera_exporter/internal/proxy"
)

const userAgent = "hedera_exporter"

// DialContextFunc opens a connection as [net.Dialer.DialContext] does.
type DialContextFunc = proxy.DialContextFunc

var (
	errClosed = errors.New("the client is closed")
	errLocal  = errors.New("it is an address of this host or of its link, which an address book must not point to; set consensus.nodes for a network on this host")
)

// DialRemote dials other hosts only: what an address book points to must not be
// what only this host can reach. A domain name is judged by the address that it
// resolves to.
func DialRemote(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ip, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if isLocal(ip.Addr().WithZone("")) {
			return errLocal
		}
		return nil
	}}
	return dialer.DialContext(ctx, network, address)
}

// CheckRemote is an error for addresses that [DialRemote] does not dial, as far as
// they are known without a look at DNS: a proxy must not be asked for its own.
func CheckRemote(host string) error {
	if IsLocalHost(host) {
		return errLocal
	}
	return nil
}

// slowly is dialContext for connections on which the other side must not send
// more than a probe's answers.
func slowly(dialContext DialContextFunc) DialContextFunc {
	if dialContext == nil {
		dialContext = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return slowConn{Conn: conn, budget: rate.NewLimiter(probeBytesPerSecond, probeBytes)}, nil
	}
}

var errFlood = fmt.Errorf("the endpoint sends more than %d bytes and then %d a second", probeBytes, probeBytesPerSecond)

type slowConn struct {
	net.Conn
	budget *rate.Limiter // of bytes
}

func (c slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.budget.AllowN(time.Now(), n) {
		return 0, errFlood
	}
	return n, err
}

// isOurs reports whether a failure to dial tells nothing about the other side.
func isOurs(err error) bool {
	var through *proxy.Error
	if errors.As(err, &through) && !through.OfTarget {
		return true
	}
	return errors.Is(err, errClosed) || errors.Is(err, errLocal) || isStarved(err)
}

// isStarved reports whether this host had no descriptor, memory or port left.
func isStarved(err error) bool {
	for _, want := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, want) {
			return true
		}
	}
	// The resolver's errors have it as text only.
	var dns *net.DNSError
	return errors.As(err, &dns) && (strings.Contains(dns.Err, syscall.EMFILE.Error()) || strings.Contains(dns.Err, syscall.ENFILE.Error()))
}

// clientOptions bound what a server can make a client hold.
func clientOptions(maxMessage int) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithUserAgent(userAgent),
		grpc.WithNoProxy(), // the dialer has one
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithMaxHeaderListSize(maxHeaderBytes),
		grpc.WithStaticStreamWindowSize(windowBytes),
		grpc.WithStaticConnWindowSize(windowBytes),
	}
}

// dialMirror returns a client of a mirror's gRPC API that connects with its first
// call. Close it by its credentials. A nil dialContext is TCP.
func dialMirror(address string, secure bool, maxMessage int, dialContext DialContextFunc) (*grpc.ClientConn, *boundCredentials, error) {
	of := insecure.NewCredentials()
	if secure {
		of = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	bound := newBoundCredentials(of)
	if dialContext == nil {
		dialContext = new(net.Dialer).DialContext
	}
	options := append(clientOptions(maxMessage),
		grpc.WithTransportCredentials(bound),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return dialContext(ctx, "tcp", address) }))
	conn, err := grpc.NewClient("passthrough:///"+address, options...)
	return conn, bound, err
}

// withoutDeadline ends with ctx, but does not tell when: gRPC would tell the
// server a deadline that may be extended later.
func withoutDeadline(ctx context.Context) context.Context { return deadlineless{ctx} }

type deadlineless struct {
	context.Context //nolint:containedctx // it is a context itself
}

func (deadlineless) Deadline() (time.Time, bool) { return time.Time{}, false }

// Certificate is what a node presented in its TLS handshake.
type Certificate struct {
	Hash     string // SHA-384 of the PEM encoding, lower-case hex (docs/hedera.md 3)
	NotAfter time.Time
}

func newCertificate(cert *x509.Certificate) *Certificate {
	sum := sha512.Sum384(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	return &Certificate{Hash: hex.EncodeToString(sum[:]), NotAfter: cert.NotAfter}
}

// connection is a gRPC connection to one endpoint that records how long its
// dialling and its TLS handshake took and which certificate was presented.
// No keepalive is asked for: a default server answers pings more often than
// every five minutes with GOAWAY too_many_pings (docs/hedera.md 4).
type connection struct {
	grpc   *grpc.ClientConn
	bound  *boundCredentials
	dialed time.Time

	dialContext DialContextFunc
	// verify is asked about the certificate during the handshake; nil accepts
	// any, so that a probe can report a mismatch instead of failing on it.
	verify func(*Certificate) error

	mu          sync.Mutex
	connect     time.Duration
	handshake   time.Duration
	certificate *Certificate
	dialErr     error         // of the last dialling
	dialled     chan struct{} // closed when that has ended
}

// errNotDialled is for a host that is so busy that it has not begun to.
var errNotDialled = errors.New("not dialled: there was no time for it")

var errHangsUp = errors.New("the server ends its connections at once")

// boundCredentials are those of one gRPC client. They bound how often it connects,
// and how long it takes to close.
type boundCredentials struct {
	credentials.TransportCredentials
	handshakes *rate.Limiter

	mu    sync.Mutex
	last  net.Conn
	ended bool
}

func newBoundCredentials(of credentials.TransportCredentials) *boundCredentials {
	return &boundCredentials{TransportCredentials: of, handshakes: rate.NewLimiter(rate.Every(handshakeInterval), 1)}
}

func (c *boundCredentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if !c.handshakes.Allow() {
		return nil, nil, errHangsUp
	}
	conn, info, err := c.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil, nil, errors.Join(errClosed, raw.Close())
	}
	c.last = raw
	return conn, info, nil
}

// close closes the client, and before it the connection: the client would wait 5 s
// for the server to read its GOAWAY.
func (c *boundCredentials) close(client *grpc.ClientConn) error {
	c.mu.Lock()
	c.ended = true
	if c.last != nil {
		_ = c.last.Close() // it may have ended
	}
	c.mu.Unlock()
	return client.Close()
}

func dial(endpoint Endpoint, dialContext DialContextFunc, verify func(*Certificate) error) (*connection, error) {
	if dialContext == nil {
		dialContext = new(net.Dialer).DialContext
	}
	c := &connection{dialed: time.Now(), dialContext: dialContext, verify: verify}
	c.bound = newBoundCredentials(c.credentials(endpoint))
	conn, err := grpc.NewClient("passthrough:///"+endpoint.Address, append(clientOptions(maxAnswerBytes),
		grpc.WithTransportCredentials(c.bound),
		grpc.WithContextDialer(c.dialTCP))...)
	if err != nil {
		return nil, err
	}
	c.grpc = conn
	return c, nil
}

func (c *connection) dialTCP(ctx context.Context, address string) (net.Conn, error) {
	start := time.Now()
	dialled := make(chan struct{})
	defer close(dialled)
	c.mu.Lock()
	c.dialled = dialled
	c.mu.Unlock()
	conn, err := c.dialContext(ctx, "tcp", address)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dialErr == nil || !errors.Is(err, context.Canceled) { // that would say less
		c.dialErr = err
	}
	if err == nil {
		c.connect = time.Since(start)
	}
	return conn, err
}

func (c *connection) credentials(endpoint Endpoint) credentials.TransportCredentials {
	if !endpoint.TLS {
		return insecure.NewCredentials()
	}
	return timedTLS{TransportCredentials: credentials.NewTLS(c.tlsConfig()), connection: c}
}

// tlsConfig replaces the chain check by one against the address book: nodes
// present self-signed certificates.
func (c *connection) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection takes its place
		VerifyConnection: func(state tls.ConnectionState) error {
			certificate := newCertificate(state.PeerCertificates[0])
			c.mu.Lock()
			c.certificate = certificate
			c.mu.Unlock()
			if c.verify == nil {
				return nil
			}
			return c.verify(certificate)
		},
	}
}

// forgetTimings makes the next timings those of work done from now on.
func (c *connection) forgetTimings() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connect, c.handshake = 0, 0
}

func (c *connection) observed() (connect, handshake time.Duration, certificate *Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connect, c.handshake, c.certificate
}

// failure is why the connection could not be dialled the last time, if it was not.
func (c *connection) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialErr
}

// ours returns why the connection could not be dialled, if that is not the
// endpoint's failure. The connection is closed, which ends its dialling.
func (c *connection) ours() error {
	c.mu.Lock()
	dialled := c.dialled
	c.mu.Unlock()
	if dialled == nil {
		return errNotDialled
	}
	<-dialled
	c.mu.Lock()
	defer c.mu.Unlock()
	if !isOurs(c.dialErr) {
		return nil
	}
	return fmt.Errorf("not dialled: %w", c.dialErr)
}

func (c *connection) close() { _ = c.bound.close(c.grpc) }

// timedTLS is gRPC's TLS, timed.
type timedTLS struct {
	credentials.TransportCredentials
	connection *connection
}

func (t timedTLS) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	start := time.Now()
	conn, info, err := t.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err == nil {
		t.connection.mu.Lock()
		t.connection.handshake = time.Since(start)
		t.connection.mu.Unlock()
	}
	return conn, info, err
}

func (t timedTLS) Clone() credentials.TransportCredentials {
	return timedTLS{TransportCredentials: t.TransportCredentials.Clone(), connection: t.connection}
}
