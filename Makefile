# A clone needs python3 (3.11 or newer, with venv) and make; everything else is fetched here, locked with hashes.
#
#   make run     the main job: a real model server on this machine, and this library talking to it
#   make test    every test but the soaks
#   make check   format, lint and types, tests included
#   make soak    tests that run for minutes under load
#   make bench   the figures of benchmarks/
#   make conformance   docs/conformance.md and docs/providers.md anew
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

.PHONY: run test check soak bench conformance lock clean .venv .venv-litellm
.DELETE_ON_ERROR:

run: $(PROJECT)
	.venv/bin/python -m examples.first_run

test: $(PROJECT) $(LITELLM)
	.venv/bin/python -m pytest

check: $(PROJECT)
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright

soak: $(PROJECT) $(LITELLM)
	.venv/bin/python -m pytest -m soak --timeout 7200

bench: $(PROJECT)
	.venv/bin/python -m benchmarks

.venv: $(PROJECT)

.venv-litellm: $(LITELLM)

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

conformance: $(PROJECT)
	.venv/bin/python -m scripts.conformance
	.venv/bin/python -m scripts.providers_page

lock: $(TOOLS)
	$(COMPILE) requirements/tools.in --output-file requirements/tools.txt
	$(COMPILE) pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(COMPILE) requirements/litellm.in --output-file requirements/litellm.txt

clean:
	rm -rf .venv .venv-litellm .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
