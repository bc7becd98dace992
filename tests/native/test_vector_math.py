"""The functions on whole vectors: how many units of the last place they are off, and their ends."""

import ctypes
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import mpmath
import numpy as np
import pytest

from deltaprop import _native

HERE = Path(__file__).parent
COMPILER = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
# as in CMakeLists.txt; below -O2 nothing is fused
FLAGS = {
    "portable": "",
    "avx2": "-mavx2 -mfma -mbmi2",
    "avx512": "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mbmi2",
}
COMPILE = "-std=c++20 -O2 -ffp-contract=fast -fno-math-errno -fno-trapping-math -Wno-psabi"

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")


@pytest.fixture(scope="module", params=_native.instruction_sets())
def evaluate(request, tmp_path_factory):
    """Return what puts numbers, of float or double, through one of the functions."""
    library = tmp_path_factory.mktemp("vector_math") / "vector_math.so"
    include = f"-I{HERE.parents[1] / 'native'}"
    flags = shlex.split(f"{COMPILE} {FLAGS[request.param]} -shared -fPIC")
    source = HERE / "vector_math.cpp"
    command = [*shlex.split(COMPILER), *flags, include, source, "-o", library]
    subprocess.run(command, check=True, timeout=120)
    loaded = ctypes.CDLL(str(library))

    def call(name, x):
        n = len(x)
        whole = np.resize(x, -(-n // 16) * 16)
        found = np.empty_like(whole)
        run = loaded.in_float if x.dtype == np.float32 else loaded.in_double
        run(
            list(FUNCTIONS).index(name), ctypes.c_void_p(whole.ctypes.data),
            ctypes.c_void_p(found.ctypes.data), ctypes.c_long(len(whole)),
        )  # fmt: skip
        return found[:n]

    return call


def normal_by(function):
    def of_each(x):
        with mpmath.workdps(30):
            exact = [function(mpmath.mpf(float(each))) for each in x]
            # a long double of two parts
            high = np.array([float(each) for each in exact], np.longdouble)
            low = [
                float(each - mpmath.mpf(float(part)))
                for each, part in zip(exact, high, strict=True)
            ]
        return high + np.array(low, np.longdouble)

    return of_each


# in the order of vector_math.cpp: what is exact, which x it takes, and units of the last place in
# double and in float
FUNCTIONS = {
    "exp": (np.exp, lambda x: x, 1.1, 1.1),
    "expm1_of_negative": (np.expm1, lambda x: -abs(x), 1.2, 1.2),
    "log1p_of_share": (np.log1p, lambda x: np.minimum(abs(x), 1), 1.4, 2),
    "log": (np.log, abs, 1, 2),
    "tanh": (np.tanh, lambda x: x, 2.7, 2.7),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: x, 2.6, 2.6),
    "softplus": (lambda x: np.logaddexp(x, 0), lambda x: x, 2, 2.6),
    "distribution": (normal_by(mpmath.ncdf), lambda x: np.clip(x[::16], -60, 60), 4, 100),
    "density": (normal_by(mpmath.npdf), lambda x: np.clip(x[::16], -60, 60), 2.2, 100),
}


def grid(dtype, rng):
    """Return numbers near and far, and random bits."""
    n, info = 1 << 13, np.finfo(dtype)
    most = float(np.log(info.max))
    bits = rng.integers(0, 2**63, n, dtype=np.uint64) * 2 + rng.integers(0, 2, n, dtype=np.uint64)
    x = np.concatenate([
        rng.uniform(-40, 40, n), rng.uniform(-1, 1, n), rng.uniform(-1.1 * most, 1.1 * most, n),
        rng.normal(size=n) * np.exp2(rng.uniform(-60, 4, n)), np.linspace(-3, 3, n),
    ]).astype(dtype)  # fmt: skip
    x = np.concatenate([x, bits.view(dtype)])
    return x[np.isfinite(x) & (abs(x) >= info.tiny)]


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="nothing here has more digits")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.one_in(6)
def test_the_error_in_units_of_the_last_place(evaluate, rng, name, dtype):
    exactly, domain, in_double, in_float = FUNCTIONS[name]
    info = np.finfo(dtype)
    x = domain(grid(dtype, rng))
    found = evaluate(name, x).astype(np.longdouble)
    with np.errstate(over="ignore", under="ignore"):
        exact = exactly(x.astype(np.longdouble))
        normal = (abs(exact) >= info.tiny) & (exact <= info.max)
        unit = np.spacing(abs(exact[normal]).astype(dtype)).astype(np.longdouble)
    off = abs(found[normal] - exact[normal]) / unit
    worst = np.argmax(off)
    assert off[worst] <= (in_double if dtype == "float64" else in_float), x[normal][worst]
    # what is smaller than every normal number is 0, or near the smallest of them
    assert (abs(found[abs(exact) < info.tiny]) <= info.tiny).all()
    assert (found[exact > info.max] == np.inf).all()


ENDS = {  # at -inf, -0, inf
    "exp": (0, 1, np.inf),
    "expm1_of_negative": (-1, 0, None),
    "log1p_of_share": (None, 0, None),
    "log": (None, None, np.inf),
    "tanh": (-1, -0.0, 1),
    "sigmoid": (0, 0.5, 1),
    "softplus": (0, np.log(2), np.inf),
    "distribution": (0, 0.5, 1),
    "density": (0, 1 / np.sqrt(2 * np.pi), 0),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_ends_and_what_is_no_number(evaluate, name, dtype):
    found = evaluate(name, np.array([-np.inf, -0.0, np.inf, np.nan, -np.nan], dtype))
    assert np.isnan(found[3:]).all()
    for ours, theirs in zip(found, ENDS[name], strict=False):
        if theirs is not None:
            assert ours == pytest.approx(theirs, rel=4 * float(np.finfo(dtype).eps))
            if name == "tanh":
                assert np.signbit(ours) == np.signbit(theirs)


def test_exp_ends_where_the_normal_numbers_do(evaluate):
    least, greatest = -708.3964185322641, 709.782712893384
    below, above = np.nextafter(least, -np.inf), np.nextafter(greatest, np.inf)
    found = evaluate("exp", np.array([below, least, greatest, above]))
    np.testing.assert_allclose(found, np.array([0, np.exp(least), np.exp(greatest), np.inf]), 3e-16)
