// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// downEndpoints are the addresses that body shows as down.
func downEndpoints(body string) map[string]bool {
	down := map[string]bool{}
	for _, line := range linesWith(body, "hedera_node_endpoint_up{") {
		if strings.HasSuffix(line, " 0") {
			_, rest, _ := strings.Cut(line, `address="`)
			address, _, _ := strings.Cut(rest, `"`)
			down[address] = true
		}
	}
	return down
}

func TestNodeProbe(t *testing.T) {
	sim := startSimulator(t, simulator.Options{})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "node_probe")
	body := scrapeText(t, set, testDeadline)

	endpoints, tls := 0, 0
	for _, node := range sim.Nodes() {
		for _, endpoint := range node.Endpoints {
			labels := fmt.Sprintf(`address="%s",network="simulated",node_id="%d"`, endpoint.Address, node.NodeID)
			endpoints++
			phases := []string{"connect", "rpc"}
			transport := "plaintext"
			if endpoint.TLS {
				tls++
				phases = append(phases, "tls")
				transport = "tls"
				wantLines(
					t, body,
					`hedera_node_endpoint_certificate_match{`+labels+`,transport="tls"} 1`,
					`hedera_node_endpoint_certificate_expiry_timestamp_seconds{`+labels+`,transport="tls"} 2.0827584e+09`,
				)
			}
			wantLines(
				t, body,
				`hedera_node_endpoint_up{`+labels+`,transport="`+transport+`"} 1`,
				`hedera_node_endpoint_ready{`+labels+`,transport="`+transport+`"} 1`,
				fmt.Sprintf(`hedera_node_endpoint_precheck_info{address="%s",code="OK",network="simulated",node_id="%d",transport="%s"} 1`,
					endpoint.Address, node.NodeID, transport),
			)
			for _, phase := range phases {
				lines := linesWith(body, "hedera_node_endpoint_probe_duration_seconds{", labels, `phase="`+phase+`"`)
				if len(lines) != 1 || strings.HasSuffix(lines[0], " 0") {
					t.Errorf("%s of %s: %q, want one above 0", phase, endpoint.Address, lines)
				}
			}
		}
	}
	if n := len(linesWith(body, "hedera_node_endpoint_up{")); n != endpoints {
		t.Errorf("%d endpoints, %d of them shown", endpoints, n)
	}
	if n := len(linesWith(body, "hedera_node_endpoint_certificate_match{")); n != tls {
		t.Errorf("%d certificates for %d TLS endpoints", n, tls)
	}

	body = scrapeText(t, set, testDeadline)
	for _, phase := range []string{"connect", "tls"} {
		for _, line := range linesWith(body, "hedera_node_endpoint_probe_duration_seconds{", `phase="`+phase+`"`) {
			if !strings.HasSuffix(line, " 0") {
				t.Errorf("the connection was not reused: %s", line)
			}
		}
	}
	if n := len(linesWith(body, "hedera_node_endpoint_certificate_match{")); n != tls {
		t.Errorf("with reused connections %d certificates are shown, want %d", n, tls)
	}
}

func TestStoppedNodeIsDownOnItsEndpointsAlone(t *testing.T) {
	sim := startSimulator(t, simulator.Options{})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "node_probe")
	if down := downEndpoints(scrapeText(t, set, testDeadline)); len(down) != 0 {
		t.Fatalf("down before anything was stopped: %v", down)
	}

	stopped := sim.Nodes()[3]
	if err := sim.StopNode(stopped.NodeID); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	down := downEndpoints(body)
	for _, endpoint := range stopped.Endpoints {
		if !down[endpoint.Address] {
			t.Errorf("%s is shown as up", endpoint.Address)
		}
		wantNone(t, body, "hedera_node_endpoint_precheck_info{", endpoint.Address)
		wantNone(t, body, "hedera_node_endpoint_probe_duration_seconds{", endpoint.Address)
	}
	if len(down) != len(stopped.Endpoints) {
		t.Errorf("down: %v, want the endpoints of node %d alone", down, stopped.NodeID)
	}

	if err := sim.StartNode(stopped.NodeID); err != nil {
		t.Fatal(err)
	}
	if down := downEndpoints(scrapeText(t, set, testDeadline)); len(down) != 0 {
		t.Errorf("still down after the node was started: %v", down)
	}
}

func TestHungEndpointDelaysNobody(t *testing.T) {
	memnet.Test(t, testHungEndpoint)
}

func testHungEndpoint(t *testing.T, memory *memnet.Network) {
	sim := startSimulator(t, simulator.Options{Listen: memory.Listen})
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
	network.Prober = consensus.NewProber(consensus.ProberOptions{Timeout: time.Minute, ReconnectInterval: time.Hour, DialContext: memory.DialContext})
	set := setOn(t, network, "node_probe")
	hung := []string{}
	for _, endpoint := range sim.Nodes()[0].Endpoints[:2] {
		hung = append(hung, endpoint.Address)
		if err := sim.HangEndpoint(endpoint.Address); err != nil {
			t.Fatal(err)
		}
	}
	body := scrapeText(t, set, 4*time.Second)
	down := downEndpoints(body)
	if len(down) != 2 || !down[hung[0]] || !down[hung[1]] {
		t.Errorf("down: %v, want %v", down, hung)
	}
	wantLines(t, body, `hedera_scrape_collector_success{collector="node_probe",network="simulated"} 1`)
}

func TestSwappedCertificateDoesNotMatch(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 5})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "node_probe")
	scrapeText(t, set, testDeadline)

	swapped := sim.Nodes()[2]
	if err := sim.SwapCertificate(swapped.NodeID); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	for _, line := range linesWith(body, "hedera_node_endpoint_certificate_match{") {
		want := " 1"
		if strings.Contains(line, fmt.Sprintf(`node_id="%d"`, swapped.NodeID)) {
			want = " 0"
		}
		if !strings.HasSuffix(line, want) {
			t.Errorf("%s, want%s", line, want)
		}
	}
	if down := downEndpoints(body); len(down) != 0 {
		t.Errorf("down: %v, but they answer", down)
	}
}

// TestNotReady has a node that answers and refuses, and one that is down: neither
// is ready.
func TestNotReady(t *testing.T) {
	for _, code := range []services.ResponseCodeEnum{services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE, services.ResponseCodeEnum_BUSY} {
		t.Run(code.String(), func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 3})
			set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "node_probe")
			nodes := sim.Nodes()
			refuses, stopped := nodes[1], nodes[2]
			if err := errors.Join(
				sim.Update(func(l *simulator.Ledger) error { return l.SetPrecheck(refuses.NodeID, code) }),
				sim.StopNode(stopped.NodeID),
			); err != nil {
				t.Fatal(err)
			}
			body := scrapeText(t, set, testDeadline)
			wantStates := func(node simulator.Node, up, ready string) {
				t.Helper()
				id := fmt.Sprintf(`node_id="%d"`, node.NodeID)
				for _, endpoint := range node.Endpoints {
					for family, want := range map[string]string{"up": up, "ready": ready} {
						lines := linesWith(body, "hedera_node_endpoint_"+family+"{", id, endpoint.Address)
						if len(lines) != 1 || !strings.HasSuffix(lines[0], " "+want) {
							t.Errorf("%q, want %s %s", lines, family, want)
						}
					}
				}
			}
			wantStates(nodes[0], "1", "1")
			wantStates(refuses, "1", "0")
			wantStates(stopped, "0", "0")
			if n := len(linesWith(body, "hedera_node_endpoint_precheck_info{", `code="`+code.String()+`"`)); n != len(refuses.Endpoints) {
				t.Errorf("%d endpoints answer %s, want %d", n, code, len(refuses.Endpoints))
			}
			wantLines(t, body, successLine("node_probe", true))
		})
	}
}

func TestNodeThatLeftTheBookIsNotProbed(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 3})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "node_probe", "address_book")
	scrapeText(t, set, testDeadline)
	left := sim.Nodes()[1].NodeID
	if err := sim.RemoveNode(left); err != nil {
		t.Fatal(err)
	}
	scrapeText(t, set, testDeadline) // reads the book and probes at the same time
	body := scrapeText(t, set, testDeadline)
	wantNone(t, body, fmt.Sprintf(`node_id="%d"`, left))
}

func TestUnknownPrecheckCodesAreOne(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "node_probe")
	for code := services.ResponseCodeEnum(1_000_000); code < 1_000_003; code++ {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.SetPrecheck(0, code) }); err != nil {
			t.Fatal(err)
		}
		body := scrapeText(t, set, testDeadline)
		all := linesWith(body, "hedera_node_endpoint_precheck_info{")
		if other := linesWith(body, "hedera_node_endpoint_precheck_info{", `code="OTHER"`); len(other) != len(all) || len(all) == 0 {
			t.Errorf("%q", all)
		}
		if ready := linesWith(body, "hedera_node_endpoint_ready{"); len(ready) != len(all) || strings.HasSuffix(ready[0], " 1") {
			t.Errorf("%q", ready)
		}
	}
}

// TestWantOfDescriptorsIsNoOutage has an exporter that may open no file for the
// endpoints at one address.
func TestWantOfDescriptorsIsNoOutage(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 2})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	unopened := sim.Nodes()[0].Endpoints[0].Address
	network.Prober = consensus.NewProber(consensus.ProberOptions{Timeout: testDeadline, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == unopened {
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("socket", syscall.EMFILE)}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	body := scrapeText(t, setOn(t, network, "node_probe"), testDeadline)
	wantNone(t, body, unopened)
	wantLines(t, body, successLine("node_probe", false),
		`hedera_scrape_collector_incomplete{collector="node_probe",network="simulated"} 1`)
	if down := downEndpoints(body); len(down) > 0 {
		t.Errorf("down: %v", down)
	}
	if n, want := len(linesWith(body, "hedera_node_endpoint_up{")), len(sim.Nodes()[0].Endpoints)+len(sim.Nodes()[1].Endpoints)-1; n != want {
		t.Errorf("%d endpoints are shown, want %d", n, want)
	}
}

func TestCertificateUntil9999(t *testing.T) {
	ch := make(chan prometheus.Metric, 1)
	nodeProbe{network: "simulated"}.sendCertificate(ch, consensus.Result{Certificate: &consensus.Certificate{
		NotAfter: time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC),
	}}, []string{"simulated", "0", "10.0.0.1:50212", "tls"})
	var sample dto.Metric
	if err := (<-ch).Write(&sample); err != nil {
		t.Fatal(err)
	}
	if got := sample.GetGauge().GetValue(); got != 253402300799 {
		t.Errorf("it expires at %f, want 253402300799", got)
	}
}
