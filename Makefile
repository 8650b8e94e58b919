# Everything here needs only Python >= 3.11 with pip and headers, g++ and make; the other tools come into .venv from PyPI.
.SHELLFLAGS := -o pipefail -c
SHELL := bash
PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
BIN := $(abspath $(VENV))/bin
export PATH := $(BIN):$(PATH)
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

SOURCES := pyproject.toml CMakeLists.txt README.md LICENSE $(shell find cpp python -type f -not -path '*/__pycache__/*')
CPP_FILES = $(shell find cpp python/bindings tests -name '*.hpp' -o -name '*.cpp' -o -name '*.h')
# Requirements that pyproject.toml lists under a key go through a pipe into pip.
REQUIREMENTS = $(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))$(1), sep='\n')"
PIP_INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check

.PHONY: demo test lint format sanitize consume bench clean install

demo: $(VENV)/installed
	$(BIN)/python -m svdkit demo

# The C++ tests are built into the folder the wheel was built in: the very same objects are tested.
test: $(VENV)/installed
	cmake -DSVDKIT_TESTS=ON build/wheel > build/wheel/configure.log
	cmake --build build/wheel --target svdkit_tests
	ctest --test-dir build/wheel --output-on-failure
	$(BIN)/python -m pytest -q

lint: $(VENV)/dev $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(CPP_FILES)
	$(BIN)/mypy

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP_FILES)

# The C++ core and its tests under the address and undefined-behaviour sanitizers, warnings as errors.
sanitize: $(VENV)/tools
	cmake -S . -B build/sanitize -G Ninja -DCMAKE_BUILD_TYPE=Debug \
	  -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1 -D_GLIBCXX_ASSERTIONS" \
	  -DSVDKIT_TESTS=ON -DSVDKIT_WERROR=ON -DSVDKIT_SANITIZE=address,undefined -DPython_EXECUTABLE=$(BIN)/python
	cmake --build build/sanitize
	ctest --test-dir build/sanitize --output-on-failure

# A C++ project that finds the installed library, also after the library was moved.
consume: $(VENV)/installed
	tests/consume/run.sh build/wheel

# Minutes to hours: CASES="small" is a quick look (bench/README.md).
CASES ?= headline
bench: $(VENV)/installed
	$(call REQUIREMENTS,['project']['optional-dependencies']['bench']) | $(PIP_INSTALL) -r /dev/stdin
	$(BIN)/python -m bench truncated --cases $(CASES) --out build/bench.json
	$(BIN)/python -m bench report build/bench.json --plot build/bench.png

install: $(VENV)/installed

clean:
	rm -rf build $(VENV)

# --- what the targets above stand on: an environment, the build tools, the package, the linters -----------------------
# Debian ships venv without ensurepip; there the pip outside puts a pip inside.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(VENV)/bin/python install -q pip; }

$(VENV)/tools: pyproject.toml | $(VENV)/bin/python
	$(call REQUIREMENTS,['build-system']['requires']) | $(PIP_INSTALL) -r /dev/stdin cmake ninja
	touch $@

# Built without isolation and in a fixed folder: after a change only what changed is compiled again.
$(VENV)/installed: $(SOURCES) | $(VENV)/tools
	$(PIP_INSTALL) --no-build-isolation --config-settings build-dir=build/wheel '.[test]'
	touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/bin/python
	$(call REQUIREMENTS,['project']['optional-dependencies']['dev']) | $(PIP_INSTALL) -r /dev/stdin
	touch $@
