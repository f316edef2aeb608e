# The verbs of this repository. Each sets up what it needs; a second run builds nothing that has not changed.
PYTHON ?= python3
BIN := .venv/bin
# Hundreds of audits are started by the tests: none of them should compile the suite anew, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help audit test matrix lint bench bench-smoke schemas sample lab-down clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

audit: .venv/ready ## audit the embedded lab, and leave a report
	$(BIN)/pytest checks/ --cluster lab

test: .venv/ready ## run every test of the suite
	@sh tests/browser.sh
	@sh tests/shellcheck.sh
	@sh tests/halves.sh $(BIN)

matrix: .venv/ready ## audit, smoke tests and breaks on every hub version, or VERSIONS="0.8.1 6.1.1"; QUICK=1 without breaks
	$(BIN)/python -m lab.matrix $(if $(QUICK),--quick) $(VERSIONS)

lint: .venv/ready ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/ready ## measure us against our peers, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks --install

bench-smoke: .venv/ready ## the short form: ratios, and that round trips do not grow
	$(BIN)/python -m benchmarks --smoke

schemas: .venv/ready ## write docs/schemas/ anew from the models
	$(BIN)/python -m hubspec schema baseline > docs/schemas/baseline.schema.json
	$(BIN)/python -m hubspec schema record > docs/schemas/record.schema.json
	$(BIN)/python -m hubspec schema run > docs/schemas/run.schema.json

sample: .venv/ready ## make reports/sample/ anew from its snapshot
	$(BIN)/pytest checks/ --snapshot reports/sample/snapshot.json --baseline baselines/lab.yaml || [ $$? -eq 1 ]
	cp reports/latest/report.html reports/latest/records.jsonl reports/sample/

lab-down: .venv/ready ## remove the lab; the engine is left running
	$(BIN)/python -m lab down

clean: ## remove the virtual environment, caches and reports
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis reports/latest

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hubspec needs Python 3.11 or later; say which with make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv || { echo 'no virtual environment could be made; on Debian and Ubuntu: apt-get install python3-venv'; exit 1; }
	@echo 'installing the requirements of pyproject.toml into .venv (about a minute)'
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
