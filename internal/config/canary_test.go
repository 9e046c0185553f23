// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/common/model"
)

// testKey is a key of 32 equal bytes.
func testKey(t *testing.T) hiero.PrivateKey {
	t.Helper()
	key, err := hiero.PrivateKeyFromSeedEd25519([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// withKeyFile loads a canary whose key is in the file "key".
func withKeyFile(t *testing.T, canary, key string, mode os.FileMode) (*Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "key", key)
	if err := os.Chmod("key", mode); err != nil {
		t.Fatal(err)
	}
	write(t, "config.yml", "networks:\n  mainnet:\n    canary:\n"+canary)
	return Load(Source{File: "config.yml", Collectors: testCollectors})
}

const wholeCanary = "      operator_id: 0.0.1001\n      operator_key_file: key\n      budget: 20\n"

func TestCanary(t *testing.T) {
	ecdsa, err := hiero.PrivateKeyFromBytesECDSA([]byte(strings.Repeat("e", 32)))
	if err != nil {
		t.Fatal(err)
	}
	hbar := func(n int64) Amount { return Amount{Units: n * 100_000_000, Decimals: 8} }
	for name, tc := range map[string]struct {
		more string
		key  hiero.PrivateKey
		want Canary
	}{
		"transfer": {"", testKey(t), Canary{Budget: hbar(20), Interval: model.Duration(time.Minute), MinBalance: hbar(0)}},
		"ECDSA":    {"", ecdsa, Canary{Budget: hbar(20), Interval: model.Duration(time.Minute), MinBalance: hbar(0)}},
		"message":  {"      topic: 0.0.5005\n", testKey(t), Canary{Budget: hbar(20), Topic: entityID(t, "0.0.5005"), Interval: model.Duration(5 * time.Minute), MinBalance: hbar(0)}},
		"all": {
			"      topic: 0.0.5005\n      interval: 30s\n      min_balance: 7\n", testKey(t),
			Canary{Budget: hbar(20), Topic: entityID(t, "0.0.5005"), Interval: model.Duration(30 * time.Second), MinBalance: hbar(7)},
		},
	} {
		cfg, err := withKeyFile(t, wholeCanary+tc.more, tc.key.StringDer()+"\n", 0o400)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := cfg.Networks[0].Canary
		tc.want.OperatorID, tc.want.OperatorKeyFile, tc.want.OperatorKey = entityID(t, "0.0.1001"), "key", got.OperatorKey
		if !reflect.DeepEqual(*got, tc.want) || got.OperatorKey.PrivateKey().StringDer() != tc.key.StringDer() {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
	if cfg := mustLoad(t, "networks: {mainnet: {canary: }}\n", Source{}); cfg.Networks[0].Canary != nil {
		t.Error("an empty section is a canary")
	}
}

func TestCanaryMistakes(t *testing.T) {
	key := testKey(t)
	const place = "config.yml:"
	for name, tc := range map[string]struct {
		canary string
		key    string
		mode   os.FileMode
		want   string
	}{
		"system account": {
			strings.Replace(wholeCanary, "0.0.1001", "0.0.1000", 1), key.StringDer(), 0o600,
			place + "4: networks.mainnet.canary.operator_id: 0.0.1000 is an account of the network itself; the operator must be one of yours, from 0.0.1001 on",
		},
		"group may read": {
			wholeCanary, key.StringDer(), 0o640,
			place + "5: networks.mainnet.canary.operator_key_file: the file may be read by its group or by others; chmod it to 0400 or 0600",
		},
		"others may read": {
			wholeCanary, key.StringDer(), 0o604,
			place + "5: networks.mainnet.canary.operator_key_file: the file may be read by its group or by others; chmod it to 0400 or 0600",
		},
		"raw key": {
			wholeCanary, key.StringRaw(), 0o600,
			place + "5: networks.mainnet.canary.operator_key_file: the content of the file is not a private key of ED25519 or ECDSA secp256k1 as hexadecimal DER, which begins with 30",
		},
		"public key": {
			wholeCanary, key.PublicKey().StringDer(), 0o600,
			place + "5: networks.mainnet.canary.operator_key_file: the content of the file is not a private key of ED25519 or ECDSA secp256k1 as hexadecimal DER, which begins with 30",
		},
		"no file": {
			strings.Replace(wholeCanary, "key\n", "elsewhere\n", 1), key.StringDer(), 0o600,
			place + "5: networks.mainnet.canary.operator_key_file: the file cannot be read: no such file or directory",
		},
		"key itself": {
			wholeCanary + "      operator_key: " + key.StringDer() + "\n", key.StringDer(), 0o600,
			place + "7: networks.mainnet.canary.operator_key: the key belongs in a file: set operator_key_file",
		},
		"nothing": {
			"      interval: 1m\n", key.StringDer(), 0o600,
			place + "3: networks.mainnet.canary.operator_id: is required\n" + place + "3: networks.mainnet.canary.operator_key_file: is required\n" + place + "3: networks.mainnet.canary.budget: is required",
		},
		"no budget": {
			strings.Replace(wholeCanary, "20", "0", 1), key.StringDer(), 0o600,
			place + `6: networks.mainnet.canary.budget: "0" must be more than 0 hbar`,
		},
		"too often": {
			wholeCanary + "      interval: 9s\n", key.StringDer(), 0o600,
			place + "7: networks.mainnet.canary.interval: 9s must be between 10s and 1d",
		},
	} {
		_, err := withKeyFile(t, tc.canary, tc.key, tc.mode)
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), key.StringRaw()) {
			t.Errorf("%s: the error has the key", name)
		}
	}
}

func TestCanaryNeedsAMirror(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "key", testKey(t).StringDer())
	write(t, "config.yml", "networks:\n  solo:\n    balance_source: consensus\n    consensus: {nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ['192.0.2.1:50211']}]}\n    canary: {operator_id: 0.0.1001, operator_key_file: key, budget: 1}\n")
	_, err := Load(Source{File: "config.yml"})
	if want := "config.yml:5: networks.solo.canary: needs a mirror, which this network does not have: set its mirror.url or remove the key"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestOperatorKeyIsNotShown formats and marshals a canary in every way there is.
func TestOperatorKeyIsNotShown(t *testing.T) {
	key := testKey(t)
	cfg, err := withKeyFile(t, wholeCanary, key.StringDer(), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	canary := cfg.Networks[0].Canary
	shown := map[string]string{"String": cfg.String()}
	for name, value := range map[string]any{
		"Config": *cfg, "*Config": cfg, "Network": cfg.Networks[0], "Canary": *canary, "*Canary": canary,
		"OperatorKey": canary.OperatorKey, "*OperatorKey": &canary.OperatorKey,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			shown[name+" "+verb] = fmt.Sprintf(verb, value)
		}
		shown[name+" JSON"] = toJSON(t, value)
		shown[name+" YAML"] = toYAML(t, value)
		shown[name+" slog"] = toSlog(value)
		shown[name+" go-kit/log"] = toGoKitLog(value)
	}
	raw := key.BytesRaw()
	for how, text := range shown {
		for _, secret := range []string{strings.Repeat("k", 32), hex.EncodeToString(raw), "107 107 107 107 107 107"} {
			if strings.Contains(strings.ToLower(text), secret) {
				t.Errorf("%s shows the key:\n%s", how, text)
			}
		}
	}
	if !strings.Contains(shown["String"], "operator_key_file: key\n") {
		t.Errorf("String lacks the file:\n%s", shown["String"])
	}
}
