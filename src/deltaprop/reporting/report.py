"""``report`` and ``Report``: the figures of a training, and the page that shows them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.model.files import write_atomically
from deltaprop.reporting.figures.compute import compute_report
from deltaprop.reporting.figures.figures import Figures
from deltaprop.reporting.language import words_of
from deltaprop.reporting.page.page import render
from deltaprop.table_models import TableModel

if TYPE_CHECKING:
    from deltaprop.estimators.classifier import MLPClassifier
    from deltaprop.estimators.regressor import MLPRegressor

__all__ = ["Report", "report"]


class Report(Figures):
    """The figures about one training, which ``to_html`` and ``to_dict`` write down."""

    def to_html(self, language: str = "en") -> str:
        """Return the report as one HTML file that needs nothing else.

        Parameters
        ----------
        language : {"en", "zh"}
            Of its sentences.

        Returns
        -------
        str
            The page.

        Raises
        ------
        UnknownNameError
            When there is no such language.
        """
        return render(self, language)


def report(
    model: TableModel | MLPClassifier | MLPRegressor,
    features: Any,
    target: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    language: str = "en",
    validation: tuple[Any, Any] | None = None,
    source: str = "",
    command: str = "",
    remarks: Sequence[str] = (),
    seed: int = 0,
    numbers: npt.NDArray[np.int64] | None = None,
    seconds: float | None = None,
) -> Report:
    """Work out what there is to know about a training, and write it as one offline page.

    Parameters
    ----------
    model : TableModel, or MLPClassifier or MLPRegressor with a preset
        What was learnt.
    features : data frame, dict of columns, 2-D array, or images
        The table it was fitted to; the rows that were held out are found again.
    target : array_like
        Its target.
    path : path, optional
        Where the page is written; nowhere when left out.
    language : {"en", "zh"}
        Of the page.
    validation : tuple of (features, target), optional
        The rows it was validated on, when ``fit`` was given such.
    source : str
        What the page calls the table.
    command : str
        The command that repeats the run; without it the page shows the settings in Python.
    remarks : sequence of str
        What was said while the table was read, to be shown beside the warnings.
    seed : int
        Of the shuffles behind the importance of the columns, and of samples.
    numbers : ndarray of int, optional
        Where the rows stand in the user's table, from 0; in this order when left out.
    seconds : float, optional
        How long it may take, about: of a large table fewer rows and columns are looked at then.

    Returns
    -------
    Report
        The figures: accuracy and the like, per class or number, calibration, permutation
        importance, the hardest rows, warnings. ``to_html`` and ``to_dict`` write them down.

    Raises
    ------
    DataError
        When these are not the rows the model was fitted to.
    SettingError
        When it is an estimator without a preset: it holds no rows out by itself.
    UnknownNameError
        When there is no such language.
    OutputError
        When the page cannot be written.

    Examples
    --------
    >>> import deltaprop as dp
    >>> x = [[i / 40] for i in range(40)]
    >>> y = ["low" if i < 20 else "high" for i in range(40)]
    >>> model = dp.TableModel.fit(x, y, recipe=dp.Recipe(epochs=2))
    >>> found = dp.report(model, x, y)
    >>> found.task, found.origin.n_val
    ('classification', 6)
    """
    words_of(language)  # refused now, not when all is worked out
    if not isinstance(model, TableModel):
        model, features, target, order, validation = _model_and_rows(
            model, features, target, validation
        )
        numbers = order if numbers is None else numbers[order]
    found = compute_report(
        Report, model, features, target, validation=validation, source=source, command=command,
        remarks=remarks, seed=seed, numbers=numbers, seconds=seconds,
    )  # fmt: skip
    if path is not None:
        write_atomically(path, found.to_html(language).encode("utf-8"))
    return found


def _model_and_rows(
    estimator: MLPClassifier | MLPRegressor,
    X: Any,
    y: Any,
    validation: tuple[Any, Any] | None,
) -> tuple[TableModel, Any, Any, npt.NDArray[np.int64], tuple[Any, Any] | None]:
    """Return an estimator's model, and its rows as that was given them."""
    model = getattr(estimator, "model_", None)
    if hasattr(estimator, "estimators_"):
        raise SettingError(
            "report tells of one target, but the estimator has a classifier for each of several: "
            "ask for them one by one, such as report(estimator.estimators_[0], X, y[:, 0])."
        )
    if not isinstance(model, TableModel):
        raise SettingError(
            f"report tells of a TableModel, or of an estimator that was fitted with preset='fast' "
            f"or 'best'; found {type(estimator).__name__}."
        )
    from deltaprop.estimators.with_preset import rows_as_fitted  # it needs scikit-learn

    table, answers, numbers = rows_as_fitted(estimator, X, y)
    held = None if validation is None else rows_as_fitted(estimator, *validation)[:2]
    return model, table, answers, numbers, held
