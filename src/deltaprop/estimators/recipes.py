"""The settings of an MLP estimator with a preset: used by a recipe, or refused."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.estimators.inputs import has_preset
from deltaprop.estimators.parameters import hidden_activations, hidden_sizes
from deltaprop.estimators.sklearn import check_random_state
from deltaprop.table_models.plan import Facts
from deltaprop.table_models.presets import PRESETS
from deltaprop.table_models.recipe import Recipe

__all__ = ["check_preset", "recipe_of"]

# settings that a recipe has under another name, and those that every preset leaves to the user
_RENAMED = {
    "loss": "loss",
    "hidden_layer_sizes": "hidden",
    "activation": "activation",
    "dropout": "dropout",
    "learning_rate_init": "learning_rate",
    "batch_size": "batch_size",
    "max_iter": "epochs",
    "n_iter_no_change": "patience",
    "validation_fraction": "validation_share",
    "alpha": "l2",
    "label_smoothing": "label_smoothing",
    "members": "members",
    "ranges": "ranges",
    "calibrate": "calibrate",
    "time_budget": "time_budget",
    "engine": "engine",
}
_OTHERS = (
    "preset", "random_state", "class_weight", "scoring", "callbacks", "checkpoint", "resume",
    "n_threads", "verbose",
)  # fmt: skip
_WITHOUT = {"members": 1, "ranges": 0, "calibrate": False}  # what stands for having none


def check_preset(estimator: Any) -> None:
    """Raise SettingError for an unknown preset, or for a setting that the preset does not have."""
    if has_preset(estimator) and estimator.preset not in PRESETS:
        Recipe(preset=estimator.preset)
    if not has_preset(estimator):
        for name, none in _WITHOUT.items():
            if getattr(estimator, name, None) not in (None, none):
                raise SettingError(
                    f"Without a preset there is no {name}: one network is trained, as scikit-learn "
                    "does. Leave it out, or take preset='fast' or 'best'."
                )
        return
    refused = [n for n in _changed(estimator) if n not in _RENAMED and n not in _OTHERS]
    if refused:
        taken = [n for n in (*_RENAMED, *_OTHERS) if n != "preset" and hasattr(estimator, n)]
        raise SettingError(
            f"preset={estimator.preset!r} has no {', '.join(refused)}: it decides by itself how "
            f"the steps are taken. Leave {'it' if len(refused) == 1 else 'them'} out, or take "
            f"no preset: then there is every setting. It takes {', '.join(taken)}."
        )
    if len(set(hidden_activations(estimator))) > 1:
        raise SettingError(
            f"activation is {estimator.activation!r}, but preset={estimator.preset!r} has one "
            "activation for all hidden layers. Name one, or take no preset."
        )


def _changed(estimator: Any) -> list[str]:
    """Return the names of the settings that are not at their defaults, in their order."""
    defaults = inspect.signature(type(estimator).__init__).parameters
    settings = estimator.get_params(deep=False)
    return [name for name in settings if not _same(settings[name], defaults[name].default)]


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):  # of callbacks
        return not value
    if value is default:
        return True
    return isinstance(value, (bool, int, float, str, np.generic)) and bool(value == default)


def recipe_of(estimator: Any, n_rows: int) -> Recipe:
    """Return the recipe for so many rows: the preset, and what was changed in its place.

    scikit-learn divides its penalty by the rows of a step: alpha / (2 n) sum(W^2).

    Raises
    ------
    SettingError
        When a changed setting is one that no preset has; nothing is ignored.
    """
    check_preset(estimator)
    read: dict[str, Callable[[Any], Any]] = {
        "loss": lambda _: estimator._loss_name(),  # noqa: SLF001
        "hidden_layer_sizes": lambda _: hidden_sizes(estimator),
        "activation": lambda _: next(iter(hidden_activations(estimator)), None),
        "n_iter_no_change": lambda epochs: int(min(epochs, sys.maxsize)),  # it may be infinite
        "batch_size": lambda size: min(200, n_rows) if size == "auto" else int(size),
        "max_iter": int,
    }
    chosen: dict[str, Any] = {
        _RENAMED[name]: read.get(name, lambda value: value)(getattr(estimator, name))
        for name in _changed(estimator)
        if name in _RENAMED
    }
    recipe = Recipe(preset=estimator.preset, seed=_seed(estimator.random_state), **chosen)
    if recipe.l2 is None:
        return recipe
    rows_per_step = min(recipe.plan(Facts(n_rows, 1, 1, "regression")).batch_size, n_rows)
    return replace(recipe, l2=recipe.l2 / rows_per_step)


def _seed(random_state: Any) -> int:
    """Return a seed: the number itself, else one that is drawn."""
    rng = check_random_state(random_state)  # says what is no random state
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(rng.randint(2**31 - 1))
