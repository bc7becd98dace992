"""Optimizers, one file each: frozen hyperparameters, ``init`` and ``step`` over a flat vector.

``step`` changes the flat parameters and the state's arrays in place. ``eta`` is the learning
rate of this step, g the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deltaprop.errors import SettingError, UnknownNameError, nearest_name, shown
from deltaprop.model.stored import Stored, record
from deltaprop.training.optimizers.adam import Adam, AdamW
from deltaprop.training.optimizers.base import OfMatrices, Optimizer, State, hyperparameters
from deltaprop.training.optimizers.gradient_descent import GradientDescent
from deltaprop.training.optimizers.lion import Lion
from deltaprop.training.optimizers.momentum import Momentum
from deltaprop.training.optimizers.muon import Muon
from deltaprop.training.optimizers.rmsprop import RMSProp
from deltaprop.training.schedules import as_schedule, schedule_from_dict, schedule_to_dict

__all__ = [
    "OPTIMIZERS",
    "Adam",
    "AdamW",
    "GradientDescent",
    "Lion",
    "Momentum",
    "Muon",
    "OfMatrices",
    "Optimizer",
    "RMSProp",
    "State",
    "hyperparameters",
    "optimizer_from_dict",
    "optimizer_to_dict",
    "register_optimizer",
    "require_optimizer",
]

OPTIMIZERS: dict[str, type[Any]] = {
    cls.name: cls for cls in (GradientDescent, Momentum, RMSProp, Adam, AdamW, Lion, Muon)
}


def register_optimizer(cls: type[Any]) -> type[Any]:
    """Add an optimizer class under its ``name``; usable as a decorator.

    The class is tried first: with its default settings, 500 steps on half squared distances must
    come nearer to the minimum.

    Parameters
    ----------
    cls : type
        A frozen dataclass with ``name``, ``learning_rate``, ``init`` and ``step``; see
        ``Optimizer``.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    SettingError
        When the name is taken or the trial fails.
    """
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not name.isidentifier():
        raise SettingError(f"{cls.__name__} needs a class attribute name = '...'.")
    if name in OPTIMIZERS:
        raise SettingError(f"An optimizer called {name!r} is registered already.")
    rule, flat, minimum = cls(), np.array([1.0, -2.0, 0.5]), np.array([0.5, 1.0, -1.0])
    state, eta = rule.init(3), as_schedule(rule.learning_rate)
    before = float(np.linalg.norm(flat - minimum))
    for step in range(500):
        rule.step(state, flat, flat - minimum, eta(step, 500), np.zeros(3, dtype=bool))
    if not np.linalg.norm(flat - minimum) < before:
        raise SettingError(
            f"Optimizer {name!r}: 500 steps on half squared distances do not come nearer to "
            f"the minimum ({before:g} before, {np.linalg.norm(flat - minimum):g} after)."
        )
    OPTIMIZERS[name] = cls
    return cls


def require_optimizer(given: object) -> None:
    """Raise SettingError where an optimizer is expected and its name, its class or else is given.

    The message says what to write.
    """
    if not isinstance(given, type) and all(
        hasattr(given, name) for name in ("init", "step", "learning_rate")
    ):
        return
    by_name = {name.replace("_", ""): cls for name, cls in OPTIMIZERS.items()}
    meant = given if isinstance(given, type) else Adam
    named = ""
    if isinstance(given, str):
        word = given.casefold().replace("_", "").replace("-", "").replace(" ", "")
        near = nearest_name({"sgd": "gradientdescent"}.get(word, word), by_name)
        meant = by_name[near] if near else Adam
        named = ", a name"
    what = f"the class {given.__name__}" if isinstance(given, type) else f"{shown(given)}{named}"
    known = meant in by_name.values()
    call = f"{'deltaprop.' if known else ''}{meant.__name__}(learning_rate=1e-3)"
    raise SettingError(
        f"optimizer is {what}; an optimizer with its settings is expected, such as "
        f"optimizer={call}."
    )


def optimizer_to_dict(optimizer: Optimizer) -> dict[str, object]:
    """Return name and hyperparameters as plain data."""
    rate = schedule_to_dict(optimizer.learning_rate)
    return {"name": optimizer.name, "learning_rate": rate, **hyperparameters(optimizer)}


def optimizer_from_dict(data: object) -> Optimizer:
    """Return the optimizer that ``optimizer_to_dict`` described.

    UnknownNameError: no optimizer is called so. DataError, SettingError: on anything else that it
    would not have written.
    """
    facts = dict(Stored(data, "optimizer").values)
    name = facts.pop("name", None)
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise UnknownNameError("optimizer", name, OPTIMIZERS)
    readers = {"learning_rate": lambda _, value: schedule_from_dict(value)}
    optimizer: Optimizer = record(OPTIMIZERS[name], facts, f"optimizer {name}", readers)
    return optimizer
