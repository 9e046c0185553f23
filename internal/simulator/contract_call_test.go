// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"strings"
	"testing"
)

func postCall(t *testing.T, s *Simulator, contentType, content string) (status int, body string) {
	t.Helper()
	return post(t, s, "/api/v1/contracts/call", contentType, []byte(content))
}

// TestContractCall has the answers of docs/hedera.md 1.4.
func TestContractCall(t *testing.T) {
	const contract, word = `"to":"0x0000000000000000000000000000000000000168"`, "00000000000000000000000000000000000000000000000000000000000f4240"
	tests := map[string]struct {
		content string
		status  int
		want    string
	}{
		"rate":           {`{` + contract + `,"data":"0x2e3cff6a` + word + `","gas":21000,"block":"latest","estimate":false}`, 200, `{"result":"0x` + strings.Repeat("0", 60) + `c44c"}`},
		"default gas":    {`{` + contract + `,"data":"2e3cff6a` + word + `","gas":null}`, 200, `{"result":"0x`},
		"no function":    {`{` + contract + `,"data":"0x"}`, 400, `{"_status":{"messages":[{"message":"CONTRACT_REVERT_EXECUTED"}]}}`},
		"other contract": {`{"to":"0x5555555555555555555555555555555555555555","data":"0x5c36b186"}`, 400, `"message":"INVALID_TRANSACTION"`},
		"little gas":     {`{` + contract + `,"data":"0x","gas":20999}`, 400, `"Bad Request","detail":"gas field must be greater than or equal to 21000"`},
		"much gas":       {`{` + contract + `,"data":"0x","gas":15000001}`, 400, "gas field must be less than or equal to 15000000"},
		"odd data":       {`{` + contract + `,"data":"0x5"}`, 400, "data field invalid hexadecimal string"},
		"odd address":    {`{"to":"0x168"}`, 400, "to field invalid hexadecimal string"},
		"no JSON":        {`{from`, 400, "JSON parse error"},
	}
	s := startStatic(t, Options{Nodes: 1})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, body := postCall(t, s, "application/json", test.content)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("got %d %s, want %d and %s", status, body, test.status, test.want)
			}
		})
	}
	if status, _ := postCall(t, s, "text/plain", "{}"); status != 415 {
		t.Errorf("plain text: %d, want 415", status)
	}
	mustControl(t, s, "PUT", "mirror", `{"missing":["contracts-call"]}`)
	if status, body := postCall(t, s, "application/json", "{}"); status != 404 {
		t.Errorf("a mirror without it: %d %s, want 404", status, body)
	}
}
