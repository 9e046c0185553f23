// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hedera_exporter/internal/consensus"
)

// nodeReport is the result of query nodes.
type nodeReport struct {
	verdict
	Nodes []nodeState `json:"nodes"`
}

// nodeState is one node; nil is what none of its endpoints returned.
type nodeState struct {
	NodeID            int64      `json:"node_id"`
	AccountID         string     `json:"account_id"`
	Description       string     `json:"description"`
	Endpoints         int        `json:"endpoints"`
	EndpointsUp       int        `json:"endpoints_up"`
	EndpointsReady    int        `json:"endpoints_ready"`
	SlowestRPCSeconds *float64   `json:"slowest_rpc_seconds"`
	CertificateOK     *bool      `json:"certificate_ok"`     // nil also if the address book has no hash
	CertificateExpiry *time.Time `json:"certificate_expiry"` // the first of several

	down       []string
	notReady   []string
	unknown    []string
	mismatches []string
}

// nodes probes the endpoints of all nodes.
func (q networkQuery) nodes(ctx context.Context) report {
	nodes, err := q.network.collector.AddressBook.Nodes(ctx)
	if err != nil {
		problem := fmt.Sprintf("network %s: the address book cannot be read: %s", q.network.Name, err)
		return nodeReport{verdict: newVerdict(q.network.Name, []string{problem}), Nodes: []nodeState{}}
	}
	var (
		mu      sync.Mutex
		results []consensus.Result
	)
	q.network.collector.Prober.Probe(ctx, nodes, func(result consensus.Result) {
		mu.Lock()
		defer mu.Unlock()
		results = append(results, result)
	})
	return newNodeReport(q.network.Name, nodes, results)
}

func newNodeReport(network string, nodes []consensus.Node, results []consensus.Result) report {
	byID := map[int64]*nodeState{}
	for _, node := range nodes {
		byID[node.ID] = &nodeState{NodeID: node.ID, AccountID: node.AccountID, Description: node.Description}
	}
	for _, result := range results {
		byID[result.Node.ID].add(result)
	}
	r := nodeReport{Nodes: make([]nodeState, 0, len(byID))}
	var problems []string
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		r.Nodes = append(r.Nodes, *byID[id])
		problems = append(problems, byID[id].problems()...)
	}
	r.verdict = newVerdict(network, problems)
	return r
}

func (n *nodeState) add(result consensus.Result) {
	n.Endpoints++
	switch {
	case result.Unknown != nil:
		n.unknown = append(n.unknown, fmt.Sprintf("%s: %s", result.Endpoint.Address, result.Unknown))
	case result.Err != nil:
		n.down = append(n.down, result.Endpoint.Address)
	default:
		n.EndpointsUp++
		if result.Ready() {
			n.EndpointsReady++
		} else {
			n.notReady = append(n.notReady, fmt.Sprintf("%s answers %s", result.Endpoint.Address, result.PrecheckCode()))
		}
		if seconds := result.RPC.Seconds(); n.SlowestRPCSeconds == nil || *n.SlowestRPCSeconds < seconds {
			n.SlowestRPCSeconds = &seconds
		}
	}
	if result.Certificate != nil {
		n.addCertificate(result)
	}
}

func (n *nodeState) addCertificate(result consensus.Result) {
	if expiry := result.Certificate.NotAfter.UTC(); n.CertificateExpiry == nil || expiry.Before(*n.CertificateExpiry) {
		n.CertificateExpiry = &expiry
	}
	if result.Node.CertificateHash == "" {
		return
	}
	if result.Certificate.Hash != result.Node.CertificateHash {
		n.mismatches = append(n.mismatches, result.Endpoint.Address)
	}
	n.CertificateOK = new(len(n.mismatches) == 0)
}

func (n *nodeState) problems() []string {
	var problems []string
	if len(n.down) > 0 {
		problems = append(problems, fmt.Sprintf("node %d (%s): %d of %d endpoints down: %s",
			n.NodeID, n.AccountID, len(n.down), n.Endpoints, strings.Join(slices.Sorted(slices.Values(n.down)), ", ")))
	}
	if len(n.notReady) > 0 {
		problems = append(problems, fmt.Sprintf("node %d (%s): %d of %d endpoints are up, but not ready: %s",
			n.NodeID, n.AccountID, len(n.notReady), n.Endpoints, strings.Join(slices.Sorted(slices.Values(n.notReady)), ", ")))
	}
	if len(n.unknown) > 0 {
		problems = append(problems, fmt.Sprintf("node %d (%s): %d of %d endpoints could not be asked: %s",
			n.NodeID, n.AccountID, len(n.unknown), n.Endpoints, strings.Join(slices.Sorted(slices.Values(n.unknown)), ", ")))
	}
	if len(n.mismatches) > 0 {
		problems = append(problems, fmt.Sprintf("node %d (%s): the certificate is not the one in the address book: %s",
			n.NodeID, n.AccountID, strings.Join(slices.Sorted(slices.Values(n.mismatches)), ", ")))
	}
	return problems
}

func (r nodeReport) writeTable(w io.Writer) {
	writeRow(w, "NODE", "ACCOUNT", "DESCRIPTION", "UP", "READY", "SLOWEST RPC", "CERTIFICATE OK", "CERTIFICATE EXPIRES")
	for _, node := range r.Nodes {
		writeRow(w, strconv.FormatInt(node.NodeID, 10), node.AccountID, node.Description,
			fmt.Sprintf("%d/%d", node.EndpointsUp, node.Endpoints), fmt.Sprintf("%d/%d", node.EndpointsReady, node.Endpoints), formatSeconds(node.SlowestRPCSeconds),
			formatBool(node.CertificateOK), formatTime(node.CertificateExpiry))
	}
}
