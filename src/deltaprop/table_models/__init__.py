"""The model of a table: how it is learnt, judged, saved and asked. It needs no scikit-learn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltaprop.table_models.evaluation import Evaluation
    from deltaprop.table_models.model import TableModel
    from deltaprop.table_models.recipe import Recipe
    from deltaprop.table_models.several_targets import TargetModels

__all__ = ["Evaluation", "Recipe", "TableModel", "TargetModels"]

_HOMES = {
    "Evaluation": "evaluation",
    "Recipe": "recipe",
    "TableModel": "model",
    "TargetModels": "several_targets",
}


def __getattr__(name: str) -> Any:  # whoever asks for a preset's name need not wait for all else
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
