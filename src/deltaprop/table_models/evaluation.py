"""How good a model is on rows whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.table_models.learnt_rows import Overlap
from deltaprop.table_models.rows import decoded_answers
from deltaprop.tabular import TargetEncoder
from deltaprop.training.metrics import (
    area_of,
    mae,
    mean_f1,
    mean_recall,
    poisson_deviance,
    r2,
    rmse,
)

__all__ = [
    "ClassFigures",
    "Evaluation",
    "Tally",
    "evaluate_classes",
    "evaluate_labels",
    "evaluate_numbers",
    "wilson_interval",
]

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_95_PERCENT = 1.959963984540054  # standard deviations on either side
_FEWEST_ROWS = 3  # from which an interval is given


@dataclass(frozen=True)
class ClassFigures:
    """One class."""

    name: str
    rows: int  # how many are of it
    precision: float | None  # share of right ones among those predicted; None where none were
    recall: float | None  # share of its rows that were found; None where there were none


@dataclass(frozen=True)
class Evaluation:
    """Figures of a model on a table.

    Attributes
    ----------
    task : str
        "classification", "regression" or "multilabel".
    rows : int
        How many rows.
    figures : dict of str to float
        accuracy, balanced_accuracy, f1 (the mean over the classes), log_loss, of two classes auc,
        and majority, the accuracy of always saying the commonest class of these rows; of several
        labels accuracy means that all of a row are right, label_accuracy is the share of right
        ones among all, log_loss their mean; or r2, rmse, mae, in the target's unit, baseline_rmse,
        that of always saying the mean of these rows, and of counts poisson_deviance.
    classes : tuple of ClassFigures
        One each, or one for each label; empty for regression.
    interval : tuple of float, optional
        Where the accuracy, or R^2, lies with 95 % confidence; None of too few rows.
    overlap : Overlap, optional
        How many of the rows the model has seen in its training; None where that is not known.
    """

    task: str
    rows: int
    figures: Mapping[str, float]
    classes: tuple[ClassFigures, ...] = ()
    interval: tuple[float, float] | None = None
    overlap: Overlap | None = None

    def __post_init__(self) -> None:
        if not {"accuracy", "r2"} & set(self.figures):
            raise DataError("An evaluation without accuracy or r2 tells nothing.")
        if self.interval is not None and len(self.interval) != 2:
            raise DataError(f"interval is {self.interval!r}; it has two ends.")

    @property
    def finite(self) -> bool:
        """Return whether all figures are finite: those of a network that diverged may not be."""
        return all(map(isfinite, (*self.figures.values(), *(self.interval or ()))))

    @property
    def headline(self) -> str:
        """Return the name of the figure that is judged: accuracy or r2."""
        return "accuracy" if "accuracy" in self.figures else "r2"

    @property
    def baseline(self) -> float:
        """Return what it is without a model: of the commonest class, or of the mean, which is 0."""
        return self.figures.get("majority", 0.0)

    @property
    def verdict(self) -> str | None:
        """Return "no better" or "hardly better" than the baseline; None where it clearly is."""
        if self.figures[self.headline] <= self.baseline:
            return "no better"
        within = self.interval is not None and self.interval[0] <= self.baseline
        return "hardly better" if within else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        facts = {**asdict(self), "verdict": self.verdict}
        facts["figures"] = {k: v if isfinite(v) else None for k, v in self.figures.items()}
        seen = facts.pop("overlap") or {"learnt": None, "chose": None, "about": False}
        named = {"rows_learnt": seen["learnt"], "rows_that_chose_the_epoch": seen["chose"]}
        return facts | named | ({"rows_learnt_is": "about"} if seen["about"] else {})


class Tally:
    """What is said of rows beside what is true of them, some rows after another.

    Of classes it keeps what the figures need and not a probability of each. ``counts`` says that
    the answers are counts.
    """

    def __init__(self, target: TargetEncoder, *, counts: bool = False) -> None:
        self._target, self._counts, self.n_rows = target, counts, 0
        # of classes, which may be few, numbers of the least size
        self._kept = np.min_scalar_type(max(0, target.n_outputs - 1))
        self._said: list[npt.NDArray[Any]] = []
        self._true: list[npt.NDArray[Any]] = []
        self._p_true: list[Array] = []

    def add(self, p: Array, encoded: npt.NDArray[Any]) -> None:
        """Take the outputs for further rows, probabilities or numbers, and their targets."""
        self.n_rows += len(encoded)
        if self._target.task == "classification":
            self._p_true.append(p[np.arange(len(p)), encoded])
            p, encoded = p.argmax(axis=1).astype(self._kept), encoded.astype(self._kept)
        self._said.append(p)
        self._true.append(encoded)

    def figures(self) -> Evaluation:
        """Return how good the answers are, of one row or more."""
        said, true = np.concatenate(self._said), np.concatenate(self._true)
        if self._target.task == "classification":
            p_true = np.concatenate(self._p_true)
            return evaluate_classes(said, p_true, true, self._target.class_names)
        if self._target.task == "multilabel":
            return evaluate_labels(said, true, self._target.class_names)
        decoded = decoded_answers(self._target, said)
        return evaluate_numbers(decoded, self._target.decode(true), counts=self._counts)


def evaluate_classes(
    predicted: Labels, p_true: Array, labels: Labels, names: tuple[str, ...]
) -> Evaluation:
    """Return the figures of the likeliest class of each row and the probability of its true one."""
    n, k = len(labels), len(names)
    true_counts = np.bincount(labels, minlength=k)
    predicted_counts = np.bincount(predicted, minlength=k)
    right = np.bincount(labels[predicted == labels], minlength=k)
    n_right = int(right.sum())
    figures = {
        "accuracy": n_right / n,
        "balanced_accuracy": mean_recall(true_counts, right),
        "f1": mean_f1(true_counts, right, predicted_counts),
        "log_loss": float(-np.log(np.maximum(p_true, np.finfo(float).tiny)).mean()),
        "majority": float(true_counts.max() / n),
    }
    if k == 2:
        area = area_of(np.where(labels == 1, p_true, 1 - p_true), labels == 1)
        figures |= {} if area is None else {"auc": area}
    classes = _each_class(names, true_counts, predicted_counts, right)
    return Evaluation("classification", n, figures, classes, wilson_interval(n_right, n))


def evaluate_labels(p: Array, truths: Array, names: tuple[str, ...]) -> Evaluation:
    """Return the figures of the probability of each of k labels, truths being 0 and 1, (n, k).

    ``majority`` is the accuracy of always giving every label its commoner answer in these rows.
    """
    predicted, true = p > 0.5, truths > 0.5
    hits, all_right = (predicted & true).sum(axis=0), (predicted == true).all(axis=1)
    of_truth = np.maximum(np.where(true, p, 1.0 - p), np.finfo(float).tiny)
    figures = {
        "accuracy": float(all_right.mean()),
        "label_accuracy": float((predicted == true).mean()),
        "log_loss": float(-np.log(of_truth).mean()),
        "majority": float((true == (true.mean(axis=0) > 0.5)).all(axis=1).mean()),
    }
    classes = _each_class(names, true.sum(axis=0), predicted.sum(axis=0), hits)
    interval = wilson_interval(int(all_right.sum()), len(true))
    return Evaluation("multilabel", len(true), figures, classes, interval)


def _each_class(
    names: tuple[str, ...], there: Labels, predicted: Labels, right: Labels
) -> tuple[ClassFigures, ...]:
    each = zip(names, there.tolist(), predicted.tolist(), right.tolist(), strict=True)
    return tuple(
        ClassFigures(name, rows, hits / said if said else None, hits / rows if rows else None)
        for name, rows, said, hits in each
    )


def evaluate_numbers(predicted: Array, targets: Array, *, counts: bool = False) -> Evaluation:
    """Return R^2, root mean squared and mean absolute error of numbers (n, k), the mean over k.

    R^2 = 1 - sum (t - p)^2 / sum (t - mean t)^2; 0 where the targets do not vary. Of counts the
    mean Poisson deviance 2 (t ln(t / p) - t + p) is given, too.
    """
    always = np.broadcast_to(targets.mean(axis=0), targets.shape)
    figures = {
        "r2": r2(predicted, targets),
        "rmse": rmse(predicted, targets),
        "mae": mae(predicted, targets),
        "baseline_rmse": rmse(always, targets),
    }
    if counts:
        figures["poisson_deviance"] = poisson_deviance(predicted, targets)
    interval = _interval_of_r2(predicted, targets)
    return Evaluation("regression", len(targets), figures, interval=interval)


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """Return where a share lies with 95 % confidence when ``right`` of n rows were right.

    (p + z^2/2n -+ z sqrt(p(1 - p)/n + z^2/4n^2)) / (1 + z^2/n): Wilson, "Probable inference, the
    law of succession, and statistical inference", 1927. It holds for few rows and for p near 1.
    """
    z2, p = _95_PERCENT**2, right / n
    middle = p + z2 / (2 * n)
    half = _95_PERCENT * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z2 / n)), min(1.0, (middle + half) / (1 + z2 / n))


def _interval_of_r2(predicted: Array, targets: Array) -> tuple[float, float] | None:
    """Return where R^2 lies with 95 % confidence; None of fewer than three rows.

    R^2 = 1 - A / B, of the means A of e_i = (t_i - p_i)^2 and B of s_i = (t_i - mean t)^2, moves
    with row i by (e_i - (A / B) s_i) / (n B): the standard error is that of the mean of these.
    """
    n = len(targets)
    if n < _FEWEST_ROWS:
        return None
    unit = np.maximum(np.abs(targets).max(axis=0), np.abs(predicted).max(axis=0))
    unit = np.where(unit == 0, 1.0, unit)
    p, t = predicted / unit, targets / unit
    e, s = (t - p) ** 2, (t - t.mean(axis=0)) ** 2
    varies = s.mean(axis=0) > 0
    if not varies.any():
        return None
    ratio, spread = e.mean(axis=0)[varies] / s.mean(axis=0)[varies], s.mean(axis=0)[varies]
    moves = ((e[:, varies] - ratio * s[:, varies]) / spread).sum(axis=1) / targets.shape[1]
    half = _95_PERCENT * float(moves.std(ddof=1)) / sqrt(n)
    middle = r2(predicted, targets)
    return middle - half, min(1.0, middle + half)
