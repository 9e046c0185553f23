// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

var (
	reloadSuccessful = Metric{
		Collector: "self",
		Name:      "exporter_config_last_reload_successful",
		Help:      "Whether the last attempt to load the configuration succeeded. If it failed, the previous configuration stays active.",
		Source:    "the exporter",
		Example:   "hedera_exporter_config_last_reload_successful == 0",
	}
	reloadTimestamp = Metric{
		Collector: "self",
		Name:      "exporter_config_last_reload_success_timestamp_seconds",
		Help:      "When the active configuration was loaded.",
		Source:    "the exporter",
		Example:   "time() - hedera_exporter_config_last_reload_success_timestamp_seconds",
	}
	shardOrdinal = Metric{
		Collector: "self",
		Name:      "exporter_shard_ordinal",
		Help:      "Index of this shard, from 0.",
		Source:    "--shard or --pod",
		Example:   "count_values(\"ordinal\", hedera_exporter_shard_ordinal)",
	}
	totalShards = Metric{
		Collector: "self",
		Name:      "exporter_total_shards",
		Help:      "Number of shards that the accounts are divided into.",
		Source:    "--total-shards",
		Example:   "max(hedera_exporter_total_shards) != count(count_values(\"ordinal\", hedera_exporter_shard_ordinal))",
	}
	mirrorRequests = Metric{
		Collector: "self",
		Name:      "mirror_requests_total",
		Help:      "Requests sent to the mirror node's REST API, including retries. Code is the HTTP status, or timeout, canceled or error if there was none.",
		Labels:    []string{"network", "route", "code"},
		Source:    "the exporter",
		Example:   "sum by (network, code) (rate(hedera_mirror_requests_total[5m]))",
	}
	mirrorRequestDuration = Metric{
		Collector: "self",
		Name:      "mirror_request_duration_seconds",
		Help:      "Duration of requests to the mirror node's REST API. Each retry counts separately.",
		Labels:    []string{"network", "route"},
		Source:    "the exporter",
		Example:   "histogram_quantile(0.9, sum by (le) (rate(hedera_mirror_request_duration_seconds_bucket[5m])))",
	}
	mirrorRateLimitWait = Metric{
		Collector: "self",
		Name:      "mirror_rate_limit_wait_seconds_total",
		Help:      "Time that requests have waited because of the configured rate_limit, or because the mirror node asked for a pause.",
		Labels:    []string{"network"},
		Source:    "the exporter",
		Example:   "rate(hedera_mirror_rate_limit_wait_seconds_total[5m])",
	}
	mirrorDecodeFailures = Metric{
		Collector: "self",
		Name:      "mirror_decode_failures_total",
		Help:      "Values in the mirror node's answers that could not be read. The sample of the value is absent; if it was the row's id or the id of an earlier row, the row is left out.",
		Labels:    []string{"network", "route", "field"},
		Source:    "the exporter",
		Example:   "increase(hedera_mirror_decode_failures_total[1h]) > 0",
	}
)

// Self has the exporter's own metrics, which outlive a reload.
type Self struct {
	reloadSuccessful prometheus.Gauge
	reloadTimestamp  prometheus.Gauge
	shardOrdinal     prometheus.Gauge
	totalShards      prometheus.Gauge
	requests         *prometheus.CounterVec
	durations        *prometheus.HistogramVec
	rateLimitWaits   *prometheus.CounterVec
	decodeFailures   *prometheus.CounterVec
}

// NewSelf registers the exporter's own metrics.
func NewSelf(registerer prometheus.Registerer) *Self {
	s := &Self{
		reloadSuccessful: prometheus.NewGauge(prometheus.GaugeOpts(opts(reloadSuccessful))),
		reloadTimestamp:  prometheus.NewGauge(prometheus.GaugeOpts(opts(reloadTimestamp))),
		shardOrdinal:     prometheus.NewGauge(prometheus.GaugeOpts(opts(shardOrdinal))),
		totalShards:      prometheus.NewGauge(prometheus.GaugeOpts(opts(totalShards))),
		requests:         prometheus.NewCounterVec(prometheus.CounterOpts(opts(mirrorRequests)), mirrorRequests.Labels),
		rateLimitWaits:   prometheus.NewCounterVec(prometheus.CounterOpts(opts(mirrorRateLimitWait)), mirrorRateLimitWait.Labels),
		decodeFailures:   prometheus.NewCounterVec(prometheus.CounterOpts(opts(mirrorDecodeFailures)), mirrorDecodeFailures.Labels),
		durations:        prometheus.NewHistogramVec(histogramOpts(mirrorRequestDuration), mirrorRequestDuration.Labels),
	}
	s.totalShards.Set(1)
	registerer.MustRegister(s.reloadSuccessful, s.reloadTimestamp, s.shardOrdinal, s.totalShards, s.requests, s.rateLimitWaits, s.decodeFailures, s.durations)
	return s
}

func opts(m Metric) prometheus.Opts {
	return prometheus.Opts{Namespace: namespace, Name: m.Name, Help: m.Help}
}

// histogramOpts are for a histogram that is both classic and native.
func histogramOpts(m Metric) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace:                       namespace,
		Name:                            m.Name,
		Help:                            m.Help,
		Buckets:                         prometheus.DefBuckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

func init() {
	declare(reloadSuccessful, "gauge")
	declare(reloadTimestamp, "gauge")
	declare(shardOrdinal, "gauge")
	declare(totalShards, "gauge")
	declare(mirrorRequests, "counter")
	declare(mirrorRequestDuration, "histogram")
	declare(mirrorRateLimitWait, "counter")
	declare(mirrorDecodeFailures, "counter")
}

// Reloaded records an attempt to load the configuration.
func (s *Self) Reloaded(success bool) {
	s.reloadSuccessful.Set(boolValue(success))
	if success {
		s.reloadTimestamp.SetToCurrentTime()
	}
}

// Sharded records the shard of this exporter. Until then there is one shard.
func (s *Self) Sharded(shard Shard) {
	s.shardOrdinal.Set(float64(shard.Ordinal))
	s.totalShards.Set(float64(shard.Total))
}

// Retain drops the mirror series of networks that are no longer configured.
func (s *Self) Retain(previous, current []string) {
	kept := make(map[string]bool, len(current))
	for _, network := range current {
		kept[network] = true
	}
	for _, network := range previous {
		if kept[network] {
			continue
		}
		labels := prometheus.Labels{"network": network}
		s.requests.DeletePartialMatch(labels)
		s.durations.DeletePartialMatch(labels)
		s.rateLimitWaits.DeletePartialMatch(labels)
		s.decodeFailures.DeletePartialMatch(labels)
	}
}

// MirrorObserver counts the requests to one network's mirror node. It logs the
// first value of each field that could not be read as a warning, others at
// level debug.
func (s *Self) MirrorObserver(network string, logger Logger) mirror.Observer {
	wait := s.rateLimitWaits.WithLabelValues(network)
	var logged sync.Map // by route and field
	return mirror.Observer{
		Request: func(route, code string, duration time.Duration) {
			s.requests.WithLabelValues(network, route, code).Inc()
			s.durations.WithLabelValues(network, route).Observe(duration.Seconds())
		},
		RateLimitWait: func(duration time.Duration) { wait.Add(duration.Seconds()) },
		DecodeFailure: func(route, field string, rows int, err error) {
			s.decodeFailures.WithLabelValues(network, route, field).Add(float64(rows))
			log := level.Warn(logger)
			if _, again := logged.LoadOrStore([2]string{route, field}, true); again {
				log = level.Debug(logger)
			}
			log.Log("msg", "value from the mirror node is unreadable", "network", network, "route", route, "field", field, "rows", rows, "err", err)
		},
	}
}
