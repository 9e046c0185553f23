// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestLoadErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		file string
		src  Source
		want string // one problem on each line
	}{
		{
			name: "own nodes",
			file: "networks:\n  mainnet:\n    consensus:\n      own_nodes: [0, 5, x, -1, 5]\n  solo:\n    balance_source: consensus\n    consensus:\n      nodes:\n        - {node_id: 3, account_id: 0.0.3, endpoints: ['127.0.0.1:50211']}\n      own_nodes:\n        - 3\n        - 4\n",
			want: `config.yml:4: networks.mainnet.consensus.own_nodes[2]: "x" is not a whole number of at least 0
config.yml:4: networks.mainnet.consensus.own_nodes[3]: "-1" is not a whole number of at least 0
config.yml:4: networks.mainnet.consensus.own_nodes: 5 is already at config.yml:4
config.yml:12: networks.solo.consensus.own_nodes[1]: node 4 is not in nodes: correct it, or add the node`,
		},
		{
			name: "not YAML",
			file: "networks:\n\tmainnet:\n",
			want: "config.yml:2: not valid YAML: the indentation has a tab; use spaces only",
		},
		{
			name: "tab after spaces",
			file: "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n      \t- id: 0.0.99\n",
			want: "config.yml:5: not valid YAML: the indentation has a tab; use spaces only",
		},
		{
			name: "tab in place of spaces",
			file: "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n\t- id: 0.0.99\n",
			want: "config.yml:5: not valid YAML: the indentation has a tab; use spaces only",
		},
		{
			name: "bad character",
			file: "networks:\n  mainnet: %x\t\n",
			want: "config.yml:2: not valid YAML: found character that cannot start any token",
		},
		{
			name: "bad indent",
			file: "networks:\n  mainnet:\n    accounts:\n      - id: 0.0.98\n       name: fees\n      - id: 0.0.99\n",
			want: "config.yml:5: not valid YAML: did not find expected '-' indicator; look at the indentation and the brackets of this line and of those before it",
		},
		{
			name: "bad outdent",
			file: "networks:\n  mainnet:\n    balance_source: mirror\n   accounts: []\n  testnet:\n",
			want: "config.yml:4: not valid YAML: did not find expected key; look at the indentation and the brackets of this line and of those before it",
		},
		{
			name: "unclosed bracket at the end",
			file: "networks:\n  mainnet: {accounts: []\n",
			want: "config.yml:2: not valid YAML: did not find expected ',' or '}'; look at the indentation and the brackets of this line and of those before it",
		},
		{
			name: "unquoted asterisk",
			file: "networks:\n  mainnet:\n    balance_source: *hunter2\n",
			want: "config.yml:3: not valid YAML: a value that begins with * refers to an anchor that does not exist; quote it if it is text",
		},
		{
			name: "not UTF-8",
			file: "\xff\xfe\x00",
			want: "config.yml: not valid YAML: incomplete UTF-16 character",
		},
		{
			name: "not a mapping",
			file: "- mainnet\n",
			want: "config.yml:1: must be a mapping, not a list",
		},
		{
			name: "several documents",
			file: "networks: {}\n---\nnetworks: {}\n",
			want: "config.yml:2: a second YAML document starts here, only one is allowed",
		},
		{
			name: "mixed realms",
			file: "networks:\n  solo:\n    mirror: {url: 'http://127.0.0.1:5551'}\n    accounts:\n      - id: 1.2.5\n      - id: 1.3.6\n    tokens: [{id: 1.2.7}]\n    topics:\n      - id: 0.2.8\n",
			want: `config.yml:6: networks.solo.accounts[1].id: 1.3.6 is of another shard or realm than 1.2.5; a network has one shard and one realm, so correct one of the ids
config.yml:9: networks.solo.topics[0].id: 0.2.8 is of another shard or realm than 1.2.5; a network has one shard and one realm, so correct one of the ids`,
		},
		{
			name: "unknown keys",
			file: "netwroks: {}\nzzzzzz: 1\nnetworks:\n  mainnet:\n    acounts: []\n    mirror:\n      rate_limt: 1\n    consensus:\n      tlsports: []\n",
			want: `config.yml:1: unknown key "netwroks", did you mean "networks"?
config.yml:2: unknown key "zzzzzz", known: collectors, networks
config.yml:5: networks.mainnet: unknown key "acounts", did you mean "accounts"?
config.yml:7: networks.mainnet.mirror: unknown key "rate_limt", did you mean "rate_limit"?
config.yml:9: networks.mainnet.consensus: unknown key "tlsports", did you mean "tls_ports"?`,
		},
		{
			name: "duplicate keys",
			file: "networks:\n  mainnet: {}\n  mainnet:\n    accounts: []\nnetworks: {}\n",
			want: `config.yml:3: networks: duplicate key "mainnet", already on line 2
config.yml:5: duplicate key "networks", already on line 1`,
		},
		{
			name: "strange keys",
			file: "networks:\n  ? [a]\n  : b\n  ~: {}\n  a b: {mirror: {url: http://x}}\n",
			want: `config.yml:2: networks: a key must be plain text
config.yml:4: networks: a key must be plain text
config.yml:5: networks: the name "a b" may only have letters, digits, dots, hyphens and underscores`,
		},
		{
			name: "wrong shapes",
			file: "collectors: [accounts]\nnetworks:\n  mainnet:\n    ledger_id: [0]\n    mirror: none\n    consensus: 5\n    accounts: {id: 0.0.98}\n  testnet: yes\n",
			want: `config.yml:1: collectors: must be a mapping, not a list
config.yml:4: networks.mainnet.ledger_id: must be a single value, not a list
config.yml:5: networks.mainnet.mirror: must be a mapping, not a single value
config.yml:6: networks.mainnet.consensus: must be a mapping, not a single value
config.yml:7: networks.mainnet.accounts: must be a list, not a mapping
config.yml:8: networks.testnet: must be a mapping, not a single value`,
		},
		{
			name: "keys without a value",
			file: "networks:\n  mainnet:\n    mirror:\n      url:\n      timeout: ~\n    accounts:\n      - id:\n",
			want: `config.yml:4: networks.mainnet.mirror.url: has no value; set it or remove the key
config.yml:5: networks.mainnet.mirror.timeout: has no value; set it or remove the key
config.yml:7: networks.mainnet.accounts[0].id: has no value; set it or remove the key`,
		},
		{
			name: "bad aliases and merges",
			file: "networks:\n  mainnet: &m\n    <<: *m\n  testnet:\n    <<: 5\n  previewnet: &p\n    <<: [*p, {}]\n",
			want: `config.yml:2: networks.mainnet: << takes a mapping or a list of mappings without << of their own
config.yml:5: networks.testnet: << takes a mapping or a list of mappings without << of their own
config.yml:6: networks.previewnet: << takes a mapping or a list of mappings without << of their own`,
		},
		{
			name: "collectors",
			file: "collectors:\n  acounts: {}\n  accounts: {min_interval: 1s}\n  address_book: {min_interval: 61s, interval: 1s}\nnetworks: {mainnet: }\n",
			want: `config.yml:2: collectors: unknown collector "acounts", did you mean "accounts"?
config.yml:3: collectors.accounts.min_interval: must be 0s: this collector reads the network on every scrape
config.yml:4: collectors.address_book.min_interval: 1m1s is too long: values would be stale after 1m
config.yml:4: collectors.address_book: unknown key "interval", known: exclude, min_interval`,
		},
		{
			name: "exclude",
			file: "collectors:\n  accounts:\n    exclude:\n      - created_timestamp\n      - nonce\n      - hedera_account_created_timestamp_seconds\n      - [a]\n  address_book: {exclude: nodes}\nnetworks: {mainnet: }\n",
			want: `config.yml:5: collectors.accounts.exclude[1]: "nonce" is no metric of the collector accounts; these are: auto_renew_period, created_timestamp, ethereum_nonce
config.yml:6: collectors.accounts.exclude: hedera_account_created_timestamp_seconds is already at config.yml:4
config.yml:7: collectors.accounts.exclude[3]: must be a single value, not a list
config.yml:8: collectors.address_book.exclude: must be a list, not a single value`,
		},
		{
			name: "networks",
			file: "networks:\n  mainet: {}\n  private:\n    ledger_id: 0xzz\n    balance_source: consensus\n",
			want: `config.yml:2: networks.mainet.mirror.url: is required, "mainet" is not a preset, did you mean "mainnet"?
config.yml:3: networks.private.consensus.nodes: is required with balance_source: consensus, unless the network has a mirror
config.yml:4: networks.private.ledger_id: "0xzz" is not a string of hexadecimal bytes such as "0x00"`,
		},
		{
			name: "balance source",
			file: "networks:\n  mainnet:\n    balance_source: node\n",
			want: `config.yml:3: networks.mainnet.balance_source: "node" is neither mirror nor consensus`,
		},
		{
			name: "mirror",
			file: `networks:
  mainnet:
    mirror:
      url: ftp://mirror.example.com
      java_url: https://mirror.example.com/api/v1/
      grpc_address: https://mirror.example.com:443
      grpc_tls: maybe
      rate_limit: -1
      max_concurrency: 0
      timeout: 5
  testnet:
    mirror:
      url: https://mirror.example.com?key=1
      java_url: https://mirror.example.com:99999
      grpc_address: mirror.example.com:0
      rate_limit: .inf
      max_concurrency: 1.5
      timeout: 0s
  previewnet:
    mirror:
      url: mirror.example.com
      url_file: nowhere
      rate_limit: NaN
`,
			want: `config.yml:4: networks.mainnet.mirror.url: must begin with http:// or https://
config.yml:5: networks.mainnet.mirror.java_url: must end before /api/v1, which is added to it
config.yml:6: networks.mainnet.mirror.grpc_address: "https://mirror.example.com:443" is not of the form host:port
config.yml:7: networks.mainnet.mirror.grpc_tls: "maybe" is neither true nor false
config.yml:8: networks.mainnet.mirror.rate_limit: "-1" is not a number of requests per second, 0 for no limit
config.yml:9: networks.mainnet.mirror.max_concurrency: "0" is not a whole number of at least 1
config.yml:10: networks.mainnet.mirror.timeout: "5" is not a duration such as 5s or 1m30s
config.yml:13: networks.testnet.mirror.url: must have neither a query nor a fragment
config.yml:14: networks.testnet.mirror.java_url: "99999" is not a port between 1 and 65535
config.yml:15: networks.testnet.mirror.grpc_address: "0" is not a port between 1 and 65535
config.yml:16: networks.testnet.mirror.rate_limit: ".inf" is not a number of requests per second, 0 for no limit
config.yml:17: networks.testnet.mirror.max_concurrency: "1.5" is not a whole number of at least 1
config.yml:18: networks.testnet.mirror.timeout: must be longer than 0s
config.yml:21: networks.previewnet.mirror.url: is not a URL such as https://mirror.example.com
config.yml:22: networks.previewnet.mirror.url_file: the file cannot be read: no such file or directory
config.yml:23: networks.previewnet.mirror.rate_limit: "NaN" is not a number of requests per second, 0 for no limit`,
		},
		{
			name: "consensus",
			file: `networks:
  private:
    balance_source: consensus
    consensus:
      tls_ports: [0, 65536, x]
      probe_timeout: -1s
      reconnect_interval: soon
      max_concurrency: none
      nodes:
        - {node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:50211", "127.0.0.1"]}
        - {node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:50211"]}
        - {node_id: -1, account_id: x, certificate_hash: abcd, description: ""}
        - {endpoints: []}
        - 5
`,
			want: `config.yml:5: networks.private.consensus.tls_ports[0]: "0" is not a port between 1 and 65535
config.yml:5: networks.private.consensus.tls_ports[1]: "65536" is not a port between 1 and 65535
config.yml:5: networks.private.consensus.tls_ports[2]: "x" is not a port between 1 and 65535
config.yml:6: networks.private.consensus.probe_timeout: "-1s" is not a duration such as 5s or 1m30s
config.yml:7: networks.private.consensus.reconnect_interval: "soon" is not a duration such as 5s or 1m30s
config.yml:8: networks.private.consensus.max_concurrency: "none" is not a whole number of at least 1
config.yml:10: networks.private.consensus.nodes[0].endpoints[1]: "127.0.0.1" is not of the form host:port
config.yml:11: networks.private.consensus.nodes[1].node_id: 0 is already at config.yml:10
config.yml:11: networks.private.consensus.nodes[1].account_id: 0.0.3 is already at config.yml:10
config.yml:11: networks.private.consensus.nodes[1].endpoints: 127.0.0.1:50211 is already at config.yml:10
config.yml:12: networks.private.consensus.nodes[2].node_id: "-1" is not a whole number of at least 0
config.yml:12: networks.private.consensus.nodes[2].account_id: "x" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:12: networks.private.consensus.nodes[2].description: "" is not a line of text
config.yml:12: networks.private.consensus.nodes[2].certificate_hash: has 2 bytes, a SHA-384 hash has 48
config.yml:12: networks.private.consensus.nodes[2].endpoints: is required
config.yml:13: networks.private.consensus.nodes[3].node_id: is required
config.yml:13: networks.private.consensus.nodes[3].account_id: is required
config.yml:13: networks.private.consensus.nodes[3].endpoints: is required
config.yml:14: networks.private.consensus.nodes[4]: must be a mapping, not a single value`,
		},
		{
			name: "account ids",
			file: `networks:
  mainnet:
    accounts:
      - {id: 98}
      - {id: 0.0.+98}
      - {id: 0.0.098}
      - {id: 0.0.-1}
      - {id: 0.0.0}
      - {id: 0.0.99999999999999999999}
      - {id: "0x00000000000000000000000000000000000004d2"}
      - {name: nameless}
      - text
      - {id: 0.0.5, nam: x}
`,
			want: `config.yml:4: networks.mainnet.accounts[0].id: "98" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:5: networks.mainnet.accounts[1].id: "0.0.+98" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:6: networks.mainnet.accounts[2].id: "0.0.098" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:7: networks.mainnet.accounts[3].id: "0.0.-1" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:8: networks.mainnet.accounts[4].id: "0.0.0" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:9: networks.mainnet.accounts[5].id: "0.0.99999999999999999999" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:10: networks.mainnet.accounts[6].id: "0x00000000000000000000000000000000000004d2" is an alias or EVM address: configure the 0.0.x id that the mirror's /api/v1/accounts/ADDRESS names, or use /probe
config.yml:11: networks.mainnet.accounts[7].id: is required
config.yml:12: networks.mainnet.accounts[8]: must be a mapping, not a single value; write {id: 0.0.98}
config.yml:13: networks.mainnet.accounts[9]: unknown key "nam", did you mean "name"?`,
		},
		{
			name: "bare ids",
			file: "networks:\n  mainnet:\n    accounts: [0.0.800]\n    tokens: [~, 0.0.5]\n    schedules:\n      - treasury\n",
			want: `config.yml:3: networks.mainnet.accounts[0]: must be a mapping, not a single value; write {id: 0.0.800}
config.yml:4: networks.mainnet.tokens[0].id: is required
config.yml:4: networks.mainnet.tokens[1]: must be a mapping, not a single value; write {id: 0.0.5}
config.yml:6: networks.mainnet.schedules[0]: must be a mapping, not a single value; write {creator: 0.0.98}`,
		},
		{
			name: "ids that no network can have",
			file: `networks:
  mainnet:
    accounts:
      - {id: 1023.65535.274877906943}
      - {id: 0.0.274877906944}
    tokens:
      - {id: 0.65536.1}
    topics:
      - {id: 1024.0.1}
    contracts:
      - {id: 0.0.9223372036854775807}
    schedules:
      - {creator: 0.0.274877906944}
`,
			want: `config.yml:5: networks.mainnet.accounts[1].id: "0.0.274877906944" is no id that a network can have: the shard must be below 1024, the realm below 65536 and the number below 274877906944
config.yml:7: networks.mainnet.tokens[0].id: "0.65536.1" is no id that a network can have: the shard must be below 1024, the realm below 65536 and the number below 274877906944
config.yml:9: networks.mainnet.topics[0].id: "1024.0.1" is no id that a network can have: the shard must be below 1024, the realm below 65536 and the number below 274877906944
config.yml:11: networks.mainnet.contracts[0].id: "0.0.9223372036854775807" is no id that a network can have: the shard must be below 1024, the realm below 65536 and the number below 274877906944
config.yml:13: networks.mainnet.schedules[0].creator: "0.0.274877906944" is no id that a network can have: the shard must be below 1024, the realm below 65536 and the number below 274877906944`,
		},
		{
			name: "checksums",
			file: `networks:
  mainnet:
    accounts: [{id: 0.0.123-abcde}, {id: 0.0.124-}]
  testnet:
    accounts: [{id: 0.0.123-vfmkw}]
  private:
    mirror: {url: "http://localhost:5551"}
    accounts: [{id: 0.0.123-vfmkw}]
`,
			want: `config.yml:3: networks.mainnet.accounts[0].id: the checksum of 0.0.123 is wrong, on ledger mainnet the id is 0.0.123-vfmkw
config.yml:3: networks.mainnet.accounts[1].id: the checksum of 0.0.124 is wrong, on ledger mainnet the id is 0.0.124-dpjsn
config.yml:5: networks.testnet.accounts[0].id: the checksum of 0.0.123 is wrong, on ledger testnet the id is 0.0.123-esxsf
config.yml:8: networks.private.accounts[0].id: the checksum of 0.0.123 cannot be verified: set the network's ledger_id or remove the checksum`,
		},
		{
			name: "duplicate accounts",
			file: `networks:
  mainnet:
    accounts:
      - {id: 0.0.123, name: fees}
      - id: 0.0.123-vfmkw
      - {id: 0.0.98, name: fees}
      - {id: 0.0.98, name: fees}
      - {id: 0.0.5, name: 0.0.6}
      - {id: 0.0.6}
  testnet:
    accounts:
      - {id: 0.0.123, name: fees}
`,
			want: `config.yml:5: networks.mainnet.accounts[1].id: 0.0.123 is already at config.yml:4
config.yml:6: networks.mainnet.accounts[2].name: fees is already at config.yml:4
config.yml:7: networks.mainnet.accounts[3].id: 0.0.98 is already at config.yml:6
config.yml:7: networks.mainnet.accounts[3].name: fees is already at config.yml:4
config.yml:9: networks.mainnet.accounts[5].name: 0.0.6 is already at config.yml:8`,
		},
		{
			name: "heartbeats and cold accounts",
			file: `networks:
  mainnet:
    accounts:
      - {id: 0.0.2, heartbeat: 1h}
      - {id: 0.0.3, heartbeat: 0s, transactions: true}
      - {id: 0.0.4, cold: very}
    topics:
      - {id: 0.0.5, heartbeat: soon}
`,
			want: `config.yml:4: networks.mainnet.accounts[0].heartbeat: needs transactions: true, without which the account's transactions are not watched
config.yml:5: networks.mainnet.accounts[1].heartbeat: must be longer than 0s
config.yml:6: networks.mainnet.accounts[2].cold: "very" is neither true nor false
config.yml:8: networks.mainnet.topics[0].heartbeat: "soon" is not a duration such as 5s or 1m30s`,
		},
		{
			name: "budgets",
			file: `networks:
  mainnet:
    accounts:
      - {id: 0.0.2, budget: 5}
      - {id: 0.0.3, budget: 0, transactions: true}
      - {id: 0.0.4, budget: -1, transactions: true}
      - {id: 0.0.5, budget: lots, transactions: true}
      - {id: 0.0.6, budget: 0.000000001, transactions: true}
`,
			want: `config.yml:4: networks.mainnet.accounts[0].budget: needs transactions: true, without which the account's fees are not counted
config.yml:5: networks.mainnet.accounts[1].budget: "0" must be more than 0 hbar
config.yml:6: networks.mainnet.accounts[2].budget: "-1" must not be negative
config.yml:7: networks.mainnet.accounts[3].budget: "lots" is not an amount of hbar such as 1000 or 0.5
config.yml:8: networks.mainnet.accounts[4].budget: "0.000000001" has more than 8 decimals, a tinybar is the eighth`,
		},
		{
			name: "account switches",
			file: `networks:
  mainnet:
    accounts:
      - id: 0.0.2
        tokens: some
        transactions: yes
        allowances: 1
      - {id: 0.0.3, tokens: [0.0.456858], transactions: , allowence: true}
`,
			want: `config.yml:5: networks.mainnet.accounts[0].tokens: "some" is neither all nor configured
config.yml:6: networks.mainnet.accounts[0].transactions: "yes" is neither true nor false
config.yml:7: networks.mainnet.accounts[0].allowances: "1" is neither true nor false
config.yml:8: networks.mainnet.accounts[1].tokens: must be a single value, not a list
config.yml:8: networks.mainnet.accounts[1].transactions: has no value; set it or remove the key
config.yml:8: networks.mainnet.accounts[1]: unknown key "allowence", did you mean "allowances"?`,
		},
		{
			name: "entities",
			file: `networks:
  mainnet:
    tokens:
      - {id: 456858, name: ""}
      - {id: "0x000000000000000000000000000000000006f89a"}
      - {id: 0.0.123-abcde}
      - {name: nameless}
      - 0.0.456858
    topics:
      - {id: 0.0.x, nam: audit}
      - {creator: 0.0.5}
    contracts:
      - {id: "0x00000000000000000000000000000000000004d2"}
      - {id: 0.0}
    schedules:
      - {creator: "0x00000000000000000000000000000000000004d2"}
      - {creator: treasury}
      - {id: 0.0.5}
  testnet:
    tokens: {usdc: 0.0.456858}
    topics: 0.0.5005
    contracts:
    schedules: []
`,
			want: `config.yml:4: networks.mainnet.tokens[0].id: "456858" is not a token id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:4: networks.mainnet.tokens[0].name: "" is not a line of text
config.yml:5: networks.mainnet.tokens[1].id: "0x000000000000000000000000000000000006f89a" is not a token id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:6: networks.mainnet.tokens[2].id: the checksum of 0.0.123 is wrong, on ledger mainnet the id is 0.0.123-vfmkw
config.yml:7: networks.mainnet.tokens[3].id: is required
config.yml:8: networks.mainnet.tokens[4]: must be a mapping, not a single value; write {id: 0.0.456858}
config.yml:10: networks.mainnet.topics[0].id: "0.0.x" is not a topic id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:10: networks.mainnet.topics[0]: unknown key "nam", did you mean "name"?
config.yml:11: networks.mainnet.topics[1].id: is required
config.yml:11: networks.mainnet.topics[1]: unknown key "creator", known: heartbeat, id, labels, name
config.yml:13: networks.mainnet.contracts[0].id: "0x00000000000000000000000000000000000004d2" is an alias or EVM address: configure the 0.0.x id that the mirror's /api/v1/contracts/ADDRESS names
config.yml:14: networks.mainnet.contracts[1].id: "0.0" is not a contract id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:16: networks.mainnet.schedules[0].creator: "0x00000000000000000000000000000000000004d2" is an alias or EVM address: configure the 0.0.x id that the mirror's /api/v1/accounts/ADDRESS names
config.yml:17: networks.mainnet.schedules[1].creator: "treasury" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:18: networks.mainnet.schedules[2].creator: is required
config.yml:18: networks.mainnet.schedules[2]: unknown key "id", known: creator, name
config.yml:20: networks.testnet.tokens: must be a list, not a mapping
config.yml:21: networks.testnet.topics: must be a list, not a single value`,
		},
		{
			name: "duplicate entities",
			file: `networks:
  mainnet:
    accounts: [{id: 0.0.123, name: same}]
    tokens:
      - {id: 0.0.123, name: same}
      - {id: 0.0.123-vfmkw, name: other}
      - {id: 0.0.124, name: same}
    topics:
      - {id: 0.0.123, name: same}
      - {id: 0.0.123}
    contracts:
      - {id: 0.0.5, name: 0.0.123}
      - {id: 0.0.123}
    schedules:
      - {creator: 0.0.123, name: same}
      - {creator: 0.0.123, name: same}
`,
			want: `config.yml:6: networks.mainnet.tokens[1].id: 0.0.123 is already at config.yml:5
config.yml:7: networks.mainnet.tokens[2].name: same is already at config.yml:5
config.yml:10: networks.mainnet.topics[1].id: 0.0.123 is already at config.yml:9
config.yml:13: networks.mainnet.contracts[1].name: 0.0.123 is already at config.yml:12
config.yml:16: networks.mainnet.schedules[1].creator: 0.0.123 is already at config.yml:15
config.yml:16: networks.mainnet.schedules[1].name: same is already at config.yml:15`,
		},
		{
			name: "web3 and other mirrors",
			file: `networks:
  mainnet:
    mirror:
      web3_url: ftp://mirror.example.com
      others:
        - {name: one, url: https://one.example.com/hunter2, http_client: {bearer_token: hunter2}}
        - {name: one, url: https://ONE.example.com/hunter2/}
        - {url: https://mainnet.mirrornode.hedera.com/}
        - {name: "", url_file: missing}
        - {name: two, timeout: 5s}
  testnet:
    mirror: {web3: yes, others: [three]}
  previewnet:
    mirror:
      web3_url: http://localhost:8545
      others: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}]
`,
			want: `config.yml:4: networks.mainnet.mirror.web3_url: must begin with http:// or https://
config.yml:6: networks.mainnet.mirror.others[0].http_client.bearer_token: a secret must not be in the configuration file; use bearer_token_file
config.yml:7: networks.mainnet.mirror.others[1].name: one is already at config.yml:6
config.yml:7: networks.mainnet.mirror.others[1]: the mirror is already at config.yml:6
config.yml:8: networks.mainnet.mirror.others[2].name: is required
config.yml:8: networks.mainnet.mirror.others[2]: is the mirror that it is to be compared with; give another one's url
config.yml:9: networks.mainnet.mirror.others[3].name: "" is not a line of text
config.yml:9: networks.mainnet.mirror.others[3].url_file: the file cannot be read: no such file or directory
config.yml:10: networks.mainnet.mirror.others[4].url: is required
config.yml:10: networks.mainnet.mirror.others[4]: unknown key "timeout", known: http_client, name, url, url_file
config.yml:12: networks.testnet.mirror.web3: "yes" is neither true nor false
config.yml:12: networks.testnet.mirror.others[0]: must be a mapping, not a single value
config.yml:15: networks.previewnet.mirror.web3_url: needs web3: true, without which the Web3 module is not watched
config.yml:16: networks.previewnet.mirror.others: has 6 mirrors, 5 are allowed: each is asked in every scrape`,
		},
		{
			name: "what needs a mirror",
			file: `networks:
  solo:
    balance_source: consensus
    consensus: {nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:50211"]}]}
    accounts:
      - {id: 0.0.2, tokens: configured, transactions: false, allowances: false}
      - id: 0.0.3
        tokens: all
        transactions: true
        allowances: true
    tokens:
      - {id: 0.0.456858}
    topics: [{id: 0.0.5005}]
    contracts: [{id: 0.0.6006}]
    schedules: [{creator: x}]
`,
			want: `config.yml:8: networks.solo.accounts[1].tokens: needs a mirror, which this network does not have: set its mirror.url or remove the key
config.yml:9: networks.solo.accounts[1].transactions: needs a mirror, which this network does not have: set its mirror.url or remove the key
config.yml:10: networks.solo.accounts[1].allowances: needs a mirror, which this network does not have: set its mirror.url or remove the key
config.yml:11: networks.solo.tokens: needs a mirror, which this network does not have: set its mirror.url or remove the key
config.yml:13: networks.solo.topics: needs a mirror, which this network does not have: set its mirror.url or remove the key
config.yml:14: networks.solo.contracts: needs a mirror, which this network does not have: set its mirror.url or remove the key
config.yml:15: networks.solo.schedules: needs a mirror, which this network does not have: set its mirror.url or remove the key
config.yml:15: networks.solo.schedules[0].creator: "x" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum`,
		},
		{
			name: "thresholds",
			file: `networks:
  mainnet:
    accounts:
      - id: 0.0.2
        thresholds:
          warning: 100
          critical: 1000
          info: 100.0
      - {id: 0.0.3, thresholds: {info: 0.123456789, warning: -1, critical: 1e, fatal: 1}}
      - {id: 0.0.4, thresholds: {info: 92233720368.54775808, warning: .5, critical: }}
      - {id: 0.0.5, thresholds: {info: 5, critical: 6}}
      - {id: 0.0.6, thresholds: 100}
`,
			want: `config.yml:6: networks.mainnet.accounts[0].thresholds.warning: 100 hbar must be less than the 100 hbar of info on line 8
config.yml:7: networks.mainnet.accounts[0].thresholds.critical: 1000 hbar must be less than the 100 hbar of warning on line 6
config.yml:9: networks.mainnet.accounts[1].thresholds.info: "0.123456789" has more than 8 decimals, a tinybar is the eighth
config.yml:9: networks.mainnet.accounts[1].thresholds.warning: "-1" must not be negative
config.yml:9: networks.mainnet.accounts[1].thresholds.critical: "1e" is not an amount of hbar such as 1000 or 0.5
config.yml:9: networks.mainnet.accounts[1].thresholds: unknown key "fatal", known: critical, info, warning
config.yml:10: networks.mainnet.accounts[2].thresholds.info: "92233720368.54775808" is more than an int64 of tinybar can hold
config.yml:10: networks.mainnet.accounts[2].thresholds.warning: ".5" is not an amount of hbar such as 1000 or 0.5
config.yml:10: networks.mainnet.accounts[2].thresholds.critical: has no value; set it or remove the key
config.yml:11: networks.mainnet.accounts[3].thresholds.critical: 6 hbar must be less than the 5 hbar of info on line 11
config.yml:12: networks.mainnet.accounts[4].thresholds: must be a mapping, not a single value`,
		},
		{
			name: "labels",
			file: `networks:
  mainnet:
    accounts:
      - {id: 0.0.2, labels: {team: treasury, Env_2: prod, 9lives: x, cost-center: x, "": x, __name__: x, é: x}}
      - id: 0.0.3
        labels:
          network: x
          job: x
          severity: x
          team: ""
          env:
          region: [x]
          owner: "` + strings.Repeat("ä", 65) + `"
          ` + strings.Repeat("l", 65) + `: x
          team: again
      - {id: 0.0.4, labels: treasury}
    tokens: [{id: 0.0.5, labels: {a: 1, b: 2, c: 3}}]
    topics: [{id: 0.0.6, labels: {d: 1, e: true, team: "` + strings.Repeat("ä", 64) + `"}}]
    contracts:
      - {id: 0.0.7, labels: {f: 1, g: 1}}
      - {id: 0.0.8, labels: {token_id: x}}
    schedules: [{creator: 0.0.9, labels: {team: x}}]
  testnet:
    accounts: [{id: 0.0.2, labels: {a: 1, g: 1, team: x}}]
`,
			want: `config.yml:4: networks.mainnet.accounts[0].labels: the label name "9lives" may only have letters, digits and underscores, and must not begin with a digit
config.yml:4: networks.mainnet.accounts[0].labels: the label name "cost-center" may only have letters, digits and underscores, and must not begin with a digit
config.yml:4: networks.mainnet.accounts[0].labels: the label name "" may only have letters, digits and underscores, and must not begin with a digit
config.yml:4: networks.mainnet.accounts[0].labels: the label name "__name__" begins with __, which is reserved for Prometheus itself
config.yml:4: networks.mainnet.accounts[0].labels: the label name "é" may only have letters, digits and underscores, and must not begin with a digit
config.yml:7: networks.mainnet.accounts[1].labels: the label name "network" is that of a label which targets, alerts or other metrics of the exporter have; choose another one
config.yml:8: networks.mainnet.accounts[1].labels: the label name "job" is that of a label which targets, alerts or other metrics of the exporter have; choose another one
config.yml:9: networks.mainnet.accounts[1].labels: the label name "severity" is that of a label which targets, alerts or other metrics of the exporter have; choose another one
config.yml:10: networks.mainnet.accounts[1].labels.team: "" is not a line of text
config.yml:11: networks.mainnet.accounts[1].labels.env: has no value; set it or remove the key
config.yml:12: networks.mainnet.accounts[1].labels.region: must be a single value, not a list
config.yml:13: networks.mainnet.accounts[1].labels.owner: "` + strings.Repeat("ä", 65) + `" is longer than 64 characters
config.yml:14: networks.mainnet.accounts[1].labels: the label name "` + strings.Repeat("l", 65) + `" is longer than 64 characters
config.yml:15: networks.mainnet.accounts[1].labels: duplicate key "team", already on line 10
config.yml:16: networks.mainnet.accounts[2].labels: must be a mapping, not a single value
config.yml:20: networks.mainnet.contracts[0].labels: the label name "f" is one too many: a file may have 10 different ones
config.yml:20: networks.mainnet.contracts[0].labels: the label name "g" is one too many: a file may have 10 different ones
config.yml:21: networks.mainnet.contracts[1].labels: the label name "token_id" is that of a label which targets, alerts or other metrics of the exporter have; choose another one
config.yml:22: networks.mainnet.schedules[0]: unknown key "labels", known: creator, name
config.yml:24: networks.testnet.accounts[0].labels: the label name "g" is one too many: a file may have 10 different ones`,
		},
		{
			name: "maximum",
			file: `networks:
  mainnet:
    accounts:
      - id: 0.0.2
        maximum:
          info: 1000
          warning: 1000.0
          critical: 999.99999999
      - id: 0.0.3
        thresholds: {critical: 1, info: 500}
        maximum: {critical: 2000, warning: 500}
      - {id: 0.0.4, maximum: {warning: -1, critical: 1.123456789, fatal: 1}}
      - {id: 0.0.5, maximum: 1000}
    contracts:
      - {id: 0.0.6, thresholds: {warning: 1, critical: 2}, maximum: {warning: 5}}
    tokens:
      - {id: 0.0.7, thresholds: {warning: 1}}
`,
			want: `config.yml:7: networks.mainnet.accounts[0].maximum.warning: 1000 hbar must be more than the 1000 hbar of info on line 6
config.yml:8: networks.mainnet.accounts[0].maximum.critical: 999.99999999 hbar must be more than the 1000 hbar of warning on line 7
config.yml:11: networks.mainnet.accounts[1].maximum.warning: 500 hbar must be more than the 500 hbar of thresholds.info
config.yml:12: networks.mainnet.accounts[2].maximum.warning: "-1" must not be negative
config.yml:12: networks.mainnet.accounts[2].maximum.critical: "1.123456789" has more than 8 decimals, a tinybar is the eighth
config.yml:12: networks.mainnet.accounts[2].maximum: unknown key "fatal", known: critical, info, warning
config.yml:13: networks.mainnet.accounts[3].maximum: must be a mapping, not a single value
config.yml:15: networks.mainnet.contracts[0].thresholds.critical: 2 hbar must be less than the 1 hbar of warning on line 15
config.yml:15: networks.mainnet.contracts[0]: unknown key "maximum", known: id, labels, name, thresholds
config.yml:17: networks.mainnet.tokens[0]: unknown key "thresholds", known: id, labels, name`,
		},
		{
			name: "token thresholds",
			file: `networks:
  mainnet:
    accounts:
      - id: 0.0.2
        token_thresholds:
          0.0.5:
            warning: 0.1
            critical: 0.10
          0.0.6: {warning: 1}
          usdc: {warning: 1}
          0.0.123-abcde: {warning: 1}
          0.0.5-xxxxx: {}
      - id: 0.0.3
        tokens: all
        token_thresholds:
          0.0.6: {info: 1e, warning: -1, critical: 0.1234567890123456789, fatal: 1}
          0.0.7: {info: 9223372036854775808, warning: .5, critical: }
          0.0.8: 100
          0.0.123: {warning: 5}
          0.0.123-vfmkw: {warning: 6}
          1.0.9: {warning: 6}
      - {id: 0.0.4, token_thresholds: [0.0.5]}
    tokens: [{id: 0.0.5, name: usdc}]
  solo:
    balance_source: consensus
    consensus: {nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:50211"]}]}
    accounts:
      - {id: 0.0.2, token_thresholds: {0.0.5: {warning: 1}}}
`,
			want: `config.yml:8: networks.mainnet.accounts[0].token_thresholds.0.0.5.critical: 0.1 tokens must be less than the 0.1 tokens of warning on line 7
config.yml:9: networks.mainnet.accounts[0].token_thresholds.0.0.6: is not watched: add the token to the network's tokens, or set tokens: all for the account
config.yml:10: networks.mainnet.accounts[0].token_thresholds: "usdc" is not a token id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:11: networks.mainnet.accounts[0].token_thresholds: the checksum of 0.0.123 is wrong, on ledger mainnet the id is 0.0.123-vfmkw
config.yml:12: networks.mainnet.accounts[0].token_thresholds: the checksum of 0.0.5 is wrong, on ledger mainnet the id is 0.0.5-ktach
config.yml:16: networks.mainnet.accounts[1].token_thresholds.0.0.6.info: "1e" is not an amount of tokens such as 1000 or 0.5
config.yml:16: networks.mainnet.accounts[1].token_thresholds.0.0.6.warning: "-1" must not be negative
config.yml:16: networks.mainnet.accounts[1].token_thresholds.0.0.6.critical: "0.1234567890123456789" has more than 18 decimals
config.yml:16: networks.mainnet.accounts[1].token_thresholds.0.0.6: unknown key "fatal", known: critical, info, warning
config.yml:17: networks.mainnet.accounts[1].token_thresholds.0.0.7.info: "9223372036854775808" is more than an int64 of the token's smallest unit can hold
config.yml:17: networks.mainnet.accounts[1].token_thresholds.0.0.7.warning: ".5" is not an amount of tokens such as 1000 or 0.5
config.yml:17: networks.mainnet.accounts[1].token_thresholds.0.0.7.critical: has no value; set it or remove the key
config.yml:18: networks.mainnet.accounts[1].token_thresholds.0.0.8: must be a mapping, not a single value
config.yml:20: networks.mainnet.accounts[1].token_thresholds.0.0.123-vfmkw: 0.0.123 is already at config.yml:19
config.yml:21: networks.mainnet.accounts[1].token_thresholds: 1.0.9 is of another shard or realm than 0.0.2; a network has one shard and one realm, so correct one of the ids
config.yml:22: networks.mainnet.accounts[2].token_thresholds: must be a mapping, not a list
config.yml:28: networks.solo.accounts[0].token_thresholds: needs a mirror, which this network does not have: set its mirror.url or remove the key`,
		},
		{
			name: "flags",
			file: "networks:\n  testnet:\n    accounts:\n      - {id: 0.0.98, name: fees}\n",
			src:  Source{Network: "testnet", Accounts: []string{"0.0.98", "0.0.5=fees", "0.0.7", "0.0.7=x", "x=y", "0.0.8=", "0.0.123-vfmkw"}},
			want: `--account "0.0.98": 0.0.98 is already at config.yml:4
--account "0.0.5=fees": the name fees is already at config.yml:4
--account "0.0.7=x": 0.0.7 is already at --account "0.0.7"
--account "x=y": "x" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
--account "0.0.8=": the name "" is not a line of text
--account "0.0.123-vfmkw": the checksum of 0.0.123 is wrong, on ledger testnet the id is 0.0.123-esxsf`,
		},
		{
			name: "flag of an unknown network",
			src:  Source{Network: "mainet"},
			want: `--network "mainet": is neither in the configuration file nor a preset, did you mean "mainnet"?`,
		},
		{
			name: "mistyped network beside a file",
			file: "networks:\n  testnet:\n",
			src:  Source{Network: "tesnet"},
			want: `--network "tesnet": is not in config.yml, and there is no --account for it, did you mean "testnet"?`,
		},
		{
			name: "other preset beside a file",
			file: "networks:\n  testnet:\n",
			src:  Source{Network: "mainnet"},
			want: `--network "mainnet": is not in config.yml, and there is no --account for it, known: testnet`,
		},
		{
			name: "account of one of several networks",
			file: "networks:\n  testnet:\n  previewnet:\n",
			src:  Source{Accounts: []string{"0.0.98"}},
			want: `--account: needs --network, as config.yml has several networks and mainnet is not one of them`,
		},
		{
			name: "problems of file and flags together",
			file: "networks:\n  mainnet:\n    accounts:\n      - {id: x}\nunknown: 1\n",
			src:  Source{Accounts: []string{"x"}},
			want: `config.yml:4: networks.mainnet.accounts[0].id: "x" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum
config.yml:5: unknown key "unknown", known: collectors, networks
--account "x": "x" is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg, err := loadText(t, tc.file, tc.src)
			if err == nil {
				t.Fatalf("no error, got\n%s", cfg)
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			var problems *Errors
			if !errors.As(err, &problems) || len(problems.Problems) != strings.Count(tc.want, "\n")+1 {
				t.Errorf("the error is %#v, not *Errors with one problem a line", err)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(Source{File: "nowhere/config.yml"})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want fs.ErrNotExist", err)
	}
	if got, want := err.Error(), "nowhere/config.yml: cannot be read: no such file or directory"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestManyProblems has a file with a mistake on each line.
func TestManyProblems(t *testing.T) {
	_, err := loadText(t, "networks:\n  mainnet:\n    accounts:\n"+strings.Repeat("      - x\n", 1000), Source{})
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxShown+1 || !strings.HasPrefix(lines[0], "config.yml:4:") || lines[maxShown] != "and 950 more problems" {
		t.Errorf("%d lines, from %s to %s", len(lines), lines[0], lines[len(lines)-1])
	}
}
