"""A model that a command opens, and how tables for it are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from deltaprop.cli.options import parse_missing
from deltaprop.errors import DataError, ModelFileError, SettingError

if TYPE_CHECKING:
    from deltaprop.estimators.as_table_model import EstimatorOnTables
    from deltaprop.table_models import TableModel, TargetModels
    from deltaprop.tabular import Dataset, MissingWords, Task

    Model: TypeAlias = TableModel | EstimatorOnTables
    Words: TypeAlias = tuple[str, ...] | MissingWords

__all__ = ["ModelFile", "open_model"]


@dataclass(frozen=True)
class ModelFile:
    """What a file holds: a model, or one for each of several targets.

    Attributes
    ----------
    path : str
        The file.
    models : tuple of TableModel or EstimatorOnTables
        The models.
    targets : tuple of str
        The targets of all, in the order they were given in training.
    several : TargetModels or None
        The models together, where each has a target of its own.
    """

    path: str
    models: tuple[Model, ...]
    targets: tuple[str, ...]
    several: TargetModels | None = None

    @property
    def estimator(self) -> EstimatorOnTables | None:
        """Return the model where it is an estimator, which needs all rows at once."""
        from deltaprop.table_models import TableModel

        model = self.models[0]
        return None if isinstance(model, TableModel) else model

    @property
    def table_models(self) -> list[TableModel]:
        """Return the models but for an estimator."""
        from deltaprop.table_models import TableModel

        return [model for model in self.models if isinstance(model, TableModel)]

    def one(self, target: str | None = None) -> Model:
        """Return the only model, or that of a target."""
        if self.several is None:
            return self.models[0]
        part = None if target is None else self.several.part_of(target)
        if part is None:
            raise SettingError(
                f"{self.path} predicts {', '.join(self.targets)}, each by a model of its own: say "
                "which with --target."
            )
        return part

    def rows_of_each(self, rows: Dataset) -> list[Dataset]:
        """Return the rows with the targets of each model."""
        if self.several is None:
            return [rows]
        places = [[self.targets.index(n) for n in model.target.names] for model in self.models]
        return [rows.of_targets(own) for own in places]

    def target_in(self, data: str, target: str | None) -> tuple[str | list[str], Task | None]:
        """Return what the target of a table is that the model is judged on, and its task."""
        from deltaprop.tabular import ImageEncoder

        model = self.models[0]
        if target is None and isinstance(model.inputs, ImageEncoder):
            raise DataError(f"{data} holds images; --target names the file with their labels.")
        task = model.target.task if self.several is None else None
        return list(self.targets) if target is None else target, task

    def reading(self, encoding: str | None, missing: str | None) -> dict[str, Any]:
        """Return how a table is read: as asked for, and as the model knows its columns."""
        known = {
            column.name
            for model in self.models
            for column in getattr(model.inputs, "columns", ())
            if column.holds_text
        }
        return {"missing": self._missing(missing), "encoding": encoding, "text": known}

    def read_rows(
        self, data: str, target: str | None, encoding: str | None, missing: str | None
    ) -> Dataset:
        """Return the features and the target of a table the model is to be judged on."""
        from deltaprop.tabular import load_dataset

        names, task = self.target_in(data, target)
        return load_dataset(data, names, task=task, **self.reading(encoding, missing))

    def _missing(self, given: str | None) -> Words:
        """Return which words of a file are missing: as asked for, or as in training.

        A word that is a class, or a category of a column that lacked no cell, is none of the usual
        ones: the rows may come from a program that puts no quotes around it.
        """
        from deltaprop.tabular import MISSING, MissingWords

        words = parse_missing(given)
        if words is not None:
            return words
        model = self.models[0]
        if model.missing is not None:
            return model.missing
        known = set(model.class_names)
        for column in getattr(model.inputs, "columns", ()):
            known.update(() if column.missing else column.words)
        return MissingWords(tuple(word for word in MISSING if word not in known))


def open_model(path: str) -> ModelFile:
    """Return the model, models or estimator in a file; raise ModelFileError for another."""
    from deltaprop.estimators.loading import estimator_of
    from deltaprop.estimators.plain import KEY
    from deltaprop.model.serialize import load_model
    from deltaprop.table_models import TableModel
    from deltaprop.table_models.files import restore_table_model
    from deltaprop.table_models.several_targets import SEVERAL, restore_target_models

    saved = load_model(path)
    if SEVERAL in saved.training:
        models = restore_target_models(saved, path)
        return ModelFile(path, models.parts, models.names, models)
    model: Model
    if saved.table is not None:
        model = restore_table_model(saved, path, TableModel)
    elif KEY in saved.training:
        estimator = estimator_of(saved, path)
        from deltaprop.estimators.as_table_model import on_tables  # it needs scikit-learn

        model = on_tables(estimator, path)
    else:
        raise ModelFileError(
            f"{path} holds a bare network without the table it belongs to; expected a model saved "
            "by 'deltaprop train', or an estimator."
        )
    return ModelFile(path, (model,), model.target.names)
