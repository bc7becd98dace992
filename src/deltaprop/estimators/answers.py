"""What an MLP estimator learns of y: the classes it found there, or how many numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.sample import check_weights
from deltaprop.estimators.sklearn import (
    check_classification_targets,
    compute_sample_weight,
    type_of_target,
    unique_labels,
)
from deltaprop.estimators.targets import answers_of
from deltaprop.functional.losses import LOSSES

__all__ = ["Answers", "Classes", "Numbers", "encoded_answers", "learn_answers", "weigh"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of y, or its labels: columns of 0 and 1."""

    names: tuple[str, ...]  # of the columns of y, where they have some
    classes: Array  # in ascending order; of labels their places
    multilabel: bool  # whether a row may have several

    @classmethod
    def learn(cls, y: Array, names: tuple[str, ...]) -> Classes:
        """Return the classes in y."""
        return cls.given(y, names, y)

    @classmethod
    def given(cls, y: Array, names: tuple[str, ...], classes: Array) -> Classes:
        """Return the classes that are said to come, of which y has some."""
        multilabel = _kind_of(y).startswith("multilabel")
        return cls(names, unique_labels(y if multilabel else classes), multilabel)

    @property
    def task(self) -> Literal["classification", "multilabel"]:
        """Return what is learnt."""
        return "multilabel" if self.multilabel else "classification"

    @property
    def n_outputs(self) -> int:
        """Return how many outputs the network has: of two classes one, which is a sigmoid."""
        n = len(self.classes)
        return n if self.multilabel or n > 2 else 1

    @property
    def loss_name(self) -> str:
        """Return deltaprop's name of the loss."""
        softmax = not self.multilabel and self.n_outputs > 1
        return "cross_entropy" if softmax else "binary_cross_entropy"

    @property
    def in_proportion(self) -> bool:
        """Return whether rows are held out in the proportion of their classes."""
        return self.n_outputs == 1

    @property
    def output_names(self) -> tuple[str, ...]:
        """Return what the user calls the outputs."""
        if self.multilabel:
            return self.names if len(self.names) == self.n_outputs else ()
        return tuple(str(name) for name in self.classes[-self.n_outputs :])

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what scikit-learn knows of them, by its names."""
        return {"classes_": self.classes}

    def codes(self, y: Array) -> Array:
        """Return what the network learns: labels, places of the classes, or 0 and 1."""
        if self.multilabel:
            if y.ndim != 2 or y.shape[1] != self.n_outputs:
                raise DataError(
                    f"y has shape {y.shape}; expected {self.n_outputs} columns of 0 and 1, one "
                    "for each label."
                )
            return np.asarray(y, dtype=np.float64)
        # a column of text may come as objects, the classes never do
        codes = np.searchsorted(self.classes, y.astype(self.classes.dtype, copy=False))
        if self.n_outputs > 1:
            return codes.astype(np.int64)
        return codes.astype(np.float64).reshape(-1, 1)

    def encode(self, y: Array) -> Array:
        """Return the same for further rows; raise DataError where they have another class."""
        new = np.setdiff1d(unique_labels(y), self.classes)
        if len(new):
            raise DataError(
                f"`y` has classes not in `classes_`: {new[:5].tolist()}. The estimator knows "
                f"{self.classes[:20].tolist()}."
            )
        return self.codes(y)

    def go_on(self, y: Array, settings: Settings, *, all_rows: bool) -> Classes:
        """Return the classes of training that goes on: the same; of all rows every one."""
        found = Classes.learn(y, self.names) if all_rows else self
        if not np.array_equal(found.classes, self.classes):
            raise DataError(
                "warm_start goes on with the classes of the previous call to fit: they were "
                f"{self.classes}, now `y` has {found.classes}. Set warm_start=False to begin anew."
            )
        return found

    def decode(self, p: Array) -> Array:
        """Return the most probable class of each row, or 1 for each label that is."""
        if self.multilabel:
            return (p > 0.5).astype(int)
        if len(self.classes) == 1:
            return np.repeat(self.classes, len(p))
        chosen = (p[:, 0] > 0.5).astype(int) if p.shape[1] == 1 else p.argmax(axis=1)
        return np.asarray(self.classes[chosen])

    def probabilities(self, p: Array) -> Array:
        """Return the probability of each class, or label, from that of each output."""
        if self.multilabel or p.shape[1] > 1:
            return p
        return np.ones_like(p) if len(self.classes) == 1 else np.hstack([1 - p, p])


@dataclass(frozen=True, eq=False)
class Numbers:
    """The columns of y that are numbers."""

    names: tuple[str, ...]  # of the columns of y, where they have some
    n_outputs: int
    loss_name: str  # deltaprop's

    task: ClassVar[Literal["regression"]] = "regression"
    in_proportion: ClassVar[bool] = False
    attributes: ClassVar[dict[str, Any]] = {}

    @property
    def output_names(self) -> tuple[str, ...]:
        """Return what the user calls the outputs."""
        return self.names if len(self.names) == self.n_outputs else ()

    def codes(self, y: Array) -> Array:
        """Return numbers of shape (n, n_outputs); raise DataError for what the loss has not."""
        try:
            targets = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        except (TypeError, ValueError):
            raise DataError(
                "y holds something that is not a number; a regressor needs one per row."
            ) from None
        if LOSSES[self.loss_name].targets == "count" and (targets < 0).any():
            row, column = np.argwhere(targets < 0)[0]
            raise DataError(
                f"y is {targets[row, column]:g} in row {row + 1}, but loss={self.loss_name!r} "
                "learns counts and rates, which are at least 0. Correct the row, or take another "
                "loss."
            )
        return targets

    def encode(self, y: Array) -> Array:
        """Return the same for further rows; raise DataError where they have other columns."""
        targets = self.codes(y)
        if targets.shape[1] != self.n_outputs:
            raise DataError(
                f"y has {targets.shape[1]} columns but the estimator has {self.n_outputs} "
                "outputs, as y had at first."
            )
        return targets

    def go_on(self, y: Array, settings: Settings, *, all_rows: bool) -> Numbers:
        """Return the numbers of training that goes on: as many, by the loss as it is set now."""
        return replace(self, loss_name=settings.loss_of_numbers)

    def decode(self, p: Array) -> Array:
        """Return the numbers; of a single column one for each row."""
        return p[:, 0] if p.shape[1] == 1 else p


Answers: TypeAlias = Classes | Numbers


def learn_answers(y: Array, names: tuple[str, ...], settings: Settings) -> Answers:
    """Return the classes, or the numbers, that y has."""
    if not settings.numeric:
        return Classes.learn(y, names)
    n_outputs = 1 if y.ndim == 1 else y.shape[1]
    return Numbers(names, n_outputs, settings.loss_of_numbers)


def encoded_answers(answers: Answers, y: Any, n_rows: int, suffix: str = "") -> tuple[Array, Array]:
    """Return y of so many further rows as an array, and what the network learns of it.

    ``suffix`` is what X and y are called beside their letters.
    """
    given = answers_of(y, numeric=answers.task == "regression", name=f"y{suffix}")
    if len(given) != n_rows:
        raise DataError(f"X{suffix} has {n_rows} rows but y{suffix} has {len(given)}.")
    return given, answers.encode(given)


def _kind_of(y: Array) -> str:
    several_kinds = y.ndim == 2 and y.dtype == object
    kind: str = "multiclass-multioutput" if several_kinds else type_of_target(y)
    if kind == "multiclass-multioutput":
        raise DataError(
            f"y has shape {y.shape} and more than two values: several classes for each row "
            "are not learnt together without a preset. preset='fast' and 'best' learn each "
            "column by a classifier of its own, and so does deltaprop.TargetModels; for a "
            "multi-label task give columns of 0 and 1."
        )
    check_classification_targets(y)
    return kind


def weigh(settings: Settings, y: Array, sample_weight: Any) -> npt.NDArray[np.float64] | None:
    """Return the weights of the rows, classes considered; None where all weigh the same."""
    weights, class_weight = check_weights(sample_weight, len(y)), settings.class_weight
    if class_weight is None:
        return weights
    if isinstance(class_weight, (list, tuple)) and y.ndim == 1:
        raise SettingError(
            f"class_weight is {class_weight!r}, one for each of several targets, "
            "but y is a single one. Give a dict of its classes, or 'balanced'."
        )
    by_class = np.asarray(compute_sample_weight(class_weight, y), dtype=np.float64)
    return check_weights(by_class if weights is None else by_class * weights, len(y))
