"""The named mistakes as data, for a page that marks: formulas of arrays, and their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.mistakes.formulas import FORMULAS
from deltaprop.explaining.live.plain_trees import Plain, plain
from deltaprop.functional.arithmetic import parse
from deltaprop.functional.expressions import Applied, Expression, Operand
from deltaprop.languages import told
from deltaprop.practice.marking.moves import Formulas, other_formulas
from deltaprop.training.optimizers import OPTIMIZERS, hyperparameters

__all__ = ["mistakes"]

_FUNCTIONS = ("sigmoid", "softmax", "f'")


def mistakes(language: str) -> dict[str, Any]:
    """Return what the mistakes in dense layers make of each quantity, and their names in words.

    ``formulas`` are rows of quantity, name, rank, losses, what the layer must be, and a tree in
    whose leaves stand the names of ``checking/mistakes/formulas.py``; ``steps`` are by optimizer
    the name, the setting that it needs, and what is set in order, as in ``mathematics``.
    """
    rows = [[r.quantity, r.name, r.rank, list(r.losses), r.when, _tree(r.text)] for r in FORMULAS]
    steps = {
        name: [[mistake, needs, len(MISTAKES[mistake].variants),
                _steps(by[True], cls), _steps(by[False], cls)]
               for mistake, needs, by in other_formulas(cls(0.1))
               if needs in {*hyperparameters(cls(0.1)), "l2"}]
        for name, cls in OPTIMIZERS.items()
        if not hasattr(cls, "step_on")
    }  # fmt: skip
    named = {row.name for row in FORMULAS} | {each[0] for of in steps.values() for each in of}
    return {
        "formulas": rows,
        "steps": steps,
        "words": {
            name: [told(MISTAKES[name].doc, language), told(MISTAKES[name].fix, language)]
            for name in MISTAKES
            if name in named
        },
    }


def _tree(text: str) -> Plain:
    names = {name: Operand(name, 0.0) for name in re.findall(r"[A-Za-z]\w*", text)}
    return plain(parse(text, names, {name: partial(_applied, name) for name in _FUNCTIONS}))


def _applied(name: str, argument: Expression) -> Expression:
    return Applied(name, (), np.asarray, {"z": argument})  # only its name is written down


def _steps(formulas: Formulas, cls: Any) -> list[tuple[str, Plain]]:
    return list(_set(formulas, cls))


def _set(formulas: Formulas, cls: Any) -> Iterator[tuple[str, Plain]]:
    """Yield what an optimizer sets, in order, as ``mathematics`` writes it."""
    own = {*hyperparameters(cls(0.1)), "learning_rate", "t", "l2"}
    names: dict[str, Expression] = {name: Operand(name, 0.0) for name in own}
    names |= {"w": Operand("{W}", 0.0), "g": Operand("d{W}", 0.0)}
    names |= {key: Operand(f"{key}_{{W}}", 0.0) for key, _ in formulas if key != "w"}
    for key, text in formulas:
        to = "{W}.after" if key == "w" else f"{key}_{{W}}.after"
        yield to, plain(parse(text, names))
        if key != "w":
            names[key] = Operand(to, 0.0)
