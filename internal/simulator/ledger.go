// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// ledger is the whole state of the simulated network behind one mutex.
//
// What accounts point to is never written after it was published: a change
// replaces the pointer. A copied Account therefore stays consistent outside
// the lock.
type ledger struct {
	seed int64
	now  func() time.Time

	mu             sync.RWMutex
	rng            *rand.Rand
	accounts       map[entityID]*Account
	ids            []entityID // sorted keys of accounts
	blocks         []Block    // ascending numbers without gaps
	nodes          []Node     // ascending node ids
	prechecks      map[int64]services.ResponseCodeEnum
	answerBalances bool

	blocksStopped bool
	transactions  []*record // ascending consensus times
	tokens        map[entityID]*token
	topics        map[entityID]*topic
	contracts     map[entityID]*Contract // each has an account as well
	schedules     map[entityID]*Schedule
	allowances    map[entityID][]allowance // by owner; ascending spenders, then tokens

	supply          *supply        // nil while it follows from the treasury
	rates           *exchangeRates // nil while they follow from the clock
	registeredNodes []RegisteredNode
	hideRegistered  bool
}

func newLedger(seed int64, now func() time.Time, accounts int) (*ledger, error) {
	l := &ledger{
		seed:      seed,
		now:       now,
		rng:       rand.New(rand.NewPCG(uint64(seed), 0)), //nolint:gosec // reproducible on purpose
		accounts:  make(map[entityID]*Account),
		prechecks: make(map[int64]services.ResponseCodeEnum),

		tokens:     make(map[entityID]*token),
		topics:     make(map[entityID]*topic),
		contracts:  make(map[entityID]*Contract),
		schedules:  make(map[entityID]*Schedule),
		allowances: make(map[entityID][]allowance),
	}
	for _, account := range genesisAccounts(l.rng, accounts) {
		id, err := parseEntityID(account.ID)
		if err != nil {
			return nil, err
		}
		l.accounts[id] = &account
	}
	l.ids = slices.Sorted(maps.Keys(l.accounts))

	// The block that holds now is still being filled.
	last := blockNumberAt(now()) - 1
	for number := last - genesisBlocks + 1; number <= last; number++ {
		l.blocks = append(l.blocks, newBlock(seed, number))
	}
	return l, l.populate(accounts)
}

// populate adds what else a network has. It draws from chance of its own, so
// that the accounts stay what they are.
func (l *ledger) populate(accounts int) error {
	rng := rand.New(rand.NewPCG(uint64(l.seed), 2)) //nolint:gosec // reproducible on purpose
	first := firstAccounts(accounts)
	l.registeredNodes = genesisRegisteredNodes(rng)
	if err := l.addTokensLocked(rng, first); err != nil {
		return err
	}
	if err := l.addAllowances(first); err != nil {
		return err
	}
	if err := l.addTopicsLocked(rng, first[0]); err != nil {
		return err
	}
	if err := l.addContractsLocked(rng, first[0]); err != nil {
		return err
	}
	return l.addSchedulesLocked(rng, first[0])
}

// account returns a copy of the account.
func (l *ledger) account(id entityID) (Account, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	account, ok := l.accounts[id]
	if !ok {
		return Account{}, false
	}
	return *account, true
}

// lookUp returns a copy of the account a control call names.
func (l *ledger) lookUp(id string) (Account, error) {
	parsed, err := parseEntityID(id)
	if err != nil {
		return Account{}, err
	}
	account, ok := l.account(parsed)
	if !ok {
		return Account{}, fmt.Errorf("account %s: %w", id, errUnknown)
	}
	return account, nil
}

func (l *ledger) accountIDs() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	ids := make([]string, len(l.ids))
	for i, id := range l.ids {
		ids[i] = id.String()
	}
	return ids
}

func (l *ledger) addAccount(account Account) error {
	id, err := parseEntityID(account.ID)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addAccountLocked(id, account)
}

func (l *ledger) addAccountLocked(id entityID, account Account) error {
	account.ID = id.String()
	if _, exists := l.accounts[id]; exists {
		return fmt.Errorf("account %s exists already", id)
	}
	l.accounts[id] = &account
	at, _ := slices.BinarySearch(l.ids, id)
	l.ids = slices.Insert(l.ids, at, id)
	return nil
}

func (l *ledger) removeAccount(id string) error {
	parsed, err := parseEntityID(id)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.accounts[parsed]; !ok {
		return fmt.Errorf("account %s: %w", id, errUnknown)
	}
	delete(l.accounts, parsed)
	delete(l.contracts, parsed)
	at, _ := slices.BinarySearch(l.ids, parsed)
	l.ids = slices.Delete(l.ids, at, at+1)
	return nil
}

// change applies edit to the account under the lock.
func (l *ledger) change(id string, edit func(*Account)) error {
	parsed, err := parseEntityID(id)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	account, ok := l.accounts[parsed]
	if !ok {
		return fmt.Errorf("account %s: %w", id, errUnknown)
	}
	edit(account)
	return nil
}

func (l *ledger) setBalance(id string, tinybar int64) error {
	if tinybar < 0 {
		return fmt.Errorf("account %s: balance %d is negative", id, tinybar)
	}
	timestamp := formatTimestamp(l.now())
	return l.change(id, func(a *Account) { a.replaceBalance(tinybar, timestamp) })
}

func (l *ledger) deleteAccount(id string) error {
	return l.change(id, func(a *Account) {
		a.Deleted = new(true)
	})
}

// replaceBalance keeps the tokens.
func (a *Account) replaceBalance(tinybar int64, timestamp string) {
	balance := newBalance(tinybar, timestamp)
	if a.Balance != nil && a.Balance.Tokens != nil {
		balance.Tokens = a.Balance.Tokens
	}
	a.Balance = balance
}

// tinybar is the balance in tinybar, 0 where it is null.
func (a *Account) tinybar() int64 {
	if a.Balance == nil || a.Balance.Tinybar == nil {
		return 0
	}
	return *a.Balance.Tinybar
}

// tick adds every block that has ended by now, with the traffic in it.
func (l *ledger) tick() {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blocksStopped {
		return
	}
	for l.blocks[len(l.blocks)-1].Number < blockNumberAt(now)-1 {
		block := l.nextBlockLocked()
		l.makeTrafficLocked(block)
		l.publishLocked(l.countedLocked(block))
	}
}

// transacts tells whether the account can pay and be paid.
func (a *Account) transacts() bool {
	return a.Balance != nil && a.Balance.Tinybar != nil && (a.Deleted == nil || !*a.Deleted)
}

// entityID is shard.realm.num packed the way the mirror node packs it, so that
// comparing two ids compares their numbers. The sign bit stays free.
type entityID int64

const (
	numBits   = 38
	realmBits = 16
	shardBits = 9
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
		id = id<<bits | entityID(n) //nolint:gosec // 63 bits in all
	}
	return id, nil
}

// String renders the id as shard.realm.num.
func (id entityID) String() string {
	num := id & (1<<numBits - 1)
	realm := id >> numBits & (1<<realmBits - 1)
	shard := id >> (numBits + realmBits)
	return fmt.Sprintf("%d.%d.%d", shard, realm, num)
}

// formatTimestamp renders a consensus timestamp, "seconds.nnnnnnnnn".
func formatTimestamp(t time.Time) string {
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// parseTimestamp reads "seconds" or "seconds.n…" into nanoseconds since 1970.
func parseTimestamp(s string) (int64, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseUint(whole, 10, 33)
	if err != nil {
		return 0, fmt.Errorf("timestamp %q: want seconds.nanoseconds: %w", s, err)
	}
	if len(fraction) > 9 {
		return 0, fmt.Errorf("timestamp %q: more than nine digits after the point", s)
	}
	nanos, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("timestamp %q: want seconds.nanoseconds: %w", s, err)
	}
	return int64(seconds)*int64(time.Second) + int64(nanos), nil
}
