"""How good a model is on rows whose answers are known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.training.metrics import poisson_deviance

__all__ = ["ClassFigures", "Evaluation", "evaluate_classes", "evaluate_labels", "evaluate_numbers"]

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassFigures:
    """One class.

    Attributes
    ----------
    name : str
        The class.
    rows : int
        How many rows are of it.
    precision : float or None
        Share of right ones among those predicted; None when it was never predicted.
    recall : float or None
        Share of its rows that were found; None when there were none.
    """

    name: str
    rows: int
    precision: float | None
    recall: float | None


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
        accuracy, log_loss, majority; of several labels accuracy means that all of a row are right,
        label_accuracy is the share of right ones among all, log_loss their mean; or r2, rmse, mae,
        in the target's unit, and of counts poisson_deviance.
    classes : tuple of ClassFigures
        One each, or one for each label; empty for regression.
    """

    task: str
    rows: int
    figures: dict[str, float]
    classes: tuple[ClassFigures, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)


def evaluate_classes(
    predicted: Labels, p_true: Array, labels: Labels, names: tuple[str, ...]
) -> Evaluation:
    """Return accuracy, mean log loss and the figures of each class.

    Parameters
    ----------
    predicted : ndarray of shape (n,)
        The likeliest class of each row.
    p_true : ndarray of shape (n,)
        The probability of its true class.
    labels : ndarray of shape (n,)
        The true classes.
    names : tuple of str
        The classes.

    Returns
    -------
    Evaluation
        ``majority`` is the accuracy of always saying the commonest class of these rows.
    """
    n, k = len(labels), len(names)
    true_counts = np.bincount(labels, minlength=k)
    predicted_counts = np.bincount(predicted, minlength=k)
    right = np.bincount(labels[predicted == labels], minlength=k)
    figures = {
        "accuracy": float((predicted == labels).mean()),
        "log_loss": float(-np.log(np.maximum(p_true, np.finfo(float).tiny)).mean()),
        "majority": float(true_counts.max() / n),
    }
    classes = tuple(
        ClassFigures(
            names[c],
            int(true_counts[c]),
            float(right[c] / predicted_counts[c]) if predicted_counts[c] else None,
            float(right[c] / true_counts[c]) if true_counts[c] else None,
        )
        for c in range(k)
    )
    return Evaluation("classification", n, figures, classes)


def evaluate_labels(p: Array, truths: Array, names: tuple[str, ...]) -> Evaluation:
    """Return accuracy, mean log loss and the figures of each of several labels.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        The probability of each label.
    truths : ndarray of shape (n, k)
        0 and 1.
    names : tuple of str
        The labels.

    Returns
    -------
    Evaluation
        ``majority`` is the accuracy of always giving every label its commoner answer in these rows.
    """
    predicted, true = p > 0.5, truths > 0.5
    hits, said, there = (predicted & true).sum(axis=0), predicted.sum(axis=0), true.sum(axis=0)
    of_truth = np.maximum(np.where(true, p, 1.0 - p), np.finfo(float).tiny)
    figures = {
        "accuracy": float((predicted == true).all(axis=1).mean()),
        "label_accuracy": float((predicted == true).mean()),
        "log_loss": float(-np.log(of_truth).mean()),
        "majority": float((true == (true.mean(axis=0) > 0.5)).all(axis=1).mean()),
    }
    classes = tuple(
        ClassFigures(name, rows, found / pred if pred else None, found / rows if rows else None)
        for name, rows, pred, found in zip(
            names, there.tolist(), said.tolist(), hits.tolist(), strict=True
        )
    )
    return Evaluation("multilabel", len(true), figures, classes)


def evaluate_numbers(predicted: Array, targets: Array, *, counts: bool = False) -> Evaluation:
    """Return R^2, root mean squared and mean absolute error, averaged over outputs.

    Parameters
    ----------
    predicted, targets : ndarray of shape (n, k)
        In the target's unit.
    counts : bool
        Whether they are counts, whose mean Poisson deviance 2 (t ln(t / p) - t + p) is told, too.

    Returns
    -------
    Evaluation
        R^2 = 1 - sum (t - p)^2 / sum (t - mean t)^2; 0 where the targets do not vary.
    """
    # in units of the largest number: the squares of 1e300 and of 1e-300 are no floats
    unit = np.maximum(np.abs(targets).max(axis=0), np.abs(predicted).max(axis=0))
    unit[unit == 0] = 1.0
    t, p = targets / unit, predicted / unit
    mean_square = np.mean((p - t) ** 2, axis=0)
    variance = np.mean((t - t.mean(axis=0)) ** 2, axis=0)
    r2 = np.where(variance > 0, 1.0 - mean_square / np.where(variance > 0, variance, 1.0), 0.0)
    figures = {
        "r2": float(r2.mean()),
        "rmse": float((np.sqrt(mean_square) * unit).mean()),
        "mae": float((np.abs(p - t).mean(axis=0) * unit).mean()),
    }
    if counts:
        figures["poisson_deviance"] = poisson_deviance(predicted, targets)
    return Evaluation("regression", len(targets), figures)
