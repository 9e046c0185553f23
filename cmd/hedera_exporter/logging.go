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
	w = log.NewSyncWriter(w)
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	logger = level.NewFilter(logger, level.Allow(level.ParseDefault(minimum, level.InfoValue())))
	return log.With(logger, "ts", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
}

// newSlog returns the slog view of logger that exporter-toolkit wants. The
// level is go-kit's to filter.
func newSlog(logger log.Logger) *slog.Logger {
	return slog.New(slogkit.NewGoKitHandler(logger, slog.LevelDebug))
}
