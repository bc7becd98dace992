"""Initial weights: one registry row each, drawn from a generator that the caller passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


def _normal(variance: Callable[[int, int], float]) -> Callable[..., Array]:
    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        return rng.normal(scale=np.sqrt(variance(n_in, n_out)), size=(n_in, n_out))

    return draw


def _uniform(variance: Callable[[int, int], float]) -> Callable[..., Array]:
    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        limit = np.sqrt(3.0 * variance(n_in, n_out))  # U(-r, r) has variance r^2 / 3
        return rng.uniform(-limit, limit, size=(n_in, n_out))

    return draw


def _zeros(_rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    return np.zeros((n_in, n_out))


def _orthogonal(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    q, r = np.linalg.qr(rng.normal(size=(max(n_in, n_out), min(n_in, n_out))))
    q = q * np.sign(np.diag(r))  # without this the distribution is not uniform
    return q if n_in >= n_out else q.T


def _glorot(n_in: int, n_out: int) -> float:
    return 2.0 / (n_in + n_out)


def _he(n_in: int, _n_out: int) -> float:
    return 2.0 / n_in


def _lecun(n_in: int, _n_out: int) -> float:
    return 1.0 / n_in


def _check_shape(row: Initializer) -> None:
    for shape in ((1, 1), (3, 5), (5, 3)):
        drawn = np.asarray(row.draw(np.random.default_rng(0), *shape))
        if drawn.shape != shape or not np.isfinite(drawn).all():
            raise SettingError(
                f"Initializer {row.name!r} gives shape {drawn.shape} where finite weights of "
                f"shape {shape} were expected."
            )


_N, _U = r"\mathcal{N}\left(0, %s\right)", r"\mathcal{U}\left(-\sqrt{%s}, \sqrt{%s}\right)"
_SUM = r"n_\text{in} + n_\text{out}"
_IN = r"n_\text{in}"

_BUILT_IN = (
    Initializer(
        "glorot_uniform", _uniform(_glorot), "variance 2/(n_in + n_out), Glorot 2010",
        _U % ((rf"\frac{{6}}{{{_SUM}}}",) * 2),
    ),
    Initializer(
        "glorot_normal", _normal(_glorot), "variance 2/(n_in + n_out), Glorot 2010",
        _N % rf"\frac{{2}}{{{_SUM}}}",
    ),
    Initializer(
        "he_uniform", _uniform(_he), "variance 2/n_in, He 2015",
        _U % ((rf"\frac{{6}}{{{_IN}}}",) * 2),
    ),
    Initializer(
        "he_normal", _normal(_he), "variance 2/n_in, He 2015", _N % rf"\frac{{2}}{{{_IN}}}"
    ),
    Initializer(
        "lecun_uniform", _uniform(_lecun), "variance 1/n_in, LeCun 1998",
        _U % ((rf"\frac{{3}}{{{_IN}}}",) * 2),
    ),
    Initializer(
        "lecun_normal", _normal(_lecun), "variance 1/n_in, LeCun 1998",
        _N % rf"\frac{{1}}{{{_IN}}}",
    ),
    Initializer("standard_normal", _normal(lambda _i, _o: 1.0), "variance 1", _N % "1"),
    Initializer(
        "orthogonal", _orthogonal, "orthonormal rows or columns, Saxe 2014", r"W^T W = I"
    ),
    Initializer("zeros", _zeros, "all zero; for output layers only", "0"),
)  # fmt: skip

INITIALIZERS: Registry[Initializer] = Registry("initializer", _BUILT_IN, _check_shape)

register_initializer = INITIALIZERS.register
