// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

func TestCheckCall(t *testing.T) {
	web3 := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			Block, Data, To string
			Estimate        bool
			Gas             int64
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.URL.RequestURI() != "/api/v1/contracts/call" || r.Header.Get("Content-Type") != "application/json" ||
			call.Block != "latest" || call.To != "0x0000000000000000000000000000000000000168" || call.Estimate || call.Gas < 21_000 || len(call.Data) != 2+8+64 {
			t.Errorf("%s %s with %s: %+v", r.Method, r.URL, r.Header.Get("Content-Type"), call)
		}
		answer(200, `{"result":"0x0000000000000000000000000000000000000000000000000000000000000005"}`)(w, r)
	})
	rest := newServer(t, answer(500, ""))
	c, _, rec := newTestClient(t, rest.URL, func(o *Options) { o.Web3URL = mustParse(t, web3.URL) })
	if err := c.CheckCall(t.Context()); err != nil {
		t.Error(err)
	}
	if seen := rec.seen(); len(seen) != 1 || seen[0] != "POST /api/v1/contracts/call 200" {
		t.Errorf("observed %q", seen)
	}
}

// TestCheckCallAnswers tells calls that failed in the EVM from what else a mirror
// answers 400 to, and from a mirror without one.
func TestCheckCallAnswers(t *testing.T) {
	message := func(message, detail string) string {
		return fmt.Sprintf(`{"_status":{"messages":[{"message":%q,"detail":%q,"data":""}]}}`, message, detail)
	}
	tests := map[string]struct {
		status          int
		body            string
		up, unavailable bool
	}{
		"empty result":       {200, `{"result":"0x"}`, true, false},
		"reverted":           {400, message("CONTRACT_REVERT_EXECUTED", "Custom revert message"), true, false},
		"invalid":            {400, message("INVALID_TRANSACTION", ""), true, false},
		"not understood":     {400, message("Bad Request", "data field invalid hexadecimal string"), false, true},
		"gateway's 400":      {400, "CONTRACT_REVERT_EXECUTED", false, true},
		"no route":           {404, `{"_status":{"messages":[{"message":"Not found"}]}}`, false, true},
		"no method":          {405, "", false, true},
		"turned off":         {501, message("Not Implemented", ""), false, true},
		"of the server":      {500, message("FAIL_INVALID", ""), false, false},
		"database":           {503, message("Service Unavailable", ""), false, false},
		"forbidden":          {403, "", false, false},
		"no result":          {200, `{}`, false, false},
		"not a result":       {200, `{"result":"5"}`, false, false},
		"HTML":               {200, `<html>`, false, false},
		"another JSON value": {200, `[]`, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, answer(tt.status, tt.body))
			c, _, _ := newTestClient(t, srv.URL)
			err := c.CheckCall(t.Context())
			if up := err == nil; up != tt.up {
				t.Errorf("up is %t, want %t: %v", up, tt.up, err)
			}
			if err != nil {
				wantError(t, err, "POST /api/v1/contracts/call: ")
			}
			if IsUnavailable(err) != tt.unavailable {
				t.Errorf("unavailable is %t: %v", !tt.unavailable, err)
			}
		})
	}
}
