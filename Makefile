# Every target sets up what it needs. PYTHON may name another interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo check-fast test campaign bench clean

demo: $(VENV)/.base
	$(BIN)/alltalk-plugin demo --out demo-out

check-fast: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow and not campaign"

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not campaign" --cov --cov-report=term:skip-covered

campaign: $(VENV)/.dev
	$(BIN)/pytest -m campaign

bench: $(VENV)/.dev
	$(BIN)/python -m bench

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "pip>=25.1"

$(VENV)/.base: $(VENV)/bin/python pyproject.toml
	$(PIP) install --only-binary :all: -e .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) install --only-binary :all: --group dev
	touch $@

clean:
	rm -rf $(VENV) demo-out bench/out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
