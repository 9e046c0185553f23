// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"log/slog"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	slogkit "github.com/tjhop/slog-gokit"
)

func newLogger(w io.Writer, minimum, format string) log.Logger {
	return log.With(newBareLogger(w, minimum, format), "ts", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
}

// newSlog returns the slog logger for exporter-toolkit; the bridge adds time and
// caller.
func newSlog(w io.Writer, minimum, format string) *slog.Logger {
	return slog.New(slogkit.NewGoKitHandler(newBareLogger(w, minimum, format), slog.LevelDebug))
}

func newBareLogger(w io.Writer, minimum, format string) log.Logger {
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	return level.NewFilter(logger, level.Allow(level.ParseDefault(minimum, level.InfoValue())))
}
