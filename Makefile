# `make` lists the targets. Everything runs from .venv, which the first target builds.

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-ci test-bench lint cover mutation soak-recorder drill drill-exits crash bench-execution bench-backtest bench-features bench-memory bench-risk results calibration docs lock clean

VENV  := .venv
BIN   := $(VENV)/bin
PIP   := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Two stamps: a new lock builds anew, a change of pyproject.toml only installs the project again.
LOCKED := $(VENV)/.locked
STAMP := $(VENV)/.built

# The first Python of a fitting version that can build environments; `make PYTHON=...` overrides.
FITS   := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c "$(FITS)" 2>/dev/null && { echo "$$python"; break; }; done)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1  \2/p' $(MAKEFILE_LIST)

venv: $(STAMP) ## build .venv from requirements.lock, with hashes, and compile kernels

$(LOCKED): requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with its venv module is needed, and none" \
		"was found; install one (Debian: apt-get install python3-venv), or name it:" \
		"make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "building $(VENV) with $(PYTHON); this takes a minute or two"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@touch $@

$(STAMP): $(LOCKED) pyproject.toml
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(BIN)/hydra dev warmup
	@touch $@

demo: $(STAMP) ## watch the chase work, on an embedded exchange (DEMO_SECONDS limits it)
	$(BIN)/hydra demo

test: $(STAMP) ## all tests but the long ones
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not ci and not bench"

test-ci: $(STAMP) ## the long tests, and those on recorded data in HYDRA_TEST_DATA
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "ci and not bench"

test-bench: $(STAMP) ## quick runs of the benchmarks, whose figures are no evidence
	$(BIN)/python -m pytest -m bench

lint: $(STAMP) ## ruff, formatting, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

cover: $(STAMP) ## line and branch coverage of the quick tests
	$(BIN)/python -m pytest -n 2 -m "not ci and not bench and not e2e" --cov --cov-report=term-missing:skip-covered

mutation: $(STAMP) ## mutants of gates, pipeline, bias and regime against their tests (10 minutes)
	rm -rf mutants
	$(BIN)/mutmut run --max-children $(or $(MUTATION_CHILDREN),1)
	$(BIN)/mutmut results

soak-recorder: $(STAMP) ## a recorder under load and faults, every trade accounted for (SOAK_SECONDS, 600)
	cd tests && ../$(BIN)/python -m feeds.soak --seconds $(or $(SOAK_SECONDS),600)

drill: $(STAMP) ## 1,000 orders under fire: faults, kills, restarts (some 40 minutes; DRILL overrides)
	$(BIN)/hydra dev drill $(or $(DRILL),--orders 1000 --faults 0.2 --seed 1)

drill-exits: $(STAMP) ## the same with a risk policy that leaves: stops on the exchange, partial exits
	$(BIN)/hydra dev drill $(or $(DRILL),--orders 300 --faults 0.2 --seed 1 --exits --stops)

crash: $(STAMP) ## all prices fall by a fifth over 20 positions, in ten variants (half an hour)
	$(BIN)/hydra dev crash $(CRASH)

bench-execution: $(STAMP) ## what each way to execute costs, into docs/execution-benchmark.md
	$(BIN)/python -m benchmarks.execution --out docs/execution-benchmark.md

calibration: $(STAMP) ## where the thresholds stand on recorded data, into docs/calibration.md
	$(BIN)/python -m benchmarks.recorded.calibration --out docs/calibration.md

results: $(STAMP) ## HydraFlow on recorded data through freqtrade, into docs/results.md
	$(BIN)/python -m benchmarks.recorded.results --out docs/results.md

bench-risk: $(STAMP) ## what a size and a stop cost, beside what is asked of them
	$(BIN)/python -m benchmarks.risk

bench-backtest: $(STAMP) ## what Hydra adds to freqtrade's own work, into docs/backtest-benchmark.md
	$(BIN)/python -m benchmarks.backtest --out docs/backtest-benchmark.md

bench-features: $(STAMP) ## what order flow and profiles cost, into docs/features-benchmark.md
	$(BIN)/python -m benchmarks.features --out docs/features-benchmark.md

bench-memory: $(STAMP) ## what Hydra adds to a bot's memory, into docs/memory-benchmark.md
	$(BIN)/python -m benchmarks.memory --out docs/memory-benchmark.md

docs: $(STAMP) ## render settings, features, signals, decisions, risk and chase in docs
	$(BIN)/python -c "from hydra_ft.settings import reference_page; print(reference_page(), end='')" \
		> docs/settings.md.new && mv docs/settings.md.new docs/settings.md
	$(BIN)/python -c "import hydra_ft.features; from hydra_ft.features.documentation import render; \
		from hydra_ft.features.registry import FEATURES; print(render(FEATURES), end='')" \
		> docs/features.md.new && mv docs/features.md.new docs/features.md
	$(BIN)/python -m hydra_ft.signals.documentation \
		> docs/signals.md.new && mv docs/signals.md.new docs/signals.md
	$(BIN)/python -m hydra_ft.decisions.documentation \
		> docs/decisions.md.new && mv docs/decisions.md.new docs/decisions.md
	$(BIN)/python -m hydra_ft.risk.documentation \
		> docs/risk.md.new && mv docs/risk.md.new docs/risk.md
	$(BIN)/python -m hydra_ft.execution.documentation \
		> docs/chase.md.new && mv docs/chase.md.new docs/chase.md

lock: ## resolve requirements.lock anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --extra dev pyproject.toml -o requirements.lock

clean: ## remove what was built
	rm -rf $(VENV) build dist htmlcov mutants .coverage* .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache .demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
