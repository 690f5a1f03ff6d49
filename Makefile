# gan3. `make` lists the targets. Each target creates the environment that it needs on first use.

PYTHON ?= python3
VENV ?= .venv
RUN ?=
ARGS ?=
NUMBER ?= 241256
PORT ?= 6006
SEED ?= 0
MODULE ?=

PY = "$(VENV)/bin/python"
GAN3 = $(PY) -m gan3
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev train resume tensorboard figures generate evaluate compare page tour reproduce ablations bench \
  bench-torch test test-all lint format coverage mutations versions clean

# $(call install,NAME) installs NAME.lock into the environment. A stamp in the environment holds the
# checksum of the lock and the version of Python. If both still match, nothing is done; a changed
# lock and an interrupted installation are installed again. The environment is made from scratch if
# its Python is gone, or if PYTHON was given and has another version. (File targets would not work:
# make cannot handle file names with spaces, and VENV may contain some.)
VERSION = import sys; print("%d.%d" % sys.version_info[:2])
define install
	@python() { if [ "$(origin PYTHON)" = file ] && [ -x $(PY) ]; then $(PY) "$$@"; else "$(PYTHON)" "$$@"; fi; }; \
	version=$$(python -c '$(VERSION)'); stamp="$$(cksum < $(1).lock) $$version"; \
	if [ ! -x $(PY) ] || [ "$$(cat "$(VENV)/$(1).installed" 2>/dev/null)" != "$$stamp" ]; then \
	  python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	    { echo "gan3 needs Python 3.11 to 3.13: make PYTHON=python3.12 …" >&2; exit 2; }; \
	  echo "installing $(1).lock into $(VENV) (once)"; \
	  clear=--clear; [ "$$($(PY) -c '$(VERSION)' 2>/dev/null)" = "$$version" ] && clear=; \
	  python -m venv $$clear "$(VENV)" && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1).lock && \
	  echo "$$stamp" > "$(VENV)/$(1).installed"; fi
endef

help: ## list the targets
	@echo "make TARGET [RUN=newest] [NUMBER=digits] [SEED=0] [PORT=6006] [ARGS='--option']"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

setup: ## create the environment (other targets do this when needed)
	$(call install,requirements)

setup-dev: setup
	$(call install,requirements-dev)

train: setup ## train for 10 episodes of 200 batches; ARGS="--experiment NAME"
	@$(GAN3) train --seed $(SEED) $(if $(RUN),--run "$(RUN)") $(ARGS)

resume: setup ## continue RUN from its last checkpoint
	@$(GAN3) train --resume $(if $(RUN),--run "$(RUN)") $(ARGS)

# import_tensorflow keeps TensorFlow's start-up messages to itself; TensorBoard prints its address.
QUIET_BOARD = from gan3.core.startup import import_tensorflow; import_tensorflow(); \
  from tensorboard.main import run_main; run_main()
tensorboard: setup ## show all runs in TensorBoard at http://localhost:PORT
	@$(PY) -W ignore -c '$(QUIET_BOARD)' --load_fast=false --logdir logs --host localhost --port $(PORT)

figures: setup ## draw all figures of RUN again
	@$(GAN3) figures $(if $(RUN),--run "$(RUN)") $(ARGS)

generate: setup ## draw NUMBER with RUN, or with the bundled generator
	@$(GAN3) generate "$(NUMBER)" --seed $(SEED) $(if $(RUN),--run "$(RUN)") $(ARGS)

evaluate: setup ## compute the report card of RUN; ARGS=--cas adds the CAS
	@$(GAN3) evaluate $(if $(RUN),--run "$(RUN)") $(ARGS)

compare: setup ## compare report cards: make compare ARGS="RUN1 RUN2"
	@$(GAN3) compare $(ARGS)

page: setup ## write a web page to draw with RUN, or with the bundled generator
	@$(GAN3) export-page $(if $(RUN),--run "$(RUN)") $(ARGS)

tour: setup ## execute the notebook experiments/tour.ipynb
	$(call install,requirements-tour)
	@"$(VENV)/bin/jupyter-execute" --inplace experiments/tour.ipynb

reproduce: setup ## train and evaluate all experiments; can be resumed
	@$(GAN3) sweep experiments/sweeps/reproduce.toml $(ARGS)

ablations: setup ## run the ablations of best; can be resumed
	@$(GAN3) sweep experiments/sweeps/ablations.toml $(ARGS)

bench: setup ## measure the training step; ARGS="--only step" for less
	@$(PY) -m bench $(ARGS)

bench-torch: setup ## the same with PyTorch and JAX (installs both)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@$(PY) -m bench $(ARGS)

test: setup ## run the quick tests; GAN3_DATA=folder adds those on real MNIST
	$(call install,requirements-test)
	@$(PY) -m pytest -n auto $(ARGS)

# The baselines are compared with PyTorch modules where its CPU build can be had (190 MB; the builds
# for GPUs take gigabytes). An index that has it can be named to pip, by PIP_EXTRA_INDEX_URL.
TORCH = $(shell sed -n 's/^torch==.*/&+cpu/p' requirements-bench.txt)

test-all: setup-dev ## run all tests, the slow ones and those of Ray included
	$(call install,requirements-test)
	$(call install,requirements-ray)
	@$(PY) -c 'import torch' 2>/dev/null || \
	  $(PY) -m pip install --quiet --disable-pip-version-check --only-binary :all: "$(TORCH)" 2>/dev/null || \
	  echo "$(TORCH) cannot be had here: the tests against PyTorch are skipped"
	@GAN3_ALL=1 $(PY) -m pytest -n auto -rs $(ARGS)

LINT_IMPORTS = from importlinter.cli import lint_imports_command; lint_imports_command()

lint: setup-dev ## check the code with ruff, and the direction of imports
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && \
	  $(PY) -c '$(LINT_IMPORTS)' --no-logo --no-cache

format: setup-dev # format the code with ruff
	@$(PY) -m ruff check --fix . ; $(PY) -m ruff format .

coverage: setup-dev ## measure which lines the tests run
	@$(PY) -m coverage erase && $(PY) -m coverage run -m unittest discover -s tests -t . && \
	  $(PY) -m coverage combine --quiet && $(PY) -m coverage report

mutations: setup ## check that tests notice broken lines; MODULE=file: all mutants
	@$(PY) -m tests.mutations $(MODULE) $(ARGS)

versions: ## test the oldest and the newest versions of the requirements
	@PYTHON="$(PYTHON)" tests/versions.sh

clean: ## remove the environment and caches; runs and figures stay
	rm -rf "$(VENV)" .ruff_cache .pytest_cache .coverage* && find . -name __pycache__ -type d -prune -exec rm -rf {} +
