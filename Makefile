# demo and test set up all that they need: Python 3.11 or later and make are enough.
.PHONY: help demo dev test test-long fuzz quick check bench chaos years docs clean
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY_TO_RUN := $(VENV)/.ready-to-run
READY_TO_TEST := $(VENV)/.ready-to-test
comma := ,
PYTHON ?= python3
# How many tests run at a time, each worker on servers of its own.
WORKERS ?= 3
# Groups of tests start in the order that hackorda_ops_tests/groups.py gives them, the longest first.
SPREAD := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
# More options for pytest: make test ARGS=--junit-xml=run.xml
ARGS ?=

# Without its cache every worker of the tests would compile each of them anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: $(READY_TO_RUN) ## a night, a week and a quarter on an embedded stack, through Dagster
	@exec $(BIN)/hackorda-ops demo

dev: $(READY_TO_RUN) ## the same stack, left running with the Dagster UI
	@exec $(BIN)/hackorda-ops demo --ui

test: $(READY_TO_TEST) ## every test, on real servers that it starts itself
	@exec $(BIN)/python -m pytest $(SPREAD) $(ARGS)

test-long: $(READY_TO_TEST) ## the same in the long form: every kill, every storm, thousands of tables on every version
	@HACKORDA_OPS_LONG=1 $(BIN)/python -m pytest $(SPREAD) $(ARGS)

fuzz: $(READY_TO_TEST) ## every reader of what lies in a store, on real files with something wrong in them; minutes
	@HACKORDA_OPS_LONG=1 HACKORDA_OPS_FUZZ=$${HACKORDA_OPS_FUZZ:-15000} $(BIN)/python -m pytest -n $(WORKERS) hackorda_ops_tests/fuzz $(ARGS)

quick: $(READY_TO_TEST) ## every test that needs no server, and a night, a week and a drill on real ones
	@exec $(BIN)/python -m pytest -m "quick or not (server or e2e)" $(SPREAD) $(ARGS)

bench: $(READY_TO_TEST) ## what the proof costs beside the bare tools, as ratios; writes docs/performance.md
	@exec $(BIN)/python -m bench $(ARGS)

chaos: $(READY_TO_TEST) ## a fault at every call of the commands, and what must hold after each; ARGS=--short for a few
	@exec $(BIN)/python -m chaos $(ARGS)

soak: $(READY_TO_TEST) ## a quarter of nights on a clock of its own; in the end every artifact left is restored
	@exec $(BIN)/python -m chaos.soak $(ARGS)

years: $(READY_TO_TEST) ## years of decisions on a simulated source, places and clocks: make years ARGS='--years 5000 --seed 7'
	@exec $(BIN)/python -m hackorda_ops_tests.years $(ARGS)

check: $(READY_TO_TEST) ## lint, format, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH= $(BIN)/lint-imports

docs: $(READY_TO_TEST) ## docs/proof.md from what the tests do, the picture of the rooms, every wait, every key of databases.yaml, the schemas
	@$(BIN)/python -m hackorda_ops_tests.proof > docs/proof.md
	@$(BIN)/python -m hackorda_ops_tests.architecture
	@$(BIN)/python -m hackorda_ops_tests.waits
	@$(BIN)/python -m hackorda_ops.drill.report.json_schema > docs/report.schema.json
	@$(BIN)/python -m hackorda_ops.config.reference.page > docs/config.md
	@$(BIN)/python -m hackorda_ops.config.reference.json_schema > docs/databases.schema.json

clean: ## remove what was set up; backups are left alone
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# uv where it is there, because it is quicker; venv and pip otherwise. A second call starts at once.
define install
@echo "Setting up $(VENV) (once; about a minute) ..."
@if command -v uv >/dev/null 2>&1; then \
  uv venv --quiet --allow-existing --python '>=3.11' $(VENV) && \
  uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$(1)]'; \
else \
  $(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "hackorda_ops needs Python 3.11 or later; name one with: make PYTHON=python3.12")' && \
  $(PYTHON) -m venv $(VENV) && \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(1)]'; \
fi
@touch $@
endef

NATIVE := hackorda_ops/native/row_digest.c hackorda_ops/native/build_hook.py

$(READY_TO_RUN): pyproject.toml constraints.txt $(NATIVE)
	$(call install,local)

$(READY_TO_TEST): pyproject.toml constraints.txt $(NATIVE)
	$(call install,local$(comma)dev)
