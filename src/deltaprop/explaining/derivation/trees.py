"""The equations of the layers with the arrays of a trace put in.

One tree for each: ``functional.arrays.element`` makes the lines of single numbers of it, and
``document.equations`` the matrix equations.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.arithmetic import parse
from deltaprop.functional.arrays import values
from deltaprop.functional.expressions import Applied, Expression, Matrix, times
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import INTERMEDIATES, Equation, Part
from deltaprop.notation.ids import PER_SAMPLE, Ref, belonging_to

__all__ = [
    "arriving",
    "columns_of",
    "delta_of",
    "entry_of",
    "equations_of",
    "intermediate",
    "intermediates_of",
    "once",
    "rows_of",
    "tree_of",
]

Array = npt.NDArray[np.float64]


P = ParamSpec("P")
T = TypeVar("T")


def once(tell: Callable[Concatenate[Trace, P], T]) -> Callable[Concatenate[Trace, P], T]:
    """Remember what is said of a whole array as long as its trace: every entry asks for it."""
    known: WeakKeyDictionary[Trace, dict[object, T]] = WeakKeyDictionary()

    @wraps(tell)
    def told(trace: Trace, /, *args: P.args, **kwargs: P.kwargs) -> T:
        of_trace, key = known.setdefault(trace, {}), (args, *kwargs.items())
        if key not in of_trace:
            of_trace[key] = tell(trace, *args, **kwargs)
        return of_trace[key]

    return told


@once
def equations_of(trace: Trace, layer: int, left: str) -> tuple[Equation, ...]:
    """Return a layer's equations of z, of what arrives below, of a gradient, or between."""
    n_in = trace.network.sizes[layer - 1]
    return tuple(
        equation
        if equation.stop is not None
        else replace(equation, stop=_length(trace, layer, left))
        for equation in trace.network.computing_layers[layer - 1].equations(n_in)
        if equation.left == left
    )


def entry_of(trace: Trace, layer: int, left: str, place: int) -> Equation:
    """Return the equation that gives a column of z or below, or a row of an array.

    Raises
    ------
    IndexError
        When there is none.
    """
    for equation in equations_of(trace, layer, left):
        if equation.start <= place < (equation.stop or 0):
            return equation
    raise IndexError


def _length(trace: Trace, layer: int, left: str) -> int:
    if left in ("z", "below", *INTERMEDIATES):
        return trace.network.sizes[layer if left == "z" else layer - 1]
    values = trace.parameters.layers[layer - 1][left]
    return len(values) if values.ndim > 1 else 1


@once
def tree_of(
    trace: Trace, layer: int, equation: Equation, *, after: bool = False, shown: bool = False
) -> Expression:
    """Return the right-hand side of a layer's equation.

    ``after`` is whether the pass is the one after the update; ``shown`` whether a function of an
    array stands there as its values, as matrix equations show it.
    """
    arrays = ("a", "delta", *trace.parameters.layers[layer - 1])
    parts = {**{name: Part(name, 0, 0) for name in arrays}, **equation.parts}
    between = INTERMEDIATES.keys() & set(re.findall(r"\w+", equation.formula))
    names = {name: _matrix_of(trace, layer, part, after) for name, part in parts.items()}
    names |= {name: intermediate(trace, layer, name, after) for name in between}
    functions: dict[str, Callable[[Expression], Expression]] = {}
    for name, activation in equation.functions.items():
        row = ACTIVATIONS[activation]
        functions[name] = partial(_function_of, row, shown=shown)
        functions[f"{name}'"] = partial(_slope_of, row, shown=shown)
    return parse(equation.formula, names, functions)


@once
def intermediate(trace: Trace, layer: int, name: str, after: bool = False) -> Matrix:
    """Return numbers between, worked out by their own equation: no trace holds them."""
    (equation,) = equations_of(trace, layer, name)
    found = values(tree_of(trace, layer, equation, after=after))
    return Matrix(Ref(name, layer, (), after).id, found)


def intermediates_of(trace: Trace, layer: int, phase: str) -> list[str]:
    """Return the names of the numbers between that a layer has equations of, in order."""
    equations = trace.network.computing_layers[layer - 1].equations(trace.network.sizes[layer - 1])
    lefts = (equation.left for equation in equations)
    return [left for left in lefts if left in INTERMEDIATES and INTERMEDIATES[left].phase == phase]


def _matrix_of(trace: Trace, layer: int, part: Part, after: bool = False) -> Matrix:
    """Return what a layer reads, its delta, or one of its arrays; or a part of that."""
    if part.array == "a":
        values, ref = trace.inputs[layer - 1], _entering(trace, layer, after)
    elif part.array == "delta":
        values, ref = trace.delta[layer - 1], Ref("delta", layer, (), after)
    else:
        values = trace.parameters.layers[layer - 1][part.array]
        stop = part.stop or len(values)
        return rows_of(trace, values, Ref(part.array, layer, (), after), part.start, stop)
    return columns_of(trace, values, ref, part.start, part.stop)


def _entering(trace: Trace, layer: int, after: bool) -> Ref:
    if trace.masks[layer - 1] is not None:
        return Ref("kept", layer, (), after)
    return Ref("a", layer - 1, (), after) if layer > 1 else Ref("x")


def columns_of(trace: Trace, values: Array, ref: Ref, start: int, stop: int) -> Matrix:
    """Return some columns of an array."""
    if not stop or stop - start == values.shape[1]:
        return Matrix(ref.id, values)
    return Matrix(ref.id, values[:, start:stop], (0, start), _part_of(trace, ref, start, stop))


def rows_of(trace: Trace, values: Array, ref: Ref, start: int, stop: int) -> Matrix:
    """Return some rows of an array, the first index of one of three, or the whole."""
    if values.ndim == 1:
        absent = trace.network.layout.lacks(ref.layer, belonging_to(ref.quantity))
        return Matrix(ref.id, values[None], (0,), absent=absent)
    part = "" if stop - start == len(values) else _part_of(trace, ref, start, stop)
    if values.ndim == 2:
        return Matrix(ref.id, values[start:stop], (start, 0), part)
    return Matrix(ref.id, values[start], (start, 0, 0), part)


def _part_of(trace: Trace, ref: Ref, start: int, stop: int) -> str:
    """Return how some columns or rows are called; a dot stands for all samples."""
    every = "·" if len(trace.shares) > 1 and ref.quantity in PER_SAMPLE else ""
    return every + (str(stop) if stop == start + 1 else f"{start + 1}…{stop}")


@once
def arriving(trace: Trace, layer: int, equation: Equation, *, shown: bool = False) -> Expression:
    """Return dL/da of a layer, 0 for the inputs: what the one above sends, times the mask."""
    tree = tree_of(trace, layer + 1, equation, shown=shown)
    mask = trace.masks[layer]
    if mask is None:
        return tree
    start, stop = equation.start, equation.stop or 0
    return times(tree, columns_of(trace, mask, Ref("mask", layer + 1), start, stop))


@once
def delta_of(trace: Trace, layer: int, equation: Equation, *, shown: bool = False) -> Expression:
    """Return delta of a hidden layer: what arrives, times the slope of its activation."""
    tree = arriving(trace, layer, equation, shown=shown)
    row = trace.network.activations[layer - 1]
    if row.name == "identity":
        return tree
    z, a = (
        columns_of(trace, values, Ref(name, layer), equation.start, equation.stop or 0)
        for name, values in (("z", trace.z[layer - 1]), ("a", trace.a[layer]))
    )
    return times(tree, _slope_of(row, z, a, shown=shown))


def _function_of(row: Activation, z: Expression, *, shown: bool) -> Expression:
    """Return f(z); where it is shown in an equation, as its values."""
    if shown and isinstance(z, Matrix):
        return replace(z, values=row.f(z.values), applied=row.name)
    return Applied(row.name, _formulas(row)[0], row.f, {"z": z})


def _slope_of(
    row: Activation, z: Expression, a: Expression | None = None, *, shown: bool
) -> Expression:
    """Return f'(z), with a = f(z)."""
    name = f"{row.name}'"
    if shown and isinstance(z, Matrix):
        return replace(z, values=row.f_prime(z.values, row.f(z.values)), applied=name)
    a = _function_of(row, z, shown=False) if a is None else a
    return Applied(name, _formulas(row)[1], row.f_prime, {"z": z, "a": a})


def _formulas(row: Activation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return every form of f and of f'."""
    if row.arithmetic is None:
        raise SettingError(
            f"The activation {row.name!r} was registered without its formula (arithmetic=), so its "
            "numbers cannot be told."
        )
    value, slope = row.arithmetic
    return (value, *row.elsewhere[0]), (slope, *row.elsewhere[1])
