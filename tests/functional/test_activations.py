"""Activations: f and f' agree with fifty-digit arithmetic, elementwise, and never overflow."""

import math
from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deltaprop.functional.activations import ACTIVATIONS, sigmoid, softplus
from deltaprop.functional.arithmetic import FUNCTIONS, evaluate, parse
from deltaprop.functional.expressions import Call, Operand
from deltaprop.functional.normal import gaussian_cdf

mp = mpmath.mp.clone()
mp.dps = 50

SCALE = mp.mpf("1.0507009873554804934193349852946")
ALPHA = mp.mpf("1.6732632423543772848170429916717")

EXACT = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "relu": lambda z: max(z, mp.zero),
    "leaky_relu": lambda z: z if z > 0 else mp.mpf(0.01) * z,
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "selu": lambda z: SCALE * (z if z > 0 else ALPHA * mp.expm1(z)),
    "gelu": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "softsign": lambda z: z / (1 + abs(z)),
    "mish": lambda z: z * mp.tanh(mp.log1p(mp.exp(z))),
}  # fmt: skip

Z = np.array(
    [-1e4, -710.0, -40.0, -37.5, -30.1, -12.0, -6.0, -3.3, -1.0, -0.7, -1e-3, -1e-9,
     1e-9, 1e-3, 0.2, 1.0, 2.7, 5.9, 12.0, 30.3, 40.0, 710.0, 1e4]
)  # fmt: skip
EXTREME = np.array([-1e308, -1e200, -1e155, -1e4, -750.0, 0.0, 750.0, 1e4, 1e155, 1e200, 1e308])

ROWS = pytest.mark.parametrize("row", ACTIVATIONS.values(), ids=lambda row: row.name)
KNOWN = pytest.mark.parametrize(
    "row", [row for row in ACTIVATIONS.values() if row.name in EXACT], ids=lambda row: row.name
)


def test_there_is_an_exact_formula_for_every_activation():
    missing = set(ACTIVATIONS) ^ set(EXACT)
    assert not missing, f"write f of {missing} once more, in mpmath, in EXACT"


@KNOWN
def test_f_agrees_with_fifty_digit_arithmetic_in_relative_terms(row):
    exact = [float(EXACT[row.name](mp.mpf(z))) for z in Z]
    np.testing.assert_allclose(row.f(Z), exact, rtol=5e-13, atol=1e-300)


def stably(row, k, z, a):
    """Return what a page computes, in Python's arithmetic."""
    names = {"z": Operand("z", z), "a": Operand("a", a)}
    further = {n: partial(lambda n, x: Call(n, (x,)), n) for n in ("log1p", "expm1", "Phi")}
    functions = {
        **FUNCTIONS, "log1p": math.log1p, "expm1": math.expm1,
        "Phi": lambda x: float(gaussian_cdf(np.array([x]))[0]),
    }  # fmt: skip
    return evaluate(parse(row.stably[k], names, further), functions=functions)


@pytest.mark.parametrize(
    "row", [row for row in ACTIVATIONS.values() if row.stably], ids=lambda row: row.name
)
@example(z=-1.203125)
@given(z=st.floats(-1e150, 1e150) | st.floats(-50, 50) | st.sampled_from([0.0, -0.0]))
@pytest.mark.one_in(3)
def test_what_a_page_computes_is_what_the_function_computes(row, z):
    a = row.f(np.array([z]))
    cancels = 1e-15 if -3 < z < 0 else 0.0  # f' of silu, gelu and mish passes 0: of terms near 1
    for k, right in enumerate((a, row.f_prime(np.array([z]), a))):
        found = stably(row, k, z, float(a[0]))
        assert found == pytest.approx(right[0], rel=1e-14, abs=max(1e-320, k * cancels))


@KNOWN
@pytest.mark.one_in(3)
def test_f_prime_agrees_with_the_derivative_in_fifty_digits(row):
    exact = [float(mp.diff(EXACT[row.name], mp.mpf(z), h=mp.mpf(10) ** -20)) for z in Z]
    np.testing.assert_allclose(row.f_prime(Z, row.f(Z)), exact, rtol=1e-12, atol=1e-15)


@ROWS
def test_f_and_f_prime_are_finite_for_every_finite_z(row):
    a = row.f(EXTREME)
    assert np.isfinite(a).all()
    assert np.isfinite(row.f_prime(EXTREME, a)).all()


@ROWS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_f_and_f_prime_stay_in_the_dtype_of_z(row, dtype):
    z = Z.astype(dtype)
    a = row.f(z)
    assert a.dtype == dtype
    assert row.f_prime(z, a).dtype == dtype


@ROWS
def test_f_leaves_z_alone_and_returns_an_array_of_its_own(row):
    z = Z.copy()
    a = row.f(z)
    row.f_prime(z, a)
    assert not np.shares_memory(a, z)
    np.testing.assert_array_equal(z, Z)


@ROWS
@given(z=hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4),
                    elements=st.floats(-50, 50)))  # fmt: skip
@pytest.mark.rest
def test_f_and_f_prime_work_elementwise_on_any_shape(row, z):
    a = row.f(z)
    prime = row.f_prime(z, a)
    assert a.shape == prime.shape == z.shape
    for index in np.ndindex(z.shape):
        alone = z[index].reshape(1)
        assert row.f(alone)[0] == pytest.approx(a[index], rel=1e-14, abs=1e-15)
        assert row.f_prime(alone, a[index].reshape(1))[0] == pytest.approx(
            prime[index], rel=1e-14, abs=1e-15
        )


@ROWS
def test_every_kink_is_named_and_no_other(row):
    h = 1e-7
    grid = np.concatenate([np.arange(-8.0, 8.0, 0.25), [0.0]])
    right = row.f_prime(grid + h, row.f(grid + h))
    left = row.f_prime(grid - h, row.f(grid - h))
    second_right = row.f_prime(grid + 2 * h, row.f(grid + 2 * h)) - right
    second_left = left - row.f_prime(grid - 2 * h, row.f(grid - 2 * h))
    bends = (np.abs(right - left) > 1e-3) | (np.abs(second_right - second_left) > 0.5 * h)
    assert set(grid[bends]) == set(row.kinks)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_at_zero_the_rectifiers_take_the_slope_from_the_left(name):
    row, z = ACTIVATIONS[name], np.zeros(3)
    assert (row.f_prime(z, row.f(z)) == {"relu": 0.0, "leaky_relu": 0.01}[name]).all()


TAILS = np.concatenate([-np.geomspace(1e-12, 36.0, 60), np.geomspace(1e-12, 36.0, 60)])

EXACT_TAILS = {
    sigmoid: (EXACT["sigmoid"], 4e-16),
    softplus: (EXACT["softplus"], 4e-16),
    gaussian_cdf: (lambda z: mp.erfc(-z / mp.sqrt(2)) / 2, 2e-13),
}


@pytest.mark.parametrize("function", EXACT_TAILS, ids=lambda function: function.__name__)
def test_both_tails_are_right_in_relative_terms(function):
    formula, tolerance = EXACT_TAILS[function]
    exact = np.array([float(formula(mp.mpf(z))) for z in TAILS])
    np.testing.assert_allclose(function(TAILS), exact, rtol=tolerance)


@pytest.mark.parametrize(
    ("low", "high", "tolerance"), [(-1, 0, 1e-15), (-3, 0, 4e-15), (-8.4, 0, 2e-14), (0, 9, 1e-15)]
)
def test_the_distribution_function_is_as_accurate_as_exp_of_z_squared_allows(low, high, tolerance):
    z = np.linspace(low, high, 400)
    exact = np.array([float(mp.erfc(-mp.mpf(v) / mp.sqrt(2)) / 2) for v in z])
    np.testing.assert_allclose(gaussian_cdf(z), exact, rtol=tolerance)


@given(z=st.floats(-700, 700))
def test_sigmoid_of_minus_z_is_the_rest(z):
    here = np.array([z])
    assert (sigmoid(here) + sigmoid(-here))[0] == pytest.approx(1.0, abs=4.5e-16)


@given(z=st.floats(-700, 700))
def test_softplus_is_z_more_than_its_mirror_image(z):
    here = np.array([z])
    assert (softplus(here) - softplus(-here))[0] == pytest.approx(z, rel=2e-15, abs=1e-15)
