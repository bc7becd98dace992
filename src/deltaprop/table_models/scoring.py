"""What somebody asks for by name, or by class: the metric of the epochs, the weight of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.model.spec import Network
from deltaprop.tabular import TargetEncoder
from deltaprop.training.metrics import METRICS, Score

__all__ = [
    "ClassWeight",
    "Metric",
    "RowMetric",
    "check_class_weight",
    "check_metric",
    "score_for",
    "weight_of",
]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RowMetric:
    """A metric that looks at the rows themselves.

    ``of(outputs, rows, weights)``, higher being better, is given probabilities of shape (n, k) or
    numbers in the target's unit, where the n rows stand in the table that is learnt, or in that of
    the validation rows, and what each counts, None where all count the same.
    """

    name: str  # what the history calls it
    of: Callable[[Array, npt.NDArray[np.int64], Array | None], float]


Metric: TypeAlias = str | Callable[[Array, Any], float] | RowMetric
ClassWeight: TypeAlias = Mapping[Any, float] | str
_USUAL = ("accuracy", "r2")  # what training takes by itself


def check_metric(metric: object) -> None:
    """Raise SettingError for what is neither a callable nor the name of a metric."""
    if metric is None or callable(metric) or isinstance(metric, RowMetric):
        return
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)


def check_class_weight(weight: object) -> None:
    """Raise SettingError for what is neither "balanced" nor weights by class."""
    if weight is None or weight == "balanced":
        return
    if not isinstance(weight, Mapping):
        raise SettingError(
            f"class_weight is {weight!r}; it is 'balanced', or a dict of classes and their weights."
        )
    for name, value in weight.items():
        real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not real or not np.isfinite(value) or value < 0:
            raise SettingError(
                f"class_weight of {name!r} is {value!r}; a weight is a finite number >= 0."
            )


def score_for(
    metric: Metric | None,
    target: TargetEncoder,
    rows: npt.NDArray[np.int64] | None = None,
    *,
    weighted: bool = True,
) -> Score | None:
    """Return what the epochs are scored with, see ``Recipe``; None for what training takes itself.

    ``rows`` is where those that are scored stand in their table; ``weighted`` is whether the rows
    that were given count differently, even where those that are scored happen not to. Of several
    labels a name means the mean over them. Raise SettingError when the metric belongs to the other
    task.
    """
    if metric is None:
        return None
    named = METRICS[metric] if isinstance(metric, str) else None
    several = target.task == "multilabel" and named is not None and named.task == "classification"
    if named is not None and named.task != target.task and not several:
        fitting = ", ".join(name for name, each in METRICS.items() if each.task == target.task)
        raise SettingError(
            f"metric is {metric!r}, which belongs to {named.task}, but the target asks for "
            f"{target.task}. Choose one of {fitting}."
        )
    if metric in _USUAL:
        return None

    def of(network: Network, logits: Array, targets: Any, weights: Array | None) -> float:
        outputs = network.loss.predict(logits)
        if target.task == "regression":
            outputs, targets = target.decode(outputs), target.decode(targets)
        if isinstance(metric, RowMetric):
            assert rows is not None
            return metric.of(outputs, rows, weights if weighted else None)
        if named is not None and several:  # each label by itself
            each = zip(outputs.T, targets.T.astype(np.int64), strict=True)
            pairs = [(np.column_stack([1 - p, p]), t) for p, t in each]
            return float(np.mean([named.of(p, t, weights) for p, t in pairs]))
        if named is not None:
            return named.of(outputs, targets, weights)
        assert callable(metric)
        return float(metric(outputs, targets))

    if isinstance(metric, str):
        assert named is not None
        return Score(metric, of, named.lower_is_better, averages_rows=metric == "log_loss")
    name = metric.name if isinstance(metric, RowMetric) else getattr(metric, "__name__", "metric")
    return Score(name, of)


def weight_of(
    weight: ClassWeight | None, target: TargetEncoder, labels: npt.NDArray[Any]
) -> Array | None:
    """Return what a row of each class counts, of shape (k,), by the labels of the rows that count.

    Balanced: n / (k rows of the class). A class that a dict does not name counts 1. Raise
    SettingError when there are no classes, or not the one that is named.
    """
    if weight is None:
        return None
    if target.task != "classification":
        found = "a number" if target.task == "regression" else "several labels"
        raise SettingError(f"class_weight weighs classes, but the target is {found}. Leave it out.")
    k = target.classes.size
    if isinstance(weight, str):
        return np.asarray(len(labels) / (k * np.maximum(np.bincount(labels, minlength=k), 1)))
    places = {_text(c): i for i, c in enumerate(target.classes.tolist())}
    each = np.ones(k)
    for name, value in weight.items():
        if _text(name) not in places:
            raise UnknownNameError("class", str(name), list(places))
        each[places[_text(name)]] = value
    if not each.any():
        raise SettingError("class_weight gives every class the weight 0: nothing is left to learn.")
    return each


def _text(name: object) -> str:
    return str(name).lower() if isinstance(name, (bool, np.bool_)) else str(name)
