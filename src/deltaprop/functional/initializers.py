"""Initial weights: one registry row each, drawn from a generator that the caller passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.registry import Registry

__all__ = ["INITIALIZERS", "Initializer", "register_initializer"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Initializer:
    """One row: how the weights of a layer are drawn.

    Parameters
    ----------
    name : str
        What it is called in ``Dense(initializer=...)``.
    draw : callable
        ``draw(rng, n_in, n_out) -> W`` of shape (n_in, n_out).
    doc : str
        The distribution and its source.
    latex : str
        The same as a formula.
    """

    name: str
    draw: Callable[[np.random.Generator, int, int], Array]
    doc: str
    latex: str = ""


Variance: TypeAlias = Callable[[int, int], float]


def _normal(variance: Variance) -> Callable[..., Array]:
    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        return rng.normal(scale=np.sqrt(variance(n_in, n_out)), size=(n_in, n_out))

    return draw


def _uniform(variance: Variance) -> Callable[..., Array]:
    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        limit = np.sqrt(3.0 * variance(n_in, n_out))  # U(-r, r) has variance r^2 / 3
        return rng.uniform(-limit, limit, size=(n_in, n_out))

    return draw


def _orthogonal(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    q, r = np.linalg.qr(rng.normal(size=(max(n_in, n_out), min(n_in, n_out))))
    q = q * np.sign(np.diag(r))  # without this the distribution is not uniform
    return q if n_in >= n_out else q.T


def _check_shape(row: Initializer) -> None:
    for shape in ((1, 1), (3, 5), (5, 3)):
        drawn = np.asarray(row.draw(np.random.default_rng(0), *shape))
        if drawn.shape != shape or not np.isfinite(drawn).all():
            raise SettingError(
                f"Initializer {row.name!r} gives shape {drawn.shape} where finite weights of "
                f"shape {shape} were expected."
            )


_N, _U = r"\mathcal{N}\left(0, %s\right)", r"\mathcal{U}\left(-\sqrt{%s}, \sqrt{%s}\right)"
_IN, _SUM = r"n_\text{in}", r"n_\text{in} + n_\text{out}"


def _both(name: str, variance: Variance, doc: str, above: int, below: str) -> list[Initializer]:
    """Return the uniform and the normal distribution of variance ``above`` / ``below``."""
    limit = rf"\frac{{{3 * above}}}{{{below}}}"
    return [
        Initializer(f"{name}_uniform", _uniform(variance), doc, _U % (limit, limit)),
        Initializer(f"{name}_normal", _normal(variance), doc, _N % rf"\frac{{{above}}}{{{below}}}"),
    ]


_BUILT_IN = (
    *_both("glorot", lambda i, o: 2.0 / (i + o), "variance 2/(n_in + n_out), Glorot 2010", 2, _SUM),
    *_both("he", lambda i, _o: 2.0 / i, "variance 2/n_in, He 2015", 2, _IN),
    *_both("lecun", lambda i, _o: 1.0 / i, "variance 1/n_in, LeCun 1998", 1, _IN),
    Initializer("standard_normal", _normal(lambda _i, _o: 1.0), "variance 1", _N % "1"),
    Initializer(
        "orthogonal", _orthogonal, "orthonormal rows or columns, Saxe 2014", r"W^T W = I"
    ),
    Initializer(
        "zeros", lambda _rng, i, o: np.zeros((i, o)), "all zero; for output layers only", "0"
    ),
)  # fmt: skip

INITIALIZERS: Registry[Initializer] = Registry("initializer", _BUILT_IN, _check_shape)

register_initializer = INITIALIZERS.register
