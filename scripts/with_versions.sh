#!/bin/sh
# Runs the tests in an environment of its own, with versions as uv resolves them.
#   usage: scripts/with_versions.sh lowest-direct|highest PYTHON JOBS [pytest's arguments]
set -eu
resolution=$1 python=$2 jobs=$3
shift 3
cd "$(dirname "$0")/.."
root=$(pwd)
python=$("$python" -c 'import sys; print(sys.executable)')
tools=$root/build/uv-venv
venv=$root/build/$resolution-venv
[ -x "$tools/bin/uv" ] || { "$python" -m venv "$tools" && "$tools/bin/python" -m pip install --quiet uv; }
rm -rf "$venv"
"$tools/bin/uv" venv --quiet --python "$python" "$venv"
# the package itself is built with current tools: what it is built with is nobody's lower bound
"$tools/bin/uv" pip install --python "$venv/bin/python" pip scikit-build-core nanobind cmake ninja
"$venv/bin/python" scripts/requirements.py runtime sklearn test >"$venv/requirements.txt"
"$tools/bin/uv" pip install --python "$venv/bin/python" --resolution "$resolution" -r "$venv/requirements.txt"
"$venv/bin/python" scripts/showing.py "$venv/bin/python" -m pip install --verbose --no-deps --no-build-isolation \
    --config-settings build-dir="build/$resolution" .
"$venv/bin/python" --version
"$tools/bin/uv" pip list --python "$venv/bin/python" | grep -E '^(numpy|narwhals|polars|safetensors|rich|typer|pyyaml|threadpoolctl|scikit-learn|pandas|scipy|pyarrow) '
cd "$root" # an installed package, not src: the tests import what a user would
OPENBLAS_NUM_THREADS=1 exec "$venv/bin/python" -m pytest -n "$jobs" -m "not slow and not torch and not ecosystem" "$@"
