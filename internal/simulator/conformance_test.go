// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// recordedAnswers are answers of the real mirror node REST server, version
// 0.160, over invented rows.
const recordedAnswers = "../mirror/testdata/recorded/mirror-rest-0.160.jsonl"

// recordedAt is just after the newest of the recorded rows.
var recordedAt = time.Unix(1_795_519_730, 0)

type recordedAnswer struct {
	Request string
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

// typeOnly are the fields of which only the type is compared, with the reason.
var typeOnly = map[string]string{
	`^messages\[\d+\]\.(message|running_hash)$|^(message|running_hash)$`: "the simulator makes up what a message says",
	`transactions\[\d+\]\.transaction_hash$`:                             "the simulator makes up the hash",
	`transactions\[\d+\]\.transfers\[\d+\]\.is_approval$`:                "the simulator has no approved transfers",
	`^(runtime_)?bytecode$`:                                              "the simulator makes up the bytecode",
	`^balances/timestamp$`:                                               "no answer says when each of a token's balances changed",
}

// mayBeNull are the fields that are null in the recording only because its rows
// are invented.
var mayBeNull = map[string]string{
	`transactions\[\d+\]\.memo_base64$`: "a real transaction without a memo has an empty one",
}

// The simulator, filled with the rows of the recorded answers, gives the same
// answers to the same requests: status, headers, links, errors, fields and values.
func TestConformance(t *testing.T) {
	answers := readRecorded(t)
	s := startStatic(t, Options{Nodes: 1})
	_ = s.Update(func(l *Ledger) error {
		*l = *newEmptyLedger(1, func() time.Time { return recordedAt }, 0, 0)
		filler{l, t, make(map[string]bool)}.fill(answers)
		return nil
	})
	client := newHTTPClient(t)
	for _, want := range answers {
		name := want.Request[:min(len(want.Request), 100)]
		got, err := trySend(t, client, s, http.MethodGet, want.Request, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.status != want.Status {
			t.Errorf("%s: status %d, want %d", name, got.status, want.Status)
			continue
		}
		for _, header := range []string{"cache-control", "content-type", "link"} {
			if got.header.Get(header) != want.Headers[header] {
				t.Errorf("%s: %s is %q, want %q", name, header, got.header.Get(header), want.Headers[header])
			}
		}
		path := ""
		if strings.Contains(want.Request, "/balances?") && strings.Contains(want.Request, "/tokens/") {
			path = "balances/"
		}
		for i, difference := range differences(path, decode(t, got.body), decode(t, want.Body)) {
			if i < 5 {
				t.Errorf("%s: %s", name, difference)
			}
		}
	}
}

func readRecorded(t *testing.T) []recordedAnswer {
	t.Helper()
	data, err := os.ReadFile(recordedAnswers)
	if err != nil {
		t.Fatal(err)
	}
	var answers []recordedAnswer
	for line := range bytes.Lines(data) {
		var answer recordedAnswer
		if err := json.Unmarshal(line, &answer); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	if len(answers) != 136 {
		t.Fatalf("%d answers are recorded, want 136", len(answers))
	}
	return answers
}

func decode(t *testing.T, body []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	return value
}

// differences compares two JSON values. The path of a field at the top is its
// name, after the prefix.
func differences(path string, got, want any) []string {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is no object", path)}
		}
		var found []string
		for _, key := range slices.Sorted(maps.Keys(want)) {
			below := path + "." + key
			if path == "" || strings.HasSuffix(path, "/") {
				below = path + key
			}
			if value, ok := got[key]; ok {
				found = append(found, differences(below, value, want[key])...)
			} else {
				found = append(found, below+" is missing")
			}
		}
		for key := range got {
			if _, ok := want[key]; !ok {
				found = append(found, fmt.Sprintf("%s.%s is too much", path, key))
			}
		}
		return found
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return []string{fmt.Sprintf("%s has %d elements, want %d", path, len(got), len(want))}
		}
		var found []string
		for i := range want {
			found = append(found, differences(fmt.Sprintf("%s[%d]", path, i), got[i], want[i])...)
		}
		return found
	}
	if got == want || matches(typeOnly, path) && fmt.Sprintf("%T", got) == fmt.Sprintf("%T", want) ||
		matches(mayBeNull, path) && want == nil {
		return nil
	}
	return []string{fmt.Sprintf("%s is %v, want %v", path, got, want)}
}

func matches(patterns map[string]string, path string) bool {
	for pattern := range patterns {
		if regexp.MustCompile(pattern).MatchString(path) {
			return true
		}
	}
	return false
}

// filler puts the rows of the recorded answers on a ledger.
type filler struct {
	*Ledger
	t    *testing.T
	seen map[string]bool // blocks, transactions and messages
}

func (f filler) fill(answers []recordedAnswer) {
	for _, answer := range answers {
		if answer.Status == http.StatusOK {
			path, _, _ := strings.Cut(answer.Request, "?")
			f.fillFrom(strings.Split(path, "/")[3:], answer.Body)
		}
	}
	f.ids = slices.Sorted(maps.Keys(f.accounts))
	slices.SortFunc(f.blocks, func(a, b Block) int { return cmp.Compare(a.Number, b.Number) })
	slices.SortFunc(f.transactions, func(a, b *record) int { return a.Consensus.Compare(b.Consensus) })
	for _, t := range f.topics {
		slices.SortFunc(t.messages, func(a, b message) int { return cmp.Compare(a.sequence, b.sequence) })
	}
}

func (f filler) fillFrom(path []string, body []byte) {
	of := path[0]
	if len(path) > 2 {
		of += "/" + path[2]
	}
	switch {
	case of == "accounts" && len(path) == 2:
		f.account(unmarshal[Account](f.t, body))
		fallthrough
	case of == "transactions":
		eachRow(f.t, body, "transactions", f.transaction)
	case of == "accounts":
		eachRow(f.t, body, "accounts", f.account)
	case of == "accounts/tokens":
		eachRow(f.t, body, "tokens", func(row tokenRelationship) { f.relationship(path[1], row) })
	case of == "accounts/allowances":
		eachRow(f.t, body, "allowances", f.allowance)
	case of == "tokens" && len(path) == 2:
		f.tokenDetail(unmarshal[Token](f.t, body))
	case of == "tokens/balances":
		eachRow(f.t, body, "balances", func(row tokenBalance) { f.held(path[1], row.Account, row.Balance) })
	case of == "topics/messages" && len(path) == 3:
		eachRow(f.t, body, "messages", f.message)
	case of == "topics/messages":
		f.message(unmarshal[restMessage](f.t, body))
	case of == "contracts" && len(path) == 1:
		eachRow(f.t, body, "contracts", f.contract)
	case of == "schedules" && len(path) == 1:
		eachRow(f.t, body, "schedules", f.schedule)
	case of == "schedules":
		f.schedule(unmarshal[Schedule](f.t, body))
	case of == "blocks":
		eachRow(f.t, body, "blocks", f.block)
	}
}

func unmarshal[T any](t *testing.T, body []byte) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	return value
}

func eachRow[T any](t *testing.T, body []byte, key string, add func(T)) {
	t.Helper()
	rows := unmarshal[map[string]json.RawMessage](t, body)[key]
	for _, row := range unmarshal[[]T](t, rows) {
		add(row)
	}
}

func (f filler) id(text string) entityID { return mustEntity(f.t, text) }

func (f filler) time(text string) time.Time {
	nanos, err := parseTimestamp(text)
	if err != nil {
		f.t.Fatal(err)
	}
	return time.Unix(0, nanos)
}

// first tells whether a row that several answers have comes for the first time.
func (f filler) first(row string) bool {
	defer func() { f.seen[row] = true }()
	return !f.seen[row]
}

func (f filler) account(a Account) {
	for _, held := range a.Balance.Tokens {
		f.held(held.TokenID, a.ID, held.Balance)
	}
	a.Balance = &Balance{Tinybar: a.Balance.Tinybar, Timestamp: a.Balance.Timestamp, Tokens: []TokenBalance{}}
	f.accounts[f.id(a.ID)] = &a
}

// contract has an account, which may be in no answer.
func (f filler) contract(c Contract) {
	id := f.id(c.ID)
	f.contracts[id] = &c
	if f.accounts[id] == nil {
		f.accounts[id] = &Account{ID: c.ID, Deleted: &c.Deleted, EVMAddress: &c.EVMAddress}
	}
}

// held makes an unknown token of one that is not described until later.
func (f filler) held(tokenID, account string, balance int64) {
	id := f.id(tokenID)
	if f.tokens[id] == nil {
		f.tokens[id] = &token{Token: Token{ID: tokenID}, id: id, holders: make(map[entityID]relationship), unknown: true}
	}
	t := f.tokens[id]
	held := t.holders[f.id(account)]
	held.balance, held.updated = balance, formatTimestamp(recordedAt)
	t.holders[f.id(account)] = held
}

func (f filler) relationship(account string, row tokenRelationship) {
	f.held(row.TokenID, account, row.Balance)
	t := f.tokens[f.id(row.TokenID)]
	held := t.holders[f.id(account)]
	held.automatic, held.created = row.AutomaticAssociation, row.CreatedTimestamp
	if row.FreezeStatus != nil {
		held.freeze, held.kyc = *row.FreezeStatus, *row.KYCStatus
	}
	t.holders[f.id(account)] = held
}

func (f filler) tokenDetail(t Token) {
	id := f.id(t.ID)
	described := &token{Token: t, id: id, holders: make(map[entityID]relationship)}
	if f.tokens[id] != nil {
		described.holders = f.tokens[id].holders
	}
	f.tokens[id] = described
}

func (f filler) allowance(row tokenAllowance) {
	set := allowance{spender: f.id(row.Spender), amount: row.Amount, granted: row.AmountGranted, timestamp: row.Timestamp.From}
	if row.TokenID != "" {
		set.token = f.id(row.TokenID)
	}
	f.allow(f.id(row.Owner), set)
}

func (f filler) message(row restMessage) {
	id := f.id(row.TopicID)
	if f.topics[id] == nil {
		f.topics[id] = &topic{Topic: Topic{ID: row.TopicID}, id: id}
	}
	if f.first(row.TopicID + row.ConsensusTimestamp) {
		made := message{sequence: row.SequenceNumber, at: f.time(row.ConsensusTimestamp), payer: *row.PayerAccountID}
		f.topics[id].messages = append(f.topics[id].messages, made)
	}
}

func (f filler) schedule(s Schedule) { f.schedules[f.id(s.ID)] = &s }

func (f filler) block(b Block) {
	if f.first(b.Name) {
		b.from, b.to = f.time(b.Timestamp.From), f.time(*b.Timestamp.To)
		f.blocks = append(f.blocks, b)
	}
}

func (f filler) transaction(row restTransaction) {
	if !f.first(row.ConsensusTimestamp) {
		return
	}
	payer, _, _ := strings.Cut(row.TransactionID, "-")
	made := Transaction{
		Consensus: f.time(row.ConsensusTimestamp), ValidStart: f.time(row.ValidStartTimestamp),
		Payer: payer, Name: row.Name, Result: row.Result, Fee: row.ChargedTxFee, Node: *row.Node,
		TokenTransfers: row.TokenTransfers, NFTTransfers: row.NFTTransfers, Nonce: row.Nonce, Scheduled: row.Scheduled,
	}
	if row.EntityID != nil {
		made.EntityID = *row.EntityID
	}
	if row.ParentConsensusTimestamp != nil {
		made.Parent = f.time(*row.ParentConsensusTimestamp)
	}
	r, err := newRecord(made)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, moved := range row.Transfers { // an account may be there twice
		r.transfers = append(r.transfers, transfer{f.id(moved.Account), moved.Amount})
	}
	f.transactions = append(f.transactions, r)
}
