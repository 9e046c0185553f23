// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
	"hedera_exporter/internal/trace"
)

// wantLines wants a line of the body to match each expression.
func wantLines(t *testing.T, body string, expressions ...string) {
	t.Helper()
	for _, expression := range expressions {
		if !regexp.MustCompile("(?m)^" + expression + "$").MatchString(body) {
			t.Errorf("no line %s in:\n%.3000s", expression, body)
		}
	}
}

func TestProbeDebug(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())), "--network=simulated")
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultStatus, Status: 503, Count: 1}); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url+"/probe?target=0.0.98,"+testEVMAddress+"&debug=true", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/plain; charset=utf-8" {
		t.Errorf("status %d, content type %s", response.StatusCode, got)
	}
	wantLines(t, string(content),
		`ts=\S+ level=debug msg="probe starts" network=simulated targets=2`,
		`ts=\S+ level=debug msg="probe ended" network=simulated`,
		`\d\d:\d\d:\d\d\.\d{3}  503  \S+ +`+sim.URL()+`  GET /api/v1/accounts.*`,
		`\d\d:\d\d:\d\d\.\d{3}  200  \S+ +`+sim.URL()+`  GET /api/v1/accounts \(\d accounts\)`,
		`\d\d:\d\d:\d\d\.\d{3}  404  \S+ +`+sim.URL()+`  GET /api/v1/accounts/`+testEVMAddress,
		`hedera_account_balance_hbar\{account_id="0.0.98",name="fees",network="simulated"\} 2.8412345e\+07`,
		`probe_success 0`, // the address is unknown
	)
}

func TestProbeDebugByConsensus(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	e := startExporter(t, writeFile(t, "c.yml", consensusConfig(sim)), "--network=solo", "--no-collector.node_probe")
	_, body := get(t, e.url+"/probe?target=0.0.98&debug=true", nil)
	wantLines(t, body,
		`ts=\S+ level=error msg="probe failed" .*err="unexpected answer"`,
		`\S+  BUSY  \S+  `+plaintextEndpoint(sim.Nodes()[0])+`  CryptoGetBalance for 0\.0\.98`,
		`probe_success 0`,
	)
	if err := sim.StopNode(0); err != nil {
		t.Fatal(err)
	}
	_, body = get(t, e.url+"/probe?target=0.0.98&debug=true", nil)
	wantLines(t, body, `ts=\S+ level=error msg="probe failed" .*err="gRPC Unavailable"`, `\S+  Unavailable  .*`)
}

// TestProbeDebugDoesNotQuoteTheMirror has a mirror repeat what it was sent in
// every part of an answer: who asks for the page may be anyone.
func TestProbeDebugDoesNotQuoteTheMirror(t *testing.T) {
	token := writeFile(t, "token", "s3cret")
	for name, answer := range map[string]struct {
		respond func(w http.ResponseWriter, text string)
		reason  string
		code    string
	}{
		"error": {func(w http.ResponseWriter, text string) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `{"_status":{"messages":[{"message":%q}]}}`, text)
		}, "500 Internal Server Error", "500"},
		"limit": {func(w http.ResponseWriter, text string) {
			http.Error(w, text, http.StatusTooManyRequests)
		}, "429 Too Many Requests; lower rate_limit or use a paid mirror", "429"},
		"credentials": {
			func(w http.ResponseWriter, text string) { http.Error(w, text, http.StatusForbidden) },
			`403 Forbidden; check the credentials for the mirror of network \\"n\\"`, "403",
		},
		"redirect": {func(w http.ResponseWriter, text string) {
			w.Header().Set("Location", "https://you-sent.example.com/"+text)
			w.WriteHeader(http.StatusFound)
		}, "302 Found", "302"},
		"garbage":    {func(w http.ResponseWriter, text string) { fmt.Fprint(w, text) }, "response is not JSON", "200"},
		"other JSON": {func(w http.ResponseWriter, text string) { fmt.Fprintf(w, `{"accounts":%q}`, text) }, "unexpected answer", "200"},
		"odd HTTP": {func(w http.ResponseWriter, text string) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			fmt.Fprintf(conn, "HTTP/1.1 you sent %s\r\n\r\n", text)
			_ = conn.Close()
		}, "no answer before the deadline", "error"},
	} {
		t.Run(name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
				mirror := startMirror(t, memory, func(w http.ResponseWriter, r *http.Request) {
					answer.respond(w, "you sent "+r.Header.Get("Authorization"))
				})
				config := writeFile(t, "c.yml", `networks: {n: {mirror: {url: "`+mirror+`", http_client: {authorization: {credentials_file: "`+token+`"}}}}}`)
				e := startInMemory(t, memory, "--config.file="+config, "--scrape.timeout=1s")
				_, body := e.get(t.Context(), "/probe?network=n&target=0.0.98&debug=true", nil)
				for _, part := range []string{"s3cret", "you sent", "you-sent"} {
					if strings.Contains(body, part) {
						t.Errorf("the page has %q:\n%s", part, body)
					}
				}
				wantLines(t, body, `ts=\S+ level=error msg="probe failed" .*err="`+answer.reason+`"`, `\S+  `+answer.code+`  .*GET /api/v1/accounts \(\d accounts\)`, "probe_success 0")
			})
		})
	}
}

func TestProbeDebugRefuses(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())), "--network=simulated", "--no-web.enable-config")
	for query, want := range map[string]struct {
		status int
		body   string
	}{
		"target=0.0.98&debug=maybe": {http.StatusBadRequest, `debug "maybe" must be true or false`},
		"target=0.0.98&debug=true":  {http.StatusForbidden, "--no-web.enable-config"},
		"target=0.0.98&debug=false": {http.StatusOK, "# HELP probe_success"},
	} {
		if status, body := get(t, e.url+"/probe?"+query, nil); status != want.status || !strings.Contains(body, want.body) {
			t.Errorf("%s: status %d, %s; want %d with %s", query, status, body, want.status, want.body)
		}
	}
}

func TestProbeDebugIsBounded(t *testing.T) {
	var (
		d       debugProbe
		page    bytes.Buffer
		forLog  bytes.Buffer
		logger  = d.logger(level.NewFilter(log.NewLogfmtLogger(&forLog), level.AllowError()))
		retries = 3 * maxDebugLines
	)
	for i := range retries {
		level.Debug(logger).Log("msg", "value", "i", i)
		d.request(trace.Request{Server: "http://mirror", Text: "GET /", Code: "503", Start: time.Now()})
	}
	level.Error(logger).Log("msg", "failed", "err", errors.New("its text"))
	d.write(&page)
	if got := strings.Count(page.String(), "\n"); got != 2*maxDebugLines+5 {
		t.Errorf("%d lines", got)
	}
	wantLines(t, page.String(), fmt.Sprintf("and %d more", retries+1-maxDebugLines), fmt.Sprintf("and %d more", retries-maxDebugLines))
	if got := forLog.String(); got != "level=error msg=failed err=\"its text\"\n" {
		t.Errorf("the exporter's log has: %s", got)
	}
}
