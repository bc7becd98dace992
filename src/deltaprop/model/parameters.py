"""All parameters of a network in one flat, contiguous vector, with named views into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ShapeError
from deltaprop.masked import refuse_masked

__all__ = ["Layout", "Parameters", "Slot", "numbers_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Slot:
    """Where one array of one layer stands in the flat vector."""

    layer: int  # counted from 0; ids and what users read count from 1
    name: str
    shape: tuple[int, ...]
    start: int
    penalized: bool
    learning_rate_factor: float = 1.0
    absent: tuple[int, ...] = ()  # entries of a vector that there are not: 0, and never moved

    @cached_property
    def stop(self) -> int:
        """Return the index after the last entry."""
        return self.start + prod(self.shape)

    @property
    def n_numbers(self) -> int:
        """Return how many numbers there are, without those that are absent."""
        return self.stop - self.start - len(self.absent)

    def of(self, flat: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return this array out of a flat vector, as a view."""
        return flat[self.start : self.stop].reshape(self.shape)

    def listed(self, array: npt.NDArray[Any]) -> list[Any]:
        """Return an array of this slot as lists; None where there is no number."""
        return [None if j in self.absent else each for j, each in enumerate(array.tolist())]

    def entry(self, index: int) -> str:
        """Return the id of the entry at flat position ``index``, layers from 1: ``W.1[0,2]``."""
        where = np.unravel_index(index - self.start, self.shape)
        return f"{self.name}.{self.layer + 1}[{','.join(str(int(i)) for i in where)}]"


@dataclass(frozen=True)
class Layout:
    """The slots of a network's parameters, in order."""

    slots: tuple[Slot, ...]
    n_layers: int

    @property
    def size(self) -> int:
        """Return the length of the flat vector."""
        return self.slots[-1].stop if self.slots else 0

    @cached_property
    def absent(self) -> npt.NDArray[np.intp]:
        """Return the places of the flat vector where there is no number, but 0."""
        places = [slot.start + j for slot in self.slots for j in slot.absent]
        return np.array(places, dtype=np.intp)

    @cached_property
    def places(self) -> npt.NDArray[np.intp]:
        """Return the places of the flat vector where there is a number."""
        return np.delete(np.arange(self.size), self.absent)

    def lacks(self, layer: int, name: str) -> tuple[int, ...]:
        """Return which entries of an array of a layer, counted from 1, there are not."""
        if not self.absent.size:
            return ()
        found = (s.absent for s in self.slots if (s.layer + 1, s.name) == (layer, name))
        return next(found, ())

    def refuse_absent(self, flat: npt.NDArray[Any], what: str = "") -> None:
        """Raise ShapeError where a flat vector has a number for a neuron without a bias."""
        for place in self.absent[flat[self.absent] != 0]:
            slot = next(slot for slot in self.slots if place < slot.stop)
            raise ShapeError(
                f"{what}{slot.entry(int(place))} is {flat[place]:g}, but neuron "
                f"{place - slot.start + 1} of layer {slot.layer + 1} has no bias; leave 0 there."
            )

    def penalized(self) -> npt.NDArray[np.bool_]:
        """Return a flat mask: True where L2, L1 and weight decay apply (weights, not biases)."""
        mask = np.zeros(self.size, dtype=bool)
        for slot in self.slots:
            mask[slot.start : slot.stop] = slot.penalized
        return mask

    def learning_rate_factors(self) -> Array | None:
        """Return what eta is multiplied by for each entry; None where it is 1 for all."""
        if all(slot.learning_rate_factor == 1.0 for slot in self.slots):
            return None
        factors = np.ones(self.size)
        for slot in self.slots:
            factors[slot.start : slot.stop] = slot.learning_rate_factor
        return factors

    def entry(self, index: int) -> str:
        """Return the id of the entry at flat position ``index``."""
        slot = next(slot for slot in self.slots if index < slot.stop)
        return slot.entry(index)


class Parameters:
    """Weights and biases (or their gradients): one flat vector and views into it.

    Parameters
    ----------
    layout : Layout
        Which entries belong to which array; ``network.layout``.
    flat : ndarray of shape (layout.size,)
        The numbers, which ``train`` wants as contiguous float64. Not copied: writing to ``flat``
        and to ``W[l]`` is the same thing.

    Attributes
    ----------
    flat : ndarray of shape (layout.size,)
        The numbers.
    layers : tuple of dict
        The arrays of each layer by name.
    W, b : tuple of ndarray
        W[l] of shape (n_in, n_out) and b[l] of shape (n_out,) of layer l + 1; None where a layer
        has none. In b, 0 stands for a neuron without a bias.

    Raises
    ------
    ShapeError
        A flat vector of another length.
    """

    __slots__ = ("_flat", "layers", "layout")

    def __init__(self, layout: Layout, flat: Array) -> None:
        self.layout = layout
        refuse_masked(flat, "The flat vector of parameters")
        self._require_length(flat.shape)
        self._flat = flat
        arrays: list[dict[str, Array]] = [{} for _ in range(layout.n_layers)]
        for slot in layout.slots:
            arrays[slot.layer][slot.name] = flat[slot.start : slot.stop].reshape(slot.shape)
        # an array put in place of a view would be trained, and the flat vector not
        self.layers = tuple(map(MappingProxyType, arrays))

    def _require_length(self, shape: tuple[int, ...]) -> None:
        size = self.layout.size
        if shape != (size,):
            raise ShapeError(
                f"The flat vector has shape {shape}; this network has {size} parameters, so "
                f"({size},) was expected."
            )

    @property
    def flat(self) -> Array:
        """Return all numbers as one vector; assigning changes the numbers, never the vector."""
        return self._flat

    @flat.setter
    def flat(self, values: Array) -> None:
        if values is not self._flat:  # as it is after flat -= step
            self._require_length(np.shape(values))
            self._flat[:] = values

    @classmethod
    def join(cls, layout: Layout, arrays: Sequence[dict[str, Array]]) -> Parameters:
        """Return new parameters holding copies of the given arrays; 0 where there is no number."""
        parameters = cls(layout, np.empty(layout.size))
        for view, given in zip(parameters.layers, arrays, strict=True):
            for name in view:
                view[name][...] = given[name]
        if layout.absent.size:
            parameters.flat[layout.absent] = 0.0
        return parameters

    @property
    def W(self) -> tuple[Array | None, ...]:  # noqa: N802 - the symbol
        """Return the weight matrix of each layer."""
        return tuple(layer.get("W") for layer in self.layers)

    @property
    def b(self) -> tuple[Array | None, ...]:
        """Return the bias of each layer; None where it has none."""
        return tuple(layer.get("b") for layer in self.layers)

    def like(self, flat: Array) -> Parameters:
        """Return parameters of the same layout over another flat vector."""
        return Parameters(self.layout, flat)

    def copy(self) -> Parameters:
        """Return an independent, writable copy."""
        return self.like(self.flat.copy())

    def frozen_copy(self) -> Parameters:
        """Return an independent copy that refuses to be written to."""
        flat = self.flat.astype(np.float64, copy=True)
        flat.setflags(write=False)
        return self.like(flat)

    def __reduce__(self) -> tuple[Any, ...]:
        # views of their own would no longer be views into ``flat``
        return type(self), (self.layout, self.flat)

    def __len__(self) -> int:
        return self.layout.n_layers

    def __repr__(self) -> str:
        shapes = ", ".join(f"{s.name}.{s.layer + 1} {s.shape}" for s in self.layout.slots)
        return f"Parameters({self.layout.size}: {shapes})"


def numbers_of(given: npt.ArrayLike, what: str, absent: Sequence[int]) -> Array:
    """Return an array as numbers; None, as a list may have it, is 0 where there is none."""
    if not (isinstance(given, list | tuple) and any(each is None for each in given)):
        return np.asarray(given, dtype=np.float64)
    for j, each in enumerate(given):
        if each is None and j not in absent:
            raise ShapeError(
                f"{what} has None for neuron {j + 1}, which has a bias; "
                "Dense(2, bias=[True, False]) is a layer whose second neuron has none."
            )
    return np.array([0.0 if each is None else each for each in given], dtype=np.float64)
