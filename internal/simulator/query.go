// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultLimit        = 25
	ascending           = "asc"
	descending          = "desc"
	msgInvalidParameter = "Invalid parameter: %s"
	msgInvalidEntityID  = "Invalid entity ID %q"
)

// query is the query string of a mirror request. Values of one key stand
// together, where the key came first: so the mirror's links have them (recorded).
type query struct {
	path   string
	params []param
	mirror MirrorSettings
	host   string // of the mirror, for links that name it
	shard  int64  // the network's, for ids without one
}

type param struct{ key, value string }

// request is what the mirror makes of a request's URL. A slash at the end of the
// path changes nothing.
func (l *Ledger) request(r *http.Request, rt route) (query, error) {
	q := query{path: strings.TrimSuffix(r.URL.Path, "/"), mirror: l.mirror, host: r.Host, shard: l.shard}
	if err := q.parse(r.URL.RawQuery); err != nil {
		return q, err
	}
	return q, q.check(rt)
}

// parse refuses too many values of a key before it looks at any of them
// (recorded).
func (q *query) parse(raw string) error {
	if raw == "" {
		return nil
	}
	counts := make(map[string]int)
	for pair := range strings.SplitSeq(raw, "&") {
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(rawKey)
		value, valueErr := url.QueryUnescape(rawValue)
		if keyErr != nil || valueErr != nil {
			return badRequest("Invalid query string")
		}
		counts[key]++
		if limit := q.mirror.maxRepeated(); counts[key] > limit {
			return badRequest("Array limit exceeded. Only %d elements allowed in an array.", limit)
		}
		q.params = append(q.params, param{key, value})
	}
	first := func(key string) int { return slices.IndexFunc(q.params, func(p param) bool { return p.key == key }) }
	order := make(map[string]int)
	for key := range counts {
		order[key] = first(key)
	}
	slices.SortStableFunc(q.params, func(a, b param) int { return cmp.Compare(order[a.key], order[b.key]) })
	return nil
}

// checks are the parameters whose form the mirror checks before all else
// (rest/utils.js).
var checks = map[string]func(string) bool{
	"account.balance": isNumber,
	"account.id":      isEntity,
	"balance":         isBoolean,
	"block.number":    isNumber,
	"contract.id":     isEntity,
	"limit":           isPositive,
	"order":           isOrder,
	"schedule.id":     isEntity,
	"sequencenumber":  isPositive,
	"spender.id":      isEntity,
	"timestamp":       isTimestamp,
	"token.id":        isEntity,
}

// withoutNE are the parameters that refuse "ne" on every route that has them.
var withoutNE = []string{"block.number", "spender.id"}

var (
	numberPattern    = regexp.MustCompile(`^[0-9]{1,19}$`)
	entityPattern    = regexp.MustCompile(`^(([0-9]{1,4}\.)?[0-9]{1,5}\.[0-9]{1,12}|[0-9]{1,19})$`)
	evmPattern       = regexp.MustCompile(`^(0x|([0-9]{1,4}\.)?[0-9]{1,5}\.)?[0-9A-Fa-f]{40}$`)
	timestampPattern = regexp.MustCompile(`^[0-9]{1,10}(\.[0-9]{1,9})?$`)
	operatorPattern  = regexp.MustCompile(`^(gte?|lte?|eq|ne)$`)
)

func isNumber(s string) bool    { return numberPattern.MatchString(s) }
func isPositive(s string) bool  { return isNumber(s) && strings.Trim(s, "0") != "" }
func isEntity(s string) bool    { return entityPattern.MatchString(s) || evmPattern.MatchString(s) }
func isTimestamp(s string) bool { return timestampPattern.MatchString(s) }
func isBoolean(s string) bool   { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

func isOrder(s string) bool {
	return strings.EqualFold(s, ascending) || strings.EqualFold(s, descending)
}

// check names every parameter that the route does not know or that has not the
// form it should have, each in a message of its own (rest/utils.js).
//
// The Java module takes what is no list once only.
func (q query) check(rt route) error {
	var bad []string
	for i, p := range q.params {
		if rt.java {
			if err := p.checkJava(rt, q.params[:i]); err != nil {
				return err
			}
		}
		if message := p.check(rt); message != "" {
			bad = append(bad, message)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &restError{status: http.StatusBadRequest, messages: bad}
}

// check returns what is wrong with the parameter.
func (p param) check(rt route) string {
	isValid, checked := checks[p.key]
	operator, value := p.condition()
	switch {
	case !slices.Contains(rt.params, p.key):
		return "Unknown query parameter: " + p.key
	case checked && (!operatorPattern.MatchString(operator) || !isValid(value)),
		operator == "ne" && slices.Contains(withoutNE, p.key):
		return fmt.Sprintf(msgInvalidParameter, p.key)
	}
	return ""
}

func (p param) condition() (operator, value string) {
	operator, value, found := strings.Cut(p.value, ":")
	if !found {
		return "eq", p.value
	}
	return operator, value
}

// checkJava is what the Java module refuses in words of its own.
func (p param) checkJava(rt route, before []param) error {
	isList := strings.HasSuffix(p.key, "id")
	if !isList && slices.ContainsFunc(before, func(o param) bool { return o.key == p.key }) {
		return javaBadRequest("Only a single instance is supported for " + p.key)
	}
	isValid, checked := checks[p.key]
	_, value := p.condition()
	switch {
	case !rt.spring || !checked || isValid(value):
		return nil
	case p.key == "limit" && isNumber(strings.TrimPrefix(value, "-")):
		return javaBadRequest("limit must be greater than 0")
	}
	return javaBadRequest(fmt.Sprintf("Failed to convert '%s' with value: '%s'", p.key, p.value))
}

func (q query) values(key string) []string {
	var values []string
	for _, p := range q.params {
		if p.key == key {
			values = append(values, p.value)
		}
	}
	return values
}

// last returns the last value of key, as the mirror does where a parameter is
// not repeatable.
func (q query) last(key string) (string, bool) {
	values := q.values(key)
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// limit caps silently, as the mirror does.
func (q query) limit(fallback, highest int) (int, error) {
	fallback = min(fallback, highest)
	value, ok := q.last("limit")
	if !ok {
		return fallback, nil
	}
	limit, err := strconv.ParseInt(value, 10, 64)
	if err != nil || limit <= 0 {
		return 0, badRequest(msgInvalidParameter, "limit")
	}
	return int(min(limit, int64(highest))), nil
}

func (q query) order(fallback string) (string, error) {
	value, ok := q.last("order")
	if !ok {
		return fallback, nil
	}
	switch order := strings.ToLower(value); order {
	case ascending, descending:
		return order, nil
	}
	return "", badRequest(msgInvalidParameter, "order")
}

// paging is how much of a list an answer has, and from which end.
type paging struct {
	limit int
	order string
}

func (q query) paging(order string) (paging, error) {
	limit, err := q.limit(defaultLimit, q.mirror.maxLimit())
	if err != nil {
		return paging{}, err
	}
	order, err = q.order(order)
	return paging{limit, order}, err
}

// selectRows returns the first rows that match; rows are in ascending order.
func selectRows[T any](p paging, rows []T, match func(T) bool) []T {
	all := slices.All(rows)
	if p.order == descending {
		all = slices.Backward(rows)
	}
	page := make([]T, 0, min(p.limit, len(rows)))
	for _, row := range all {
		if !match(row) {
			continue
		}
		page = append(page, row)
		if len(page) == p.limit {
			break
		}
	}
	return page
}

// nextRows is the link to the rows after page, of which key names the last.
func nextRows[T any](q query, p paging, page []T, key string, value func(T) string) *string {
	if len(page) != p.limit {
		return nil
	}
	return q.next(p.order, cursor{key: key, value: value(page[len(page)-1])})
}

// choice is the last value of key, one of allowed in any case, or empty where
// the parameter is absent.
func (q query) choice(key string, allowed ...string) (string, error) {
	chosen, err := q.choices(key, allowed)
	if err != nil || len(chosen) == 0 {
		return "", err
	}
	return chosen[len(chosen)-1], nil
}

// choices are all values of key, each one of allowed in any case.
func (q query) choices(key string, allowed []string) ([]string, error) {
	var chosen []string
	for _, value := range q.values(key) {
		i := slices.IndexFunc(allowed, func(a string) bool { return strings.EqualFold(a, value) })
		if i < 0 {
			return nil, badRequest(msgInvalidParameter, key)
		}
		chosen = append(chosen, allowed[i])
	}
	return chosen, nil
}

// boolean is true where the parameter is absent.
func (q query) boolean(key string) (bool, error) {
	value, ok := q.last(key)
	if !ok {
		return true, nil
	}
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, badRequest(msgInvalidParameter, key)
}

// filters are the conditions on one parameter. Several eq are alternatives,
// everything else has to hold at once.
type filters struct {
	equal  []int64
	others []condition
}

type condition struct {
	operator string
	value    int64
}

// filters parses every "[operator:]value" of key.
func (q query) filters(key string, parse func(string) (int64, error)) (filters, error) {
	var f filters
	for _, raw := range q.values(key) {
		operator, rest, found := strings.Cut(raw, ":")
		if !found {
			operator, rest = "eq", raw
		}
		value, err := parse(rest)
		if known := new(restError); errors.As(err, &known) {
			return f, known
		}
		if err != nil {
			return f, badRequest(msgInvalidParameter, key)
		}
		switch operator {
		case "eq":
			f.equal = append(f.equal, value)
		case "ne", "gt", "gte", "lt", "lte":
			f.others = append(f.others, condition{operator, value})
		default:
			return f, badRequest(msgInvalidParameter, key)
		}
	}
	return f, nil
}

func (f filters) isEmpty() bool { return len(f.equal) == 0 && len(f.others) == 0 }

func (f filters) match(value int64) bool {
	if len(f.equal) > 0 && !slices.Contains(f.equal, value) {
		return false
	}
	return f.matchOthers(value)
}

// matchAll is match for the routes where several eq have to hold at once, so
// that two different ones match nothing.
func (f filters) matchAll(value int64) bool {
	for _, equal := range f.equal {
		if value != equal {
			return false
		}
	}
	return f.matchOthers(value)
}

func (f filters) matchOthers(value int64) bool {
	for _, c := range f.others {
		if !c.holds(value) {
			return false
		}
	}
	return true
}

func (c condition) holds(value int64) bool {
	switch c.operator {
	case "ne":
		return value != c.value
	case "gt":
		return value > c.value
	case "gte":
		return value >= c.value
	case "lt":
		return value < c.value
	default:
		return value <= c.value
	}
}

// cursor is the row that a page ended with.
type cursor struct {
	key, value string
	inclusive  bool // the next page begins with the row itself
}

var (
	rangeOperator   = regexp.MustCompile(`[gl]te?:`)
	greaterOperator = regexp.MustCompile(`gte?:`)
	lessOperator    = regexp.MustCompile(`lte?:`)
)

// next is the link to the page after the cursors. A key that was asked for by
// values, not by ranges, stays as it is: then the link is the same URL again
// (recorded; rest/utils.js).
func (q query) next(order string, cursors ...cursor) *string {
	operator, pattern := "gt", greaterOperator
	if order == descending {
		operator, pattern = "lt", lessOperator
	}
	params := q.params
	for _, c := range cursors {
		value := operator + ":" + c.value
		if c.inclusive {
			value = operator + "e:" + c.value
		}
		params = continueAfter(params, param{c.key, value}, pattern)
	}
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = p.key + "=" + escapeValue(p.value)
	}
	link := q.path + "?" + strings.Join(pairs, "&")
	if q.mirror.HostInLinks {
		link = "http://" + q.host + link
	}
	return &link
}

// continueAfter replaces the conditions of the pattern by the one given: in the
// place of the key where other values of it stay, else at the end.
func continueAfter(params []param, with param, replaced *regexp.Regexp) []param {
	var values []string
	for _, p := range params {
		if p.key == with.key {
			values = append(values, p.value)
		}
	}
	kept := slices.DeleteFunc(slices.Clone(values), replaced.MatchString)
	if len(kept) == len(values) && len(values) > 0 && !slices.ContainsFunc(values, rangeOperator.MatchString) {
		return params
	}
	rest := slices.DeleteFunc(slices.Clone(params), func(p param) bool { return p.key == with.key })
	at := slices.IndexFunc(params, func(p param) bool { return p.key == with.key })
	if len(values) < 2 && len(kept) == 0 {
		at = len(rest)
	}
	var group []param
	for _, value := range append(kept, with.value) {
		group = append(group, param{with.key, value})
	}
	return slices.Insert(rest, at, group...)
}

// escapeValue leaves the colon of an operator readable, as the mirror does.
func escapeValue(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "%3A", ":")
}

// noEntity is an EVM address that is no long form of an id: it matches no row
// where the mirror does not look addresses up.
const noEntity entityID = math.MinInt64

// entity reads the id in a parameter or a path: shard.realm.num, realm.num of
// the network's shard, the encoded id, or an EVM address in long form
// (rest/entityId.js).
func (q query) entity(s string) (entityID, error) {
	invalid := badRequest(msgInvalidEntityID, s)
	name := s[strings.LastIndex(s, ".")+1:]
	if hex := strings.TrimPrefix(name, "0x"); len(hex) == evmDigits {
		return longFormID(hex), nil
	}
	parts := strings.Split(s, ".")
	switch len(parts) {
	case 1:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, invalid
		}
		return entityID(n), nil
	case 2:
		s = fmt.Sprintf("%d.%s", q.shard, s)
	}
	id, err := parseEntityID(s)
	if err != nil {
		return 0, invalid
	}
	return id, nil
}

// evmDigits is the length of an EVM address, in hexadecimal digits.
const evmDigits = 40

// longFormID is the id that the digits of a long-form EVM address stand for:
// 12 bytes of zero, then the number. Others stand for none.
func longFormID(hex string) entityID {
	num, err := strconv.ParseUint(hex[24:], 16, numBits)
	if err != nil || strings.Trim(hex[:24], "0") != "" {
		return noEntity
	}
	return entityID(num)
}

func (q query) entities(key string) (filters, error) {
	return q.filters(key, func(s string) (int64, error) {
		id, err := q.entity(s)
		return int64(id), err
	})
}

func parseNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, err
	}
	if n < 0 {
		return 0, strconv.ErrRange
	}
	return n, nil
}

// restError is an answer with the mirror's error body.
type restError struct {
	status   int
	messages []string
	detail   string // of the first message; absent where empty
}

func (e *restError) Error() string {
	return fmt.Sprintf("%d %s", e.status, strings.Join(e.messages, ", "))
}

func badRequest(format string, args ...any) error {
	return &restError{status: http.StatusBadRequest, messages: []string{fmt.Sprintf(format, args...)}}
}

func notFound() error {
	return &restError{status: http.StatusNotFound, messages: []string{"Not found"}}
}

func javaBadRequest(detail string) error {
	return &restError{status: http.StatusBadRequest, messages: []string{"Bad Request"}, detail: detail}
}

// javaNotFound is the 404 of the mirror's Java module (GenericControllerAdvice).
func javaNotFound(detail string) error {
	return &restError{status: http.StatusNotFound, messages: []string{"Not Found"}, detail: detail}
}
