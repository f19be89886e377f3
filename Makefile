# Every target sets up what it needs. PYTHON may name another interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Where tests and benches find the engines' environments (tests/neural.py).
ALLTALK_TEST_HOME ?= $(CURDIR)/.engines-home
export ALLTALK_TEST_HOME
ENGINES := coqui kokoro piper

.PHONY: demo check-fast test e2e campaign bench engines clean

demo: $(VENV)/.base
	$(BIN)/alltalk-plugin demo --out demo-out

check-fast: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow and not campaign and not e2e"

test: $(VENV)/.dev engines
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 -m "not campaign and not e2e and not alone" --cov --cov-report=
	$(BIN)/pytest -m "alone and not campaign and not e2e" --cov --cov-append --cov-report=term:skip-covered

# A page of real gradio in a real browser: Debian's chromium, or the one that CHROMIUM names.
e2e: .venv-e2e/.done
	.venv-e2e/bin/python -m pytest -o filterwarnings=default -m e2e tests/e2e

campaign: $(VENV)/.detectors engines
	$(BIN)/pytest -m campaign

bench: $(VENV)/.dev engines
	$(BIN)/python -m bench

# As a user does it. What is there already takes a second; what was stopped goes on.
engines: $(VENV)/.base
	$(BIN)/alltalk-plugin --home $(ALLTALK_TEST_HOME) engine install $(ENGINES)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "pip>=25.1"

$(VENV)/.base: $(VENV)/bin/python pyproject.toml
	$(PIP) install --only-binary :all: -e .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) install --only-binary :all: --group dev
	touch $@

# The gradio that text-generation-webui's own fork is made of, and what was current then: later versions
# of its dependencies do not work with it.
.venv-e2e/.done: Makefile
	$(PYTHON) -m venv .venv-e2e
	.venv-e2e/bin/python -m pip install --disable-pip-version-check --quiet --only-binary :all: \
	  "gradio==4.37.2" "huggingface-hub<1" "fastapi==0.112.4" "pydantic==2.11.0" playwright soundfile pytest pytest-timeout
	touch $@

# The optional language detectors are large, so only the long tests ask for them.
$(VENV)/.detectors: $(VENV)/.dev
	$(PIP) install --only-binary :all: -e ".[lingua,cld2]"
	touch $@

clean:
	rm -rf $(VENV) .venv-e2e .engines-home demo-out bench/out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
