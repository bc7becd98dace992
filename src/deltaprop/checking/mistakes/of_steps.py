"""Mistakes in the step of an optimizer: other moves than its own, which the step brings along."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.mistake import Mistake, change
from deltaprop.checking.rules import RIGHT, Rules, Working

__all__ = ["OF_STEPS"]

Array = npt.NDArray[np.float64]


def _moved(name: str, number: int) -> Rules:
    """Return rules that take the step by another move of the working; its own where it has none."""

    def update(w: Working) -> Array:
        moves = w.other_moves.get(name, ())
        if number >= len(moves):
            return RIGHT.update(w)
        return moves[number](w.parameters.flat, w.pull)

    return change(update=update)


def _forms(name: str, count: int) -> tuple[Rules, ...]:
    return tuple(_moved(name, number) for number in range(count))


OF_STEPS = (
    Mistake(
        "no_bias_correction",
        "Adam's moments are not corrected for their start at 0, or only one of them is",
        _forms("no_bias_correction", 3),
        fix="divide m by 1 - beta_1^t and v by 1 - beta_2^t before the step",
    ),
    Mistake(
        "epsilon_in_root",
        "epsilon stands inside the root",
        _forms("epsilon_in_root", 1),
        fix="add epsilon to the root, not to what it is the root of",
    ),
    Mistake(
        "other_momentum",
        "Nesterov's step in place of momentum's, or the other way round",
        _forms("other_momentum", 1),
        fix="momentum steps by the new v, Nesterov's rule by mu v - eta g with the new v",
    ),
    Mistake(
        "decay_elsewhere",
        "the weight decay is put into the gradient where it stands apart, or the other way round",
        _forms("decay_elsewhere", 1),
        fix="a penalty of the loss goes through the moments with the gradient; decoupled decay "
        "takes eta lambda w from the weight itself",
    ),
)
