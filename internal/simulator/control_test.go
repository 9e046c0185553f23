// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

func control(t *testing.T, s *Simulator, method, path, body string) response {
	t.Helper()
	return send(t, s, method, "/simulator/"+path, strings.NewReader(body))
}

func mustControl(t *testing.T, s *Simulator, method, path, body string) string {
	t.Helper()
	answer := control(t, s, method, path, body)
	if answer.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, answer.status, answer.body)
	}
	return strings.TrimSpace(string(answer.body))
}

func TestControlAccounts(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	mustControl(t, s, "PUT", "accounts/0.0.98/balance", `{"tinybar":9007199254740993}`)
	if got := mustControl(t, s, "GET", "accounts/0.0.98/balance", ""); got != `{"account":"0.0.98","tinybar":9007199254740993}` {
		t.Errorf("got %s", got)
	}
	mustControl(t, s, "DELETE", "accounts/0.0.1001", "")
	account, err := s.ledger.findAccount("0.0.1001")
	if err != nil || !*account.Deleted {
		t.Errorf("got %+v, %v, want it deleted", account, err)
	}
}

func TestControlNodes(t *testing.T) {
	s := startStatic(t, Options{Nodes: 2})
	node := s.Nodes()[0]
	plain, secure := endpointOf(t, node, false), endpointOf(t, node, true)
	path := fmt.Sprintf("nodes/%d/", node.NodeID)

	mustControl(t, s, "POST", path+"stop", "")
	if !refuses(t, plain) {
		t.Error("stop did not stop")
	}
	mustControl(t, s, "POST", path+"start", "")
	if refuses(t, plain) {
		t.Error("start did not start")
	}
	mustControl(t, s, "POST", path+"swap-certificate", "")
	if presented(t, secure) == node.CertHash {
		t.Error("swap-certificate did not swap")
	}
	mustControl(t, s, "PUT", path+"precheck", `{"code":"BUSY"}`)
	header := accountInfoHeader(t, dialGRPC(t, plain, nil), costQuery(2))
	if header.GetNodeTransactionPrecheckCode() != services.ResponseCodeEnum_BUSY {
		t.Errorf("precheck: got %v", header)
	}
	mustControl(t, s, "POST", path+"remove", "")
	if len(s.Nodes()) != 1 {
		t.Error("remove did not remove")
	}
}

func TestControlEndpoints(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	address := s.Nodes()[0].Endpoints[0].Address
	mustControl(t, s, "POST", "endpoints/"+address+"/stop", "")
	if !refuses(t, address) {
		t.Error("stop did not stop")
	}
	mustControl(t, s, "POST", "endpoints/"+address+"/hang", "")
	if refuses(t, address) {
		t.Error("a hanging endpoint refuses")
	}
	mustControl(t, s, "POST", "endpoints/"+address+"/start", "")
	if refuses(t, address) {
		t.Error("start did not start")
	}
}

func TestControlFaults(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	const fault = `{"path":"/api/v1/blocks","kind":"status","status":429,"retry_after":"2","count":3}`
	if got := mustControl(t, s, "POST", "faults", fault); got != `{"id":1}` {
		t.Errorf("inject: got %s", got)
	}
	if got := send(t, s, "GET", "/api/v1/blocks", nil); got.status != 429 {
		t.Errorf("got %d, want 429", got.status)
	}
	want := `{"faults":[{"id":1,"path":"/api/v1/blocks","kind":"status","status":429,"retry_after":"2","count":2}]}`
	if got := mustControl(t, s, "GET", "faults", ""); got != want {
		t.Errorf("list: got %s, want %s", got, want)
	}
	mustControl(t, s, "DELETE", "faults", "")
	if got := send(t, s, "GET", "/api/v1/blocks", nil); got.status != 200 {
		t.Errorf("after clearing: got %d", got.status)
	}
}

func TestControlRequests(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	send(t, s, "GET", "/api/v1/blocks", nil)
	if got := mustControl(t, s, "GET", "requests", ""); got != `{"GET /api/v1/blocks":1}` {
		t.Errorf("got %s", got)
	}
	mustControl(t, s, "DELETE", "requests", "")
	if got := mustControl(t, s, "GET", "requests", ""); got != `{}` {
		t.Errorf("after the reset: got %s", got)
	}
}

func TestControlBalanceQueries(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, want := range []bool{true, false} {
		mustControl(t, s, "PUT", "balance-queries", fmt.Sprintf(`{"answer":%t}`, want))
		if got := s.ledger.answerBalances; got != want {
			t.Errorf("got %t, want %t", got, want)
		}
	}
}

func TestControlHelpNamesTheURL(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	got := mustControl(t, s, "GET", "", "")
	if !strings.Contains(got, "curl -X DELETE "+s.URL()+"/simulator/faults") || strings.Contains(got, "{{") {
		t.Errorf("got %s", got)
	}
}

func TestControlErrors(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, tc := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "accounts/0.0.5000/balance", "", 404},
		{"GET", "accounts/x/balance", "", 400},
		{"PUT", "accounts/0.0.5000/balance", `{"tinybar":1}`, 404},
		{"PUT", "accounts/0.0.98/balance", `{"tinybar":-1}`, 400},
		{"PUT", "accounts/0.0.98/balance", `{"tinybars":1}`, 400},
		{"PUT", "accounts/0.0.98/balance", `{}`, 400},
		{"PUT", "accounts/0.0.98/balance", `{"tinybar":1.5}`, 400},
		{"PUT", "accounts/0.0.98/balance", ``, 400},
		{"PUT", "accounts/0.0.98/balance", strings.Repeat(" ", maxControlBody+1), 400},
		{"DELETE", "accounts/0.0.5000", "", 404},
		{"POST", "nodes/77/stop", "", 404},
		{"POST", "nodes/x/stop", "", 400},
		{"POST", "nodes/0/explode", "", 404},
		{"PUT", "nodes/0/precheck", `{"code":"NO_SUCH_CODE"}`, 400},
		{"PUT", "nodes/77/precheck", `{"code":"BUSY"}`, 404},
		{"POST", "endpoints/127.0.0.1:1/stop", "", 404},
		{"POST", "endpoints/127.0.0.1:1/explode", "", 404},
		{"POST", "faults", `{"path":"/api","kind":"boom"}`, 400},
		{"POST", "faults", `not JSON`, 400},
		{"PUT", "balance-queries", `{}`, 400},
		{"GET", "nonsense", "", 404},
		{"PATCH", "faults", "", 404},
	} {
		got := control(t, s, tc.method, tc.path, tc.body)
		var answer struct {
			Error string `json:"error"`
		}
		err := json.Unmarshal(got.body, &answer)
		if got.status != tc.status || err != nil || answer.Error == "" {
			t.Errorf("%s %s: got %d %s, want %d", tc.method, tc.path, got.status, got.body, tc.status)
		}
	}
}

func TestControlBlocks(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	before := s.BlockTotals()
	var block Block
	if err := json.Unmarshal([]byte(mustControl(t, s, "POST", "blocks", `{"count":1200,"gas_used":9000000}`)), &block); err != nil {
		t.Fatal(err)
	}
	if block.Count != 1200 || *block.GasUsed != 9_000_000 {
		t.Errorf("got %+v", block)
	}
	mustControl(t, s, "POST", "blocks", "")
	if after := s.BlockTotals(); after.Blocks != before.Blocks+2 || after.GasUsed < before.GasUsed+9_000_000 {
		t.Errorf("from %+v to %+v", before, after)
	}
	for action, want := range map[string]bool{"stop": true, "start": false} {
		mustControl(t, s, "POST", "blocks/"+action, "")
		if s.ledger.blocksStopped != want {
			t.Errorf("%s: stopped is %t", action, s.ledger.blocksStopped)
		}
	}
}

func TestControlTransactions(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	mustControl(t, s, "POST", "transactions", `{"payer":"0.0.98","fee":3,"transfers":{"0.0.98":-9007199254740993,"0.0.2":9007199254740993}}`)
	mustControl(t, s, "POST", "transactions", `{"payer":"0.0.98","name":"CONTRACTCALL","result":"CONTRACT_REVERT_EXECUTED",`+
		`"fee":4,"gas_used":5,"timestamp":"1800000000.000000001"}`)
	got := s.AccountTotals("0.0.98")
	if got.Out != 1<<53+1 || got.Fees != 7 || !got.Last.Equal(time.Unix(1_800_000_000, 1)) ||
		got.ByTypeResult[[2]string{contractCall, "CONTRACT_REVERT_EXECUTED"}] != 1 {
		t.Errorf("got %+v", got)
	}
	first := getJSON[transactionList](t, s, "/api/v1/transactions?order=asc").Transactions[0]
	if first.ConsensusTimestamp != formatTimestamp(fixedNow()) || first.Name != cryptoTransfer || first.Result != "SUCCESS" {
		t.Errorf("defaults are %+v", first)
	}
}

func TestControlTokens(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 2})
	const token = "tokens/" + usdToken
	mustControl(t, s, "PUT", token+"/state", `{"paused":true}`)
	mustControl(t, s, "PUT", token+"/state", `{"account":"0.0.1002","frozen":true,"kyc_granted":false}`)
	mustControl(t, s, "PUT", token+"/supply", `{"total":9007199254740993}`)
	mustControl(t, s, "PUT", token+"/balances/0.0.1002", `{"balance":0}`)
	got := getJSON[Token](t, s, "/api/v1/"+token)
	if got.PauseStatus != paused || got.TotalSupply != 1<<53+1 {
		t.Errorf("got %+v", got)
	}
	row := getJSON[tokenRelationshipList](t, s, "/api/v1/accounts/0.0.1002/tokens").Tokens[0]
	if row.Balance != 0 || *row.FreezeStatus != frozen || *row.KYCStatus != revoked {
		t.Errorf("got %+v", row)
	}
	mustControl(t, s, "PUT", "allowances", `{"owner":"0.0.98","spender":"0.0.2","token_id":"0.0.456858","amount":5,"granted":6}`)
	allowed := getJSON[tokenAllowanceList](t, s, "/api/v1/accounts/0.0.98/allowances/tokens").Allowances
	if len(allowed) != 1 || allowed[0].Amount != 5 || allowed[0].AmountGranted != 6 || allowed[0].TokenID != usdToken {
		t.Errorf("got %+v", allowed)
	}
}

func TestControlTopicsAndSchedules(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if got := mustControl(t, s, "POST", "topics/"+busyTopic+"/messages", ""); got != `{"sequence_number":31}` {
		t.Errorf("got %s", got)
	}
	later := formatTimestamp(at(time.Second))
	mustControl(t, s, "POST", "topics/"+busyTopic+"/messages", `{"timestamp":"`+later+`"}`)
	last := getJSON[messageList](t, s, "/api/v1/topics/"+busyTopic+"/messages?order=desc&limit=1").Messages[0]
	if last.SequenceNumber != 32 || last.ConsensusTimestamp != later {
		t.Errorf("got %+v", last)
	}
	mustControl(t, s, "POST", "schedules/0.0.8100001/execute", "")
	if getJSON[Schedule](t, s, "/api/v1/schedules/0.0.8100001").ExecutedTimestamp == nil {
		t.Error("the schedule is not executed")
	}
}

func TestControlNetwork(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	mustControl(t, s, "PUT", "mirror", `{"missing":["registered-nodes"]}`)
	if got := send(t, s, http.MethodGet, "/api/v1/network/registered-nodes", nil); got.status != 404 {
		t.Errorf("registered nodes: got %d", got.status)
	}
	mustControl(t, s, "PUT", "exchange-rate", `{"current":{"cents":5,"hbar":2}}`)
	rates := getJSON[networkRates](t, s, "/api/v1/network/exchangerate")
	if rates.CurrentRate.CentEquivalent != 5 || rates.NextRate.HbarEquivalent != 2 {
		t.Errorf("got %+v", rates)
	}
	mustControl(t, s, "PUT", "exchange-rate", `{"current":{"cents":5,"hbar":2},"next":{"cents":6,"hbar":2}}`)
	if rates := getJSON[networkRates](t, s, "/api/v1/network/exchangerate"); rates.NextRate.CentEquivalent != 6 {
		t.Errorf("got %+v", rates)
	}
	mustControl(t, s, "PUT", "supply", `{"released":1,"total":2}`)
	if got := getJSON[networkSupply](t, s, "/api/v1/network/supply"); got.ReleasedSupply != 1 || got.TotalSupply != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestControlLedgerErrors(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, tc := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "blocks", `{"count":-1}`, 400},
		{"POST", "blocks", `{"size":1}`, 400},
		{"POST", "blocks/pause", "", 404},
		{"POST", "transactions", "", 400},
		{"POST", "transactions", `{"payer":"x"}`, 400},
		{"POST", "transactions", `{"payer":"0.0.2","timestamp":"now"}`, 400},
		{"PUT", "tokens/0.0.1/state", `{}`, 404},
		{"PUT", "tokens/" + usdToken + "/state", "", 400},
		{"PUT", "tokens/" + usdToken + "/supply", `{}`, 400},
		{"PUT", "tokens/" + usdToken + "/supply", "", 400},
		{"PUT", "tokens/" + usdToken + "/balances/0.0.7", `{"balance":1}`, 404},
		{"PUT", "tokens/" + usdToken + "/balances/0.0.98", `{}`, 400},
		{"PUT", "tokens/" + usdToken + "/balances/0.0.98", "", 400},
		{"PUT", "allowances", `{"owner":"0.0.98"}`, 400},
		{"PUT", "allowances", "", 400},
		{"POST", "topics/0.0.1/messages", "", 404},
		{"POST", "topics/" + busyTopic + "/messages", `{"timestamp":"1"}`, 400},
		{"POST", "topics/" + busyTopic + "/messages", `{"timestamp":"x"}`, 400},
		{"POST", "topics/" + busyTopic + "/messages", strings.Repeat(" ", maxControlBody+1), 400},
		{"POST", "schedules/0.0.1/execute", "", 404},
		{"PUT", "mirror", `{"missing":["x"]}`, 400},
		{"PUT", "mirror", "", 400},
		{"PUT", "exchange-rate", `{}`, 400},
		{"PUT", "exchange-rate", "", 400},
		{"PUT", "supply", `{"total":5}`, 400},
		{"PUT", "supply", "", 400},
	} {
		got := control(t, s, tc.method, tc.path, tc.body)
		if got.status != tc.status || !strings.HasPrefix(string(got.body), `{"error":"`) {
			t.Errorf("%s %s %.40s: got %d %s, want %d", tc.method, tc.path, tc.body, got.status, got.body, tc.status)
		}
	}
}

// Every call is in the help text.
func TestControlHelpIsComplete(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	help := mustControl(t, s, "GET", "", "")
	for pattern := range controls() {
		_, path, _ := strings.Cut(pattern, " ")
		for _, part := range strings.Split(strings.TrimPrefix(path, "/simulator/"), "/") {
			if !strings.HasPrefix(part, "{") && !strings.Contains(help, "/"+part) {
				t.Errorf("%s: %s is not in the help", pattern, part)
			}
		}
	}
}

// Entities may be added in the form of the mirror's own answers.
func TestControlNewEntities(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for path, body := range map[string]string{
		"accounts":     `{"account":"0.0.7000","created_timestamp":"1700000000.000000000","auto_renew_period":31556888202959784,"balance":{"balance":5}}`,
		"tokens":       `{"token_id":"0.0.7001","decimals":"2","total_supply":"500"}`,
		"topics":       `{"topic_id":"0.0.7002"}`,
		"contracts":    `{"contract_id":"0.0.7003"}`,
		"schedules":    `{"schedule_id":"0.0.7004","creator_account_id":"0.0.98"}`,
		"transactions": `{"creator":"0.0.98","payer":"0.0.2","fee":5,"scheduled":true,"nft_transfers":[{"sender_account_id":"0.0.2","receiver_account_id":"0.0.800","serial_number":1,"token_id":"0.0.7001"}]}`,
		"faults":       `{"path":"/api/v1/blocks","kind":"set","field":"count","value":"odd","rate":1,"seed":2,"entity":"x"}`,
	} {
		mustControl(t, s, "POST", path, body)
	}
	for path, want := range map[string]string{
		"accounts/0.0.7000":               `"expiry_timestamp":"31556889902959784.000000000"`,
		"tokens/0.0.7001":                 `"decimals":"2"`,
		"topics/0.0.7002":                 `"deleted":null`,
		"contracts/0.0.7003":              `"evm_address":"0x0000000000000000000000000000000000001b5b"`,
		"schedules/0.0.7004":              `"executed_timestamp":null`,
		"transactions?account.id=0.0.800": `"serial_number":1`,
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/"+path, nil); !strings.Contains(string(got.body), want) {
			t.Errorf("%s: got %d %s, want %s in it", path, got.status, got.body, want)
		}
	}
	node := s.Nodes()[0].NodeID
	mustControl(t, s, "POST", fmt.Sprintf("nodes/%d/endpoints", node), `{"domain_name":"","ip_address_v4":"","port":50211}`)
	mustControl(t, s, "DELETE", "topics/0.0.7002", "")
	mustControl(t, s, "POST", "accounts/0.0.7000/forget", "")
	mustControl(t, s, "PUT", "tokens/0.0.9999/balances/0.0.98", `{"balance":1,"unknown":true}`)
	for path, want := range map[string]string{
		"network/nodes":          `{"domain_name":"","ip_address_v4":"","port":50211}`,
		"topics/0.0.7002":        `"deleted":true`,
		"accounts/0.0.7000":      `"Not found"`,
		"accounts/0.0.98/tokens": `"decimals":null`,
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/"+path, nil); !strings.Contains(string(got.body), want) {
			t.Errorf("%s: got %d %s, want %s in it", path, got.status, got.body, want)
		}
	}
}

func TestControlMirror(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	mustControl(t, s, "PUT", "mirror", `{"max_limit":5,"missing":["fees"]}`)
	mustControl(t, s, "PUT", "mirror", `{"host_in_links":true}`)
	const want = `{"max_limit":5,"max_repeated":0,"host_in_links":true,"open_range":false,"starting":false,"no_address_book":false,"missing":["fees"]}`
	if got := mustControl(t, s, "GET", "mirror", ""); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := getJSON[blockList](t, s, "/api/v1/blocks"); len(got.Blocks) != 5 {
		t.Errorf("got %d blocks", len(got.Blocks))
	}
	mustControl(t, s, "PUT", "replica", `{"blocks":3}`)
	if s.ledger.replica == nil {
		t.Error("there is no older replica")
	}
	for path, body := range map[string]string{"mirror": `{"nope":1}`, "replica": `{}`} {
		if got := control(t, s, "PUT", path, body); got.status != 400 {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
}
