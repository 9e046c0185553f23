// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

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

// restNode is a node in /api/v1/network/nodes (FACTS.md 1.3).
type restNode struct {
	AdminKey                  *Key              `json:"admin_key"`
	AssociatedRegisteredNodes []int64           `json:"associated_registered_nodes"`
	DeclineReward             *bool             `json:"decline_reward"`
	Description               *string           `json:"description"`
	FileID                    string            `json:"file_id"`
	GRPCProxyEndpoint         *serviceEndpoint  `json:"grpc_proxy_endpoint"`
	MaxStake                  *int64            `json:"max_stake"`
	Memo                      *string           `json:"memo"`
	MinStake                  *int64            `json:"min_stake"`
	NodeAccountID             string            `json:"node_account_id"`
	NodeCertHash              string            `json:"node_cert_hash"`
	NodeID                    int64             `json:"node_id"`
	PublicKey                 string            `json:"public_key"`
	RewardRateStart           *int64            `json:"reward_rate_start"`
	ServiceEndpoints          []serviceEndpoint `json:"service_endpoints"`
	Stake                     *int64            `json:"stake"`
	StakeNotRewarded          *int64            `json:"stake_not_rewarded"`
	StakeRewarded             *int64            `json:"stake_rewarded"`
	StakingPeriod             *TimestampRange   `json:"staking_period"`
	Timestamp                 TimestampRange    `json:"timestamp"`
}

func (l *ledger) nodeRoutes() []route {
	return []route{{
		path:   "/api/v1/network/nodes",
		maxAge: time.Minute,
		params: []string{"file.id", "limit", "node.id", "order"},
		answer: l.answerNodes,
	}}
}

// answerNodes pages by 10, at most 25, unlike the rest of the API.
func (l *ledger) answerNodes(_ *http.Request, q query) (any, error) {
	file, err := q.addressBookFile()
	if err != nil {
		return nil, err
	}
	ids, err := q.filters("node.id", parseNumber)
	if err != nil {
		return nil, err
	}
	limit, err := q.limit(defaultNodesLimit, maxNodesLimit)
	if err != nil {
		return nil, err
	}
	order, err := q.order(ascending)
	if err != nil {
		return nil, err
	}
	nodes := l.book()
	if order == descending {
		slices.Reverse(nodes)
	}
	nodes = slices.DeleteFunc(nodes, func(n Node) bool { return !ids.match(n.NodeID) })
	nodes = nodes[:min(limit, len(nodes))]
	list := nodeList{Nodes: make([]restNode, 0, len(nodes))}
	for _, node := range nodes {
		list.Nodes = append(list.Nodes, node.rest(file))
	}
	if n := len(nodes); n > 0 {
		last := strconv.FormatInt(nodes[n-1].NodeID, 10)
		list.Links.Next = q.next(n == limit, order, "node.id", last)
	}
	return list, nil
}

func (q query) addressBookFile() (string, error) {
	file, ok := q.last("file.id")
	if !ok {
		return nodeDetailsFile, nil
	}
	id, err := parseEntityID(file)
	if err != nil || id.String() != addressBookFile && id.String() != nodeDetailsFile {
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
		answer.ServiceEndpoints = append(answer.ServiceEndpoints, serviceEndpoint{IPAddressV4: host, Port: port})
	}
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
