"""A name that is added to the kernels and not thought through to its end does not compile."""

import ctypes
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import deltaprop as dp
from deltaprop import _native

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
COMPILER = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
# what every build has, of CMakeLists.txt
STRICT = re.search(r"PRIVATE (-Werror=.*?)\)", (REPOSITORY / "CMakeLists.txt").read_text("utf-8"))

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")


@pytest.fixture
def native(tmp_path):
    """Return a copy of the sources that may be changed."""
    shutil.copytree(REPOSITORY / "native", tmp_path / "native")
    return tmp_path / "native"


def change(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def add_a_line(native, line):
    """Put a line of names.def behind the last one of its kind."""
    names = (native / "names.def").read_text("utf-8")
    kind = re.escape(line.partition("(")[0])
    last = re.findall(rf"^{kind}\(.*\)$", names, re.MULTILINE)[-1]
    change(native / "names.def", last + "\n", f"{last}\n{line}\n")


def compiled(native, *arguments):
    """Return what the compiler says, in English, and the files it finds fault with."""
    command = [*shlex.split(COMPILER), "-std=c++20", "-Wno-psabi", f"-I{native}", *arguments]
    told = {**os.environ, "LC_ALL": "C"}
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env=told
    )
    found = {*re.findall(rf"{re.escape(str(native))}/(\S+?):\d+:\d+: error", ran.stderr)}
    assert (ran.returncode == 0) == (not found), ran.stderr
    return ran.stderr, found


def checked(native):
    sources = [native / "builds" / "portable.cpp", native / "choice.cpp"]
    return compiled(native, "-fsyntax-only", *STRICT[1].split(), *sources)


@pytest.mark.rest
def test_what_is_there_compiles(native):
    assert checked(native) == ("", set())


@pytest.mark.rest
def test_a_name_that_nothing_is_done_for_is_refused(native):
    for line in ("ACTIVATION(newcomer)", "KIND(newcomer)", "RULE(newcomer, 3, momentum)"):
        add_a_line(native, f"DELTAPROP_{line}")
    # nor does it pass by a default, as what stood for a loss once did
    change(native / "math" / "losses.hpp", "case Loss::poisson:", "default:")
    said, found = checked(native)
    kinds = {"choice.cpp", "panels/other_layers/records.hpp", "panels/other_layers/layers.hpp"}
    assert found >= {"math/activations.hpp", "math/losses.hpp", "math/updates.hpp", *kinds}
    assert "the kernels keep no third state of newcomer" in said


def test_targets_that_there_are_not_are_refused(native):
    add_a_line(native, "DELTAPROP_LOSS(newcomer, shares)")
    assert "shares" in compiled(native, "-fsyntax-only", native / "choice.cpp")[0]


@pytest.fixture
def told(native, tmp_path):
    """Return what the kernels find out of each activation; a newcomer has nothing but f and f'."""
    add_a_line(native, "DELTAPROP_ACTIVATION(newcomer)")
    change(
        native / "math" / "activations.hpp",
        "    } else {\n        static_assert(F == Activation::",
        "    } else if constexpr (F == Activation::newcomer) {\n"
        "        const Vec<T> a = exp<T>(-z * z);\n"
        "        return {a, T(-2) * z * a};\n"
        "    } else {\n        static_assert(F == Activation::",
    )
    library = tmp_path / "newcomer.so"
    compiled(native, "-O1", "-shared", "-fPIC", HERE / "newcomer.cpp", "-o", library)
    loaded = ctypes.CDLL(str(library))
    names = [*_native.known_names()["activations"], "newcomer"]

    def ask(question):
        function = getattr(loaded, question)
        function.restype = ctypes.c_bool
        return {name for number, name in enumerate(names) if function(number)}

    return ask


def test_an_activation_needs_nothing_but_f_and_its_derivative(told):
    """Its f' is kept for the way back, and what pads a row is put back to 0."""
    assert "newcomer" not in told("slope_is_told")
    assert "relu" in told("slope_is_told")
    rows = {name: dp.ACTIVATIONS[name] for name in _native.known_names()["activations"]}
    lifted = {name for name, row in rows.items() if row.f(np.zeros(1))[0] != 0}
    assert told("zero_is_lifted") == lifted | {"newcomer"}
