// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"io"
	"net/http"
	"testing"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
)

func TestEstimateFee(t *testing.T) {
	body := &services.TransactionBody{Memo: "hello", Data: &services.TransactionBody_CryptoTransfer{}}
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.RequestURI() != "/api/v1/network/fees" || r.Header.Get("Content-Type") != "application/protobuf" {
			t.Errorf("%s %s with %s", r.Method, r.URL, r.Header.Get("Content-Type"))
		}
		content, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var (
			transaction services.Transaction
			signed      services.SignedTransaction
			got         services.TransactionBody
		)
		if proto.Unmarshal(content, &transaction) != nil || proto.Unmarshal(transaction.GetSignedTransactionBytes(), &signed) != nil ||
			proto.Unmarshal(signed.GetBodyBytes(), &got) != nil || got.GetMemo() != "hello" || len(signed.GetSigMap().GetSigPair()) != 1 {
			t.Errorf("not the transaction with a signature: %v %v", &signed, &got)
		}
		answer(200, `{"total":8000000,"network":{"multiplier":9,"subtotal":900000}}`)(w, r)
	})
	c, _, rec := newTestClient(t, srv.URL)
	got, err := c.EstimateFee(t.Context(), "CryptoTransfer", body)
	if err != nil {
		t.Fatal(err)
	}
	if usd, ok := got.USD(); usd != 0.0008 || !ok {
		t.Errorf("%g USD, %t; want 0.0008", usd, ok)
	}
	if seen := rec.seen(); len(seen) != 1 || seen[0] != "POST /api/v1/network/fees 200" {
		t.Errorf("observed %q", seen)
	}
}

// TestEstimateFeeIsRetried has the whole body again.
func TestEstimateFeeIsRetried(t *testing.T) {
	var bodies []string
	var srv *testServer
	srv = newServer(t, func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(content))
		if srv.requests.Load() == 1 {
			answer(503, "")(w, r)
			return
		}
		answer(200, `{"total":0}`)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	got, err := c.EstimateFee(t.Context(), "CryptoTransfer", &services.TransactionBody{Memo: "again"})
	if usd, ok := got.USD(); err != nil || usd != 0 || !ok {
		t.Errorf("got %+v, %v; want 0 USD", got, err)
	}
	if len(bodies) != 2 || bodies[0] != bodies[1] || bodies[0] == "" {
		t.Errorf("bodies %q", bodies)
	}
}

func TestEstimateFeeErrors(t *testing.T) {
	for _, status := range []int{400, 404, 405, 415, 501, 403, 500} {
		srv := newServer(t, answer(status, ""))
		c, _, _ := newTestClient(t, srv.URL)
		_, err := c.EstimateFee(t.Context(), "CryptoTransfer", &services.TransactionBody{})
		wantError(t, err, "POST /api/v1/network/fees (CryptoTransfer): ")
		if want := status != 403 && status != 500; IsUnavailable(err) != want {
			t.Errorf("%d: unavailable is %t", status, !want)
		}
	}
	srv := newServer(t, answer(200, `{"node":{}}`))
	c, _, _ := newTestClient(t, srv.URL)
	_, err := c.EstimateFee(t.Context(), "CryptoTransfer", &services.TransactionBody{})
	wantError(t, err, "it has no total")
	if usd, ok := (FeeEstimate{FieldOf(int64(-1))}).USD(); ok {
		t.Errorf("a negative fee is %g USD", usd)
	}
}

// TestPostsHaveAPlaceOfTheirOwnInTheQueue, so that one that was put off is told
// from the others and from the GET.
func TestPostsHaveAPlaceOfTheirOwnInTheQueue(t *testing.T) {
	q := newQueue()
	b := base{mustParse(t, "http://localhost")}
	keys := map[uint64]bool{q.key(get(b, feesRoute, nil)): true}
	for _, content := range []string{"a", "b"} {
		keys[q.key(post(b, feesRoute, "text/plain", []byte(content)))] = true
	}
	if len(keys) != 3 {
		t.Errorf("%d keys, want 3", len(keys))
	}
}
