# `make` alone lists the targets. All paths are relative and quoted: the checkout may lie in a path with a space.
PYTHON ?= python3
# Without SETTINGS, the command reads PLATFORM_SETTINGS.
settings = $(if $(SETTINGS),--settings "$(SETTINGS)")
# Not ?=: the PORT of an environment is mostly another program's.
PORT = 3000
DRILLS ?= tests/drills
python := .venv/bin/python
lock := $(python) -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --custom-compile-command "make lock" $(FLAGS)

# The first import of a library compiles it, once: 7 s in all, where compiling everything at installation takes 20.
unexport PYTHONDONTWRITEBYTECODE

# uv trusts what the machine trusts, as pip does: a proxy of one's own may sign what the index sends.
export UV_SYSTEM_CERTS = 1

.PHONY: help setup run ui test sweep simulate bench check chart deploy drills lock clean
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

setup: .venv/.made ## make .venv with everything that the other targets need

# exec: a signal reaches the program, and not a shell that would end without passing it on.
run: .venv/.made ## fill the database if it is empty, materialize all assets, print the metrics (SETTINGS=file)
	@exec .venv/bin/credit-platform run $(settings)

ui: .venv/.made ## the Dagster UI and its daemon on the same storage (SETTINGS=file, PORT=3000)
	@exec .venv/bin/credit-platform ui $(settings) --port "$(PORT)"

# Two workers, each with a PostgreSQL server of its own, and a file's tests in one of them: a fifth to a quarter less time.
# By default, files with the fewest tests come last, and one of them may be the longest: the other worker would be idle.
test: .venv/.made ## all tests that need nothing but this machine
	@exec $(python) -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/assets tests/unit

sweep: .venv/.made ## kill workers and break calls at seeded points, and check what is left (CASES=200)
	@SWEEP_CASES=$(or $(CASES),200) $(python) -m pytest -q -n 2 tests/assets/sweep

simulate: .venv/.made ## live through simulated histories of recovery, and print what breaks (HISTORIES=10000, SEED=1, GUARDS=all)
	@$(python) -m simulation --histories $(or $(HISTORIES),10000) --seed $(or $(SEED),1) $(and $(GUARDS),--guards $(GUARDS))

bench: .venv/.made ## the benchmarks, as a table
	@$(python) -m bench --with-tests

check: .venv/.made ## format, lint, types, import layers
	@$(python) -m ruff format --check
	@$(python) -m ruff check
	@$(python) -m basedpyright
	@.venv/bin/lint-imports

chart: .venv/.made ## tests of the Helm chart (needs helm)
	@command -v helm >/dev/null || { echo "error: make chart renders the chart with helm 3.14 or newer, and found no helm in PATH." \
		"How to install it: https://helm.sh/docs/intro/install" >&2; exit 1; }
	@$(python) -m pytest tests/chart

deploy: .venv/.made ## build, load, install and materialize once, on the cluster of KUBECONFIG (LOAD="kind load docker-image")
	@helm/deploy

# A lost node takes minutes to come back: pytest's two would print the stack of a drill that does not hang.
drills: .venv/.made ## lose nodes of the cluster of KUBECONFIG under a release that `make deploy` made, and measure (DRILLS=files)
	@$(python) -m pytest -o faulthandler_timeout=900 $(strip $(DRILLS))

lock: .venv/.made ## pin what pyproject.toml asks for (FLAGS=--upgrade to take newer versions)
	$(lock) pyproject.toml --extra local --group dev -o requirements/dev.txt
	$(lock) pyproject.toml -c requirements/dev.txt --excludes requirements/never_loaded.txt -o requirements/runtime.txt
	echo uv | $(lock) - -c requirements/dev.txt -o requirements/uv.txt

clean: ## remove the environment and caches, not what runs left in local/
	rm -rf .venv dist .import_linter_cache .pytest_cache .ruff_cache
	find bench credit_assets resources sensors simulation studies tests -name __pycache__ -prune -exec rm -rf {} +

# uv installs in 10 s what takes pip 80, but reads none of pip's settings (index, proxy, certificates): where it fails,
# pip takes over. --no-deps: the lock is complete, and pip reads the extras in it as names without a pin.
.venv/.made: pyproject.toml requirements/dev.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Python 3.11 or newer is needed, \
	$(PYTHON) is %d.%d: make PYTHON=python3.13" % v[:2])'
	@echo "making .venv from requirements/dev.txt"
	@$(PYTHON) -m venv .venv
	@$(python) -m pip --quiet install --no-deps --require-hashes -r requirements/uv.txt && \
		$(python) -m uv --quiet pip install --python .venv --no-deps --require-hashes -r requirements/dev.txt || \
		{ echo "uv could not install: pip will, in a minute or two"; \
		$(python) -m pip --quiet install --no-deps --require-hashes -r requirements/dev.txt; }
	@$(python) -m pip --quiet install --no-deps --no-build-isolation --editable .
	@touch $@
