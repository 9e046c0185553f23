// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// fullNode is in the shape of the OpenAPI's example.
const fullNode = `{
  "admin_key": {"_type": "ED25519", "key": "15706b22"},
  "associated_registered_nodes": [1, 10],
  "decline_reward": false,
  "description": "address book 1",
  "file_id": "0.0.102",
  "grpc_proxy_endpoint": {"domain_name": "www.example.com", "ip_address_v4": "", "port": 443},
  "max_stake": 9007199254740993,
  "memo": "0.0.4",
  "min_stake": 1000,
  "node_account_id": "0.0.4",
  "node_cert_hash": "0x01D173753810c0aa",
  "node_id": 1,
  "public_key": "0x4a5ad514",
  "reward_rate_start": 1000000,
  "service_endpoints": [{"domain_name": "", "ip_address_v4": "128.0.0.6", "port": 50211}],
  "stake": 9223372036854775807,
  "stake_not_rewarded": 19900,
  "stake_rewarded": 100,
  "staking_period": {"from": "1655164800.000000000", "to": "1655251200.000000000"},
  "timestamp": {"from": "187654.000123457", "to": null}
}`

const nullNode = `{
  "admin_key": null, "associated_registered_nodes": [], "decline_reward": null, "description": null, "file_id": null,
  "grpc_proxy_endpoint": null, "max_stake": null, "memo": null, "min_stake": null, "node_account_id": null,
  "node_cert_hash": null, "node_id": 2, "public_key": null, "reward_rate_start": null, "service_endpoints": [],
  "stake": null, "stake_not_rewarded": null, "stake_rewarded": null, "staking_period": null,
  "timestamp": {"from": "187654.000123457", "to": null}
}`

func TestDecodeNodes(t *testing.T) {
	p, failures, err := decodeBody(decodeNodes, `{"nodes":[`+fullNode+`,`+nullNode+`],"links":{"next":null}}`)
	if err != nil || len(failures) > 0 {
		t.Fatal(err, failures)
	}
	want := []NetworkNode{{
		NodeID:           1,
		NodeAccountID:    FieldOf("0.0.4"),
		Description:      FieldOf("address book 1"),
		NodeCertHash:     FieldOf("0x01D173753810c0aa"),
		ServiceEndpoints: FieldOf([]ServiceEndpoint{{DomainName: FieldOf(""), IPAddressV4: FieldOf("128.0.0.6"), Port: FieldOf(int64(50211))}}),
		Stake:            FieldOf(int64(9223372036854775807)),
		StakeRewarded:    FieldOf(int64(100)),
		StakeNotRewarded: FieldOf(int64(19900)),
		MinStake:         FieldOf(int64(1000)),
		MaxStake:         FieldOf(int64(9007199254740993)),
		AdminKey:         FieldOf(Key{Type: "ED25519", Key: "15706b22"}),
		DeclineReward:    FieldOf(false),
		GRPCProxyEndpoint: FieldOf(ServiceEndpoint{
			DomainName: FieldOf("www.example.com"), IPAddressV4: FieldOf(""), Port: FieldOf(int64(443)),
		}),
		RewardRateStart: FieldOf(int64(1000000)),
	}, {
		NodeID:           2,
		ServiceEndpoints: FieldOf([]ServiceEndpoint{}),
	}}
	if !reflect.DeepEqual(p.rows, want) {
		t.Errorf("got %+v, want %+v", p.rows, want)
	}
	if p.next != "" {
		t.Errorf("next is %q", p.next)
	}
}

func TestCertHash(t *testing.T) {
	tests := []struct {
		in   Field[string]
		want string
	}{
		{Field[string]{}, ""},
		{FieldOf(""), ""},
		{FieldOf("0x"), ""},
		{FieldOf("0xAB12"), "ab12"},
		{FieldOf("0XAB12"), "ab12"},
		{FieldOf("ab12"), "ab12"},
	}
	for _, tt := range tests {
		if got := (NetworkNode{NodeCertHash: tt.in}).CertHash(); got != tt.want {
			t.Errorf("CertHash() = %q, want %q", got, tt.want)
		}
	}
}

// serveNodes caps pages as the mirror does (docs/hedera.md 1.0).
func serveNodes(t *testing.T, total int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("limit") != "25" {
			t.Errorf("limit is %q", r.URL.Query().Get("limit"))
		}
		var from int
		_, _ = fmt.Sscanf(r.URL.Query().Get("node.id"), "gt:%d", &from)
		var rows []string
		for id := from + 1; id <= total && len(rows) < 25; id++ {
			rows = append(rows, fmt.Sprintf(`{"node_id":%d}`, id))
		}
		next := "null"
		if len(rows) == 25 {
			next = fmt.Sprintf(`"/api/v1/network/nodes?limit=25&node.id=gt:%d"`, from+25)
		}
		_, _ = fmt.Fprintf(w, `{"nodes":[%s],"links":{"next":%s}}`, strings.Join(rows, ","), next)
	}
}

func TestNetworkNodesFollowsPages(t *testing.T) {
	for _, tt := range []struct{ nodes, requests int }{{0, 1}, {7, 1}, {29, 2}, {50, 3}} {
		srv := newServer(t, serveNodes(t, tt.nodes))
		c, _, rec := newTestClient(t, srv.URL)
		nodes, err := c.NetworkNodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(nodes) != tt.nodes || int(srv.requests.Load()) != tt.requests {
			t.Errorf("got %d nodes in %d requests, want %d in %d", len(nodes), srv.requests.Load(), tt.nodes, tt.requests)
		}
		for i, n := range nodes {
			if n.NodeID != int64(i+1) {
				t.Errorf("node %d is at %d", n.NodeID, i)
			}
		}
		if rec.seen()[0] != "/api/v1/network/nodes 200" {
			t.Errorf("observed %q", rec.seen()[0])
		}
	}
}

func TestNetworkNodesUsesJavaURL(t *testing.T) {
	rest := newServer(t, serveAccounts(100))
	java := newServer(t, serveNodes(t, 29))
	c, _, _ := newTestClient(t, rest.URL, func(o *Options) { o.JavaURL = mustParse(t, java.URL+"/java") })
	if _, err := c.NetworkNodes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Accounts(t.Context(), []string{"0.0.2"}).Err(); err != nil {
		t.Fatal(err)
	}
	if rest.requests.Load() != 1 || java.requests.Load() != 2 {
		t.Errorf("%d requests to the REST module and %d to the Java module, want 1 and 2", rest.requests.Load(), java.requests.Load())
	}
}
