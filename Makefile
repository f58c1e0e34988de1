# `make help` lists what there is to make.

# Any Python from 3.11 on; name one yourself with `make book PYTHON=/path/to/python3`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
NEED_PYTHON = $(if $(PYTHON),,$(error Python 3.11 or later is needed, and none was found; install one, or name it with PYTHON=))
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
BENCH := $(subst .venv,.venv-bench,$(BIN))
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix widgets

.PHONY: help book site serve test quick try chapter lint widgets notebooks bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

book: site ## set everything up, build the book and serve it, on another port with PORT=9000
	$(MAKE) serve

site: .venv/ready ## build the site
	PYODIDE="$(PYODIDE)" $(BIN)/python -m tools.pyodide _build/python
	$(BIN)/jupyter-book build book --config _config.yml --toc _toc.yml --path-output . --all -W -n --keep-going

serve: .venv/ready ## serve the site as it was built
	PORT=$(PORT) PAGE=$(PAGE) $(BIN)/python -m tools.serve

# A file of tests shares a browser, a kernel or what Numba has compiled: it stays in one of the two processes.
test: lint site .venv/browser ## set everything up and run every check
	$(NPM) test
	$(BIN)/python -m pytest --nbval --nbval-current-env --numprocesses 2 --dist loadfile

quick: lint ## run what takes a minute: lint, the library with NumPy alone, the chapters' rules
	SOFTMAX_BACKEND=with_numpy $(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile softmax_lib $(addprefix tests/,library book tools)

try: .venv/ready ## run one file of tests, or one test, with neither site nor browser: T=tests/library/test_accuracy.py
	$(if $(T),,$(error name a file of tests, or a test in it: make try T=tests/library/test_accuracy.py))
	$(BIN)/python -m pytest --nbval --nbval-current-env "$(T)"

chapter: .venv/ready ## run one chapter, store what it shows, check it and show its page: NAME=jacobian
	$(BIN)/python -m tools.chapter "$(NAME)"
	$(MAKE) site
	$(MAKE) serve PAGE=$(NAME).html

lint: .venv/ready widgets/node_modules/ready ## check form, types and spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m tools.spelling
	$(BIN)/mypy
	$(NPM) run check

widgets: widgets/node_modules/ready ## build the interactives' scripts
	$(NPM) run build

notebooks: .venv/ready ## run all chapters and store what they show
	$(BIN)/python -m tools.notebooks

bench: .venv-bench/ready ## measure speed and accuracy against the peers
	$(BENCH)/python -m benchmarks.cpu
	$(BENCH)/python -m benchmarks.ladder
	$(BENCH)/python -m benchmarks.odd
	$(BENCH)/python -m benchmarks.accuracy

# Binder's is flat and has no hashes: repo2docker reads it line by line, to install before it copies the repository.
lock: ## compile requirements.txt and binder/requirements.txt anew; this needs uv
	uv pip compile pyproject.toml --extra chapters --group book --group test --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --output-file requirements.txt
	uv pip compile pyproject.toml --extra chapters --group notebooks --python-version 3.11 --python-platform linux \
	  --constraints requirements.txt --no-annotate --no-header --output-file binder/requirements.txt

clean: ## remove the environments and what was built
	rm -rf .venv .venv-bench _build build *.egg-info widgets/node_modules

# The stamps are written last: what was interrupted is done again.
.venv/ready: requirements.txt pyproject.toml
	$(NEED_PYTHON)
	$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --require-hashes -r requirements.txt \
	  && $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable . \
	  || { echo "make: the Python packages could not be installed; is there a network? Run the same command again." >&2; exit 1; }
	@touch $@

# The peers that the benchmarks measure, apart from the book's environment; `--group` needs pip 25.1.
.venv-bench/ready: pyproject.toml
	$(NEED_PYTHON)
	$(PYTHON) -m venv .venv-bench
	@$(BENCH)/python -m pip install --quiet "pip>=25.1" && $(BENCH)/python -m pip install --group bench \
	  || { echo "make: the benchmarks' packages could not be installed; is there a network? Run the same command again." >&2; exit 1; }
	@touch $@

widgets/node_modules/ready: widgets/package-lock.json .venv/ready
	@$(NPM) ci --no-audit --no-fund \
	  || { echo "make: the JavaScript packages could not be installed; is there a network? Run the same command again." >&2; exit 1; }
	@touch $@

.venv/browser: .venv/ready
	$(BIN)/python -m tools.browser
	@touch $@
