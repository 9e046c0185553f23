// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// faultOdd is what FaultChaos does to a field: it is FaultSet, but of a random
// row and field.
const faultOdd = "odd"

// oddValues are of any type, and beyond what the field may hold.
var oddValues = []string{
	`null`, `""`, `"odd"`, `-1`, `9223372036854775808`, `1e99`, `0.5`, `true`, `[]`, `{}`, `"31556888202959784.000000000"`,
}

// any is one of the disturbances that FaultChaos may be, with its details. Its
// Seed says which row and field.
func (f Fault) any(chance *rand.Rand) Fault {
	kinds := []string{
		FaultStatus, FaultHTML502, FaultReset, FaultGarbage, FaultTruncate, FaultLatency,
		faultOdd, faultOdd, faultOdd, FaultDrop, FaultDuplicate,
	}
	f.Kind = kinds[chance.IntN(len(kinds))]
	f.Status = []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}[chance.IntN(3)]
	f.Latency = time.Duration(1+chance.IntN(50)) * time.Millisecond
	f.Value = json.RawMessage(oddValues[chance.IntN(len(oddValues))])
	f.Seed = chance.Int64()
	return f
}

// disturbRows answers as usual but for one row. Answers that are no JSON object
// with rows stay as they are.
func (s *rest) disturbRows(w http.ResponseWriter, r *http.Request, fault Fault) {
	plain := r.Clone(r.Context())
	plain.Header.Del("Accept-Encoding")
	plain.Header.Del("If-None-Match")
	usual := &bufferedAnswer{header: make(http.Header), status: http.StatusOK}
	s.mux.ServeHTTP(usual, plain)
	body := usual.body.Bytes()
	if usual.status == http.StatusOK {
		body = fault.changeRows(body)
	}
	maps.Copy(w.Header(), usual.header)
	w.Header().Del("ETag")
	writeBody(w, usual.status, body)
}

// bufferedAnswer keeps an answer so that it can be changed.
type bufferedAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *bufferedAnswer) Header() http.Header         { return b.header }
func (b *bufferedAnswer) WriteHeader(status int)      { b.status = status }
func (b *bufferedAnswer) Write(p []byte) (int, error) { return b.body.Write(p) }

func (f Fault) changeRows(body []byte) []byte {
	var answer map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // amounts are beyond 2^53
	if decoder.Decode(&answer) != nil {
		return body
	}
	chance := rand.New(rand.NewPCG(uint64(f.Seed), 1)) //nolint:gosec // reproducible on purpose
	list := listKey(answer)
	rows, _ := answer[list].([]any)
	row := answer
	at := f.rowOf(rows, chance)
	if list != "" {
		if at < 0 {
			return body
		}
		row, _ = rows[at].(map[string]any)
	}
	switch {
	case f.Kind == FaultDrop && list != "":
		answer[list] = slices.Delete(rows, at, at+1)
	case f.Kind == FaultDuplicate && list != "":
		answer[list] = slices.Insert(rows, at, rows[at])
	case f.Kind == FaultSet:
		setField(row, f.Field, f.Value)
	case f.Kind == faultOdd && len(row) > 0:
		fields := slices.Sorted(maps.Keys(row))
		setField(row, fields[chance.IntN(len(fields))], f.Value)
	}
	changed, err := encodeJSON(answer)
	if err != nil {
		return body
	}
	return changed
}

// listKey is the key of the rows in a list's answer, empty in one entity's.
func listKey(answer map[string]any) string {
	if answer["links"] == nil || len(answer) > 3 {
		return ""
	}
	for key, value := range answer {
		if _, ok := value.([]any); ok {
			return key
		}
	}
	return ""
}

// rowOf is the index of the row that the fault is about, -1 where there is none.
func (f Fault) rowOf(rows []any, chance *rand.Rand) int {
	switch {
	case len(rows) == 0:
		return -1
	case f.Kind == faultOdd || f.Entity == "" && f.Rate > 0:
		return chance.IntN(len(rows))
	case f.Entity == "":
		return 0
	}
	return slices.IndexFunc(rows, func(row any) bool {
		for _, value := range row.(map[string]any) {
			if value == f.Entity {
				return true
			}
		}
		return false
	})
}

// setField sets the field at the end of the path, where all before it exist.
func setField(row map[string]any, path string, value json.RawMessage) {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		row[first] = value
		return
	}
	if inner, ok := row[first].(map[string]any); ok {
		setField(inner, rest, value)
	}
}
