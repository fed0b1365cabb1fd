# Every target installs what it needs and this machine lacks; see scripts/bootstrap.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
VENV := .venv/bin
# Behind what the system has: where scripts/bootstrap puts a Redis that goes by another name there,
# and where one from the extra `embedded` is.
export PATH := $(PATH):$(CURDIR)/.venv/system:$(CURDIR)/$(VENV)

# Tests start hundreds of Pythons, which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON_FILES := caur_ci scheduler tests benchmarks documentation release
# More than there are cores: many tests wait for a service.
TEST_PROCESSES = $(shell expr $$(nproc) + 2)
SHELL_SCRIPTS := deploy/make-secrets scripts/bootstrap scripts/stand-in-image scripts/try-containers .ci/run \
	$(wildcard scheduler/worker/guest/*.sh) containers/install-packages containers/healthy \
	containers/manager/entrypoint containers/manager/install-caur-ci \
	$(filter-out %/Containerfile,$(wildcard containers/builder/*))

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz chaos lint format docs reference release-check bench clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run the whole journey here: commit to install. KEEP=1, EXECUTOR=host|container, DEMO_ARGS=…
ifeq ($(EXECUTOR),container)
	@scripts/bootstrap container
	@settings=$$(scripts/try-containers) && \
		env $$settings $(VENV)/caur-ci demo --executor container $(if $(KEEP),--serve) $(DEMO_ARGS)
else
	@scripts/bootstrap demo
	@$(VENV)/caur-ci demo $(if $(EXECUTOR),--executor $(EXECUTOR)) $(if $(KEEP),--serve) $(DEMO_ARGS)
endif

test: ## Run all tests, in random order. PYTEST_ARGS=… for a part, e.g. '-k queue'.
	@scripts/bootstrap test
	@$(VENV)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal $(PYTEST_ARGS)

fuzz: ## Give the judge of changes what no sane person writes. FUZZ_EXAMPLES=… of each kind.
	@scripts/bootstrap test
	@CAUR_FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),20000) $(VENV)/python -m pytest -n auto --timeout 0 \
		tests/caur_ci/judge/test_fuzz.py

chaos: ## Kill, cut and restart the queue and all who use it. CHAOS_ARGS=…, e.g. --seed 7.
	@scripts/bootstrap test
	@$(VENV)/python -m tests.chaos --jobs 1000 --workers 8 $(CHAOS_ARGS)

lint: ## Check form, types and the order of the floors.
	@scripts/bootstrap lint
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy $(PYTHON_FILES)
	$(VENV)/lint-imports
	@if command -v shellcheck >/dev/null; then \
		echo shellcheck $(SHELL_SCRIPTS); shellcheck -x -a $(SHELL_SCRIPTS); \
	else \
		echo 'shellcheck is not installed: the shell scripts were not checked'; \
	fi
	@if command -v shfmt >/dev/null; then \
		echo shfmt -d scripts .ci containers deploy/make-secrets scheduler/worker/guest; \
		shfmt -d scripts .ci containers deploy/make-secrets scheduler/worker/guest; \
	fi

format: ## Bring the Python files into form.
	@scripts/bootstrap lint
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

docs: reference ## Make the site out of docs/, into build/site. A warning is an error.
	@NO_MKDOCS_2_WARNING=1 $(VENV)/mkdocs build --strict
	@echo build/site/index.html

reference: ## Write the pages and man pages that are made of the code.
	@scripts/bootstrap lint
	@$(VENV)/python -m documentation

release-check: ## Build what is released from the last commit into dist/, and prove that it is sound.
	@scripts/bootstrap test
	@$(VENV)/python -m pip install --quiet --group release
	@$(VENV)/python -m release

bench: ## Measure. BENCH_ARGS=… for options.
	@scripts/bootstrap demo
	@$(VENV)/python -m benchmarks $(BENCH_ARGS)

clean: ## Remove everything that was made here, the virtual environment too.
	rm -rf .venv build dist demo-output benchmarks/.cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
