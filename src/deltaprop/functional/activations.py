"""Activations a = f(z): f beside f', one registry row each.

Every f' has the signature ``f_prime(z, a)`` with ``a = f(z)``, so that each uses whichever of the
two gives the shorter formula. All work elementwise and give a number for every ``z`` that a float32
holds, infinite only beyond the floats; those of the house do for every finite ``z``, in its dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.arrays import by_formula
from deltaprop.functional.differences import central_difference, worst_entry
from deltaprop.functional.expressions import Operand
from deltaprop.functional.forms import fitting
from deltaprop.functional.normal import gaussian_cdf
from deltaprop.functional.registry import Registry
from deltaprop.functional.scaled import read_scaled, scaled

__all__ = [
    "ACTIVATIONS",
    "BUILT_IN",
    "Activation",
    "register_activation",
    "sigmoid",
    "softplus",
]

Array = npt.NDArray[np.float64]

_SELU_SCALE = 1.0507009873554804934193349852946  # Klambauer et al. 2017, appendix A2
_SELU_ALPHA = 1.6732632423543772848170429916717
_LEAK = 0.01


@dataclass(frozen=True)
class Activation:
    """One row: a function of the pre-activation, beside its derivative.

    Parameters
    ----------
    name : str
        What it is called in ``Network(hidden=...)``, files and commands.
    f : callable
        ``f(z) -> a``, elementwise.
    f_prime : callable
        ``f_prime(z, a) -> da/dz``, elementwise.
    latex : tuple of str
        f(z) and f'(z), in terms of ``z`` and ``a``.
    doc : str
        One line for lists and help.
    initializer : str
        The initializer that keeps the signal's variance with this activation.
    kinks : tuple of float
        The z at which some derivative of f jumps; gradient checks stay away from them.
    arithmetic : tuple of str
        f(z), and f' in terms of z and a, in the language of ``arithmetic.parse``: what an
        explanation puts numbers into. Without it an explanation only names the function.
    elsewhere : tuple of tuple of str
        Further forms of f(z) and of f', for where the first overflows or has no digit left: an
        explanation writes the first that comes to the number.
    stably : tuple of str, optional
        f(z) and f' as they are computed, right wherever z is, in a language that has log1p, expm1
        and Phi (the normal distribution function) besides: what works them out where there is no
        Python, in a page. Left out where ``arithmetic`` is that already, or nothing else is known.
    """

    name: str
    f: Callable[[Array], Array]
    f_prime: Callable[[Array, Array], Array]
    latex: tuple[str, str]
    doc: str
    initializer: str = "glorot_uniform"
    kinks: tuple[float, ...] = ()
    arithmetic: tuple[str, str] | None = None
    elsewhere: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    stably: tuple[str, str] | None = None


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)) without overflow, accurate in both tails."""
    e = np.exp(-np.abs(z))
    a: Array = np.where(z >= 0, 1.0, e) / (1.0 + e)
    return a


def softplus(z: Array) -> Array:
    """Return log(1 + exp(z)) without overflow."""
    a: Array = np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))
    return a


def _gelu_prime(z: Array, _a: Array) -> Array:
    density = np.exp(-0.5 * np.minimum(np.abs(z), 1e3) ** 2) / sqrt(2.0 * pi)
    return gaussian_cdf(z) + z * density


def _silu_prime(z: Array, a: Array) -> Array:
    s = sigmoid(z)
    return s + a * (1.0 - s)


def _mish_prime(z: Array, _a: Array) -> Array:
    t = np.tanh(softplus(z))
    return t + z * sigmoid(z) * (1.0 - t**2)


def _check_derivative(row: Activation) -> None:
    """Compare f' with central differences of f on both sides of zero, away from the kinks."""
    z = np.concatenate([np.linspace(-6.0, 6.0, 121) + 0.0137, [-30.0, 30.0]])
    for kink in row.kinks:
        z = z[np.abs(z - kink) > 0.02]
    with np.errstate(all="ignore"):
        a = np.asarray(row.f(z))
        claimed = np.asarray(row.f_prime(z, a))
        if a.shape != z.shape or claimed.shape != z.shape:
            raise SettingError(
                f"Activation {row.name!r} is not elementwise: for z of shape {z.shape} "
                f"f gives {a.shape} and f_prime gives {claimed.shape}."
            )
        alone = np.concatenate([row.f(z[i : i + 1]) for i in range(len(z))])
        if not np.allclose(a, alone, rtol=1e-9, atol=1e-12, equal_nan=True):
            raise SettingError(
                f"Activation {row.name!r} is not elementwise: f of one z depends on the others."
            )
        measured = central_difference(row.f, z)
        worst = worst_entry(claimed, measured)
    if worst is not None:
        raise SettingError(
            f"Activation {row.name!r}: f_prime is not the derivative of f. At z = {z[worst]:g} "
            f"f_prime gives {claimed[worst]:g}, central differences of f give "
            f"{measured[worst]:g}. (If f has a kink there, name it in kinks=.)"
        )


def _check_row(row: Activation) -> None:
    _check_derivative(row)
    _check_extremes(row)
    _check_arithmetic(row)
    _check_stably(row)


def _check_extremes(row: Activation) -> None:
    """Refuse NaN, and infinities that no slope leads to: something overflowed on the way."""
    z = np.array([-3e38, -1e4, -750.0, -90.0, 0.0, 90.0, 750.0, 1e4, 3e38])
    with np.errstate(all="ignore"):
        a = row.f(z)
        slope = row.f_prime(z, a)
        unreached = np.isinf(a) & (np.abs(slope * z) < np.finfo(np.float64).max)
    bad = np.flatnonzero(np.isnan(a) | np.isnan(slope) | unreached)
    if bad.size:
        at = bad[0]
        raise SettingError(
            f"Activation {row.name!r} has no right number at z = {z[at]:g}: f gives {a[at]:g}, "
            f"f_prime {slope[at]:g}. Write them so that nothing overflows on the way, such as "
            "np.logaddexp(0, z) for log(1 + exp(z))."
        )


def _check_arithmetic(row: Activation) -> None:
    """Evaluate the written formulas and compare them with f and f'."""
    if row.arithmetic is None:
        return
    for point in (-3.7, -0.6, 0.4, 2.9):
        z = np.array([point])
        a = row.f(z)
        names = {"z": Operand("z", point), "a": Operand("a", float(a[0]))}
        for text, right in zip(row.arithmetic, (a, row.f_prime(z, a)), strict=True):
            written = evaluate(parse(text, names))
            if not abs(written - right[0]) <= 1e-12 * max(1.0, abs(right[0])):
                raise SettingError(
                    f"Activation {row.name!r}: its formula {text!r} comes to {written:g} at "
                    f"z = {point:g}, the function gives {right[0]:g}."
                )
    if row.elsewhere != ((), ()):
        _check_elsewhere(row, row.arithmetic)


def _check_elsewhere(row: Activation, arithmetic: tuple[str, str]) -> None:
    """Look for a form of f and of f' that comes to their numbers, wherever z is."""
    for point in (-800.0, -40.0, -8.0, -1e-12, 1e-12, 8.0, 40.0, 800.0):
        z = np.array([point])
        a = row.f(z)
        names = {"z": Operand("z", point), "a": Operand("a", float(a[0]))}
        for first, others, right in zip(
            arithmetic, row.elsewhere, (a, row.f_prime(z, a)), strict=True
        ):
            forms = [parse(text, names) for text in (first, *others)]
            written = evaluate(fitting(forms, float(right[0])))
            if not abs(written - right[0]) <= 1e-6 * abs(right[0]):
                raise SettingError(
                    f"Activation {row.name!r}: none of its formulas {', '.join((first, *others))} "
                    f"comes to {right[0]:g}, which the function gives at z = {point:g}."
                )


def _check_stably(row: Activation) -> None:
    """Compare the formulas that are computed with f and f', wherever z is."""
    if row.stably is None:
        return
    z = np.concatenate([np.linspace(-9.0, 9.0, 181), [-800.0, -40.0, -1e-12, 1e-12, 40.0, 800.0]])
    a = row.f(z)
    for text, right in zip(row.stably, (a, row.f_prime(z, a)), strict=True):
        found = np.broadcast_to(by_formula(text, z=z[None], a=a[None])[0], z.shape)
        off = ~np.isclose(found, right, rtol=1e-12, atol=1e-300)
        if off.any():
            raise SettingError(
                f"Activation {row.name!r}: the formula that is computed, {text}, comes to "
                f"{found[off][0]:g} at z = {z[off][0]:g}, where the function gives "
                f"{right[off][0]:g}."
            )


# the same functions where z is far below 0, or far above it; e^z - 1 where z is nearly 0
_FALLING = "exp(z) / (1 + exp(z))"
_RISING = "z + log(1 + exp(-z))"
_TANH_FALLING = "exp(z) * (2 + exp(z)) / (2 + exp(z) * (2 + exp(z)))"
_NEAR_0 = "z + z**2 / 2 + z**3 / 6"
_DENSITY = "exp(-(z * z) / 2) / sqrt(2 * 3.141592653589793)"
_LAPLACE = "z * z + 45"  # of z < -5: -z / _LAPLACE is the distribution function over the density
for _k in reversed(range(11)):
    _LAPLACE = f"z * z + {4 * _k + 1} - {(2 * _k + 1) * (2 * _k + 2)} / ({_LAPLACE})"

# as the functions above compute them
_SIGMOID = "exp(-max(0, -z)) / (1 + exp(-abs(z)))"
_SOFTPLUS = "(max(z, 0) + log1p(exp(-abs(z))))"
_EXPM1 = "expm1(-max(0, -z))"  # 0 above 0

BUILT_IN = (
    Activation(
        "identity", np.copy, lambda z, _a: np.ones_like(z), (r"z", r"1"),
        "a = z: a linear neuron", "lecun_normal",
        arithmetic=("z", "1"),
    ),
    Activation(
        "sigmoid", sigmoid, lambda _z, a: a * (1.0 - a),
        (r"\frac{1}{1 + e^{-z}}", r"a (1 - a)"), "values in (0, 1)",
        arithmetic=("1 / (1 + exp(-z))", "a * (1 - a)"),
        elsewhere=((_FALLING,), ()), stably=(_SIGMOID, "a * (1 - a)"),
    ),
    Activation(
        "tanh", np.tanh, lambda _z, a: 1.0 - a**2, (r"\tanh(z)", r"1 - a^2"),
        "values in (-1, 1), centred on 0",
        arithmetic=("tanh(z)", "1 - a**2"),
    ),
    Activation(
        "softsign", lambda z: z / (1 + np.abs(z)), lambda z, _a: (1 / (1 + np.abs(z))) ** 2,
        (r"\frac{z}{1 + |z|}", r"\frac{1}{(1 + |z|)^2}"),
        "values in (-1, 1), nearing them more slowly than tanh (Bergstra et al. 2009)",
        kinks=(0.0,),
        arithmetic=("z / (1 + abs(z))", "1 / (1 + abs(z))**2"),
        elsewhere=((), ("(1 / (1 + abs(z)))**2",)),
    ),
    Activation(
        "relu", lambda z: np.maximum(z, 0.0),
        lambda z, _a: (z > 0.0).astype(z.dtype),  # f'(0) := 0
        (r"\max(0, z)", r"[z > 0]"),
        "z where positive, else 0; f'(0) := 0", "he_normal", (0.0,),
        arithmetic=("max(0, z)", "(z > 0)"),
    ),
    Activation(
        "leaky_relu", lambda z: np.where(z > 0.0, z, _LEAK * z),
        lambda z, _a: np.where(z > 0.0, 1.0, _LEAK).astype(z.dtype),
        (r"\max(z, 0.01\, z)", r"[z > 0] + 0.01\, [z \le 0]"),
        "ReLU with slope 0.01 below 0", "he_normal", (0.0,),
        arithmetic=("max(z, 0.01 * z)", "(z > 0) + 0.01 * (z <= 0)"),
    ),
    Activation(
        "elu", lambda z: np.where(z > 0.0, z, np.expm1(np.minimum(z, 0.0))),
        lambda z, a: np.where(z > 0.0, 1.0, a + 1.0),
        (r"[z > 0]\, z + [z \le 0] (e^{z} - 1)", r"[z > 0] + [z \le 0] (a + 1)"),
        "z above 0, exp(z) - 1 below", "he_normal", (0.0,),
        arithmetic=("(z > 0) * z + (z <= 0) * (exp(z) - 1)", "(z > 0) + (z <= 0) * (a + 1)"),
        elsewhere=((_NEAR_0,), ()),
        stably=(f"max(0, z) + {_EXPM1}", "(z > 0) + (z <= 0) * (a + 1)"),
    ),
    Activation(
        "selu",
        lambda z: (
            _SELU_SCALE * np.where(z > 0.0, z, _SELU_ALPHA * np.expm1(np.minimum(z, 0.0)))
        ),
        lambda z, a: np.where(z > 0.0, _SELU_SCALE, a + _SELU_SCALE * _SELU_ALPHA),
        (
            r"\lambda \left([z > 0]\, z + [z \le 0]\, \alpha (e^{z} - 1)\right)",
            r"\lambda [z > 0] + [z \le 0] (a + \lambda \alpha)",
        ),
        "self-normalizing ELU (Klambauer et al. 2017)", "lecun_normal", (0.0,),
        arithmetic=(
            f"{_SELU_SCALE!r} * ((z > 0) * z + (z <= 0) * {_SELU_ALPHA!r} * (exp(z) - 1))",
            f"{_SELU_SCALE!r} * (z > 0) + (z <= 0) * (a + {_SELU_SCALE * _SELU_ALPHA!r})",
        ),
        elsewhere=((f"{_SELU_SCALE!r} * ({_SELU_ALPHA!r} * ({_NEAR_0}))",), ()),
        stably=(
            f"{_SELU_SCALE!r} * (max(0, z) + {_SELU_ALPHA!r} * {_EXPM1})",
            f"{_SELU_SCALE!r} * (z > 0) + (z <= 0) * (a + {_SELU_SCALE * _SELU_ALPHA!r})",
        ),
    ),
    Activation(
        "gelu", lambda z: z * gaussian_cdf(z), _gelu_prime,
        (r"z\, \Phi(z)", r"\Phi(z) + z\, \varphi(z)"),
        "z times the normal distribution function (Hendrycks & Gimpel 2016)", "he_normal",
        arithmetic=(
            "z * (1 + erf(z / sqrt(2))) / 2",
            "(1 + erf(z / sqrt(2))) / 2 + z * exp(-(z**2) / 2) / sqrt(2 * 3.141592653589793)",
        ),
        elsewhere=(
            (f"{_DENSITY} * (-z) / ({_LAPLACE}) * z", "(1 + erf(z / sqrt(2))) / 2 * z"),
            (
                f"{_DENSITY} * (z - z / ({_LAPLACE}))",
                f"(1 + erf(z / sqrt(2))) / 2 + z * {_DENSITY}",
            ),
        ),
        stably=("z * Phi(z)", f"Phi(z) + z * ({_DENSITY})"),
    ),
    Activation(
        "silu", lambda z: z * sigmoid(z), _silu_prime,
        (r"z\, \sigma(z)", r"\sigma(z) + a (1 - \sigma(z))"),
        "z times its sigmoid, also called swish", "he_normal",
        arithmetic=("z / (1 + exp(-z))", "1 / (1 + exp(-z)) + a * (1 - 1 / (1 + exp(-z)))"),
        elsewhere=((f"z * {_FALLING}",), (f"{_FALLING} + a * (1 - {_FALLING})",)),
        stably=(f"z * ({_SIGMOID})", f"{_SIGMOID} + a * (1 - {_SIGMOID})"),
    ),
    Activation(
        "softplus", softplus, lambda z, _a: sigmoid(z), (r"\ln(1 + e^{z})", r"\sigma(z)"),
        "a smooth ReLU", "he_normal",
        arithmetic=("log(1 + exp(z))", "1 / (1 + exp(-z))"),
        elsewhere=(
            ("max(0, z) + log(1 + exp(-abs(z)))", "exp(z) - exp(z)**2 / 2 + exp(z)**3 / 3"),
            (_FALLING,),
        ),
        stably=(_SOFTPLUS, _SIGMOID),
    ),
    Activation(
        "mish", lambda z: z * np.tanh(softplus(z)), _mish_prime,
        (r"z \tanh(\operatorname{softplus}(z))", r"t + z\, \sigma(z) (1 - t^2),\ t = a / z"),
        "z times tanh(softplus(z)) (Misra 2019)", "he_normal",
        arithmetic=(
            "z * tanh(log(1 + exp(z)))",
            "tanh(log(1 + exp(z))) + z / (1 + exp(-z)) * (1 - tanh(log(1 + exp(z)))**2)",
        ),
        elsewhere=(
            (f"z * {_TANH_FALLING}", f"z * tanh({_RISING})"),
            (
                f"{_TANH_FALLING} + z * {_FALLING} * (1 - ({_TANH_FALLING})**2)",
                f"tanh({_RISING}) + z / (1 + exp(-z)) * (1 - tanh({_RISING})**2)",
            ),
        ),
        stably=(
            f"z * tanh({_SOFTPLUS})",
            f"tanh({_SOFTPLUS}) + z * ({_SIGMOID}) * (1 - tanh({_SOFTPLUS})**2)",
        ),
    ),
)  # fmt: skip

_ALSO = {
    "linear": "identity", "purelin": "identity", "none": "identity", "logistic": "sigmoid",
    "logsig": "sigmoid", "tansig": "tanh", "rectifier": "relu", "poslin": "relu",
    "lrelu": "leaky_relu", "leakyrelu": "leaky_relu", "swish": "silu",
}  # fmt: skip


def _scaled(name: str) -> Activation | None:
    """Return the row of "bipolar_sigmoid" or "1.7159 tanh(2/3 z)"."""
    found = read_scaled(name)
    if found is None or found[0] not in ACTIVATIONS:
        return None
    row: Activation = scaled(ACTIVATIONS[found[0]], name, *found[1:])
    return row


ACTIVATIONS: Registry[Activation] = Registry("activation", BUILT_IN, _check_row, _scaled, _ALSO)

register_activation = ACTIVATIONS.register
