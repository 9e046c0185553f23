// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestLongLists tells which lists are cut out, and wants each configuration to be as
// it is without.
func TestLongLists(t *testing.T) {
	for _, tc := range []struct {
		name string
		text string
		want string // the lines where lists begin
	}{
		{"one", "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n        name: fees\n\n      # more\n      - {id: 0.0.99}\n    tokens: [{id: 0.0.5}]\n", "4"},
		{"not further in", "networks:\n  mainnet:\n    accounts: # all\n    - id: 0.0.98\n    -\n      id: 0.0.99\n    tokens: []\n", "4"},
		{"several", "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n  testnet:\n    accounts:\n      - id: 0.0.98\n  previewnet:\n    accounts: []\n", "4 7"},
		{"text like elements", "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n        name: >-\n          - one\n          - two\n      - {id: 0.0.99, labels: {team: \"a\n      - b\"}}\n", "4"},
		{"text like a list", "networks:\n  mainnet:\n    consensus: |\n      accounts:\n        - id: 0.0.98\n", ""},
		{"another section", "collectors:\n  accounts:\n    - id: 0.0.98\nnetworks: {mainnet: }\n", "3"},
		{"in braces", "networks: {mainnet: {\n    accounts:\n    - id: 0.0.98\n}}\n", ""},
		{"bad indentation", "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n     tokens: []\n", ""},
		{"bad indentation below", "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n      tokens: []\n", ""},
		{"an error in it", "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n      - {id: 0.0.99\n      - id: 0.0.100\n", "4"},
		{"an anchor", "networks:\n  mainnet:\n    accounts:\n      - &a {id: 0.0.98}\n", ""},
		{"an alias", "networks:\n  mainnet:\n    accounts:\n      - {id: 0.0.98, labels: {\"team\":*a}}\n", ""},
		{"an anchor at the beginning", "&a\nnetworks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n", ""},
		{"an anchor after another", "networks:\n  mainnet:\n    # R&D\n    accounts:\n      - &a {id: 0.0.98}\n", ""},
		{"in words", "networks:\n  mainnet:\n    accounts: # 2*3\n      - {id: 0.0.98, labels: {team: R&D}}\n      - {id: 0.0.99, name: a*}\n", "4"},
		{"of Windows", "networks:\r\n  mainnet:\r\n    accounts:\r\n      - id: 0.0.98\r\n", ""},
		{"two documents", "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n---\na: b\n", ""},
		{"at the end", "networks:\n  mainnet:\n    accounts:", ""},
		{"nothing but a list", "- accounts:\n  - id: 0.0.98\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := &loader{src: Source{File: "config.yml"}, file: "config.yml", cut: &cutting{partBytes: 1, lists: map[*yaml.Node]longList{}}}
			if root, ok := l.parseCut([]byte(tc.text)); !ok {
				l.cut.lists = nil
			} else if root == nil {
				t.Error("no root")
			}
			first := map[int]bool{}
			for _, list := range l.cut.lists {
				first[list.line] = true
			}
			var got []string
			for line := range strings.Count(tc.text, "\n") + 2 {
				if first[line] {
					got = append(got, strconv.Itoa(line))
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("lists at %v, want %s", got, tc.want)
			}
			_, _ = loadText(t, tc.text, Source{})
		})
	}
}

// TestInTurn ends early in some of its cases: no goroutine is left.
func TestInTurn(t *testing.T) {
	for _, take := range []int{1, 3, 999, 1000} {
		want := 0
		for got := range inTurn(slices.Values(numbers(1000)), func(n int) int { return 2 * n }) {
			if got != 2*want {
				t.Fatalf("result %d is %d", want, got)
			}
			if want++; want == take {
				break
			}
		}
		if want != take {
			t.Errorf("%d results, want %d", want, take)
		}
	}
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// TestPartsOfALongList puts an element that is wrong into each part.
func TestPartsOfALongList(t *testing.T) {
	const accounts = 5000
	var list strings.Builder
	var want []string
	for i := range accounts {
		id := fmt.Sprintf("0.0.%d", 1001+i)
		if i%1000 == 999 {
			id = "x"
			want = append(want, fmt.Sprintf(`:%d: accounts[%d].id: "x" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum`, 2*i+1, i))
		}
		fmt.Fprintf(&list, "- id: %s\n  name: account %d\n", id, i)
	}
	t.Chdir(t.TempDir())
	write(t, "config.yml", "networks: {mainnet: {accounts_file: a.yml}}\n")
	write(t, "a.yml", list.String())
	_, err := Load(Source{File: "config.yml"})
	if parts := list.Len() / partBytes; parts < 2 {
		t.Fatalf("%d parts", parts)
	}
	if want := "a.yml" + strings.Join(want, "\na.yml"); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	l := &loader{file: "a.yml", cut: &cutting{partBytes: partBytes, lists: map[*yaml.Node]longList{}}}
	root, ok := l.parseCut([]byte(list.String()))
	if !ok {
		t.Fatal("it is not cut")
	}
	n := 0
	for range l.each(entry{value: root}) {
		n++
	}
	if n != accounts || l.cut.wrong() {
		t.Errorf("%d elements, wrong is %v", n, l.cut.wrong())
	}
}
