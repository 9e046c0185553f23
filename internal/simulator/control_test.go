// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

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
	account, err := s.ledger.lookUp("0.0.1001")
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
		if got := s.ledger.answersBalances(); got != want {
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
