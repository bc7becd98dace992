"""How each kind of layer is written as matrices: forward, back, and its gradients.

What falls into blocks, a column with its waves or the categories of one column, is told block by
block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.names import PER_SAMPLE, Ref
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.arithmetic import Expression
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import (
    CategoryEmbedding,
    Dense,
    ParametricActivation,
    PeriodicEmbedding,
    Scaling,
)

__all__ = ["FORMS", "Block", "Form", "Piece", "Place", "Worked", "blocks_of", "folded"]

Array = npt.NDArray[np.float64]
Worked = Callable[[Sequence[Array]], Array]


@dataclass(frozen=True)
class Piece:
    """An array, or a part of one, as an operand; see ``Term``."""

    before: str
    ref: Ref
    values: Array
    transposed: bool = False
    applied: str = ""
    factor: Ref | None = None
    by: float = 1.0
    function: Callable[[Array], Array] | None = None
    scale: Expression | None = None
    part: str = ""
    origin: tuple[int, ...] = (0, 0)
    opens: tuple[str, ...] = ()
    closes: tuple[bool, ...] = ()

    @property
    def T(self) -> Piece:  # noqa: N802 - as NumPy calls it
        """Return it transposed."""
        return replace(self, values=self.values.T, transposed=True)


@dataclass(frozen=True)
class Block:
    """Some rows or columns of a result, and what they are made of.

    Attributes
    ----------
    start, stop : int
        Which: columns of z or dL/da, or what ``Form.gradient`` says.
    pieces : tuple of Piece
        The operands.
    worked : callable
        What they come to.
    """

    start: int
    stop: int
    pieces: tuple[Piece, ...]
    worked: Worked


def folded(pieces: Sequence[Piece]) -> Worked:
    """Return what pieces without parentheses come to: products first, from left to right."""
    joints = [piece.before for piece in pieces]

    def worked(values: Sequence[Array]) -> Array:
        total: Any = 0.0
        product: Any = None
        sign = 1.0
        for joint, value in zip(joints, values, strict=True):
            if product is None:
                product = value
            elif joint in ("+", "-"):
                total, product = total + sign * product, value
                sign = 1.0 if joint == "+" else -1.0
            else:
                product = product * value if joint == "*" else product @ value
        result: Array = total + sign * product
        return result

    return worked


@dataclass(frozen=True)
class Place:
    """A layer within a step: what its equations are made of.

    Attributes
    ----------
    trace : Trace
        The step.
    layer : int
        From 1.
    """

    trace: Trace
    layer: int

    @property
    def n_in(self) -> int:
        """Return how many numbers the layer reads."""
        return self.trace.network.sizes[self.layer - 1]

    def a(self, before: str = "", start: int = 0, stop: int | None = None, **more: Any) -> Piece:
        """Return what the layer reads, or some columns of it."""
        if self.trace.masks[self.layer - 1] is not None:
            ref = Ref("kept", self.layer)
        else:
            ref = Ref("a", self.layer - 1) if self.layer > 1 else Ref("x")
        return self._columns(before, ref, self.trace.inputs[self.layer - 1], start, stop, **more)

    def delta(self, before: str = "", start: int = 0, stop: int | None = None, **m: Any) -> Piece:
        """Return delta of the layer, or some columns of it."""
        values = self.trace.delta[self.layer - 1]
        return self._columns(before, Ref("delta", self.layer), values, start, stop, **m)

    def _columns(
        self, before: str, ref: Ref, values: Array, start: int, stop: int | None, **more: Any
    ) -> Piece:
        stop = values.shape[1] if stop is None else stop
        whole = stop - start == values.shape[1]
        part = "" if whole else self.part(ref, start, stop)
        return Piece(before, ref, values[:, start:stop], part=part, origin=(0, start), **more)

    def part(self, ref: Ref, start: int, stop: int) -> str:
        """Return how some columns are called; a dot stands for all samples."""
        every = "·" if ref.quantity in PER_SAMPLE and len(self.trace.shares) > 1 else ""
        return every + (str(stop) if stop == start + 1 else f"{start + 1}…{stop}")

    def array(self, name: str, before: str = "", **more: Any) -> Piece:
        """Return one of the layer's arrays; one of a single index as a row."""
        values = self.trace.parameters.layers[self.layer - 1][name]
        origin = (0,) * values.ndim
        return Piece(
            before, Ref(name, self.layer), np.atleast_2d(values), **{"origin": origin, **more}
        )


class Form(Protocol):
    """The equations of one kind of layer."""

    def forward(self, layer: Any, at: Place) -> Iterator[Block]:
        """Yield z, by columns."""

    def below(self, layer: Any, at: Place) -> Iterator[Block]:
        """Yield dL/da of what comes in, by columns."""

    def gradient(self, layer: Any, at: Place, name: str) -> Iterator[Block]:
        """Yield the gradient by an array: by rows, or by the first index of what has several."""


def _block(start: int, stop: int, *pieces: Piece, worked: Worked | None = None) -> Block:
    return Block(start, stop, pieces, worked or folded(pieces))


class _Dense:
    def forward(self, layer: Dense, at: Place) -> Iterator[Block]:
        pieces = [at.a(scale=layer.factor(at.n_in)), at.array("W")]
        if layer.bias:
            pieces.append(at.array("b", "+"))
        yield _block(0, layer.n_out, *pieces)

    def below(self, layer: Dense, at: Place) -> Iterator[Block]:
        yield _block(0, at.n_in, at.delta(scale=layer.factor(at.n_in)), at.array("W").T)

    def gradient(self, layer: Dense, at: Place, name: str) -> Iterator[Block]:
        if name == "W":
            yield _block(0, at.n_in, at.a(scale=layer.factor(at.n_in)).T, at.delta())
        else:
            yield _block(0, 1, at.delta(applied="sum", function=_over_samples))


class _Scaling:
    def forward(self, layer: Scaling, at: Place) -> Iterator[Block]:
        yield _block(0, at.n_in, at.a(), at.array("s", "*"))

    def below(self, layer: Scaling, at: Place) -> Iterator[Block]:
        yield _block(0, at.n_in, at.delta(), at.array("s", "*"))

    def gradient(self, layer: Scaling, at: Place, name: str) -> Iterator[Block]:
        pieces = at.a(opens=("sum",)), at.delta("*", closes=(False,))
        yield _block(0, 1, *pieces, worked=lambda v: _over_samples(v[0] * v[1]))


class _ParametricActivation:
    def forward(self, layer: ParametricActivation, at: Place) -> Iterator[Block]:
        yield _block(
            0, at.n_in,
            at.a(), at.array("alpha", "+"), self._f(layer, at, "*", ("",)),
            at.a("-", closes=(False,)),
            worked=lambda v: v[0] + v[1] * (v[2] - v[3]),
        )  # fmt: skip

    def below(self, layer: ParametricActivation, at: Place) -> Iterator[Block]:
        row = ACTIVATIONS[layer.function]
        a = at.a("*", opens=("",), applied=f"{layer.function}'")
        slope = replace(a, values=row.f_prime(a.values, row.f(a.values)))
        yield _block(
            0, at.n_in,
            at.delta(), _one("*", opens=("",)), at.array("alpha", "+"), slope,
            _one("-", closes=(False, False)),
            worked=lambda v: v[0] * (1.0 + v[2] * (v[3] - 1.0)),
        )  # fmt: skip

    def gradient(self, layer: ParametricActivation, at: Place, name: str) -> Iterator[Block]:
        yield _block(
            0, 1,
            self._f(layer, at, "", ("sum", "")), at.a("-", closes=(False,)),
            at.delta("*", closes=(False,)),
            worked=lambda v: _over_samples((v[0] - v[1]) * v[2]),
        )  # fmt: skip

    def _f(
        self, layer: ParametricActivation, at: Place, before: str, opens: tuple[str, ...]
    ) -> Piece:
        a = at.a(before, opens=opens, applied=layer.function)
        return replace(a, values=ACTIVATIONS[layer.function].f(a.values))


class _CategoryEmbedding:
    def forward(self, layer: CategoryEmbedding, at: Place) -> Iterator[Block]:
        passed = at.n_in - sum(layer.sizes)
        if passed:
            yield _block(0, passed, at.a(stop=passed))
        for rows, columns, outputs in layer.groups(at.n_in):
            a = at.a("", columns.start, columns.stop)
            yield _block(outputs.start, outputs.stop, a, self._of_group(at, rows))

    def below(self, layer: CategoryEmbedding, at: Place) -> Iterator[Block]:
        passed = at.n_in - sum(layer.sizes)
        if passed:
            yield _block(0, passed, at.delta(stop=passed))
        for rows, columns, outputs in layer.groups(at.n_in):
            delta = at.delta("", outputs.start, outputs.stop)
            yield _block(columns.start, columns.stop, delta, self._of_group(at, rows).T)

    def gradient(self, layer: CategoryEmbedding, at: Place, name: str) -> Iterator[Block]:
        for rows, columns, outputs in layer.groups(at.n_in):
            a = at.a("", columns.start, columns.stop)
            delta = at.delta("", outputs.start, outputs.stop)
            yield _block(rows.start, rows.stop, a.T, delta)

    def _of_group(self, at: Place, rows: slice) -> Piece:
        E = at.array("E")
        if rows == slice(0, len(E.values)):
            return E
        part = at.part(E.ref, rows.start, rows.stop)
        return replace(E, values=E.values[rows], part=part, origin=(rows.start, 0))


class _PeriodicEmbedding:
    def forward(self, layer: PeriodicEmbedding, at: Place) -> Iterator[Block]:
        for c, first in self._columns(layer):
            yield _block(first, first + 1, at.a("", c, c + 1))
            waves = self._waves(at, c, "", "cos")
            mixed = self._of(at, "V", c), self._of(at, "v", c, "+")
            yield _block(
                first + 1, first + 1 + layer.n_mixtures, *waves, *mixed,
                worked=lambda v: np.cos(v[0] @ v[1] + v[2]) @ v[3] + v[4],
            )  # fmt: skip
        if at.n_in > layer.n_columns:
            start = layer.n_columns * (1 + layer.n_mixtures)
            yield _block(start, layer.width(at.n_in), at.a("", layer.n_columns, at.n_in))

    def below(self, layer: PeriodicEmbedding, at: Place) -> Iterator[Block]:
        for c, first in self._columns(layer):
            mixed = at.delta("+", first + 1, first + 1 + layer.n_mixtures, opens=("",))
            *waves, last = self._waves(at, c, "*", "cos'")
            last = replace(last, closes=(False, False))
            yield _block(
                c, c + 1,
                at.delta("", first, first + 1), mixed, self._of(at, "V", c).T, *waves, last,
                self._of(at, "omega", c).T,
                worked=lambda v: v[0] + ((v[1] @ v[2]) * -np.sin(v[3] @ v[4] + v[5])) @ v[6],
            )  # fmt: skip
        if at.n_in > layer.n_columns:
            start = layer.n_columns * (1 + layer.n_mixtures)
            yield _block(layer.n_columns, at.n_in, at.delta("", start))

    def gradient(self, layer: PeriodicEmbedding, at: Place, name: str) -> Iterator[Block]:
        for c, first in self._columns(layer):
            start, stop = first + 1, first + 1 + layer.n_mixtures
            if name == "v":
                summed = at.delta("", start, stop, applied="sum", function=_over_samples)
                yield _block(c, c + 1, summed)
            elif name == "V":
                *angle, phi = self._waves(at, c, "", "cos")
                yield _block(
                    c, c + 1, *angle, replace(phi, closes=(True,)), at.delta("", start, stop),
                    worked=lambda v: np.cos(v[0] @ v[1] + v[2]).T @ v[3],
                )  # fmt: skip
            else:
                yield self._of_angles(at, name, c, start, stop)

    def _of_angles(self, at: Place, name: str, c: int, start: int, stop: int) -> Block:
        *waves, last = self._waves(at, c, "*", "cos'")
        opens = ("sum",) if name == "phi" else ("",)
        pieces = [
            at.delta("", start, stop, opens=opens), self._of(at, "V", c).T, *waves,
            replace(last, closes=(False, False)),
        ]  # fmt: skip

        def slopes(v: Sequence[Array]) -> Array:
            found: Array = (v[0] @ v[1]) * -np.sin(v[2] @ v[3] + v[4])
            return found

        if name == "phi":
            return Block(c, c + 1, tuple(pieces), lambda v: _over_samples(slopes(v)))
        pieces.insert(0, at.a("", c, c + 1).T)
        return Block(c, c + 1, tuple(pieces), lambda v: v[0] @ slopes(v[1:]))

    def _columns(self, layer: PeriodicEmbedding) -> Iterator[tuple[int, int]]:
        """Yield each embedded column and the first column of z that it becomes."""
        for c in range(layer.n_columns):
            yield c, c * (1 + layer.n_mixtures)

    def _waves(self, at: Place, c: int, before: str, function: str) -> list[Piece]:
        """Return cos(a omega + phi) of a column, or its derivative."""
        a = at.a(before, c, c + 1, opens=(function,))
        return [a, self._of(at, "omega", c), self._of(at, "phi", c, "+", closes=(False,))]

    def _of(self, at: Place, name: str, c: int, before: str = "", **more: Any) -> Piece:
        """Return an array's block of a column."""
        values = at.trace.parameters.layers[at.layer - 1][name]
        origin, part = (c,) + (0,) * (values.ndim - 1), str(c + 1)
        return Piece(
            before, Ref(name, at.layer), np.atleast_2d(values[c]), origin=origin, part=part, **more
        )


FORMS: dict[type, Form] = {
    Dense: _Dense(),
    Scaling: _Scaling(),
    ParametricActivation: _ParametricActivation(),
    CategoryEmbedding: _CategoryEmbedding(),
    PeriodicEmbedding: _PeriodicEmbedding(),
}


def blocks_of(values: Array, start: int, stop: int) -> tuple[Array, tuple[int, ...]]:
    """Return part of an array as a matrix, and the index of its first entry.

    ``start`` and ``stop`` are rows, or the first index of an array of three.
    """
    if values.ndim == 1:
        return values[None], (0,)
    if values.ndim == 2:
        return values[start:stop], (start, 0)
    return values[start], (start, 0, 0)


def _one(before: str, **more: Any) -> Piece:
    return Piece(before, Ref("1"), np.ones((1, 1)), **more)


def _over_samples(values: Array) -> Array:
    total: Array = values.sum(axis=0, keepdims=True)
    return total
