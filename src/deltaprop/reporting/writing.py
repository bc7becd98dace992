"""``report``: the figures of a training, and the page that shows them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from deltaprop.estimators import TableModel
from deltaprop.model.files import write_atomically
from deltaprop.reporting.compute import compute_report
from deltaprop.reporting.figures import Report
from deltaprop.reporting.language import words_of

__all__ = ["report"]


def report(
    model: TableModel,
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
) -> Report:
    """Work out what there is to know about a training, and write it as one offline page.

    Parameters
    ----------
    model : TableModel
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

    Returns
    -------
    Report
        The figures: accuracy and the like, per class or number, calibration, permutation
        importance, the hardest rows, warnings. ``to_html`` and ``to_dict`` write them down.

    Raises
    ------
    DataError
        When these are not the rows the model was fitted to.
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
    found = compute_report(
        model,
        features,
        target,
        validation=validation,
        source=source,
        command=command,
        remarks=remarks,
        seed=seed,
    )
    if path is not None:
        write_atomically(path, found.to_html(language).encode("utf-8"))
    return found
