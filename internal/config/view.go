// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/url"
	"reflect"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

const redacted = "<redacted>"

// String is the effective configuration, defaults included, as YAML for
// display. Keys, header values and the paths of URLs are redacted.
func (c *Config) String() string {
	v := configView{Collectors: map[string]collectorView{}, Networks: map[string]networkView{}}
	for name, interval := range c.MinInterval {
		v.Collectors[name] = collectorView{MinInterval: model.Duration(interval)}
	}
	for _, n := range c.Networks {
		v.Networks[n.Name] = viewNetwork(n)
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Sprintf("# the configuration cannot be shown: %s\n", err)
	}
	return string(out)
}

// String shows the mirror's address without the path.
func (m Mirror) String() string {
	return redactURL(m.URL)
}

// Format keeps the path of the URL out of every verb of package fmt.
func (m Mirror) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, m.String())
}

// MarshalText keeps the path of the URL out of JSON, YAML and logs.
func (m Mirror) MarshalText() ([]byte, error) {
	return []byte(m.String()), nil
}

// The views have the keys of the file in the order of docs/configuration.md.

type configView struct {
	Collectors map[string]collectorView `yaml:"collectors,omitempty"`
	Networks   map[string]networkView   `yaml:"networks"`
}

type collectorView struct {
	MinInterval model.Duration `yaml:"min_interval"`
}

type networkView struct {
	LedgerID        string         `yaml:"ledger_id,omitempty"`
	Mirror          *mirrorView    `yaml:"mirror,omitempty"`
	Consensus       consensusView  `yaml:"consensus"`
	BalanceSource   BalanceSource  `yaml:"balance_source"`
	Accounts        []accountView  `yaml:"accounts,omitempty"`
	Tokens          []entityView   `yaml:"tokens,omitempty"`
	Topics          []entityView   `yaml:"topics,omitempty"`
	Contracts       []entityView   `yaml:"contracts,omitempty"`
	Schedules       []scheduleView `yaml:"schedules,omitempty"`
	OperatorID      string         `yaml:"operator_id,omitempty"`
	OperatorKeyFile string         `yaml:"operator_key_file,omitempty"`
}

type mirrorView struct {
	URL            string                       `yaml:"url"`
	JavaURL        string                       `yaml:"java_url,omitempty"`
	GRPCAddress    string                       `yaml:"grpc_address"`
	GRPCTLS        bool                         `yaml:"grpc_tls"`
	RateLimit      float64                      `yaml:"rate_limit"`
	MaxConcurrency int                          `yaml:"max_concurrency"`
	Timeout        model.Duration               `yaml:"timeout"`
	HTTPClient     *promconfig.HTTPClientConfig `yaml:"http_client,omitempty"`
}

type consensusView struct {
	TLSPorts          []int          `yaml:"tls_ports,flow"`
	ProbeTimeout      model.Duration `yaml:"probe_timeout"`
	ReconnectInterval model.Duration `yaml:"reconnect_interval"`
	MaxConcurrency    int            `yaml:"max_concurrency"`
	Nodes             []nodeView     `yaml:"nodes,omitempty"`
}

type nodeView struct {
	NodeID          int64    `yaml:"node_id"`
	AccountID       string   `yaml:"account_id"`
	Description     string   `yaml:"description,omitempty"`
	CertificateHash string   `yaml:"certificate_hash,omitempty"`
	Endpoints       []string `yaml:"endpoints,flow"`
}

type accountView struct {
	ID           string              `yaml:"id"`
	Name         string              `yaml:"name"`
	Thresholds   map[string]hbarView `yaml:"thresholds,omitempty,flow"`
	Tokens       string              `yaml:"tokens"`
	Transactions bool                `yaml:"transactions"`
	Allowances   bool                `yaml:"allowances"`
	Heartbeat    model.Duration      `yaml:"heartbeat,omitempty"`
	Cold         bool                `yaml:"cold"`
}

type entityView struct {
	ID        string         `yaml:"id"`
	Name      string         `yaml:"name"`
	Heartbeat model.Duration `yaml:"heartbeat,omitempty"`
}

type scheduleView struct {
	Creator string `yaml:"creator"`
	Name    string `yaml:"name"`
}

// hbarView is a decimal number rather than a quoted string.
type hbarView hiero.Hbar

func (h hbarView) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: formatHbar(hiero.Hbar(h))}, nil
}

func viewNetwork(n Network) networkView {
	v := networkView{
		Mirror:        viewMirror(n.Mirror),
		Consensus:     viewConsensus(n.Consensus),
		BalanceSource: n.BalanceSource,
		Tokens:        viewEntities(n.Tokens),
		Topics:        viewEntities(n.Topics),
		Contracts:     viewEntities(n.Contracts),
	}
	if n.LedgerID != nil {
		v.LedgerID = "0x" + hex.EncodeToString(n.LedgerID.ToBytes())
	}
	for _, a := range n.Accounts {
		v.Accounts = append(v.Accounts, viewAccount(a))
	}
	for _, c := range n.ScheduleCreators {
		v.Schedules = append(v.Schedules, scheduleView{Creator: c.ID, Name: c.Name})
	}
	if n.Operator != nil {
		v.OperatorID, v.OperatorKeyFile = n.Operator.ID.String(), redacted
	}
	return v
}

func viewAccount(a Account) accountView {
	v := accountView{
		ID:           a.ID.String(),
		Name:         a.Name,
		Thresholds:   map[string]hbarView{},
		Tokens:       tokensConfigured,
		Transactions: a.Transactions,
		Allowances:   a.Allowances,
		Heartbeat:    model.Duration(a.Heartbeat),
		Cold:         a.Cold,
	}
	if a.AllTokens {
		v.Tokens = tokensAll
	}
	for _, t := range a.Thresholds {
		v.Thresholds[t.Severity] = hbarView(t.Minimum)
	}
	return v
}

func viewEntities(entities []Entity) []entityView {
	views := make([]entityView, 0, len(entities))
	for _, e := range entities {
		views = append(views, entityView{ID: e.ID, Name: e.Name, Heartbeat: model.Duration(e.Heartbeat)})
	}
	return views
}

func viewConsensus(c Consensus) consensusView {
	v := consensusView{
		TLSPorts:          c.TLSPorts,
		ProbeTimeout:      model.Duration(c.ProbeTimeout),
		ReconnectInterval: model.Duration(c.ReconnectInterval),
		MaxConcurrency:    c.MaxConcurrency,
	}
	for _, n := range c.Nodes {
		v.Nodes = append(v.Nodes, nodeView{
			NodeID:          n.ID,
			AccountID:       n.AccountID.String(),
			Description:     n.Description,
			CertificateHash: n.CertificateHash,
			Endpoints:       n.Endpoints,
		})
	}
	return v
}

func viewMirror(m *Mirror) *mirrorView {
	if m == nil {
		return nil
	}
	return &mirrorView{
		URL:            redactURL(m.URL),
		JavaURL:        redactURL(m.JavaURL),
		GRPCAddress:    m.GRPCAddress,
		GRPCTLS:        m.GRPCTLS,
		RateLimit:      m.RateLimit,
		MaxConcurrency: m.MaxConcurrency,
		Timeout:        model.Duration(m.Timeout),
		HTTPClient:     viewHTTPClient(m.HTTPClient),
	}
}

// viewHTTPClient returns nil for the defaults. What may hold a secret without
// being called one is redacted in the copy.
func viewHTTPClient(c promconfig.HTTPClientConfig) *promconfig.HTTPClientConfig {
	if reflect.DeepEqual(c, promconfig.DefaultHTTPClientConfig) {
		return nil
	}
	if c.HTTPHeaders != nil {
		headers := maps.Clone(c.HTTPHeaders.Headers)
		for name, h := range headers {
			h.Values = redactAll(h.Values)
			headers[name] = h
		}
		c.HTTPHeaders = &promconfig.Headers{Headers: headers}
	}
	if c.OAuth2 != nil {
		oauth := *c.OAuth2
		oauth.EndpointParams, oauth.Claims = maps.Clone(oauth.EndpointParams), maps.Clone(oauth.Claims)
		for name := range oauth.EndpointParams {
			oauth.EndpointParams[name] = redacted
		}
		for name := range oauth.Claims {
			oauth.Claims[name] = redacted
		}
		c.OAuth2 = &oauth
	}
	return &c
}

func redactAll(values []string) []string {
	var all []string
	for range values {
		all = append(all, redacted)
	}
	return all
}

// redactURL leaves the scheme and the host.
func redactURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	root := u.Scheme + "://" + u.Host
	if u.Path == "" {
		return root
	}
	return root + "/" + redacted
}
