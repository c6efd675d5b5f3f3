# Everything from a fresh clone on Debian or Ubuntu: `make test`, `make demo`. Nothing has to be installed by hand.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench fuzz screens docs clean

VENV := .venv
BIN := $(VENV)/bin
# Network namespaces and system users need root. With a sudo that asks for no password the tests run as root, and leave
# nothing of root's in the clone.
AS_ROOT = $(shell [ "$$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || echo sudo -n env PATH="'$$PATH'" \
	PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/tmp/tunneldoctor-hypothesis)

help:
	@echo "make demo    examine a small tunnel on this machine; make demo FAULT=wrong-key breaks it first"
	@echo "make test    lint, then all tests"
	@echo "make lint    ruff, mypy, import-linter"
	@echo "make format  ruff format, and what ruff can fix"
	@echo "make bench   what the program costs, and what it names; make bench ARGS='--only diagnosis' for that alone"
	@echo "make fuzz    two hundred thousand damaged keys, lines and greetings"
	@echo "make screens the pictures of the README, drawn anew"
	@echo "make docs    the man page and the list of codes, made anew from the program"
	@echo "make clean   remove what was made here"

demo: $(VENV)/installed
	@$(BIN)/tunneldoctor demo $(if $(FAULT),--fault $(FAULT))

test: $(VENV)/installed $(VENV)/packages lint
	@$(AS_ROOT) $(BIN)/pytest --no-header -p no:cacheprovider --numprocesses 5 --dist worksteal $(ARGS)

lint: $(VENV)/installed
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log >&2; exit 1; }

format: $(VENV)/installed
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

bench: $(VENV)/installed $(VENV)/packages
	@$(AS_ROOT) $(BIN)/python -m benchmarks $(ARGS)

fuzz: $(VENV)/installed
	@$(BIN)/python -m tests.fuzz $(ARGS)

screens: $(VENV)/installed
	@$(BIN)/python -m tests.tui.pictures docs/screens

docs: $(VENV)/installed
	@$(BIN)/python -m docs

clean:
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: pyproject.toml .ci/venv
	@.ci/venv $(VENV)
	@touch $@

$(VENV)/packages: .ci/packages | $(VENV)/installed
	@.ci/packages
	@touch $@
