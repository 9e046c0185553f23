// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// decoders are the decoders by route. Those of routes that the client does not
// ask for are missing.
var decoders = []struct {
	route  *regexp.Regexp
	decode func(body string) (failures []string, err error)
}{
	{regexp.MustCompile(`^/api/v1/accounts\?`), decoding(decodeAccounts)},
	{regexp.MustCompile(`^/api/v1/accounts/[^/?]+(\?.*)?$`), decoding(decodeAccount)},
	{regexp.MustCompile(`^/api/v1/accounts/[^/]+/tokens`), decoding(decodeTokenRelationships)},
	{regexp.MustCompile(`^/api/v1/accounts/[^/]+/allowances/(crypto|tokens)`), decoding(decodeAllowances)},
	{regexp.MustCompile(`^/api/v1/accounts/[^/]+/allowances/nfts`), decoding(decodeNFTAllowances)},
	{regexp.MustCompile(`^/api/v1/balances`), decoding(decodeBalances)},
	{regexp.MustCompile(`^/api/v1/blocks\?`), decoding(decodeBlocks)},
	{regexp.MustCompile(`^/api/v1/contracts\?`), decoding(decodeContracts)},
	{regexp.MustCompile(`^/api/v1/network/exchangerate`), decoding(decodeExchangeRates)},
	{regexp.MustCompile(`^/api/v1/network/fees`), decoding(decodeFees)},
	{regexp.MustCompile(`^/api/v1/network/nodes`), decoding(decodeNodes)},
	{regexp.MustCompile(`^/api/v1/network/registered-nodes`), decoding(decodeRegisteredNodes)},
	{regexp.MustCompile(`^/api/v1/network/stake`), decoding(decodeStake)},
	{regexp.MustCompile(`^/api/v1/network/supply`), decoding(decodeSupply)},
	{regexp.MustCompile(`^/api/v1/schedules\?`), decoding(decodeSchedules)},
	{regexp.MustCompile(`^/api/v1/tokens/[^/?]+(\?.*)?$`), decoding(decodeToken)},
	{regexp.MustCompile(`^/api/v1/topics/[^/?]+(\?.*)?$`), decoding(decodeTopic)},
	{regexp.MustCompile(`^/api/v1/topics/[^/]+/messages(\?|$)`), decoding(decodeTopicMessages)},
	{regexp.MustCompile(`^/api/v1/transactions\?`), decoding(decodeTransactions)},
}

func decoding[T any](decode func(*response) (T, error)) func(string) ([]string, error) {
	return func(body string) ([]string, error) {
		_, failures, err := decodeBody(decode, body)
		return failures, err
	}
}

// noFailure are odd fields of testdata/shapes that are no failure to decode.
var noFailure = []string{
	"next_rate.hbar_equivalent", // 0: a number, but there is no rate
	"staking_reward_rate",       // null
}

// TestAnswersDecode has the recorded answers of the real server and those of
// testdata/shapes: all can be decoded, and only odd fields fail.
func TestAnswersDecode(t *testing.T) {
	files, err := filepath.Glob("testdata/shapes/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	decoded := map[string]int{}
	for _, file := range append(files, "testdata/recorded/mirror-rest-0.160.jsonl") {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var a struct {
				Name, Request string
				Status        int
				Body          json.RawMessage
				Odd           []string
			}
			if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
				t.Fatal(file, err)
			}
			if a.Status != 200 || a.Body == nil {
				continue
			}
			for _, d := range decoders {
				if !d.route.MatchString(a.Request) {
					continue
				}
				decoded[d.route.String()]++
				failures, err := d.decode(string(a.Body))
				if err != nil {
					t.Errorf("%s: %s: %s: %v", file, a.Name, a.Request, err)
				}
				failures = slices.DeleteFunc(failures, func(failure string) bool { return strings.HasSuffix(failure, "second row is left out") })
				odd := slices.DeleteFunc(a.Odd, func(field string) bool { return slices.Contains(noFailure, field) })
				if len(odd) != len(failures) || (len(odd) > 0 && !strings.HasPrefix(failures[0], lastName(odd[0]))) {
					t.Errorf("%s: %s: %s: failures %q, want %q", file, a.Name, a.Request, failures, odd)
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(file, err)
		}
	}
	for _, d := range decoders {
		if decoded[d.route.String()] == 0 {
			t.Errorf("no answer is of %s", d.route)
		}
	}
}

// lastName is the field of a path without the list that it is in.
func lastName(path string) string {
	_, name, found := strings.Cut(path, "].")
	if !found {
		return path
	}
	return name
}
