"""One forward/backward pair per kind of layer.

A layer is a frozen description. Its ``forward`` and ``backward`` are pure: parameters come in as
a mapping of arrays, and what the backward pass needs to remember is passed to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.settings import positive_int, share

__all__ = ["LAYERS", "Dense", "Dropout", "Layer", "LayerArrays"]

Array = npt.NDArray[np.float64]
LayerArrays: TypeAlias = Mapping[str, Array]


class Layer(Protocol):
    """A numbered layer: parameters, an affine or other map to z, then an activation.

    ``penalized`` names the arrays that L2, L1 and weight decay apply to.
    """

    kind: ClassVar[str]
    penalized: ClassVar[tuple[str, ...]]

    @property
    def n_out(self) -> int:
        """Return the width of the layer."""

    @property
    def activation(self) -> str | None:
        """Return the name of f, or None for identity (or, in the last layer, the loss's own)."""

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each of its arrays, in the order they stand in the flat vector."""

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return initial arrays."""

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return z for the incoming activations a."""

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return dL/da and the gradient by each array, from delta = dL/dz."""


_STEPS = 1 << 32  # how finely a probability of dropping is met


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: z = a W + b, then a^l = f(z).

    Parameters
    ----------
    n_out : int
        Its width, n_l.
    activation : str, optional
        f. None means identity; the last layer leaves it out, because the loss brings its own.
    bias : bool
        Whether there is a b.
    initializer : str, optional
        How W is drawn; None takes the one that suits the activation. b starts at 0.
    """

    n_out: int
    activation: str | None = None
    bias: bool = True
    initializer: str | None = None

    kind: ClassVar[str] = "dense"
    penalized: ClassVar[tuple[str, ...]] = ("W",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_out", positive_int(self.n_out, "The width of a Dense layer"))
        if self.activation is not None:
            ACTIVATIONS[self.activation]
        if self.initializer is not None:
            INITIALIZERS[self.initializer]
        if not isinstance(self.bias, (bool, np.bool_)):
            raise SettingError(f"bias is {self.bias!r}; expected True or False.")

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return {"W": (n_in, n_out)}, with "b": (n_out,) where there is a bias."""
        shapes: dict[str, tuple[int, ...]] = {"W": (n_in, self.n_out)}
        if self.bias:
            shapes["b"] = (self.n_out,)
        return shapes

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return W drawn by the initializer, and b = 0."""
        name = self.initializer or ACTIVATIONS[self.activation or "identity"].initializer
        arrays = {"W": INITIALIZERS[name].draw(rng, n_in, self.n_out)}
        if self.bias:
            arrays["b"] = np.zeros(self.n_out)
        return arrays

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return z = a W + b, of shape (n, n_out)."""
        z: Array = a @ parameters["W"]
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
        return delta @ parameters["W"].T, gradients


@dataclass(frozen=True)
class Dropout:
    """Zero each incoming activation with a probability, in training only.

    What is kept is divided by 1 - drop_probability, so that prediction needs no correction
    (Srivastava et al. 2014). It has no number of its own: it acts on the input of the next layer.

    Parameters
    ----------
    drop_probability : float
        In [0, 1).
    """

    drop_probability: float

    kind: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        p = share(self.drop_probability, "drop_probability")
        object.__setattr__(self, "drop_probability", p)

    def draw_mask(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return a mask of 0 and 1 / (1 - drop_probability).

        Each number takes 32 bits of the generator's stream, in whole words of 64, so that engines
        can draw any of them by its place. The probability is met to 2**-32.
        """
        n, limit = int(np.prod(shape)), self.threshold
        drawn = np.frombuffer(rng.bytes(8 * -(-n // 2)), dtype="<u4")[:n]
        mask: Array = (drawn >= limit) / (1.0 - self.drop_probability)
        return mask.reshape(shape)

    @property
    def threshold(self) -> int:
        """Return how many of 2**32 draws drop."""
        if self.drop_probability == 0:
            return 0
        return min(max(round(self.drop_probability * _STEPS), 1), _STEPS - 1)


LAYERS: dict[str, type[Dense | Dropout]] = {"dense": Dense, "dropout": Dropout}
