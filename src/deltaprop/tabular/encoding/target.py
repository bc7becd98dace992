"""The target <-> what a network is trained on: classes, truth values, or standardized numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import DataError, ShapeError, nearest_name, of
from deltaprop.model.stored import LONGEST_NAME, Stored
from deltaprop.tabular.encoding.categories import category_codes
from deltaprop.tabular.encoding.cells import listed, shorten
from deltaprop.tabular.encoding.target_values import (
    are_long_integers,
    are_truths,
    as_numbers,
    complete_values,
    notation_of,
    refuse_lost_digits,
    refuse_words,
    sorted_classes,
    spelt_alike,
    target_columns,
    task_of,
)
from deltaprop.tabular.encoding.task import Task, check_task
from deltaprop.tabular.forked import fork_safe
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.notation import Notation
from deltaprop.tabular.reading.truth import differ_in_capitals

__all__ = ["TargetEncoder", "target_columns"]

_MANY_CLASSES = 100  # from which on most must have more than one row
_CLASS_TYPES = ("text", "int", "float", "bool")


@dataclass(frozen=True, slots=True, eq=False)
class TargetEncoder:
    """Encodes targets like the one it was fitted to, and decodes predictions.

    Attributes
    ----------
    task : {"classification", "regression", "multilabel"}
        What the target asks for: one of several classes, numbers, or several answers that are each
        true or false.
    reason : str
        Why that task.
    names : tuple of str
        One name per target.
    classes : ndarray
        Sorted; numbers stay numbers, text is an object array. Of several labels false and true, as
        truth values or as 0 and 1. Empty for regression.
    mean, std : float64 array
        Per target, in its own units; 0 and 1 where it is learnt as it is. Empty for others.
    notations : tuple of Notation or None
        How each target was written at training, where that is not as plain numbers; empty where
        all are plain. Predictions are plain numbers, in the unit of the notation.
    """

    format: ClassVar[str] = "deltaprop-target-encoder/1"

    task: Task
    reason: str
    names: tuple[str, ...]
    classes: NDArray[Any]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    notations: tuple[Notation | None, ...] = ()

    @classmethod
    @fork_safe
    def fit(
        cls,
        values: object,
        task: str | None = None,
        *,
        names: Sequence[str] = (),
        where: str = "",
        standardize: bool = True,
    ) -> TargetEncoder:
        """Decide the task and fit what encodes the target.

        Parameters
        ----------
        values : array, list, series, or frame of several targets
            One entry, or one row, per sample.
        task : {"classification", "regression", "multilabel"}, optional
            Overrides the guess from the values.
        names, where
            What messages call the targets, and the table.
        standardize : bool
            Whether numbers are learnt less their mean, in deviations, or as they are.

        Raises
        ------
        DataError
            Missing or infinite values, a single class, a constant number.
        """
        check_task(task)
        columns = target_columns(values)
        several = [f"target{i}" for i in range(len(columns))]
        labels = tuple(names or (several if len(columns) > 1 else ["target"]))
        if len(labels) != len(columns):
            raise ShapeError(
                f"The target has {len(columns)} columns but {len(labels)} names ({listed(labels)}):"
                " expected one name per column."
            )
        arrays = [complete_values(c, name, where) for c, name in zip(columns, labels, strict=True)]
        if len(arrays) > 1 or task == "multilabel":
            if task == "classification":
                raise DataError(
                    f"{len(arrays)} target columns ({listed(labels)}) were given for "
                    "classification: expected one column of class labels. Turn one-hot columns "
                    "into labels with argmax; of answers that are each true or false the task is "
                    "'multilabel'; or train one model per column."
                )
            odd = [n for n, values in zip(labels, arrays, strict=True) if not are_truths(values)]
            if not odd and task != "regression":
                return cls._labels_of(arrays, labels)
            if task == "multilabel":
                raise DataError(
                    f"Target {odd[0]!r}{of(where)} holds more than 0 and 1, or true and false: "
                    "expected only these in every target of the task 'multilabel'."
                )
            if task is None:
                refuse_words(arrays, labels, where)
            reason = f"there are {len(arrays)} targets"
            return cls._regression(arrays, reason, labels, where, standardize)
        guess, reason = task_of(arrays[0], labels[0], task, where)
        if task is not None and task != guess:
            reason = f"it was asked for, though {reason}"
        if (task or guess) == "regression":
            return cls._regression(arrays, reason, labels, where, standardize)
        return cls._classification(arrays[0], reason, labels, where)

    @classmethod
    def _classification(
        cls, values: NDArray[Any], reason: str, names: tuple[str, ...], where: str
    ) -> TargetEncoder:
        values, merged = spelt_alike(values)
        classes = sorted_classes(values)
        apart = "" if merged or values.dtype.kind != "O" else differ_in_capitals(classes.tolist())
        reason = "; ".join(filter(None, (reason, merged, apart)))
        longest = max((c for c in classes.tolist() if isinstance(c, str)), key=len, default="")
        if len(longest) > LONGEST_NAME:
            raise DataError(
                f"Target {names[0]!r}{of(where)} has the class {shorten(longest)}: expected labels "
                f"of at most {LONGEST_NAME:,} characters. Is it a column of texts?"
            )
        if classes.size < 2:
            raise DataError(
                f"Target {names[0]!r}{of(where)} has the single class {shorten(_shown(classes[0]))}"
                f" in all {values.size} rows: expected at least two classes. Check how the rows "
                "were selected."
            )
        many = classes.size > _MANY_CLASSES and classes.size > values.size / 2
        if many and classes.dtype.kind != "O" and not are_long_integers(classes):
            raise DataError(
                f"Target {names[0]!r}{of(where)} has {classes.size:,} classes in {values.size:,} "
                "rows: most classes have a single row, from which nothing about others can be "
                "learnt. Leave the task out, or say task='regression', to learn the numbers; or "
                "choose another target."
            )
        empty = np.empty(0)
        return cls("classification", reason, names, classes, empty, empty)

    @classmethod
    def _labels_of(cls, arrays: Sequence[NDArray[Any]], names: tuple[str, ...]) -> TargetEncoder:
        truths = all(values.dtype.kind in "bO" for values in arrays)
        classes = np.array([False, True]) if truths else np.array([0, 1])
        reason = f"each of the {len(arrays)} targets is true or false"
        return cls("multilabel", reason, names, classes, np.empty(0), np.empty(0))

    @classmethod
    def _regression(
        cls,
        arrays: Sequence[NDArray[Any]],
        reason: str,
        names: tuple[str, ...],
        where: str,
        standardize: bool,
    ) -> TargetEncoder:
        means, stds, notations = [], [], []
        for values, name in zip(arrays, names, strict=True):
            notation, described = notation_of(values)
            notations.append(notation)
            which = f"{name!r}: " if len(arrays) > 1 else ""
            reason += f"; {which}{described}" if described else ""
            y = as_numbers(values, name, where, notation)
            refuse_lost_digits(values, y, name, where)
            if y.min() == y.max():
                raise DataError(
                    f"Target {name!r}{of(where)} is {y[0]:g} in all {y.size} rows: expected "
                    "numbers that differ, or there is nothing to learn. Check the rows."
                )
            # Divided by the largest first: squares of 1e300 are no floats.
            largest = float(np.abs(y).max())
            unit = y / largest
            means.append(float(unit.mean()) * largest)
            stds.append(max(float(unit.std()) * largest, np.finfo(np.float64).tiny))
        mean, std = np.array(means), np.array(stds)
        if not standardize:
            mean, std = np.zeros_like(mean), np.ones_like(std)
        kept = tuple(notations) if any(notations) else ()
        return cls("regression", reason, names, np.empty(0), mean, std, kept)

    @property
    def n_outputs(self) -> int:
        """Number of classes, of labels, or of numbers to predict."""
        return self.classes.size if self.task == "classification" else len(self.names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, or the labels, as text; empty for regression."""
        return self.names if self.task == "multilabel" else tuple(map(str, self.classes.tolist()))

    @fork_safe
    def encode(self, values: object, *, where: str = "") -> NDArray[Any]:
        """Return int64 labels, or float64 numbers of shape (n, targets): 0 and 1, or standardized.

        A `DataError` names the rows that are missing, infinite, or of a class that training did not
        have.
        """
        columns = target_columns(values)
        if len(columns) != len(self.names):
            raise ShapeError(
                f"The target{of(where)} has {len(columns)} columns: expected {len(self.names)} "
                f"({listed(self.names)}), as in training."
            )
        pairs = list(zip(columns, self.names, strict=True))
        if self.task == "regression":
            notations = self.notations or (None,) * len(pairs)
            arrays = [
                as_numbers(complete_values(column, name, where), name, where, notation)
                for (column, name), notation in zip(pairs, notations, strict=True)
            ]
            y = np.column_stack(arrays)
            return np.asarray((y / 2 - self.mean / 2) / (self.std / 2), dtype=np.float64)
        codes = [self._labels(complete_values(c, name, where), c, name, where) for c, name in pairs]
        if self.task == "multilabel":
            return np.column_stack(codes).astype(np.float64)
        return codes[0]

    def _labels(
        self, values: NDArray[Any], column: pl.Series, name: str, where: str
    ) -> NDArray[np.int64]:
        if values.dtype.kind in "iuf" and self.classes.dtype.kind in "iuf":
            codes = np.searchsorted(self.classes, values)
            codes = np.minimum(codes, self.classes.size - 1).astype(np.int64)
            codes[self.classes[codes] != values] = -1
        elif {values.dtype.kind, self.classes.dtype.kind} in ({"b", "i"}, {"b", "f"}):
            # Truth values and 0, 1 are two ways to write the same classes.

            codes, _, _ = category_codes(
                column.cast(pl.Float64), tuple(f"{int(c)}" for c in self.classes.tolist())
            )
        else:
            codes, _, _ = category_codes(column, tuple(self._texts()))
        strange = np.flatnonzero(codes < 0)
        if strange.size:
            found = _shown(values[strange[0]])
            near = nearest_name(str(found), self._texts()[:5000])
            hint = f" Did you mean {near!r}?" if near and isinstance(found, str) else ""
            others = strange.size - 1
            more = f" {others} more rows have unknown classes." if others else ""
            raise DataError(
                f"Target {name!r}{of(where)} is {shorten(found)} in row "
                f"{strange[0] + 1}: expected one of the {self.classes.size} classes of the "
                f"training, {listed(self._texts())}.{hint}{more} Correct or leave out these rows."
            )
        return codes

    def _texts(self) -> list[str]:
        if self.classes.dtype.kind == "b":
            return ["true" if c else "false" for c in self.classes.tolist()]
        return [str(c) for c in self.classes.tolist()]

    def decode(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Return the classes of int labels, or truth values, or numbers in the target's units."""
        encoded = np.asarray(encoded)
        if self.task == "multilabel":
            return np.asarray(self.classes[(encoded > 0.5).astype(np.int64)])
        if self.task == "classification":
            if encoded.dtype.kind not in "iu" or (
                encoded.size and not 0 <= encoded.min() <= encoded.max() < self.classes.size
            ):
                raise ShapeError(
                    f"Labels to decode are of type {encoded.dtype}: expected whole numbers from 0 "
                    f"to {self.classes.size - 1}."
                )
            return np.asarray(self.classes[encoded])
        if encoded.ndim == 1 and self.mean.size == 1:
            return np.asarray(encoded * self.std[0] + self.mean[0])
        if encoded.ndim != 2 or encoded.shape[1] != self.mean.size:
            raise ShapeError(
                f"Numbers to decode have the shape {encoded.shape}: expected (n, {self.mean.size})."
            )
        return np.asarray(encoded * self.std + self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as plain values that JSON keeps exactly."""
        class_type = {"O": "text", "b": "bool", "f": "float"}.get(self.classes.dtype.kind, "int")
        values = {
            "format": self.format,
            "task": self.task,
            "reason": self.reason,
            "names": list(self.names),
            "class_type": class_type,
            "classes": self.classes.tolist(),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }
        # Only where there are some: other targets are stored as they were before them.
        notations = [n.to_dict() if n else None for n in self.notations]
        return values | ({"notations": notations} if notations else {})

    @classmethod
    def from_dict(cls, values: object) -> TargetEncoder:
        """Return the encoder that `to_dict` described; see `Encoder.from_dict`."""
        stored = Stored(values, "target encoder")
        stored.text("format", (cls.format,))
        task = stored.text("task", get_args(Task))
        names = stored.texts("names")
        mean, std = stored.numbers("mean"), stored.numbers("std", positive=True)
        classes = _stored_classes(stored, stored.text("class_type", _CLASS_TYPES))
        numeric = task == "regression"
        if not len(mean) == len(std) == (len(names) if numeric else 0):
            stored.refuse("mean", list(mean[:5]), "as many means and deviations as targets")
        if task == "multilabel":
            if not (are_truths(classes) and classes.size == 2 and names):
                stored.refuse("classes", classes.tolist()[:5], "false and true, or 0 and 1")
        elif (classes.size != 0) if numeric else (classes.size < 2 or len(names) != 1):
            stored.refuse("classes", classes.tolist()[:5], "at least two classes of one target")
        return cls(
            task,  # type: ignore[arg-type]
            stored.text("reason"),
            names,
            classes,
            np.array(mean, dtype=np.float64),
            np.array(std, dtype=np.float64),
            _stored_notations(stored, len(names) if numeric else 0),
        )


def _stored_notations(stored: Stored, n: int) -> tuple[Notation | None, ...]:
    if "notations" not in stored.values:
        return ()

    def each(place: str, entry: object) -> Notation | None:
        return None if entry is None else Notation.from_dict(f"{stored.where}, {place}", entry)

    notations = stored.items("notations", each)
    if len(notations) != n:
        stored.refuse("notations", len(notations), f"one for each of {n} numbers")
    return notations


def _stored_classes(stored: Stored, class_type: str) -> NDArray[Any]:
    if class_type == "text":
        found = np.array(stored.texts("classes", different=True), dtype=object)
        ordered = sorted(found.tolist()) == found.tolist()
    elif class_type == "bool":
        truths = stored.items("classes", lambda _, entry: entry)
        found = np.array([False, True])
        ordered = truths == (False, True) and all(isinstance(t, bool) for t in truths)
    else:
        whole = class_type == "int"
        cells = stored.counts("classes", -(2**63)) if whole else stored.numbers("classes")
        found = np.array(cells, dtype=np.int64 if whole else np.float64)
        ordered = bool((found[1:] > found[:-1]).all())
    if not ordered:
        stored.refuse("classes", found.tolist()[:5], "different classes in ascending order")
    return found


def _shown(value: object) -> object:
    """Return a NumPy scalar as the plain value that people know."""
    return value.item() if isinstance(value, np.generic) else value
