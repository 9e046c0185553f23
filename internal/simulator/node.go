// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
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
	// Others are endpoints in the book at which nobody listens.
	Others []ServiceEndpoint

	Stake            int64
	StakeRewarded    int64
	StakeNotRewarded int64
	MinStake         int64
	MaxStake         int64
	RewardRateStart  int64

	publicKey     string
	adminKey      *Key
	grpcProxy     *ServiceEndpoint
	stakingPeriod *TimestampRange
}

// Endpoint is a listening address of a node on 127.0.0.1.
type Endpoint struct {
	Address string // host:port
	TLS     bool
}

const nullStake = -1

// realTLSPort is the port that speaks TLS on the real network (docs/hedera.md 3).
const realTLSPort = 50212

// bookEntry is a node of the embedded file, which has the shape of the
// mirror's /network/nodes cut down to what the simulator reuses.
type bookEntry struct {
	NodeID           int64             `json:"node_id"`
	NodeAccountID    string            `json:"node_account_id"`
	Description      string            `json:"description"`
	ServiceEndpoints []ServiceEndpoint `json:"service_endpoints"`
}

// ServiceEndpoint is an endpoint as the mirror's REST API writes it: with an IP
// address or a domain name, or, oddly, with neither.
type ServiceEndpoint struct {
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
		grpcProxy:        &ServiceEndpoint{DomainName: fmt.Sprintf("node%d.simulated.invalid", entry.NodeID), Port: 443},
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
// day (docs/hedera.md 1.3).
func stakingPeriodBefore(now time.Time) *TimestampRange {
	end := now.UTC().Truncate(24 * time.Hour)
	return &TimestampRange{
		From: formatTimestamp(end.Add(-24 * time.Hour)),
		To:   new(formatTimestamp(end)),
	}
}

// Nodes is the address book, by ascending node id.
func (s *Simulator) Nodes() []Node { return view(s, (*Ledger).book) }

// book returns a copy of the address book.
func (l *Ledger) book() []Node {
	nodes := slices.Clone(l.nodes)
	for i := range nodes {
		nodes[i].Endpoints = slices.Clone(nodes[i].Endpoints)
	}
	return nodes
}

const (
	defaultNodesLimit = 10
	maxNodesLimit     = 25

	addressBookFile = "0.0.101"
	nodeDetailsFile = "0.0.102"
)

type nodeList struct {
	Nodes []restNode `json:"nodes"`
	listLinks
}

// restNode is a node in /api/v1/network/nodes (docs/hedera.md 1.3).
type restNode struct {
	AdminKey                  *Key              `json:"admin_key"`
	AssociatedRegisteredNodes []int64           `json:"associated_registered_nodes"`
	DeclineReward             *bool             `json:"decline_reward"`
	Description               *string           `json:"description"`
	FileID                    string            `json:"file_id"`
	GRPCProxyEndpoint         *ServiceEndpoint  `json:"grpc_proxy_endpoint"`
	MaxStake                  *int64            `json:"max_stake"`
	Memo                      *string           `json:"memo"`
	MinStake                  *int64            `json:"min_stake"`
	NodeAccountID             string            `json:"node_account_id"`
	NodeCertHash              string            `json:"node_cert_hash"`
	NodeID                    int64             `json:"node_id"`
	PublicKey                 string            `json:"public_key"`
	RewardRateStart           *int64            `json:"reward_rate_start"`
	ServiceEndpoints          []ServiceEndpoint `json:"service_endpoints"`
	Stake                     *int64            `json:"stake"`
	StakeNotRewarded          *int64            `json:"stake_not_rewarded"`
	StakeRewarded             *int64            `json:"stake_rewarded"`
	StakingPeriod             *TimestampRange   `json:"staking_period"`
	Timestamp                 TimestampRange    `json:"timestamp"`
}

// AddServiceEndpoint puts an endpoint into a node's entry in the book at which
// nobody listens.
func (l *Ledger) AddServiceEndpoint(nodeID int64, endpoint ServiceEndpoint) error {
	if endpoint.IPAddressV4 != "" {
		if address, err := netip.ParseAddr(endpoint.IPAddressV4); err != nil || !address.Is4() {
			return fmt.Errorf("service endpoint: %q is no IPv4 address", endpoint.IPAddressV4)
		}
	}
	if endpoint.Port < 0 || endpoint.Port > 65535 {
		return fmt.Errorf("service endpoint: port %d is not between 0 and 65535", endpoint.Port)
	}
	for i := range l.nodes {
		if node := &l.nodes[i]; node.NodeID == nodeID {
			node.Others = append(slices.Clone(node.Others), endpoint)
			return nil
		}
	}
	return fmt.Errorf("node %d: %w", nodeID, errUnknown)
}

func nodeControls() map[string]controlCall {
	type precheck struct {
		Code string `json:"code"`
	}
	return map[string]controlCall{
		"POST /simulator/nodes/{id}/{action}": (*Simulator).controlNode,
		"POST /simulator/nodes/{id}/endpoints": updating(func(l *Ledger, r *http.Request, body ServiceEndpoint) (any, error) {
			nodeID, err := pathNodeID(r)
			if err != nil {
				return nil, err
			}
			return nil, l.AddServiceEndpoint(nodeID, body)
		}),
		"PUT /simulator/nodes/{id}/precheck": updating(func(l *Ledger, r *http.Request, body precheck) (any, error) {
			nodeID, err := pathNodeID(r)
			if err != nil {
				return nil, err
			}
			code, ok := services.ResponseCodeEnum_value[body.Code]
			if !ok {
				return nil, fmt.Errorf("code %q is no HAPI response code: want OK, BUSY, PLATFORM_NOT_ACTIVE, …", body.Code)
			}
			return nil, l.SetPrecheck(nodeID, services.ResponseCodeEnum(code))
		}),
	}
}

func (s *Simulator) controlNode(r *http.Request) (any, error) {
	actions := map[string]func(int64) error{
		"stop":             s.StopNode,
		"start":            s.StartNode,
		"swap-certificate": s.SwapCertificate,
		"remove":           s.RemoveNode,
	}
	do, ok := actions[r.PathValue("action")]
	if !ok {
		return s.controlNotFound(r)
	}
	nodeID, err := pathNodeID(r)
	if err != nil {
		return nil, err
	}
	return nil, do(nodeID)
}

func pathNodeID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("node id %q: want a number", r.PathValue("id"))
	}
	return id, nil
}

func nodeRoutes() []route {
	return []route{{
		path:   "/api/v1/network/nodes",
		maxAge: time.Minute,
		params: []string{"file.id", "limit", "node.id", "order"},
		answer: (*Ledger).answerNodes,
	}}
}

// answerNodes pages by 10, at most 25, unlike the rest of the API.
func (l *Ledger) answerNodes(_ *http.Request, q query) (any, error) {
	file, err := l.addressBookFile(q)
	if err != nil {
		return nil, err
	}
	ids, err := q.filters("node.id", parseNumber)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	if page.limit, err = q.limit(defaultNodesLimit, maxNodesLimit); err != nil {
		return nil, err
	}
	var nodes []Node
	if !l.mirror.NoAddressBook {
		nodes = selectRows(page, l.nodes, func(n Node) bool { return ids.match(n.NodeID) })
	}
	list := nodeList{Nodes: make([]restNode, 0, len(nodes))}
	for _, node := range nodes {
		list.Nodes = append(list.Nodes, node.rest(file))
	}
	list.Links.Next = nextRows(q, page, nodes, "node.id", func(n Node) string { return strconv.FormatInt(n.NodeID, 10) })
	return list, nil
}

// addressBookFile is the file of the network's shard and realm that is asked for.
func (l *Ledger) addressBookFile(q query) (string, error) {
	file, ok := q.last("file.id")
	if !ok {
		return l.local(nodeDetailsFile), nil
	}
	id, err := q.entity(file)
	if err != nil || id.String() != l.local(addressBookFile) && id.String() != l.local(nodeDetailsFile) {
		return "", badRequest(msgInvalidParameter, "file.id")
	}
	return id.String(), nil
}

func (n Node) rest(file string) restNode {
	answer := restNode{
		AdminKey:                  n.adminKey,
		AssociatedRegisteredNodes: []int64{},
		DeclineReward:             new(false),
		Description:               &n.Description,
		FileID:                    file,
		GRPCProxyEndpoint:         n.grpcProxy,
		MaxStake:                  nullable(n.MaxStake),
		Memo:                      &n.AccountID,
		MinStake:                  nullable(n.MinStake),
		NodeAccountID:             n.AccountID,
		NodeCertHash:              "0x" + n.CertHash,
		NodeID:                    n.NodeID,
		PublicKey:                 n.publicKey,
		RewardRateStart:           nullable(n.RewardRateStart),
		Stake:                     nullable(n.Stake),
		StakeNotRewarded:          nullable(n.StakeNotRewarded),
		StakeRewarded:             nullable(n.StakeRewarded),
		StakingPeriod:             n.stakingPeriod,
		Timestamp:                 TimestampRange{From: formatTimestamp(accountsEpoch)},
	}
	for _, e := range n.Endpoints {
		host, port := e.split()
		answer.ServiceEndpoints = append(answer.ServiceEndpoints, ServiceEndpoint{IPAddressV4: host, Port: port})
	}
	answer.ServiceEndpoints = append(answer.ServiceEndpoints, n.Others...)
	return answer
}

func nullable(value int64) *int64 {
	if value == nullStake {
		return nil
	}
	return &value
}

// split returns host and port of the address.
func (e Endpoint) split() (string, int) {
	address := netip.MustParseAddrPort(e.Address) // a listener gave it
	return address.Addr().String(), int(address.Port())
}
