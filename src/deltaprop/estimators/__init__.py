"""Models of tables: a data frame or file in, classes or numbers out."""

from __future__ import annotations

from deltaprop.estimators.evaluation import Evaluation
from deltaprop.estimators.recipe import Recipe
from deltaprop.estimators.table_model import TableModel, load

__all__ = ["Evaluation", "Recipe", "TableModel", "load"]
