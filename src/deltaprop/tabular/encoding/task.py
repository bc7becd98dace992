"""Whether a target asks for classes or for numbers."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import SettingError
from deltaprop.tabular.encoding.cells import listed
from deltaprop.tabular.encoding.codes import EXACT

__all__ = ["FEW_LABELS", "MOST_LABELS", "ROWS_PER_LABEL", "Task", "check_task", "guess_task"]

Task = Literal["classification", "regression", "multilabel"]

FEW_LABELS = 20
MOST_LABELS = 1000
ROWS_PER_LABEL = 20


def guess_task(values: NDArray[Any]) -> tuple[str, str]:
    """Return the task, and why, for one target column without missing values.

    Words and truth values are classes. Numbers with fractions are quantities. Of whole numbers,
    few different ones are classes unless they are calendar years or hardly ever repeat; more than
    20 are classes only when they number something off, that is 0 (or 1) to n without a gap, each
    about equally frequent, or when they have so many digits that floats do not keep them apart.
    """
    if values.dtype.kind not in "iuf":
        kind = "truth values" if values.dtype.kind == "b" else "words"
        return "classification", f"the target holds {kind}"
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        return "regression", "the target holds numbers with fractions"
    different, counts = np.unique(values, return_counts=True)
    d, n = different.size, values.size
    many = f"{d} different whole numbers in {n} rows"
    if d <= 2:
        return "classification", f"the target holds {many}"
    if d > 4 and different[0] >= 1800 and different[-1] <= 2100:
        return "regression", f"the target holds {many} that look like calendar years"
    if d <= FEW_LABELS:
        if n >= 2 * d:
            return "classification", f"the target holds only {many}"
        return "regression", f"the target holds {many}, which hardly repeat"
    if (
        values.dtype.kind in "iu"
        and n >= 2 * d
        and max(-int(different[0]), int(different[-1])) > EXACT
    ):
        return "classification", f"the target holds {d} codes of many digits in {n} rows"
    gapless = different[-1] - different[0] == d - 1 and different[0] in (0, 1)
    even = counts.min() >= ROWS_PER_LABEL and counts.max() <= 10 * counts.min()
    if d <= MOST_LABELS and gapless and even:
        first, last = int(different[0]), int(different[-1])
        return "classification", f"the target numbers {d} classes from {first} to {last}"
    return "regression", f"the target holds {many}"


def check_task(task: str | None) -> None:
    """Raise a `SettingError` for a task that there is none of."""
    if task is not None and task not in get_args(Task):
        raise SettingError(
            f"task is {task!r}: expected one of {listed(get_args(Task))}, or None to let the "
            "target decide."
        )
