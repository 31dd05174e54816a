# Every target works on a fresh checkout; the first run installs what is missing, later ones start in seconds.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo build test check fmt docs bench lock clean
V := .venv/bin
# Tests mostly wait: one worker more than cores. More than four gain little, the end-to-end tests being two shares.
workers = $(shell n=$$(nproc); echo $$((n < 4 ? n + 1 : 4)))
uv_compile := $(V)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: ## a whole sample city on this machine: directory, gateway, desktops (Ctrl-C ends it); as root: sudo make demo
	@deploy/setup.sh demo
	@exec $(V)/kakehashi demo

build: ## the Python environment and the web bundle, nothing else
	@deploy/setup.sh web

test: ## set up, then every test: web client first, then Python; as root: sudo make test
	@deploy/setup.sh test
	@. deploy/common.sh; trap hand_back EXIT; web=0; deploy/web.sh test || web=$$?; \
	  $(V)/pytest --numprocesses=$(workers) || { echo; echo "What failed is run once more, alone: a failure that stays is one, a passing one was timing."; \
	  $(V)/pytest --last-failed --last-failed-no-failures=none; }; exit $$web

check: ## format, lint, types, import contracts, web client's types
	@deploy/setup.sh check
	@$(V)/ruff format --check .
	@$(V)/ruff check .
	@$(V)/mypy
	@$(V)/lint-imports
	@deploy/web.sh check

fmt: ## format and fix what can be fixed by itself
	@$(V)/ruff format .
	@$(V)/ruff check --fix .

docs: ## write the reference pages that are made from the code
	@deploy/setup.sh check
	@$(V)/python -m gateway.reference docs/reference

bench: ## speed and memory against goals and websockify; ARGS="--quick", see bench/README.md
	@deploy/setup.sh check
	@$(V)/python -m bench $(ARGS)

lock: ## resolve the pinned requirements anew (hashes, no addresses)
	@deploy/setup.sh check
	@$(uv_compile) --upgrade --extra speed pyproject.toml -o requirements.lock
	@$(uv_compile) --upgrade --extra speed --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(uv_compile) --upgrade requirements-build.in -o requirements-build.lock
	@$(uv_compile) --upgrade requirements-web.in -o requirements-web.lock

clean: ## remove what set-up, builds and the demo created in this checkout
	@rm -rf .venv .cache .demo build dist web_client/dist web_client/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
