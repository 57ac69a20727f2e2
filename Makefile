# Swath: `make help` lists what can be made. Everything it installs for itself goes to .cache/ and web/app/node_modules/.

LISTEN  ?= 127.0.0.1:8080
DATA    ?= data
CACHE   := $(CURDIR)/.cache
SUDO    := $(if $(filter 0,$(shell id -u)),,sudo)

# Debian's packages: what the binary is built with and runs on, and what the tests use beside that.
PACKAGES      := g++ pkg-config gdal-bin libgdal-dev libisal-dev libopenjp2-7-dev libjpeg62-turbo-dev libwebp-dev libzstd-dev postgresql-15 postgresql-15-postgis-3 ca-certificates
TEST_PACKAGES := chromium python3 python3-venv slurm-wlm munge bubblewrap

VERSITYGW   := github.com/versity/versitygw/cmd/versitygw@v1.8.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

export CGO_ENABLED := 1
export SWATH_VERSITYGW := $(CACHE)/bin/versitygw
export SWATH_PYTHON := $(CACHE)/venv/bin/python
export SWATH_PYTHON_HUB := $(CACHE)/venv-hub/bin/python
export SWATH_PYTHON_EODAG3 := $(CACHE)/venv-eodag3/bin/python

.PHONY: help run build test check lint vuln bench bench-ingest bench-download bench-catalog bench-archive fuzz golden db deps test-deps web clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

run: build ## set up everything, ingest the bundled scenes, serve (LISTEN=127.0.0.1:8080 DATA=data)
	bin/swath ingest --data '$(DATA)' testdata/scenes
	bin/swath serve --data '$(DATA)' --listen '$(LISTEN)'

build: deps web ## build bin/swath
	go build -o bin/swath ./cmd/swath

test: build test-deps ## set up everything, then every test
	go vet ./...
	$(CACHE)/bin/staticcheck ./...
	SWATH_TEST_REQUIRE_ALL=1 go test -count=1 -timeout 40m ./...

check: ## the quick loop: vet, linter, unit tests (under two minutes)
	go vet ./...
	@if [ -x $(CACHE)/bin/staticcheck ]; then $(CACHE)/bin/staticcheck ./...; else echo 'staticcheck: not installed yet, `make test-deps` does'; fi
	go test -short ./...

vuln: ## known vulnerabilities of the dependencies (needs the network, or GOVULNDB=file:///…)
	GOBIN=$(CACHE)/bin go install $(GOVULNCHECK)
	$(CACHE)/bin/govulncheck $(if $(GOVULNDB),-db $(GOVULNDB)) ./...

bench: build ## benchmarks of the packages, then of the tiles against TiTiler (see bench/)
	go test -run '^$$' -bench . -benchmem ./raster ./render ./tiles ./catalog
	bench/tiles/run

bench-ingest: build ## a whole Sentinel-2 product in, step by step, and its tiles before it is converted (see bench/ingest/run)
	bench/ingest/run

bench-download: build ## a large file from swath and from nginx, in turns (see bench/download)
	go run ./bench/download

bench-catalog: build ## the catalog against stac-fastapi-pgstac (N=1000000 items; see bench/catalog/run)
	ITEMS=$(or $(N),1000000) bench/catalog/run

bench-archive: build ## the catalog alone with the items of a whole archive (N=17700000)
	ITEMS=$(or $(N),17700000) bench/catalog/run archive

fuzz: ## each fuzz target for a short while (FUZZTIME=20s)
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$target/*_test.go | sed 's/func //'); do \
	    echo "$$target $$f"; go test $$target -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FUZZTIME),20s) || exit 1; done; done

golden: ## rewrite the golden files; look at what changed before committing
	go test ./render ./tiles -update

db: ## psql into the catalog of a running server (DATA=data)
	psql "$$(bin/swath migrate --data '$(DATA)' --print-address)"

deps: ## install Debian's packages that are missing
	@missing=$$(for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if ! command -v npm >/dev/null; then missing="$$missing nodejs npm"; fi; \
	deploy/install-packages $$missing

test-deps: deps $(CACHE)/bin/versitygw $(CACHE)/bin/staticcheck $(CACHE)/venv/ok $(CACHE)/venv-eodag3/ok $(CACHE)/venv-hub/ok $(CACHE)/venv-cwl/ok ## install what only the tests use
	@deploy/install-packages $$(for p in $(TEST_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done)

$(CACHE)/bin/versitygw:
	GOBIN=$(CACHE)/bin go install $(VERSITYGW)

$(CACHE)/bin/staticcheck:
	GOBIN=$(CACHE)/bin go install $(STATICCHECK)

$(CACHE)/venv/ok: cmd/swath/testdata/requirements.txt | deps
	@deploy/install-packages $$(dpkg -s python3-venv >/dev/null 2>&1 || echo python3 python3-venv)
	/usr/bin/python3 -m venv $(CACHE)/venv
	$(CACHE)/venv/bin/pip install --quiet --disable-pip-version-check -r cmd/swath/testdata/requirements.txt
	touch $@

$(CACHE)/venv-eodag3/ok: cmd/swath/testdata/requirements-eodag3.txt | deps
	@deploy/install-packages $$(dpkg -s python3-venv >/dev/null 2>&1 || echo python3 python3-venv)
	/usr/bin/python3 -m venv $(CACHE)/venv-eodag3
	$(CACHE)/venv-eodag3/bin/pip install --quiet --disable-pip-version-check -r cmd/swath/testdata/requirements-eodag3.txt
	touch $@

$(CACHE)/venv-hub/ok: cmd/swath/testdata/requirements-hub.txt | deps
	@deploy/install-packages $$(dpkg -s python3-venv >/dev/null 2>&1 || echo python3 python3-venv)
	/usr/bin/python3 -m venv $(CACHE)/venv-hub
	$(CACHE)/venv-hub/bin/pip install --quiet --disable-pip-version-check -r cmd/swath/testdata/requirements-hub.txt
	touch $@

$(CACHE)/venv-cwl/ok: processes/cwl/testdata/requirements-cwl.txt | deps
	@deploy/install-packages $$(dpkg -s python3-venv >/dev/null 2>&1 || echo python3 python3-venv)
	/usr/bin/python3 -m venv $(CACHE)/venv-cwl
	$(CACHE)/venv-cwl/bin/pip install --quiet --disable-pip-version-check -r processes/cwl/testdata/requirements-cwl.txt
	touch $@

web: web/dist/index.html ## build the web page with npm packages

web/dist/index.html: $(shell find web/app -path web/app/node_modules -prune -o -type f -print 2>/dev/null) | deps
	cd web/app && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

clean: ## remove what was built (data/ and .cache/ stay)
	rm -rf bin web/dist/* web/app/node_modules
	go clean -testcache
