"""Figures of a model on the terminal, beside those of no model, and what makes them doubtful."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deltaprop.cli.show import count, labelled, remark, say
from deltaprop.errors import DataError
from deltaprop.languages import current_language, told

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from deltaprop.table_models import Evaluation
    from deltaprop.tabular import Dataset

__all__ = ["hold_rows_out", "print_doubts", "print_evaluation", "print_overlap"]

_BLANK = " " * 12  # under a label
# the figures of a line, in this order
_IN_A_LINE = (
    "accuracy", "label_accuracy", "log_loss", "r2", "rmse", "mae", "auc", "poisson_deviance",
)  # fmt: skip


def print_evaluation(
    name: str, evaluation: Evaluation, how: str = "", chosen: str | None = None
) -> None:
    """Print the figures of some rows as the report calls them, the interval, and the baseline.

    ``how`` tells which rows, behind their number; ``chosen`` is the metric that was asked for.
    """
    from deltaprop.reporting.language import words_of

    names, figures = words_of(current_language()), evaluation.figures
    named = [key for key in _IN_A_LINE if key in figures]
    if chosen in figures and chosen not in named:
        named.insert(1, str(chosen))
    shown = told(", ").join(f"{names[key]} {number(figures[key])}" for key in named)
    say(labelled(f"{name:<11} ", shown), result=True)
    say(_BLANK + told(count(evaluation.rows, "row")) + told(how), result=True)
    if evaluation.headline == "r2":
        rmse = f"{names['rmse']} {number(figures['baseline_rmse'])}"
        without = told(f"always the mean: {names['r2']} 0, {rmse}")
    else:
        without = f"{names['majority']}{told(': ')}{evaluation.baseline:.4f}"
    if evaluation.interval is not None:
        low, high = evaluation.interval
        headline = names[evaluation.headline]
        between = f"95 % of {headline} between {low:.4f} and {high:.4f}"
        say(_BLANK + told(between), result=True)
    say(_BLANK + without, result=True)


def hold_rows_out(
    dataset: Dataset, share: float, task: str | None, seed: int
) -> tuple[Dataset, Dataset, npt.NDArray[np.int64]]:
    """Return the rows to learn from, those that only judge, and the numbers of the first.

    Each class is held out in proportion.
    """
    from deltaprop.table_models.split import split
    from deltaprop.tabular import TargetEncoder, take_rows

    encoder = TargetEncoder.fit(
        dataset.target, task, names=dataset.target_names, where=dataset.source
    )
    kept, held = split(encoder.encode(dataset.target, where=dataset.source), share, seed)
    if not len(held):
        raise DataError(
            f"{dataset.source} has {dataset.n_rows} rows: too few to hold any out. Leave "
            "--hold-out out, or give --test."
        )
    parts = [
        replace(dataset, features=take_rows(dataset.features, rows), target=dataset.target[rows])
        for rows in (kept, held)
    ]
    return parts[0], parts[1], kept


def number(value: float) -> str:
    """Return a figure with four decimals, or of large ones with six digits."""
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.6g}"


def print_doubts(evaluation: Evaluation) -> None:
    """Print, as the report does, that a model is not clearly better than none."""
    from deltaprop.reporting.figures.warnings import doubtful
    from deltaprop.reporting.page.writer import Writer

    writer = Writer(current_language())
    for finding in doubtful(evaluation):
        remark(writer.sentence(finding))


def print_overlap(evaluation: Evaluation) -> None:
    """Print how many of the rows the model has seen in its training."""
    seen = evaluation.overlap
    if seen is None or not (seen.learnt or seen.chose):
        return
    about, of = "about " if seen.about else "", f"of {count(evaluation.rows, 'row')}"
    if seen.learnt:
        were = "was" if seen.learnt == 1 else "were"
        learnt = told(f"{about}{seen.learnt:,} {of} {were} learnt")
        say(labelled("learnt     ", learnt), result=True)
    if seen.chose:
        chose = told(f"{about}{seen.chose:,} {of} chose the epoch")
        say(labelled("learnt     ", chose), result=True)
    remark(
        "A network knows rows it has learnt, or their equals, by heart: figures on them say little "
        "about new rows. Judge it by rows that were held out (train --hold-out 0.2, or --test)."
    )
