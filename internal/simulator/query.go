// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultLimit        = 25
	maxLimit            = 100
	maxRepeatedParams   = 100
	ascending           = "asc"
	descending          = "desc"
	msgInvalidParameter = "Invalid parameter: %s"
)

// query is the query string of a mirror request, in the order it was sent.
type query struct {
	path   string
	params []param
}

type param struct{ key, value string }

// parseQuery refuses what the mirror refuses: parameters the route does not
// know and more than 100 of a kind (docs/hedera.md 1.0).
func parseQuery(u *url.URL, known []string) (query, error) {
	q := query{path: u.Path}
	if u.RawQuery == "" {
		return q, nil
	}
	counts := make(map[string]int)
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(rawKey)
		value, valueErr := url.QueryUnescape(rawValue)
		if keyErr != nil || valueErr != nil {
			return q, badRequest("Invalid query string")
		}
		if !slices.Contains(known, key) {
			return q, badRequest("Unknown query parameter: %s", key)
		}
		counts[key]++
		if counts[key] > maxRepeatedParams {
			return q, badRequest("Number of values for parameter %s exceeds %d", key, maxRepeatedParams)
		}
		q.params = append(q.params, param{key, value})
	}
	return q, nil
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
	limit, err := q.limit(defaultLimit, maxLimit)
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
	if len(page) == 0 {
		return nil
	}
	return q.next(len(page) == p.limit, p.order, key, value(page[len(page)-1]))
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

func (f filters) match(value int64) bool {
	if len(f.equal) > 0 && !slices.Contains(f.equal, value) {
		return false
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

// next is the relative link to the rows after last, or nil when this page was
// not full: the mirror cannot know that a full page was the last one.
func (q query) next(full bool, order, key, last string) *string {
	if !full {
		return nil
	}
	operator := "gt"
	if order == descending {
		operator = "lt"
	}
	var pairs []string
	for _, p := range q.params {
		if p.key == key && strings.HasPrefix(p.value, operator) {
			continue // gt and gte, or lt and lte, are replaced
		}
		pairs = append(pairs, p.key+"="+escapeValue(p.value))
	}
	pairs = append(pairs, fmt.Sprintf("%s=%s:%s", key, operator, last))
	return new(q.path + "?" + strings.Join(pairs, "&"))
}

// escapeValue leaves the colon of an operator readable, as the mirror does.
func escapeValue(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "%3A", ":")
}

func parseEntity(s string) (int64, error) {
	id, err := parseEntityID(s)
	return int64(id), err
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
	status  int
	message string
	detail  string // absent where empty
}

func (e *restError) Error() string {
	return fmt.Sprintf("%d %s", e.status, e.message)
}

func badRequest(format string, args ...any) error {
	return &restError{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

func notFound() error {
	return &restError{status: http.StatusNotFound, message: "Not found"}
}
