// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import "time"

// What an address book and the nodes in it may cost. Whoever writes the book
// chooses what is dialled and what becomes a label, so all of it is bounded. A
// network has 100 nodes at most, with 8 endpoints each (docs/hedera.md 2.3).
const (
	maxNodes         = 1000
	maxNodeEndpoints = 64
	maxEndpoints     = 2000 // of all nodes: each has up to 7 series

	// Longest texts, in bytes. They become labels.
	maxDescription     = 100 // the network's limit
	maxAccountID       = 64  // shard.realm.num
	maxHost            = 253 // a domain name
	maxCertificateHash = 96  // SHA-384 in hex

	// maxNodeBytes bounds a node of a gRPC answer: the longest has an RSA key of
	// 1.6 KB and 8 domain names. maxBookBytes bounds the answer.
	maxNodeBytes = 64 << 10
	maxBookBytes = 8 << 20
	// maxTopicMessageBytes bounds a message of a topic: 1 KiB of content, and its
	// running hash, sender and chunk.
	maxTopicMessageBytes = 16 << 10
	// maxAnswerBytes bounds what a node answers: the price of a query or a
	// balance with 1,000 tokens.
	maxAnswerBytes = 64 << 10
	// probeBytes is what an endpoint may send at once, and probeBytesPerSecond for
	// how long: a handshake, some 5 KB, and a short answer. Without it 256 endpoints
	// that send pings as fast as they can take all of the processor.
	probeBytes          = 16 << 10
	probeBytesPerSecond = 4 << 10
	// handshakeInterval is how often a gRPC client may connect. It would connect as
	// fast as it can to a server that hangs up.
	handshakeInterval = time.Second
	// maxHeaderBytes bounds the header fields of an answer, which have the text of
	// an error.
	maxHeaderBytes = 16 << 10
	// windowBytes is how much a server may send ahead of what was read. A fixed
	// one does not grow with the server's speed.
	windowBytes = 64 << 10
	// maxErrorText bounds, in bytes, what an error quotes from a server.
	maxErrorText = 300

	// maxProbes is how many endpoints are probed at the same time. A probe takes a
	// file descriptor and five goroutines.
	maxProbes = 256
	// maxKept is how many connections a Prober keeps between probes.
	maxKept = 512

	// failureMemory is how long a node that failed is asked after the others.
	failureMemory = time.Minute
)
