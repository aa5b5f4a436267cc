# The commands of Soosh. Nothing but Python 3.11 to 3.13 is needed; everything else is installed into .venv.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run demo test test-long bench check fix lock clean

PYTHON ?= $(shell for name in python3.12 python3.11 python3.13 python3; do \
  command -v $$name >/dev/null 2>&1 && $$name -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 \
  && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
TEST_HOME ?= .soosh-test
BENCH_HOME ?= .soosh-bench
export PYTHONDONTWRITEBYTECODE := 1

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: $(VENV)/installed ## Start everything; Ctrl-C stops it
	@exec $(BIN)/python manage.py serve

demo: $(VENV)/installed ## Walk one person through the whole journey (needs `make run` in another terminal)
	@exec $(BIN)/python manage.py demo

test: $(VENV)/installed-test ## Run the test suite against services of its own
	@DEBUG=on $(BIN)/python -m core.embedded $(TEST_HOME) $(BIN)/python -m pytest -n 2 --dist loadscope --cov --cov-report term

test-long: $(VENV)/installed-test ## Run the long tests: kills, races, volume, fuzzing; takes more than three hours on two cores
	@DEBUG=on $(BIN)/python -m core.embedded $(TEST_HOME) $(BIN)/python -m pytest -m long -vv -n 2 --dist loadfile -p no:randomly -rP --show-capture=stdout --durations=0
	@FUZZ_EXAMPLES=200 DEBUG=on $(BIN)/python -m core.embedded $(TEST_HOME) $(BIN)/python -m pytest -n 2 tests/test_fuzz.py

bench: $(VENV)/installed-bench ## Measure P1 to P6 and P10 to P12 beside their peers, as ratios; takes about half an hour
	@$(BIN)/python -m core.embedded $(BENCH_HOME) $(BIN)/python -m benchmarks

check: $(VENV)/installed-test ## Format, lint, types, import contracts, migrations, OpenAPI
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@DEBUG=on $(BIN)/mypy .
	@$(BIN)/hadolint Dockerfile
	@DEBUG=on $(BIN)/python -m core.embedded $(TEST_HOME) $(BIN)/python -W error::RuntimeWarning manage.py makemigrations --check --dry-run
	@DEBUG=on $(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(TEST_HOME)/openapi.yaml && diff -u openapi.yaml $(TEST_HOME)/openapi.yaml
	@echo "All checks passed."

fix: $(VENV)/installed-test ## Format the code and write openapi.yaml anew
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	@DEBUG=on $(BIN)/python manage.py spectacular --validate --file openapi.yaml

lock: ## Resolve requirements*.in into the locked files (needs uv)
	uv pip compile --quiet --no-strip-extras --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url requirements.in -o requirements.txt
	uv pip compile --quiet --no-strip-extras --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url requirements-test.in -o requirements-test.txt
	uv pip compile --quiet --no-strip-extras --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url requirements-bench.in -o requirements-bench.txt

clean: ## Remove the virtual environment and all local data
	rm -rf $(VENV) .soosh .soosh-test .soosh-bench

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Soosh needs Python 3.11, 3.12 or 3.13. None was found; install one, or say: make PYTHON=/path/to/python"; exit 1; }
	@command -v uv >/dev/null 2>&1 && uv venv --quiet --seed --python "$(PYTHON)" $(VENV) || $(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing the locked requirements (once)."
	@if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt; fi
	@touch $@

$(VENV)/installed-test: requirements-test.txt $(VENV)/installed
	@if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt -r requirements-test.txt; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-test.txt; fi
	@touch $@

$(VENV)/installed-bench: requirements-bench.txt $(VENV)/installed-test
	@if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-bench.txt; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt; fi
	@touch $@
