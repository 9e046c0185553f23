// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"net/http"
	"regexp"
)

const callRoute = "/api/v1/contracts/call"

// exchangeRateCall asks the exchange rate system contract (HIP-475), which every
// network has, what 100 tinycents are in tinybar: tinycentsToTinybars(uint256). The
// gas is bounded, as a mirror allows only so much of it in a second (docs/hedera.md
// 1.4).
const exchangeRateCall = `{"block":"latest","data":"0x2e3cff6a0000000000000000000000000000000000000000000000000000000000000064",` +
	`"estimate":false,"gas":100000,"to":"0x0000000000000000000000000000000000000168"}`

type callResult struct {
	Result Field[string] `json:"result"`
}

var hexBytes = regexp.MustCompile(`^0x([0-9a-fA-F]{2})*$`)

var decodeCall = object(func(r callResult) error {
	if !hexBytes.MatchString(r.Result.Or("")) {
		return errors.New("it has no result of a call")
	}
	return nil
})

// CheckCall has the mirror's EVM run a call that changes nothing. The error is nil if
// it ran, whatever became of the call. It is [IsUnavailable] if the mirror does not
// have the route, or not for such a call. (POST /api/v1/contracts/call)
func (c *Client) CheckCall(ctx context.Context) error {
	r := post(c.web3, callRoute, "application/json", []byte(exchangeRateCall)).as(call)
	_, err := fetch(ctx, c, r, decodeCall)
	if ofEVM(err) {
		return nil
	}
	return err
}

// responseCode is the name of a HAPI ResponseCodeEnum, with details after it.
var responseCode = regexp.MustCompile(`^[A-Z0-9]+(_[A-Z0-9]+)+\b`)

// ofEVM reports whether err is a call that the EVM has run and that failed, such as
// CONTRACT_REVERT_EXECUTED. What the Web3 module does not understand is 400 as well,
// with another message (docs/hedera.md 1.4).
func ofEVM(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusBadRequest && status.ByMirror && responseCode.MatchString(status.Message)
}
