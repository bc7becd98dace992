"""Output activations: what a loss makes of the logits, p = f(z^L), row by row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.activations import ACTIVATIONS, sigmoid
from deltaprop.functional.arrays import by_formula
from deltaprop.functional.registry import Registry

__all__ = ["OUTPUTS", "Output", "exp", "softmax"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Output:
    """The function a loss applies to the logits: p = f(z^L), row by row.

    ``latex`` is p_i in terms of z; ``arithmetic`` p in terms of z, a row for each sample: what an
    explanation puts numbers into. Without it an explanation only names the function. ``elsewhere``
    are further forms, for where the first overflows or has no digit left.
    ``is_shift_invariant``: a number may be taken off all logits of a row.
    """

    name: str
    f: Callable[[Array], Array]
    latex: str
    arithmetic: str | None = None
    is_shift_invariant: bool = False
    elsewhere: tuple[str, ...] = ()


def softmax(z: Array) -> Array:
    """Return p_i = exp(z_i) / sum_k exp(z_k) for each row, the row maximum subtracted first."""
    with np.errstate(over="ignore"):  # from -1e308 to 1e308 it is infinitely far, and p is 0
        p: Array = np.exp(z - z.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p


def exp(z: Array) -> Array:
    """Return e^z, infinity where it is beyond the floats."""
    with np.errstate(over="ignore"):  # beyond 709 infinity is the right float64
        return np.exp(z)


def _of_activation(name: str) -> Output | None:
    """Return an activation as the output of a network: a = f(z), each output by itself."""
    if name not in ACTIVATIONS:
        return None
    row = ACTIVATIONS[name]
    latex = re.sub(r"(?<![a-zA-Z\\])z(?![a-zA-Z_])", "z_i", row.latex[0])
    formula = row.arithmetic and row.arithmetic[0]
    return Output(name, row.f, latex, formula, elsewhere=row.elsewhere[0])


def _check(row: Output) -> None:
    """Raise SettingError where what a row says of itself does not agree."""
    z = np.random.default_rng(20240607).normal(scale=1.5, size=(7, 3))
    p = np.asarray(row.f(z))
    if p.shape != z.shape:
        raise SettingError(
            f"Output activation {row.name!r}: f has shape {p.shape} for logits of shape "
            f"{z.shape}; expected the same shape."
        )
    if not np.allclose(p, np.concatenate([row.f(each[None]) for each in z]), 1e-12, 1e-12):
        raise SettingError(
            f"Output activation {row.name!r}: f of several rows is not what it is of each of "
            "them; an output is worked out row by row."
        )
    if row.is_shift_invariant and not np.allclose(p, row.f(z + 1.0), 1e-9, 1e-9):
        raise SettingError(
            f"Output activation {row.name!r} is said to be shift-invariant, and is another when 1 "
            "is added to all logits."
        )
    if row.arithmetic is not None and not np.allclose(
        np.broadcast_to(by_formula(row.arithmetic, z=z), z.shape), p, 1e-12, 1e-12
    ):
        raise SettingError(
            f"Output activation {row.name!r}: its formula {row.arithmetic!r} does not give its "
            "numbers."
        )


OUTPUTS: Registry[Output] = Registry(
    "output activation",
    (
        Output(
            "softmax", softmax, r"\frac{e^{z_i}}{\sum_k e^{z_k}}", "exp(z) / total(exp(z))",
            is_shift_invariant=True,
        ),
        Output(
            "sigmoid", sigmoid, r"\frac{1}{1 + e^{-z_i}}", "1 / (1 + exp(-z))",
            elsewhere=("exp(z) / (1 + exp(z))",),
        ),
        Output("identity", np.copy, r"z_i", "z"),
        Output("exp", exp, r"e^{z_i}", "exp(z)"),
    ),
    check=_check, compose=_of_activation,
)  # fmt: skip
