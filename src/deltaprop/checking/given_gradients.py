"""Gradients in the forms people hold them in, brought into the order of ``parameters.flat``."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, ValuesView
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ShapeError, shown
from deltaprop.masked import refuse_masked
from deltaprop.model.parameters import Layout, Parameters, Slot

__all__ = ["flat_numbers", "is_one_number"]

Array = npt.NDArray[np.float64]

# What the last word of a key means: "dW1", "layers.0.weight", "grad_b2", "kernel", "intercepts".
_KINDS = {
    "W": ("w", "weight", "weights", "kernel", "coef", "coefs", "theta"),
    "b": ("b", "bias", "biases", "intercept", "intercepts"),
}
_KEY = re.compile(r"[a-z]+|\d+")
_SHORT = re.compile(r"d?([wb])[a-z]{0,2}")  # "Wxh", "by"
_BESIDE = ("a", "z", "x", "h", "cache", "cost", "loss")  # what stands beside them: "dA1", "dZ2"
_MOST_SHOWN = 8  # arrays in a message


def is_one_number(value: object) -> bool:
    """Return whether a value is a single number, or None: a loss, not gradients."""
    return value is None or isinstance(value, Real) or getattr(value, "ndim", None) == 0


def flat_numbers(
    parameters: Parameters, given: object, what: str, *, outputs_first: bool = False
) -> Array:
    """Return claimed numbers in the order of ``parameters.flat``.

    Parameters
    ----------
    parameters : Parameters
        Which arrays there are.
    given : Parameters, array_like, list, dict or module
        Flat numbers; a list of arrays in any usual order (by layer, or all weights before all
        biases, from the first layer or from the last), nested as one likes; a dict by names such as
        "dW1", "b.2" or "0.weight"; tensors or a module of PyTorch, of which ``.grad`` is taken.
        Weights may all have a row per output instead. A neuron without a bias has None or 0 in its
        place, or is left out.
    what : str
        What messages call them.
    outputs_first : bool
        Whether W is read with a row per output where its shape does not tell.

    Raises
    ------
    ShapeError
        When they cannot be matched with the parameters; the message shows both.
    """
    flat = _flat(parameters, given, what, outputs_first)
    if (absent := parameters.layout.absent).size:  # None, or no number, stands for no bias
        flat = flat.copy()
        flat[absent] = np.nan_to_num(flat[absent])
        parameters.layout.refuse_absent(flat, f"The claimed {what}: ")
    return flat


def _flat(parameters: Parameters, given: object, what: str, outputs_first: bool) -> Array:
    if isinstance(given, Parameters):
        given = given.flat
    slots = parameters.layout.slots
    if hasattr(given, "named_parameters"):
        return _from_names(parameters.layout, dict(given.named_parameters()), what)
    if isinstance(given, Mapping):
        return _from_names(parameters.layout, given, what, outputs_first)
    outputs_first |= _has_tensors(given)
    arrays = [*_arrays(given, what)]
    whole = arrays[0] if len(arrays) == 1 else None
    if whole is not None and whole.ndim and max(whole.shape) == whole.size == len(parameters.flat):
        return whole.ravel()
    places = parameters.layout.places
    if whole is not None and whole.shape == places.shape:  # without the biases that there are not
        flat = np.zeros(parameters.layout.size)
        flat[places] = whole
        return flat
    if whole is not None and (whole.ndim < 2 or len(slots) > 1):
        raise ShapeError(
            f"The claimed {what} have shape {whole.shape}; expected one number for each of the "
            f"{parameters.layout.size} parameters, in the order of parameters.flat."
        )
    for order in _orders(slots):
        found = _fitted(parameters.layout, dict(zip(order, arrays, strict=False)), outputs_first)
        if found is not None and len(order) == len(arrays):
            return found
    unmatched = _unmatched(what, [str(array.shape) for array in arrays], slots)
    raise ShapeError(unmatched + _of_bias_rows(arrays, slots))


def _arrays(given: Any, what: str) -> Iterator[Array]:
    """Yield the arrays of nested lists, in order; a list of plain numbers is one array."""
    if getattr(getattr(given, "dtype", None), "hasobject", False):
        given = given.tolist()  # arrays of several shapes in one, or numbers as objects
    if isinstance(given, (list, tuple)) and not given:
        return
    if isinstance(given, (list, tuple)) and not all(map(is_one_number, given)):
        rows = [part for part in given if isinstance(part, (list, tuple))]
        plain = len(rows) == len(given) and all(
            len(row) == len(rows[0]) and all(map(is_one_number, row)) for row in rows
        )
        if not plain:
            yield from chain.from_iterable(_arrays(part, what) for part in given)
            return
    if isinstance(given, Mapping):
        yield from chain.from_iterable(_arrays(part, what) for part in given.values())
        return
    if isinstance(given, Iterator | ValuesView | deque):
        yield from _arrays(list(given), what)
        return
    yield _numbers(given, what)


def _numbers(given: Any, what: str) -> Array:
    """Return one array of numbers; of a tensor that has one, its gradient."""
    refuse_masked(given, f"The claimed {what}")
    if given is None:
        raise ShapeError(f"The claimed {what} hold None where an array of numbers was expected.")
    grad = getattr(given, "grad", None)
    tensor = grad if grad is not None else given
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().double().numpy()  # NumPy has no bfloat16
    try:
        if np.iscomplexobj(tensor) and np.imag(tensor).any():
            raise TypeError
        return np.asarray(np.real(tensor), dtype=np.float64)
    except (TypeError, ValueError):
        raise ShapeError(
            f"The claimed {what} hold {shown(given)}, where an array of numbers was expected."
        ) from None


def _has_tensors(given: Any) -> bool:
    """Return whether these are PyTorch's, whose layers have a row of weights per output."""
    if isinstance(given, (list, tuple)):
        return any(map(_has_tensors, given))
    return hasattr(given, "detach")


def _orders(slots: Sequence[Slot]) -> Iterator[list[Slot]]:
    """Yield the orders in which arrays are usually listed."""
    last = max(slot.layer for slot in slots)
    by_layer = sorted(slots, key=lambda s: s.layer)
    for layers in (lambda s: s.layer, lambda s: last - s.layer):  # from the first, from the last
        for turned in (False, True):  # W before b, or b before W
            within = [*reversed(by_layer)] if turned else by_layer
            yield sorted(within, key=layers)
            yield sorted(sorted(within, key=layers), key=lambda s: (s.name != "W") ^ turned)


def _fitted(layout: Layout, arrays: Mapping[Slot, Array], outputs_first: bool) -> Array | None:
    """Return the flat vector of these arrays if every one fits its place; weights all one way."""
    for turned in (outputs_first, not outputs_first):
        flat = np.empty(layout.size)
        for slot, array in arrays.items():
            own = array.T if turned and len(slot.shape) == 2 else array
            if own.shape == slot.shape or _is_row(own, slot):
                slot.of(flat)[...] = own.reshape(slot.shape)
            elif slot.absent and own.shape == (slot.n_numbers,):  # of the neurons that have one
                slot.of(flat)[...] = np.insert(own, [*_shifted(slot.absent)], 0.0)
            else:
                break
        else:
            return flat if len(arrays) == len(layout.slots) else None
    return None


def _shifted(absent: Sequence[int]) -> Iterator[int]:
    """Yield where each missing entry belongs among those that there are."""
    yield from (j - before for before, j in enumerate(absent))


def _is_row(array: Array, slot: Slot) -> bool:
    """Return whether an array holds a vector as one row, or as one column."""
    return len(slot.shape) == 1 and sorted(array.shape) == sorted((1, *slot.shape))


def _from_names(
    layout: Layout, given: Mapping[Any, Any], what: str, outputs_first: bool = False
) -> Array:
    read: dict[str, list[tuple[tuple[int, ...], Array]]] = {}
    for key, value in _flattened(given):
        kind, place = _read_key(key, layout)
        several = [*_arrays(value, what)] if kind else []
        for number, array in enumerate(several):
            read.setdefault(kind, []).append(
                ((*place, number) if len(several) > 1 else place, array)
            )
    arrays: dict[Slot, Array] = {}
    for kind, found_of_kind in read.items():
        own = [slot for slot in layout.slots if slot.name == kind]
        if len(own) != len(found_of_kind):
            raise ShapeError(_unmatched(what, map(str, given), layout.slots))
        # without numbers, as "hidden" and "output", in the order in which they stand
        arrays |= dict(
            zip(own, [array for _, array in sorted(found_of_kind, key=_place)], strict=True)
        )
    missing = [f"{s.name}.{s.layer + 1}" for s in layout.slots if s not in arrays]
    if missing:
        raise ShapeError(
            f"The claimed {what} lack {', '.join(missing[:_MOST_SHOWN])}; "
            f"there are {', '.join(map(str, [*given][:_MOST_SHOWN])) or 'none'}."
            + _of_bias_rows([array for _, array in read.get("W", ())], layout.slots)
        )
    outputs_first |= any(map(_has_tensors, given.values()))
    found = _fitted(layout, arrays, outputs_first)
    if found is None:
        shapes = [f"{s.name}.{s.layer + 1} {array.shape}" for s, array in arrays.items()]
        raise ShapeError(_unmatched(what, shapes, layout.slots))
    return found


def _place(found: tuple[tuple[int, ...], Array]) -> tuple[int, ...]:
    return found[0]


def _flattened(given: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what dicts of dicts hold, with joined keys: "Dense_0.kernel"."""
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _read_key(key: str, layout: Layout) -> tuple[str, tuple[int, ...]]:
    """Return which array a key means ("": none), and the numbers in it, which order the layers."""
    names = {slot.name.casefold(): slot.name for slot in layout.slots}
    numbers = tuple(int(part) for part in re.findall(r"\d+", key))
    words = [part for part in _KEY.findall(key.casefold()) if part.isalpha()]
    for word in reversed(words):
        for candidate in (word, word.removeprefix("d")):
            if candidate in names:
                return names[candidate], numbers
            for kind, others in _KINDS.items():
                if candidate in others:
                    return kind, numbers
    if words and (short := _SHORT.fullmatch(words[-1])):
        return ("W" if short[1] == "w" else "b"), numbers
    if words and words[-1].removeprefix("d") in _BESIDE:
        return "", ()
    expected = ", ".join(f"d{slot.name}{slot.layer + 1}" for slot in layout.slots[:_MOST_SHOWN])
    raise ShapeError(f"{shown(key)} names no array of this network; expected {expected}.")


def _of_bias_rows(arrays: Sequence[Array], slots: Sequence[Slot]) -> str:
    """Return what to do where each W has a row more, as Theta has whose inputs begin with a 1."""
    weights = [slot.shape for slot in slots if slot.name == "W"]
    pairs = zip(arrays, weights, strict=False)
    tall = len(arrays) == len(weights) and all(
        array.shape in ((rows + 1, columns), (columns, rows + 1))
        for array, (rows, columns) in pairs
    )
    told = " Each W has a row too many: hand its biases over apart, as in [g[1:], g[0], ...]."
    return told if tall else ""


def _unmatched(what: str, found: Iterable[str], slots: Sequence[Slot]) -> str:
    parts = [*found]
    more = ", ..." if len(parts) > _MOST_SHOWN else ""
    wanted = ", ".join(f"{s.name}.{s.layer + 1} {s.shape}" for s in slots[:_MOST_SHOWN])
    rest = ", ..." if len(slots) > _MOST_SHOWN else ""
    return (
        f"The claimed {what} cannot be matched with the parameters: there are "
        f"{', '.join(parts[:_MOST_SHOWN]) or 'none'}{more}; expected {wanted}{rest}, "
        "in any usual order, weights with a row per input or all with a row per output."
    )
