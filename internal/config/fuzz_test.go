// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad wants no panic, problems of one line each, and of what is accepted
// that it can be shown.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"",
		"networks:",
		"networks: {mainnet: {accounts: [{id: 0.0.98, name: fees, thresholds: {warning: 1000, critical: 100}}]}}",
		"networks: {testnet: {accounts: [{id: 0.0.123-esxsf}]}}",
		"networks: {a: &a {mirror: {url: 'http://h:1/p', java_url: 'http://h', grpc_address: 'h:1', rate_limit: 0.5}}, b: *a}",
		"networks: {a: {balance_source: consensus, consensus: {tls_ports: [1], nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ['h:1']}]}}}",
		"networks: {mainnet: {<<: [{ledger_id: 0x01}, {mirror: {timeout: 1m}}]}}",
		"networks: {mainnet: {mirror: {http_client: {basic_auth: {username: u, password_file: f}, tls_config: {min_version: TLS13}}}}}",
		"networks: {mainnet: {mirror: {http_client: {oauth2: {client_id: a, token_url: 'http://t', claims: {a: [1, {b: c}]}}, proxy_url: 'http://p'}}}}",
		"networks: {mainnet: {mirror: {http_client: &h {oauth2: {claims: {a: *h}}}}}}",
		"networks: {mainnet: {operator_id: 0.0.2, accounts: [{id: 0.0.98, thresholds: {warning: 1.5e+06, info: 1e-8}}]}}",
		"networks: {mainnet: {accounts: [{id: 0.0.98, tokens: all, transactions: true, allowances: false}, {id: 0.0.2, tokens: configured}]}}",
		"networks: {testnet: {tokens: [{id: 0.0.123-esxsf, name: usdc}, {id: 0.0.124}], topics: [{id: 0.0.5005, name: audit}]}}",
		"networks: {mainnet: {contracts: [{id: 0.0.6006}, {id: 0.0.6006}], schedules: [{creator: 0.0.1001, name: a}, {creator: 0.0.1002, name: a}]}}",
		"networks: {a: {balance_source: consensus, consensus: {nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ['h:1']}]}, topics: [{id: 0.0.1}]}}",
		"collectors: {address_book: {min_interval: 60s}, accounts: {exclude: [created_timestamp, a, created_timestamp]}}",
		"networks:\n  mainnet:\n    accounts: # all\n      - id: 0.0.98\n        name: |\n          - a\n\n      # more\n      -\n        id: 0.0.99\n    tokens: []\n  testnet:\n    accounts:\n    - {id: 0.0.1}\n    - id: 0.0.2\n",
		"networks:\n  mainnet:\n    accounts:", "accounts:\n- a\n", "collectors:\n  accounts:\n  - a\n", "networks: {mainnet: {\n accounts:\n - id: 0.0.1\n}}\n", "networks:\n  mainnet:\n    accounts:\n    - id: \"0.0.1\n    - b\"\n",
		"a: *b", "--- a\n--- b", "? [a]\n: b", "\xff\xfe\x00", "!!binary a: b", "a:\n\tb",
	} {
		f.Add(seed, "0.0.98=fees")
	}
	file := filepath.Join(f.TempDir(), "config.yml")
	f.Fuzz(func(t *testing.T, text, flag string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		src := Source{File: file, Accounts: []string{flag}, Collectors: testCollectors}
		cfg, err := loadBothWays(t, src)
		if err == nil {
			checkLoaded(t, cfg)
			return
		}
		var problems *Errors
		if !errors.As(err, &problems) || len(problems.Problems) == 0 {
			t.Fatalf("the error is %#v, not *Errors with problems", err)
		}
		if got := strings.Count(err.Error(), "\n") + 1; got != min(len(problems.Problems), maxShown+1) {
			t.Errorf("%d problems on %d lines:\n%v", len(problems.Problems), got, err)
		}
		for _, p := range problems.Problems {
			if p.Where == file && p.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+2 {
				t.Errorf("line %d is beyond the end: %s", p.Line, p)
			}
		}
	})
}

// FuzzAccountsFile wants the same of files of accounts, and problems on lines that
// there are.
func FuzzAccountsFile(f *testing.F) {
	for _, seed := range []string{
		"",
		"id\n",
		"id,name\n0.0.98,fees\n0.0.99,\n",
		"\ufeffid, name \r\n0.0.98, fees\r\n",
		"id,name,tokens,transactions,allowances,heartbeat,budget,cold\n0.0.98,fees,all,true,false,1h,2.5,true\n",
		"id,labels.team,thresholds.warning,thresholds.critical,maximum.info,token_thresholds.0.0.5.info\n0.0.98,a,10,1,100,7\n,,,,,\n",
		"id,name\n0.0.98,\"a \"\"quoted\"\",\nname\"\n", "id,name\n0.0.98,a \"b\"\n", "id,name\n0.0.98\n", "id,id\n1,2\n", "id;name\n", "\"",
		"id,labels.a,labels.a.b,labels.\n0.0.98,1,2,3\n", "id,token_thresholds..info\n0.0.98,1\n",
		"- {id: 0.0.98, name: fees}\n- id: 0.0.99\n", "- 0.0.98\n", "[]\n", "a: b\n", "- &a {id: 0.0.1}\n- *a\n", "--- []\n--- []\n",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, isCSV bool) {
		name := filepath.Join(dir, "accounts.yml")
		if isCSV {
			name = filepath.Join(dir, "accounts.csv")
		}
		file := filepath.Join(dir, "config.yml")
		for name, text := range map[string]string{name: text, file: "networks: {mainnet: {accounts_file: " + filepath.Base(name) + "}}\n"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, err := loadBothWays(t, Source{File: file})
		if err == nil {
			checkLoaded(t, cfg)
			if len(cfg.Networks[0].Accounts) == 0 {
				t.Error("a file without accounts is accepted")
			}
			return
		}
		var problems *Errors
		if !errors.As(err, &problems) || len(problems.Problems) == 0 {
			t.Fatalf("the error is %#v, not *Errors with problems", err)
		}
		for _, p := range problems.Problems {
			if p.Where != name || p.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+2 {
				t.Errorf("the place is not in the file: %s", p)
			}
		}
	})
}

func checkLoaded(t *testing.T, cfg *Config) {
	t.Helper()
	if len(cfg.Networks) == 0 {
		t.Error("no network")
	}
	if text := cfg.String(); !strings.HasPrefix(text, "collectors:") && !strings.HasPrefix(text, "networks:") {
		t.Errorf("String shows %q", text)
	}
	for _, n := range cfg.Networks {
		names := map[string]bool{}
		for _, a := range n.Accounts {
			names[a.Name] = true
			checkID(t, a.ID)
		}
		if len(names) != len(n.Accounts) {
			t.Errorf("names are not unique: %v", n.Accounts)
		}
		lists := [3][]Entity{}
		for _, topic := range n.Topics {
			lists[0] = append(lists[0], topic.Entity)
		}
		for _, creator := range n.ScheduleCreators {
			lists[1] = append(lists[1], Entity{ID: creator.ID, Name: creator.Name})
		}
		for _, contract := range n.Contracts {
			lists[2] = append(lists[2], contract.Entity)
		}
		for _, entities := range append(lists[:], n.Tokens) {
			checkEntities(t, entities)
		}
	}
}

func checkEntities(t *testing.T, entities []Entity) {
	t.Helper()
	ids, names := map[EntityID]bool{}, map[string]bool{}
	for _, e := range entities {
		ids[e.ID], names[e.Name] = true, true
		checkID(t, e.ID)
	}
	if len(ids) != len(entities) || len(names) != len(entities) {
		t.Errorf("ids or names are not unique: %v", entities)
	}
}

func checkID(t *testing.T, id EntityID) {
	t.Helper()
	again, err := ParseEntityID(id.String())
	if err != nil || again != id || id.IsZero() || id.AccountID().String() != id.String() {
		t.Errorf("id %q is read as %v, %v", id, again, err)
	}
}

// FuzzAmount wants amounts to survive a round trip.
func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"0", "1000", "0.00000001", "92233720368.54775807", "-1", "1e9", ".", "1."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, u := range []unit{hbarUnit, tokenUnit} {
			amount, err := u.parse(text)
			if err != nil {
				continue
			}
			again, err := u.parse(amount.String())
			if err != nil || again != amount || amount.Units < 0 || amount.Decimals > u.decimals {
				t.Errorf("%q is %d units of %s, then %d, %v", text, amount.Units, u.name, again.Units, err)
			}
		}
	})
}
