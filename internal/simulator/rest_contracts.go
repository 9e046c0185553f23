// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

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

func (l *ledger) contractRoutes() []route {
	return []route{
		{
			path:   "/api/v1/contracts",
			maxAge: 10 * time.Second,
			params: []string{"contract.id", "limit", "order"},
			answer: l.answerContracts,
		},
		{path: "/api/v1/contracts/{id}", maxAge: time.Second, answer: l.answerContract},
	}
}

// answerContracts lists contracts, highest id first.
func (l *ledger) answerContracts(_ *http.Request, q query) (any, error) {
	ids, err := q.filters("contract.id", parseEntity)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(descending)
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	rows := selectRows(page, slices.Sorted(maps.Keys(l.contracts)), func(id entityID) bool { return ids.match(int64(id)) })
	list := contractList{Contracts: make([]Contract, len(rows))}
	for i, id := range rows {
		list.Contracts[i] = l.contractLocked(id)
	}
	list.Links.Next = nextRows(q, page, rows, "contract.id", entityID.String)
	return list, nil
}

// answerContract has the bytecode, which makes it a hundred kilobytes.
func (l *ledger) answerContract(r *http.Request, _ query) (any, error) {
	name := r.PathValue("id")
	id, err := parseEntityID(name)
	evm := "0x" + strings.ToLower(strings.TrimPrefix(name, "0x"))
	if err != nil && len(evm) != len("0x")+40 {
		return nil, badRequest(msgInvalidParameter, "contractid")
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for known, contract := range l.contracts {
		if err == nil && known == id || err != nil && contract.EVMAddress == evm {
			return detailContract(known, l.contractLocked(known)), nil
		}
	}
	return nil, notFound()
}

// contractLocked is a copy of the contract, deleted where its account is.
func (l *ledger) contractLocked(id entityID) Contract {
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
