"""The model of a table: how it is learnt, judged, saved and asked. It needs no scikit-learn."""

from __future__ import annotations

from deltaprop.table_models.evaluation import Evaluation
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.several_targets import TargetModels

__all__ = ["Evaluation", "Recipe", "TableModel", "TargetModels"]
