// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

func TestAddressBook(t *testing.T) {
	sim := startSimulator(t, simulator.Options{})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	sources := map[string]BookSource{
		"gRPC": network.MirrorGRPC.Book,
		"REST": MirrorBook(network.Mirror, consensus.BookOptions{TLSPorts: sim.TLSPorts(), Local: true}),
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			network.AddressBook = NewAddressBook(source, 0)
			body := scrapeText(t, setOn(t, network, "address_book"), testDeadline)

			nodes := sim.Nodes()
			wantLines(t, body, fmt.Sprintf(`hedera_address_book_nodes{network="simulated"} %d`, len(nodes)))
			if n := len(linesWith(body, "hedera_address_book_fetched_timestamp_seconds{")); n != 1 {
				t.Errorf("%d fetched timestamps", n)
			}
			for _, node := range nodes {
				wantLines(
					t, body,
					fmt.Sprintf(`hedera_node_info{certificate_hash="%s",description="%s",network="simulated",node_account_id="%s",node_id="%d"} 1`,
						node.CertHash, strings.ReplaceAll(node.Description, `"`, `\"`), node.AccountID, node.NodeID),
					fmt.Sprintf(`hedera_node_endpoints{network="simulated",node_id="%d"} %d`, node.NodeID, len(node.Endpoints)),
				)
			}
		})
	}
}

func TestStakeIsExactAndNullsAreAbsent(t *testing.T) {
	sim := startSimulator(t, simulator.Options{})
	body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "address_book"), testDeadline)

	families := map[string]func(simulator.Node) int64{
		"stake":              func(n simulator.Node) int64 { return n.Stake },
		"stake_rewarded":     func(n simulator.Node) int64 { return n.StakeRewarded },
		"stake_not_rewarded": func(n simulator.Node) int64 { return n.StakeNotRewarded },
		"stake_minimum":      func(n simulator.Node) int64 { return n.MinStake },
		"stake_maximum":      func(n simulator.Node) int64 { return n.MaxStake },
		"reward_rate_start":  func(n simulator.Node) int64 { return n.RewardRateStart },
	}
	nulls := 0
	for name, value := range families {
		for _, node := range sim.Nodes() {
			lines := linesWith(body, "hedera_node_"+name+"_hbar{", fmt.Sprintf(`node_id="%d"`, node.NodeID))
			tinybar := value(node)
			switch {
			case tinybar == -1: // null, as the mirror has it in its database
				nulls++
				if len(lines) != 0 {
					t.Errorf("a null became %q", lines)
				}
			case len(lines) != 1 || !strings.HasSuffix(lines[0], fmt.Sprintf(" %v", float64(tinybar)/1e8)):
				t.Errorf("node %d has %s %d tinybar, but %q", node.NodeID, name, tinybar, lines)
			}
		}
	}
	if nulls == 0 {
		t.Error("the simulator has no null to test with")
	}
	if n := sim.Requests()["GET /api/v1/network/nodes"]; n != 2 {
		t.Errorf("%d requests for 29 nodes, want 2 pages of 25", n)
	}
}

// TestNodeProperties has nodes with and without what their operators may change.
func TestNodeProperties(t *testing.T) {
	network := answering(t, map[string]string{nodesPath: `{"nodes":[
		{"node_id":0,"decline_reward":true,"admin_key":{"_type":"ED25519","key":"15706b22"},"grpc_proxy_endpoint":{"domain_name":"node0.example.com","ip_address_v4":"","port":443}},
		{"node_id":1,"decline_reward":false,"admin_key":{"_type":"ED25519","key":"15706b23"},"grpc_proxy_endpoint":{"domain_name":"","ip_address_v4":"10.0.0.1","port":8443}},
		{"node_id":2,"decline_reward":null,"admin_key":null,"grpc_proxy_endpoint":null},
		{"node_id":3},
		{"node_id":4,"decline_reward":"odd","admin_key":7,"grpc_proxy_endpoint":[],"stake":100000000}],"links":{"next":null}}`})
	network.AddressBook = NewAddressBook(MirrorBook(network.Mirror, consensus.BookOptions{}), 0)
	body := scrapeText(t, setOn(t, network, "address_book"), testDeadline)
	wantLines(t, body,
		nodeLine("decline_reward", 0, "1"), nodeLine("decline_reward", 1, "0"),
		`hedera_node_grpc_proxy_info{address="node0.example.com:443",network="simulated",node_id="0"} 1`,
		`hedera_node_grpc_proxy_info{address="10.0.0.1:8443",network="simulated",node_id="1"} 1`,
		nodeLine("stake_hbar", 4, "1"), successLine("address_book", true))
	for _, family := range []string{"decline_reward", "grpc_proxy_info", "admin_key_info"} {
		if n := len(linesWith(body, "hedera_node_"+family+"{")); n != 2 {
			t.Errorf("%d of %s, want those of two nodes", n, family)
		}
	}
	prints := map[string]bool{}
	for _, line := range linesWith(body, "hedera_node_admin_key_info{", `key_type="ED25519"`) {
		_, print, _ := strings.Cut(line, `key_fingerprint="`)
		prints[print[:2*fingerprintBytes]] = true
	}
	if len(prints) != 2 {
		t.Errorf("fingerprints %v of two keys", prints)
	}
	wantNone(t, body, "15706b22")
}

// TestBookOfTheOtherAPI has a mirror of which one API fails: the book is the
// other's, and only the stake is missing with the REST API.
func TestBookOfTheOtherAPI(t *testing.T) {
	type test struct {
		name  string
		fault simulator.Fault
	}
	var tests []test
	for name, fault := range faultsAt(simulator.GetNodesFault) {
		tests = append(tests, test{"gRPC/" + name, fault})
	}
	for _, code := range []codes.Code{codes.InvalidArgument, codes.NotFound, codes.Unavailable, codes.Unimplemented} {
		tests = append(tests, test{"gRPC/" + code.String(), simulator.Fault{Kind: simulator.FaultStatus, Path: simulator.GetNodesFault, Status: int(code)}})
	}
	for name, fault := range faultsAt(nodesPath) {
		tests = append(tests, test{"REST/" + name, fault})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
				sim := startSimulator(t, simulator.Options{Nodes: 2, Listen: memory.Listen})
				set := setOn(t, networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry())), "address_book")
				if _, err := sim.InjectFault(test.fault); err != nil {
					t.Fatal(err)
				}
				body := scrapeText(t, set, faultDeadline)
				wantLines(t, body, `hedera_address_book_nodes{network="simulated"} 2`, successLine("address_book", test.fault.Path != nodesPath))
				if n := len(linesWith(body, "hedera_node_info{")); n != 2 {
					t.Errorf("%d nodes are shown", n)
				}
				if shown := len(linesWith(body, "hedera_node_stake_hbar{")) > 0; shown != (test.fault.Path != nodesPath) {
					t.Errorf("stake shown: %v", shown)
				}
			})
		})
	}
}

func TestBookOfAnotherRealm(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 2, Shard: 3, Realm: 5})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	set := setOn(t, network, "address_book node_probe") // asks for file 0.0.102 and gets the REST book
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, `hedera_address_book_nodes{network="simulated"} 2`, successLine("address_book", true))
	if n := len(linesWith(body, "hedera_node_info{", `node_account_id="3.5.`)); n != 2 {
		t.Errorf("%d nodes of the realm are shown", n)
	}
}

func TestEmptyBookReplacesNone(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 2})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "address_book node_probe")
	endpoints := len(linesWith(scrapeText(t, set, testDeadline), "hedera_node_endpoint_up{"))

	if err := sim.Update(func(l *simulator.Ledger) error {
		return l.SetMirror(simulator.MirrorSettings{NoAddressBook: true})
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body, successLine("address_book", false), successLine("node_probe", true),
			`hedera_scrape_collector_incomplete{collector="address_book",network="simulated"} 1`)
		wantNone(t, body, "hedera_address_book_nodes{")
		if up := len(linesWith(body, "hedera_node_endpoint_up{")); up != endpoints || endpoints == 0 {
			t.Errorf("%d of %d endpoints are probed", up, endpoints)
		}
	}
}

// TestBookWithoutEndpointsReplacesNone is about one whose endpoints are all left
// out.
func TestBookWithoutEndpointsReplacesNone(t *testing.T) {
	book := NewAddressBook(StaticBook([]consensus.Node{{ID: 1}}), 0)
	if nodes, err := book.Nodes(t.Context()); err != nil || len(nodes) != 1 {
		t.Errorf("the first book: %v, %v", nodes, err)
	}
	good := []consensus.Node{{ID: 1, Endpoints: []consensus.Endpoint{{Address: "10.0.0.1:50211"}}}}
	book.source = StaticBook(good)
	if _, err := book.Nodes(t.Context()); err != nil {
		t.Fatal(err)
	}
	book.source = StaticBook([]consensus.Node{{ID: 1}})
	if _, err := book.current(t.Context()); err == nil || !strings.Contains(err.Error(), "usable endpoint") {
		t.Errorf("error %v", err)
	}
	if nodes, err := book.Nodes(t.Context()); err != nil || len(nodes[0].Endpoints) != 1 {
		t.Errorf("nodes %v, %v, want the good ones", nodes, err)
	}
}

func TestSkippedEndpoints(t *testing.T) {
	for local, skipped := range map[bool]int{true: 2, false: 4} {
		network := answering(t, map[string]string{nodesPath: `{"nodes":[{"node_id":0,"service_endpoints":[
			{"ip_address_v4":"","domain_name":"","port":50211},
			{"ip_address_v4":null,"port":50211},
			{"ip_address_v4":"127.0.0.1","domain_name":"","port":1},
			{"ip_address_v4":"","domain_name":"localhost","port":2},
			{"ip_address_v4":"","domain_name":"node.example.com","port":50211}]}],"links":{"next":null}}`})
		network.AddressBook = NewAddressBook(MirrorBook(network.Mirror, consensus.BookOptions{Local: local}), 0)
		body := scrapeText(t, setOn(t, network, "address_book"), testDeadline)
		wantLines(t, body,
			fmt.Sprintf(`hedera_address_book_endpoints_skipped{network="simulated"} %d`, skipped),
			fmt.Sprintf(`hedera_node_endpoints{network="simulated",node_id="0"} %d`, 5-skipped),
			`hedera_address_book_truncated{network="simulated"} 0`,
			successLine("address_book", true))
	}
}

// TestLongBookIsCut has as many nodes as 41 pages of the REST API have.
func TestLongBookIsCut(t *testing.T) {
	bodies := map[string]string{}
	for page := range 41 {
		var rows []string
		for i := range 25 {
			rows = append(rows, fmt.Sprintf(`{"node_id":%d,"stake":1,"service_endpoints":[{"domain_name":"node.example.com","port":50211}]}`, 25*page+i))
		}
		at := fmt.Sprintf("%s?limit=25&node.id=gt%%3A%d", nodesPath, 25*page-1)
		if page == 0 {
			at = nodesPath + "?limit=25"
		}
		bodies[at] = fmt.Sprintf(`{"nodes":[%s],"links":{"next":"%s?limit=25&node.id=gt:%d"}}`, strings.Join(rows, ","), nodesPath, 25*page+24)
	}
	network := answering(t, bodies)
	network.AddressBook = NewAddressBook(MirrorBook(network.Mirror, consensus.BookOptions{}), time.Hour)
	body := scrapeText(t, setOn(t, network, "address_book"), testDeadline)
	wantLines(t, body,
		`hedera_address_book_truncated{network="simulated"} 1`,
		`hedera_address_book_nodes{network="simulated"} 1000`,
		successLine("address_book", false))
	if n := len(linesWith(body, "hedera_node_info{")); n != 1000 {
		t.Errorf("%d nodes are shown", n)
	}
	if n := len(linesWith(body, "hedera_node_stake_hbar{")); n != 1000 {
		t.Errorf("%d stakes are shown", n)
	}
}
