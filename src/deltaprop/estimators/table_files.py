"""The file of a table's model: reading what ``TableModel.save`` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deltaprop.errors import DeltapropError, ModelFileError
from deltaprop.estimators.calibration import Calibration
from deltaprop.estimators.recipe import Recipe
from deltaprop.estimators.table_model import TableModel
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import SavedModel
from deltaprop.tabular import TargetEncoder, encoder_from_dict
from deltaprop.training.history import History

__all__ = ["restore_table_model"]


def restore_table_model(saved: SavedModel, name: str) -> TableModel:
    """Return the model that ``TableModel.save`` wrote to the file called ``name``.

    Raises
    ------
    ModelFileError
        When the file holds anything else.
    """
    try:
        model = _restore(saved, saved.table or {})
    except (DeltapropError, LookupError, ArithmeticError, TypeError, ValueError) as error:
        what = "not found: " if isinstance(error, LookupError) else ""
        what += " ".join(str(error).split())[:300].rstrip(".")
        raise ModelFileError(
            f"{name} is damaged or of a newer kind ({what}). "
            "Fetch it again, or train and save it again."
        ) from None
    fits = (model.network.n_in, model.network.n_out)
    if fits != (model.inputs.n_outputs, model.target.n_outputs):
        raise ModelFileError(f"{name} is damaged: its table does not fit its network.")
    if model.calibration is not None and model.task != "classification":
        raise ModelFileError(f"{name} is damaged: it calibrates a model that has no classes.")
    return model


def _restore(saved: SavedModel, table: Mapping[str, Any]) -> TableModel:
    inputs, target = encoder_from_dict(table["inputs"]), encoder_from_dict(table["target"])
    if isinstance(inputs, TargetEncoder) or not isinstance(target, TargetEncoder):
        raise ModelFileError("its table's inputs and target are mixed up.")
    calibration = saved.training.get("calibration")  # older files have none
    facts = dict(saved.training["recipe"])
    if facts["hidden"] is not None:
        facts["hidden"] = tuple(facts["hidden"])
    others = saved.training.get("other_histories", [])
    layout = saved.network.layout
    if not isinstance(others, list):
        raise ModelFileError("its members have no histories.")
    flats = [saved.arrays[f"member.{i}"] for i in range(2, len(others) + 2)]
    limits = saved.arrays.get("limits")
    if limits is not None:
        fits = limits.shape == (2, saved.network.n_out) and limits.dtype == np.float64
        if not (fits and np.isfinite(limits).all() and (limits[0] <= limits[1]).all()):
            raise ModelFileError("its limits do not fit its network.")
    missing = saved.training.get("missing")
    if missing is not None and not (
        isinstance(missing, list) and all(isinstance(word, str) for word in missing)
    ):
        raise ModelFileError("its words for missing values are no list of words.")
    return TableModel(
        saved.network,
        (saved.parameters, *(Parameters(layout, flat.astype(np.float64)) for flat in flats)),
        inputs,
        target,
        tuple(History.from_dict(data) for data in (saved.training["history"], *others)),
        Recipe(**facts),
        int(saved.training["n_train"]),
        int(saved.training["n_val"]),
        None if calibration is None else Calibration.from_dict(calibration),
        limits,
        float(saved.training.get("seconds", 0.0)),
        None if missing is None else tuple(missing),
    )
