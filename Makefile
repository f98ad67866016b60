# Every routine of the project. `make` alone says what there is.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv
INSTALL := $(UV) pip install -q --python $(BIN)/python --compile-bytecode --require-hashes
DATA ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run setup web openapi test test-fast nightly lint format types bench docs clean lock report-assets

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: setup ## backtest the sample strategy on a year of market data (or on DATA=path/to/file)
	@$(BIN)/cashup demo $(if $(DATA),--data "$(DATA)")

setup: $(VENV)/.stamp-run ## build the environment in .venv, with the cashup command in it

$(VENV)/.stamp-venv: requirements/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "CashUp needs Python 3.11 or newer; $$($(PYTHON) --version 2>&1) found. Choose another with: make PYTHON=python3.12 setup"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is incomplete here; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

$(VENV)/.stamp-run: $(VENV)/.stamp-venv requirements/run.lock pyproject.toml src/cashup/version.py
	@echo "Installing CashUp into $(VENV) ..."
	@$(INSTALL) -r requirements/run.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run requirements/dev.lock
	@echo "Installing the development tools into $(VENV) ..."
	@$(INSTALL) -r requirements/dev.lock
	@touch $@

$(VENV)/.stamp-bench: $(VENV)/.stamp-dev requirements/bench.lock
	@$(PYTHON) -m venv $(VENV)/bench
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install -q --python $(VENV)/bench/bin/python --compile-bytecode --require-hashes -r requirements/bench.lock
	@$(BIN)/uv pip install -q --python $(VENV)/bench/bin/python --no-deps -e .
	@touch $@

$(VENV)/.stamp-bench-book: $(VENV)/.stamp-dev requirements/bench-book.lock
	@$(PYTHON) -m venv $(VENV)/bench-book
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install -q --python $(VENV)/bench-book/bin/python --compile-bytecode --require-hashes -r requirements/bench-book.lock
	@$(BIN)/uv pip install -q --python $(VENV)/bench-book/bin/python --no-deps -e .
	@touch $@

# The pages are built once and again whenever a source of theirs changes.
WEB_SOURCES := $(shell find frontend/src frontend/public -type f -not -name schema.d.ts 2>/dev/null) frontend/index.html frontend/package-lock.json frontend/vite.config.ts
NPM := cd frontend && PATH="$(CURDIR)/$(BIN):$$PATH" npm

web: src/cashup/web/index.html ## build the pages, with the Node of the environment

$(VENV)/.stamp-node: $(VENV)/.stamp-dev frontend/package-lock.json
	@echo "Installing the front end's libraries ..."
	@$(NPM) ci --silent --no-fund --no-audit
	@touch $@

src/cashup/web/index.html: $(VENV)/.stamp-node $(WEB_SOURCES)
	@$(NPM) run --silent api
	@$(NPM) run --silent build

openapi: $(VENV)/.stamp-dev ## write the OpenAPI document the pages' client is generated from
	PYTHONPATH=src $(BIN)/python -m cashup.app.openapi frontend/src/lib/openapi.json

test: $(VENV)/.stamp-dev ## run the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not nightly" $(PYTEST_ARGS)

test-fast: $(VENV)/.stamp-dev ## run the tests that need no browser and take no time
	$(BIN)/python -m pytest -m "not nightly and not slow and not browser" -q $(PYTEST_ARGS)

nightly: $(VENV)/.stamp-dev ## run the long property tests
	CASHUP_NIGHTLY=1 $(BIN)/python -m pytest -n 2 -m nightly $(PYTEST_ARGS)

lint: $(VENV)/.stamp-dev ## check format, style, types and the walls between rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.stamp-dev ## format the code
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format .

types: $(VENV)/.stamp-dev ## check types only
	$(BIN)/mypy

bench: $(VENV)/.stamp-bench ## measure speed beside other engines, in one run
	$(VENV)/bench/bin/python -m benchmarks.single_run $(BENCH_ARGS)

docs: $(VENV)/.stamp-dev ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q && echo "Documentation: site/index.html"

lock: $(VENV)/.stamp-venv ## renew the hash-checked locks
	scripts/lock.sh

clean: ## remove everything that was built
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache reports
	find src tests benchmarks scripts strategies -name __pycache__ -type d -prune -exec rm -rf {} +
