// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/proxy"
)

// runtime is a configuration with its clients and collectors.
type runtime struct {
	config   *config.Config
	networks []openNetwork // in the order of the configuration
	set      *collector.Set
	users    int // requests, and the reloader while it is current; guarded by reloader.mu
}

// openNetwork is one network of a runtime: its configuration, and its clients.
type openNetwork struct {
	config.Network
	collector collector.Network
	clients   *clients
}

// clients are the clients of one network. Runtimes share them if the network's
// name and the sections mirror and consensus are the same, so that a reload
// keeps rate limit, pauses, connections and address book.
type clients struct {
	network    config.Network
	bookMaxAge time.Duration

	mirror      *mirror.Client
	mirrorGRPC  *consensus.AddressBookClient
	others      []collector.OtherMirror
	prober      *consensus.Prober
	balances    *consensus.BalanceClient
	addressBook *collector.AddressBook

	dial     consensus.DialContextFunc // of connections to the mirror's gRPC API
	dialNode consensus.DialContextFunc

	users int // runtimes; guarded by reloader.mu
}

func (rt *runtime) networkNames() []string {
	names := make([]string, 0, len(rt.networks))
	for _, network := range rt.networks {
		names = append(names, network.Name)
	}
	return names
}

// network returns the network of that name, or the default one if it is empty.
// The error lists the names.
func (rt *runtime) network(name string) (openNetwork, error) {
	if name = cmp.Or(name, rt.config.DefaultNetwork); name == "" {
		return openNetwork{}, fmt.Errorf("no network is given; configured are: %s", strings.Join(rt.networkNames(), ", "))
	}
	for _, network := range rt.networks {
		if network.Name == name {
			return network, nil
		}
	}
	return openNetwork{}, fmt.Errorf("network %q is not configured; configured are: %s", cut(name), strings.Join(rt.networkNames(), ", "))
}

// reloader hands out the current runtime and replaces it on a reload. A previous
// runtime is closed when its last request has finished.
type reloader struct {
	flags  *flagSet
	self   *collector.Self
	logger log.Logger
	states collector.States          // outlive a reload
	dial   consensus.DialContextFunc // opens connections, in tests; nil is TCP

	canaries *canaries // of the current runtime; nil: they do not run

	reloading sync.Mutex // one reload at a time

	mu      sync.Mutex
	current *runtime
	files   config.Files // of the latest configuration, also if it is invalid
	closed  bool
}

// reload loads the configuration. If it is invalid, the previous configuration
// stays active. Scrapes in progress finish on the runtime they started with.
func (l *reloader) reload() error {
	l.reloading.Lock()
	defer l.reloading.Unlock()

	next, err := l.load()
	l.self.Reloaded(err == nil)
	if err != nil {
		level.Error(l.logger).Log("msg", "configuration not loaded", "file", *l.flags.configFile, "err", err)
		return err
	}
	level.Info(l.logger).Log("msg", "configuration loaded", "file", *l.flags.configFile)
	wanted := next.set.Canaries()
	l.replace(next)
	l.canaries.want(wanted)
	return nil
}

// load returns a runtime with one user. The caller hands it to replace or
// release.
func (l *reloader) load() (*runtime, error) {
	c, err := l.flags.loadConfig(false)
	l.setFiles(c, err)
	if err != nil {
		return nil, err
	}
	rt := &runtime{config: c, users: 1}
	for _, n := range c.Networks {
		network, err := l.open(c, n)
		if err != nil {
			l.release(rt)
			return nil, fmt.Errorf("network %s: %w", n.Name, err)
		}
		rt.networks = append(rt.networks, network)
	}
	options := collector.Options{
		Enabled:     l.flags.enabled,
		MinInterval: c.MinInterval,
		Shard:       l.flags.shard,
		Previous:    l.currentSet(),
	}
	networks := make([]collector.Network, 0, len(rt.networks))
	for _, network := range rt.networks {
		networks = append(networks, network.collector)
	}
	if rt.set, err = collector.NewSet(networks, options, l.logger); err != nil {
		l.release(rt)
		return nil, err
	}
	return rt, nil
}

func (l *reloader) setFiles(c *config.Config, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var invalid *config.Errors
	switch {
	case err == nil:
		l.files = c.Files
	case errors.As(err, &invalid):
		l.files = invalid.Files
	}
}

// filesChanged reports whether a file is no longer as the latest configuration had
// it.
func (l *reloader) filesChanged() bool {
	l.mu.Lock()
	files := l.files
	l.mu.Unlock()
	return files.Changed()
}

func (l *reloader) currentSet() *collector.Set {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	return l.current.set
}

// replace makes next the current runtime.
func (l *reloader) replace(next *runtime) {
	l.mu.Lock()
	unused := l.current
	if l.closed {
		unused = next
	} else {
		l.current = next
	}
	l.mu.Unlock()
	if unused != nil {
		l.release(unused)
	}
}

// close leaves no current runtime. It does not wait for requests in progress.
func (l *reloader) close() {
	l.canaries.close()
	l.mu.Lock()
	last := l.current
	l.current, l.closed = nil, true
	l.mu.Unlock()
	if last != nil {
		l.release(last)
	}
}

// serve calls respond with the current runtime.
func (l *reloader) serve(w http.ResponseWriter, respond func(*runtime)) {
	if !l.use(respond) {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
	}
}

// use calls do with the current runtime; it is false if there is none any more.
func (l *reloader) use(do func(*runtime)) bool {
	l.mu.Lock()
	rt := l.current
	if rt != nil {
		rt.users++
	}
	l.mu.Unlock()
	if rt == nil {
		return false
	}
	defer l.release(rt)
	do(rt)
	return true
}

// check asks each mirror for its latest block, so that the log says at the start
// which networks cannot be read, and not at the first scrape.
func (l *reloader) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, *l.flags.scrapeTimeout)
	defer cancel()
	l.use(func(rt *runtime) {
		var wg sync.WaitGroup
		for _, network := range rt.networks {
			if client := network.clients.mirror; client != nil {
				wg.Go(func() {
					_, err := client.LatestBlock(ctx)
					switch {
					case errors.Is(err, context.Canceled):
					case err != nil && !errors.Is(err, mirror.ErrNoBlock):
						level.Error(l.logger).Log("msg", "mirror cannot be read", "network", network.Name, "err", err)
					default:
						level.Info(l.logger).Log("msg", "mirror is up", "network", network.Name)
					}
				})
			}
		}
		wg.Wait()
	})
}

// release closes what the runtime's last user leaves.
func (l *reloader) release(rt *runtime) {
	l.mu.Lock()
	rt.users--
	unused := rt.users == 0
	var idle []*clients
	if unused {
		for _, network := range rt.networks {
			if network.clients.users--; network.clients.users == 0 {
				idle = append(idle, network.clients)
			}
		}
	}
	current := l.current
	l.mu.Unlock()

	for _, c := range idle {
		c.close()
	}
	if unused && current != nil {
		l.self.Retain(rt.networkNames(), current.networkNames())
	}
}

// open returns the network with the current runtime's clients, or new ones that
// connect on the first scrape.
func (l *reloader) open(c *config.Config, n config.Network) (openNetwork, error) {
	bookMaxAge := collector.AddressBookMaxAge(c.MinInterval)
	used := l.share(n, bookMaxAge)
	if used == nil {
		var err error
		if used, err = newClients(n, bookMaxAge, l.self, l.logger, l.dial); err != nil {
			return openNetwork{}, err
		}
	}
	state := l.states.Of(n.Name, ledgerOf(n))
	return openNetwork{Network: n, clients: used, collector: collector.Network{
		Name: n.Name,
		Log:  l.logger,

		Accounts:         n.Accounts,
		Tokens:           n.Tokens,
		Topics:           n.Topics,
		Contracts:        n.Contracts,
		ScheduleCreators: n.ScheduleCreators,
		OwnNodes:         n.Consensus.OwnNodes,
		LabelNames:       c.LabelNames,
		Exclude:          collector.NewExclusion(c.Exclude),

		State:        state,
		Mirror:       used.mirror,
		MirrorGRPC:   used.mirrorGRPC,
		MirrorWeb3:   n.Mirror != nil && n.Mirror.Web3,
		OtherMirrors: used.others,
		AddressBook:  used.addressBook,
		Prober:       used.prober,
		Balances:     used.balances,
		Canary:       l.canary(n, state, used),
	}}, nil
}

// canary returns the network's canary, which is the current runtime's if it would
// be the same.
func (l *reloader) canary(n config.Network, state *collector.State, used *clients) *collector.Canary {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != nil {
		for _, network := range l.current.networks {
			if network.clients == used && network.collector.State == state && reflect.DeepEqual(network.Canary, n.Canary) {
				return network.collector.Canary
			}
		}
	}
	return newCanary(n, state, used, l.logger)
}

// share returns nil if the current runtime has no clients of this configuration.
func (l *reloader) share(n config.Network, bookMaxAge time.Duration) *clients {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	for _, network := range l.current.networks {
		if c := network.clients; c.serves(n) && c.bookMaxAge == bookMaxAge {
			c.users++
			return c
		}
	}
	return nil
}

func newClients(n config.Network, bookMaxAge time.Duration, self *collector.Self, logger log.Logger, dial consensus.DialContextFunc) (*clients, error) {
	through := proxy.NewDialer(proxy.Options{Config: n.Proxy(), Dial: dial})
	c := &clients{network: n, bookMaxAge: bookMaxAge, users: 1, dial: through.DialContext}
	if n.Mirror != nil {
		client, err := newMirror(n, self, logger, dial)
		if err != nil {
			return nil, err
		}
		c.mirror = client
		if c.others, err = newOtherMirrors(n, dial); err != nil {
			return nil, err
		}
	}
	if n.Mirror != nil && n.Mirror.GRPCAddress != (config.HostPort{}) {
		c.mirrorGRPC = consensus.NewAddressBookClient(consensus.AddressBookOptions{
			Address:     n.Mirror.GRPCAddress.String(),
			TLS:         n.Mirror.GRPCTLS,
			Shard:       n.Shard,
			Realm:       n.Realm,
			Book:        bookOptions(n),
			DialContext: c.dial,
		})
	}
	dial = nodeDialer(n, dial)
	c.dialNode = dial
	if n.BalanceSource == config.BalanceSourceConsensus {
		c.balances = consensus.NewBalanceClient(consensus.BalanceOptions{
			MaxConcurrency: n.Consensus.MaxConcurrency,
			Timeout:        time.Duration(n.Consensus.ProbeTimeout),
			DialContext:    dial,
		})
	}
	c.prober = consensus.NewProber(consensus.ProberOptions{
		Shard:             n.Shard,
		Realm:             n.Realm,
		Timeout:           time.Duration(n.Consensus.ProbeTimeout),
		ReconnectInterval: time.Duration(n.Consensus.ReconnectInterval),
		DialContext:       dial,
	})
	c.addressBook = collector.NewAddressBook(bookSource(n, c.mirrorGRPC, c.mirror), bookMaxAge)
	return c, nil
}

// nodeDialer opens the connections to a network's nodes. An address book must not
// point at what only this host or the proxy can reach.
func nodeDialer(n config.Network, dial consensus.DialContextFunc) consensus.DialContextFunc {
	options := proxy.Options{Config: n.Proxy(), Dial: dial, DialDirect: dial}
	if len(n.Consensus.Nodes) == 0 && !bookOptions(n).Local {
		options.CheckHost = consensus.CheckRemote
		if dial == nil {
			options.DialDirect = consensus.DialRemote
		}
	}
	if !n.Consensus.UseProxy {
		options.Config = promconfig.ProxyConfig{}
	}
	return proxy.NewDialer(options).DialContext
}

// bookOptions trust a mirror on this host, and no other, with addresses of this
// host.
func bookOptions(n config.Network) consensus.BookOptions {
	local := n.Mirror != nil && consensus.IsLocalHost(n.Mirror.URL.Hostname()) &&
		(n.Mirror.JavaURL == nil || consensus.IsLocalHost(n.Mirror.JavaURL.Hostname())) &&
		(n.Mirror.GRPCAddress == config.HostPort{} || consensus.IsLocalHost(n.Mirror.GRPCAddress.Host))
	return consensus.BookOptions{TLSPorts: n.Consensus.TLSPorts, Local: local}
}

// serves reports whether the clients of n would be the same. Which nodes are one's
// own does not matter to them.
func (c *clients) serves(n config.Network) bool {
	n.Consensus.OwnNodes = c.network.Consensus.OwnNodes
	return c.network.Name == n.Name && c.network.BalanceSource == n.BalanceSource &&
		c.network.Shard == n.Shard && c.network.Realm == n.Realm &&
		reflect.DeepEqual(c.network.Mirror, n.Mirror) && reflect.DeepEqual(c.network.Consensus, n.Consensus)
}

func (c *clients) close() {
	if c.mirror != nil {
		c.mirror.Close()
	}
	for _, other := range c.others {
		other.Client.Close()
	}
	c.prober.Close()
	if c.balances != nil {
		c.balances.Close()
	}
}

func newMirror(n config.Network, self *collector.Self, logger log.Logger, dial consensus.DialContextFunc) (*mirror.Client, error) {
	return mirror.New(mirror.Options{
		Network:        n.Name,
		URL:            n.Mirror.URL,
		JavaURL:        n.Mirror.JavaURL,
		Web3URL:        n.Mirror.Web3URL,
		HTTPClient:     n.Mirror.HTTPClient,
		RateLimit:      n.Mirror.RateLimit,
		MaxConcurrency: n.Mirror.MaxConcurrency,
		Timeout:        time.Duration(n.Mirror.Timeout),
		Observer:       self.MirrorObserver(n.Name, logger),
		DialContext:    promconfig.DialContextFunc(dial),
		UserAgent:      exporterName + "/" + version.Version,
	})
}

// newOtherMirrors returns clients that share nothing, neither with each other nor with
// the network's own mirror. Their requests do not count in the metrics of its
// requests.
func newOtherMirrors(n config.Network, dial consensus.DialContextFunc) ([]collector.OtherMirror, error) {
	var others []collector.OtherMirror
	for _, other := range n.Mirror.Others {
		client, err := mirror.New(mirror.Options{
			Network:     n.Name,
			URL:         other.URL,
			HTTPClient:  other.HTTPClient,
			Timeout:     time.Duration(n.Mirror.Timeout),
			MaxAttempts: 1, // the next scrape asks again
			DialContext: promconfig.DialContextFunc(dial),
			UserAgent:   exporterName + "/" + version.Version,
		})
		if err != nil {
			return nil, fmt.Errorf("other mirror %s: %w", other.Name, err)
		}
		others = append(others, collector.OtherMirror{Name: other.Name, Client: client})
	}
	return others, nil
}

// ledgerOf tells the ledgers apart that a network's name may stand for, one after
// the other. A public ledger has an id of its own and any number of mirrors; the
// ids of private ones are not unique, but each has its mirror.
func ledgerOf(n config.Network) string {
	switch id := n.LedgerID; {
	case id != nil && (id.IsMainnet() || id.IsTestnet() || id.IsPreviewnet()):
		return id.String()
	case n.Mirror != nil:
		return n.Mirror.URL.String()
	}
	return ""
}

// bookSource prefers the configured nodes, then the mirror's gRPC API. A mirror
// without gRPC, or that refuses the question, has the same address book under
// /api/v1/network/nodes.
func bookSource(n config.Network, grpcClient *consensus.AddressBookClient, client *mirror.Client) collector.BookSource {
	switch {
	case len(n.Consensus.Nodes) > 0:
		return collector.StaticBook(newNodes(n.Consensus))
	case grpcClient != nil:
		return collector.FirstBook(grpcClient.Book, collector.MirrorBook(client, bookOptions(n)))
	default:
		return collector.MirrorBook(client, bookOptions(n))
	}
}

func newNodes(c config.Consensus) []consensus.Node {
	nodes := make([]consensus.Node, 0, len(c.Nodes))
	for _, node := range c.Nodes {
		addresses := make([]consensus.HostPort, 0, len(node.Endpoints))
		for _, endpoint := range node.Endpoints {
			addresses = append(addresses, consensus.HostPort(endpoint))
		}
		nodes = append(nodes, consensus.Node{
			ID:              node.ID,
			AccountID:       node.AccountID.String(),
			Description:     node.Description,
			CertificateHash: node.CertificateHash,
			Endpoints:       consensus.NewEndpoints(addresses, c.TLSPorts),
		})
	}
	return nodes
}
