"""CategoryEmbedding: every category as a few learnt numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.functional.settings import positive, positive_int
from deltaprop.model.layers.base import Array, Equation, LayerArrays, Part, require_width

__all__ = ["CategoryEmbedding"]


@dataclass(frozen=True)
class CategoryEmbedding:
    """The last columns, one-hot in groups, each group as the vector of its category.

    A group of m columns becomes ``dimension`` numbers: z_gk = sum over the group's i of a_i E_ik.
    A row that is one-hot picks the row of E of its category; one without a category gives zeros.
    Earlier columns pass unchanged (entity embeddings, Guo & Berkhahn 2016).

    Parameters
    ----------
    sizes : sequence of int
        The number of columns of each group: its categories.
    dimension : int
        Numbers of a category.
    learning_rate_factor : float
        What the learning rate is multiplied by for E.
    """

    sizes: tuple[int, ...]
    dimension: int = 8
    learning_rate_factor: float = 1.0

    kind: ClassVar[str] = "category_embedding"
    names: ClassVar[Mapping[str, str]] = {"en": "category embedding", "zh": "类别嵌入"}
    latex: ClassVar[str] = r"z_{gk} = \sum_{i \in g} a_i E_{ik}"
    doc: ClassVar[str] = "the category of each one-hot group as a few learnt numbers"
    arrays: ClassVar[tuple[str, ...]] = ("E",)
    penalized: ClassVar[tuple[str, ...]] = ("E",)
    activation: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        given: object = self.sizes
        if not isinstance(given, list | tuple) or not given:
            raise SettingError(
                f"sizes is {self.sizes!r}; expected the number of categories of each group, such "
                "as (12, 40)."
            )
        sizes = tuple(positive_int(size, "The number of categories") for size in self.sizes)
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "dimension", positive_int(self.dimension, "dimension"))
        factor = positive(self.learning_rate_factor, "learning_rate_factor")
        object.__setattr__(self, "learning_rate_factor", factor)

    def width(self, n_in: int) -> int:
        """Return the columns that pass, and ``dimension`` for each group."""
        require_width(self, n_in, sum(self.sizes), "one-hot columns")
        return n_in - sum(self.sizes) + len(self.sizes) * self.dimension

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return {"E": (sum of sizes, dimension)}."""
        return {"E": (sum(self.sizes), self.dimension)}

    def learning_rate_factor_of(self, name: str) -> float:
        """Return the factor of E."""
        return self.learning_rate_factor

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return E of variance 1."""
        return {"E": rng.normal(size=(sum(self.sizes), self.dimension))}

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return the columns that pass beside a E of each group."""
        parts = [a[:, : self._passed(a.shape[1])]]
        parts += [
            a[:, columns] @ parameters["E"][rows] for rows, columns, _ in self.groups(a.shape[1])
        ]
        return np.concatenate(parts, axis=1)

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return delta E^T of each group, and dL/dE = a^T delta."""
        passed = self._passed(a.shape[1])
        below, E = np.empty_like(a), np.empty_like(parameters["E"])
        below[:, :passed] = delta[:, :passed]
        for rows, columns, outputs in self.groups(a.shape[1]):
            below[:, columns] = delta[:, outputs] @ parameters["E"][rows].T
            E[rows] = a[:, columns].T @ delta[:, outputs]
        return below, {"E": E}

    def _passed(self, n_in: int) -> int:
        return n_in - sum(self.sizes)

    def groups(self, n_in: int) -> list[tuple[slice, slice, slice]]:
        """Return, for each group, its rows of E, its columns of a and its columns of z."""
        passed, row = self._passed(n_in), 0
        groups = []
        for number, size in enumerate(self.sizes):
            out = passed + number * self.dimension
            groups.append(
                (
                    slice(row, row + size),
                    slice(passed + row, passed + row + size),
                    slice(out, out + self.dimension),
                )
            )
            row += size
        return groups

    def equations(self, n_in: int) -> Iterator[Equation]:
        """Yield z = a, dL/da = delta where columns pass; z = a E and its kin for each group."""
        passed = self._passed(n_in)
        if passed:
            yield Equation("z", "a", 0, passed, {"a": Part("a", 0, passed)})
            yield Equation("below", "delta", 0, passed, {"delta": Part("delta", 0, passed)})
        for rows, columns, outputs in self.groups(n_in):
            of = {
                "a": Part("a", columns.start, columns.stop),
                "delta": Part("delta", outputs.start, outputs.stop),
                "E": Part("E", rows.start, rows.stop),
            }
            yield Equation("z", "a @ E", outputs.start, outputs.stop, of)
            yield Equation("below", "delta @ E.T", columns.start, columns.stop, of)
            yield Equation("E", "a.T @ delta", rows.start, rows.stop, of)
