// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Block is a block of transactions, today a record file (HIP-415, docs/hedera.md
// 1.4).
type Block struct {
	Number int64 `json:"number"`
	// Count is the number of transactions; it may be 0.
	Count   Field[int64] `json:"count"`
	GasUsed Field[int64] `json:"gas_used"`
	// HAPIVersion is the version of the consensus node's API.
	HAPIVersion Field[string] `json:"hapi_version"`
	// Size is in bytes.
	Size      Field[int64]          `json:"size"`
	Timestamp Field[TimestampRange] `json:"timestamp"`
}

// End is when the block ended, or began if it has not ended; 0 if neither can
// be read.
func (b Block) End() Timestamp {
	at := b.Timestamp.Or(TimestampRange{})
	return at.To.Or(at.From.Or(0))
}

const blocksRoute = "/api/v1/blocks"

func (b Block) key() (field, value string, ok bool) {
	return "number", strconv.FormatInt(b.Number, 10), b.Number >= 0
}

var decodeBlocks = list("blocks", Block{Number: -1})

// ErrNoBlock is the error of a mirror that has no block yet: it is starting.
var ErrNoBlock = errors.New("the mirror has no block yet")

// LatestBlock returns the newest block that the mirror has, or [ErrNoBlock].
// (GET /api/v1/blocks)
func (c *Client) LatestBlock(ctx context.Context) (Block, error) {
	r := get(c.rest, blocksRoute, url.Values{"order": {"desc"}}).as(health)
	block, ok, err := one(ctx, c, r, decodeBlocks)
	if err == nil && !ok {
		err = r.wrap(fmt.Errorf("unexpected response: %w", ErrNoBlock))
	}
	return block, err
}

// Blocks returns the blocks after the one with the given number, all of them if
// it is negative, in ascending
// order, page by page as they are asked for. An error is the last thing that
// it yields. (GET /api/v1/blocks)
func (c *Client) Blocks(ctx context.Context, after int64) iter.Seq2[Page[Block], error] {
	numbers := "gt:" + strconv.FormatInt(after, 10)
	if after < 0 {
		numbers = "gte:0"
	}
	r := get(c.rest, blocksRoute, url.Values{"block.number": {numbers}, "order": {"asc"}})
	return pages(ctx, c, r.limit(maxRepeated).as(blocks), decodeBlocks)
}

// Transaction is a transaction that reached consensus (docs/hedera.md 1.4). Amounts
// are in tinybar.
type Transaction struct {
	// ConsensusTimestamp is unique to the transaction.
	ConsensusTimestamp Timestamp `json:"consensus_timestamp"`
	// ID is the payer, the start of the validity in seconds and in nanoseconds,
	// separated by "-". Scheduled and child transactions share it.
	ID   string        `json:"transaction_id"`
	Name Field[string] `json:"name"`
	// Result is the name of a HAPI ResponseCodeEnum.
	Result       Field[string]     `json:"result"`
	ChargedTxFee Field[int64]      `json:"charged_tx_fee"`
	Transfers    Field[[]Transfer] `json:"transfers"`
	// TokenTransfers are of fungible tokens; their amounts are not used.
	TokenTransfers Field[[]TokenTransfer] `json:"token_transfers"`
	NFTTransfers   Field[[]NFTTransfer]   `json:"nft_transfers"`
	// Nonce is above 0 for transactions that another one caused.
	Nonce     Field[int64] `json:"nonce"`
	Scheduled Field[bool]  `json:"scheduled"`
	// ValidStart is the time in the ID.
	ValidStart Field[Timestamp] `json:"valid_start_timestamp"`
	// ParentTimestamp is the consensus time of the transaction that caused this one,
	// or of the batch that it is part of.
	ParentTimestamp Field[Timestamp] `json:"parent_consensus_timestamp"`
}

// Transfer is an amount that an account received or, if negative, spent.
type Transfer struct {
	Account string `json:"account"`
	Amount  int64  `json:"amount"`
}

// TokenTransfer says that an account received or spent tokens.
type TokenTransfer struct {
	Account string `json:"account"`
}

// NFTTransfer moves an NFT. Receiver and sender are empty for one that was burnt
// or minted.
type NFTTransfer struct {
	Receiver string `json:"receiver_account_id"`
	Sender   string `json:"sender_account_id"`
}

// Payer is the account in the ID. It pays the fee, unless the transaction was
// scheduled with another payer.
func (t Transaction) Payer() string {
	payer, _, _ := strings.Cut(t.ID, "-")
	return payer
}

const transactionsRoute = "/api/v1/transactions"

// key has what the ID has not: several transactions share it and, before
// 2022, even the timestamp.
func (t Transaction) key() (field, value string, ok bool) {
	if t.ConsensusTimestamp <= 0 || t.ConsensusTimestamp.Never() {
		return "consensus_timestamp", "", false
	}
	return "transaction_id", fmt.Sprint(t.ID, t.ConsensusTimestamp, t.Nonce.value, t.Scheduled.value), transactionID.MatchString(t.ID)
}

var (
	transactionID      = regexp.MustCompile(`^\d{1,4}\.\d{1,5}\.\d{1,12}-\d{1,19}-\d{1,9}$`)
	decodeTransactions = list("transactions", Transaction{})
)

// Transactions returns one page, of 100 at most and oldest first, of the
// transactions at and after from that one of accountIDs, 100 at most, paid or
// transferred hbar in. To go on, ask again from the timestamp of the last row:
// the mirror's own next link would skip rows that share it.
func (c *Client) Transactions(ctx context.Context, accountIDs []string, from Timestamp) (Page[Transaction], error) {
	r := get(c.rest, transactionsRoute, url.Values{
		"account.id": accountIDs,
		"timestamp":  {"gte:" + from.String()},
		"order":      {"asc"},
	})
	r.detail = strconv.Itoa(len(accountIDs)) + " accounts"
	return firstPage(ctx, c, r.as(transactions), decodeTransactions)
}

// Debits returns the transactions in which the account spent hbar or tokens, from
// the one time and before the other, oldest first and 100 at most.
// (GET /api/v1/transactions)
func (c *Client) Debits(ctx context.Context, accountID string, from, before Timestamp) ([]Transaction, error) {
	r := get(c.rest, transactionsRoute, url.Values{
		"account.id": {accountID},
		"timestamp":  {"gte:" + from.String(), "lt:" + before.String()},
		"type":       {"debit"},
		"order":      {"asc"},
	})
	r.detail = "debits of " + accountID
	page, err := firstPage(ctx, c, r, decodeTransactions)
	return page.Rows, err
}

// LatestTransaction returns the account's last transaction; ok is false where
// it had none in the mirror's window of 60 days (docs/hedera.md 1.0).
func (c *Client) LatestTransaction(ctx context.Context, accountID string) (latest Transaction, ok bool, err error) {
	r := get(c.rest, transactionsRoute, url.Values{"account.id": {accountID}, "order": {"desc"}})
	r.detail = "account " + accountID
	return one(ctx, c, r, decodeTransactions)
}

// LatestFreeze returns the last freeze transaction that succeeded: one that
// freezes or upgrades the network, or prepares or aborts that. Where ok is false
// the mirror has none in what it looked through: the last 60 days on the public
// mirrors, all on others (docs/hedera.md 1.0). (GET /api/v1/transactions)
func (c *Client) LatestFreeze(ctx context.Context) (latest Transaction, ok bool, err error) {
	r := get(c.rest, transactionsRoute, url.Values{"transactiontype": {"FREEZE"}, "result": {"success"}, "order": {"desc"}})
	r.detail = "last FREEZE"
	return one(ctx, c, r, decodeTransactions)
}

// TopicMessage is a message of a topic, without its content (docs/hedera.md 1.4).
type TopicMessage struct {
	// SequenceNumber counts the topic's messages from 1.
	SequenceNumber     int64            `json:"sequence_number"`
	ConsensusTimestamp Field[Timestamp] `json:"consensus_timestamp"`
}

func (m TopicMessage) key() (field, value string, ok bool) {
	return "sequence_number", strconv.FormatInt(m.SequenceNumber, 10), m.SequenceNumber > 0
}

var decodeTopicMessages = list("messages", TopicMessage{})

// LatestTopicMessage returns the last message of a topic, if it has any. The
// error is [IsNotFound] if there is no such topic.
// (GET /api/v1/topics/{id}/messages)
func (c *Client) LatestTopicMessage(ctx context.Context, topicID string) (message TopicMessage, ok bool, err error) {
	r, err := getEntity(c.rest, "/api/v1/topics/{id}/messages", topicID, url.Values{"order": {"desc"}})
	if err != nil {
		return TopicMessage{}, false, err
	}
	return one(ctx, c, r, decodeTopicMessages)
}

// TopicMessage returns the message of a topic that has the sequence number, if the
// mirror has it. The error is [IsNotFound] if there is no such topic.
// (GET /api/v1/topics/{id}/messages)
func (c *Client) TopicMessage(ctx context.Context, topicID string, sequence int64) (message TopicMessage, ok bool, err error) {
	r, err := getEntity(c.rest, "/api/v1/topics/{id}/messages", topicID, url.Values{"sequencenumber": {"eq:" + strconv.FormatInt(sequence, 10)}})
	if err != nil {
		return TopicMessage{}, false, err
	}
	return one(ctx, c, r, decodeTopicMessages)
}

// Schedule is a transaction that waits for signatures or for its time
// (docs/hedera.md 1.4).
type Schedule struct {
	ID string `json:"schedule_id"`
	// ConsensusTimestamp is when the schedule was created.
	ConsensusTimestamp Field[Timestamp] `json:"consensus_timestamp"`
	// ExpirationTime is null for schedules that did not set one: they expire
	// after the network's default (HIP-423).
	ExpirationTime    Field[Timestamp] `json:"expiration_time"`
	ExecutedTimestamp Field[Timestamp] `json:"executed_timestamp"`
	Deleted           Field[bool]      `json:"deleted"`
	// Signatures are those that the schedule has collected.
	Signatures Field[[]struct{}] `json:"signatures"`
}

// Pending reports whether the schedule has been neither executed nor deleted.
// It may have expired.
func (s Schedule) Pending() bool {
	notExecuted := s.ExecutedTimestamp == (Field[Timestamp]{}) // an unreadable time is one
	return notExecuted && !s.Deleted.Or(false)
}

func (s Schedule) key() (field, value string, ok bool) { return "schedule_id", s.ID, isID(s.ID) }

var decodeSchedules = list("schedules", Schedule{})

// Schedules returns the latest 100 schedules that an account created, the
// newest first. Executed and expired ones stay listed. (GET /api/v1/schedules)
func (c *Client) Schedules(ctx context.Context, creatorID string) (Page[Schedule], error) {
	r := get(c.rest, "/api/v1/schedules", url.Values{"account.id": {creatorID}, "order": {"desc"}})
	r.detail = "creator " + creatorID
	return firstPage(ctx, c, r, decodeSchedules)
}
