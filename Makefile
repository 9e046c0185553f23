# The targets an operator needs are `make demo`, `make build` and `make test`.
# While working on the code, plain `go test ./...` is enough.

GO        ?= go
BIN       := bin
TOOLS     := $(GO) -C tools build -o ../$(BIN)/
TOOLS_MOD := tools/go.mod tools/go.sum

# Tools of a release, in a module of their own: theirs would move the linters'
# dependencies.
RELEASE_TOOLS := $(GO) -C tools/release build -o ../../$(BIN)/
RELEASE_MOD   := tools/release/go.mod tools/release/go.sum

VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH    ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
STAMP     := github.com/prometheus/common/version
LDFLAGS   := -s -w -X $(STAMP).Version=$(VERSION) -X $(STAMP).Revision=$(REVISION) -X $(STAMP).Branch=$(BRANCH)

# Prometheus' own programs: those on PATH, else built from the tools module.
PROMTOOL   ?= $(or $(shell command -v promtool),$(BIN)/promtool)
PROMETHEUS ?= $(or $(shell command -v prometheus),$(BIN)/prometheus)

# Alertmanager itself cannot be built from its module, which has no web interface.
ALERTMANAGER ?= $(or $(shell command -v prometheus-alertmanager),$(shell command -v alertmanager))
# Nor is blackbox_exporter among the tools.
BLACKBOX_EXPORTER ?= $(or $(shell command -v prometheus-blackbox-exporter),$(shell command -v blackbox_exporter))
AMTOOL       ?= $(or $(shell command -v amtool),$(BIN)/amtool)

RULES       := $(wildcard alerts/hedera.*.yml)
RELAY_RULES := deploy/prometheus/relay.rules.yml

SOURCES := $(shell find cmd collector internal -name '*.go' -not -name '*_test.go') go.mod go.sum

.PHONY: all
all: build

.PHONY: build
build: $(BIN)/hedera_exporter $(BIN)/hedera_simulator ## build both programs into bin/

$(BIN)/hedera_exporter $(BIN)/hedera_simulator: $(SOURCES)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/$(@F)

.PHONY: demo
demo: build ## exporter on a simulated network, offline; Ctrl-C stops it
	deploy/demo/demo.sh $(BIN)

.PHONY: run
run: $(BIN)/hedera_exporter ## exporter on mainnet; ARGS="--account=0.0.98=fees"
	$(BIN)/hedera_exporter $(ARGS)

.PHONY: test
test: lint test-unit test-alerts test-integration test-deploy test-release ## everything that CI checks

.PHONY: test-unit
test-unit: ## go test ./... with the race detector
	$(GO) test -race -parallel 8 -timeout 30m ./... # most of the parallel tests wait for a deadline

.PHONY: test-integration
test-integration: build $(PROMTOOL) $(PROMETHEUS) $(BIN)/prometheus ## built programs, a real Prometheus, official SDKs on the simulator, fuzz seeds
	@test -n '$(ALERTMANAGER)' || { echo 'install Alertmanager (Debian: prometheus-alertmanager) or set ALERTMANAGER' >&2; exit 1; }
	@test -n '$(BLACKBOX_EXPORTER)' || { echo 'install blackbox_exporter (Debian: prometheus-blackbox-exporter) or set BLACKBOX_EXPORTER' >&2; exit 1; }
	PROMTOOL='$(abspath $(PROMTOOL))' BLACKBOX_EXPORTER='$(abspath $(BLACKBOX_EXPORTER))' PROMETHEUS='$(abspath $(PROMETHEUS))' PROMETHEUS3='$(abspath $(BIN)/prometheus)' ALERTMANAGER='$(abspath $(ALERTMANAGER))' BIN='$(abspath $(BIN))' \
		$(GO) test -race -tags integration -timeout 40m ./cmd/... ./deploy/...
	$(GO) test -tags integration -timeout 20m -run TestCanaryFees ./collector
	$(SDK_TEST)
	$(TORTURE_TEST) -timeout 20m -run TestTorture
	PROMETHEUS='$(abspath $(PROMETHEUS))' BIN='$(abspath $(BIN))' \
		$(GO) -C tools test -tags integration -timeout 30m ./dashboards
	.ci/fuzz

# hiero-sdk-go's Client has data races of its own.
SDK_TEST = $(GO) test -tags integration -timeout 20m ./internal/simulator/sdktest

# The built exporter; -v for the table.
TORTURE_TEST = BIN='$(abspath $(BIN))' PROMETHEUS='$(abspath $(PROMETHEUS))' $(GO) test -v -count 1 -tags integration,soak ./internal/torture

# 1,000 accounts, 256 MiB and a scrape timeout of 5 s, or:
#   make torture TORTURE_ACCOUNTS=10000 TORTURE_MEMORY=512 TORTURE_TIMEOUT=10 TORTURE_ATTACK='gzip|probe'
.PHONY: torture
torture: export TORTURE = full
torture: build ## the exporter against hostile mirrors, nodes, clients, files and signals; 15 minutes, and 5 with 10,000 accounts
	$(TORTURE_TEST) -timeout 15m -run TestTorture
	$(TORTURE_TEST) -timeout 5m -run TestManyAccounts

SOAK ?= 1h
.PHONY: soak
soak: export SOAK := $(SOAK)
soak: build $(PROMETHEUS) ## Prometheus, faults, reloads and restarts for SOAK (default 1h); slopes of memory, goroutines and descriptors
	$(TORTURE_TEST) -timeout 0 -run TestSoak

# Not part of make test: it takes ten minutes.
QUIET ?= 10m
.PHONY: test-demo
test-demo: export QUIET := $(QUIET)
test-demo: build $(PROMETHEUS) ## make demo under a real Prometheus with all rules: no alert fires in ten minutes (QUIET)
	PROMETHEUS='$(abspath $(PROMETHEUS))' BIN='$(abspath $(BIN))' \
		$(GO) test -v -count 1 -tags integration,soak -timeout 0 ./cmd/hedera_exporter -run TestDemoIsQuiet

.PHONY: test-alerts
test-alerts: $(PROMTOOL) $(BIN)/promtool $(AMTOOL) $(BIN)/amtool ## rules, routes, receivers and templates, with the installed and the current tools
	$(PROMTOOL) check rules --lint=all --lint-fatal $(RULES) $(RELAY_RULES)
	$(BIN)/promtool check rules --lint=all --lint-fatal $(RULES) $(RELAY_RULES)
	$(PROMTOOL) test rules alerts/tests/*.yml $(RELAY_RULES:.yml=.test.yml)
	$(TOOLS) ./checkalerts
	$(BIN)/checkalerts
	cd tools && $(GO) test ./...
	alerts/tests/routes.sh '$(abspath $(AMTOOL))'
	alerts/tests/routes.sh '$(abspath $(BIN)/amtool)'
	alerts/tests/routes.sh '$(abspath $(BIN)/amtool)' 0.26
	alerts/tests/templates.sh '$(abspath $(AMTOOL))'
	alerts/tests/templates.sh '$(abspath $(BIN)/amtool)'

.PHONY: lint
lint: $(BIN)/golangci-lint $(BIN)/govulncheck $(BIN)/deadcode ## linters, unused functions, and whether what is generated is current
	$(BIN)/golangci-lint run ./...
	cd tools && ../$(BIN)/golangci-lint run -c ../.golangci.yml ./...
	$(GO) mod tidy -diff
	$(GO) -C tools mod tidy -diff
	@DEADCODE='$(abspath $(BIN)/deadcode)' .ci/deadcode . tools
	.ci/generated
	@if curl -fsS -m 10 -o /dev/null $(VULNDB)/index/db.json; then \
		$(BIN)/govulncheck -db $(VULNDB) ./...; \
	else \
		echo 'govulncheck: NOT RUN, its database $(VULNDB) cannot be reached from here'; \
	fi

.PHONY: fmt
fmt: $(BIN)/golangci-lint
	$(BIN)/golangci-lint fmt ./...

# The golden scrape is not one of these: it is what a test expects, and a change
# of it is for a person to read. docs/scaling.md holds measurements, rounded so
# that they are the same on each run.
.PHONY: generate
generate: docs dashboards chart pages ## rewrite everything that is generated: docs/metrics.md, tables in docs/scaling.md and README.md, dashboards/*.json, the chart's README.md and files/, manual pages and completion

.PHONY: docs
docs:
	$(GO) test ./collector -run 'Test(Metrics|Scaling)Documentation' -update
	$(TOOLS) ./benchtable
	$(BIN)/benchtable -update docs/benchmarks/latest.txt

.PHONY: dashboards
dashboards:
	$(GO) -C tools run ./dashboards ../dashboards

.PHONY: pages
pages:
	GO='$(GO)' deploy/packages/generate.sh

# A chart holds what it renders: symbolic links do not reach everyone.
CHART := deploy/helm/hedera-exporter
.PHONY: chart
chart: dashboards
	rm -rf $(CHART)/files
	mkdir -p $(CHART)/files/alerts $(CHART)/files/dashboards
	cp $(RULES) $(CHART)/files/alerts/
	cp dashboards/*.json $(CHART)/files/dashboards/
	$(GO) -C tools/deploycheck tool helm-docs --chart-search-root ../../deploy/helm --sort-values-order file --log-level warning

# Needs Chromium, and some five minutes.
.PHONY: dashboards-preview
dashboards-preview: build $(PROMETHEUS) ## draw the dashboards on a simulated network in trouble; screenshots to docs/images/
	$(GO) -C tools run ./dashboards/preview -bin ../$(BIN) -prometheus '$(abspath $(PROMETHEUS))' \
		-rules ../alerts -dashboards ../dashboards -output ../$(BIN)/preview -images ../docs/images

.PHONY: rename
rename: ## set the project's home: make rename REPOSITORY=github.com/OWNER/hedera_exporter
	$(GO) -C tools run ./rename -root .. '$(REPOSITORY)'
	$(MAKE) --no-print-directory generate

.PHONY: golden
golden: ## rewrite the golden scrape, which is what a test expects
	$(GO) test ./collector -run TestGoldenScrape -update

# Runs of each benchmark: benchtable wants five, and benchstat six for a confidence
# interval. A benchmark that fails has too few of them.
RUNS ?= 6
.PHONY: bench
bench: $(BIN)/hedera_exporter ## scrapes against bare requests, a registry and one request an account, as a table; some seven minutes
	@printf 'date: %s\ngo: %s\nversion: %s\n' "$$(date -u +%F)" "$$($(GO) env GOVERSION)" '$(VERSION)' >$(BIN)/bench.txt
	BIN='$(abspath $(BIN))' $(GO) test ./cmd/hedera_exporter ./collector -run '^$$' -bench . -benchtime 3s -count $(RUNS) -timeout 30m -p 1 | tee -a $(BIN)/bench.txt
	@$(TOOLS) ./benchtable
	@$(BIN)/benchtable $(BIN)/bench.txt

.PHONY: bench-docs
bench-docs: bench ## make bench, and what it measures into docs/benchmarks/latest.txt, docs/scaling.md and README.md
	cp $(BIN)/bench.txt docs/benchmarks/latest.txt
	$(BIN)/benchtable -update docs/benchmarks/latest.txt

NEW ?= $(BIN)/bench.txt
.PHONY: bench-compare
bench-compare: ## two measurements, by benchstat: make bench-compare OLD=docs/benchmarks/v0.1.0.txt (NEW=bin/bench.txt)
	@$(GO) -C tools tool benchstat -ignore date,go,pkg,version '$(abspath $(OLD))' '$(abspath $(NEW))'

# Not part of make test: it has no limit to fail at. With ACCOUNTS=1000 it takes
# some two minutes, with more it takes longer.
ACCOUNTS ?= 10000
.PHONY: bench-rules
bench-rules: $(PROMETHEUS) ## what an evaluation of all rules costs, with a day of history; ACCOUNTS=1000
	$(TOOLS) ./benchrules
	$(BIN)/benchrules -prometheus '$(abspath $(PROMETHEUS))' -accounts $(ACCOUNTS)

# Nor is this: make test-integration has a smaller history, and limits.
.PHONY: bench-dashboards
bench-dashboards: $(PROMETHEUS) ## what a refresh of each dashboard costs Prometheus, with six hours of history; ACCOUNTS=1000
	$(TOOLS) ./benchdashboards
	$(BIN)/benchdashboards -prometheus '$(abspath $(PROMETHEUS))' -accounts $(ACCOUNTS)

# Not part of make test: it takes an hour and a half.
WELL ?= 70m
ILL  ?= 15m
.PHONY: soak-alerts
soak-alerts: build $(PROMETHEUS) ## rules and routes at real speed, with lost scrapes, then faults; WELL=70m ILL=15m
	@test -n '$(ALERTMANAGER)' || { echo 'install Alertmanager (Debian: prometheus-alertmanager) or set ALERTMANAGER' >&2; exit 1; }
	$(TOOLS) ./soakalerts
	$(BIN)/soakalerts -bin '$(BIN)' -prometheus '$(abspath $(PROMETHEUS))' -alertmanager '$(ALERTMANAGER)' -well $(WELL) -ill $(ILL)

$(BIN)/golangci-lint: $(TOOLS_MOD)
	$(TOOLS) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(BIN)/deadcode: $(TOOLS_MOD)
	$(TOOLS) golang.org/x/tools/cmd/deadcode

$(BIN)/amtool: $(TOOLS_MOD)
	$(TOOLS) github.com/prometheus/alertmanager/cmd/amtool

$(BIN)/promtool: $(TOOLS_MOD)
	$(TOOLS) github.com/prometheus/prometheus/cmd/promtool

$(BIN)/prometheus: $(TOOLS_MOD)
	$(TOOLS) github.com/prometheus/prometheus/cmd/prometheus

# The release is a function of these and the Go release.
DIST              ?= dist
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: release
release: $(BIN)/cyclonedx-gomod $(BIN)/helm $(BIN)/nfpm ## archives, bills of materials and checksums of six platforms, packages, and the PrometheusRule, into dist/
	@GO='$(GO)' VERSION='$(VERSION)' REVISION='$(REVISION)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)' \
		CYCLONEDX_GOMOD='$(abspath $(BIN)/cyclonedx-gomod)' HELM='$(abspath $(BIN)/helm)' NFPM='$(abspath $(BIN)/nfpm)' .ci/release '$(DIST)'

.PHONY: release-env
release-env:
	@echo "export VERSION='$(VERSION)' REVISION='$(REVISION)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)'"

.PHONY: test-release
test-release: ## two releases have the same checksums; a renamed copy builds and passes its tests
	.ci/release-check
	.ci/rename-check

# Not part of make test: it needs root, debootstrap, rpm, zsh and a Debian mirror.
.PHONY: test-packages
test-packages: release ## the Debian package in a clean Debian with systemd: install, start, scrape, remove, purge
	.ci/packages-check '$(DIST)'

.PHONY: test-deploy
test-deploy: $(BIN)/hedera_exporter $(BIN)/etcd $(BIN)/kube-apiserver ## the compose file, the Helm chart and the kustomizations, also on a real API server
	$(GO) -C tools/kubernetes mod tidy -diff
	cd tools/deploycheck && $(GO) vet ./... && $(GO) mod tidy -diff && BIN='$(abspath $(BIN))' $(GO) test -timeout 30m ./...

# Kubernetes, in a module of its own for the versions that it wants. Some four
# minutes on two cores.
KUBERNETES     := CGO_ENABLED=0 $(GO) -C tools/kubernetes build -trimpath -o ../../$(BIN)/
KUBERNETES_MOD := tools/kubernetes/go.mod tools/kubernetes/go.sum

$(BIN)/kube-apiserver: $(KUBERNETES_MOD)
	version=$$($(GO) -C tools/kubernetes list -m -f '{{.Version}}' k8s.io/kubernetes) && \
		$(KUBERNETES)kube-apiserver -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$$version" k8s.io/kubernetes/cmd/kube-apiserver

$(BIN)/etcd: $(KUBERNETES_MOD)
	$(KUBERNETES)etcd -ldflags '-s -w' go.etcd.io/etcd/server/v3

# make lint runs it where its database can be reached; this fails where it cannot.
VULNDB ?= https://vuln.go.dev
.PHONY: vulncheck
vulncheck: $(BIN)/govulncheck ## known vulnerabilities in what the programs call; needs internet
	$(BIN)/govulncheck -db $(VULNDB) ./...

# A bill of materials names the hash of the tool that made it.
$(BIN)/cyclonedx-gomod: $(RELEASE_MOD)
	CGO_ENABLED=0 $(RELEASE_TOOLS) -trimpath -buildvcs=false -ldflags '-s -w -buildid=' github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

$(BIN)/nfpm: $(RELEASE_MOD)
	CGO_ENABLED=0 $(RELEASE_TOOLS) -trimpath -buildvcs=false -ldflags '-s -w -buildid=' github.com/goreleaser/nfpm/v2/cmd/nfpm

$(BIN)/helm: tools/deploycheck/go.mod tools/deploycheck/go.sum
	$(GO) -C tools/deploycheck build -o ../../$(BIN)/ helm.sh/helm/v3/cmd/helm

$(BIN)/govulncheck: $(RELEASE_MOD)
	$(RELEASE_TOOLS) golang.org/x/vuln/cmd/govulncheck

.PHONY: clean
clean:
	rm -rf $(BIN) $(DIST)

.PHONY: help
help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20
