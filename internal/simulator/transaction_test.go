// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// at is a time of consensus in static networks, after all blocks they have.
func at(offset time.Duration) time.Time { return fixedNow().Add(offset) }

func addTransactions(t *testing.T, s *Simulator, transactions ...Transaction) {
	t.Helper()
	for _, transaction := range transactions {
		if err := s.Update(func(l *Ledger) error { return l.AddTransaction(transaction) }); err != nil {
			t.Fatal(err)
		}
	}
}

// wantRows compares what a list has.
func wantRows[T comparable](t *testing.T, query string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%q: got %v, want %v", query, got, want)
	}
}

// payers are the payers of a page, in its order.
func payers(list transactionList) []string {
	names := make([]string, len(list.Transactions))
	for i, row := range list.Transactions {
		names[i], _, _ = strings.Cut(row.TransactionID, "-")
	}
	return names
}

func TestTransactionFilters(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	addTransactions(t, s,
		Transaction{Consensus: at(3), Payer: "0.0.3", Name: contractCall, Result: "CONTRACT_REVERT_EXECUTED"},
		Transaction{Consensus: at(1), Payer: "0.0.1", Transfers: map[string]int64{"0.0.1": -5, "0.0.9": 5}},
		Transaction{Consensus: at(2), Payer: "0.0.2", Name: submitMessage},
		Transaction{Consensus: at(4), Payer: "0.0.4", Transfers: map[string]int64{"0.0.9": -1}, Result: "FEE_SCHEDULE_FILE_PART_UPLOADED"},
		Transaction{Consensus: at(5), Payer: "0.0.5", TokenTransfers: []TokenTransfer{{Account: "0.0.9", Amount: 7, TokenID: usdToken}}},
	)
	stamp := func(n time.Duration) string { return formatTimestamp(at(n)) }
	for _, tc := range []struct{ query, want string }{
		{"", "0.0.5 0.0.4 0.0.3 0.0.2 0.0.1"},
		{"order=asc&limit=2", "0.0.1 0.0.2"},
		{"account.id=0.0.2", "0.0.2"},
		{"account.id=0.0.2&account.id=0.0.3&order=asc", "0.0.2 0.0.3"},
		{"account.id=0.0.9", "0.0.5 0.0.4 0.0.1"},
		{"account.id=0.0.9&type=credit", "0.0.5 0.0.1"},
		{"account.id=0.0.9&type=debit", "0.0.4"},
		{"account.id=0.0.1&type=credit", ""},
		{"account.id=0.0.77", ""},
		{"result=fail", "0.0.3"},
		{"result=success&order=asc", "0.0.1 0.0.2 0.0.4 0.0.5"},
		{"transactiontype=contractcall&transactiontype=CONSENSUSSUBMITMESSAGE", "0.0.3 0.0.2"},
		{"timestamp=gt:" + stamp(2) + "&timestamp=lte:" + stamp(4), "0.0.4 0.0.3"},
		{"timestamp=gte:" + stamp(4), "0.0.5 0.0.4"},
		{"timestamp=lt:" + stamp(2), "0.0.1"},
		{"timestamp=" + stamp(2), "0.0.2"},
	} {
		got := strings.Join(payers(getJSON[transactionList](t, s, "/api/v1/transactions?"+tc.query)), " ")
		if got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.query, got, tc.want)
		}
	}
	for _, query := range []string{
		"result=maybe", "type=gift", "transactiontype=NOSUCHTYPE", "timestamp=now", "account.id=x", "limit=0", "nonce=1",
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/transactions?"+query, nil); got.status != 400 {
			t.Errorf("%q: got %d, want 400", query, got.status)
		}
	}

	// The account's own list is the same.
	addTransactions(t, s, Transaction{Consensus: at(6), Payer: "0.0.1001"})
	detail := getJSON[accountDetail](t, s, "/api/v1/accounts/0.0.1001?limit=1")
	if len(detail.Transactions) != 1 || detail.Links.Next == nil ||
		*detail.Links.Next != "/api/v1/accounts/0.0.1001?limit=1&timestamp=lt:"+stamp(6) {
		t.Errorf("account: got %+v, next %v", detail.Transactions, detail.Links.Next)
	}
}

func TestTransactionShape(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	parent := time.Unix(1_700_000_010, 5)
	addTransactions(t, s,
		Transaction{Consensus: time.Unix(1_700_000_002, 500_000_007), Payer: "98", Fee: 12, Transfers: map[string]int64{"0.0.98": -12, "0.0.3": 12}, EntityID: "0.0.7"},
		Transaction{Consensus: parent.Add(1), Payer: "0.0.98", Name: contractCall, Nonce: 1, Parent: parent, Scheduled: true},
	)
	body := string(send(t, s, http.MethodGet, "/api/v1/transactions?order=asc", nil).body)
	for _, want := range []string{
		`"charged_tx_fee":12,"consensus_timestamp":"1700000002.500000007","entity_id":"0.0.7"`,
		`"max_fee":"200000000"`, `"valid_duration_seconds":"120"`, `"valid_start_timestamp":"1700000000.000000007"`,
		`"name":"CRYPTOTRANSFER"`, `"result":"SUCCESS"`, `"node":"0.0.3","nonce":0,"parent_consensus_timestamp":null`,
		`"transaction_id":"0.0.98-1700000000-000000007"`, `"token_transfers":[]`,
		`"transfers":[{"account":"0.0.3","amount":12,"is_approval":false},{"account":"0.0.98","amount":-12,"is_approval":false}]`,
		`"node":null,"nonce":1,"parent_consensus_timestamp":"1700000010.000000005","result":"SUCCESS","scheduled":true`,
		`"transaction_id":"0.0.98-1700000007-500000005"`, `"entity_id":null`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got %s, want %s in it", body, want)
		}
	}
}

// The next link names the last row's time, so that it passes over rows of the
// same time.
func TestPagesLoseEqualTimestamps(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for i := range 5 {
		addTransactions(t, s, Transaction{Consensus: at(time.Duration(i / 3)), Payer: fmt.Sprintf("0.0.%d", i+1)})
	}
	for order, want := range map[string][]string{
		"asc":  {"0.0.1", "0.0.2", "0.0.4", "0.0.5"},
		"desc": {"0.0.5", "0.0.4", "0.0.3", "0.0.2"},
	} {
		var all []string
		for next := new("/api/v1/transactions?limit=2&order=" + order); next != nil; {
			page := getJSON[transactionList](t, s, *next)
			all = append(all, payers(page)...)
			next = page.Links.Next
		}
		wantRows(t, order, all, want)
	}
	first := getJSON[transactionList](t, s, "/api/v1/transactions?limit=2&order=asc&timestamp=gt:1")
	if want := "/api/v1/transactions?limit=2&order=asc&timestamp=gt:" + formatTimestamp(at(0)); *first.Links.Next != want {
		t.Errorf("next is %s, want %s", *first.Links.Next, want)
	}
}

// AccountTotals and the REST API tell the same story of a random history.
func TestAccountTotals(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	rng := rand.New(rand.NewPCG(7, 7))
	account := func() string { return fmt.Sprintf("0.0.%d", 1+rng.IntN(6)) }
	for i := range 150 {
		transaction := Transaction{Consensus: at(time.Duration(i)), Payer: account(), Fee: rng.Int64N(100)}
		if rng.IntN(3) == 0 {
			transaction.Name, transaction.Result = contractCall, "CONTRACT_REVERT_EXECUTED"
		} else {
			transaction.Transfers = map[string]int64{account(): 1 + rng.Int64N(9), account(): -1 - rng.Int64N(9)}
		}
		addTransactions(t, s, transaction)
	}
	for num := range 7 {
		id := fmt.Sprintf("0.0.%d", num)
		want := Totals{ByTypeResult: map[[2]string]int64{}}
		for next := new("/api/v1/transactions?limit=100&order=asc&account.id=" + id); next != nil; {
			page := getJSON[transactionList](t, s, *next)
			for _, row := range page.Transactions {
				want.add(t, id, row)
			}
			next = page.Links.Next
		}
		if got := s.AccountTotals(id); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, REST has %+v", id, got, want)
		}
	}
	if len(s.AccountTotals("0.0.1").ByTypeResult) != 2 {
		t.Error("the history is too poor to prove anything")
	}
}

// add counts one row of an account's list.
func (totals *Totals) add(t *testing.T, id string, row restTransaction) {
	t.Helper()
	totals.ByTypeResult[[2]string{row.Name, row.Result}]++
	if strings.HasPrefix(row.TransactionID, id+"-") {
		totals.Fees += row.ChargedTxFee
	}
	for _, moved := range row.Transfers {
		if moved.Account == id && moved.Amount > 0 {
			totals.In += moved.Amount
		} else if moved.Account == id {
			totals.Out -= moved.Amount
		}
	}
	nanos, err := parseTimestamp(row.ConsensusTimestamp)
	if err != nil {
		t.Fatal(err)
	}
	totals.Last = time.Unix(0, nanos).UTC()
}

func TestAddTransactionErrors(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for name, transaction := range map[string]Transaction{
		"no payer":       {},
		"payer":          {Payer: "x"},
		"name":           {Payer: "0.0.2", Name: "Transfer"},
		"result":         {Payer: "0.0.2", Result: "FINE"},
		"fee":            {Payer: "0.0.2", Fee: -1},
		"time":           {Payer: "0.0.2", Consensus: time.Unix(-5, 0)},
		"transfer":       {Payer: "0.0.2", Transfers: map[string]int64{"x": 1}},
		"token transfer": {Payer: "0.0.2", TokenTransfers: []TokenTransfer{{Account: "x"}}},
	} {
		if err := s.Update(func(l *Ledger) error { return l.AddTransaction(transaction) }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if list := getJSON[transactionList](t, s, "/api/v1/transactions"); len(list.Transactions) != 0 {
		t.Errorf("a refused transaction is there: %+v", list)
	}
	if totals := s.AccountTotals("nonsense"); len(totals.ByTypeResult) != 0 {
		t.Errorf("nonsense has %+v", totals)
	}
}

// The payer of a scheduled transaction may be another than the account in its
// id. The fee is in the payer's transfer, and the transaction in the list of both.
func TestScheduledTransactionOfAnotherPayer(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	addTransactions(t, s, Transaction{Creator: "0.0.1001", Payer: "0.0.1002", Fee: 70, Scheduled: true})
	for _, id := range []string{"0.0.1001", "0.0.1002"} {
		rows := getJSON[transactionList](t, s, "/api/v1/transactions?account.id="+id).Transactions
		if len(rows) != 1 || !strings.HasPrefix(rows[0].TransactionID, "0.0.1001-") || !rows[0].Scheduled ||
			!slices.Contains(rows[0].Transfers, restTransfer{Account: "0.0.1002", Amount: -70}) {
			t.Errorf("%s: got %+v", id, rows)
		}
	}
	if creator, payer := s.AccountTotals("0.0.1001"), s.AccountTotals("0.0.1002"); creator.Fees != 0 || payer.Fees != 70 || payer.Out != 70 {
		t.Errorf("got %+v and %+v", creator, payer)
	}
	id := getJSON[transactionList](t, s, "/api/v1/transactions").Transactions[0].TransactionID
	if got := getJSON[transactionList](t, s, "/api/v1/transactions/"+id); len(got.Transactions) != 1 {
		t.Errorf("%s: got %+v", id, got)
	}
	if got := send(t, s, http.MethodGet, "/api/v1/transactions/0.0.1-1-1", nil); got.status != 404 {
		t.Errorf("got %d", got.status)
	}
}

// Transfers of tokens and NFTs only are in the lists of whom they are about.
func TestTransfersWithoutHbar(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 4})
	addTransactions(t, s,
		Transaction{Payer: "0.0.1001", TokenTransfers: []TokenTransfer{
			{Account: "0.0.1002", Amount: -5, TokenID: usdToken}, {Account: "0.0.1003", Amount: 5, TokenID: usdToken},
		}},
		Transaction{Payer: "0.0.1001", NFTTransfers: []NFTTransfer{
			{Sender: "0.0.1003", Receiver: "0.0.1004", Serial: 9, TokenID: nftToken},
		}})
	for id, want := range map[string]int64{"0.0.1001": 2, "0.0.1002": 1, "0.0.1003": 2, "0.0.1004": 1} {
		rows := getJSON[transactionList](t, s, "/api/v1/transactions?account.id="+id).Transactions
		if got := s.AccountTotals(id).ByTypeResult[[2]string{cryptoTransfer, "SUCCESS"}]; int64(len(rows)) != want || got != want {
			t.Errorf("%s: got %d rows, %d in total, want %d", id, len(rows), got, want)
		}
	}
	rows := getJSON[transactionList](t, s, "/api/v1/transactions?account.id=0.0.1004").Transactions
	if got := rows[0].NFTTransfers; len(got) != 1 || got[0].Serial != 9 || got[0].Receiver != "0.0.1004" {
		t.Errorf("got %+v", got)
	}
	nonsense := []NFTTransfer{{Sender: "x"}}
	if err := s.Update(func(l *Ledger) error { return l.AddTransaction(Transaction{Payer: "0.0.2", NFTTransfers: nonsense}) }); err == nil {
		t.Error("nonsense was accepted")
	}
}
