# The words that people and CI use. Each does its own set-up; none needs another first, or root, a GPU or an account.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check-reliability check format docs train-all weights clean help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

demo: $(VENV)/.core  ## make the environment, and one picture with the built-in flow model, offline
	$(BIN)/triptych generate "a fox in the snow" --seed 1 --out out/demo.png

test: $(VENV)/.dev  ## every test, under 15 minutes on two cores
	$(BIN)/python -m pytest

check-reliability: $(VENV)/.dev  ## kills, full disks, double starts, made-up requests: the whole programme, with counts
	TRIPTYCH_RELIABILITY=full $(BIN)/python -m pytest tests/reliability tests/open_weights/test_mutations.py --timeout 3600

check: $(VENV)/.dev  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## let ruff lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.core  ## write the generated pages: docs/cli.md, docs/options.md, the words in docs/guide/prompts.md
	$(BIN)/python docs/generate.py

train-all: $(VENV)/.dev  ## every stage of the cpu preset from scratch (hours; needs the emoji font)
	for stage in autoencoder tokenizer text planner flow tokens diffusion readers upscaler \
			flow-control diffusion-control flow-reference tokens-reference editor; do \
		$(BIN)/triptych train $$stage --preset cpu --resume || exit 1; done

weights: $(VENV)/.core  ## put the models of runs/cpu into the package (what has been trained of them)
	$(BIN)/python bench/ship.py runs/cpu

clean:  ## remove the environment and caches; runs/ stays
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache out

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) -e ".[dev]"
	@touch $@
