// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// Ledger is the whole state of the simulated network. It is reached under the
// simulator's lock only: by Simulator.Update, and by requests, which read it.
type Ledger struct {
	seed         int64
	now          func() time.Time
	shard, realm int64

	mirror     MirrorSettings
	replica    *Ledger // an older copy, nil without a second replica
	replicaLag int     // blocks

	rng            *rand.Rand
	accounts       map[entityID]*Account
	ids            []entityID // sorted keys of accounts
	traders        []entityID // those of them that made-up traffic is between
	blocks         []Block    // ascending numbers
	nodes          []Node     // ascending node ids
	prechecks      map[int64]services.ResponseCodeEnum
	answerBalances bool

	blocksStopped bool
	lastPeriod    int64     // of the newest block
	renumbered    int64     // how far numbers are behind periods since a reset
	transactions  []*record // ascending consensus times
	tokens        map[entityID]*token
	topics        map[entityID]*topic
	contracts     map[entityID]*Contract // each has an account as well
	schedules     map[entityID]*Schedule
	allowances    map[entityID][]allowance // by owner; ascending spenders, then tokens
	nftAllowances []nftAllowance           // of all owners; ascending owners, spenders and tokens

	// Transactions that nodes took: by id until they are old, those that the
	// mirror has not yet, and what these move.
	submissions   map[transactionID][]*submission
	unpublished   []*submission
	pending       map[entityID]int64 // tinybar
	lastConsensus time.Time
	fees          FeeSchedule
	delays        delays

	supply          *supply        // nil while it follows from the treasury
	rates           *exchangeRates // nil while they follow from the clock
	registeredNodes []RegisteredNode
	serviceFees     map[string]int64 // tinycents by type, where they differ from the usual ones
}

// newEmptyLedger has neither entities nor blocks.
func newEmptyLedger(seed int64, now func() time.Time, shard, realm int64) *Ledger {
	return &Ledger{
		seed:       seed,
		now:        now,
		shard:      shard,
		realm:      realm,
		rng:        rand.New(rand.NewPCG(uint64(seed), 0)), //nolint:gosec // reproducible on purpose
		accounts:   make(map[entityID]*Account),
		prechecks:  make(map[int64]services.ResponseCodeEnum),
		tokens:     make(map[entityID]*token),
		topics:     make(map[entityID]*topic),
		contracts:  make(map[entityID]*Contract),
		schedules:  make(map[entityID]*Schedule),
		allowances: make(map[entityID][]allowance),

		submissions: make(map[transactionID][]*submission),
		pending:     make(map[entityID]int64),
		fees:        defaultFees(),
	}
}

func newLedger(opts Options) (*Ledger, error) {
	l := newEmptyLedger(opts.Seed, opts.Now, opts.Shard, opts.Realm)
	l.delays = opts.delays()
	for _, account := range genesisAccounts(l.rng, opts.Accounts) {
		account.ID = l.local(account.ID)
		if err := l.AddAccount(account); err != nil {
			return nil, err
		}
	}
	if opts.ConfigCanary != "" {
		if err := l.addCanaryAccount(); err != nil {
			return nil, err
		}
	}

	// The block that holds now is still being filled.
	last := blockNumberAt(l.now()) - 1
	for number := last - genesisBlocks + 1; number <= last; number++ {
		l.publish(newBlock(l.seed, number))
	}
	return l, l.populate(opts.Accounts)
}

// Update changes the ledger; requests see all of the change or nothing of it.
// It returns what change returns. What failed half-way stays as far as it got.
// The change must not call the Simulator, which waits for it.
func (s *Simulator) Update(change func(*Ledger) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		close(s.changed)
		s.changed = make(chan struct{})
	}()
	return change(s.ledger)
}

// view reads from the ledger. What it returns must not change later: copies, or
// values that the ledger only ever replaces.
func view[T any](s *Simulator, read func(*Ledger) T) T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return read(s.ledger)
}

// populate adds what else a network has. It draws from chance of its own, so
// that the accounts stay what they are.
func (l *Ledger) populate(accounts int) error {
	rng := rand.New(rand.NewPCG(uint64(l.seed), 2)) //nolint:gosec // reproducible on purpose
	first := l.firstAccounts(accounts)
	l.registeredNodes = genesisRegisteredNodes(rng)
	if err := l.addTokens(rng, first); err != nil {
		return err
	}
	if err := l.addAllowances(first); err != nil {
		return err
	}
	if err := l.addTopics(rng, first[0]); err != nil {
		return err
	}
	if err := l.addContracts(rng, first[0]); err != nil {
		return err
	}
	return l.addSchedules(rng, first[0])
}

// tick adds every block that has ended by now, with the traffic in it.
func (l *Ledger) tick() {
	now := l.now().Add(-l.delays.mirror)
	if l.blocksStopped {
		return
	}
	for l.lastPeriod < blockNumberAt(now)-1 {
		block := l.nextBlock()
		l.makeTraffic(block)
		l.showUntil(block.to)
		l.publish(l.counted(block))
	}
}

// entityID is shard.realm.num packed the way the mirror node packs it, so that
// comparing two ids of a shard compares their numbers: 10 bits of shard, 16 of
// realm and 38 of number (rest/entityId.js).
type entityID int64

const (
	numBits   = 38
	realmBits = 16
	shardBits = 10
)

// parseEntityID reads "shard.realm.num" or a bare "num" of shard 0, realm 0.
func parseEntityID(s string) (entityID, error) {
	parts := strings.Split(s, ".")
	if len(parts) == 1 {
		parts = []string{"0", "0", s}
	}
	if len(parts) != 3 {
		return 0, fmt.Errorf("entity id %q: want shard.realm.num", s)
	}
	var id entityID
	for i, bits := range []int{shardBits, realmBits, numBits} {
		n, err := strconv.ParseUint(parts[i], 10, bits)
		if err != nil {
			return 0, fmt.Errorf("entity id %q: want shard.realm.num: %w", s, err)
		}
		id = id<<bits | entityID(n) //nolint:gosec // 64 bits in all
	}
	return id, nil
}

// longForm is the EVM address of an entity that has none of its own (recorded).
func (id entityID) longForm() string { return fmt.Sprintf("0x%040x", int64(id&(1<<numBits-1))) }

// local is the id in the network's shard and realm of what is 0.0.num on the
// public networks.
func (l *Ledger) local(id string) string {
	if num, ok := strings.CutPrefix(id, "0.0."); ok {
		return fmt.Sprintf("%d.%d.%s", l.shard, l.realm, num)
	}
	return id
}

// String renders the id as shard.realm.num.
func (id entityID) String() string {
	shard, realm, num := id.parts()
	return fmt.Sprintf("%d.%d.%d", shard, realm, num)
}

func (id entityID) parts() (shard, realm, num int64) {
	return int64(id >> (numBits + realmBits) & (1<<shardBits - 1)), int64(id >> numBits & (1<<realmBits - 1)), int64(id & (1<<numBits - 1))
}

func sortedIDs[T any](entities map[entityID]T) []string {
	ids := make([]string, 0, len(entities))
	for _, id := range slices.Sorted(maps.Keys(entities)) {
		ids = append(ids, id.String())
	}
	return ids
}

// formatTimestamp renders a consensus timestamp, "seconds.nnnnnnnnn".
func formatTimestamp(t time.Time) string {
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// expiryOf is when an entity expires that says no time of its own: a renewal
// period, in seconds, after it was made. It is not clamped: mainnet's 0.0.400
// never expires (recorded).
func expiryOf(created *string, period *int64) *string {
	if created == nil || period == nil {
		return nil
	}
	whole, fraction, _ := strings.Cut(*created, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return nil
	}
	return new(fmt.Sprintf("%d.%s", seconds+*period, fraction))
}

// parseTimestamp reads "seconds" or "seconds.n…" into nanoseconds since 1970,
// at most those of an int64.
func parseTimestamp(s string) (int64, error) {
	if !isTimestamp(s) {
		return 0, fmt.Errorf("timestamp %q: want seconds.nanoseconds", s)
	}
	whole, fraction, _ := strings.Cut(s, ".")
	nanos, err := strconv.ParseInt(whole+(fraction + "000000000")[:9], 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return math.MaxInt64, nil
	}
	return nanos, err
}
