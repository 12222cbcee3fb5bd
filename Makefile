# A clone needs python3 (3.11 or newer, with venv) and make; everything else is fetched here, locked with hashes. Tests
# with the vendors' JavaScript clients want Debian's nodejs and npm too, and skip without them.
#
#   make run     the main job: a real model server on this machine, asked by the library and through the gateway
#   make test    every test but the soaks
#   make check   format, lint and types, tests included
#   make soak    tests that run for minutes under load
#   make bench   the figures of benchmarks/
#   make conformance   docs/conformance.md, docs/providers.md, docs/failover.md and docs/gateway-oracle.md anew
#   make facts   the data of dragoman.facts anew, from the tables in ../shared/prices
#   make lock    write the requirement files anew; UPGRADE=--upgrade takes newer versions
#   make clean   remove what these made

PYTHON ?= python3
UPGRADE ?=

# No configuration of this machine decides what is installed.
UV := .venv/bin/uv --no-config
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	$(UPGRADE)
SYNC := $(UV) pip sync --quiet --require-hashes

# Stamps: what they name is installed as the requirement files say.
TOOLS := .venv/.installed-tools
PROJECT := .venv/.installed-project
LITELLM := .venv-litellm/.installed
PEERS := .venv-peers/.installed
PORTKEY := benchmarks/gateways/portkey/node_modules/.installed
JAVASCRIPT := tests/javascript/node_modules/.installed

.PHONY: run test check soak bench conformance facts lock clean .venv .venv-litellm .venv-peers
.DELETE_ON_ERROR:

run: $(PROJECT)
	.venv/bin/python -m examples.first_run

# In two processes, each with a half of the tests; whichever is ready first takes some of the other's.
test: $(PROJECT) $(LITELLM) $(JAVASCRIPT)
	.venv/bin/python -m pytest --numprocesses 2 --dist worksteal

check: $(PROJECT)
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright

soak: $(PROJECT) $(LITELLM) $(JAVASCRIPT)
	.venv/bin/python -m pytest -m soak --timeout 7200

# Gateways to be measured beside ours. One that cannot be installed is left out of the tables, which say so.
bench: $(PROJECT)
	-$(MAKE) --no-print-directory $(LITELLM)
	-$(MAKE) --no-print-directory $(PEERS)
	-$(MAKE) --no-print-directory $(PORTKEY)
	.venv/bin/python -m benchmarks

.venv: $(PROJECT)

.venv-litellm: $(LITELLM)

.venv-peers: $(PEERS)

$(TOOLS): requirements/tools.txt
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# The project itself is editable and built by the locked back end, so nothing unlocked is fetched.
$(PROJECT): $(TOOLS) requirements/dev.txt pyproject.toml
	$(SYNC) --python .venv/bin/python requirements/dev.txt requirements/tools.txt
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	touch $@

$(LITELLM): $(TOOLS) requirements/litellm.txt
	$(PYTHON) -m venv --clear .venv-litellm
	$(SYNC) --python .venv-litellm/bin/python requirements/litellm.txt
	touch $@

$(PEERS): $(TOOLS) requirements/peers.txt
	$(PYTHON) -m venv --clear .venv-peers
	$(SYNC) --python .venv-peers/bin/python requirements/peers.txt
	touch $@

$(PORTKEY): benchmarks/gateways/portkey/package-lock.json
	cd $(dir $<) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# The lock file names no host: where packages come from is npm's own setting. Without npm the tests that need it skip.
$(JAVASCRIPT): tests/javascript/package.json tests/javascript/package-lock.json
	if command -v npm >/dev/null; then \
		cd tests/javascript && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.installed; \
	fi

conformance: $(PROJECT) $(LITELLM)
	.venv/bin/python -m scripts.conformance
	.venv/bin/python -m scripts.providers_page
	.venv/bin/python -m scripts.failover
	.venv/bin/python -m scripts.gateway_oracle

facts: $(PROJECT)
	.venv/bin/python -m scripts.facts

lock: $(TOOLS)
	$(COMPILE) requirements/tools.in --output-file requirements/tools.txt
	$(COMPILE) pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(COMPILE) requirements/litellm.in --output-file requirements/litellm.txt
	$(COMPILE) requirements/peers.in --output-file requirements/peers.txt
	if command -v npm >/dev/null; then \
		cd tests/javascript && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund; \
	fi

clean:
	rm -rf .venv .venv-litellm .venv-peers tests/javascript/node_modules benchmarks/gateways/portkey/node_modules \
		.pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
