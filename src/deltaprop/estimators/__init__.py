"""Models of tables: a data frame or file in, classes or numbers out.

The estimators that follow scikit-learn's contract are in ``classifier`` and ``regressor``. They
are not imported here: scikit-learn is an optional part.
"""

from __future__ import annotations

from deltaprop.estimators.evaluation import Evaluation
from deltaprop.estimators.loading import load
from deltaprop.estimators.recipe import Recipe
from deltaprop.estimators.several_targets import TargetModels
from deltaprop.estimators.table_model import TableModel

__all__ = ["Evaluation", "Recipe", "TableModel", "TargetModels", "load"]
