"""Going on with more digits than are written: which numbers somebody may have kept on the way.

Where the digits of an answer are asked for, it is said with how many to work. So a number is made
from the page, or from what was kept of a number that is rounded there, with so many digits; and a
page tells what was kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from deltaprop.checking.precision import Claim
from deltaprop.model.layers import ARRAYS

__all__ = ["DRAWS", "WAYS", "Kept", "halves", "is_result", "moved_by"]

Array = npt.NDArray[np.float64]

DRAWS = 12
_SIGMAS = 2.5  # of half a unit either way, each number by itself; 4.3 of what rounding really does
_KINDS = (("z",), ("a",), ("delta", *(f"d{name}" for name in ARRAYS)))
# which quantities are kept: none, ..., all
WAYS = tuple(
    frozenset(name for kind in kinds for name in kind)
    for count in range(len(_KINDS) + 1)
    for kinds in combinations(_KINDS, count)
)


@lru_cache(maxsize=4096)
def is_result(key: str) -> bool:
    """Return whether a quantity is worked out, not given."""
    return key.partition(".")[0] not in ARRAYS or key.endswith(".after")


@lru_cache(maxsize=512)
def halves(key: str, shape: tuple[int, ...]) -> Array:
    """Return for every draw and number a half, up or down; the same ones each time."""
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    return np.asarray(rng.integers(0, 2, size=(DRAWS, *shape)) - 0.5, dtype=np.float64)


def moved_by(draws: Sequence[Array], number: Array) -> tuple[Array, Array]:
    """Return how unsure numbers are, and how far a draw moves them, where that is finite."""
    with np.errstate(all="ignore"):
        moved = np.abs(np.array(draws) - number)
    moved[~np.isfinite(moved)] = 0.0
    return _SIGMAS * np.sqrt((moved**2).mean(axis=0)), moved.max(axis=0)


@dataclass(frozen=True, eq=False)
class Kept:
    """Goes on with some quantities as they are on the page, and with others as they were kept.

    Attributes
    ----------
    claims : dict of str to Claim
        What is on the page, by quantity.
    asked, kept : callable
        The unit in the last place of numbers as they are asked for, and as they are kept.
    names : frozenset of str
        The quantities that are kept: "z", "delta".
    factor : callable
        What a quantity is multiplied by where it is written.
    draw : int, optional
        Which one: it moves each number half a unit up or down, as far as it is not sure.
    """

    claims: Mapping[str, Claim]
    asked: Callable[[Array], Array]
    kept: Callable[[Array], Array]
    names: frozenset[str]
    factor: Callable[[str], float]
    draw: int | None = None

    def instead_of(self, key: str, computed: Array) -> Array:
        """Return what the working goes on with."""
        claim, half, page = self.claims.get(key), 0.0, computed
        by = abs(self.factor(key))
        if is_result(key):
            half = 0.0 if self.draw is None else halves(key, computed.shape)[self.draw]
            unit = self.asked(computed * by) / by
            page = np.round(computed / unit) * unit
        if claim is not None:
            page = np.where(np.isnan(claim.values), page, claim.values + half * claim.units)
        if not is_result(key) or key.partition(".")[0] not in self.names:
            return page
        kept = computed + half * self.kept(computed * by) / by  # what is written may be it, rounded
        return kept if claim is None else np.where(claim.close(computed), kept, page)

    def ahead(self, key: str, computed: Array) -> Array:
        """Return a quantity as it is written, for whoever takes it where another one belongs."""
        return self.instead_of(key, computed) * self.factor(key)
