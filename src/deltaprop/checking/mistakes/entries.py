"""Right equations with a number of another index in them, and numbers in each other's places.

There are as many of these as numbers, so they are made for the numbers that are wrong: every
operand of the equation by which a number is worked out, with every other number of the same array
in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.mistake import Mistake, change
from deltaprop.checking.rules import RIGHT, Rules, Working
from deltaprop.checking.step import Step, lacking
from deltaprop.model.layers import ARRAYS
from deltaprop.model.spec import Network

__all__ = ["OF_ENTRIES", "OtherEntry", "exchanges", "other_entries", "with_entries"]

Array = npt.NDArray[np.float64]
Index = tuple[int, ...]
Pairs = tuple[tuple[Index, Index], ...]  # where a number belongs, and where the taken one stands


@dataclass(frozen=True)
class OtherEntry:
    """One number of a quantity, worked out with numbers of another index.

    Attributes
    ----------
    key : str
        The quantity.
    at : tuple of int
        Which of its numbers.
    part : str
        The rule by which it is worked out.
    operand : str
        The array in which another number is taken: "x", "t", or a quantity.
    pairs : tuple of pairs
        Where the right numbers stand, and where those that are taken.
    """

    key: str
    at: Index
    part: str
    operand: str
    pairs: Pairs

    @property
    def sort(self) -> tuple[object, ...]:
        """Return what it has in common with the same exchange in other samples."""
        if self.operand.partition(".")[0] not in ("x", "t", "z", "a", "delta"):
            return (self.operand, *self.pairs)
        return (self.operand, *((taken[0] - right[0], right[1], taken[1])
                                for right, taken in self.pairs))  # fmt: skip

    @property
    def ids(self) -> tuple[str, str]:
        """Return what is taken, and where it stands: "W.1[0,1]"; of a line "W.1[0,·]"."""
        right, taken = (_id(self.operand, [pair[which] for pair in self.pairs]) for which in (0, 1))
        return taken, right

    def of(self, w: Working) -> Working:
        """Return the working as this number sees it."""
        seen, name = copy(w), self.operand.partition(".")[0]
        if name == "t":
            seen.targets = self.moved(w.targets)
            return seen
        layer = 0 if name == "x" else _layer(self.operand)
        if name in ARRAYS:
            seen.parameters = w.parameters.copy()
            array = seen.parameters.layers[layer - 1][name]
            array[...] = self.moved(array)
        elif name[0] == "d" and name != "delta":
            seen.gradients = w.gradients.copy()
            array = seen.gradients.layers[layer - 1][name[1:]]
            array[...] = self.moved(array)
        else:
            index = layer if name in ("x", "a") else layer - 1
            kept = {"x": "a"}.get(name, name)
            arrays = list(getattr(w, kept))
            arrays[index] = self.moved(arrays[index])
            setattr(seen, kept, arrays)
            if self.part == "f_prime":  # of z and a, which belong together
                seen.a = [*w.a]
                seen.a[layer] = self.moved(w.a[layer])
        return seen

    def moved(self, array: Array) -> Array:
        """Return the operand with the other numbers in it."""
        found = array.copy()
        for right, taken in self.pairs:
            found[right] = array[taken]
        return found


def with_entries(entries: Sequence[OtherEntry]) -> Rules:
    """Return rules that work these numbers of one quantity out with numbers of another index."""
    key, part = entries[0].key, entries[0].part
    is_second = key.endswith(".after") and part != "update"
    index = _index_of(key, part)
    right: Callable[..., Any] = _delta_by_output if part == "output_delta" else getattr(RIGHT, part)

    def rule(w: Working, *args: Any) -> Any:
        found = getattr(RIGHT, part)(w, *args)
        if w.is_second != is_second or (args and args[-1] != index):
            return found
        found = np.array(found)
        array = found
        if part == "update":
            name, layer = key.partition(".")[0], _layer(key)
            array = w.parameters.like(found).layers[layer - 1][name]
        for entry in entries:
            seen, own = entry.of(w), args
            if len(args) == 2 and entry.operand.startswith("delta"):
                own = (entry.moved(args[0]), args[1])
            other = np.asarray(right(seen, *own))
            if part == "update":
                other = w.parameters.like(other).layers[layer - 1][name]
            array[entry.at] = other[entry.at]
        return found

    return change(**{part: rule})


def _layer(key: str) -> int:
    return int(key.split(".")[1])


def _index_of(key: str, part: str) -> int:
    """Return the index that the rule for a quantity is called with."""
    layer = _layer(key)
    return layer if part == "recursion" else layer - 1


def _delta_by_output(w: Working) -> Array:
    return w.shares[:, None] * w.network.loss.delta_of_outputs(w.a[-1], w.targets)


def other_entries(step: Step, key: str, at: Index, shape: Index) -> Iterator[OtherEntry]:
    """Yield every way to work one number out with numbers of another index.

    Parameters
    ----------
    step : Step
        What is worked out.
    key : str
        The quantity, of this ``shape``.
    at : tuple of int
        Which of its numbers.
    """
    for part, operand, size, pairs in _used(step, key, at):
        absent = lacking(operand, step.network.layout)
        for moved in _others(pairs, size, operand):
            if not absent or not any(taken[-1] in absent for _, taken in moved):
                yield OtherEntry(key, at, part, operand, moved)


def _used(step: Step, key: str, at: Index) -> Iterator[tuple[str, str, Index, Pairs]]:
    """Yield rule, operand, the operand's shape and which of its numbers a number is made of."""
    name, after = key.partition(".")[0], key.endswith(".after")
    if name == "loss":
        return
    layer, n, sizes = _layer(key), len(step.x), step.network.sizes
    below = "x" if layer == 1 else f"a.{layer - 1}"
    wide, deep = sizes[layer], sizes[layer - 1]
    if name in ARRAYS:
        shape = (deep, wide) if name == "W" else (wide,)
        for operand in (f"{name}.{layer}", f"d{name}.{layer}") if after else ():
            yield "update", operand, shape, ((at, at),)
    elif name == "z":
        r, j = at
        rows = tuple(((r, i), (r, i)) for i in range(deep))
        yield "pre_activation", below, (n, deep), rows
        column = tuple(((i, j), (i, j)) for i in range(deep))
        yield "pre_activation", f"W.{layer}", (deep, wide), column
        if step.network.has_bias(layer - 1) and j not in lacking(f"b.{layer}", step.network.layout):
            yield "pre_activation", f"b.{layer}", (wide,), (((j,), (j,)),)
    elif name == "a" and layer < step.n_layers:
        yield "activation", f"z.{layer}", (n, wide), ((at, at),)
    elif name == "delta" and layer == step.n_layers:
        if step.network.loss.is_given_by_outputs:
            yield "output_delta", f"a.{layer}", (n, wide), ((at, at),)
            yield "output_delta", "t", (n, wide), ((at, at),)
    elif name == "delta":
        r, i = at
        above = sizes[layer + 1]
        row = tuple(((i, k), (i, k)) for k in range(above))
        yield "recursion", f"W.{layer + 1}", (wide, above), row
        deltas = tuple(((r, k), (r, k)) for k in range(above))
        yield "recursion", f"delta.{layer + 1}", (n, above), deltas
        yield "f_prime", f"z.{layer}", (n, wide), ((at, at),)
    elif name == "dW":
        i, j = at
        yield "weight_gradient", below, (n, deep), tuple(((r, i), (r, i)) for r in range(n))
        deltas = tuple(((r, j), (r, j)) for r in range(n))
        yield "weight_gradient", f"delta.{layer}", (n, wide), deltas
    elif name == "db":
        deltas = tuple(((r, at[0]), (r, at[0])) for r in range(n))
        yield "bias_gradient", f"delta.{layer}", (n, wide), deltas


def _others(pairs: Pairs, size: Index, operand: str) -> Iterator[Pairs]:
    """Yield those numbers with others of the array in their places: one, or all one line further.

    A line further is another row or column; in a square matrix also the column for the row.
    """
    places = [place for place, _ in pairs]
    anywhere = len(size) < 2 or operand.startswith(("W", "dW"))
    for place in places:
        for taken in np.ndindex(*size):
            in_line = any(i == j for i, j in zip(place, taken, strict=True))
            if taken != place and (anywhere or in_line):
                yield ((place, taken),)
    if len(places) < 2:
        return
    axis = 0 if len({place[0] for place in places}) == 1 else 1
    for other in range(size[axis]):
        if other != places[0][axis]:
            line = [(p, (other, p[1]) if axis == 0 else (p[0], other)) for p in places]
            yield tuple(line)
    if operand[0] == "W" and size[0] == size[1]:
        yield tuple((p, p[::-1]) for p in places)


# ---- numbers in each other's places


def exchanges(
    key: str, shape: Index, absent: Sequence[int] = ()
) -> Iterator[tuple[tuple[str, str], Rules]]:
    """Yield how the numbers of a quantity may change places: which two, and the rules.

    ``absent`` are the entries of a vector that there are not.
    """
    for axis in (0, 1) if len(shape) == 2 and 1 not in shape else ():
        lines = [[at for at in np.ndindex(*shape) if at[axis] == i] for i in range(shape[axis])]
        for i, j in combinations(range(shape[axis]), 2):
            yield (_id(key, lines[i]), _id(key, lines[j])), _exchanged(key, _lines(axis, i, j))
    there = [at for at in np.ndindex(*shape) if not absent or at[-1] not in absent]
    for one, other in combinations(there, 2):
        yield (_id(key, [one]), _id(key, [other])), _exchanged(key, _two(one, other))


def _id(key: str, places: Sequence[Index]) -> str:
    """Return the id of a number, or of a line of them, with a dot for the index that runs."""
    indices = (str(i[0]) if len({*i}) == 1 else "·" for i in zip(*places, strict=True))
    return f"{key}[{','.join(indices)}]"


def _lines(axis: int, i: int, j: int) -> Callable[[Array], Array]:
    def exchange(array: Array) -> Array:
        order = np.arange(array.shape[axis])
        order[[i, j]] = j, i
        return np.take(array, order, axis)

    return exchange


def _two(one: Index, other: Index) -> Callable[[Array], Array]:
    def exchange(array: Array) -> Array:
        found = array.copy()
        found[one], found[other] = array[other], array[one]
        return found

    return exchange


def _exchanged(key: str, exchange: Callable[[Array], Array]) -> Rules:
    """Return rules that put the numbers of one quantity into each other's places."""
    return change(placed=lambda name, found: exchange(found) if name == key else found)


def _has_several(network: Network) -> bool:
    return any(len(slot.shape) == 2 and slot.shape != (1, 1) for slot in network.layout.slots)


def _gradient_of(
    left: Callable[[Array], Array], right: Callable[[Array], Array], turn: Callable[[Array], Array]
) -> Rules:
    return change(weight_gradient=lambda w, d, i: turn(left(w.a[i]).T @ right(d)))


def _as_it_is(array: Array) -> Array:
    return array


def _next(array: Array) -> Array:
    return np.roll(array, -1, axis=1)


# as they are made throughout; those of single numbers are made by the functions above
OF_ENTRIES = (
    Mistake(
        "wrong_entry",
        "the equation is right, but a number with another index stands in it",
        (_gradient_of(_next, _as_it_is, _as_it_is), _gradient_of(_as_it_is, _next, _as_it_is)),
        _has_several,
        fix="go through the indices: W[i, j] belongs to a_i and to delta_j",
    ),
    Mistake(
        "swapped_entries",
        "numbers, rows or columns stand in each other's places",
        (
            _gradient_of(_as_it_is, _as_it_is, lambda found: found[:, ::-1]),
            _gradient_of(_as_it_is, _as_it_is, lambda found: found[::-1]),
        ),
        _has_several,
        fix="write each number where its indices say: row i for what comes in, column j for "
        "the neuron",
    ),
)
