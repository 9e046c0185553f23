// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "strings"

// The matchers that every query carries. Recording rules drop job and instance,
// and so do the alerts of the mirror, the nodes and the accounts.
var selectors = strings.NewReplacer(
	"@exporter", `job=~"$job",instance=~"$instance"`,
	"@network", `job=~"$job",instance=~"$instance",network=~"$network"`,
	"@account", `job=~"$job",instance=~"$instance",network=~"$network",account_id=~"$account"`,
	"@node", `job=~"$job",instance=~"$instance",network=~"$network",node_id=~"$node"`,
	"@recordedAccount", `network=~"$network",account_id=~"$account"`,
	"@foundID", `job=~"$job",instance=~"$instance",network=~"$network",account_id=~"$search"`,
	"@foundName", `job=~"$job",instance=~"$instance",network=~"$network",name=~"(?i).*$search.*"`,
	"@recordedID", `network=~"$network",account_id=~"$search"`,
	"@recordedName", `network=~"$network",name=~"(?i).*$search.*"`,
	"@relay", `network=~"$network",relay!=""`, // blackbox_exporter is another job
	"@recorded", `network=~"$network"`,
	"@alerts", `alertname=~"Hedera.+",alertname!="HederaWatchdog",network=~"$network|"`,
)

// query is one target of a panel. A column makes it an instant query of a table.
type query struct {
	expr    string // PromQL with the selectors above
	legend  string // of Prometheus' {{label}} form
	instant bool
	buckets bool // its series are the buckets of a histogram
	column  column
}

// refID names the targets of a panel A, B, C.
func refID(index int) string {
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index : index+1]
}
