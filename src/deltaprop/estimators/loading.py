"""Reading any model file: a table's model, an estimator, or a bare network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deltaprop.estimators.files import KEY, restore_estimator
from deltaprop.model.serialize import SavedModel, load_model
from deltaprop.table_models.files import restore_table_model
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.several_targets import SEVERAL, TargetModels, restore_target_models

if TYPE_CHECKING:
    from deltaprop.estimators.classifier import MLPClassifier
    from deltaprop.estimators.regressor import MLPRegressor

__all__ = ["load"]


def load(
    path: str | os.PathLike[str],
) -> TableModel | TargetModels | SavedModel | MLPClassifier | MLPRegressor:
    """Read a model file.

    Parameters
    ----------
    path : path
        A file written by the ``save`` of a model or an estimator, or by ``deltaprop.save``.

    Returns
    -------
    TableModel, TargetModels, MLPClassifier, MLPRegressor or SavedModel
        What was saved; a bare network comes with its parameters.

    Raises
    ------
    ModelFileError
        When the file is missing, foreign, damaged, or of another version.
    MissingExtraError
        When it is an estimator and scikit-learn is not installed.
    """
    saved = load_model(path)
    if KEY in saved.training:
        return restore_estimator(saved, os.fspath(path))  # type: ignore[no-any-return]
    if SEVERAL in saved.training:
        return restore_target_models(saved, os.fspath(path))
    return saved if saved.table is None else restore_table_model(saved, os.fspath(path))
