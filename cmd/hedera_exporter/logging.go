// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	slogkit "github.com/tjhop/slog-gokit"
	"google.golang.org/grpc/grpclog"
)

// Of its own accord gRPC writes a line to stderr for each GOAWAY of a node. What
// matters is in the errors that it returns.
func init() {
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
}

func newLogger(w io.Writer, minimum, format string) log.Logger {
	return log.With(newBareLogger(w, minimum, format), "ts", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
}

// newSlog returns the slog logger for exporter-toolkit; the bridge adds time and
// caller.
func newSlog(w io.Writer, minimum, format string) *slog.Logger {
	return slog.New(slogkit.NewGoKitHandler(timestampLogger{newBareLogger(w, minimum, format)}, slog.LevelDebug))
}

// timestampLogger gives the bridge's time the key that the other lines have.
type timestampLogger struct{ next log.Logger }

// Log implements log.Logger.
func (l timestampLogger) Log(keyvals ...any) error {
	keyvals = slices.Clone(keyvals)
	for i := 0; i+1 < len(keyvals); i += 2 {
		if at, ok := keyvals[i+1].(time.Time); ok && keyvals[i] == slog.TimeKey {
			keyvals[i], keyvals[i+1] = "ts", at.UTC().Format(time.RFC3339Nano)
		}
	}
	return l.next.Log(keyvals...)
}

func newBareLogger(w io.Writer, minimum, format string) log.Logger {
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	return level.NewFilter(boundedLogger{logger}, level.Allow(level.ParseDefault(minimum, level.InfoValue())))
}

// maxLogValue bounds each value of a log line. Errors may quote what upstream
// servers send.
const maxLogValue = 4 << 10

type boundedLogger struct{ next log.Logger }

// Log implements log.Logger.
func (l boundedLogger) Log(keyvals ...any) error {
	for i, value := range keyvals {
		switch value := value.(type) {
		case string:
			keyvals[i] = boundLogValue(value)
		case error:
			keyvals[i] = boundLogValue(value.Error())
		}
	}
	return l.next.Log(keyvals...)
}

func boundLogValue(value string) string {
	if len(value) <= maxLogValue {
		return value
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(value[:maxLogValue], ""), len(value))
}
