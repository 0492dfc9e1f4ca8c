PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# a file, or the name of a site in config/sites/:  make run SITE=grid
SITE ?= config/sites/commercial.yaml
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: install run test lab bench capture screenshots lint clean

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

# Clients that we did not write, for the tests and benches that talk to them; without npm those skip.
CLIENTS := tests/clients/node_modules/.installed
$(CLIENTS): tests/clients/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/clients --ignore-scripts --no-audit --no-fund --silent && touch $@; fi; \
	  test -e $@ || echo 'no npm here, or no packages for it: the tests with node-opcua skip'

# Three processes on two cores: two for what starts processes and waits, one for what only computes (tests/conftest.py).
test: $(VENV)/.tests $(CLIENTS)
	@$(BIN)/python -m pytest -n 3 $(ARGS)

# The tests that need SocketCAN or a GPIO chip, in a kernel that has them. The first call compiles that kernel: 4 to 8 minutes.
# Only the files with such tests are read there: reading all of them ended that kernel with a segmentation fault.
LAB ?= ../shared/lab/lab
LAB_CACHE ?= $(HOME)/.cache/lab
export LAB_CACHE

lab: $(VENV)/.tests
	@test -x $(LAB) || { echo 'no $(LAB): the tests run as they are on a kernel with vcan0, vcan1 and gpio-sim:  make test'; exit 1; }
	@test -d $(LAB_CACHE)/uml || { echo 'lab: compiling the kernel, 4 to 8 minutes'; \
	  (seconds=0; while sleep 20 >/dev/null 2>&1; do seconds=$$((seconds + 20)); echo "lab: $$seconds s: $$(tail -n 1 $(LAB_CACHE)/uml.log 2>/dev/null)"; done) & \
	  progress=$$!; status=0; $(LAB) true || status=$$?; kill $$progress; test $$status = 0 || exit $$status; }
	@$(LAB) $(BIN)/python -m pytest -m 'socketcan or gpiochip' $$(grep -rlE --include='*.py' 'mark\.(socketcan|gpiochip)' tests) $(ARGS)

bench: $(VENV)/.tests $(CLIENTS)
	@$(BIN)/python -m tests.bench $(ONLY)

# One minute of the demo's buses in build/capture, read by cantools and, where it is installed, tshark.
capture: $(VENV)/.tests
	@$(BIN)/python -m tests.aids.capture --seconds 60 --folder build/capture

# Every screen of the HMI as PNG in build/screenshots, by day and night, 1024x600 and 1440x900; needs Debian's chromium.
screenshots: $(VENV)/.tests
	@$(BIN)/python -m tests.aids.screenshots $(ARGS)

lint: $(VENV)/.tests
	@$(BIN)/ruff check . && $(BIN)/mypy

clean:
	rm -rf build $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
