// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/mirror/mirrortest"
)

// given is what the samples need besides the answer itself.
type given struct {
	Now    string `json:"now"`
	Tokens map[string]struct {
		Decimals int    `json:"decimals"`
		Symbol   string `json:"symbol"`
		Treasury string `json:"treasury"`
	} `json:"tokens"`
	Messages int `json:"messages"`
}

// replay is a mirror that has one answer. To the other requests that the exporter
// needs before and after it has the plainest answers.
type replay struct {
	answer   mirrortest.Answer
	request  *url.URL
	given    given
	accounts map[string]json.RawMessage // rows of other answers, by id
	// contracts are those that the mirror knows; nil is any.
	contracts map[string]json.RawMessage
	full      map[string]json.RawMessage // lists with more rows than a short page
	// before is until the count that the answer is about has begun.
	before atomic.Bool
}

// counts reports whether the answer is one to what is counted from a start.
func (s *replay) counts() bool {
	path, order := s.request.Path, s.request.Query().Get("order")
	return (path == blocksPath || path == transactionsPath) && order == "asc"
}

func sameIDs(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// isFor reports whether the answer is one to the request. That of the next page
// is not.
func (s *replay) isFor(r *http.Request) bool {
	query, own := r.URL.Query(), s.request.Query()
	for _, name := range []string{"order", "timestamp", "block.number", "node.id"} {
		if query.Get(name) != own.Get(name) {
			return false
		}
	}
	if own.Get("limit") == "2" && !sameIDs(query["account.id"], own["account.id"]) {
		return false // what a short page had not
	}
	return !query.Has("spender.id") && r.URL.Path == s.request.Path && query.Has("token.id") == own.Has("token.id") && !query.Has("registerednode.id")
}

func (s *replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if s.isFor(r) && !s.before.Load() {
		for name, value := range s.answer.Headers {
			w.Header().Set(name, value)
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(s.answer.Status)
		body := string(s.answer.Body)
		if s.answer.Raw != nil {
			body = *s.answer.Raw
		}
		_, _ = io.WriteString(w, body)
		return
	}
	answer := s.other(r.URL.Path, query)
	if answer == nil {
		w.WriteHeader(http.StatusForbidden) // not tried again
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// other is nil for what shall stay unknown.
func (s *replay) other(path string, query url.Values) map[string]any {
	if query.Has("registerednode.id") {
		return map[string]any{"registered_nodes": []any{}, "links": map[string]any{"next": nil}}
	}
	id := path[strings.LastIndexByte(path, '/')+1:]
	rows := []any{}
	switch {
	case path == blocksPath && query.Get("order") == "desc":
		return map[string]any{"blocks": []any{s.latestBlock()}, "links": map[string]any{"next": nil}}
	case path == blocksPath || path == transactionsPath && s.counts() && query.Get("order") == "asc":
		list := strings.TrimPrefix(path, "/api/v1/")
		return map[string]any{list: rows, "links": map[string]any{"next": nil}}
	case path == "/api/v1/network/nodes" && query.Has("node.id"):
		return map[string]any{"nodes": rows, "links": map[string]any{"next": nil}}
	case strings.HasPrefix(query.Get("token.id"), "gt:"):
		return s.after(path, "tokens", query.Get("token.id")[3:])
	case strings.HasPrefix(query.Get("spender.id"), "lt:"):
		return s.after(path, "allowances", query.Get("spender.id")[3:])
	case path == "/api/v1/accounts":
		for _, id := range query["account.id"] {
			if row, ok := s.accounts[id]; ok {
				rows = append(rows, row)
			}
		}
		return map[string]any{"accounts": rows, "links": map[string]any{"next": nil}}
	case path == "/api/v1/contracts":
		for _, id := range query["contract.id"] {
			if _, known := s.contracts[id]; known || s.contracts == nil {
				rows = append(rows, map[string]any{"contract_id": id})
			}
		}
		return map[string]any{"contracts": rows, "links": map[string]any{"next": nil}}
	case strings.HasSuffix(path, "/messages") && s.given.Messages == 0:
		return map[string]any{"messages": rows, "links": map[string]any{"next": nil}}
	case strings.HasPrefix(path, "/api/v1/tokens/"):
		if token, ok := s.given.Tokens[id]; ok {
			return map[string]any{"token_id": id, "decimals": strconv.Itoa(token.Decimals), "symbol": token.Symbol, "treasury_account_id": token.Treasury}
		}
	}
	return nil
}

// after is the rest of a list after the row with an id.
func (s *replay) after(path, list, id string) map[string]any {
	var body map[string]json.RawMessage
	var rows []json.RawMessage
	if json.Unmarshal(s.full[path], &body) != nil || json.Unmarshal(body[list], &rows) != nil {
		return nil
	}
	at := slices.IndexFunc(rows, func(row json.RawMessage) bool { return bytes.Contains(row, []byte(strconv.Quote(id))) })
	return map[string]any{list: rows[at+1:], "links": map[string]any{"next": nil}}
}

// latestBlock is the last one of an answer with blocks. Otherwise, and before,
// it is the one after which the request begins.
func (s *replay) latestBlock() map[string]any {
	var answer struct {
		Blocks []map[string]any `json:"blocks"`
	}
	decoder := json.NewDecoder(bytes.NewReader(s.answer.Body))
	decoder.UseNumber() // they are sent on as they are
	if err := decoder.Decode(&answer); err == nil && len(answer.Blocks) > 0 && !s.before.Load() {
		return answer.Blocks[len(answer.Blocks)-1]
	}
	query := s.request.Query()
	number := json.Number("1")
	if after, ok := strings.CutPrefix(query.Get("block.number"), "gt:"); ok {
		number = json.Number(after)
	}
	end := mirror.Timestamp(1)
	if from, err := mirror.ParseTimestamp(strings.TrimPrefix(query.Get("timestamp"), "gte:")); err == nil {
		end = from - 1
	}
	return map[string]any{"number": number, "timestamp": map[string]any{"from": "0.000000000", "to": end.String()}}
}

// watch configures the entities of the request.
func (s *replay) watch(network *Network) {
	segments := strings.Split(strings.TrimPrefix(s.request.Path, "/api/v1/"), "/")
	query := s.request.Query()
	var ids []string
	for _, id := range slices.Concat(query["account.id"], query["contract.id"], segments[min(1, len(segments)-1):min(2, len(segments))]) {
		if _, err := config.ParseEntityID(id); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	switch segments[0] {
	case "accounts":
		for _, id := range ids {
			watched := account(id, id)
			watched.AllTokens, watched.Allowances = true, true
			network.Accounts = append(network.Accounts, watched)
		}
	case "transactions":
		for _, id := range ids {
			watched := account(id, id)
			watched.Transactions = true
			network.Accounts = append(network.Accounts, watched)
		}
	case "tokens":
		network.Tokens = named(ids)
	case "topics":
		network.Topics = topicsOf(named(ids))
	case "contracts", "balances":
		network.Contracts = contractsOf(named(ids))
	case "schedules":
		network.ScheduleCreators = creatorsOf(named(ids))
	}
	for _, id := range slices.Sorted(maps.Keys(s.given.Tokens)) {
		if segments[0] == "accounts" && !slices.Contains(ids, id) {
			network.Tokens = append(network.Tokens, entity(id, id))
		}
	}
}

// named are entities that have their ids as names.
func named(ids []string) []config.Entity {
	list := make([]config.Entity, 0, len(ids))
	for _, id := range ids {
		list = append(list, entity(id, id))
	}
	return list
}

// samples are what the exporter, or a probe of one account, makes of the answer,
// by series; and before that, if the answer is to what is counted.
func (s *replay) samples(t *testing.T, memory *memnet.Network, name string) (before, got map[string]float64) {
	t.Helper()
	if s.given.Now != "" {
		now, err := mirror.ParseTimestamp(s.given.Now)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(now.Time()))
	}
	listener, err := memory.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Hour}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	client, err := mirror.New(mirror.Options{
		Network: name, URL: &url.URL{Scheme: "http", Host: listener.Addr().String()},
		DialContext: promconfig.DialContextFunc(memory.DialContext),
	})
	if err != nil {
		t.Fatal(err)
	}
	network := withoutMirror()
	network.Name, network.Mirror = name, client
	if address, ok := s.address(); ok {
		defer client.Close()
		return nil, s.probe(t, network, address)
	}
	s.watch(&network)
	network.AddressBook = NewAddressBook(MirrorBook(client, consensus.BookOptions{}), 0)
	set := setOn(t, network, append(slices.Collect(maps.Keys(mirrorCollectors)), "blocks", "transactions", "address_book")...)
	if s.counts() {
		s.before.Store(true)
		before = parseSeries(t, scrapeText(t, set, time.Minute))
		s.before.Store(false)
	}
	return before, parseSeries(t, scrapeText(t, set, time.Minute))
}

// address is that of a request for one account.
func (s *replay) address() (address string, ok bool) {
	address, ok = strings.CutPrefix(s.request.Path, "/api/v1/accounts/")
	return address, ok && !strings.Contains(address, "/")
}

// probe has the account under its id as name, whatever address it was asked by.
func (s *replay) probe(t *testing.T, network Network, address string) map[string]float64 {
	t.Helper()
	var row struct {
		ID string `json:"account"`
	}
	if s.answer.Status == http.StatusOK {
		if err := json.Unmarshal(s.answer.Body, &row); err != nil {
			t.Fatal(err)
		}
		network.Accounts = append(network.Accounts, account(row.ID, row.ID))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(network.Probe(t.Context(), []Target{{Text: address}}))
	return parseSeries(t, samplesOf(gather(t, registry)))
}

func parseSeries(t *testing.T, text string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			series[fmt.Sprint(name, model.LabelsToSignature(labels), labels)] = value(metric)
		}
	}
	return series
}

func value(metric *dto.Metric) float64 {
	return metric.GetUntyped().GetValue()
}

// family is that of a series.
func family(series string) string {
	return series[:strings.IndexFunc(series, func(r rune) bool { return r >= '0' && r <= '9' })]
}

// notReplayed are the files of routes that the exporter does not ask for: it has
// contracts from their list, and the balances of tokens from the accounts.
var notReplayed = []string{"contract", "token_balances"}

// TestRecordedAnswers compares the samples of each recorded answer of the real
// mirror with those that were computed from it by other means.
func TestRecordedAnswers(t *testing.T) {
	dir := filepath.Join(mirrorTestdata, "recorded")
	recorded := mirrortest.ReadLines[mirrortest.Answer](t, filepath.Join(dir, "mirror-rest-0.160.jsonl"))
	expected := mirrortest.ReadLines[mirrortest.Answer](t, filepath.Join(dir, "expected.jsonl"))
	var all given
	if err := json.Unmarshal(expected[0].Given, &all); err != nil {
		t.Fatal(err)
	}
	accounts, contracts, full := map[string]json.RawMessage{}, map[string]json.RawMessage{}, map[string]json.RawMessage{}
	byPurpose := map[string][]mirrortest.Answer{}
	for i, answer := range recorded {
		answer.Expectation = expected[i+1].Expectation
		answer.Name = strconv.Itoa(i + 1)
		rowsOf(answer, accounts, "accounts", "account")
		rowsOf(answer, contracts, "contracts", "contract_id")
		if path, ok := strings.CutSuffix(answer.Request, "?limit=100"); ok {
			full[path] = answer.Body
		}
		if answer.Purpose != "" && answer.Purpose != "balances of one token" { // see notReplayed
			byPurpose[answer.Purpose] = append(byPurpose[answer.Purpose], answer)
		}
	}
	for purpose, answers := range byPurpose {
		t.Run(purpose, func(t *testing.T) {
			replayAll(t, "recorded", answers, &replay{given: all, accounts: accounts, contracts: contracts, full: full})
		})
	}
}

// rowsOf adds the rows of a list that the answer has, by their ids.
func rowsOf(answer mirrortest.Answer, rows map[string]json.RawMessage, list, id string) {
	var body map[string]json.RawMessage
	var all []json.RawMessage
	if answer.Status != http.StatusOK || json.Unmarshal(answer.Body, &body) != nil || json.Unmarshal(body[list], &all) != nil {
		return
	}
	for _, raw := range all {
		var row map[string]any
		if json.Unmarshal(raw, &row) == nil {
			rows[fmt.Sprint(row[id])] = raw
		}
	}
}

// TestShapes is the same for answers in all shapes that a mirror can give.
func TestShapes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(mirrorTestdata, "shapes", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		if slices.Contains(notReplayed, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			replayAll(t, "shapes", mirrortest.ReadLines[mirrortest.Answer](t, file), &replay{})
		})
	}
}

func replayAll(t *testing.T, network string, answers []mirrortest.Answer, world *replay) {
	t.Helper()
	families := map[string]bool{} // that the answers are about
	for _, answer := range answers {
		for series := range parseSeries(t, strings.Join(answer.Samples, "\n")+"\n") {
			families[family(series)] = true
		}
	}
	for _, answer := range answers {
		if answer.Unasked {
			continue
		}
		t.Run(answer.Name, func(t *testing.T) {
			request, err := url.Parse(answer.Request)
			if err != nil {
				t.Fatal(err)
			}
			s := &replay{answer: answer, request: request, given: world.given, accounts: world.accounts, contracts: world.contracts, full: world.full}
			if answer.Given != nil {
				if err := json.Unmarshal(answer.Given, &s.given); err != nil {
					t.Fatal(err)
				}
			}
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
				before, got := s.samples(t, memory, network)
				want := parseSeries(t, strings.Join(answer.Samples, "\n")+"\n")
				if _, ok := s.address(); ok { // probes are about accounts only
					maps.DeleteFunc(want, func(series string, _ float64) bool { return strings.Contains(family(series), "_token_") })
				}
				// An error is one thing to say of the mirror.
				maps.DeleteFunc(got, func(series string, up float64) bool { return family(series) == "hedera_mirror_up" && up == 0 })
				maps.DeleteFunc(got, func(series string, value float64) bool {
					_, wanted := want[series]
					counter := strings.HasSuffix(family(series), "_total")
					earlier, there := before[series]
					// What is not the answer's: the latest block before it, and counters
					// that begin with it.
					return !wanted && (counter && value == 0 && !s.counts() || !counter && there && value == earlier)
				})
				compareSeries(t, got, want, families)
			})
		})
	}
}

func compareSeries(t *testing.T, got, want map[string]float64, families map[string]bool) {
	t.Helper()
	for series, value := range want {
		if other, ok := got[series]; !ok || other != value {
			t.Errorf("%s is %v (there: %t), want %v", series, other, ok, value)
		}
	}
	for series, value := range got {
		if _, ok := want[series]; !ok && families[family(series)] {
			t.Errorf("unexpected: %s %v", series, value)
		}
	}
}
