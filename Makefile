# Every verb of the project. Nothing but Python 3.11 or newer and make is needed.

PYTHON ?= python3
PORT   ?= 8080
DATA   ?= .jobgate
SEED   ?= 1
ROUNDS ?= 1
ARGS   ?=

# CPython 3.11.7 cannot rewrite large test files without a cache for what it compiled ("AST constructor recursion").
unexport PYTHONDONTWRITEBYTECODE

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
UV    := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help run test check schemas bench chaos lock clean

help: ## show this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

run: $(READY) ## start everything on 127.0.0.1 (PORT=8080 DATA=.jobgate); Ctrl-C stops it
	@$(BIN)/jobgate dev --port $(PORT) --data $(DATA)

test: $(READY) ## run the whole suite against servers it starts itself (ARGS="-k replay")
	@$(BIN)/pytest -n 3 --dist loadfile $(ARGS)  # one more than the cores that it is meant for: many tests wait

check: $(READY) ## lint, format, types, layers and the committed contract, as CI runs them
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/jobgate schemas --check

schemas: $(READY) ## write schemas/ from the code
	@$(BIN)/jobgate schemas

bench: $(READY) ## measure against bare peers and print the ratios (ARGS=…)
	@$(BIN)/jobgate bench $(ARGS)

chaos: $(READY) ## the fault catalogue at full rates (SEED=1 ROUNDS=1)
	@$(BIN)/python -m tests.chaos --seed $(SEED) --rounds $(ROUNDS)

# The list names no host: whatever index, mirror or folder this machine is set to stays out of it.
lock: $(BIN)/pip ## write requirements.txt anew (ARGS=--upgrade takes newer versions)
	@$(BIN)/pip install -qq --disable-pip-version-check $(UV)
	@env -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS $(BIN)/uv pip compile --quiet --no-config \
		--universal --python-version 3.11 --group dev \
		--no-emit-package jobgate --no-emit-index-url --no-header --no-annotate --generate-hashes \
		$(ARGS) --output-file requirements.txt >/dev/null

clean: ## remove what the tools wrote; .venv and DATA stay
	@rm -rf dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find actions src tests -name __pycache__ -prune -exec rm -rf {} +

# The list is complete. Left to resolve it again, pip asks for the newest release of what somebody wants with an extra
# (`pydantic[email]`), and refuses that one for having no hash.
$(READY): requirements.txt pyproject.toml | $(BIN)/pip
	@echo "Filling $(VENV) from requirements.txt"
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "jobgate needs Python 3.11 or newer, and $(PYTHON) is not: try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
