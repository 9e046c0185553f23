// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// Contract is a contract of GET /api/v1/contracts (docs/hedera.md 1.4), without its
// bytecode. A nil pointer is JSON null. AutoRenewPeriod is seconds.
type Contract struct {
	AdminKey                      *Key           `json:"admin_key"`
	AutoRenewAccount              *string        `json:"auto_renew_account"`
	AutoRenewPeriod               *int64         `json:"auto_renew_period"`
	CreatedTimestamp              *string        `json:"created_timestamp"`
	Deleted                       bool           `json:"deleted"`
	EVMAddress                    string         `json:"evm_address"`
	ExpirationTimestamp           *string        `json:"expiration_timestamp"`
	FileID                        *string        `json:"file_id"`
	ID                            string         `json:"contract_id"`
	MaxAutomaticTokenAssociations *int32         `json:"max_automatic_token_associations"`
	Memo                          string         `json:"memo"`
	Nonce                         *int64         `json:"nonce"`
	ObtainerID                    *string        `json:"obtainer_id"`
	PermanentRemoval              *bool          `json:"permanent_removal"`
	ProxyAccountID                *string        `json:"proxy_account_id"`
	Timestamp                     TimestampRange `json:"timestamp"`
}

// Deterministic contracts. Their ids are above every account's.
const (
	plainContract = "0.0.1456986"
	richContract  = "0.0.3045981"
	bareContract  = "0.0.3964804"
)

// addContracts makes two living contracts, and a deleted one that is null
// wherever the API allows it. They begin without hbar, all of which the
// accounts have.
func (l *Ledger) addContracts(rng *rand.Rand, owner string) error {
	created := accountsEpoch.Add(72 * time.Hour)
	contract := func(id, memo string) Contract {
		return Contract{
			AdminKey:                      &Key{Type: "ProtobufEncoded", Key: randomHex(rng, 8)},
			AutoRenewAccount:              &owner,
			AutoRenewPeriod:               new(int64(autoRenewPeriod)),
			CreatedTimestamp:              new(formatTimestamp(created)),
			EVMAddress:                    "0x" + randomHex(rng, 20),
			ExpirationTimestamp:           new(formatTimestamp(created.AddDate(5, 0, 0))),
			FileID:                        new(l.local("0.0.1456985")),
			ID:                            l.local(id),
			MaxAutomaticTokenAssociations: new(int32(0)),
			Memo:                          memo,
			Nonce:                         new(int64(1)),
			PermanentRemoval:              new(false),
			Timestamp:                     TimestampRange{From: formatTimestamp(created)},
		}
	}
	bare := Contract{ID: l.local(bareContract), Deleted: true, Timestamp: TimestampRange{From: formatTimestamp(created)}}
	for _, c := range []Contract{contract(plainContract, "simulated wrapper"), contract(richContract, "simulated exchange"), bare} {
		if err := l.AddContract(c); err != nil {
			return err
		}
	}
	return nil
}

// AddContract adds a contract, and with it an account of its id without hbar,
// which SetBalance changes. It fails where the id is taken. An empty EVM address
// becomes the one that the entity id gives.
func (l *Ledger) AddContract(c Contract) error {
	id, err := parseEntityID(c.ID)
	if err != nil {
		return err
	}
	c.ID = id.String()
	c.EVMAddress = withDefault(c.EVMAddress, id.longForm())
	if c.ExpirationTimestamp == nil {
		c.ExpirationTimestamp = expiryOf(c.CreatedTimestamp, c.AutoRenewPeriod)
	}
	account := Account{
		ID:                            c.ID,
		AutoRenewPeriod:               c.AutoRenewPeriod,
		Balance:                       newBalance(0, formatTimestamp(accountsEpoch)),
		CreatedTimestamp:              c.CreatedTimestamp,
		Deleted:                       new(c.Deleted),
		EVMAddress:                    &c.EVMAddress,
		EthereumNonce:                 c.Nonce,
		ExpiryTimestamp:               c.ExpirationTimestamp,
		Key:                           c.AdminKey,
		MaxAutomaticTokenAssociations: c.MaxAutomaticTokenAssociations,
		Memo:                          &c.Memo,
	}
	if err := l.addAccount(id, account); err != nil {
		return err
	}
	l.contracts[id] = &c
	return nil
}

// ContractIDs lists every contract, by ascending id.
func (s *Simulator) ContractIDs() []string {
	return view(s, func(l *Ledger) []string { return sortedIDs(l.contracts) })
}

func contractControls() map[string]controlCall {
	return map[string]controlCall{
		"POST /simulator/contracts": updating(func(l *Ledger, _ *http.Request, c Contract) (any, error) {
			return nil, l.AddContract(c)
		}),
	}
}

type contractList struct {
	Contracts []Contract `json:"contracts"`
	listLinks
}

type contractDetail struct {
	Contract
	Bytecode        string `json:"bytecode"`
	RuntimeBytecode string `json:"runtime_bytecode"`
}

// bytecodeSize is the most that a contract may have (EIP-170), in bytes.
const bytecodeSize = 24_576

func contractRoutes() []route {
	return []route{
		{
			path:   "/api/v1/contracts",
			maxAge: 10 * time.Second,
			params: []string{"contract.id", "limit", "order"},
			answer: (*Ledger).answerContracts,
		},
		{path: "/api/v1/contracts/{id}", maxAge: time.Second, answer: (*Ledger).answerContract},
	}
}

// answerContracts lists contracts, highest id first.
func (l *Ledger) answerContracts(_ *http.Request, q query) (any, error) {
	ids, err := q.entities("contract.id")
	if err != nil {
		return nil, err
	}
	page, err := q.paging(descending)
	if err != nil {
		return nil, err
	}
	rows := selectRows(page, slices.Sorted(maps.Keys(l.contracts)), func(id entityID) bool { return ids.match(int64(id)) })
	list := contractList{Contracts: make([]Contract, len(rows))}
	for i, id := range rows {
		list.Contracts[i] = l.contract(id)
	}
	list.Links.Next = nextRows(q, page, rows, "contract.id", entityID.String)
	return list, nil
}

// answerContract has the bytecode, which makes it a hundred kilobytes.
func (l *Ledger) answerContract(r *http.Request, q query) (any, error) {
	name := r.PathValue("id")
	if !isEntity(name) {
		return nil, badRequest(msgInvalidParameter, "contractid")
	}
	id, err := q.entity(name)
	if err != nil {
		return nil, badRequest(msgInvalidParameter, "contractid")
	}
	if id == noEntity {
		id, _ = l.accountByEVM(name)
	}
	if l.contracts[id] == nil {
		return nil, notFound()
	}
	return detailContract(id, l.contract(id)), nil
}

// contract is a copy of the contract, deleted where its account is.
func (l *Ledger) contract(id entityID) Contract {
	contract := *l.contracts[id]
	if account := l.accounts[id]; account.Deleted != nil && *account.Deleted {
		contract.Deleted = true
	}
	return contract
}

func detailContract(id entityID, contract Contract) contractDetail {
	rng := rand.New(rand.NewPCG(uint64(id), 0)) //nolint:gosec // reproducible on purpose
	runtime := randomHex(rng, bytecodeSize)
	return contractDetail{
		Contract:        contract,
		Bytecode:        "0x" + randomHex(rng, 64) + runtime,
		RuntimeBytecode: "0x" + runtime,
	}
}
