"""Dense: z = a W + b."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from deltaprop.errors import SettingError, shown
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.settings import at_least_zero, positive_int
from deltaprop.model.layers.base import Array, Equation, LayerArrays

__all__ = ["PARAMETRIZATIONS", "Dense"]

PARAMETRIZATIONS = ("standard", "ntk")


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: z = a W + b, then a^l = f(z).

    In NTK parametrization z = a W / sqrt(n_in) + b (Jacot et al. 2018): with W of variance 1 a
    step of one size suits layers of any width.

    Parameters
    ----------
    n_out : int
        Its width, n_l.
    activation : str, optional
        f. None means identity; the last layer leaves it out, because the loss brings its own.
    bias : bool or sequence of bool
        Whether there is a b; or for each neuron whether it has one.
    initializer : str, optional
        How W is drawn; None takes the one that suits the activation, or in NTK parametrization
        "standard_normal".
    parametrization : {"standard", "ntk"}
        Whether the products are divided by sqrt(n_in).
    bias_initializer : {"zeros", "standard_normal"}
        How b is drawn.
    learning_rate_factor, bias_learning_rate_factor : float
        What the learning rate is multiplied by for W, and for b; 0 leaves them as they are.
    """

    n_out: int
    activation: str | None = None
    bias: bool | tuple[bool, ...] = True
    initializer: str | None = None
    parametrization: str = "standard"
    bias_initializer: str = "zeros"
    learning_rate_factor: float = 1.0
    bias_learning_rate_factor: float = 1.0

    kind: ClassVar[str] = "dense"
    names: ClassVar[Mapping[str, str]] = {}
    latex: ClassVar[str] = r"z = a W + b"
    doc: ClassVar[str] = (
        "every number from all that come in; "
        "divided by the root of their number in NTK parametrization"
    )
    arrays: ClassVar[tuple[str, ...]] = ("W", "b")
    penalized: ClassVar[tuple[str, ...]] = ("W",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_out", positive_int(self.n_out, "The width of a Dense layer"))
        if self.activation is not None:
            ACTIVATIONS[self.activation]
        if self.initializer is not None:
            INITIALIZERS[self.initializer]
        object.__setattr__(self, "bias", _which(self.bias, self.n_out))
        if self.parametrization not in PARAMETRIZATIONS:
            raise SettingError(
                f"parametrization is {self.parametrization!r}; it is one of "
                f"{', '.join(PARAMETRIZATIONS)}."
            )
        if self.bias_initializer not in ("zeros", "standard_normal"):
            raise SettingError(
                f"bias_initializer is {self.bias_initializer!r}; it is zeros or standard_normal."
            )
        for name in ("learning_rate_factor", "bias_learning_rate_factor"):
            object.__setattr__(self, name, at_least_zero(getattr(self, name), name))

    def width(self, n_in: int) -> int:
        """Return n_out."""
        return self.n_out

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return {"W": (n_in, n_out)}, with "b": (n_out,) where there is a bias."""
        shapes: dict[str, tuple[int, ...]] = {"W": (n_in, self.n_out)}
        if self.bias:
            shapes["b"] = (self.n_out,)
        return shapes

    def absent(self, name: str) -> tuple[int, ...]:
        """Return which entries of an array there are not: of b, those of neurons without a bias."""
        if name != "b" or isinstance(self.bias, bool):
            return ()
        return tuple(j for j, has_one in enumerate(self.bias) if not has_one)

    def learning_rate_factor_of(self, name: str) -> float:
        """Return the factor of W or b."""
        return self.learning_rate_factor if name == "W" else self.bias_learning_rate_factor

    def scale(self, n_in: int) -> float:
        """Return what products are multiplied by: 1, or 1 / sqrt(n_in)."""
        return 1.0 if self.parametrization == "standard" else 1.0 / sqrt(n_in)

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return W and b drawn by their initializers."""
        arrays = {"W": INITIALIZERS[self._initializer()].draw(rng, n_in, self.n_out)}
        if self.bias:
            arrays["b"] = INITIALIZERS[self.bias_initializer].draw(rng, 1, self.n_out)[0]
            arrays["b"][list(self.absent("b"))] = 0.0
        return arrays

    def _initializer(self) -> str:
        if self.initializer is not None:
            return self.initializer
        if self.parametrization == "ntk":
            return "standard_normal"
        return ACTIVATIONS[self.activation or "identity"].initializer

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return z = a W + b, of shape (n, n_out)."""
        z: Array = a @ parameters["W"]
        if self.parametrization != "standard":
            z *= self.scale(a.shape[1])
        if self.bias:
            z += parameters["b"]
        return z

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return delta W^T, and dL/dW = a^T delta with dL/db = sum of delta over samples."""
        gradients = {"W": a.T @ delta}
        if self.bias:
            gradients["b"] = delta.sum(axis=0)
        below: Array = delta @ parameters["W"].T
        if self.parametrization != "standard":
            gradients["W"] *= self.scale(a.shape[1])
            below *= self.scale(a.shape[1])
        return below, gradients

    def equations(self, n_in: int) -> Iterator[Equation]:
        """Yield z = a W + b, dL/da = delta W^T, dL/dW = a^T delta, dL/db = sum of delta."""
        by = "" if self.parametrization == "standard" else f"1 / sqrt({n_in}) * "
        yield Equation("z", f"{by}a @ W + b" if self.bias else f"{by}a @ W")
        yield Equation("below", f"{by}delta @ W.T")
        yield Equation("W", f"{by}a.T @ delta")
        if self.bias:
            yield Equation("b", "sum(delta)")


def _which(bias: object, n_out: int) -> bool | tuple[bool, ...]:
    """Return whether all neurons have a bias, or none; else for each whether it has one."""
    if isinstance(bias, bool | np.bool_):
        return bool(bias)
    each = tuple(bias) if isinstance(bias, list | tuple | np.ndarray) and np.ndim(bias) else ()
    if len(each) != n_out or not all(isinstance(one, bool | np.bool_) for one in each):
        raise SettingError(
            f"bias is {shown(bias)}; expected True or False, or a list with one of them for each "
            f"of the {n_out} neurons."
        )
    return tuple(map(bool, each)) if any(each) and not all(each) else all(each)
