# Two commands do everything: make demo, make test.
# The rest are the steps they are made of.

.DEFAULT_GOAL := help
.PHONY: help build web demo test lint gotest sweeps part-card part-devices part-faults test-devices kills cuts nets soak webtest deps dresses fuzz bench dist clean

GO ?= go
FUZZTIME ?= 2m
FLAPS ?= 20
CUTS ?= 150
KILLS ?= 100
SOAK ?= 20m

help: ## what can be made here
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: web ## the programs, into bin/
	$(GO) build -o bin/ ./cmd/gateserver ./cmd/gateagent ./cmd/gatectl

# npm ci runs again only when the lock file has changed.
node_modules/.package-lock.json: package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

web: node_modules/.package-lock.json ## the pages, into agent/web/dist and server/web/dist
	npm run --silent build

demo: build ## a whole campus on this machine; Ctrl-C stops it
	@exec bin/gatectl demo

test: deps webtest lint gotest sweeps test-devices ## everything that must hold

deps: ## what the tests need beside Go and Node (Chromium, strace, QEMU and a kernel for it)
	@.ci/deps

webtest: web
	npm run --silent check
	npm run --silent test

lint:
	@out=$$($(GO) tool gofumpt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofumpt would change:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./agent/... ./devices/... ./signing/... ./cmd/gateagent
	GOARCH=arm64 $(GO) vet ./agent/... ./devices/... ./signing/... ./cmd/gateagent
	$(GO) tool staticcheck ./...
	$(GO) tool errcheck ./...
	$(GO) tool exhaustive -d ./...
	$(GO) mod tidy -diff

# What others wrote and only computes, SQLite (C that a program translated) and
# argon2: the race detector and the pointer checks find nothing in them, and would
# take half of the time.
UNWATCHED = modernc.org golang.org/x/crypto
RACE = -race $(foreach m,$(UNWATCHED),'-gcflags=$(m)/...=-race=0 -d=checkptr=0')

gotest:
	@.ci/gotest $(RACE) -timeout 20m

sweeps: # what is single-threaded and slow under the race detector
	$(GO) test ./server/api -run 'Hostile_CQ075|OfMoreThanTheLimit|MoreThanAFileHolds'
	$(GO) test ./server -run IdleConnections
	GOGC=400 $(GO) test ./cmd/internal/sim/... ./cmd/internal/mutants ./cmd/internal/soak
	$(GO) test ./agent/till -run 'Machine|Exposure'

part-card: ## what of it is about the campus card, and how long that takes
	@.ci/part card $(RACE)

part-devices: ## what of it is about devices, lanes, kiosks and installing
	@.ci/part devices $(RACE)

part-faults: ## what of it is about attacks, cut power, bad networks and lost disks
	@.ci/part faults $(RACE)

test-devices: deps ## drivers in a guest machine with a kernel of its own; USB devices pulled out up to FLAPS times (default 20)
	$(GO) test ./cmd/internal/guest -run InAMachine -machine -flaps $(FLAPS) -count 1 -timeout 1h -v

kills: ## a till and the server of tills are killed KILLS times each (default 100) while money is taken
	$(GO) test ./cmd/internal/campus -run 'Kill_Till|Kill_ServerOfTills' -till-kills $(KILLS) -till-server-kills $(KILLS) -v -timeout 1h -count 1

cuts: ## the power of gates and servers is cut CUTS times (default 150 each), that of whole PCs 20 times each; root and /dev/fuse
	$(GO) test ./cmd/internal/power -run Cut -cuts $(CUTS) -whole-cuts 20 -v -timeout 1h -count 1

dresses: web ## every page judged in both languages, by day and by night, at every width
	$(GO) test ./server/web ./agent/console -run 'EveryDress|Accessible|Fits?' -dresses

fuzz: ## every fuzz target for FUZZTIME each (default 2m), or all of them for TOTAL (20m)
	@.ci/fuzz $(if $(TOTAL),-total $(TOTAL),$(FUZZTIME))

bench: build ## every figure with its limit
	bin/gatectl bench

nets: ## bad networks in namespaces, ten times each (as root; in the suite once)
	$(GO) test ./cmd/internal/nets -run Nets -nets-times 10 -count 1 -v

soak: ## 50 agents on lines that fail all the time, for SOAK (default 20m)
	$(GO) test ./cmd/internal/nets -run Soak -soak $(SOAK) -soak-agents 50 -count 1 -timeout 24h -v

dist: web ## packages for Debian and Windows, and their checksums, into dist/ (VERSION=1.2.3)
	$(GO) run ./cmd/internal/dist -out dist

clean: ## what builds leave behind
	rm -rf bin dist node_modules .cache
	find agent/web/dist server/web/dist -mindepth 1 -type f ! -name .gitkeep -delete
