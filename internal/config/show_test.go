// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestManyAccountsAreShown has more accounts than are shown at once, and names that
// YAML could take for something else.
func TestManyAccountsAreShown(t *testing.T) {
	var text strings.Builder
	text.WriteString("networks:\n  \"true\":\n    mirror: {url: 'http://h'}\n    tokens: [{id: 0.0.5}]\n    accounts:\n")
	for i := range 2*shownAtOnce + 1 {
		fmt.Fprintf(&text, "      - {id: 0.0.%d, name: '%d', token_thresholds: {0.0.5: {info: %d}}}\n", 1001+i, i, i)
	}
	first := mustLoad(t, text.String(), Source{})
	second := mustLoad(t, first.String(), Source{})
	if !reflect.DeepEqual(first.Networks, second.Networks) || len(first.Networks[0].Accounts) != 2*shownAtOnce+1 {
		t.Errorf("got\n%s\nwant\n%s", second, first)
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	cfg := mustLoad(t, "networks: {mainnet: {accounts: [{id: 0.0.98, name: "+strings.Repeat("a", 5000)+"}]}}\n", Source{})
	if err := cfg.Write(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
