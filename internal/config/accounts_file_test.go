// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// loadWith loads etc/config.yml beside files.
func loadWith(t *testing.T, text string, files map[string]string) (*Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "etc/config.yml", text)
	for name, text := range files {
		write(t, filepath.Join("etc", name), text)
	}
	return loadBothWays(t, Source{File: "etc/config.yml", Collectors: testCollectors})
}

const namesAccountsFile = "networks:\n  mainnet:\n    accounts_file: %s\n    tokens: [{id: 0.0.456858}]\n"

func TestAccountsFile(t *testing.T) {
	want := []Account{
		{
			ID: entityID(t, "0.0.98"), Name: "fees", Labels: Labels{"team": "treasury", "env": "prod"},
			Thresholds: Thresholds{{"warning", Amount{100_000_000_000, 8}}, {"critical", Amount{10_050_000_000, 8}}},
			Maximum:    Thresholds{{"warning", Amount{500_000_000_000, 8}}}, AllTokens: true,
		},
		{ID: entityID(t, "0.0.123"), Name: "0.0.123", Transactions: true, Heartbeat: model.Duration(90 * time.Minute), Budget: &Amount{250_000_000, 8}},
		{
			ID: entityID(t, "0.0.124"), Name: "cold, in a vault", Cold: true, Labels: Labels{"team": "treasury"}, Allowances: true,
			TokenThresholds: TokenThresholds{{entityID(t, "0.0.456858"), Thresholds{{"warning", Amount{5, 0}}, {"critical", Amount{15, 1}}}}},
		},
	}
	const list = `
- {id: 0.0.98, name: fees, labels: {team: treasury, env: prod}, thresholds: {warning: 1000, critical: 100.5}, maximum: {warning: 5000}, tokens: all}
- {id: 0.0.123-vfmkw, transactions: true, heartbeat: 90m, budget: 2.5}
- {id: 0.0.124, name: "cold, in a vault", labels: {team: treasury}, cold: true, allowances: true, token_thresholds: {0.0.456858: {warning: 5, critical: 1.5}}}
`
	const table = `id,name,tokens,transactions,allowances,heartbeat,budget,cold,labels.team,labels.env,thresholds.warning,thresholds.critical,maximum.warning,token_thresholds.0.0.456858.warning,token_thresholds.0.0.456858.critical
0.0.98,fees,all,,false,,,,treasury,prod,1000,100.5,5000,,

0.0.123-vfmkw,,,true,,90m,2.5,,,,,,,,
0.0.124, "cold, in a vault" ,,,true,,,true,treasury,,,,,5,1.5
`
	for name, text := range map[string]string{
		"accounts.yml":    list,
		"lists/more.yaml": list,
		"accounts.csv":    strings.ReplaceAll(table, ` "cold, in a vault" `, `"cold, in a vault"`),
		"upper.csv":       strings.NewReplacer(` "cold, in a vault" `, `"cold, in a vault"`, ",true,true,", ",TRUE,True,", "true", "TRUE", "false", "False", "\n\n", "\n,,,,,,,,,,,,,,\n").Replace(table),
		"excel.csv":       "\ufeff" + strings.ReplaceAll(strings.ReplaceAll(table, ` "cold, in a vault" `, `" cold, in a vault"`), "\n", "\r\n"),
	} {
		cfg, err := loadWith(t, fmt.Sprintf(namesAccountsFile, name), map[string]string{name: text})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := cfg.Networks[0].Accounts; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got\n%s", name, cfg)
		}
		if _, ok := cfg.Files[filepath.Join("etc", name)]; !ok || len(cfg.Files) != 2 || cfg.Files.Changed() {
			t.Errorf("%s: files %v", name, cfg.Files)
		}
		again, err := loadText(t, cfg.String(), Source{})
		if err != nil || !reflect.DeepEqual(again.Networks, cfg.Networks) {
			t.Errorf("%s is shown as, %v\n%s", name, err, cfg)
		}
	}
}

// TestAccountsOfEverywhere: those of the file come between the others.
func TestAccountsOfEverywhere(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "config.yml", "networks: {mainnet: {accounts_file: a.csv, accounts: [{id: 0.0.2}]}, testnet: {accounts_file: a.csv}}\n")
	write(t, "a.csv", "id\n0.0.3\n")
	cfg, err := Load(Source{File: "config.yml", Network: "mainnet", Accounts: []string{"0.0.4"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range cfg.Networks {
		for _, a := range n.Accounts {
			got = append(got, n.Name+" "+a.Name)
		}
	}
	if want := []string{"mainnet 0.0.2", "mainnet 0.0.3", "mainnet 0.0.4", "testnet 0.0.3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAccountsFileErrors(t *testing.T) {
	known := `known: allowances, budget, cold, heartbeat, id, labels.NAME, maximum.critical, maximum.info, maximum.warning, name, thresholds.critical, thresholds.info, thresholds.warning, token_thresholds.ID.critical, token_thresholds.ID.info, token_thresholds.ID.warning, tokens, transactions`
	for _, tc := range []struct {
		name string
		file string
		text string
		want string // one problem on each line
	}{
		{"no file", "gone.csv", "", `etc/config.yml:3: networks.mainnet.accounts_file: "gone.csv" cannot be read: no such file or directory`},
		{"no format", "accounts.txt", "id\n", `etc/config.yml:3: networks.mainnet.accounts_file: "accounts.txt" is not the name of a .csv, .yml or .yaml file`},
		{"a directory", ".", "", `etc/config.yml:3: networks.mainnet.accounts_file: "." is not the name of a .csv, .yml or .yaml file`},
		{"empty CSV", "a.csv", " ", `etc/a.csv:1: does not end with a newline, so it may be cut off: write it under another name and rename it, or end its last line`},
		{"header only", "a.csv", "id,name\n", `etc/a.csv: has no accounts: list at least one, or remove accounts_file`},
		{"blank lines", "a.csv", "\n\n", `etc/a.csv: has no accounts: list at least one, or remove accounts_file`},
		{"empty list", "a.yml", "[]\n", `etc/a.yml: has no accounts: list at least one, or remove accounts_file`},
		{"only a comment", "a.yml", "# nothing\n", `etc/a.yml: has no accounts: list at least one, or remove accounts_file`},
		{"cut off in a number", "a.csv", "id,thresholds.warning\n0.0.98,10", `etc/a.csv:2: does not end with a newline, so it may be cut off: write it under another name and rename it, or end its last line`},
		{"cut off list", "a.yml", "- id: 0.0.9", `etc/a.yml:1: does not end with a newline, so it may be cut off: write it under another name and rename it, or end its last line`},
		{"a whole configuration", "a.yml", "networks:\n  mainnet:\n", `etc/a.yml:1: accounts: must be a list, not a mapping`},
		{"not YAML", "a.yml", "- id: 0.0.98\n\t- id: 0.0.99\n", `etc/a.yml:2: not valid YAML: the indentation has a tab; use spaces only`},
		{"YAML", "a.yml", "- {id: 0.0.98, name: fees}\n- {id: 0.0.99, nam: fees, name: fees}\n- 0.0.100\n", `etc/a.yml:2: accounts[1].name: fees is already at etc/a.yml:1
etc/a.yml:2: accounts[1]: unknown key "nam", did you mean "name"?
etc/a.yml:3: accounts[2]: must be a mapping, not a single value; write {id: 0.0.100}`},
		{"unknown columns", "a.csv", "id,coldd,thresholds.warn,x,labels.,token_thresholds.warning\n0.0.98,a,b,c,d,e\n", `etc/a.csv:1: the column "coldd" is unknown, did you mean "cold"?
etc/a.csv:1: the column "thresholds.warn" is unknown, ` + known + `
etc/a.csv:1: the column "x" is unknown, ` + known + `
etc/a.csv:1: the column "labels." is unknown, ` + known + `
etc/a.csv:1: the column "token_thresholds.warning" is unknown, ` + known},
		{"no id", "a.csv", "name,cold\nfees,true\n", `etc/a.csv:1: has no column id: the first line must have the names of the columns, such as id,name,thresholds.warning`},
		{"no header", "a.csv", "0.0.98,fees\n", `etc/a.csv:1: the column "0.0.98" is unknown, ` + known + `
etc/a.csv:1: the column "fees" is unknown, ` + known},
		{"semicolons", "a.csv", "id;name\n0.0.98;fees\n", `etc/a.csv:1: the column "id;name" is unknown; separate the columns by commas`},
		{"a column twice", "a.csv", "id,name, name\n0.0.98,a,b\n", `etc/a.csv:1: the column "name" is there twice; remove one of them`},
		{"number of values", "a.csv", "id,name\n0.0.98\n0.0.99,a,b\n0.0.x,c\n", `etc/a.csv:2: the line does not have 2 values, as the header has: put those with a comma into quotes
etc/a.csv:3: the line does not have 2 values, as the header has: put those with a comma into quotes
etc/a.csv:4: accounts[2].id: "0.0.x" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum`},
		{"quotes", "a.csv", "id,name\n0.0.98,a \"b\" c\n", `etc/a.csv:2: not valid CSV: column 10: bare " in non-quoted-field; put the value into quotes, and write quotes in it twice`},
		{"an open quote", "a.csv", "id,name\n0.0.98,\"fees\n0.0.99,a\n0.0.100,b\n", `etc/a.csv:2: not valid CSV: a quote that opens on this line is not closed on it; close it, and write quotes in a value twice`},
		{"an open quote before others", "a.csv", "id,name\n0.0.98,\"fees\n0.0.99,\"a\"\n", `etc/a.csv:2: not valid CSV: a quote that opens on this line is not closed on it; close it, and write quotes in a value twice`},
		{"an open quote on the last line", "a.csv", "id,name\n0.0.98,\"fees\n", `etc/a.csv:2: not valid CSV: column 14: extraneous or missing " in quoted-field; put the value into quotes, and write quotes in it twice`},
		{"not UTF-8", "a.csv", "id,name,labels.team\n0.0.98,M\xfcller,\n0.0.99,fees,K\xf6ln\n", `etc/a.csv:2: accounts[0].name: "M\xfcller" is not UTF-8: save the file as CSV UTF-8
etc/a.csv:3: accounts[1].labels.team: "K\xf6ln" is not UTF-8: save the file as CSV UTF-8`},
		{"lines of commas", "a.csv", "id,name\n,\n , \n,,\n", `etc/a.csv: has no accounts: list at least one, or remove accounts_file`},
		{"an account after a line of commas", "a.csv", "id,name,cold\n,,\n0.0.98,fees,YES\n,,\n", `etc/a.csv:3: accounts[0].cold: "YES" is neither true nor false`},
		{"values", "a.csv", "id,name,cold,heartbeat,thresholds.warning,thresholds.critical,labels.job\n0.0.98,fees,yes,1h,10,20,x\n0.0.123-aaaaa,,,,,,\n,none,,,,,\n", `etc/a.csv:2: accounts[0].labels: the label name "job" is that of a label which targets, alerts or other metrics of the exporter have; choose another one
etc/a.csv:2: accounts[0].thresholds.critical: 20 hbar must be less than the 10 hbar of warning on line 2
etc/a.csv:2: accounts[0].cold: "yes" is neither true nor false
etc/a.csv:2: accounts[0].heartbeat: needs transactions: true, without which the account's transactions are not watched
etc/a.csv:3: accounts[1].id: the checksum of 0.0.123 is wrong, on ledger mainnet the id is 0.0.123-vfmkw
etc/a.csv:4: accounts[2].id: is required`},
		{"duplicates", "a.csv", "id,name\n0.0.98,fees\n\n0.0.98,other\n0.0.99,fees\n", `etc/a.csv:4: accounts[1].id: 0.0.98 is already at etc/a.csv:2
etc/a.csv:5: accounts[2].name: fees is already at etc/a.csv:2`},
		{"a token that is not watched", "a.csv", "id,token_thresholds.0.0.5.info\n0.0.98,1\n", `etc/a.csv:2: accounts[0].token_thresholds.0.0.5: is not watched: add the token to the network's tokens, or set tokens: all for the account`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := map[string]string{}
			if tc.text != "" {
				files[tc.file] = tc.text
			}
			_, err := loadWith(t, fmt.Sprintf(namesAccountsFile, tc.file), files)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got\n%v\nwant\n%s", err, tc.want)
			}
		})
	}
}

// TestAccountsInBothPlaces is checked as one list.
func TestAccountsInBothPlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "config.yml", "networks:\n  mainnet:\n    accounts_file: a.csv\n    accounts:\n      - {id: 0.0.98, name: fees, labels: {a: x, b: x, c: x, d: x, e: x, f: x}}\n    ledger_id: zz\n")
	write(t, "a.csv", "id,name,labels.f,labels.g,labels.h,labels.i,labels.j,labels.k\n0.0.98,a,x,x,x,x,x,x\n0.0.99,fees,,,,,,\n1.0.1,,,,,,,\n")
	_, err := Load(Source{File: "config.yml", Accounts: []string{"0.0.98", "0.0.100=a"}})
	want := `config.yml:6: networks.mainnet.ledger_id: "zz" is not a string of hexadecimal bytes such as "0x00"
a.csv:2: accounts[0].id: 0.0.98 is already at config.yml:5
a.csv:2: accounts[0].labels: the label name "k" is one too many: a file may have 10 different ones
a.csv:3: accounts[1].name: fees is already at config.yml:5
a.csv:4: accounts[2].id: 1.0.1 is of another shard or realm than 0.0.98; a network has one shard and one realm, so correct one of the ids
--account "0.0.98": 0.0.98 is already at config.yml:5
--account "0.0.100=a": the name a is already at a.csv:2`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestCSVHasEveryOption holds the columns to the options of an account.
func TestCSVHasEveryOption(t *testing.T) {
	keys := map[string]bool{}
	for f := range reflect.TypeFor[Account]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		keys[key] = true
	}
	for _, key := range csvOptions {
		if !keys[key] {
			t.Errorf("%s is not an option of an account", key)
		}
		delete(keys, key)
	}
	for _, column := range []string{"labels.team", "thresholds.info", "maximum.info", "token_thresholds.0.0.1.info"} {
		path, err := csvKeys(column)
		if err != nil || !keys[path[0]] {
			t.Errorf("%s: %v, %v", column, path, err)
			continue
		}
		delete(keys, path[0])
	}
	if len(keys) > 0 {
		t.Errorf("there is no column for %v", keys)
	}
}
