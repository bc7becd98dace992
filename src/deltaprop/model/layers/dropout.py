"""Dropout: incoming activations set to zero at random, in training only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import from_zero_below_one
from deltaprop.model.layers.base import Array

__all__ = ["Dropout"]

_STEPS = 1 << 32  # how finely a probability of dropping is met


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
    latex: ClassVar[str] = r"a \leftarrow a m"
    doc: ClassVar[str] = "numbers set to zero at random, in training only (Srivastava et al. 2014)"

    def __post_init__(self) -> None:
        p = from_zero_below_one(self.drop_probability, "drop_probability")
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
