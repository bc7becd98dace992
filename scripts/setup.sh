#!/bin/sh
# Makes the virtual environment and checks that what builds the package is here.
#   usage: scripts/setup.sh VENV        ($PYTHON and $CXX, when set, are the only candidates)
set -eu
venv=$1

# Says in one line what this interpreter lacks, nothing when it will do.
lacks='
import sys
if sys.version_info < (3, 11):
    sys.exit("is Python %d.%d, and 3.11 or newer is needed" % sys.version_info[:2])
import importlib.util, os, sysconfig
missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    missing.append("Python.h")
if missing:
    sys.exit("lacks " + " and ".join(missing) + " (on Debian: python3-venv and python3-dev)")
'

find_python() {
    refused=
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 python}; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if why=$("$candidate" -c "$lacks" 2>&1); then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
        refused="$refused $candidate $(printf '%s\n' "$why" | tail -n 1)."
    done
    echo "deltaprop needs Python 3.11 or newer with venv, ensurepip and its C headers, and found" \
        "none:${refused:- there is no ${PYTHON:-python3} on the PATH.}" \
        "Install one, or name one: make PYTHON=/path/to/python3 ..." >&2
    return 1
}

find_compiler() {
    for candidate in ${CXX:-c++ g++ clang++}; do
        if echo 'int main() {}' |
            "$candidate" -std=c++20 -x c++ -fsyntax-only - >/dev/null 2>&1; then
            return
        fi
    done
    echo "deltaprop builds a small C++20 module and found no compiler for it (tried:" \
        "${CXX:-c++, g++, clang++}). Install one (on Debian: apt-get install g++; on macOS:" \
        "xcode-select --install), or name one: make CXX=/path/to/c++ ..." >&2
    return 1
}

find_compiler

# An environment that works is kept, whoever made it.
if ! "$venv/bin/python" -c "$lacks" >/dev/null 2>&1; then
    python=$(find_python)
    echo "Making $venv with $python"
    "$python" -m venv --clear "$venv"
elif ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$venv/bin/python" -m ensurepip
fi
