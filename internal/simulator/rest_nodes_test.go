// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

func TestNodesPaging(t *testing.T) {
	s := startStatic(t, Options{})
	for _, tc := range []struct {
		query string
		pages []int
	}{
		{"", []int{10, 10, 9}},
		{"?limit=25", []int{25, 4}},
		{"?limit=100", []int{25, 4}},
		{"?order=desc&limit=20", []int{20, 9}},
	} {
		seen := make(map[int64]bool)
		var pages []int
		for next := new("/api/v1/network/nodes" + tc.query); next != nil; {
			page := getJSON[nodeList](t, s, *next)
			for _, node := range page.Nodes {
				seen[node.NodeID] = true
			}
			pages = append(pages, len(page.Nodes))
			next = page.Links.Next
		}
		if len(seen) != 29 || !slices.Equal(pages, tc.pages) {
			t.Errorf("%q: %d nodes on pages of %v, want %v", tc.query, len(seen), pages, tc.pages)
		}
	}
}

func TestNodesFilters(t *testing.T) {
	s := startStatic(t, Options{})
	for query, want := range map[string]int{
		"node.id=5": 1, "node.id=eq:5&node.id=6": 2, "node.id=gt:36": 3, "node.id=2": 0,
		"file.id=0.0.101&node.id=0": 1, "file.id=102&node.id=lte:1": 2,
	} {
		if got := len(getJSON[nodeList](t, s, "/api/v1/network/nodes?"+query).Nodes); got != want {
			t.Errorf("%q: got %d nodes, want %d", query, got, want)
		}
	}
	for _, query := range []string{"file.id=0.0.111", "node.id=x", "limit=0", "order=up", "nope=1"} {
		if got := send(t, s, http.MethodGet, "/api/v1/network/nodes?"+query, nil); got.status != 400 {
			t.Errorf("%q: got %d, want 400", query, got.status)
		}
	}
}

// Fields that the mirror shows as null are null for some nodes and not for all.
func TestNodesNulls(t *testing.T) {
	s := startStatic(t, Options{})
	nulls := make(map[string]int)
	for next := new("/api/v1/network/nodes?limit=25"); next != nil; {
		page := getJSON[struct {
			Nodes []map[string]json.RawMessage `json:"nodes"`
			Links links                        `json:"links"`
		}](t, s, *next)
		for _, node := range page.Nodes {
			for field, value := range node {
				if string(value) == "null" {
					nulls[field]++
				}
			}
		}
		next = page.Links.Next
	}
	for _, field := range []string{
		"stake", "stake_rewarded", "stake_not_rewarded", "min_stake", "max_stake",
		"reward_rate_start", "staking_period", "admin_key", "grpc_proxy_endpoint",
	} {
		if nulls[field] == 0 || nulls[field] == 29 {
			t.Errorf("%s is null for %d of 29 nodes", field, nulls[field])
		}
		delete(nulls, field)
	}
	if len(nulls) > 0 {
		t.Errorf("fields that never are null on the network are: %v", nulls)
	}
}

func TestNodesGoAPIEqualsREST(t *testing.T) {
	s := startStatic(t, Options{Nodes: 10})
	list := getJSON[nodeList](t, s, "/api/v1/network/nodes")
	for i, node := range s.Nodes() {
		got := list.Nodes[i]
		stake := int64(nullStake)
		if got.Stake != nil {
			stake = *got.Stake
		}
		if got.NodeID != node.NodeID || stake != node.Stake || got.NodeCertHash != "0x"+node.CertHash {
			t.Errorf("REST has %+v, Nodes %+v", got, node)
		}
	}
}
