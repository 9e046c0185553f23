// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"strconv"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
)

const nodeProbeSource = "consensus node gRPC, CryptoService/getAccountInfo COST_ANSWER for shard.realm.2"

// probeShare is the share of the scrape's time for probes. The rest is for
// sending the samples of probes that timed out.
const probeShare = 0.9

var endpointLabels = []string{"network", "node_id", "address", "transport"}

var (
	endpointUp = newGauge(Metric{
		Collector: "node_probe",
		Name:      "node_endpoint_up",
		Help:      "Whether the endpoint answered the probe, whatever the precheck code. Absent if the exporter could not ask, such as for want of file descriptors, or because a proxy refused.",
		Labels:    endpointLabels,
		Source:    nodeProbeSource,
		Example:   "sum by (network, node_id) (hedera_node_endpoint_up) == 0",
	})
	endpointReady = newGauge(Metric{
		Collector: "node_probe",
		Name:      "node_endpoint_ready",
		Help:      "Whether the endpoint answered the probe with the precheck code OK. A node that is frozen, upgrading or busy is up, but not ready. Absent if the exporter could not ask.",
		Labels:    endpointLabels,
		Source:    nodeProbeSource,
		Example:   "hedera_node_endpoint_up == 1 and hedera_node_endpoint_ready == 0",
	})
	endpointDuration = newGauge(Metric{
		Collector: "node_probe",
		Name:      "node_endpoint_probe_duration_seconds",
		Help:      "Duration of the probe by phase: connect, tls and rpc. Connect and tls are 0 if the connection of an earlier probe was reused. Phases that were not completed are absent.",
		Labels:    with(endpointLabels, "phase"),
		Source:    nodeProbeSource,
		Example:   "sum without (phase) (hedera_node_endpoint_probe_duration_seconds)",
	})
	endpointCertificateMatch = newGauge(Metric{
		Collector: "node_probe",
		Name:      "node_endpoint_certificate_match",
		Help:      "Whether the SHA-384 of the endpoint's certificate is the one in the address book. Absent if the address book has none.",
		Labels:    endpointLabels,
		Source:    "TLS handshake with the consensus node, and the address book",
		Example:   "hedera_node_endpoint_certificate_match == 0",
	})
	endpointCertificateExpiry = newGauge(Metric{
		Collector: "node_probe",
		Name:      "node_endpoint_certificate_expiry_timestamp_seconds",
		Help:      "When the endpoint's certificate expires.",
		Labels:    endpointLabels,
		Source:    "TLS handshake with the consensus node",
		Example:   "hedera_node_endpoint_certificate_expiry_timestamp_seconds - time() < 30 * 86400",
	})
	endpointPrecheck = newGauge(Metric{
		Collector: "node_probe",
		Name:      "node_endpoint_precheck_info",
		Help:      "Precheck code in the endpoint's answer to the probe; the value is always 1. A healthy node answers OK. OTHER is a code that the exporter does not know.",
		Labels:    with(endpointLabels, "code"),
		Source:    nodeProbeSource,
		Example:   "hedera_node_endpoint_precheck_info{code!=\"OK\"}",
	})
)

func init() {
	register(Registration{
		Name:           "node_probe",
		Help:           "probes of every gRPC endpoint of every consensus node",
		DefaultEnabled: true,
		factory:        newNodeProbe,
	})
}

type nodeProbe struct {
	network string
	book    *AddressBook
	prober  *consensus.Prober
	log     Logger
}

func newNodeProbe(n Network) (Collector, error) {
	return nodeProbe{network: n.Name, book: n.AddressBook, prober: n.Prober, log: n.Log}, nil
}

// Update implements Collector. Endpoints that could not be asked are missing;
// those that did not answer are down.
func (c nodeProbe) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	nodes, err := c.book.Nodes(ctx)
	if err != nil {
		return err
	}
	probeCtx, cancel := withShare(ctx, probeShare)
	defer cancel()
	var group entityGroup
	c.prober.Probe(probeCtx, nodes, func(result consensus.Result) {
		err := guard(func() error {
			if result.Unknown != nil {
				return fmt.Errorf("node %d: %s: %w", result.Node.ID, result.Endpoint.Address, result.Unknown)
			}
			c.send(ch, result)
			return nil
		})
		if err != nil {
			group.miss(1, err)
		}
	})
	return group.Wait()
}

func (c nodeProbe) send(ch chan<- prometheus.Metric, result consensus.Result) {
	labels := []string{c.network, nodeID(result.Node), result.Endpoint.Address, transport(result.Endpoint)}
	ch <- endpointUp.sample(boolValue(result.Err == nil), labels...)
	ch <- endpointReady.sample(boolValue(result.Ready()), labels...)
	c.sendPhases(ch, result, labels)
	c.sendCertificate(ch, result, labels)
	if result.Err != nil {
		level.Debug(c.log).Log("msg", "endpoint down", "network", c.network, "node_id", result.Node.ID,
			"address", result.Endpoint.Address, "err", result.Err)
		return
	}
	ch <- endpointPrecheck.sample(1, with(labels, result.PrecheckCode())...)
}

func (nodeProbe) sendPhases(ch chan<- prometheus.Metric, result consensus.Result, labels []string) {
	answered := result.Err == nil
	phase := func(name string, seconds float64) {
		ch <- endpointDuration.sample(seconds, with(labels, name)...)
	}
	if answered || result.Connect > 0 {
		phase("connect", result.Connect.Seconds())
	}
	if result.Endpoint.TLS && (answered || result.Handshake > 0) {
		phase("tls", result.Handshake.Seconds())
	}
	if answered {
		phase("rpc", result.RPC.Seconds())
	}
}

func (nodeProbe) sendCertificate(ch chan<- prometheus.Metric, result consensus.Result, labels []string) {
	if result.Certificate == nil {
		return
	}
	ch <- endpointCertificateExpiry.sample(unixSeconds(result.Certificate.NotAfter), labels...)
	if expected := result.Node.CertificateHash; expected != "" {
		ch <- endpointCertificateMatch.sample(boolValue(result.Certificate.Hash == expected), labels...)
	}
}

func nodeID(node consensus.Node) string { return strconv.FormatInt(node.ID, 10) }

func transport(endpoint consensus.Endpoint) string {
	if endpoint.TLS {
		return "tls"
	}
	return "plaintext"
}
