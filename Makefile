# The one vocabulary of this repository. `make` lists it.
# Every target sets itself up: git, make and Python >= 3.11 are all a machine needs.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
RUN_READY := .venv/.run-ready
DEV_READY := .venv/.dev-ready
SOURCES := src tests benchmarks tools

# uv does not read pip's configuration; the index pip was set up with is the one to ask.
PIP_INDEX = $${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}
UV = index="$(PIP_INDEX)"; if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
     if [ -n "$$PIP_CERT" ]; then export SSL_CERT_FILE="$$PIP_CERT"; fi; $(BIN)/python -m uv
INSTALL_CHECKOUT = $(UV) pip install -q --no-deps --no-build-isolation -e .
# A gigabyte was installed: while it is written to disk, a database waits for its own few bytes.
SETTLE = sync -f .venv
EXTRAS := --extra ops --extra engines --extra freshmart
LOCK = $(UV) pip compile -q --generate-hashes --universal --no-header --python-version 3.11 $(EXTRAS) pyproject.toml

.PHONY: help rehearse up test check format bench bench-protect bench-rehearsal docs lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

rehearse: $(RUN_READY) ## rehearse the sale day on real servers; ARGS=--quick for the short one
	@$(BIN)/python -m tenfold rehearse $(ARGS)

up: $(RUN_READY) ## start everything and keep it running, with the console, until Ctrl-C
	@$(BIN)/python -m tenfold up $(ARGS)

test: $(DEV_READY) ## run every test; ARGS=tests/unit for a part
	@$(BIN)/python -m pytest $(ARGS)

check: $(DEV_READY) ## style, types and architecture
	@$(BIN)/python -m ruff check $(SOURCES)
	@$(BIN)/python -m ruff format --check $(SOURCES)
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m mypy

format: $(DEV_READY) ## rewrite the sources in the house style
	@$(BIN)/python -m ruff check --fix $(SOURCES)
	@$(BIN)/python -m ruff format $(SOURCES)

bench: $(DEV_READY) ## measure freshmart beside the plain version; writes benchmarks/results/first.json
	@$(BIN)/python -m benchmarks.first $(ARGS)

bench-protect: $(DEV_READY) ## measure protect beside its peers; FIGURES=1,7 for a part; writes protect.json
	@$(BIN)/python -m benchmarks.protect $(if $(FIGURES),--figures $(FIGURES)) $(ARGS)

bench-rehearsal: $(DEV_READY) ## weigh a rehearsal's processes at 1x and 10x; ARGS='--against DIR' beside another checkout
	@$(BIN)/python -m benchmarks.rehearsal $(ARGS)

docs: $(DEV_READY) ## rewrite the reference that is made from the code, and check what the pages name
	@$(BIN)/python -m tools.plan_schema > docs/reference/plan.schema.json
	@$(BIN)/python -m pytest -q tests/unit/docs

lock: $(BIN)/uv ## resolve pyproject.toml into requirements/*.txt
	@$(LOCK) --group build -o requirements/run.txt
	@$(LOCK) --group dev -o requirements/dev.txt

clean: ## remove what make built; reports stay
	rm -rf .venv .tenfold .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than Python 3.11; set PYTHON=/path/to/python3.11 or newer" >&2; exit 2; }
	@echo "make: building .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(RUN_READY): $(BIN)/uv requirements/run.txt pyproject.toml
	@echo "make: installing what a rehearsal needs"
	@$(UV) pip install -q --compile-bytecode --require-hashes -r requirements/run.txt
	@$(INSTALL_CHECKOUT)
	@$(SETTLE)
	@touch $@

$(DEV_READY): $(BIN)/uv requirements/dev.txt pyproject.toml
	@echo "make: installing what the tests need"
	@$(UV) pip install -q --compile-bytecode --require-hashes -r requirements/dev.txt
	@$(INSTALL_CHECKOUT)
	@$(SETTLE)
	@touch $@ $(RUN_READY)
