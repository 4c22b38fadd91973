# Each target sets up what it needs; a second run of it takes no time.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CONTROLTOWER_HOME ?= $(CURDIR)/.data

PYTHON := .venv/bin/python
RUNTIME := .venv/.runtime-stamp
DEV := .venv/.dev-stamp
NODE := node_modules/.stamp
# The scripts of node_modules run on the Node of .venv where there is one; see deploy/node.sh.
NODE_BIN := PATH="$(CURDIR)/.venv/bin:$$PATH" node_modules/.bin
# Further arguments for pytest: make test PYTEST="-k approvals -x"
PYTEST ?=
# A file stays with one worker; each worker has servers of its own. One run after the other: make test WORKERS=0
WORKERS ?= auto
# So many of the tests against a real Odoo run side by side, each beside an Odoo of its own.
ODOO_COPIES ?= 2
PARALLEL := -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help demo demo-odoo demo-reset up test test-js test-odoo test-browser walk walk-sandbox bench lint types contracts check requirements \
	vendor messages screenshots docs settings-doc reference-docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

demo: $(RUNTIME) ## the tower with a busy sandbox company at http://127.0.0.1:8000 (PORT overrides)
	@exec $(PYTHON) -m controltower.supervisor demo

demo-odoo: $(RUNTIME) ## the tower beside a real Odoo 19 with demo data and a light stream of business
	@exec $(PYTHON) -m controltower.supervisor demo-odoo

up: $(RUNTIME) ## the tower on its own database, ready to connect an Odoo
	@exec $(PYTHON) -m controltower.supervisor up

demo-reset: $(RUNTIME) ## begin anew: remove what CONTROLTOWER_HOME holds
	@$(PYTHON) -m controltower.reset

test: $(DEV) ## every test that needs no outside system
	$(PYTHON) -m pytest -m "not odoo and not browser" $(PARALLEL) $(PYTEST)

test-js: $(NODE) ## the scripts that hold logic: queue, unsent decisions, live pages
	PATH="$(CURDIR)/.venv/bin:$$PATH" node --test --test-timeout=60000 tests/js/*.test.js

test-odoo: $(DEV) ## the tests against the real Odoo named by ODOO_URL, or one started here, in the browser too
	@deploy/chromium.sh
	ODOO_COPIES=$(ODOO_COPIES) deploy/with_odoo.sh $(PYTHON) -m pytest -m odoo \
		-n $(if $(ODOO_URL),0,$(ODOO_COPIES)) --dist loadfile --no-loadscope-reorder $(PYTEST)

test-browser: $(DEV) ## the other tests that drive Chromium, installed here where it can be
	@deploy/chromium.sh
	$(PYTHON) -m pytest -m "browser and not odoo" $(PARALLEL) $(PYTEST)

walk: $(DEV) ## random acts of a business in a real Odoo, compared after each: SEED, ACTS, STOP_AT
	@mkdir -p $(CONTROLTOWER_HOME)
	WALK_SEED=$(or $(SEED),1) WALK_ACTS=$(or $(ACTS),500) WALK_STOP_AT=$(or $(STOP_AT),1) \
		WALK_REPORT=$(CONTROLTOWER_HOME)/walk.json deploy/with_odoo.sh $(PYTHON) -m pytest tests/walk -m odoo -s $(PYTEST)

walk-sandbox: $(DEV) ## random acts in the sandbox, for volume: SEED, ACTS, STOP_AT, EVERY
	@mkdir -p $(CONTROLTOWER_HOME)
	SANDBOX_WALK_SEED=$(or $(SEED),1) SANDBOX_WALK_ACTS=$(or $(ACTS),2000) WALK_STOP_AT=$(or $(STOP_AT),1) \
		WALK_CHECK_EVERY=$(or $(EVERY),4) WALK_REPORT=$(CONTROLTOWER_HOME)/walk-sandbox.json \
		$(PYTHON) -m pytest tests/walk/test_sandbox_walk.py -s $(PYTEST)

bench: $(DEV) ## the measurements of bench/, each beside its peer
	$(PYTHON) -m bench

lint: $(DEV) $(NODE) ## ruff, djangofmt for the templates, biome for scripts and style sheets, and NOTICE beside what is installed
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	.venv/bin/djangofmt check templates
	$(NODE_BIN)/biome lint --error-on-warnings
	$(PYTHON) deploy/notice.py --check

types: $(DEV) ## mypy, strict
	$(PYTHON) -m mypy .

contracts: $(DEV) ## which part may import which
	.venv/bin/lint-imports

check: $(DEV) ## Django's own checks, and that no migration is missing
	$(PYTHON) manage.py check
	$(PYTHON) manage.py makemigrations --check --dry-run

requirements: ## compile the lists of packages, with hashes, and renew package-lock.json
	for list in requirements requirements-dev requirements-node bench/peers/pm4py-requirements; do \
		uv pip compile --python-version 3.13 --generate-hashes --no-emit-index-url --custom-compile-command "make requirements" \
			--upgrade $$list.in -o $$list.txt || exit 1; \
	done
	npm update --save
	@echo "Install them, then bring NOTICE in line: $(PYTHON) deploy/notice.py"

vendor: ## fetch the front-end libraries into static/vendor
	python3 deploy/vendor_assets.py

messages: $(DEV) ## bring locale/ in line with what the interface says, and compile it
	$(PYTHON) -m controltower.messages

screenshots: $(DEV) ## the pictures of the README, taken in the demo
	@deploy/chromium.sh
	$(PYTHON) deploy/screenshots.py

docs: $(DEV) ## the documentation as a site, in site/; a link that leads nowhere is an error
	$(PYTHON) -m sphinx -q -W --keep-going docs site
	@echo "site/index.html"

settings-doc: $(DEV) ## write docs/settings.md from controltower/env.py
	$(PYTHON) -m controltower.settings_doc > docs/settings.md

reference-docs: $(DEV) ## write the documents that are made from declarations: docs/errors.md, docs/states.md
	DJANGO_SETTINGS_MODULE=controltower.settings $(PYTHON) -m controltower.reference_docs

clean: ## remove the virtual environment and all caches, not the data
	rm -rf .venv node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis site

$(RUNTIME): requirements.txt
	@deploy/venv.sh requirements.txt
	@touch $@

$(DEV): requirements-dev.txt requirements.txt | $(RUNTIME)
	@deploy/venv.sh requirements-dev.txt
	@touch $@

$(NODE): package-lock.json .npmrc requirements-node.txt deploy/node.sh | $(RUNTIME)
	@deploy/node.sh
	@touch $@
