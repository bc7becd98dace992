"""The ids of numbers: ``quantity.layer[sample,index]``, and where each belongs in the order."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from deltaprop.errors import SettingError, shown
from deltaprop.model.layers import ARRAYS, INTERMEDIATES

__all__ = [
    "PER_SAMPLE",
    "PHASES",
    "Ref",
    "array_of",
    "belonging_to",
    "grid",
    "no_such_bias",
    "read_ref",
]

PHASES = ("forward", "loss", "backward", "gradient", "update", "after")

# their first index is the sample
PER_SAMPLE = frozenset(
    (
        "x", "targets", "smoothed_targets", "mask", "kept", "z", "a", "share", "loss", "upstream",
        "jacobian", "sample_delta", "delta", "dx", *INTERMEDIATES,
    )
)  # fmt: skip

_BETWEEN = {
    phase: {name: phase for name, i in INTERMEDIATES.items() if i.phase == phase}
    for phase in PHASES
}
# in the order they are worked out within a phase (and a layer)
_PHASE_OF = {
    "kept": "forward",
    **_BETWEEN["forward"],
    "z": "forward",
    "a": "forward",
    "smoothed_targets": "loss",
    "loss": "loss",
    "l2_penalty": "loss",
    "l1_penalty": "loss",
    "upstream": "backward",
    "jacobian": "backward",
    "sample_delta": "backward",
    "delta": "backward",
    **_BETWEEN["backward"],
    "dx": "backward",
    **{
        quantity: "gradient" for name in ARRAYS for quantity in (f"data_d{name}", f"d{name}")
    },
}  # fmt: skip
_GRADIENTS = {f"{kind}d{name}": name for name in ARRAYS for kind in ("", "data_")}
_ORDER = {name: place for place, name in enumerate(_PHASE_OF)}
_FORM = re.compile(
    r"([A-Za-z]\w*?)(?:\.(\d{1,9}))?(\.after)?(?:\[(\d{1,9}(?:,\d{1,9})*)\])?", re.ASCII
)
_SHORT = re.compile(r"([A-Za-z]\w*?)(\d+)\[")


@dataclass(frozen=True)
class Ref:
    """Names one number.

    Attributes
    ----------
    quantity : str
        z, a, delta, W, dW, loss, learning_rate, ...
    layer : int
        From 1; 0 where the number belongs to no layer.
    index : tuple of int
        Sample and neuron, or row and column, from 0.
    after : bool
        Whether it is meant after the update.
    """

    quantity: str
    layer: int = 0
    index: tuple[int, ...] = ()
    after: bool = False

    @property
    def id(self) -> str:
        """Return the id as text."""
        layer = f".{self.layer}" if self.layer else ""
        index = f"[{','.join(map(str, self.index))}]" if self.index else ""
        return f"{self.quantity}{layer}{'.after' if self.after else ''}{index}"

    @property
    def phase(self) -> str:
        """Return the phase in which it is worked out; "update" for what an optimizer sets."""
        if self.after:
            return "after" if self.quantity in _PHASE_OF else "update"
        return _PHASE_OF.get(self.quantity, "")

    def order(self) -> tuple[int, ...]:
        """Return what to sort by to have every number after those it is made of."""
        phase = self.phase
        place = _ORDER.get(self.quantity, -1)
        if phase in ("forward", "loss", "after"):
            # neurons, then the loss of each sample and the penalties, then the loss of all
            of_neurons = self.quantity in ("kept", "z", "a", *INTERMEDIATES)
            late = 0 if of_neurons else 1 if self.index or self.quantity != "loss" else 2
            return (PHASES.index(phase), late, self.layer, place, *self.index)
        if phase == "update":
            # what the optimizer keeps for an array is set before the array itself
            state, _, array = self.quantity.rpartition("_")
            early = _place_of(state) if state else 0
            place = ARRAYS.index(array) if array in ARRAYS else len(ARRAYS)
            return (PHASES.index(phase), -self.layer, place, early, *self.index)
        return (PHASES.index(phase) if phase else -1, -self.layer, place, *self.index)


def _place_of(state: str) -> int:
    """Return a number below 0 by which m comes before n, and those before X0, A1, B1, X1, A2."""
    count = int(state[1:]) if state[1:].isdigit() else -1
    return 128 * count + ord(state[0]) - 2**16


def array_of(quantity: str) -> str:
    """Return the array that a quantity is the gradient by: W for dW and data_dW; "" for none."""
    return _GRADIENTS.get(quantity, "")


def belonging_to(quantity: str) -> str:
    """Return the array that a quantity is of: W of W, dW, data_dW, and of m_W, kept for it."""
    return array_of(quantity) or quantity.rpartition("_")[2]


def no_such_bias(ref: Ref) -> SettingError:
    """Return what is said where a number of a neuron's bias is asked for, and it has none."""
    return SettingError(
        f"There is no {ref.id}: neuron {ref.index[-1] + 1} of layer {ref.layer} has no bias."
    )


@lru_cache(maxsize=8192)
def read_ref(text: str) -> Ref:
    """Return the number that an id names; "W1[0,2]" is read as "W.1[0,2]".

    Raises
    ------
    SettingError
        When the text has another form.
    """
    spelt = _SHORT.sub(r"\1.\2[", text.strip(), count=1)
    found = _FORM.fullmatch(spelt)
    if found is None:
        raise SettingError(
            f"{shown(text)} names no number; write quantity, layer and index, such as dW.1[0,2], "
            "delta.2[0,1] or loss."
        )
    quantity, layer, after, index = found.groups()
    places = tuple(int(i) for i in index.split(",")) if index else ()
    return Ref(quantity, int(layer or 0), places, bool(after))


def grid(
    name: str,
    layer: int,
    shape: tuple[int, ...],
    after: bool = False,
    absent: Collection[int] = (),
) -> Iterator[Ref]:
    """Yield the name of every number of an array, row by row; a vector may lack some."""
    places: list[tuple[int, ...]] = [()]
    for length in shape:
        places = [(*place, i) for place in places for i in range(length)]
    for place in places:
        if not absent or place[-1] not in absent:
            yield Ref(name, layer, place, after)
