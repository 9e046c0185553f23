// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package sdktest runs official SDKs against the simulated network: what they
// accept as a network is faithful enough for the exporter's tests. The exporter
// uses neither of their clients (docs/hedera.md 4).
package sdktest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/grpc/status"

	"hedera_exporter/internal/simulator"
)

const (
	nodes      = 3
	edPayer    = "0.0.1002"
	ecdsaPayer = "0.0.1001"
	topic      = "0.0.2450001" // without messages so far
	text       = "canary"
	timeout    = 60 * time.Second

	// The SDKs use TLS for these ports alone (docs/hedera.md 3).
	plainPort = 50211
	tlsPort   = 50212
)

// network is a simulated one whose nodes have the ports of real ones.
type network struct {
	*simulator.Simulator

	tlsConnections atomic.Int64
}

func startNetwork(t *testing.T) *network {
	t.Helper()
	n := new(network)
	ports, err := bookPorts()
	if err != nil {
		t.Fatal(err)
	}
	var opened int
	n.Simulator, err = simulator.Start(simulator.Options{
		Nodes: nodes, Accounts: 3, Static: true,
		ConsensusDelay: 200 * time.Millisecond, MirrorDelay: 200 * time.Millisecond,
		Listen: func(ctx context.Context, protocol, address string) (net.Listener, error) {
			if opened >= len(ports) {
				return new(net.ListenConfig).Listen(ctx, protocol, address) // of the mirror
			}
			opened++
			return n.listenAs(ctx, ports[opened-1])
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// bookPorts are those of the first nodes' endpoints, in the order in which the
// simulator opens them.
func bookPorts() ([]int, error) {
	content, err := os.ReadFile(filepath.Join("..", "data", "address-book-mainnet.json"))
	if err != nil {
		return nil, err
	}
	var book []struct {
		Endpoints []struct{ Port int } `json:"service_endpoints"`
	}
	if err := json.Unmarshal(content, &book); err != nil {
		return nil, err
	}
	var ports []int
	for _, node := range book[:nodes] {
		for _, e := range node.Endpoints {
			ports = append(ports, e.Port)
		}
	}
	return ports, nil
}

// listenAs opens a port at an address of loopback's 16 million where it is free.
func (n *network) listenAs(ctx context.Context, port int) (listener net.Listener, err error) {
	for range 100 {
		pid := os.Getpid()
		address := fmt.Sprintf("127.%d.%d.%d:%d", 1+pid>>8%250, pid%256, 1+lastByte.Add(1)%250, port)
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", address); err == nil {
			break
		}
	}
	if err != nil || port != tlsPort {
		return listener, err
	}
	return countingListener{listener, &n.tlsConnections}, nil
}

var lastByte atomic.Int64

type countingListener struct {
	net.Listener

	count *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.count.Add(1)
	}
	return conn, err
}

// charged checks what the ledger says of a payer: so many transfers of a tinybar
// and messages, all a success.
func (n *network) charged(t *testing.T, payer string, transfers, messages int64) {
	t.Helper()
	totals := n.AccountTotals(payer)
	got := []int64{
		totals.ByTypeResult[[2]string{"CRYPTOTRANSFER", "SUCCESS"}],
		totals.ByTypeResult[[2]string{"CONSENSUSSUBMITMESSAGE", "SUCCESS"}],
		totals.Out - totals.Fees,
	}
	if !slices.Equal(got, []int64{transfers, messages, transfers}) {
		t.Errorf("%s has %v transfers, messages and tinybar sent, want %d, %d and %d", payer, got, transfers, messages, transfers)
	}
}

func (n *network) key(t *testing.T, account string) hiero.PrivateKey {
	t.Helper()
	key, err := n.PrivateKey(account)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestGoSDK(t *testing.T) {
	n := startNetwork(t)
	client, err := hiero.ClientForMirrorNetwork([]string{n.GRPCAddress()}) //nolint:forbidigo // it is what is tested
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	client.SetRequestTimeout(timeout)

	book, err := hiero.NewAddressBookQuery().SetFileID(hiero.FileIDForAddressBook()).Execute(client)
	if err != nil || len(book.NodeAddresses) != nodes {
		t.Fatalf("address book: got %v, %v", book, err)
	}
	for i, node := range n.Nodes() {
		if got := book.NodeAddresses[i]; got.AccountID.String() != node.AccountID || string(got.CertHash) != node.CertHash {
			t.Errorf("node %d: got %v", node.NodeID, got)
		}
	}

	received := make(chan hiero.TopicMessage, 10)
	topicID, err := hiero.TopicIDFromString(topic)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := hiero.NewTopicMessageQuery().SetTopicID(topicID).
		SetErrorHandler(func(stat status.Status) { t.Errorf("subscription: %s", stat.Message()) }).
		Subscribe(client, func(m hiero.TopicMessage) { received <- m })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(handle.Unsubscribe)

	for i, payer := range []string{edPayer, ecdsaPayer} {
		account, err := hiero.AccountIDFromString(payer)
		if err != nil {
			t.Fatal(err)
		}
		client.SetOperator(account, n.key(t, payer))
		cost, err := hiero.NewAccountInfoQuery().SetAccountID(account).GetCost(client)
		if err != nil || cost.AsTinybar() == 0 {
			t.Errorf("cost: got %v, %v", cost, err)
		}
		for _, node := range n.Nodes() {
			sendTinybar(t, client, account, node.AccountID)
		}
		response, err := hiero.NewTopicMessageSubmitTransaction().SetTopicID(topicID).SetMessage([]byte(text)).Execute(client)
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := response.GetReceipt(client)
		if err != nil || receipt.TopicSequenceNumber != uint64(i+1) || receipt.TopicRunningHashVersion != 3 {
			t.Fatalf("message: got %+v, %v", receipt, err)
		}
		select {
		case m := <-received:
			if string(m.Contents) != text || m.SequenceNumber != uint64(i+1) || !bytes.Equal(m.RunningHash, receipt.TopicRunningHash) {
				t.Errorf("got %+v, the receipt has %+v", m, receipt)
			}
		case <-time.After(timeout):
			t.Fatal("the subscription has no message")
		}
		n.charged(t, payer, nodes, 1)
	}

	// By TLS alone.
	secure := make(map[string]hiero.AccountID)
	for _, node := range book.NodeAddresses {
		for _, e := range node.Addresses {
			if e.GetPort() == tlsPort {
				secure[e.String()] = *node.AccountID
			}
		}
	}
	if err := client.SetNetwork(secure); err != nil {
		t.Fatal(err)
	}
	account := client.GetOperatorAccountID()
	for _, node := range n.Nodes() {
		sendTinybar(t, client, account, node.AccountID)
	}
	// The SDK keeps the connections that it has: some may be from before.
	if n.tlsConnections.Load() == 0 {
		t.Error("no connection by TLS")
	}

	// What goes wrong is an error that the SDK knows.
	unknown, err := hiero.TopicIDFromString("0.0.999")
	if err != nil {
		t.Fatal(err)
	}
	var final hiero.ErrHederaReceiptStatus
	_, err = hiero.NewTopicMessageSubmitTransaction().SetTopicID(unknown).SetMessage([]byte(text)).Execute(client) // waits for the receipt
	if !errors.As(err, &final) || final.Status != hiero.StatusInvalidTopicID {
		t.Errorf("unknown topic: got %v", err)
	}
	var precheck hiero.ErrHederaPreCheckStatus
	_, err = hiero.NewTransferTransaction().AddHbarTransfer(account, hiero.HbarFromTinybar(-1)).
		AddHbarTransfer(hiero.AccountID{Account: 3}, hiero.HbarFromTinybar(1)).
		SetMaxTransactionFee(hiero.HbarFromTinybar(1)).Execute(client)
	if !errors.As(err, &precheck) || precheck.Status != hiero.StatusInsufficientTxFee {
		t.Errorf("small fee: got %v", err)
	}
}

// sendTinybar pays a node by itself.
func sendTinybar(t *testing.T, client *hiero.Client, from hiero.AccountID, node string) {
	t.Helper()
	to, err := hiero.AccountIDFromString(node)
	if err != nil {
		t.Fatal(err)
	}
	response, err := hiero.NewTransferTransaction().
		AddHbarTransfer(from, hiero.HbarFromTinybar(-1)).AddHbarTransfer(to, hiero.HbarFromTinybar(1)).
		SetNodeAccountIDs([]hiero.AccountID{to}).SetTransactionMemo(text).Execute(client)
	if err != nil {
		t.Fatalf("transfer by %s: %v", node, err)
	}
	receipt, err := response.GetReceipt(client)
	if err != nil || receipt.Status != hiero.StatusSuccess || receipt.ExchangeRate == nil {
		t.Fatalf("transfer by %s: got %+v, %v", node, receipt, err)
	}
}

// sdkJS is what npm installs.
const sdkJS = "@hiero-ledger/sdk@2.87.0"

//go:embed client.cjs
var clientJS []byte

// installSDK tries three times: a download may fail once.
func installSDK(ctx context.Context, npm, directory string) (output []byte, err error) {
	for range 3 {
		install := exec.CommandContext(ctx, npm, "install", "--prefix", directory,
			"--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional", "--prefer-offline", sdkJS)
		if output, err = install.CombinedOutput(); err == nil {
			break
		}
		select {
		case <-time.After(10 * time.Second):
		case <-ctx.Done():
		}
	}
	return output, err
}

func TestJavaScriptSDK(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatalf("npm: %v; install Node.js 18 or later and npm (Debian: apt-get install nodejs npm)", err)
	}
	directory := t.TempDir()
	if output, err := installSDK(t.Context(), npm, directory); err != nil {
		t.Fatalf("npm install %s: %v; it needs npm's registry, or its cache\n%s", sdkJS, err, output)
	}
	if err := os.WriteFile(filepath.Join(directory, "client.cjs"), clientJS, 0o600); err != nil {
		t.Fatal(err)
	}

	n := startNetwork(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*timeout)
	defer cancel()
	input, err := json.Marshal(map[string]any{
		"mirror": n.GRPCAddress(), "topic": topic, "text": text,
		"payers": []map[string]string{
			{"account": edPayer, "key": n.key(t, edPayer).StringDer()},
			{"account": ecdsaPayer, "key": n.key(t, ecdsaPayer).StringDer()},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	client := exec.CommandContext(ctx, "node", filepath.Join(directory, "client.cjs"))
	client.Stdin, client.Stdout, client.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := client.Run(); err != nil {
		t.Fatalf("node: %v\n%s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	var got struct {
		Nodes  map[string]string // certificate hashes by account
		Payers []struct {
			Cost         int64
			Transfers    []string // status by node
			Sequence     int64
			RunningHash  string
			Received     string
			ReceivedHash string
		}
		ByTLS        string
		UnknownTopic string
		SmallFee     string
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, stdout.Bytes())
	}
	for _, node := range n.Nodes() {
		if got.Nodes[node.AccountID] != node.CertHash {
			t.Errorf("%s: got %q", node.AccountID, got.Nodes[node.AccountID])
		}
	}
	for i, payer := range got.Payers {
		if payer.Cost == 0 || !slices.Equal(payer.Transfers, []string{"SUCCESS", "SUCCESS", "SUCCESS"}) || payer.Sequence != int64(i+1) ||
			payer.Received != text || payer.RunningHash == "" || payer.RunningHash != payer.ReceivedHash {
			t.Errorf("payer %d: got %+v", i, payer)
		}
	}
	if got.ByTLS != "SUCCESS" || got.UnknownTopic != "INVALID_TOPIC_ID" || got.SmallFee != "INSUFFICIENT_TX_FEE" || len(got.Payers) != 2 {
		t.Errorf("got %+v", got)
	}
	n.charged(t, edPayer, nodes, 1)
	if n.tlsConnections.Load() == 0 {
		t.Error("no connection by TLS")
	}
}
