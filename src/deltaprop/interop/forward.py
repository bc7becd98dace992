"""What a network computes, array after array, as trees: what every exporter writes down.

The trees are the formulas of the layers and the registries with names for what stands in them: x
and the stages are rows, "W1" is the array W of layer 1; where only some columns or rows of one are
meant, ``Matrix.part`` says which as Python does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.arithmetic import COMPUTED, parse
from deltaprop.functional.expressions import Expression, Matrix, Reduced, joined
from deltaprop.functional.losses import Loss
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.model.layers import INTERMEDIATES, Equation, Layer, Part
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["Columns", "Stage", "formula_of", "forward", "output_formula"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Columns:
    """Some columns of a stage, from ``start`` up to ``stop``, and the tree that gives them."""

    tree: Expression
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Stage:
    """An array of a row's numbers: x, z1, a1, ..., and at last p.

    ``parts`` give its columns in order; ``kind`` is "z", "a", "p" or what stands between them, and
    ``layer`` is counted from 1.
    """

    name: str
    kind: str
    layer: int
    width: int
    parts: tuple[Columns, ...]


def forward(network: Network, parameters: Parameters) -> list[Stage]:
    """Return the stages in the order in which they are worked out, the logits z and p at last.

    Raises
    ------
    SettingError
        When an activation or the output has no formula; the message names it.
    """
    stages: list[Stage] = []
    a, last = "x", len(network.computing_layers)
    for number, layer in enumerate(network.computing_layers, 1):
        stages += _layer(layer, number, network.sizes[number - 1], a, parameters.layers[number - 1])
        z, width = f"z{number}", network.sizes[number]
        if number < last:
            row = network.activations[number - 1]
            if row.name == "identity":
                a = z
                continue
            a = f"a{number}"
            tree = formula_of(row, _row(z, width), where=f"of layer {number}")
            stages.append(Stage(a, "a", number, width, (Columns(tree, 0, width),)))
    n, logits = network.n_out, _row(f"z{last}", network.n_out)
    if OUTPUTS[network.loss.output].is_shift_invariant:  # so that nothing overflows
        below = joined(logits, Reduced("largest", logits), -1)
        stages.append(Stage("below", "below", last, n, (Columns(below, 0, n),)))
        logits = _row("below", n)
    p = output_formula(network.loss, logits)
    stages.append(Stage("p", "p", last, n, (Columns(p, 0, n),)))
    return stages


def formula_of(row: Activation, z: Expression, *, where: str) -> Expression:
    """Return f(z) as it is computed without overflow."""
    formulas = row.stably or row.arithmetic
    if formulas is None:
        raise SettingError(
            f"The activation {row.name!r} {where} has no formula, so nobody else can be told of "
            "it. Register it with arithmetic=(f, f_prime)."
        )
    return parse(formulas[0], {"z": z}, COMPUTED)


def output_formula(loss: Loss, z: Expression) -> Expression:
    """Return p = f(z^L) of a loss."""
    row = OUTPUTS[loss.output]
    if row.name in ACTIVATIONS:
        return formula_of(ACTIVATIONS[row.name], z, where="of the output")
    if row.arithmetic is None:
        raise SettingError(
            f"The output {row.name!r} of the loss {loss.name!r} has no formula, so nobody else can "
            "be told of it. Register it with arithmetic=."
        )
    return parse(row.arithmetic, {"z": z}, COMPUTED)


def _layer(
    layer: Layer, number: int, n_in: int, a: str, arrays: Mapping[str, Array]
) -> list[Stage]:
    """Return z of a layer behind what stands between it and what comes in."""
    between = {i.name: i for i in INTERMEDIATES.values() if i.phase == "forward"}
    widths = {"z": layer.width(n_in)}
    found: dict[str, list[Columns]] = {}
    for equation in layer.equations(n_in):
        left = equation.left
        if left != "z" and left not in between:
            continue
        if left in between:
            widths[left] = 1 if between[left].per_row else n_in
        stop = widths[left] if equation.stop is None else equation.stop
        names = _names(equation, number, n_in, a, arrays, widths)
        functions = dict(COMPUTED)
        for name, activation in equation.functions.items():
            row, where = ACTIVATIONS[activation], f"of layer {number}"
            functions[name] = partial(formula_of, row, where=where)
        tree = parse(equation.formula, names, functions)
        found.setdefault(left, []).append(Columns(tree, equation.start, stop))
    return [
        Stage(f"{left}{number}", left, number, widths[left], tuple(_in_order(parts)))
        for left, parts in found.items()
    ]


def _names(
    equation: Equation,
    number: int,
    n_in: int,
    a: str,
    arrays: Mapping[str, Array],
    widths: Mapping[str, int],
) -> dict[str, Expression]:
    whole = {name: Part(name, 0, 0) for name in ("a", *arrays)}
    names: dict[str, Expression] = {}
    for name, part in {**whole, **equation.parts}.items():
        if not re.search(rf"\b{name}\b", equation.formula):
            continue
        if part.array == "a":
            stop = part.stop or n_in
            some = f":, {part.start}:{stop}" if part.stop else ""
            names[name] = Matrix(a, np.zeros((1, stop - part.start)), (0, part.start), some)
        else:
            names[name] = _rows(f"{part.array}{number}", arrays[part.array], part)
    for name, width in widths.items():
        names.setdefault(name, _row(f"{name}{number}", width))
    return names


def _rows(name: str, array: Array, part: Part) -> Matrix:
    """Return an array of a layer, some rows of it, or one of three indices."""
    if array.ndim == 1:
        return Matrix(name, array[None], (0,))
    if array.ndim == 3:
        return Matrix(name, array[part.start], (part.start, 0, 0), f"{part.start}")
    stop = part.stop or len(array)
    some = f"{part.start}:{stop}" if part.stop else ""
    return Matrix(name, array[part.start : stop], (part.start, 0), some)


def _row(name: str, width: int) -> Matrix:
    return Matrix(name, np.zeros((1, width)), (0, 0))


def _in_order(parts: list[Columns]) -> list[Columns]:
    return sorted(parts, key=lambda part: part.start)
