PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SITE ?= config/site.yaml
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: install run test bench lint clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.tests: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'bessplc needs Python 3.11 or newer; name one with: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'Python cannot make virtual environments here. Install that part first:  sudo apt install python3-venv'; exit 1; }
	$(PYTHON) -m venv $(VENV)

run: install
	@$(BIN)/bessplc run --site $(SITE) --sim

test: $(VENV)/.tests
	@$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.tests
	@$(BIN)/python -m tests.bench $(ONLY)

lint: $(VENV)/.tests
	@$(BIN)/ruff check . && $(BIN)/mypy

clean:
	rm -rf build $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
