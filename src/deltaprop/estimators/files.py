"""An MLP estimator <-> one safetensors file: settings, what it knows of its table, numbers."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DeltapropError, shown
from deltaprop.estimators.parameters import DEFAULTS, check_parameters
from deltaprop.estimators.plain import (
    KEY,
    array_from_dict,
    array_to_dict,
    is_plain,
    plain,
    revived,
)
from deltaprop.estimators.recipes import check_preset
from deltaprop.estimators.several_targets import take_over_each
from deltaprop.estimators.with_preset import classes_for_tables, take_over
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import Contents, SavedModel, damaged, save_model
from deltaprop.model.spec import Network
from deltaprop.model.stored import Stored
from deltaprop.table_models.files import table_model_of
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.several_targets import SEVERAL, contents_together, saved_parts
from deltaprop.tabular import SparseEncoder, TableEncoder, encoder_from_dict
from deltaprop.training.checkpoint import STATE, stored_state
from deltaprop.training.history import History

__all__ = ["CLASSES", "restore_estimator", "save_estimator"]

_FORMAT = "deltaprop-estimator/3"
_SECOND = "deltaprop-estimator/2"  # in which preset "plain" stood for having none
_OLDER = "deltaprop-estimator/1"  # and scikit-learn's defaults for "not given", too
_OF_ONE, _OF_ALL = "settings", "settings_of_all"  # of an estimator, and of one of several targets
CLASSES = ("MLPClassifier", "MLPRegressor")
# A file of somebody else names no file of ours that a later fit would write over.
_NOT_KEPT = ("checkpoint", "resume")
_SETTING_TYPES: dict[str, Any] = {  # of those that check_parameters leaves to whoever uses them
    "loss": str, "scoring": str | None, "random_state": int | None, "preset": str | None,
    "engine": str, "class_weight": dict | list | tuple | str | None,
}  # fmt: skip


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_figure(value: object) -> bool:
    return type(value) in (int, float)


def _are(test: Callable[[object], bool], kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind) and all(map(test, value))  # type: ignore[call-overload]


def _or_none(test: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or test(value)


_figures = _are(_is_figure, list)
_texts = _are(lambda value: isinstance(value, str), tuple)
_FACTS: dict[str, Callable[[object], bool]] = {
    "n_features_in_": lambda value: _is_count(value) and value != 0,
    "n_iter_": _is_count,
    "t_": _is_count,
    "n_layers_": _is_count,
    "n_outputs_": _is_count,
    "out_activation_": lambda value: isinstance(value, str),
    "loss_": _is_figure,
    "best_loss_": _or_none(_is_figure),
    "loss_curve_": _figures,
    "validation_scores_": _or_none(_figures),
    "best_validation_score_": _or_none(_is_figure),
    "_no_improvement_count": _is_count,
    "_rate": lambda value: _is_figure(value) and 0 < value < np.inf,  # type: ignore[operator]
    "_n_steps": _is_count,
    "_multilabel": lambda value: isinstance(value, bool),
    "_target_names": _texts,
    "_columns": _or_none(_texts),
}
_ABSENT_AFTER_LBFGS = (
    "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_",
)  # fmt: skip
_ARRAYS = ("classes_", "feature_names_in_")
# of an estimator with a preset: all else is its TableModel's
_PRESET_FACTS: dict[str, Callable[[object], bool]] = {
    "n_features_in_": _FACTS["n_features_in_"],
    "_target_names": _texts,
    "_by_name": lambda value: isinstance(value, bool),
    "_places": _or_none(_are(_is_count, list)),
    "_columns": _FACTS["_columns"],
}


def save_estimator(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to one file; with a preset it is a file of its TableModel, too.

    Warns
    -----
    UserWarning
        About settings that cannot be written down.
    """
    lost = [name for name, value in _settings(estimator).items() if not is_plain(value)]
    if lost:
        warnings.warn(
            f"{os.fspath(path)} is saved without {', '.join(lost)}: functions, generators and "
            "other objects of your own cannot be written down. Set "
            f"{'it' if len(lost) == 1 else 'them'} again after loading, with set_params.",
            stacklevel=3,
        )
    name, first = os.fspath(path), vars(estimator).get("estimators_", [estimator])[0]
    save_model(
        path, first.network_, _parameters(first), **_contents(estimator),
        restore=lambda saved: _contents(restore_estimator(saved, name, _kinds_of(first))),
    )  # fmt: skip


def _kinds_of(estimator: Any) -> dict[str, type[Any]]:
    """Return its class of those that files know, by its name."""
    return {kind.__name__: kind for kind in type(estimator).__mro__ if kind.__name__ in CLASSES}


def _parameters(estimator: Any) -> Parameters:
    """Return what an estimator of one target learnt; of several members the first one's."""
    if "model_" in vars(estimator):
        model: TableModel = estimator.model_
        return model.parameters
    network: Network = estimator.network_
    return network.parameters(estimator.coefs_, estimator.intercepts_)


def _settings(estimator: Any) -> dict[str, Any]:
    settings: dict[str, Any] = estimator.get_params(deep=False)
    return {name: value for name, value in settings.items() if name not in _NOT_KEPT}


def _plain_settings(estimator: Any) -> dict[str, Any]:
    defaults = inspect.signature(type(estimator).__init__).parameters
    return {
        name: plain(value if is_plain(value) else defaults[name].default)
        for name, value in _settings(estimator).items()
    }


def _contents(estimator: Any) -> Contents:
    """Return what a file of the estimator holds beside its (first) network."""
    known = vars(estimator)
    if "estimators_" in known:
        parts = [(p.network_, _parameters(p), _contents(p)) for p in known["estimators_"]]
        together = contents_together(parts, estimator._target_names)  # noqa: SLF001
        together["training"][KEY] |= {_OF_ALL: _plain_settings(estimator)}
        return together
    preset = "model_" in known
    facts: dict[str, Any] = {
        "format": _FORMAT,
        "class": type(estimator).__name__,
        "settings": _plain_settings(estimator),
        "facts": {
            name: plain(known[name])
            for name in (_PRESET_FACTS if preset else _FACTS)
            if name in known
        },
        "arrays": {name: array_to_dict(known[name]) for name in _ARRAYS if name in known},
    }
    if preset:
        contents: Contents = estimator.model_.contents()
        contents["training"][KEY] = facts
        return contents
    facts |= {
        "dtype": str(estimator.coefs_[0].dtype),
        "encoder": None if estimator.encoder_ is None else estimator.encoder_.to_dict(),
        "history": estimator.history_.to_dict() if "history_" in known else None,
    }
    state = {STATE + name: np.asarray(array) for name, array in estimator._state.items()}  # noqa: SLF001
    return {"table": None, "training": {KEY: facts}, "arrays": state}


def restore_estimator(saved: SavedModel, name: str, kinds: Mapping[str, type[Any]]) -> Any:
    """Return the estimator that ``save_estimator`` wrote.

    Parameters
    ----------
    saved : SavedModel
        What the file holds.
    name : str
        What the file is called.
    kinds : mapping
        The classes that it may be of, by the names in ``CLASSES``.

    Raises
    ------
    ModelFileError
        When the file holds anything else.
    MissingExtraError
        When scikit-learn is not installed.
    """
    try:
        restore = _restore_one if SEVERAL not in saved.training else _restore_several
        return restore(saved, kinds)
    except DeltapropError as error:
        raise damaged(name, error) from None


def _restore_several(saved: SavedModel, kinds: Mapping[str, type[Any]]) -> Any:
    """Return the estimator of several targets, once those of each fit together."""
    files, names = saved_parts(saved)
    parts = [_restore_one(file, kinds) for file in files]
    if not all(hasattr(part, "predict_proba") and part.preset is not None for part in parts):
        raise DataError("of its several targets not each has a classifier with a preset")
    if [part._target_names for part in parts] != [(name,) for name in names]:  # noqa: SLF001
        raise DataError("its targets are not those of its classifiers")
    if len({_columns_of(part) for part in parts}) > 1:
        raise DataError("its classifiers have different columns")
    facts = Stored(saved.training[KEY], "estimator")
    estimator = _unfitted(type(parts[0]), facts, _OF_ALL)
    take_over_each(estimator, parts, names)
    return estimator


def _columns_of(estimator: Any) -> tuple[int, tuple[str, ...] | None]:
    names = vars(estimator).get("feature_names_in_")
    return estimator.n_features_in_, None if names is None else tuple(names.tolist())


def _restore_one(saved: SavedModel, kinds: Mapping[str, type[Any]]) -> Any:
    facts = Stored(saved.training.get(KEY), "estimator")
    estimator = _unfitted(kinds[facts.text("class", tuple(kinds))], facts, _OF_ONE)
    if saved.table is None:
        _restore_facts(estimator, saved, facts)
        _refuse_misfit(estimator, saved)
    else:
        _restore_preset(estimator, saved, facts)
    return estimator


def _unfitted(kind: Any, facts: Stored, key: str) -> Any:
    """Return an estimator with the settings of a file, each of them checked."""
    version = facts.text("format", (_FORMAT, _SECOND, _OLDER))
    stored = Stored(facts.get(key), "settings")
    known = kind._get_param_names()  # noqa: SLF001
    settings = {}
    for name, value in stored.values.items():
        if name not in known:
            stored.refuse("the name of a setting", name, f"one of {', '.join(known)}")
        setting = revived(value)
        if version == _OLDER and setting == DEFAULTS.get(name):
            setting = None
        if version != _FORMAT and (name, setting) == ("preset", "plain"):
            setting = None
        if not isinstance(setting, _SETTING_TYPES.get(name, object)):
            stored.refuse(name, setting, "a value that the setting can have")
        if name not in _NOT_KEPT:
            settings[name] = setting
    weights = settings.get("class_weight")
    for each in weights if isinstance(weights, (list, tuple)) else [weights]:
        if not isinstance(each, dict | str | None):
            stored.refuse("class_weight", each, "a dict, a text or none")
        for value in each.values() if isinstance(each, dict) else ():
            stored.as_number("class_weight", value)
    estimator = kind(**settings)
    check_parameters(estimator)
    check_preset(estimator)
    return estimator


def _restore_attributes(
    estimator: Any, facts: Stored, tests: Mapping[str, Callable[[object], bool]]
) -> None:
    for key, content in Stored(facts.get("facts"), "facts").values.items():
        value = revived(content)
        if key not in tests or not tests[key](value):
            raise DataError(f"its {shown(key)} is {shown(value)}")
        setattr(estimator, key, value)
    for key, content in Stored(facts.get("arrays"), "arrays").values.items():
        if key not in _ARRAYS:
            raise DataError(f"it has {shown(key)}, which is not known here")
        setattr(estimator, key, array_from_dict(key, content))


def _restore_facts(estimator: Any, saved: SavedModel, facts: Stored) -> None:
    dtype = facts.text("dtype", ("float32", "float64"))
    _restore_attributes(estimator, facts, _FACTS)
    encoder, history = facts.get("encoder"), facts.get("history")
    estimator.encoder_ = None if encoder is None else encoder_from_dict(encoder)
    if history is not None:
        estimator.history_ = History.from_dict(history)
    network = saved.network
    if not all(isinstance(layer, Dense) and layer.bias for layer in network.computing_layers):
        raise DataError("its network has other layers than dense ones with biases")
    estimator.network_ = network
    estimator.coefs_ = [np.array(W, dtype=dtype) for W in saved.parameters.W]
    estimator.intercepts_ = [np.array(b, dtype=dtype) for b in saved.parameters.b]
    estimator._state = stored_state(saved)  # noqa: SLF001
    for name, value in estimator._state.items():  # noqa: SLF001
        if np.shape(value) not in ((), (network.n_parameters,)):
            raise DataError(f"its optimizer's {name} has shape {np.shape(value)}")


def _refuse_misfit(estimator: Any, saved: SavedModel) -> None:
    """Raise unless all is there that a fitted estimator has, and fits together."""
    classifies = hasattr(type(estimator), "predict_proba")
    needed = [name for name in _FACTS if name not in (*_ABSENT_AFTER_LBFGS, "_multilabel")]
    _know_columns(estimator, estimator.encoder_)
    if classifies:
        needed += ["_multilabel", "classes_"]
    absent = [name for name in needed if not hasattr(estimator, name)]
    if absent:
        raise DataError(f"it lacks {absent[0]!r}")
    network, encoder = saved.network, estimator.encoder_
    columns = estimator.n_features_in_
    if encoder is not None and (
        not isinstance(encoder, TableEncoder) or len(encoder.columns) != columns
    ):
        raise DataError("its encoder is none of its table")
    if network.n_in != (columns if encoder is None else encoder.n_outputs):
        raise DataError("its table does not fit its network")
    _refuse_other_names(estimator)
    if (
        network.n_out != estimator.n_outputs_
        or len(network.computing_layers) + 1 != estimator.n_layers_
    ):
        raise DataError(
            f"it has {estimator.n_outputs_} outputs and {estimator.n_layers_} layers, its network "
            f"{network.n_out} and {len(network.computing_layers) + 1}"
        )
    if not classifies:
        if network.loss.targets not in ("real", "count"):
            raise DataError(f"its loss is {network.loss_name}, which is none of numbers")
        return
    _refuse_no_classes(estimator.classes_)
    n_classes = len(estimator.classes_)
    right = n_classes if n_classes > 2 or estimator._multilabel else 1  # noqa: SLF001
    if estimator.n_outputs_ != right or network.loss_name != estimator._loss_name():  # noqa: SLF001
        raise DataError(
            f"it has {n_classes} classes, but {estimator.n_outputs_} outputs of {network.loss_name}"
        )


def _know_columns(estimator: Any, encoder: Any) -> None:
    """Give the columns their names, which older files have elsewhere; arrays had none."""
    known = vars(estimator)
    if "_columns" not in known:
        of_encoder = [column.name for column in getattr(encoder, "columns", ())]
        names = tuple(map(str, known.get("feature_names_in_", of_encoder)))
        of_arrays = {f"x{i}" for i in range(len(names))}
        estimator._columns = None if of_arrays.issuperset(names) else names  # noqa: SLF001


def _refuse_other_names(estimator: Any) -> None:
    for names in (vars(estimator).get("feature_names_in_"), estimator._columns):  # noqa: SLF001
        if names is not None and (
            len(names) != estimator.n_features_in_ or not all(isinstance(n, str) for n in names)
        ):
            raise DataError("its columns do not fit its table")


def _refuse_no_classes(classes: npt.NDArray[Any]) -> None:
    """Raise unless these are classes: some, different, in ascending order."""
    found = classes.tolist()
    words = {isinstance(entry, str) for entry in found}
    if len(words) != 1 or sorted(set(found)) != found:
        raise DataError(f"its classes are {shown(found)}; expected different ones, ascending")


def _restore_preset(estimator: Any, saved: SavedModel, facts: Stored) -> None:
    """Give the estimator its model, once all fits together."""
    _restore_attributes(estimator, facts, _PRESET_FACTS)
    model = table_model_of(saved, TableModel)
    _know_columns(estimator, model.inputs)
    absent = [fact for fact in _PRESET_FACTS if fact not in vars(estimator)]
    if absent:
        raise DataError(f"it lacks {absent[0]!r}")
    estimator._reads_sparse = isinstance(model.inputs, SparseEncoder)  # noqa: SLF001
    n_columns = len(model.inputs.columns) if isinstance(model.inputs, TableEncoder) else 0
    if isinstance(model.inputs, SparseEncoder):
        n_columns = model.inputs.n_columns
    if n_columns != estimator.n_features_in_:
        raise DataError("its columns do not fit its table")
    _refuse_other_names(estimator)
    classifies = hasattr(type(estimator), "predict_proba")
    if classifies != (model.task != "regression"):
        raise DataError(f"it is {type(estimator).__name__}, but its table's task is {model.task}")
    if classifies and "classes_" not in vars(estimator):
        raise DataError("it lacks 'classes_'")
    if model.task == "multilabel":
        if estimator.classes_.tolist() != list(range(model.target.n_outputs)):
            raise DataError("its labels are not those of its table")
    elif classifies:
        _refuse_other_classes(estimator, model.target.classes)
    take_over(estimator, model)


def _refuse_other_classes(estimator: Any, learnt: npt.NDArray[Any]) -> None:
    """Raise unless the model's classes are those of the estimator that it says they are."""
    places, classes = estimator._places, estimator.classes_  # noqa: SLF001
    _refuse_no_classes(classes)
    if places is None or len(set(places)) != len(places) or max(places, default=0) >= len(classes):
        raise DataError(f"its classes are in the places {shown(places)}")
    if classes_for_tables(classes[places]).tolist() != learnt.tolist():
        raise DataError("its classes are not those of its table")
