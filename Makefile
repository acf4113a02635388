# demo and test set up all that they need: Python 3.11 or later and make are enough.
.PHONY: help demo dev test check bench clean
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= python3

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: $(READY) ## a night, a week and a quarter on an embedded stack, through Dagster
	@exec $(BIN)/hackorda-ops demo

dev: $(READY) ## the same stack, left running with the Dagster UI
	@exec $(BIN)/hackorda-ops demo --ui

test: $(READY) ## every test, on real servers that it starts itself
	@exec $(BIN)/python -m pytest

bench: $(READY) ## what the proof costs beside the bare tools, as ratios
	@exec $(BIN)/python -m bench

check: $(READY) ## lint, format, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH= $(BIN)/lint-imports

clean: ## remove what was set up; backups are left alone
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# uv where it is there, because it is quicker; venv and pip otherwise. A second call starts at once.
$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python '>=3.11' $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[local,dev]'; \
	else \
	  $(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "hackorda_ops needs Python 3.11 or later; name one with: make PYTHON=python3.12")' && \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[local,dev]'; \
	fi
	@touch $(READY)
