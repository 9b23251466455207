# make demo   install and open the page        make test   install and run all tests
# make unit   the fast tests only              make lint   check style and types; make format mends style
# make docs   the documentation as a site, in site/ (`make demo` then serves it below /docs)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes of one thread each, a module of tests at a time: on two cores faster than one process of two threads. Of slow tests
# there is always one that waits, for a browser or a time that must pass, so two more have something to compute; the others wait
# for a page or a Hub on this machine: one more will do. What is compiled is kept, wherever that is switched off: they start
# Python a hundred times.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest --dist loadscope

.PHONY: demo test unit lint docs format clean

demo: $(VENV)/.demo
	$(BIN)/python app.py

test: $(VENV)/.dev
	$(PYTEST) -n 3 --ignore tests/browser -m "not slow" --cov=zoo --cov=space
	$(PYTEST) -n 4 -m slow

unit: $(VENV)/.dev
	$(PYTEST) -n 2 --ignore tests/browser -m "not slow and not served"

lint: $(VENV)/.dev
	rm -f space/*.pyi space/train/*.pyi  # that gradio has written beside its components, and mypy would read instead of them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) site .coverage .mypy_cache .pytest_cache .ruff_cache .gradio

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: requirements.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/.demo
