"""Several targets of different kinds: a model for each, on the same rows, in one file.

Numbers share a network, and so do targets that are each true or false; every other target has one
of its own. A network for classes of several targets would need a loss for each of its outputs, and
would have to choose one epoch for all of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DeltapropError, ModelFileError
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import (
    Contents,
    SavedModel,
    damaged,
    flat_array,
    network_from_dict,
    network_to_dict,
    save_model,
)
from deltaprop.model.spec import Network
from deltaprop.model.stored import Stored
from deltaprop.table_models.budget import Budget
from deltaprop.table_models.evaluation import Evaluation
from deltaprop.table_models.files import table_model_of
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.recipe import Recipe
from deltaprop.tabular import Features, SparseRows, TargetEncoder, as_features, target_columns

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "SEVERAL",
    "TargetModels",
    "columns_together",
    "contents_together",
    "restore_target_models",
    "saved_parts",
    "side_by_side",
    "some_targets",
]

SEVERAL = "targets"  # the key under which a file keeps all but the first
_MOST_TARGETS = 1000
_TRUTHS = (["0", "1"], ["false", "true"])

Group = tuple[int, ...]


@dataclass(frozen=True, repr=False)
class TargetModels:
    """Models of one table, each of which predicts one target, or some that share a network.

    Attributes
    ----------
    parts : tuple of TableModel
        The models; their targets together are all there are.
    names : tuple of str
        The targets in the order they were given.
    """

    parts: tuple[TableModel, ...]
    names: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        features: object,
        target: object,
        *,
        target_names: Sequence[str] = (),
        validation: tuple[object, object] | None = None,
        task: str | None = None,
        recipe: Recipe | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        budget: Budget | None = None,
        **settings: Any,
    ) -> TargetModels:
        """Learn each target of a table.

        Parameters
        ----------
        features, target
            As for ``TableModel.fit``; the target has several columns, of any kinds.
        target_names, validation, task
            As for ``TableModel.fit``.
        recipe : Recipe, optional
            How to learn; of its time budget each model gets its share of what is left.
        checkpoint : path, optional
            As for ``TableModel.fit``; each model has one of its own, ``.target1``, ``.target2``,
            ... behind the name.
        budget : Budget, optional
            As for ``TableModel.fit``.
        **settings
            Further settings of ``TableModel.fit``.

        Raises
        ------
        DataError
            When a target cannot be learnt; the message says which and why.
        KeyboardInterrupt
            When somebody interrupts it before the last target; nothing is kept.
        """
        recipe = recipe or Recipe()
        budget = budget or Budget(recipe.time_budget, time.perf_counter())
        names = tuple(target_names) or tuple(c.name for c in target_columns(target))
        groups = columns_together(target, names, task, recipe, where=settings.get("where", ""))
        parts: list[TableModel] = []
        for i, group in enumerate(groups):
            held = validation and (validation[0], some_targets(validation[1], group))
            own = None if checkpoint is None else f"{os.fspath(checkpoint)}.target{i + 1}"
            share = budget.share(len(groups) - i)
            part = TableModel.fit(
                features, some_targets(target, group), target_names=[names[k] for k in group],
                validation=held, task=task, recipe=replace(recipe, time_budget=share.seconds),
                checkpoint=own, budget=share, **settings,
            )  # fmt: skip
            parts.append(part)
            if part.interrupted and len(parts) < len(groups):
                raise KeyboardInterrupt(f"{names[group[0]]!r} was being learnt; nothing is kept.")
        return cls(tuple(parts), names)

    @property
    def interrupted(self) -> bool:
        """Return whether somebody interrupted the training of the last one."""
        return self.parts[-1].interrupted

    def __repr__(self) -> str:
        """Return the models in a row."""
        return f"<TargetModels: {', '.join(map(repr, self.parts))}>"

    def predict(self, features: object, *, where: str = "") -> npt.NDArray[Any]:
        """Return the answers side by side, of shape (n, targets); objects where kinds differ."""
        columns: dict[str, npt.NDArray[Any]] = {}
        features = self.without_targets(features)
        for part in self.parts:
            answers = part.predict(features, where=where).reshape(-1, len(part.target.names))
            columns |= dict(zip(part.target.names, answers.T, strict=True))
        return side_by_side([columns[name] for name in self.names])

    def predict_proba(self, features: object, *, where: str = "") -> list[npt.NDArray[np.float64]]:
        """Return, for each target that is no number, the probability of its classes, (n, k).

        Of targets that are each true or false k is 2, false and true.
        """
        found: dict[str, npt.NDArray[np.float64]] = {}
        features = self.without_targets(features)
        for part in self.parts:
            if part.task == "regression":
                continue
            p = part.predict_proba(features, where=where)
            if part.task == "multilabel":
                each = zip(part.target.names, p.T, strict=True)
                found |= {name: np.column_stack([1 - q, q]) for name, q in each}
            else:
                found[part.target.names[0]] = p
        return [found[name] for name in self.names if name in found]

    def evaluate(
        self, features: object, target: object, *, where: str = ""
    ) -> dict[str, Evaluation]:
        """Return the figures of each model, by the names of its targets."""
        features = self.without_targets(features)
        return {
            ",".join(part.target.names): part.evaluate(features, own, where=where)
            for part, own in zip(self.parts, self.targets_of_parts(target), strict=True)
        }

    def targets_of_parts(self, target: object) -> list[pl.Series | pl.DataFrame]:
        """Return what of the targets, in their order, each model knows."""
        places = {name: i for i, name in enumerate(self.names)}
        return [some_targets(target, [places[n] for n in p.target.names]) for p in self.parts]

    def without_targets(self, features: object) -> Features:
        """Return a table without the columns that are targets, which none of the models knows."""
        rows = as_features(features)
        if isinstance(rows, (np.ndarray, SparseRows)):
            return rows
        return rows.drop([name for name in self.names if name in rows.columns])

    def part_of(self, name: str) -> TableModel | None:
        """Return the model of a target, or None where there is no such target."""
        return next((part for part in self.parts if name in part.target.names), None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all models to one safetensors file."""
        first = self.parts[0]
        save_model(
            path, first.network, first.parameters, **self.contents(),
            restore=lambda saved: _target_models_of(saved).contents(),
        )  # fmt: skip

    def contents(self) -> Contents:
        """Return what a file of the models holds beside the first one's network."""
        each = [(part.network, part.parameters, part.contents()) for part in self.parts]
        return contents_together(each, self.names)


def side_by_side(columns: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return answers as the columns of one array; of objects where their kinds differ."""
    same = len({column.dtype.kind for column in columns}) == 1
    return np.column_stack([c if same else c.astype(object) for c in columns])


def contents_together(
    parts: Sequence[tuple[Network, Parameters, Contents]], names: Sequence[str]
) -> Contents:
    """Return what one file of several networks, each with its contents, holds beside the first."""
    first = parts[0][2]
    arrays, others = dict(first["arrays"]), []
    for i, (network, parameters, own) in enumerate(parts[1:], start=2):
        described = {"network": network_to_dict(network)}
        others.append(described | {key: own[key] for key in ("table", "training")})
        arrays[f"target.{i}.parameters"] = parameters.flat
        arrays |= {f"target.{i}.{name}": array for name, array in own["arrays"].items()}
    training = {**first["training"], SEVERAL: {"names": list(names), "others": others}}
    return {"table": first["table"], "training": training, "arrays": arrays}


def columns_together(
    target: object, names: Sequence[str], task: str | None, recipe: Recipe, *, where: str = ""
) -> list[Group]:
    """Return which columns of a target are learnt by one model, in the order of their first ones.

    With a loss for numbers in the recipe every target is a number.
    """
    columns = target_columns(target)
    if len(columns) < 2 or task in ("regression", "multilabel") or recipe.loss is not None:
        return [tuple(range(len(columns)))]
    numbers, truths, classes = [], [], []
    for i, (column, name) in enumerate(zip(columns, names, strict=True)):
        encoder = TargetEncoder.fit(column, task, names=[name], where=where)
        if encoder.task == "regression":
            numbers.append(i)
        elif task is None and [str(c).lower() for c in encoder.classes.tolist()] in _TRUTHS:
            truths.append(i)
        else:
            classes.append((i,))
    shared = [tuple(group) for group in (numbers, truths) if group]
    return sorted([*shared, *classes])


def some_targets(target: object, places: Sequence[int]) -> pl.Series | pl.DataFrame:
    """Return some columns of a target as one series, or as a frame of several."""
    import polars as pl

    columns = list(target_columns(target))
    chosen = [columns[place] for place in places]
    if len(chosen) == 1:
        return chosen[0]
    return pl.DataFrame([column.alias(str(i)) for i, column in enumerate(chosen)])


def restore_target_models(saved: SavedModel, name: str) -> TargetModels:
    """Return the models that ``TargetModels.save`` wrote to the file called ``name``.

    Raise ModelFileError when it holds anything else, or an estimator that knows a single class of a
    target.
    """
    try:
        alone = [str(n) for p, n in zip(*saved_parts(saved), strict=False) if p.table is None]
        if not alone:
            return _target_models_of(saved)
    except DeltapropError as error:
        raise damaged(name, error) from None
    raise ModelFileError(
        f"{name} holds an estimator for several targets, but of {alone[0]!r} it knows a single "
        "class; the commands know targets of several classes. Load it in Python: "
        "deltaprop.load(path)."
    )


def _target_models_of(saved: SavedModel) -> TargetModels:
    each, names = saved_parts(saved)
    parts = tuple(table_model_of(saved, TableModel) for saved in each)
    predicted = sorted(name for part in parts for name in part.target.names)
    if predicted != sorted(names):
        raise DataError("its targets are not those of its models")
    return TargetModels(parts, names)


def saved_parts(saved: SavedModel) -> tuple[list[SavedModel], tuple[str, ...]]:
    """Return what ``contents_together`` put together, each as a file of its own, and the names."""
    several = Stored(saved.training.get(SEVERAL), "several targets")
    names = several.texts("names", different=True)
    others = several.items("others", lambda place, values: Stored(values, place))
    own = {key: a for key, a in saved.arrays.items() if not key.startswith("target.")}
    alone = {key: value for key, value in saved.training.items() if key != SEVERAL}
    parts = [replace(saved, arrays=own, training=alone)]
    if len(others) >= _MOST_TARGETS:
        raise DataError(f"it has {len(others)} models beside the first")
    for i, stored in enumerate(others, start=2):
        prefix = f"target.{i}."
        arrays = {
            key.removeprefix(prefix): array
            for key, array in saved.arrays.items()
            if key.startswith(prefix)
        }
        table: Any = stored.get("table")
        training: Any = stored.get("training")
        network = network_from_dict(stored.get("network"))
        part = replace(saved, network=network, table=table, training=training, arrays=arrays)
        flat = flat_array(part, "parameters")
        parts.append(replace(part, parameters=Parameters(network.layout, flat)))
    return parts, names
