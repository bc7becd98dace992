"""Reading any model file: a table's model, an estimator, or a bare network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deltaprop.estimators.plain import KEY
from deltaprop.model.serialize import SavedModel, load_model
from deltaprop.table_models.files import restore_table_model
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.several_targets import SEVERAL, TargetModels, restore_target_models

if TYPE_CHECKING:
    from deltaprop.estimators.classifier import MLPClassifier
    from deltaprop.estimators.regressor import MLPRegressor

__all__ = ["estimator_of", "load"]


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
        return estimator_of(saved, os.fspath(path))
    if SEVERAL in saved.training:
        return restore_target_models(saved, os.fspath(path))
    return saved if saved.table is None else restore_table_model(saved, os.fspath(path), TableModel)


def estimator_of(saved: SavedModel, name: str) -> MLPClassifier | MLPRegressor:
    """Return the estimator in a file called ``name``; see ``load``."""
    from deltaprop.estimators.classifier import MLPClassifier
    from deltaprop.estimators.files import restore_estimator
    from deltaprop.estimators.regressor import MLPRegressor

    kinds: dict[str, type[MLPClassifier | MLPRegressor]] = {
        kind.__name__: kind for kind in (MLPClassifier, MLPRegressor)
    }
    return restore_estimator(saved, name, kinds)
