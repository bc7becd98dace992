"""PeriodicEmbedding: every number as itself and a few learnt waves of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import at_least_zero, positive, positive_int
from deltaprop.model.layers.base import Array, Equation, LayerArrays, Part, require_width

__all__ = ["PeriodicEmbedding"]


@dataclass(frozen=True)
class PeriodicEmbedding:
    """The first columns, each as itself and as mixtures of learnt waves of it.

    Column c becomes 1 + K numbers: a_c, and for k = 1, ..., K
    z_ck = sum over h of V_chk cos(omega_ch a_c + phi_ch) + v_ck. Further columns pass unchanged
    (the PBLD embedding of RealMLP, Holzmüller et al. 2024; after Gorishniy et al. 2022).

    Parameters
    ----------
    n_columns : int
        How many of the columns that come in, the first ones.
    n_waves : int
        Waves of each column, h = 1, ..., n_waves.
    n_mixtures : int
        K.
    deviation : float
        The standard deviation of a wave's frequency, omega / (2 pi), at the start.
    learning_rate_factor : float
        What the learning rate is multiplied by for V, v and phi, and with a further 2 pi for
        omega, so that a frequency moves as much.
    """

    n_columns: int
    n_waves: int = 16
    n_mixtures: int = 3
    deviation: float = 0.1
    learning_rate_factor: float = 1.0

    kind: ClassVar[str] = "periodic_embedding"
    names: ClassVar[Mapping[str, str]] = {"en": "periodic embedding", "zh": "周期嵌入"}
    latex: ClassVar[str] = r"z_{ck} = \sum_h V_{chk} \cos(\omega_{ch} a_c + \varphi_{ch}) + v_{ck}"
    doc: ClassVar[str] = "each column beside mixtures of learnt waves of it"
    arrays: ClassVar[tuple[str, ...]] = ("omega", "phi", "V", "v")
    penalized: ClassVar[tuple[str, ...]] = ("V",)
    activation: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        for name in ("n_columns", "n_waves", "n_mixtures"):
            object.__setattr__(self, name, positive_int(getattr(self, name), name))
        object.__setattr__(self, "deviation", at_least_zero(self.deviation, "deviation"))
        factor = positive(self.learning_rate_factor, "learning_rate_factor")
        object.__setattr__(self, "learning_rate_factor", factor)

    def width(self, n_in: int) -> int:
        """Return n_in, and n_mixtures more for each embedded column."""
        require_width(self, n_in, self.n_columns, "columns")
        return n_in + self.n_columns * self.n_mixtures

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return those of omega, phi (C, H), V (C, H, K) and v (C, K)."""
        waves = (self.n_columns, self.n_waves)
        mixtures = (self.n_columns, self.n_mixtures)
        return {"omega": waves, "phi": waves, "V": (*waves, self.n_mixtures), "v": mixtures}

    def learning_rate_factor_of(self, name: str) -> float:
        """Return the factor of an array."""
        return self.learning_rate_factor * (2.0 * pi if name == "omega" else 1.0)

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return normal frequencies, uniform phases, and V and v in +-1 / sqrt(H)."""
        shapes, bound = self.shapes(n_in), 1.0 / sqrt(self.n_waves)
        return {
            "omega": 2.0 * pi * rng.normal(0.0, self.deviation, shapes["omega"]),
            "phi": rng.uniform(-pi, pi, shapes["phi"]),
            "V": rng.uniform(-bound, bound, shapes["V"]),
            "v": rng.uniform(-bound, bound, shapes["v"]),
        }

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return each column beside its mixtures, and the further columns."""
        n, numbers = len(a), a[:, : self.n_columns]
        waves = np.cos(self._angles(parameters, numbers))
        mixtures = np.einsum("nch,chk->nck", waves, parameters["V"]) + parameters["v"]
        embedded = np.concatenate([numbers[:, :, None], mixtures], axis=2)
        return np.concatenate([embedded.reshape(n, -1), a[:, self.n_columns :]], axis=1)

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return dL/da, and the gradients by frequencies, phases and mixtures."""
        n, C, per_column = len(a), self.n_columns, 1 + self.n_mixtures
        numbers = a[:, :C]
        angles = self._angles(parameters, numbers)
        own = delta[:, : C * per_column].reshape(n, C, per_column)
        of_mixtures = own[:, :, 1:]
        of_angles = -np.sin(angles) * np.einsum("nck,chk->nch", of_mixtures, parameters["V"])
        gradients = {
            "omega": np.einsum("nch,nc->ch", of_angles, numbers),
            "phi": of_angles.sum(axis=0),
            "V": np.einsum("nch,nck->chk", np.cos(angles), of_mixtures),
            "v": of_mixtures.sum(axis=0),
        }
        below = own[:, :, 0] + np.einsum("nch,ch->nc", of_angles, parameters["omega"])
        return np.concatenate([below, delta[:, C * per_column :]], axis=1), gradients

    def _angles(self, parameters: LayerArrays, numbers: Array) -> Array:
        angles: Array = numbers[:, :, None] * parameters["omega"] + parameters["phi"]
        return angles

    def equations(self, n_in: int) -> Iterator[Equation]:
        """Yield z, dL/da and the gradients of each column, with its row of each array."""
        C, per_column = self.n_columns, 1 + self.n_mixtures
        for c in range(C):
            first = c * per_column
            of = {name: Part(name, c, c + 1) for name in ("a", *self.arrays)}
            of["delta"] = Part("delta", first + 1, first + per_column)
            of["own"] = Part("delta", first, first + 1)  # of the column as itself
            of_waves = "delta @ V.T * sin(a @ omega + phi)"
            yield Equation("z", "a", first, first + 1, of)
            mixtures = "cos(a @ omega + phi) @ V + v"
            yield Equation("z", mixtures, first + 1, first + per_column, of)
            for left, formula in (
                ("below", f"own - ({of_waves}) @ omega.T"),
                ("omega", f"-(a.T @ ({of_waves}))"),
                ("phi", f"-sum({of_waves})"),
                ("V", "cos(a @ omega + phi).T @ delta"),
                ("v", "sum(delta)"),
            ):
                yield Equation(left, formula, c, c + 1, of)
        if n_in > C:
            start, stop = C * per_column, self.width(n_in)
            of = {"a": Part("a", C, n_in), "delta": Part("delta", start, stop)}
            yield Equation("z", "a", start, stop, of)
            yield Equation("below", "delta", C, n_in, of)
