// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

func TestPresets(t *testing.T) {
	for network, ledgerID := range map[string]byte{"mainnet": 0, "testnet": 1, "previewnet": 2} {
		t.Run(network, func(t *testing.T) {
			host := network + ".mirrornode.hedera.com"
			want := []Network{{
				Name:     network,
				LedgerID: hiero.LedgerIDFromBytes([]byte{ledgerID}),
				Mirror: &Mirror{
					URL:            &url.URL{Scheme: "https", Host: host},
					GRPCAddress:    HostPort{host, 443},
					GRPCTLS:        true,
					HTTPClient:     defaultHTTPClient(),
					RateLimit:      40,
					MaxConcurrency: 4,
					Timeout:        model.Duration(5 * time.Second),
				},
				Consensus: Consensus{
					TLSPorts:          []int{50212, 443},
					ProbeTimeout:      model.Duration(5 * time.Second),
					ReconnectInterval: model.Duration(5 * time.Minute),
					MaxConcurrency:    10,
					UseProxy:          true,
				},
				BalanceSource: BalanceSourceMirror,
			}}
			for name, text := range map[string]string{
				"in the file without a value": "networks:\n  " + network + ":\n",
				"by the flag, without a file": "",
			} {
				cfg := mustLoad(t, text, Source{Network: network})
				if !reflect.DeepEqual(cfg.Networks, want) {
					t.Errorf("%s: got\n%s", name, cfg)
				}
			}
		})
	}
}

// TestFileWithoutNetworks is what is left of a file that was emptied or cut off.
func TestFileWithoutNetworks(t *testing.T) {
	for text, want := range map[string]string{
		" ":                      "config.yml: has no networks",
		"# nothing\n":            "config.yml: has no networks",
		"---\n":                  "config.yml: has no networks",
		"networks:\n":            "config.yml:1: has no networks",
		"\nnetworks: {}\n":       "config.yml:2: has no networks",
		"collectors: {}\n":       "config.yml: has no networks",
		"networks: nothing\n":    "config.yml:1: networks: must be a mapping",
		"networks:\n  mainnet\n": "config.yml:2: networks: must be a mapping",
	} {
		for _, accounts := range [][]string{nil, {"0.0.98"}} {
			if _, err := loadText(t, text, Source{Accounts: accounts}); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: got %v, want %s", text, err, want)
			}
		}
	}
}

func TestDefaultNetworkIsMainnet(t *testing.T) {
	cfg := mustLoad(t, "", Source{Accounts: []string{"0.0.98=fees"}})
	if len(cfg.Networks) != 1 || cfg.Networks[0].Name != "mainnet" || len(cfg.Networks[0].Accounts) != 1 {
		t.Fatalf("got\n%s", cfg)
	}
}

// TestFull sets every key to something else than its default.
func TestFull(t *testing.T) {
	cfg := mustLoad(t, `collectors:
  address_book: {min_interval: 30s}
  accounts: {min_interval: 0s, exclude: [hedera_account_created_timestamp_seconds, auto_renew_period]}
networks:
  private:
    ledger_id: "0x012a"
    mirror:
      url: http://localhost:5551/prefix/
      java_url: http://localhost:8084
      grpc_address: "[::1]:443"
      grpc_tls: false
      rate_limit: 12.5
      max_concurrency: 3
      timeout: 1m30s
      web3: true
      web3_url: http://localhost:8545/
      others:
        - {name: backup, url: "https://backup.example.com/v1"}
        - {name: paid, url: https://paid.example.com, http_client: {authorization: {credentials_file: key}}}
      http_client:
        follow_redirects: false
        proxy_from_environment: false
        basic_auth: {username: me, password_file: secrets/password}
    consensus:
      tls_ports: [1234]
      probe_timeout: 1s
      reconnect_interval: 1h
      max_concurrency: 7
      use_proxy: false
      nodes:
        - node_id: 7
          account_id: 0.0.10
          description: the node
          certificate_hash: "0xA171E3BA83476747AEB2E2AC4D0E115CAAAB918203B0DFE1CDEAB443438FC289ABC8BA8A6AFF83DB5F1B334046DA88C8"
          endpoints: ["127.0.0.1:50211", "node.example.com:50212"]
    balance_source: consensus
    accounts:
      - {id: 0.0.98, name: fees, thresholds: {critical: 0, warning: 0.00000001, info: "1000.5"}, maximum: {critical: 5000, warning: "1000.6"}}
      - {id: 0.0.123, tokens: all, token_thresholds: {0.0.456858: {warning: 0.000000000000000001, info: 1000.00}, 0.0.9: {critical: 1.50}, 0.0.10: }}
      - {id: 0.0.4, transactions: true, heartbeat: 90m, budget: 2.5, tokens: configured}
      - {id: 0.0.5, allowances: true, cold: true, labels: {team: vault, env: prod}}
    tokens:
      - {id: 0.0.456858, name: usdc, labels: {env: test}}
      - {id: 0.0.123}
    topics: [{id: 0.0.5005, name: audit, heartbeat: 2h, labels: {owner: "a: b"}}]
    contracts: [{id: 0.0.6006, name: bridge, labels: {team: 7}, thresholds: {warning: 10}}]
    schedules: [{creator: 0.0.1001, name: treasury multisig}]
`, Source{})
	wantIntervals := map[string]time.Duration{"address_book": 30 * time.Second, "accounts": 0}
	if !reflect.DeepEqual(cfg.MinInterval, wantIntervals) {
		t.Errorf("min_interval: got %v, want %v", cfg.MinInterval, wantIntervals)
	}
	wantExclude := map[string][]string{"accounts": {"hedera_account_auto_renew_period_seconds", "hedera_account_created_timestamp_seconds"}}
	if !reflect.DeepEqual(cfg.Exclude, wantExclude) {
		t.Errorf("exclude: got %v, want %v", cfg.Exclude, wantExclude)
	}
	if want := []string{"env", "owner", "team"}; !reflect.DeepEqual(cfg.LabelNames, want) {
		t.Errorf("label names: got %v, want %v", cfg.LabelNames, want)
	}
	want := Network{
		Name:     "private",
		LedgerID: hiero.LedgerIDFromBytes([]byte{1, 42}),
		Mirror: &Mirror{
			URL:         &url.URL{Scheme: "http", Host: "localhost:5551", Path: "/prefix"},
			JavaURL:     &url.URL{Scheme: "http", Host: "localhost:8084"},
			Web3:        true,
			Web3URL:     &url.URL{Scheme: "http", Host: "localhost:8545"},
			GRPCAddress: HostPort{"::1", 443},
			HTTPClient: promconfig.HTTPClientConfig{
				BasicAuth:   &promconfig.BasicAuth{Username: "me", PasswordFile: "secrets/password"},
				EnableHTTP2: true,
			},
			RateLimit:      12.5,
			MaxConcurrency: 3,
			Timeout:        model.Duration(90 * time.Second),
			Others: []OtherMirror{
				{Name: "backup", URL: &url.URL{Scheme: "https", Host: "backup.example.com", Path: "/v1"}, HTTPClient: defaultHTTPClient()},
				{Name: "paid", URL: &url.URL{Scheme: "https", Host: "paid.example.com"}, HTTPClient: promconfig.HTTPClientConfig{
					Authorization:   &promconfig.Authorization{Type: "Bearer", CredentialsFile: "key"},
					FollowRedirects: true, EnableHTTP2: true, ProxyConfig: promconfig.ProxyConfig{ProxyFromEnvironment: true},
				}},
			},
		},
		Consensus: Consensus{
			TLSPorts:          []int{1234},
			ProbeTimeout:      model.Duration(time.Second),
			ReconnectInterval: model.Duration(time.Hour),
			MaxConcurrency:    7,
			Nodes: []Node{{
				ID:              7,
				AccountID:       entityID(t, "0.0.10"),
				Description:     "the node",
				CertificateHash: "a171e3ba83476747aeb2e2ac4d0e115caaab918203b0dfe1cdeab443438fc289abc8ba8a6aff83db5f1b334046da88c8",
				Endpoints:       []HostPort{{"127.0.0.1", 50211}, {"node.example.com", 50212}},
			}},
		},
		BalanceSource: BalanceSourceConsensus,
		Accounts: []Account{
			{ID: entityID(t, "0.0.98"), Name: "fees", Thresholds: Thresholds{
				{"info", Amount{100_050_000_000, 8}},
				{"warning", Amount{1, 8}},
				{"critical", Amount{0, 8}},
			}, Maximum: Thresholds{{"warning", Amount{100_060_000_000, 8}}, {"critical", Amount{500_000_000_000, 8}}}},
			{ID: entityID(t, "0.0.123"), Name: "0.0.123", AllTokens: true, TokenThresholds: TokenThresholds{
				{entityID(t, "0.0.9"), Thresholds{{"critical", Amount{15, 1}}}},
				{entityID(t, "0.0.456858"), Thresholds{{"info", Amount{1000, 0}}, {"warning", Amount{1, 18}}}},
			}},
			{ID: entityID(t, "0.0.4"), Name: "0.0.4", Transactions: true, Heartbeat: model.Duration(90 * time.Minute), Budget: &Amount{250_000_000, 8}},
			{ID: entityID(t, "0.0.5"), Name: "0.0.5", Allowances: true, Cold: true, Labels: Labels{"team": "vault", "env": "prod"}},
		},
		Tokens: []Entity{{ID: entityID(t, "0.0.456858"), Name: "usdc", Labels: Labels{"env": "test"}}, {ID: entityID(t, "0.0.123"), Name: "0.0.123"}},
		Topics: []Topic{{Entity: Entity{ID: entityID(t, "0.0.5005"), Name: "audit", Labels: Labels{"owner": "a: b"}}, Heartbeat: model.Duration(2 * time.Hour)}},
		Contracts: []Contract{{
			Entity:     Entity{ID: entityID(t, "0.0.6006"), Name: "bridge", Labels: Labels{"team": "7"}},
			Thresholds: Thresholds{{"warning", Amount{1_000_000_000, 8}}},
		}},
		ScheduleCreators: []ScheduleCreator{{ID: entityID(t, "0.0.1001"), Name: "treasury multisig"}},
	}
	if len(cfg.Networks) != 1 || !reflect.DeepEqual(cfg.Networks[0], want) {
		t.Errorf("got\n%s", cfg)
	}
}

// TestStringRoundTrip loads what String shows, which is complete where nothing
// had to be redacted.
func TestStringRoundTrip(t *testing.T) {
	first := mustLoad(t, `collectors: {address_book: {min_interval: 1m}, accounts: {exclude: [created_timestamp]}}
networks:
  testnet:
    mirror: {grpc_address: "", rate_limit: 0, web3: true, web3_url: "http://web3.example.com", others: [{name: "a: b", url: "https://other.example.com", http_client: {follow_redirects: false}}], http_client: {enable_http2: false, proxy_from_environment: false, tls_config: {ca_file: /ca.pem}}}
    consensus: {tls_ports: [], nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:1"]}]}
    accounts:
      - {id: 0.0.98, name: "a: b", thresholds: {warning: 92233720368.54775806, critical: 10.5}, maximum: {warning: 92233720368.54775807}}
      - {id: 0.0.99, tokens: all, labels: {team: "true", env: "a: b"}}
      - {id: 0.0.100, transactions: true, budget: 0.00000001, token_thresholds: {0.0.1: {info: 10.25, critical: 0.000001}}}
      - {id: 0.0.101, allowances: true}
    tokens: [{id: 0.0.1, name: token, labels: {team: coins}}]
    topics: [{id: 0.0.2, name: topic, labels: {team: audit}}, {id: 0.0.5}]
    contracts: [{id: 0.0.3, name: contract, labels: {team: bridge}, thresholds: {info: 0.5}}]
    schedules: [{creator: 0.0.4, name: creator}]
  mainnet: {}
  solo:
    balance_source: consensus
    consensus: {nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:1"]}]}
    accounts: [{id: 0.0.2}]
`, Source{})
	second := mustLoad(t, first.String(), Source{})
	first.Files, second.Files = nil, nil
	if !reflect.DeepEqual(first, second) {
		t.Errorf("got\n%s\nwant\n%s", second, first)
	}
	var names []string
	for _, n := range first.Networks {
		names = append(names, n.Name)
	}
	if want := []string{"mainnet", "solo", "testnet"}; !reflect.DeepEqual(names, want) {
		t.Errorf("networks are in the order %v, want %v", names, want)
	}
}

// TestEntityChecksums verifies that checksums are those of the network's own
// ledger, and that they are removed.
func TestEntityChecksums(t *testing.T) {
	n := mustLoad(t, `networks:
  testnet:
    tokens: [{id: 0.0.123-esxsf, name: token}]
    topics: [{id: 0.0.123-esxsf, name: topic}]
    contracts: [{id: 0.0.123-esxsf, name: contract}]
    schedules: [{creator: 0.0.123-esxsf}]
`, Source{}).Networks[0]
	got := map[string][]Entity{"token": n.Tokens, "topic": {n.Topics[0].Entity}, "contract": {n.Contracts[0].Entity}, "0.0.123": {{ID: n.ScheduleCreators[0].ID, Name: n.ScheduleCreators[0].Name}}}
	for want, got := range got {
		if !reflect.DeepEqual(got, []Entity{{ID: entityID(t, "0.0.123"), Name: want}}) {
			t.Errorf("got %v, want 0.0.123 with the name %s", got, want)
		}
	}
}

// TestAccountOptions sets each yes/no option of an account by itself.
func TestAccountOptions(t *testing.T) {
	options := 0
	for f := range reflect.TypeFor[Account]().Fields() {
		if f.Type != reflect.TypeFor[bool]() {
			continue
		}
		options++
		key := f.Tag.Get("yaml")
		file := func(value string) string {
			return "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n        " + key + ": " + value + "\n"
		}
		cfg := mustLoad(t, file("true"), Source{})
		want := Account{ID: entityID(t, "0.0.98"), Name: "0.0.98"}
		reflect.ValueOf(&want).Elem().FieldByIndex(f.Index).SetBool(true)
		if got := cfg.Networks[0].Accounts[0]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: true is read as %+v", key, got)
		}
		if !strings.Contains(cfg.String(), "  "+key+": true\n") {
			t.Errorf("%s: true is shown as\n%s", key, cfg)
		}
		_, err := loadText(t, file("yes"), Source{})
		if want := `config.yml:5: networks.mainnet.accounts[0].` + key + `: "yes" is neither true nor false`; err == nil || err.Error() != want {
			t.Errorf("%s: yes: got %v, want %s", key, err, want)
		}
	}
	if options < 3 {
		t.Errorf("found %d options", options)
	}
}

// TestFlagAccountKeepsDefaults adds an account beside one that has everything
// switched on.
func TestFlagAccountKeepsDefaults(t *testing.T) {
	accounts := mustLoad(t, `networks:
  mainnet: {accounts: [{id: 0.0.98, tokens: all, transactions: true, allowances: true}]}
`, Source{Accounts: []string{"0.0.99"}}).Networks[0].Accounts
	want := []Account{
		{ID: entityID(t, "0.0.98"), Name: "0.0.98", AllTokens: true, Transactions: true, Allowances: true},
		{ID: entityID(t, "0.0.99"), Name: "0.0.99"},
	}
	if !reflect.DeepEqual(accounts, want) {
		t.Errorf("got %+v, want %+v", accounts, want)
	}
}

func TestMirrorDefaults(t *testing.T) {
	for _, tc := range []struct {
		name     string
		mirror   string
		wantRate float64
		wantTLS  bool
	}{
		{"paid mirror", `{url: "https://mirror.example.com/key"}`, 0, false},
		{"paid mirror with gRPC", `{url: "https://mirror.example.com/key", grpc_address: "mirror.example.com:443"}`, 0, true},
		{"other public host", `{url: "https://Mainnet-Public.mirrornode.hedera.com"}`, 40, true},
		{"public Java module", `{url: "http://localhost", java_url: "https://testnet.mirrornode.hedera.com"}`, 40, false},
		{"public host, own limit", `{rate_limit: 0}`, 0, true},
		{"self-hosted gRPC", `{grpc_address: "localhost:5600"}`, 40, false},
		{"self-hosted gRPC with TLS", `{grpc_address: "localhost:5600", grpc_tls: true}`, 40, true},
		{"no gRPC", `{grpc_address: ""}`, 40, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := mustLoad(t, "networks:\n  mainnet:\n    mirror: "+tc.mirror+"\n", Source{}).Networks[0].Mirror
			if m.RateLimit != tc.wantRate || m.GRPCTLS != tc.wantTLS {
				t.Errorf("rate_limit %v, grpc_tls %v; want %v, %v", m.RateLimit, m.GRPCTLS, tc.wantRate, tc.wantTLS)
			}
		})
	}
}

func TestNetworkWithoutMirror(t *testing.T) {
	n := mustLoad(t, `networks:
  private:
    balance_source: consensus
    consensus: {nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:50211"]}]}
`, Source{}).Networks[0]
	if n.Mirror != nil || n.LedgerID != nil {
		t.Errorf("mirror %v, ledger %v; want neither", n.Mirror, n.LedgerID)
	}
}

func TestURLFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "etc/secrets/url", "https://mirror.example.com/API-KEY/\n")
	write(t, "etc/config.yml", "networks: {mainnet: {mirror: {url_file: secrets/url}}}\n")
	cfg, err := Load(Source{File: "etc/config.yml"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.Networks[0].Mirror.URL.String(), "https://mirror.example.com/API-KEY"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	cfg := mustLoad(t, `networks:
  mainnet: &common
    mirror: &mirror {timeout: 7s, rate_limit: 5}
    accounts:
      - {id: 0.0.98, thresholds: &low {warning: 10, critical: 1}, labels: &ours {team: treasury, env: prod}}
      - {id: 0.0.99, thresholds: *low, labels: *ours}
      - {id: 0.0.100, thresholds: {<<: *low, warning: 20}, labels: {<<: *ours, env: test}}
  testnet:
    <<: *common
    mirror: {<<: [*mirror, {max_concurrency: 2, timeout: 9s}]}
`, Source{})
	for _, n := range cfg.Networks {
		if time.Duration(n.Mirror.Timeout) != 7*time.Second || n.Mirror.RateLimit != 5 || len(n.Accounts) != 3 {
			t.Errorf("%s: got\n%s", n.Name, cfg)
		}
	}
	if got := cfg.Networks[1].Mirror.MaxConcurrency; got != 2 {
		t.Errorf("max_concurrency: got %d, want 2", got)
	}
	if got, want := cfg.Networks[0].Accounts[2].Labels, (Labels{"team": "treasury", "env": "test"}); !reflect.DeepEqual(got, want) {
		t.Errorf("merged labels: got %v, want %v", got, want)
	}
	last := cfg.Networks[0].Accounts[2].Thresholds
	if last[0].Balance.String() != "20" || last[1].Balance.String() != "1" {
		t.Errorf("merged thresholds: got %v", last)
	}
}

func TestFlags(t *testing.T) {
	const file = "networks: {testnet: {accounts: [{id: 0.0.98, name: fees}]}}\n"
	for _, tc := range []struct {
		name string
		file string
		src  Source
		want map[string][]string // account names by network
	}{
		{"file alone", file, Source{}, map[string][]string{"testnet": {"fees"}}},
		{"network of the file", file, Source{Network: "testnet"}, map[string][]string{"testnet": {"fees"}}},
		{"only network of the file", file, Source{Accounts: []string{"0.0.2"}}, map[string][]string{"testnet": {"fees", "0.0.2"}}},
		{"mainnet among others", "networks: {a: {mirror: {url: 'http://h'}}, mainnet: }\n", Source{Accounts: []string{"0.0.2"}}, map[string][]string{"mainnet": {"0.0.2"}}},
		{"same network", file, Source{Network: "testnet", Accounts: []string{"0.0.2=treasury"}}, map[string][]string{"testnet": {"fees", "treasury"}}},
		{"preset beside the file", file, Source{Network: "mainnet", Accounts: []string{"0.0.98"}}, map[string][]string{"mainnet": {"0.0.98"}, "testnet": {"fees"}}},
		{"no file", "", Source{Network: "testnet", Accounts: []string{"0.0.123-esxsf=a=b"}}, map[string][]string{"testnet": {"a=b"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := map[string][]string{}
			for _, n := range mustLoad(t, tc.file, tc.src).Networks {
				for _, a := range n.Accounts {
					got[n.Name] = append(got[n.Name], a.Name)
				}
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestInexactAmounts(t *testing.T) {
	for text, want := range map[string]error{
		"1e-09":                    hbarUnit.errTooPrecise,
		"1.5e-8":                   hbarUnit.errTooPrecise,
		"0.000000001":              hbarUnit.errTooPrecise,
		"1e11":                     hbarUnit.errTooMuch,
		"1e999":                    hbarUnit.errTooMuch,
		"9.2233720368547758075e10": hbarUnit.errTooPrecise,
		"92233720368.54775808":     hbarUnit.errTooMuch,
		"-1e3":                     errNegative,
	} {
		if got, err := hbarUnit.parse(text); !errors.Is(err, want) {
			t.Errorf("%q = %s, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"1e", "e3", "1e1000", "1e+-3", "0x1p3", ".5e1", "1_000", "Inf"} {
		if got, err := hbarUnit.parse(text); err == nil {
			t.Errorf("%q = %s", text, got)
		}
	}
}

func TestDefaultNetwork(t *testing.T) {
	const private = "{mirror: {url: 'http://127.0.0.1:5551'}}"
	for _, tc := range []struct {
		file string
		src  Source
		want string
	}{
		{"", Source{}, "mainnet"},
		{"", Source{Network: "testnet"}, "testnet"},
		{"networks: {a: " + private + "}\n", Source{}, "a"},
		{"networks: {a: " + private + "}\n", Source{Network: "a"}, "a"},
		{"networks: {a: " + private + ", mainnet: }\n", Source{}, "mainnet"},
		{"networks: {a: " + private + ", b: " + private + "}\n", Source{}, ""},
		{"networks: {a: " + private + ", b: " + private + "}\n", Source{Network: "b"}, "b"},
		{"networks: {a: " + private + "}\n", Source{Network: "testnet", Accounts: []string{"0.0.2"}}, "testnet"},
	} {
		if got := mustLoad(t, tc.file, tc.src).DefaultNetwork; got != tc.want {
			t.Errorf("%q with --network=%s: got %q, want %q", tc.file, tc.src.Network, got, tc.want)
		}
	}
}

func TestHbarAmounts(t *testing.T) {
	for text, tinybar := range map[string]int64{
		"0":                    0,
		"0.00000001":           1,
		"00.10":                10_000_000,
		"1":                    100_000_000,
		"1000.12345678":        100_012_345_678,
		"90071992.54740993":    9_007_199_254_740_993, // 2^53 + 1
		"50000000000":          5_000_000_000_000_000_000,
		"49999999999.99999999": 4_999_999_999_999_999_999,
		"92233720368.54775807": 9_223_372_036_854_775_807,
		// As Helm's toYaml writes them.
		"1e-08":                   1,
		"1.0000005e+06":           100_000_050_000_000,
		"1E3":                     100_000_000_000,
		"9.007199254740993e+7":    9_007_199_254_740_993,
		"0.9e+0":                  90_000_000,
		"9.223372036854775807e10": 9_223_372_036_854_775_807,
		"100000000000e-19":        1,
		"0e+999":                  0,
		"0.000000010":             1,
	} {
		wantAmount(t, hbarUnit, text, Amount{tinybar, 8})
	}
}

func TestTokenAmounts(t *testing.T) {
	for text, want := range map[string]Amount{
		"0":                     {0, 0},
		"0.0":                   {0, 0},
		"1000":                  {1000, 0},
		"1000.50":               {10005, 1},
		"0.000000000000000001":  {1, 18},
		"1.5e-17":               {15, 18},
		"1.25e+03":              {1250, 0},
		"9223372036854775807":   {9_223_372_036_854_775_807, 0},
		"9.223372036854775807":  {9_223_372_036_854_775_807, 18},
		"9007199254740993.5":    {90_071_992_547_409_935, 1}, // beyond 2^53
		"922337203685.47758070": {92_233_720_368_547_758_07, 7},
	} {
		wantAmount(t, tokenUnit, text, want)
	}
}

func wantAmount(t *testing.T, u unit, text string, want Amount) {
	t.Helper()
	got, err := u.parse(text)
	if err != nil || got != want {
		t.Errorf("%q is %+v %s, %v; want %+v", text, got, u.name, err, want)
	}
	again, err := u.parse(got.String())
	if err != nil || again != got {
		t.Errorf("%q is shown as %q, which is not the same", text, got)
	}
}

func TestAmountsCompare(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1", "1.0", 0},
		{"0.1", "0.09", 1},
		{"9223372036854775807", "9.223372036854775807", 1},
		{"9007199254740992", "9007199254740993", -1}, // the same float64
		{"0", "0.000000000000000001", -1},
	} {
		a, _ := tokenUnit.parse(c.a)
		b, _ := tokenUnit.parse(c.b)
		if got, back := a.compare(b), b.compare(a); got != c.want || back != -c.want {
			t.Errorf("%s and %s compare as %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}
