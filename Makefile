# Everything a fresh clone needs is set up by the target that needs it, and kept in .venv.
# Variables: PYTHON=python3.12  CXX=clang++  JOBS=4  TORCH=1 (with PyTorch)  VENV=.venv

VENV ?= .venv
JOBS ?= 2
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet -c constraints/tools.txt
REQUIREMENTS = $(PY) scripts/requirements.py

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
# One BLAS thread in each of the test workers.
PYTEST = OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n $(JOBS)

# A stamp is touched when its step is complete, so an interrupted step is done again.
STAMP := $(VENV)/.deltaprop
NATIVE_SOURCES := CMakeLists.txt $(shell find native -type f)

.PHONY: help demo test slow check torch clean FORCE
.DELETE_ON_ERROR:

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-14s%s\n", $$1, $$2}'

demo: $(STAMP)-package ## set up, then show what deltaprop does
	@$(PY) examples/demo.py

test: $(STAMP)-test $(if $(TORCH),$(STAMP)-torch) ## set up, then run the tests (TORCH=1: the PyTorch ones too)
	$(PYTEST) -m "not slow" $(ARGS)

slow: $(STAMP)-test ## run the slow tests
	$(PYTEST) -m slow $(ARGS)

check: $(STAMP)-check ## run every static check: style, types, imports, docstrings, docs, C++ warnings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	PYTHONPATH=src $(VENV)/bin/lint-imports --no-logo
	$(PY) scripts/check_docstrings.py
	$(PY) scripts/check_readme.py
	for script in .ci/run $$(find scripts examples -name '*.sh'); do sh -n "$$script" || exit 1; done
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet --site-dir build/site
	$(PY) -m pip wheel . --quiet --no-deps --no-build-isolation --wheel-dir build/werror-wheel \
	  --config-settings build-dir=build/werror --config-settings cmake.define.DELTAPROP_WERROR=ON

torch: $(STAMP)-torch ## install PyTorch into the environment

clean: ## remove what was built; the environment stays
	rm -rf build dist site demo-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -f $(STAMP)-package

$(STAMP)-venv: scripts/setup.sh
	@sh scripts/setup.sh $(VENV)
	@touch $@

$(STAMP)-runtime: $(STAMP)-venv pyproject.toml scripts/requirements.py
	@echo "Installing what deltaprop needs"
	@$(PIP) $$($(REQUIREMENTS) build) $$($(REQUIREMENTS) runtime)
	@backend=$$($(REQUIREMENTS) backend) && { [ -z "$$backend" ] || $(PIP) $$backend; }
	@touch $@

# An edit to a Python file needs nothing; a file more or less does, the install remembers them.
$(STAMP)-files: FORCE | $(STAMP)-venv
	@find src -name '*.py' -o -name '*.pyi' | LC_ALL=C sort > $@.new
	@if cmp -s $@ $@.new; then rm $@.new; else mv $@.new $@; fi

$(STAMP)-package: $(STAMP)-runtime $(STAMP)-files $(NATIVE_SOURCES)
	@echo "Building deltaprop"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMP)-test: pyproject.toml constraints/tools.txt | $(STAMP)-package
	@echo "Installing what the tests need"
	@$(PIP) $$($(REQUIREMENTS) test)
	@touch $@

$(STAMP)-check: pyproject.toml constraints/tools.txt | $(STAMP)-test
	@echo "Installing what the checks need"
	@$(PIP) $$($(REQUIREMENTS) check)
	@touch $@

$(STAMP)-torch: pyproject.toml constraints/torch.txt | $(STAMP)-package
	@echo "Installing PyTorch"
	@$(PIP) -c constraints/torch.txt $$($(REQUIREMENTS) torch)
	@touch $@
