"""The file of a table's model: writing it, and reading what was written."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DeltapropError
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import Contents, SavedModel, damaged, flat_array
from deltaprop.model.spec import Network
from deltaprop.model.stored import Stored, record
from deltaprop.table_models.calibration import Calibration
from deltaprop.table_models.evaluation import Evaluation
from deltaprop.table_models.learnt_rows import LearntRows
from deltaprop.table_models.recipe import Recipe
from deltaprop.tabular import TargetEncoder, encoder_from_dict
from deltaprop.training.history import History

if TYPE_CHECKING:
    from deltaprop.table_models.model import TableModel

__all__ = ["contents_of", "restore_table_model", "table_model_of"]

_MOST_CLASSES_KEPT = 100  # whose figures a file keeps
# what a loss takes for targets, by what the table asks for
_TARGETS = {
    "classification": ("distribution", "unit"),
    "multilabel": ("unit",),
    "regression": ("real", "count"),
}


def contents_of(model: TableModel) -> Contents:
    """Return what a file of a model holds beside its network, as ``save_model`` takes it."""
    others: dict[str, npt.NDArray[Any]] = {
        f"member.{i}": member.flat for i, member in enumerate(model.members[1:], start=2)
    }
    if model.limits is not None:
        others["limits"] = model.limits
    if model.learnt_rows is not None:
        others |= model.learnt_rows.to_arrays()
    held_out = model.held_out
    if held_out is not None and not held_out.finite:
        held_out = None
    if held_out is not None and len(held_out.classes) > _MOST_CLASSES_KEPT:
        held_out = replace(held_out, classes=())
    return {
        "table": {"inputs": model.inputs.to_dict(), "target": model.target.to_dict()},
        "training": {
            "history": model.history.to_dict(),
            "other_histories": [history.to_dict() for history in model.histories[1:]],
            "recipe": model.recipe.to_dict(),
            "n_train": model.n_train,
            "n_val": model.n_val,
            "seconds": model.seconds,
            **({} if model.rows_given is None else {"rows_given": model.rows_given}),
            **({} if model.missing is None else {"missing": list(model.missing)}),
            "calibration": model.calibration and asdict(model.calibration),
            "held_out": held_out and asdict(held_out),
        },
        "arrays": others,
    }


def restore_table_model(saved: SavedModel, name: str, kind: type[TableModel]) -> TableModel:
    """Return the model in the file called ``name``; ModelFileError when it holds anything else."""
    try:
        return table_model_of(saved, kind)
    except DeltapropError as error:
        raise damaged(name, error) from None


def table_model_of(saved: SavedModel, kind: type[TableModel]) -> TableModel:
    """Return the model that a file describes, its parts checked against each other.

    Raise DeltapropError when it describes anything else.
    """
    table, training = Stored(saved.table, "table"), Stored(saved.training, "training record")
    inputs = encoder_from_dict(table.get("inputs"))
    target = encoder_from_dict(table.get("target"))
    if isinstance(inputs, TargetEncoder) or not isinstance(target, TargetEncoder):
        raise DataError("its table's inputs and target are mixed up")
    network = saved.network
    if (network.n_in, network.n_out) != (inputs.n_outputs, target.n_outputs):
        raise DataError("its table does not fit its network")
    if network.loss.targets not in _TARGETS[target.task]:
        raise DataError(f"its loss is {network.loss_name}, its table's task is {target.task}")
    calibration = training.values.get("calibration")  # older files have none
    if calibration is not None and target.task == "regression":
        raise DataError("it calibrates a model that has no classes")
    others = training.items("other_histories", lambda _, data: History.from_dict(data))
    members = [
        Parameters(network.layout, flat_array(saved, f"member.{i}"))
        for i in range(2, len(others) + 2)
    ]
    held_out = training.values.get("held_out")
    return kind(
        network,
        (saved.parameters, *members),
        inputs,
        target,
        (History.from_dict(training.get("history")), *others),
        Recipe.from_dict(training.get("recipe")),
        training.count("n_train", 1),
        training.count("n_val"),
        None if calibration is None else record(Calibration, calibration, "calibration"),
        _limits(saved.arrays.get("limits"), network),
        training.number("seconds"),
        training.texts("missing") if "missing" in training.values else None,
        LearntRows.from_arrays(saved.arrays),
        None if held_out is None else record(Evaluation, held_out, "figures of rows held out"),
        training.count("rows_given", 1) if "rows_given" in training.values else None,
    )


def _limits(
    limits: npt.NDArray[np.float64] | None, network: Network
) -> npt.NDArray[np.float64] | None:
    if limits is None:
        return None
    if limits.shape != (2, network.n_out) or limits.dtype != np.float64:
        raise DataError(f"its limits are {limits.dtype} of shape {limits.shape}")
    if (limits[0] > limits[1]).any():
        raise DataError("its limits are not the least and the largest number")
    return limits
