# GNU Make 3.81 or newer. Longer logic is in tools/*.sh; run `make help`.

VENV ?= .venv
# Empty: the first suitable Python that tools/find-python.sh meets.
PYTHON ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=

VENV_DIR := $(abspath $(VENV))
PY := $(VENV_DIR)/bin/python
# Stamps: newer than what they were made from means up to date.
BASE := $(VENV_DIR)/.base
DEV := $(VENV_DIR)/.dev
INSTALLED := $(VENV_DIR)/.installed

# Folders are listed too, for a deleted file changes only its folder's time.
SOURCES := $(shell find src python -name __pycache__ -prune -o -print 2>/dev/null) \
    $(wildcard Cargo.toml Cargo.lock pyproject.toml README.md)

.DEFAULT_GOAL := help
# The targets share a virtual environment and cargo's lock: in parallel they
# would only wait for each other and mix their output.
.NOTPARALLEL:
.PHONY: help demo test test-rust test-python lint lint-source lint-installed
.PHONY: bench bench-peers instructions instructions-update wheel gen clean rust

help:
	@echo 'make demo    build and install the package, train on handwritten digits'
	@echo 'make test    the tests of both languages        PYTEST_ARGS="-k name"'
	@echo 'make lint    formats, lints, types, generated files'
	@echo 'make bench   times beside other libraries      BENCH_ARGS="--only chain --quick"'
	@echo '             after make bench-peers, which installs them (6 GB), more than NumPy'
	@echo 'make instructions         count the instructions of the hot paths, and compare'
	@echo 'make instructions-update  write the expected counts anew'
	@echo 'make wheel   the wheel, in dist/'
	@echo 'make gen     write the generated stubs and reference pages again'
	@echo 'make clean   remove all that was built'
	@echo
	@echo 'Needs Python >= 3.10 with venv, and Rust. Everything else goes into $(VENV).'
	@echo 'VENV=dir makes the virtual environment elsewhere, PYTHON=path chooses the Python.'

demo: $(INSTALLED)
	@$(PY) examples/digits/main.py

test: test-rust test-python

# The examples are built here for the Python tests, which run them.
test-rust: rust
	@echo '-- Rust: unit tests, integration tests, examples'
	@cargo build --quiet --examples
	@if cargo nextest --version >/dev/null 2>&1; \
	then cargo nextest run; else cargo test --lib --tests; fi
	@echo '-- Rust: the examples in the docs'
	@cargo test --doc

test-python: $(INSTALLED) $(DEV)
	@echo '-- Python tests'
	@$(PY) -m pytest $(PYTEST_ARGS)

lint: lint-source lint-installed

lint-source: $(DEV)
	@tools/lint.sh source $(PY)

lint-installed: $(INSTALLED) $(DEV)
	@tools/lint.sh installed $(PY)

bench: $(INSTALLED)
	@$(PY) benches/python/run.py --wheel $(VENV_DIR)/wheel/*.whl $(BENCH_ARGS)

bench-peers: $(INSTALLED)
	@echo '-- installing autograd, JAX and PyTorch into $(VENV)'
	@tools/pip-install.sh $(PY) peers

instructions: $(INSTALLED)
	@echo '-- counting instructions'
	@$(PY) benches/python/instructions/gate.py

instructions-update: $(INSTALLED)
	@$(PY) benches/python/instructions/gate.py --update

wheel: $(INSTALLED)
	@mkdir -p dist && cp $(VENV_DIR)/wheel/*.whl dist/
	@for wheel in $(VENV_DIR)/wheel/*.whl; do \
	    name=dist/$${wheel##*/}; \
	    echo "$$name: $$(($$(wc -c < $$name) / 1024)) KiB"; \
	done

gen: $(INSTALLED)
	@echo '-- writing generated files'
	@$(PY) tools/gen.py
	@$(PY) tools/results.py

# A shared target folder holds other projects' work: only ours goes from there.
clean:
	@echo '-- removing $(VENV), dist, caches, build results'
	@if [ -f $(VENV_DIR)/pyvenv.cfg ]; then rm -rf $(VENV_DIR); fi
	@rm -rf dist .mypy_cache .pytest_cache .ruff_cache
	@if [ -n "$$CARGO_TARGET_DIR" ]; \
	then cargo clean --quiet -p wengert; else cargo clean --quiet; fi

rust:
	@tools/check-rust.sh

# Rust is checked first: without it the rest is a long way to the same error.
$(PY): | rust
	@python=$$(PYTHON='$(PYTHON)' tools/find-python.sh) && \
	echo "-- making $(VENV) with $$python" && \
	"$$python" -m venv --clear $(VENV_DIR)

$(BASE): pyproject.toml tools/requirements.py | $(PY)
	@echo '-- installing NumPy, maturin and matplotlib into $(VENV)'
	@tools/pip-install.sh $(PY) build run plot
	@touch $@

$(DEV): pyproject.toml tools/requirements.py | $(PY)
	@echo '-- installing the tools for tests and lints into $(VENV)'
	@tools/pip-install.sh $(PY) run plot dev
	@touch $@

$(INSTALLED): $(SOURCES) tools/install.sh $(BASE)
	@echo '-- building the wheel (a first build takes minutes)'
	@tools/install.sh $(VENV_DIR)
	@touch $@
