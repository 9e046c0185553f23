// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nodeReport is what query nodes prints.
type nodeReport struct {
	verdict
	Nodes []*nodeState `json:"nodes"`
}

// nodeState is one node; nil is what none of its endpoints has told.
type nodeState struct {
	NodeID            int64      `json:"node_id"`
	AccountID         string     `json:"account_id"`
	Description       string     `json:"description"`
	Endpoints         int        `json:"endpoints"`
	EndpointsUp       int        `json:"endpoints_up"`
	SlowestRPCSeconds *float64   `json:"slowest_rpc_seconds"`
	CertificateOK     *bool      `json:"certificate_ok"`     // nil also where the address book has no hash
	CertificateExpiry *time.Time `json:"certificate_expiry"` // the first of several

	down       []string
	mismatches []string
}

func newNodeReport(network string, samples []reading) report {
	nodes := newNodeStates(samples)
	problems := failedCollectors(samples)
	for _, node := range nodes {
		problems = append(problems, node.problems()...)
	}
	return nodeReport{verdict: newVerdict(network, problems), Nodes: nodes}
}

func newNodeStates(samples []reading) []*nodeState {
	byID := map[string]*nodeState{}
	nodes := []*nodeState{}
	for _, s := range samples {
		text := s.labels["node_id"]
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue // about no node
		}
		if byID[text] == nil {
			byID[text] = &nodeState{NodeID: id}
			nodes = append(nodes, byID[text])
		}
		byID[text].add(s)
	}
	slices.SortFunc(nodes, func(a, b *nodeState) int { return cmp.Compare(a.NodeID, b.NodeID) })
	return nodes
}

func (n *nodeState) add(s reading) {
	endpoint := s.labels["address"]
	switch s.name {
	case "hedera_node_info":
		n.AccountID, n.Description = s.labels["node_account_id"], s.labels["description"]
	case "hedera_node_endpoint_up":
		n.addEndpoint(endpoint, s.value == 1)
	case "hedera_node_endpoint_probe_duration_seconds":
		if s.labels["phase"] == "rpc" && (n.SlowestRPCSeconds == nil || *n.SlowestRPCSeconds < s.value) {
			n.SlowestRPCSeconds = &s.value
		}
	case "hedera_node_endpoint_certificate_match":
		n.addCertificate(endpoint, s.value == 1)
	case "hedera_node_endpoint_certificate_expiry_timestamp_seconds":
		if expiry := s.timestamp(); n.CertificateExpiry == nil || expiry.Before(*n.CertificateExpiry) {
			n.CertificateExpiry = &expiry
		}
	}
}

func (n *nodeState) addEndpoint(endpoint string, up bool) {
	n.Endpoints++
	if up {
		n.EndpointsUp++
		return
	}
	n.down = append(n.down, endpoint)
}

func (n *nodeState) addCertificate(endpoint string, matches bool) {
	if !matches {
		n.mismatches = append(n.mismatches, endpoint)
	}
	ok := len(n.mismatches) == 0
	n.CertificateOK = &ok
}

func (n *nodeState) problems() []string {
	var problems []string
	if len(n.down) > 0 {
		problems = append(problems, fmt.Sprintf("node %d (%s): %d of %d endpoints down: %s",
			n.NodeID, n.AccountID, len(n.down), n.Endpoints, strings.Join(n.down, ", ")))
	}
	if len(n.mismatches) > 0 {
		problems = append(problems, fmt.Sprintf("node %d (%s): the certificate is not the one in the address book: %s",
			n.NodeID, n.AccountID, strings.Join(n.mismatches, ", ")))
	}
	return problems
}

func (r nodeReport) writeTable(w io.Writer) {
	writeRow(w, "NODE", "ACCOUNT", "DESCRIPTION", "UP", "SLOWEST RPC", "CERTIFICATE OK", "CERTIFICATE EXPIRES")
	for _, node := range r.Nodes {
		writeRow(w, strconv.FormatInt(node.NodeID, 10), node.AccountID, node.Description,
			fmt.Sprintf("%d/%d", node.EndpointsUp, node.Endpoints), formatSeconds(node.SlowestRPCSeconds),
			formatBool(node.CertificateOK), formatTime(node.CertificateExpiry))
	}
}

func formatSeconds(seconds *float64) string {
	if seconds == nil {
		return unknownCell
	}
	return time.Duration(*seconds * float64(time.Second)).Round(10 * time.Microsecond).String()
}
