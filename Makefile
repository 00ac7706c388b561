# Everything a fresh Debian machine with Python 3.11 and make needs starts here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# More than the cores: many tests wait. Each takes a part of the list, whose files start once.
WORKERS ?= 3
FAST := $(addprefix tests/,model live contracts api site websocket)
# Who types them in lower case means the same.
PORT ?= $(port)
DATA ?= $(data)
DIST ?= dist

.DEFAULT_GOAL := help
.PHONY: help demo wheel man test test-fast test-ends test-all bench check format clean setup browsers all-browsers web

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check]'
	@touch $@

setup: $(VENV)/.test ## make the environment that tests and checks use

demo: $(VENV)/.run ## play the seed story on a real server at http://127.0.0.1:8000; PORT= and DATA= take others
	@$(BIN)/feedserver demo$(if $(PORT), --port $(PORT))$(if $(DATA), --data $(DATA))

man: $(VENV)/.test ## write the man pages of both programs into build/man
	mkdir -p build/man
	for name in feedserver publisher; do \
	  $(BIN)/python -m publisher.manual $$name.commands.program > build/man/$$name.1 || exit 1; \
	done

wheel: man ## build the one wheel of feedserver and publisher, in dist/
	rm -f $(DIST)/feedserver-*.whl
	$(BIN)/python -m build --wheel --outdir $(DIST) .

browsers:
	@sh tests/install_browsers.sh

all-browsers:
	@sh tests/install_browsers.sh all

test: $(VENV)/.test browsers web ## install what tests need, Chromium included, and run them all
	node --test tests/web/*.test.js
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m 'not more'

test-fast: $(VENV)/.test ## rules, contracts, doors: tests/{model,live,contracts,api,site,websocket}; no browser, a minute
	HYPOTHESIS_PROFILE=fast $(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m 'not more' $(FAST)

test-all: $(VENV)/.test all-browsers web ## more: kills, crowds, examples, Firefox, WebKit, test-ends; under an hour
	node --test tests/web/*.test.js
	TEST_BROWSER=/usr/bin/chromium HYPOTHESIS_PROFILE=more $(BIN)/pytest -n $(WORKERS) --dist worksteal
	$(MAKE) test-ends

test-ends: ## tests/{websocket,process} with the oldest and newest uvicorn, websockets, starlette allowed
	$(PYTHON) tests/try_ends.py -n $(WORKERS)

bench: $(VENV)/.test ## measure, and write docs/performance.md
	$(BIN)/python -m bench all --short

check: $(VENV)/.test web ## format, lint, types, layers, docs, the web files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/docs
	npm run --silent check

web: browsers node_modules/.made

node_modules/.made: package.json
	npm install --silent --no-fund --no-audit
	@touch $@

format: $(VENV)/.test web ## mend what format and lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	npm run --silent format

clean: ## remove what the targets made
	rm -rf $(VENV) .ends build $(DIST) node_modules demo-data* .mypy_cache .ruff_cache .pytest_cache .hypothesis
