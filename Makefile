# make run: install and run the bundled quickstart. make test: install with test tools and run all tests.
# make test-local: the tests on a real model, the local one of the extra local (minutes; the first time it is compiled).
# make test-train: the tests of the DPO recipe, with the extra train (torch, which may be several GB).
# make bench [ONLY=name]: measure, and write bench/results.json and bench/RESULTS.md.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= runs/quickstart
# The endpoint and the bare client to measure against: a folder that has them, else the repository's own.
YARDSTICK ?= $(if $(wildcard ../shared/bench/mock_llm.py),../shared/bench)

# Where make install-local keeps the wheel of llama-cpp-python, which takes minutes to compile; and which one it is.
WHEELS ?= $(HOME)/.cache/prose-data/wheels
LLAMA := $(shell sed -n 's/^llama_cpp_python==//p' constraints.txt)

export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

.PHONY: run install install-dev install-local install-train test test-fast test-local test-train format lint types check bench clean

run: install
	$(BIN)/prose-data run --out $(OUT)

install: .venv/.installed
install-dev: .venv/.installed-dev
install-local: .venv/.installed-local
install-train: .venv/.installed-train

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# Compiled for any x86-64 processor with AVX2, not for this very one: a wheel that is kept may meet another, and
# instructions that a virtual machine announces (AMX) may crash there. Not from pip's cache, which may hold such a build.
.venv/.installed-local: export CMAKE_ARGS := -DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF
.venv/.installed-local: .venv/.installed-dev
	ls $(WHEELS)/llama_cpp_python-$(LLAMA)-*$(shell uname -m).whl || \
	  $(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-cache-dir -w $(WHEELS) llama-cpp-python==$(LLAMA)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --find-links $(WHEELS) -e '.[dev,local]'
	touch $@

.venv/.installed-train: .venv/.installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,train]'
	touch $@

test: install-dev
	$(BIN)/python -m pytest -n 2

test-fast: install-dev
	$(BIN)/python -m pytest -n 2 -m "not slow and not local and not train"

test-train: install-train
	$(BIN)/python -m pytest -m train tests/test_train_dpo.py

test-local: install-local
	$(BIN)/python -m pytest -m local -s tests/test_local.py tests/test_local_echo.py

format: install-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install-dev
	$(BIN)/mypy

check: lint types test

bench: install-dev
	$(BIN)/python -m bench --only '$(ONLY)' --yardstick '$(YARDSTICK)'

clean:
	rm -rf .venv runs
