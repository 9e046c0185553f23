// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const nftAllowancesPath = allowancesPath + "nfts"

func approveAll(t *testing.T, s *Simulator, owner, spender, token string, approved bool) {
	t.Helper()
	if err := s.Update(func(l *Ledger) error { return l.SetNFTAllowance(NFTAllowance{owner, spender, token, approved}) }); err != nil {
		t.Fatal(err)
	}
}

func TestNFTAllowances(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	want := restNFTAllowance{
		ApprovedForAll: true, Owner: "0.0.1001", Spender: "0.0.1002", TokenID: nftToken,
		Timestamp: TimestampRange{From: formatTimestamp(fixedNow())},
	}
	if list := getJSON[nftAllowanceList](t, s, nftAllowancesPath+"?owner=true&limit=100"); !slices.Equal(list.Allowances, []restNFTAllowance{want}) || list.Links.Next != nil {
		t.Errorf("got %+v", list)
	}
	approveAll(t, s, "0.0.1001", "0.0.1002", nftToken, false)
	approveAll(t, s, "0.0.1001", "0.0.1002", nftToken, false) // twice
	if list := getJSON[nftAllowanceList](t, s, nftAllowancesPath); len(list.Allowances) != 0 || list.Links.Next != nil {
		t.Errorf("after it was withdrawn: %+v", list)
	}
	mustControl(t, s, "PUT", "nft-allowances", `{"owner":"0.0.98","spender":"0.0.1001","token_id":"0.0.5","approved":true}`)
	list := getJSON[nftAllowanceList](t, s, nftAllowancesPath+"?owner=false")
	if len(list.Allowances) != 1 || list.Allowances[0].Owner != "0.0.98" || list.Allowances[0].TokenID != "0.0.5" {
		t.Errorf("of the spender: %+v", list)
	}
	if got := send(t, s, http.MethodGet, nftAllowancesPath, nil); got.header.Get("Cache-Control") != "public, max-age=1" {
		t.Errorf("Cache-Control %q", got.header.Get("Cache-Control"))
	}
}

// TestNFTAllowancePages has the links and rows of the real server's own tests
// (AllowancesControllerTest).
func TestNFTAllowancePages(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	var want []string
	for _, spender := range []string{"0.0.50", "0.0.60", "0.0.70"} {
		for _, token := range []string{"0.0.1", "0.0.2", "0.0.3"} {
			approveAll(t, s, "0.0.1001", spender, token, true)
			approveAll(t, s, "0.0.1000", spender, token, true) // of another owner
			want = append(want, spender+" "+token)
		}
	}
	walk := func(query string) []string {
		var rows []string
		for next := new(nftAllowancesPath + "?" + query); next != nil; {
			page := getJSON[nftAllowanceList](t, s, *next)
			for _, a := range page.Allowances {
				rows = append(rows, a.Spender+" "+a.TokenID)
			}
			next = page.Links.Next
		}
		return rows
	}
	for _, limit := range []string{"1", "2", "4", "9", "100"} {
		wantRows(t, limit, walk("owner=true&limit="+limit), want)
		backwards := walk("order=desc&limit=" + limit)
		slices.Reverse(backwards)
		wantRows(t, limit, backwards, want)
	}
	wantRows(t, "one spender", walk("limit=1&account.id=0.0.60"), want[3:6])
	wantRows(t, "one of both", walk("account.id=60&token.id=0.2"), want[4:5])
	wantRows(t, "bounds of the token at the bounds of the spender", walk("account.id=gte:50&account.id=lte:70&token.id=gt:2&token.id=lt:2"), want[2:7])
	wantRows(t, "spenders between", walk("limit=2&account.id=gt:50&account.id=lt:70"), want[3:6])

	for query, link := range map[string]string{
		"limit=1": "limit=1&account.id=gte:0.0.50&token.id=gt:0.0.1",
		"limit=1&account.id=gte:0.0.50&token.id=gt:0.0.1":                                 "limit=1&account.id=gte:0.0.50&token.id=gt:0.0.2",
		"account.id=gte:0.0.60&account.id=lt:0.0.61&owner=true&limit=1&order=asc":         "account.id=lt:0.0.61&account.id=gte:0.0.60&owner=true&limit=1&order=asc&token.id=gt:0.0.1",
		"account.id=0.0.60&limit=1&order=asc":                                             "account.id=0.0.60&limit=1&order=asc&token.id=gt:0.0.1",
		"account.id=gte:0.0.60&owner=true&token.id=gt:0.0.2&limit=2&order=desc":           "account.id=gte:0.0.60&account.id=lte:0.0.70&owner=true&token.id=gt:0.0.2&token.id=lt:0.0.2&limit=2&order=desc",
		"limit=2&account.id=gte:0.0.50&token.id=0.0.2":                                    "limit=2&token.id=0.0.2&account.id=gt:0.0.60",
		"account.id=gte:0.0.50&account.id=lte:0.0.70&token.id=gt:0.0.2&limit=1&order=asc": "account.id=lte:0.0.70&account.id=gte:0.0.50&limit=1&order=asc&token.id=gt:0.0.3",
	} {
		page := getJSON[nftAllowanceList](t, s, nftAllowancesPath+"?"+query)
		if page.Links.Next == nil || *page.Links.Next != nftAllowancesPath+"?"+link {
			t.Errorf("%s: next is %v, want %s", query, deref(page.Links.Next), link)
		}
	}
}

func deref(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}

func TestNFTAllowanceErrors(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	alias := "CIQAAAH4AY2OFK2FL37TSPYEQGPPUJRP4XTKWHD62HKPQX543DTOFFQ"
	for path, want := range map[string]string{
		"0.0.1001/allowances/nfts?limit=101":                                                    "limit must be less than or equal to 100",
		"0.0.1001/allowances/nfts?limit=-1":                                                     "limit must be greater than 0",
		"0.0.1001/allowances/nfts?limit=0":                                                      "limit must be greater than 0",
		"0.0.1001/allowances/nfts?limit=a":                                                      "Failed to convert 'limit' with value: 'a'",
		"0.0.1001/allowances/nfts?limit=1&limit=2":                                              "Only a single instance is supported for limit",
		"0.0.1001/allowances/nfts?order=dsc":                                                    "Failed to convert 'order' with value: 'dsc'",
		"0.0.1001/allowances/nfts?owner=perhaps":                                                "Failed to convert 'owner' with value: 'perhaps'",
		"0.0.1001/allowances/nfts?account.id=abc":                                               "Failed to convert 'account.id' with value: 'abc'",
		"0.0.1001/allowances/nfts?account.id=1&token.id=0.0.":                                   "Failed to convert 'token.id' with value: '0.0.'",
		"0.0.1001/allowances/nfts?token.id=gt:0.0.1000":                                         "token.id parameter must have account.id present",
		"0.0.1001/allowances/nfts?account.id=gte:0.0.1000&token.id=ne:0.0.1000":                 "Unsupported range operator ne for token.id",
		"0.0.1001/allowances/nfts?account.id=gte:5&token.id=lt:5":                               "Requires the presence of an lte or eq account.id parameter",
		"0.0.1001/allowances/nfts?account.id=lte:5&token.id=gt:5":                               "Requires the presence of an gte or eq account.id parameter",
		"0.0.1001/allowances/nfts?account.id=gt:1&account.id=gte:2":                             "Only one range operator is allowed for the given parameter for account.id",
		"0.0.1001/allowances/nfts?account.id=1&account.id=gte:2":                                "Can't support both range and equal for account.id",
		"0.0.1001/allowances/nfts?account.id=1&account.id=2&account.id=3":                       "account.id size must be between 0 and 2",
		"a.b.c/allowances/nfts":                                                                 "Failed to convert 'id' with value: 'a.b.c'",
		alias + "/allowances/nfts":                                                              "404 No account found for the given ID",
		"0x000000000000000000000000000000000186Fb1b/allowances/nfts":                            "404 No account found for the given ID",
		"0.0.999999/allowances/nfts":                                                            "", // a number is not looked up
		"0.0.1001/allowances/nfts?limit=100&order=DESC&owner=FALSE":                             "",
		"0.0.1001/allowances/nfts?account.id=gte:0.0.1&account.id=lte:0.0.9&token.id=gte:0.0.1": "",
	} {
		status := http.StatusBadRequest
		if text, ok := strings.CutPrefix(want, "404 "); ok {
			status, want = http.StatusNotFound, text
		}
		if want == "" {
			status = http.StatusOK
		}
		got := send(t, s, http.MethodGet, "/api/v1/accounts/"+path, nil)
		if got.status != status || want != "" && !strings.Contains(string(got.body), fmt.Sprintf(`"detail":%q`, want)) {
			t.Errorf("%s: %d %s, want %d %s", path, got.status, got.body, status, want)
		}
	}
	for _, wrong := range []NFTAllowance{
		{Owner: "x", Spender: "0.0.1", TokenID: "0.0.2"},
		{Owner: "0.0.1", Spender: "x", TokenID: "0.0.2"},
		{Owner: "0.0.1", Spender: "0.0.2", TokenID: "x"},
	} {
		if err := s.Update(func(l *Ledger) error { return l.SetNFTAllowance(wrong) }); err == nil {
			t.Errorf("%+v was accepted", wrong)
		}
	}
}
