# Each target is a few commands you can type yourself. `make demo` and `make test` set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo site test test-library lint bench bench-matching docs setup setup-site setup-dev programs browser clean

demo: setup ## build a register of example works and audit a real dataset
	rm -rf demo
	$(BIN)/askfirst demo --out demo

site: setup-site ## run the campaign site with its example on http://127.0.0.1:8000
	$(BIN)/askfirst site up --example

test: setup-dev programs browser ## all tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-library: setup-dev programs ## the library's tests only
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/library

lint: setup-dev ## style, types, import law
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev ## the benchmarks, with the peers they are compared with; takes long
	$(BIN)/pip install --quiet -r benchmarks/requirements.txt
	for script in $(filter-out benchmarks/bench_matching%,$(wildcard benchmarks/bench_*.py)); do $(BIN)/python $$script || exit 1; done

bench-matching: setup-dev ## what matching finds and misses, beside the peers; fetches real texts, pictures, sounds and films
	$(BIN)/pip install --quiet -r benchmarks/requirements.txt
	for script in benchmarks/bench_matching_*.py; do $(BIN)/python $$script || exit 1; done

setup: $(VENV)/.installed
setup-site: $(VENV)/.installed-site
setup-dev: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml requirements.lock requirements-demo.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Ask First needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements-demo.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/askfirst selftest
	touch $@

$(VENV)/.installed-site: $(VENV)/.installed requirements-site.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-site.lock
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

# The tests use real parts: a browser, PostgreSQL, Go's log verifier, gettext. Root on Debian or Ubuntu gets them; everybody
# else is told their names.
PROGRAMS := chromium gettext golang-go golang-golang-x-mod-dev npm postgresql
programs:
	@{ { command -v chromium || command -v chromium-browser || command -v google-chrome; } && command -v msgfmt \
	  && command -v go && command -v npm && test -d /usr/share/gocode/src/golang.org/x/mod && ls -d /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 \
	|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -qq -y $(PROGRAMS) >/dev/null; } \
	|| { echo "make test needs these packages (Debian, Ubuntu: apt-get install $(PROGRAMS))"; exit 1; }

# axe-core looks for barriers on the pages; it comes from npm's registry, once, into a folder of its own.
AXE := $(HOME)/.cache/askfirst/axe-core
browser: $(AXE)/axe.min.js
$(AXE)/axe.min.js:
	mkdir -p $(AXE)
	cd $(AXE) && npm pack --silent axe-core@4.14.1 >/dev/null && tar -xzf axe-core-*.tgz --strip-components=1 package/axe.min.js package/LICENSE && rm axe-core-*.tgz
	touch $@

clean:
	rm -rf $(VENV) demo build dist
