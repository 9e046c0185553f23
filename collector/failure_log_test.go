// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

func TestFailureLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		logger := level.NewFilter(log.NewLogfmtLogger(&text), level.AllowInfo())
		var f failureLog
		step := func(err error, want string) {
			t.Helper()
			text.Reset()
			if err != nil {
				f.failed(logger, "collector", err)
			} else {
				f.succeeded(logger, "collector")
			}
			got := regexp.MustCompile(` since=\S+`).ReplaceAllString(strings.TrimSpace(text.String()), "")
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			time.Sleep(15 * time.Second)
		}
		late := fmt.Errorf("mirror A: %w", context.DeadlineExceeded)
		step(nil, "")
		step(late, `level=error msg="collector failed" err="mirror A: context deadline exceeded"`)
		step(late, "")
		step(fmt.Errorf("mirror B: %w", context.DeadlineExceeded), "") // the same reason
		step(errors.New("odd"), `level=error msg="collector failed" failures=4 err=odd`)
		step(late, "")
		step(nil, `level=info msg="collector works again" failures=5`)
		step(nil, "")
		step(late, "") // it comes and goes
		step(nil, "")
		for range 4 * 60 * 3 { // three hours, of which each has its line
			f.failed(log.NewNopLogger(), "collector", late)
			time.Sleep(15 * time.Second)
		}
		time.Sleep(time.Hour)
		step(late, `level=error msg="collector failed" failures=721 err="mirror A: context deadline exceeded"`)
		step(nil, `level=info msg="collector works again" failures=721`)
	})
}

// TestADayWithoutInternet counts the lines of five collectors that are scraped
// every 30 s.
func TestADayWithoutInternet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		logger := level.NewFilter(log.NewLogfmtLogger(&text), level.AllowInfo())
		logs := make([]failureLog, 5)
		for range 24 * 60 * 2 {
			for i := range logs {
				logs[i].failed(logger, "collector", context.DeadlineExceeded)
			}
			time.Sleep(30 * time.Second)
		}
		if got := strings.Count(text.String(), "\n"); got != 5*24 {
			t.Errorf("%d lines", got)
		}
	})
}
