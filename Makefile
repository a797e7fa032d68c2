# Each target is a few commands you can type yourself. `make demo` and `make test` set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench docs setup setup-dev browser clean

demo: setup ## build a register of example works and audit a real dataset
	rm -rf demo
	$(BIN)/askfirst demo --out demo

test: setup-dev browser ## all tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: setup-dev ## style, types, import law
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev ## the benchmarks, with the peers they are compared with; takes long
	$(BIN)/pip install --quiet -r benchmarks/requirements.txt
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml requirements.lock requirements-demo.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Ask First needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements-demo.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/askfirst selftest
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

# The report is tested in a real browser. Root on Debian or Ubuntu gets one; everybody else is told its name.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -qq -y chromium >/dev/null; } \
	|| { echo "make test looks at the report in a browser: install Chromium (Debian, Ubuntu: apt-get install chromium)"; exit 1; }

clean:
	rm -rf $(VENV) demo build dist
