"""The settings of an MLP estimator with a preset: used by a recipe, or refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.estimators.parameters import IN_RECIPES, Settings, check_parameters, defaults_of
from deltaprop.estimators.sklearn import BaseEstimator, check_random_state
from deltaprop.table_models.plan import Facts
from deltaprop.table_models.presets import PRESETS
from deltaprop.table_models.recipe import Recipe

__all__ = ["checked_settings", "recipe_of"]

_WITHOUT = {"members": 1, "ranges": 0, "calibrate": False}  # what stands for having none


def checked_settings(estimator: BaseEstimator) -> Settings:
    """Return the settings; raise SettingError for what they cannot be, or their preset has not."""
    settings = check_parameters(estimator)
    preset = settings.preset
    if preset is None:
        for name, none in _WITHOUT.items():
            if getattr(settings, name) not in (None, none):
                raise SettingError(
                    f"Without a preset there is no {name}: one network is trained, as scikit-learn "
                    "does. Leave it out, or take preset='fast' or 'best'."
                )
        return settings
    if preset not in PRESETS:
        Recipe(preset=preset)
    refused = [name for name in _changed(estimator) if name not in IN_RECIPES]
    if refused:
        taken = [n for n in IN_RECIPES if n != "preset" and hasattr(estimator, n)]
        raise SettingError(
            f"preset={preset!r} has no {', '.join(refused)}: it decides by itself how "
            f"the steps are taken. Leave {'it' if len(refused) == 1 else 'them'} out, or take "
            f"no preset: then there is every setting. It takes {', '.join(taken)}."
        )
    if len(set(settings.activations)) > 1:
        raise SettingError(
            f"activation is {settings.activation!r}, but preset={preset!r} has one "
            "activation for all hidden layers. Name one, or take no preset."
        )
    return settings


def _changed(estimator: BaseEstimator) -> list[str]:
    """Return the names of the settings that are not at their defaults, in their order."""
    defaults = defaults_of(estimator)
    return [n for n in defaults if not _same(getattr(estimator, n), defaults[n])]


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):  # of callbacks
        return not value
    if value is default:
        return True
    return isinstance(value, (bool, int, float, str, np.generic)) and bool(value == default)


def recipe_of(estimator: BaseEstimator, n_rows: int) -> Recipe:
    """Return the recipe for so many rows: the preset, and what was changed in its place.

    scikit-learn divides its penalty by the rows of a step: alpha / (2 n) sum(W^2). Raise
    SettingError when a changed setting is one that no preset has; nothing is ignored.
    """
    settings = checked_settings(estimator)
    size, patience = settings.batch_size, settings.n_iter_no_change
    read: dict[str, Callable[[], Any]] = {
        "loss": lambda: settings.loss_of_numbers,
        "hidden_layer_sizes": lambda: settings.widths,
        "activation": lambda: next(iter(settings.activations), None),
        "n_iter_no_change": lambda: int(min(patience, sys.maxsize)),  # it may be infinite
        "batch_size": lambda: min(200, n_rows) if size == "auto" else int(size),
        "max_iter": lambda: int(settings.max_iter),
    }
    chosen: dict[str, Any] = {
        called: read[name]() if name in read else getattr(settings, name)
        for name in _changed(estimator)
        if (called := IN_RECIPES[name])
    }
    seed = _seed(settings.random_state)
    recipe = Recipe(preset=str(settings.preset), seed=seed, **chosen)
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
