# `make` lists what there is to do. The two that matter to a newcomer: `make demo` and `make test`.

PYTHON_ENV := .venv/bin/python
MANAGE := $(PYTHON_ENV) manage.py
UP_ARGUMENTS ?=
TEST_ARGUMENTS ?=

# Without settings of the caller's own, demo and run are a demonstration: a known key, sign-ins shown on the page.
ifeq ($(DATABASE_URL)$(ASSENT_SECRET_KEY),)
demo run: export ASSENT_DEMO ?= 1
endif

.DEFAULT_GOAL := help
# One step after the other, also under `make -j`: they build on each other.
.NOTPARALLEL:
.PHONY: help demo run test check setup setup-test lock meant ready

help: ## this list
	@echo "Assent: approval workflow and governance record for university micro-credentials"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: meant ready ## set everything up, load the demonstration institution, start; may be run again at any time
	@$(MANAGE) demo
	@exec $(MANAGE) up $(UP_ARGUMENTS)

# Nobody's real database is filled by mistake.
meant:
	@if [ -z "$$ASSENT_DEMO" ]; then \
		echo "DATABASE_URL or ASSENT_SECRET_KEY is set, so this looks like a real installation." >&2; \
		echo "If the demonstration is meant to go there, say so: ASSENT_DEMO=1 make demo" >&2; exit 1; fi

run: ready ## start web and worker on the database that is there
	@exec $(MANAGE) up $(UP_ARGUMENTS)

test: setup-test ## install what tests need and run them all, on SQLite and then on PostgreSQL if it can be reached
	@.ci/test $(TEST_ARGUMENTS)

check: setup-test ## lint, format, types, import contracts, migrations, Django's own checks
	$(PYTHON_ENV) -m ruff check .
	$(PYTHON_ENV) -m ruff format --check .
	$(PYTHON_ENV) -m mypy
	.venv/bin/lint-imports --no-logo
	@mkdir -p "$${ASSENT_VAR:-var}"
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) check

setup: ## the environment only: system packages, .venv from requirements.lock
	@.ci/system-packages run
	@.ci/environment requirements.lock

setup-test:
	@.ci/system-packages test
	@.ci/environment requirements-test.lock
	@.ci/chromium >/dev/null || $(PYTHON_ENV) -m playwright install --with-deps chromium

# The database's tables and the static files, as this version of the code wants them.
ready: setup
	@mkdir -p "$${ASSENT_VAR:-var}"
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) collectstatic --no-input --verbosity 0

lock: setup-test ## resolve the dependencies in pyproject.toml anew and write both lock files
	@$(PYTHON_ENV) -m pip install --quiet uv
	@$(PYTHON_ENV) -m uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --output-file requirements.lock
	@$(PYTHON_ENV) -m uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --group test --constraint requirements.lock --output-file requirements-test.lock
	@echo "Wrote requirements.lock and requirements-test.lock."
