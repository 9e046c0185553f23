// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func setMirror(t *testing.T, s *Simulator, settings MirrorSettings) {
	t.Helper()
	if err := s.Update(func(l *Ledger) error { return l.SetMirror(settings) }); err != nil {
		t.Fatal(err)
	}
}

func TestLoweredLimits(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 30})
	setMirror(t, s, MirrorSettings{MaxLimit: 10, MaxRepeated: 3})
	for _, query := range []string{"", "?limit=100"} {
		if got := getJSON[accountList](t, s, "/api/v1/accounts"+query); len(got.Accounts) != 10 || got.Links.Next == nil {
			t.Errorf("%s: got %d rows, next %v", query, len(got.Accounts), got.Links.Next)
		}
	}
	const ids = "account.id=0.0.2&account.id=0.0.98&account.id=0.0.800"
	if got := getJSON[accountList](t, s, "/api/v1/accounts?"+ids); len(got.Accounts) != 3 {
		t.Errorf("got %+v", got)
	}
	got := send(t, s, http.MethodGet, "/api/v1/accounts?account.id=0.0.1001&"+ids, nil)
	const want = `{"_status":{"messages":[{"message":"Array limit exceeded. Only 3 elements allowed in an array."}]}}`
	if got.status != 400 || string(got.body) != want {
		t.Errorf("got %d %s, want %s", got.status, got.body, want)
	}
}

func TestHostInLinks(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	setMirror(t, s, MirrorSettings{HostInLinks: true})
	want := s.URL() + "/api/v1/blocks?limit=1&block.number=lt:"
	got := send(t, s, http.MethodGet, "/api/v1/blocks?limit=1", nil)
	if !strings.Contains(string(got.body), want) || !strings.HasPrefix(got.header.Get("Link"), "<"+want) {
		t.Errorf("got %s and %s, want %s in them", got.body, got.header.Get("Link"), want)
	}
}

// A mirror of old transactions lists those of 60 days, from the end where the
// list begins, and links to the rest even where it is empty.
func TestTransactionWindow(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	const day = 24 * time.Hour
	addTransactions(t, s,
		Transaction{Consensus: at(-100 * day), Payer: "0.0.98"},
		Transaction{Consensus: at(-99 * day), Payer: "0.0.2"},
		Transaction{Consensus: at(-time.Second), Payer: "0.0.2"})
	type page struct {
		rows int
		next string
	}
	get := func(query string) page {
		list := getJSON[transactionList](t, s, "/api/v1/transactions?"+query)
		got := page{rows: len(list.Transactions)}
		if list.Links.Next != nil {
			got.next = *list.Links.Next
		}
		return got
	}
	end, begin := formatTimestamp(at(-60*day)), formatTimestamp(at(-40*day))
	for query, want := range map[string]page{
		"account.id=0.0.98":                             {0, "/api/v1/transactions?account.id=0.0.98&timestamp=lt:" + end},
		"account.id=0.0.2":                              {1, "/api/v1/transactions?account.id=0.0.2&timestamp=lt:" + end},
		"order=asc":                                     {2, "/api/v1/transactions?order=asc&timestamp=gt:" + begin},
		"account.id=0.0.98&timestamp=lt:" + end:         {1, ""},
		"timestamp=gte:" + formatTimestamp(at(-10*day)): {1, ""},
		"timestamp=" + formatTimestamp(at(-100*day)):    {1, ""},
		"limit=1&account.id=0.0.2":                      {1, "/api/v1/transactions?limit=1&account.id=0.0.2&timestamp=lt:" + formatTimestamp(at(-time.Second))},
	} {
		if got := get(query); got != want {
			t.Errorf("%s: got %+v, want %+v", query, got, want)
		}
	}
	setMirror(t, s, MirrorSettings{OpenRange: true})
	if got := get("account.id=0.0.98"); got != (page{1, ""}) {
		t.Errorf("open range: got %+v", got)
	}
}

func TestStartingMirror(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	setMirror(t, s, MirrorSettings{Starting: true})
	for path, want := range map[string]string{
		"blocks?limit=1&order=desc":  `200 {"blocks":[],"links":{"next":null}}`,
		"transactions":               `200 {"transactions":[],"links":{"next":null}}`,
		"accounts?account.id=0.0.98": `200 {"accounts":[],"links":{"next":null}}`,
		"balances":                   `200 {"timestamp":null,"balances":[],"links":{"next":null}}`,
		"accounts/0.0.98":            `404 {"_status":{"messages":[{"message":"Not found"}]}}`,
		"network/supply":             `404 {"_status":{"messages":[{"message":"Not Found","detail":"Network supply not found"}]}}`,
		"network/exchangerate":       `404 {"_status":{"messages":[{"message":"Not Found","detail":"File 0.0.112 not found"}]}}`,
		"network/fees":               `404 {"_status":{"messages":[{"message":"Not Found","detail":"File 0.0.113 not found"}]}}`,
	} {
		got := send(t, s, http.MethodGet, "/api/v1/"+path, nil)
		if text := fmt.Sprintf("%d %s", got.status, got.body); text != want {
			t.Errorf("%s: got %s, want %s", path, text, want)
		}
	}
	if got := getJSON[nodeList](t, s, "/api/v1/network/nodes"); len(got.Nodes) != 1 {
		t.Errorf("got %d nodes", len(got.Nodes))
	}
	setMirror(t, s, MirrorSettings{})
	if got := getJSON[accountList](t, s, "/api/v1/accounts?account.id=0.0.98"); len(got.Accounts) != 1 {
		t.Error("the mirror does not start")
	}
}

func TestPartialMirror(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	setMirror(t, s, MirrorSettings{Missing: optionalRoutes})
	for _, route := range optionalRoutes {
		if got := send(t, s, http.MethodGet, "/api/v1/network/"+route, nil); got.status != 404 {
			t.Errorf("%s: got %d", route, got.status)
		}
	}
	err := s.Update(func(l *Ledger) error { return l.HoldUnknownToken("0.0.7", "0.0.98", 5) })
	if err != nil {
		t.Fatal(err)
	}
	const row = `{"automatic_association":false,"balance":5,"created_timestamp":"1795435201.000000000","decimals":null,` +
		`"freeze_status":null,"kyc_status":null,"token_id":"0.0.7"}`
	if got := send(t, s, http.MethodGet, "/api/v1/accounts/0.0.98/tokens", nil); !strings.Contains(string(got.body), row) {
		t.Errorf("got %s, want %s in it", got.body, row)
	}
	if got := send(t, s, http.MethodGet, "/api/v1/tokens/0.0.7", nil); got.status != 404 || slices.Contains(s.TokenIDs(), "0.0.7") {
		t.Errorf("the token is known: %d", got.status)
	}
	for _, err := range []error{
		s.Update(func(l *Ledger) error { return l.HoldUnknownToken(usdToken, "0.0.98", 5) }),
		s.Update(func(l *Ledger) error { return l.HoldUnknownToken("0.0.7", "0.0.999", 5) }),
		s.Update(func(l *Ledger) error { return l.SetTokenSupply("0.0.7", 5) }),
		s.Update(func(l *Ledger) error { return l.SetMirror(MirrorSettings{Missing: []string{"nodes"}}) }),
		s.Update(func(l *Ledger) error { return l.SetMirror(MirrorSettings{MaxLimit: -1}) }),
		s.Update(func(l *Ledger) error { return l.SetReplicaLag(-1) }),
	} {
		if err == nil {
			t.Error("nonsense was accepted")
		}
	}
}

func TestReplicas(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	if err := s.Update(func(l *Ledger) error { return l.SetReplicaLag(2) }); err != nil {
		t.Fatal(err)
	}
	first := addBlock(s).Number
	change := func(l *Ledger) error {
		_, err := l.AddTopicMessage(busyTopic, fixedNow())
		for _, err := range []error{err, l.SetBalance("0.0.1001", 7), l.SetTokenBalance(usdToken, "0.0.1001", 7)} {
			if err != nil {
				return err
			}
		}
		return l.AddTransaction(Transaction{Payer: "0.0.1001"})
	}
	if err := s.Update(change); err != nil {
		t.Fatal(err)
	}
	numbers := func() []int64 {
		var seen []int64
		for range 4 {
			seen = append(seen, getJSON[blockList](t, s, "/api/v1/blocks?limit=1").Blocks[0].Number)
		}
		return seen
	}
	if got := numbers(); !slices.Equal(got, []int64{first - 1, first, first - 1, first}) {
		t.Errorf("blocks are %v, want %d and %d in turn", got, first-1, first)
	}
	for _, path := range []string{
		"accounts?account.id=0.0.1001", "topics/" + busyTopic + "/messages?order=desc&limit=1",
		"transactions?account.id=0.0.1001", "tokens/" + usdToken + "/balances?account.id=0.0.1001",
	} {
		older, newer := send(t, s, http.MethodGet, "/api/v1/"+path, nil), send(t, s, http.MethodGet, "/api/v1/"+path, nil)
		if string(older.body) == string(newer.body) {
			t.Errorf("%s: the replicas agree: %s", path, older.body)
		}
	}
	addBlock(s)
	last := addBlock(s).Number // the older one would be 3 behind
	if got := numbers(); !slices.Equal(got, []int64{last, last, last, last}) {
		t.Errorf("blocks are %v, want %d", got, last)
	}
	if err := s.Update(func(l *Ledger) error { return l.SetReplicaLag(0) }); err != nil {
		t.Fatal(err)
	}
	last = addBlock(s).Number
	if got := numbers(); got[0] != last || got[1] != last {
		t.Errorf("one mirror: blocks are %v, want %d", got, last)
	}
}

// A network of another shard and realm has its address book in a file of them.
func TestAnotherShardAndRealm(t *testing.T) {
	s := startStatic(t, Options{Nodes: 2, Accounts: 3, Shard: 5, Realm: 7})
	if got := s.AccountIDs(); !slices.Contains(got, "5.7.1001") || got[0] != "5.7.2" {
		t.Errorf("accounts are %v", got)
	}
	book := getJSON[nodeList](t, s, "/api/v1/network/nodes")
	if book.Nodes[0].FileID != "5.7.102" || book.Nodes[0].NodeAccountID != "5.7.3" {
		t.Errorf("got %+v", book.Nodes[0])
	}
	for query, want := range map[string]int{
		"account.id=5.7.98": 1, "account.id=7.98": 1, "account.id=98": 0, "account.id=0.0.98": 0, "account.id=1.2.98": 0,
	} {
		if got := getJSON[accountList](t, s, "/api/v1/accounts?"+query); len(got.Accounts) != want {
			t.Errorf("%s: got %d accounts, want %d", query, len(got.Accounts), want)
		}
	}
	for _, tc := range []struct {
		file *services.FileID
		want codes.Code
	}{
		{&services.FileID{ShardNum: 5, RealmNum: 7, FileNum: 102}, codes.OK},
		{&services.FileID{FileNum: 102}, codes.InvalidArgument},
	} {
		nodes, err := getNodes(testContext(t), t, s, &mirror.AddressBookQuery{FileId: tc.file})
		if status.Code(err) != tc.want {
			t.Errorf("%v: got %v, want %s", tc.file, err, tc.want)
		}
		if err == nil && (len(nodes) != 2 || nodes[0].GetNodeAccountId().GetRealmNum() != 7) {
			t.Errorf("got %v", nodes)
		}
	}
	question := costQuery(2)
	question.GetCryptoGetInfo().AccountID = &services.AccountID{
		ShardNum: 5, RealmNum: 7, Account: &services.AccountID_AccountNum{AccountNum: 2},
	}
	conn := dialGRPC(t, endpointOf(t, s.Nodes()[0], false), nil)
	if header := accountInfoHeader(t, conn, question); header.GetNodeTransactionPrecheckCode() != services.ResponseCodeEnum_OK {
		t.Errorf("got %s", header.GetNodeTransactionPrecheckCode())
	}
	if written := string(s.ExporterConfig()); strings.Contains(written, "id: 0.0.") || !strings.Contains(written, "id: 5.7.456858\n        name: usd") {
		t.Errorf("the exporter's configuration is %s", written)
	}
	for _, opts := range []Options{{Shard: 1024}, {Shard: -1}, {Realm: 65536}} {
		if other, err := Start(opts); err == nil {
			t.Errorf("%+v: no error", opts)
			_ = other.Close()
		}
	}
}

func TestOddEndpoints(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	node := s.Nodes()[0].NodeID
	for _, endpoint := range []ServiceEndpoint{{Port: 50211}, {DomainName: "node.invalid", Port: 50211}, {IPAddressV4: "192.0.2.1", Port: 1}} {
		if err := s.Update(func(l *Ledger) error { return l.AddServiceEndpoint(node, endpoint) }); err != nil {
			t.Fatal(err)
		}
	}
	rest := getJSON[nodeList](t, s, "/api/v1/network/nodes").Nodes[0].ServiceEndpoints
	if got := rest[len(rest)-3]; got != (ServiceEndpoint{Port: 50211}) {
		t.Errorf("got %+v", got)
	}
	nodes, err := getNodes(testContext(t), t, s, bookQuery(102, 0))
	if err != nil {
		t.Fatal(err)
	}
	all := nodes[0].GetServiceEndpoint()
	if got := all[len(all)-3]; len(got.GetIpAddressV4()) != 0 || got.GetDomainName() != "" || got.GetPort() != 50211 {
		t.Errorf("got %v", got)
	}
	if got := all[len(all)-2]; got.GetDomainName() != "node.invalid" {
		t.Errorf("got %v", got)
	}
	for _, err := range []error{
		s.Update(func(l *Ledger) error { return l.AddServiceEndpoint(999, ServiceEndpoint{}) }),
		s.Update(func(l *Ledger) error { return l.AddServiceEndpoint(node, ServiceEndpoint{IPAddressV4: "::1"}) }),
		s.Update(func(l *Ledger) error { return l.AddServiceEndpoint(node, ServiceEndpoint{Port: 65536}) }),
	} {
		if err == nil {
			t.Error("nonsense was accepted")
		}
	}
	setMirror(t, s, MirrorSettings{NoAddressBook: true})
	nodes, err = getNodes(testContext(t), t, s, bookQuery(102, 0))
	if got := getJSON[nodeList](t, s, "/api/v1/network/nodes"); len(got.Nodes) != 0 || len(nodes) != 0 || err != nil {
		t.Errorf("the empty book has %v and %v, %v", got.Nodes, nodes, err)
	}
}
