# Everything that a developer does here. A bare machine needs Python 3.11 or newer, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: dev test check interop bench chaos docs clean

dev: $(VENV)/ready
	exec $(BIN)/messagehub dev $(ARGS)

# Most tests wait most of the time, for receipts and for what is killed: four at once keep two cores busy. What fails
# beside others is run once more by itself, and both are shown: a fault fails again, a wait that was too short does not.
# And what they start hundreds of times is compiled once, also where Python is told to keep nothing of it.
test: $(VENV)/ready-dev
	$(BIN)/python -m compileall -q src
	$(BIN)/pytest -n 4 --dist loadgroup --no-loadscope-reorder $(ARGS) \
		|| $(BIN)/pytest --last-failed --last-failed-no-failures none $(ARGS)

check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_layers.py
	$(BIN)/python docs/printed.py --check

# Against SMPP libraries, Wireshark's dissector and a browser, which it installs.
interop: $(VENV)/ready-interop
	interop/install.sh
	$(BIN)/pytest interop $(ARGS)

bench: $(VENV)/ready-dev
	$(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/ready-dev
	$(BIN)/python -m tests.chaos $(ARGS)

docs: $(VENV)/ready-dev
	$(BIN)/python docs/printed.py

clean:
	rm -rf $(VENV) interop/peers/node_modules interop/peers/jars interop/peers/classes .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The locks say which versions; pip says where from.
$(VENV)/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "messagehub needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

$(VENV)/ready-interop: $(VENV)/ready-dev requirements-interop.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-interop.lock
	touch $@
