// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

//go:embed data/address-book-mainnet.json
var mainnetBook []byte

// Node is one entry of the address book as the simulated network serves it:
// identity from mainnet, endpoints on loopback, certificate of its own.
// Stakes are tinybar, RewardRateStart is tinybar per hbar; -1 stands for what
// the mirror shows as null.
type Node struct {
	NodeID      int64
	AccountID   string
	Description string
	CertHash    string // hex SHA-384 of the PEM certificate, no 0x
	Endpoints   []Endpoint

	Stake            int64
	StakeRewarded    int64
	StakeNotRewarded int64
	MinStake         int64
	MaxStake         int64
	RewardRateStart  int64

	publicKey     string
	adminKey      *Key
	grpcProxy     *serviceEndpoint
	stakingPeriod *TimestampRange
}

// Endpoint is a listening address of a node on 127.0.0.1.
type Endpoint struct {
	Address string // host:port
	TLS     bool
}

const nullStake = -1

// realTLSPort is the port that speaks TLS on the real network (FACTS.md 3).
const realTLSPort = 50212

// bookEntry is a node of the embedded file, which has the shape of the
// mirror's /network/nodes cut down to what the simulator reuses.
type bookEntry struct {
	NodeID           int64             `json:"node_id"`
	NodeAccountID    string            `json:"node_account_id"`
	Description      string            `json:"description"`
	ServiceEndpoints []serviceEndpoint `json:"service_endpoints"`
}

// serviceEndpoint is an endpoint as the mirror's REST API writes it.
type serviceEndpoint struct {
	DomainName  string `json:"domain_name"`
	IPAddressV4 string `json:"ip_address_v4"`
	Port        int    `json:"port"`
}

// readBook returns the first count nodes of the embedded mainnet address book,
// all of them for 0.
func readBook(count int) ([]bookEntry, error) {
	var entries []bookEntry
	if err := json.Unmarshal(mainnetBook, &entries); err != nil {
		return nil, fmt.Errorf("embedded address book: %w", err)
	}
	if count < 0 || count > len(entries) {
		return nil, fmt.Errorf("nodes: %d is not between 1 and %d (0 means all)", count, len(entries))
	}
	if count > 0 {
		entries = entries[:count]
	}
	return entries, nil
}

// newNode makes up what the embedded book does not have. A few nodes have no
// stake yet and some lack a proxy or an admin key: null in REST.
func newNode(rng *rand.Rand, entry bookEntry, now time.Time) Node {
	rewarded := (40_000_000 + rng.Int64N(900_000_000)) * tinybarPerHbar
	notRewarded := rng.Int64N(60_000_000) * tinybarPerHbar
	node := Node{
		NodeID:           entry.NodeID,
		AccountID:        entry.NodeAccountID,
		Description:      entry.Description,
		Stake:            rewarded + notRewarded,
		StakeRewarded:    rewarded,
		StakeNotRewarded: notRewarded,
		MinStake:         6_000_000 * tinybarPerHbar,
		MaxStake:         1_000_000_000 * tinybarPerHbar,
		RewardRateStart:  6_800 + rng.Int64N(200),
		publicKey:        "0x" + randomHex(rng, 294),
		adminKey:         &Key{Type: "ED25519", Key: randomHex(rng, 32)},
		grpcProxy:        &serviceEndpoint{DomainName: fmt.Sprintf("node%d.simulated.invalid", entry.NodeID), Port: 443},
		stakingPeriod:    stakingPeriodBefore(now),
	}
	if entry.NodeID%9 == 6 {
		node.dropStake()
	}
	if entry.NodeID%5 == 4 {
		node.adminKey, node.grpcProxy = nil, nil
	}
	return node
}

func (n *Node) dropStake() {
	n.Stake, n.StakeRewarded, n.StakeNotRewarded = nullStake, nullStake, nullStake
	n.MinStake, n.MaxStake, n.RewardRateStart = nullStake, nullStake, nullStake
	n.stakingPeriod = nil
}

// stakingPeriodBefore is the latest staking period that has ended: a whole UTC
// day (FACTS.md 1.3).
func stakingPeriodBefore(now time.Time) *TimestampRange {
	end := now.UTC().Truncate(24 * time.Hour)
	return &TimestampRange{
		From: formatTimestamp(end.Add(-24 * time.Hour)),
		To:   new(formatTimestamp(end)),
	}
}

func (l *ledger) addNode(node Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes = append(l.nodes, node)
}

// book returns a copy of the address book.
func (l *ledger) book() []Node {
	l.mu.RLock()
	defer l.mu.RUnlock()
	nodes := slices.Clone(l.nodes)
	for i := range nodes {
		nodes[i].Endpoints = slices.Clone(nodes[i].Endpoints)
	}
	return nodes
}

func (l *ledger) removeNode(nodeID int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes = slices.DeleteFunc(l.nodes, func(n Node) bool { return n.NodeID == nodeID })
	delete(l.prechecks, nodeID)
}
