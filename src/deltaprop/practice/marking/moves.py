"""Other ways to take an optimizer's step, made of its formulas: what mistakes make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.checking.rules import Move
from deltaprop.functional.arrays import by_formula
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import Optimizer
from deltaprop.training.optimizers.base import OfMatrices, hyperparameters

__all__ = ["other_formulas", "other_moves"]

Array = npt.NDArray[np.float64]
Formulas: TypeAlias = tuple[tuple[str, str], ...]
Edit: TypeAlias = tuple[str, str]  # a pattern, and what stands there instead

# by mistake: what the optimizer or the network must have, and how its formulas are changed
_M, _V = (r" / \(1 - beta_1\*\*t\)", ""), (r" / \(1 - beta_2\*\*t\)", "")
_EDITS: tuple[tuple[str, str, tuple[Edit, ...]], ...] = (
    ("no_bias_correction", "beta_1", (_M, _V)),
    ("no_bias_correction", "beta_1", (_V,)),
    ("no_bias_correction", "beta_1", (_M,)),
    ("epsilon_in_root", "epsilon", ((r"sqrt\((.+)\) \+ epsilon", r"sqrt(\1 + epsilon)"),)),
    ("other_momentum", "momentum", ((r"^w \+ v$", "w + momentum * v - learning_rate * g"),)),
    ("other_momentum", "momentum", ((r"^w \+ momentum \* v - learning_rate \* g$", "w + v"),)),
    (
        "decay_elsewhere",
        "weight_decay",
        ((r" - learning_rate \* weight_decay \* w", ""), (r"\bg\b", "(g + weight_decay * w)")),
    ),
    (
        "decay_elsewhere",
        "l2",
        ((r"\bg\b", "(g - l2 * w)"), (r"^w\b", "w - learning_rate * l2 * w")),
    ),
)


def other_moves(
    optimizer: Optimizer,
    network: Network,
    state: Mapping[str, Any],
    eta: float,
    *,
    train_biases: bool,
) -> dict[str, tuple[Move, ...]]:
    """Return by the names of mistakes how the step is then taken; only where it makes a difference.

    Parameters
    ----------
    optimizer : Optimizer
        Whose step.
    network : Network
        What it moves the parameters of.
    state : mapping
        The optimizer's, before the step.
    eta : float
        Its learning rate.
    train_biases : bool
        Whether biases are moved.
    """
    if isinstance(optimizer, OfMatrices):
        return {}
    layout = network.layout
    factors, weights = layout.learning_rate_factors(), layout.penalized()
    facts = {
        **{k: v for k, v in hyperparameters(optimizer).items() if isinstance(v, (int, float))},
        **state,
        "t": int(state.get("t", 0)) + 1,
        "learning_rate": eta if factors is None else eta * factors,
        "l2": network.l2,
    }

    def moving(edited: Mapping[bool, Formulas]) -> Move:
        def move(flat: Array, gradients: Array) -> Array:
            by = {kind: _worked(edited[kind], {**facts, "w": flat, "g": gradients})
                  for kind in edited}  # fmt: skip
            return np.where(weights, by[True], by[False] if train_biases else flat)

        return move

    found: dict[str, tuple[Move, ...]] = {}
    for name, needs, edited in other_formulas(optimizer):
        if facts.get(needs):
            found[name] = (*found.get(name, ()), moving(edited))
    return found


def other_formulas(optimizer: Optimizer) -> Iterator[tuple[str, str, dict[bool, Formulas]]]:
    """Yield the mistakes of an optimizer's step: name, the setting it needs, and formulas.

    The formulas are those of what is decayed, and of what is not.
    """
    formulas = {decayed: optimizer.arithmetic(decayed) for decayed in (True, False)}
    for name, needs, edits in _EDITS:
        edited = {
            decayed: each if name == "decay_elsewhere" and not decayed else _edited(each, edits)
            for decayed, each in formulas.items()
        }
        if edited != formulas:
            yield name, needs, edited


def _edited(formulas: Formulas, edits: tuple[Edit, ...]) -> Formulas:
    found = []
    for name, text in formulas:
        for pattern, instead in edits:
            text = re.sub(pattern, instead, text)
        found.append((name, text))
    return tuple(found)


def _worked(formulas: Formulas, facts: Mapping[str, Any]) -> Array:
    """Return w after the step, worked out formula by formula."""
    known = {name: np.asarray(value, dtype=np.float64) for name, value in facts.items()}
    for name, text in formulas:
        known[name] = by_formula(text, **known)
    return known["w"].ravel()
