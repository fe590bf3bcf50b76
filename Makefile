# What a fresh machine needs: Go, npm, make and the programs of PostgreSQL 15. Everything else is fetched here.
ENGINE := clickhouse/engine
WEB := service/dashboard/bundle
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LINT := go run $(GOLANGCI) run ./...
CYCLONEDX := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

# The release of Go that go.mod names, with the fixes of the standard library, is fetched where an older one is
# installed, if it can be.
export GOTOOLCHAIN := $(shell GOTOOLCHAIN=auto go version >/dev/null 2>&1 && echo auto || go env GOTOOLCHAIN)

# Only the program that is run is compiled by its profile, which takes all packages to be compiled once more.
export GOFLAGS := $(GOFLAGS) -pgo=off

.PHONY: run build web web-check docs ldflags release check test race lint vulncheck soak chaos bench bench-replicate profile engine browser clean

run: build engine ## start everything on the embedded engine with sample records, and print the dashboard's address
	bin/orgstats demo

# What `orgstats version` shows. Outside a repository both are empty, and the program shows what the toolchain knows.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT := $(shell git rev-parse HEAD 2>/dev/null)
CLI := github.com/orgstats/orgstats/cmd/orgstats/cli
LDFLAGS := -X $(CLI).version=$(VERSION) -X $(CLI).commit=$(COMMIT)

# The compiler takes what it may inline and lay out for speed from cmd/orgstats/default.pgo (go.dev/doc/pgo).
build: web ## bin/orgstats
	go build -pgo=auto -trimpath -ldflags '$(LDFLAGS)' -o bin/orgstats ./cmd/orgstats

web: $(WEB)/index.html ## the dashboard, which the program embeds

# Versions are pinned by the lock file. Scripts of packages are not run: none of these needs them.
web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

$(WEB)/index.html: web/node_modules/.package-lock.json web/build.mjs $(wildcard web/src/*)
	cd web && npm run --silent build

web-check: web/node_modules/.package-lock.json ## types and tests of the dashboard's code that need no browser
	cd web && npm run --silent check

docs: ## write what the program knows into the docs: the tables of flags
	go test ./cmd/orgstats/cli -count=1 -run '^TestFlagsAreDocumented$$' -update

ldflags: # for tests
	@echo '$(LDFLAGS)'

# Packages whose goroutines share memory are tested with the race detector, which needs a C compiler. The others are
# tested without it: those that only compute, because their users are tested with it, and, the longest first, the whole
# program, of whose processes it sees none, and replication, of which most tests wait for two databases, and which takes
# a quarter longer with it. `make race` tests these with it, too.
CONCURRENT := ./clickhouse/... ./loader ./loader/postgres/snapshot ./loader/postgres/source ./loader/postgres/wal \
	./loader/replica ./loader/rollup ./service ./service/auth ./service/dashboard ./service/limit ./service/metrics \
	./service/stats ./service/transport
LONGEST := ./cmd/orgstats/e2e ./loader/postgres
# Lines of 64 MiB are copied within one goroutine, for which the race detector takes seven times as long.
LARGE := ^TestLongestLines$$
RACE := $(if $(shell command -v $${CC:-cc}),-race)

# Tests keep their data in memory where there is room: bringing it to the disk would be most of their time. Programs can't
# always be run there.
MEMORY := $(shell df -k --output=avail /dev/shm 2>/dev/null | awk '$$1 + 0 > 8000000 { print "/dev/shm" }')

test race: export TMPDIR := $(or $(TMPDIR),$(MEMORY),/tmp)
test race: export GOTMPDIR := $(or $(GOTMPDIR),/tmp)

# The linter has vetted everything.
check: web-check lint ## what needs no engine, no PostgreSQL and no browser: 15 to 50 s once it was compiled
	go test -vet=off $$(go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | grep -v 'enginetest\|pgtest' | cut -d' ' -f1)

# Tests wait more than they compute: for processes, disks and each other. So those of several packages run at once,
# several of each, and beside them what only computes.
test: engine browser web web-check ## every check
	{ $(LINT) && .ci/vulncheck && go test -vet=off -run '$(LARGE)' ./loader; } & checks=$$!; \
	go test -vet=off -p 1 -parallel 4 -timeout 60m $(RACE) -skip '$(LARGE)' $(CONCURRENT) & concurrent=$$!; \
	go test -vet=off -p 2 -parallel 4 -timeout 60m $(LONGEST) $$(go list ./... | grep -vxF "$$(go list $(CONCURRENT) $(LONGEST))"); rest=$$?; \
	wait $$concurrent; concurrent=$$?; \
	wait $$checks && exit $$((concurrent | rest))

race: engine browser web ## all tests again, those of the whole program included, with the race detector; they take about twice as long
	go test -race -timeout 60m ./...

vulncheck: ## known vulnerabilities of what the program calls (GOVULNDB: the database to ask)
	.ci/vulncheck

lint: ## what .golangci.yaml lists
	$(LINT)

# The program alone: `make engine` fetches the library beside it, and a ClickHouse server needs none.
release: web ## dist/: archives for linux/amd64 and linux/arm64, a bill of materials of each, and checksums
	rm -rf dist && mkdir -p dist
	for arch in amd64 arm64; do \
		name=orgstats_$(VERSION)_linux_$$arch; mkdir "dist/$$name" && cp LICENSE README.md CHANGELOG.md "dist/$$name" && \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -pgo=auto -trimpath -ldflags '-s -w $(LDFLAGS)' -o "dist/$$name/orgstats" ./cmd/orgstats && \
		tar -C dist --sort=name --owner=0 --group=0 --numeric-owner -czf "dist/$$name.tar.gz" "$$name" && \
		go run $(CYCLONEDX) bin -json -output "dist/$$name.cdx.json" "dist/$$name/orgstats" && rm -r "dist/$$name" || exit 1; \
	done
	cd dist && sha256sum * > SHA256SUMS

soak: engine ## ten minutes of reading, loading and replicating at once: no error, nothing grows, exact at the end (SOAK_TIME)
	ORGSTATS_TEST_SOAK="$${SOAK_TIME:-10m}" go test ./cmd/orgstats/e2e -count=1 -v -timeout 0 -run '^TestSoak'

chaos: engine ## kill replicator, engine and PostgreSQL at random (CHAOS_KILLS; CHAOS_SEED, which is printed, to repeat)
	ORGSTATS_CHAOS_KILLS="$${CHAOS_KILLS:-60}" ORGSTATS_CHAOS_SEED="$${CHAOS_SEED:-}" \
		go test -count=1 -timeout 60m -v -run '^TestChaos$$' ./cmd/orgstats/e2e

bench: build engine browser ## measure answers, dashboard, service and loader (BENCH_MESSAGES, BENCH_DIR and more: bin/bench --help)
	go build -trimpath -o bin/bench ./cmd/bench
	BENCH_JSON="$${BENCH_JSON:-bin/bench.json}" bin/bench

# Once the loader has changed much: it is what the program itself needs the processor for, while the service waits for
# ClickHouse. It is run where its path says nothing of the machine, because the profile holds that.
profile: build engine ## profile a load, for the compiler
	directory=$$(mktemp -d); trap 'rm -rf "$$directory"' EXIT; \
	go build -trimpath -o "$$directory" ./cmd/bench; cp bin/orgstats "$$directory"; ln -s "$(CURDIR)/bin/libchdb.so" "$$directory"; \
	BENCH_PARTS=loader BENCH_LOAD_MESSAGES=10000000 BENCH_LOAD_ROUNDS=1 BENCH_LOAD_PROFILE="$$directory/profile" \
	BENCH_JSON="$$directory/json" "$$directory/bench" && \
	mv "$$directory/profile" cmd/orgstats/default.pgo

bench-replicate: engine ## measure copying and following a PostgreSQL database (RATES_ROWS, RATES_SECONDS)
	ORGSTATS_RATES_ROWS="$${RATES_ROWS:-1000000}" ORGSTATS_RATES_SECONDS="$${RATES_SECONDS:-60}" \
		go test -count=1 -timeout 30m -v -run '^TestRates$$' ./cmd/orgstats/e2e

engine: bin/libchdb.so ## the embedded ClickHouse

# npm's package holds the library and a binding for Node.js, which is left out.
bin/libchdb.so: $(ENGINE)/package.json $(ENGINE)/package-lock.json
	cd $(ENGINE) && npm ci --ignore-scripts --no-audit --no-fund
	mkdir -p bin
	mv -f $(ENGINE)/node_modules/@chdb/lib-*/libchdb.so $@
	touch $@
	rm -rf $(ENGINE)/node_modules

browser: ## Chromium, for the tests of the dashboard and of the page /docs
	for name in "$$ORGSTATS_TEST_BROWSER" chromium chromium-browser google-chrome; do command -v "$$name" >/dev/null && exit 0; done; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium

clean: ## all that was built or fetched; not the data
	rm -rf bin dist $(ENGINE)/node_modules web/node_modules $(WEB)/index.html $(WEB)/assets
