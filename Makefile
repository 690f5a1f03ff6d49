# gan3. `make` lists what there is; the first target that needs it makes the environment.

PYTHON ?= python3
VENV ?= .venv
RUN ?=
ARGS ?=
NUMBER ?= 241256
PORT ?= 6006
SEED ?= 0

PY = "$(VENV)/bin/python"
GAN3 = $(PY) -m gan3
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev train resume tensorboard figures generate evaluate compare explore tour reproduce ablations bench \
  bench-torch test lint format coverage mutations clean

# The stamps lie in the environment and carry the lock's checksum and Python's version, so a changed
# lock is installed anew, a finished one is left alone, and an interrupted installation is taken up
# again. An environment of another Python than PYTHON (where that is said; otherwise its own is
# asked), or whose Python is gone, is made from nothing. (A file target would not do: make cannot
# name files with spaces, and VENV may have some.)
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
	@echo "make TARGET, with RUN= ARGS= NUMBER= PORT= SEED= PYTHON= VENV= as needed:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

setup: ## make the environment (the other targets do it when they need it)
	$(call install,requirements)

setup-dev: setup
	$(call install,requirements-dev)

train: setup ## train three_network, 100 x 200 x 10 images; ARGS="--experiment NAME …"
	@$(GAN3) train --seed $(SEED) $(if $(RUN),--run "$(RUN)") $(ARGS)

resume: setup ## go on with RUN (default: the newest) from its last checkpoint
	@$(GAN3) train --resume $(if $(RUN),--run "$(RUN)") $(ARGS)

tensorboard: setup ## show all runs at http://localhost:PORT
	@$(PY) -m tensorboard.main --logdir logs --host localhost --port $(PORT)

figures: setup ## draw all figures of RUN (default: the newest) again
	@$(GAN3) figures $(if $(RUN),"$(RUN)") $(ARGS)

generate: setup ## write NUMBER by RUN (newest; else the one that comes along)
	@$(GAN3) generate "$(NUMBER)" --seed $(SEED) $(if $(RUN),--run "$(RUN)") $(ARGS)

evaluate: setup ## the report card of RUN; ARGS=--cas adds the classifier of samples
	@$(GAN3) evaluate $(if $(RUN),"$(RUN)") $(ARGS)

compare: setup ## the cards of runs side by side: make compare ARGS="RUN1 RUN2"
	@$(GAN3) compare $(ARGS)

explore: setup ## a window to look about in a generator
	@$(GAN3) explore $(if $(RUN),"$(RUN)") $(ARGS)

tour: setup ## run the notebook experiments/tour.ipynb from top to bottom
	$(call install,requirements-tour)
	@"$(VENV)/bin/jupyter-execute" --inplace experiments/tour.ipynb

reproduce: setup ## every system at 200,000 images, one table and one sheet; resumable
	@$(GAN3) sweep experiments/sweeps/reproduce.toml $(ARGS)

ablations: setup ## what each choice of best is worth: 54 runs of 500 steps, resumable
	@$(GAN3) sweep experiments/sweeps/ablations.toml $(ARGS)

bench: setup ## the step beside its peers, its growth and its parts; ARGS="--only step"
	@$(PY) -m tests.bench $(ARGS)

bench-torch: setup ## the same with PyTorch and JAX, which it installs first
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@$(PY) -m tests.bench $(ARGS)

test: setup ## the unittest suite (GAN3_DATA=DIR for the tests on real MNIST)
	@$(PY) -m tests.parallel $(ARGS)

lint: setup-dev ## ruff, rules and format
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

format: setup-dev ## let ruff format the code
	@$(PY) -m ruff check --fix . ; $(PY) -m ruff format .

coverage: setup-dev ## which lines of the library the suite runs
	@$(PY) -m coverage erase && $(PY) -m coverage run -m unittest discover -s tests -t . && \
	  $(PY) -m coverage combine --quiet && $(PY) -m coverage report

mutations: setup ## break central lines one by one: which test notices
	@$(PY) -m tests.mutations

clean: ## remove the environment and caches (runs and figures stay)
	rm -rf "$(VENV)" .ruff_cache .coverage* && find . -name __pycache__ -type d -prune -exec rm -rf {} +
