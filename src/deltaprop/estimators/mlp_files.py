"""An MLP estimator <-> one safetensors file: settings, what it knows of its table, numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DeltapropError, ModelFileError
from deltaprop.estimators.mlp_settings import DEFAULTS, check_parameters
from deltaprop.estimators.table_files import restore_table_model
from deltaprop.model.serialize import SavedModel, save_model
from deltaprop.tabular import TableEncoder, encoder_from_dict
from deltaprop.training.history import History
from deltaprop.training.optimizers import OPTIMIZERS, optimizer_from_dict, optimizer_to_dict
from deltaprop.training.schedules import SCHEDULES, schedule_from_dict, schedule_to_dict

__all__ = ["KEY", "restore_estimator", "save_estimator"]

KEY = "estimator"
_FORMAT = "deltaprop-estimator/2"
_OLDER = "deltaprop-estimator/1"  # in which scikit-learn's defaults stood for "not given", too
_CLASSES = ("MLPClassifier", "MLPRegressor")
_STATE = "optimizer."
_FACTS = (
    "n_features_in_", "n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "loss_",
    "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_",
    "_no_improvement_count", "_rate", "_n_steps", "_multilabel", "_target_names",
)  # fmt: skip
_ABSENT_AFTER_LBFGS = (
    "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_",
)  # fmt: skip
_ARRAYS = ("classes_", "feature_names_in_")
# of an estimator with a preset: all else is its TableModel's
_PRESET_FACTS = ("n_features_in_", "_target_names", "_by_name", "_places")


def save_estimator(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to one file; with a preset it is a file of its TableModel, too."""
    known = vars(estimator)
    settings = {
        name: _plain(value)
        for name, value in estimator.get_params(deep=False).items()
        if _is_plain(value)
    }
    preset = "model_" in known
    names = _PRESET_FACTS if preset else _FACTS
    facts: dict[str, Any] = {
        "format": _FORMAT,
        "class": type(estimator).__name__,
        "settings": settings,
        "facts": {name: _plain(known[name]) for name in names if name in known},
        "arrays": {name: _array_to_dict(known[name]) for name in _ARRAYS if name in known},
    }
    if preset:
        contents = estimator.model_.contents()
        contents["training"][KEY] = facts
        save_model(path, estimator.network_, estimator.model_.parameters, **contents)
        return
    facts |= {
        "dtype": str(estimator.coefs_[0].dtype),
        "encoder": None if estimator.encoder_ is None else estimator.encoder_.to_dict(),
        "history": estimator.history_.to_dict() if "history_" in known else None,
    }
    save_model(
        path,
        estimator.network_,
        estimator.network_.parameters(estimator.coefs_, estimator.intercepts_),
        training={KEY: facts},
        arrays={_STATE + name: np.asarray(a) for name, a in estimator._state.items()},  # noqa: SLF001
    )


def restore_estimator(saved: SavedModel, name: str) -> Any:
    """Return the estimator that ``save_estimator`` wrote.

    Raises
    ------
    ModelFileError
        When the file holds anything else.
    MissingExtraError
        When scikit-learn is not installed.
    """
    from deltaprop.estimators.classifier import MLPClassifier
    from deltaprop.estimators.mlp_presets import check_preset
    from deltaprop.estimators.regressor import MLPRegressor

    try:
        facts: Mapping[str, Any] = saved.training[KEY]
        if facts["format"] not in (_FORMAT, _OLDER) or facts["class"] not in _CLASSES:
            raise ModelFileError(f"it is {facts['class']!r} in format {facts['format']!r}")
        settings = {key: _revived(value) for key, value in facts["settings"].items()}
        if facts["format"] == _OLDER:
            settings = {k: None if v == DEFAULTS.get(k) else v for k, v in settings.items()}
        kind = MLPClassifier if facts["class"] == _CLASSES[0] else MLPRegressor
        estimator: Any = kind(**settings)
        check_parameters(estimator)
        check_preset(estimator)
        if saved.table is None:
            _restore_facts(estimator, saved, facts)
            _refuse_misfit(estimator, saved)
        else:
            _restore_preset(estimator, saved, facts, name)
    except (DeltapropError, LookupError, ArithmeticError, TypeError, ValueError,
            AttributeError) as error:  # fmt: skip
        what = "not found: " if isinstance(error, LookupError) else ""
        what += " ".join(str(error).split())[:300].rstrip(".")
        raise ModelFileError(
            f"{name} is damaged or of a newer kind ({what}). Fetch it again, or train and save it "
            "again."
        ) from None
    return estimator


def _refuse_misfit(estimator: Any, saved: SavedModel) -> None:
    """Raise unless all is there that a fitted estimator has, and fits together."""
    optional = {*_ABSENT_AFTER_LBFGS, "_multilabel"}
    needed = [name for name in _FACTS if name not in optional]
    n_out = estimator.n_outputs_
    if hasattr(type(estimator), "predict_proba"):
        needed += ["_multilabel", "classes_"]
        n_classes = len(estimator.classes_)
        right = n_classes if n_classes > 2 or estimator._multilabel else 1  # noqa: SLF001
        if n_out != right:
            raise ModelFileError(f"it has {n_classes} classes but {n_out} outputs")
    absent = [name for name in needed if not hasattr(estimator, name)]
    if absent:
        raise ModelFileError(f"it lacks {absent[0]!r}")
    if n_out != saved.network.n_out:
        raise ModelFileError(f"it has {n_out} outputs, its network {saved.network.n_out}")


def _restore_facts(estimator: Any, saved: SavedModel, facts: Mapping[str, Any]) -> None:
    if facts["dtype"] not in ("float32", "float64"):
        raise ModelFileError(f"its coefficients are {facts['dtype']!r}")
    _restore_attributes(estimator, facts, _FACTS)
    encoder = None if facts["encoder"] is None else encoder_from_dict(facts["encoder"])
    if not (encoder is None or isinstance(encoder, TableEncoder)):
        raise ModelFileError("its encoder is none of a table")
    n_in = estimator.n_features_in_ if encoder is None else encoder.n_outputs
    if n_in != saved.network.n_in:
        raise ModelFileError("its table does not fit its network")
    estimator.encoder_ = encoder
    if facts["history"] is not None:
        estimator.history_ = History.from_dict(facts["history"])
    estimator.network_ = saved.network
    parameters = saved.parameters
    estimator.coefs_ = [np.array(W, dtype=facts["dtype"]) for W in parameters.W]
    estimator.intercepts_ = [np.array(b, dtype=facts["dtype"]) for b in parameters.b]
    estimator._state = {  # noqa: SLF001
        key.removeprefix(_STATE): array if array.ndim else array.item()
        for key, array in saved.arrays.items()
        if key.startswith(_STATE)
    }


def _restore_attributes(estimator: Any, facts: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for key, value in facts["facts"].items():
        if key not in names:
            raise ModelFileError(f"it has {key!r}, which is not known here")
        setattr(estimator, key, _revived(value))
    for key, value in facts["arrays"].items():
        if key not in _ARRAYS:
            raise ModelFileError(f"it has {key!r}, which is not known here")
        setattr(estimator, key, _array_from_dict(value))


def _restore_preset(estimator: Any, saved: SavedModel, facts: Mapping[str, Any], name: str) -> None:
    """Give the estimator its model, once all fits together."""
    from deltaprop.estimators.mlp_presets import take_over

    _restore_attributes(estimator, facts, _PRESET_FACTS)
    model = restore_table_model(saved, name)
    known = vars(estimator)
    absent = [fact for fact in _PRESET_FACTS if fact not in known]
    if absent:
        raise ModelFileError(f"it lacks {absent[0]!r}")
    if not isinstance(estimator._by_name, bool) or not isinstance(model.inputs, TableEncoder):  # noqa: SLF001
        raise ModelFileError("its encoder is none of a table")
    names = known.get("feature_names_in_", ())
    if len(model.inputs.columns) != estimator.n_features_in_ or len(names) not in (
        0, estimator.n_features_in_,
    ):  # fmt: skip
        raise ModelFileError("its columns do not fit its table")
    if not isinstance(estimator._target_names, tuple):  # noqa: SLF001
        raise ModelFileError("its targets have no names")
    classifies = hasattr(type(estimator), "predict_proba")
    if classifies != (model.task == "classification"):
        raise ModelFileError(f"it is {facts['class']!r}, but its table's task is {model.task}")
    if classifies:
        _refuse_other_classes(estimator, model.target.classes)
    take_over(estimator, model)


def _refuse_other_classes(estimator: Any, learnt: npt.NDArray[Any]) -> None:
    """Raise unless the model's classes are those of the estimator that it says they are."""
    from deltaprop.estimators.mlp_presets import classes_for_tables

    places, classes = estimator._places, estimator.classes_  # noqa: SLF001
    whole = isinstance(places, list) and all(type(place) is int for place in places)
    if not whole or len(set(places)) != len(places) or min(places) < 0:
        raise ModelFileError(f"its classes are in the places {str(places)[:60]}")
    if classes_for_tables(classes[places]).tolist() != learnt.tolist():
        raise ModelFileError("its classes are not those of its table")


def _is_plain(value: Any) -> bool:
    """Return whether a setting can be written down: functions and generators cannot."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(_is_plain(key) and _is_plain(value[key]) for key in value)
    if type(value) in (*OPTIMIZERS.values(), *SCHEDULES.values()):
        rate = getattr(value, "learning_rate", None)
        return not callable(rate) or type(rate) in SCHEDULES.values()
    plain = (bool, int, float, str, np.bool_, np.integer, np.floating, np.ndarray, os.PathLike)
    return value is None or isinstance(value, plain)


def _plain(value: Any) -> Any:
    """Return a value as plain data for JSON, from which ``_revived`` makes the same again."""
    if isinstance(value, np.ndarray):
        return [_plain(entry) for entry in value.tolist()]
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return _plain(value.item())
    if isinstance(value, float) and not isfinite(value):
        return {"float": str(value)}
    if isinstance(value, tuple):
        return {"tuple": [_plain(entry) for entry in value]}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {"pairs": [[_plain(key), _plain(value[key])] for key in value]}
    if type(value) in OPTIMIZERS.values():
        return {"optimizer": optimizer_to_dict(value)}
    if type(value) in SCHEDULES.values():
        return {"schedule": schedule_to_dict(value)}
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _revived(value: Any) -> Any:
    if isinstance(value, list):
        return [_revived(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "float" and content in ("inf", "-inf", "nan"):
        return float(content)
    if kind == "tuple":
        return tuple(_revived(entry) for entry in content)
    if kind == "pairs":
        return {_revived(key): _revived(entry) for key, entry in content}
    if kind == "optimizer":
        return optimizer_from_dict(content)
    if kind == "schedule":
        return schedule_from_dict(content)
    raise ModelFileError(f"it holds {kind!r}, which is not known here")


def _array_to_dict(array: npt.NDArray[Any]) -> dict[str, Any]:
    dtype = "object" if array.dtype == object else array.dtype.str
    return {"dtype": dtype, "values": [_plain(entry) for entry in array.tolist()]}


def _array_from_dict(data: Mapping[str, Any]) -> npt.NDArray[Any]:
    dtype = np.dtype(data["dtype"])
    if dtype.kind not in "biufUO":
        raise ModelFileError(f"it has classes of type {dtype}")
    array: npt.NDArray[Any] = np.array([_revived(v) for v in data["values"]], dtype=dtype)
    return array
