# Orderflow: `make` lists what there is to make.  Everything happens in this folder; Python's packages go to .venv.

.DEFAULT_GOAL := help
.PHONY: help run test test-fast verify bench check flow audit reset env clean
MODE ?=
ARGS ?=
PYTHON ?=

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-11s %s\n", $$1, $$2}'

run: .venv/run  ## open the whole shop on this machine; Ctrl-C closes it (MESSAGING_MODE=topic make run)
	@.venv/bin/orderflow run

test: .venv/dev  ## all tests, on a private RabbitMQ and PostgreSQL (or RABBITMQ_URL, DATABASE_URL)
	@.venv/bin/python -m lab.testrun $(ARGS)

test-fast: .venv/dev  ## the tests that need no server
	@.venv/bin/python -m lab.testrun --fast $(ARGS)

verify: .venv/dev  ## break it in thousands of ways, and count what held: a quarter of an hour (ARGS="--tier simulation")
	@.venv/bin/orderflow verify $(ARGS)

bench: .venv/dev  ## what an order costs in each mode, beside a bare program: a quarter of an hour (ARGS="--mode topic --quick")
	@.venv/bin/orderflow bench $(ARGS)

check: .venv/dev  ## lint, types, import rules: seconds
	@.venv/bin/ruff check . && .venv/bin/mypy && .venv/bin/mypy examples && .venv/bin/lint-imports

flow: .venv/run  ## show the flow of a mode (MODE=topic)
	@.venv/bin/orderflow flow $(MODE)

audit: .venv/run  ## check every promise on the data as it is
	@.venv/bin/orderflow audit $(ARGS)

reset: .venv/run  ## empty the embedded shop
	@.venv/bin/orderflow reset $(ARGS)

env:  ## write .env with random passwords, for docker compose
	@deploy/env.sh

clean:  ## remove .venv and what tools left behind (the shop's data stays: make reset)
	@rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/run: pyproject.toml
	@echo "Preparing .venv: Python with what the shop needs (once, half a minute)."
	@python="$(PYTHON)"; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	  [ -n "$$python" ] || ! $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || python=$$name; done; \
	[ -n "$$python" ] || { echo "Python 3.11 or newer is needed, and not in PATH: https://www.python.org/downloads"; exit 1; }; \
	[ -x .venv/bin/pip ] || "$$python" -m venv .venv 2>/dev/null || { rm -rf .venv; \
	  echo "$$python cannot make a virtual environment: apt install python3-venv (or your system's equivalent)"; exit 1; }
	@.venv/bin/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: .venv/run
	@echo "Adding what the tests need (once, some seconds)."
	@.venv/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
