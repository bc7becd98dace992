"""An MLP estimator <-> one safetensors file: settings, what it knows of its table, numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DeltapropError, shown, warn_user
from deltaprop.estimators.answers import Answers, Classes, Numbers
from deltaprop.estimators.inputs import Columns
from deltaprop.estimators.parameters import DEFAULTS, defaults_of
from deltaprop.estimators.plain import (
    KEY,
    array_from_dict,
    array_to_dict,
    is_plain,
    plain,
    revived,
)
from deltaprop.estimators.recipes import checked_settings
from deltaprop.estimators.several_targets import names_of, together
from deltaprop.estimators.state import FIGURES, FitState, adopt, fitted_state
from deltaprop.estimators.with_preset import classes_for_tables
from deltaprop.model.layers import Dense
from deltaprop.model.serialize import Contents, SavedModel, damaged, save_model
from deltaprop.model.stored import Stored
from deltaprop.table_models.files import table_model_of
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.several_targets import SEVERAL, contents_together, saved_parts
from deltaprop.tabular import Encoder, SparseEncoder, TableEncoder, encoder_from_dict
from deltaprop.training.checkpoint import STATE, stored_state
from deltaprop.training.history import History

if TYPE_CHECKING:
    from deltaprop.estimators.base import BaseMLP

__all__ = ["restore_estimator", "save_estimator"]

_Kind = TypeVar("_Kind", bound="BaseMLP")

_FORMAT = "deltaprop-estimator/3"
_SECOND = "deltaprop-estimator/2"  # in which preset "plain" stood for having none
_OLDER = "deltaprop-estimator/1"  # and scikit-learn's defaults for "not given", too
_OF_ONE, _OF_ALL = "settings", "settings_of_all"  # of an estimator, and of one of several targets
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
_Tests = dict[str, Callable[[object], bool]]
_OF_COLUMNS: _Tests = {
    "n_features_in_": lambda value: _is_count(value) and value != 0,
    "_target_names": _texts, "_columns": _or_none(_texts),
}  # fmt: skip
# of an estimator with a preset: all else is its TableModel's
_WITH_PRESET: _Tests = _OF_COLUMNS | {
    "_by_name": lambda value: isinstance(value, bool),
    "_places": _or_none(_are(_is_count, list)),
}
_WITHOUT: _Tests = _OF_COLUMNS | {
    "n_iter_": _is_count, "t_": _is_count, "n_layers_": _is_count, "n_outputs_": _is_count,
    "_no_improvement_count": _is_count, "_n_steps": _is_count, "loss_": _is_figure,
    "out_activation_": lambda value: isinstance(value, str),
    "_rate": lambda value: _is_figure(value) and 0 < value < np.inf,
}  # fmt: skip
_NOT_ALWAYS: _Tests = {  # classes, and epochs, which L-BFGS has not
    "_multilabel": lambda value: isinstance(value, bool),
    "best_loss_": _or_none(_is_figure), "best_validation_score_": _or_none(_is_figure),
    "loss_curve_": _figures, "validation_scores_": _or_none(_figures),
}  # fmt: skip
_ARRAYS = ("classes_", "feature_names_in_")


def save_estimator(
    estimator: BaseMLP, path: str | os.PathLike[str], kinds: Mapping[str, type[BaseMLP]]
) -> None:
    """Write a fitted estimator to one file; with a preset it is a file of its TableModel, too.

    ``kinds`` are the classes that it is of, by their names. Settings that cannot be written down
    are warned of.
    """
    lost = [name for name, value in _settings(estimator).items() if not is_plain(value)]
    if lost:
        warn_user(
            f"{os.fspath(path)} is saved without {', '.join(lost)}: functions, generators and "
            "other objects of your own cannot be written down. Set "
            f"{'it' if len(lost) == 1 else 'them'} again after loading, with set_params.",
            UserWarning,
        )
    first = fitted_state(getattr(estimator, "estimators_", [estimator])[0])
    save_model(
        path, first.network, first.parameters, **_contents(estimator),
        restore=lambda saved: _contents(restore_estimator(saved, os.fspath(path), kinds)),
    )  # fmt: skip


def _settings(estimator: BaseMLP) -> dict[str, Any]:
    settings = estimator.get_params(deep=False)
    return {name: value for name, value in settings.items() if name not in _NOT_KEPT}


def _plain_settings(estimator: BaseMLP) -> dict[str, Any]:
    defaults = defaults_of(estimator)
    return {
        name: plain(value if is_plain(value) else defaults[name])
        for name, value in _settings(estimator).items()
    }


def _contents(estimator: BaseMLP) -> Contents:
    """Return what a file of the estimator holds beside its (first) network."""
    if hasattr(estimator, "estimators_"):
        each = [(fitted_state(part), _contents(part)) for part in estimator.estimators_]
        parts = [(state.network, state.parameters, own) for state, own in each]
        contents = contents_together(parts, names_of(estimator.estimators_))
        contents["training"][KEY] |= {_OF_ALL: _plain_settings(estimator)}
        return contents
    state = fitted_state(estimator)
    known = state.attributes
    facts: dict[str, Any] = {
        "format": _FORMAT,
        "class": type(estimator).__name__,
        _OF_ONE: _plain_settings(estimator),
        "facts": {name: plain(value) for name, value in _facts(state).items()},
        "arrays": {name: array_to_dict(known[name]) for name in _ARRAYS if name in known},
    }
    if state.model is not None:
        contents = state.model.contents()
        contents["training"][KEY] = facts
        return contents
    facts |= {
        "dtype": str(state.coefs[0].dtype),
        "encoder": None if state.encoder is None else state.encoder.to_dict(),
        "history": None if state.history is None else state.history.to_dict(),
    }
    numbers = {STATE + name: np.asarray(array) for name, array in state.optimizer.items()}
    return {"table": None, "training": {KEY: facts}, "arrays": numbers}


def _facts(state: FitState) -> dict[str, Any]:
    """Return what is written down of a fit beside arrays and models."""
    facts: dict[str, Any] = {
        "_target_names": state.answers.names, "_columns": state.columns.names,
    }  # fmt: skip
    if state.model is not None:
        places = None if state.places is None else list(state.places)
        facts |= {"n_features_in_": state.columns.n, "_by_name": state.columns.by_name}
        return facts | {"_places": places}
    if isinstance(state.answers, Classes):
        facts["_multilabel"] = state.answers.multilabel
    known = state.attributes
    sizes = ("n_features_in_", "n_layers_", "n_outputs_", "out_activation_")
    return facts | state.figures | {name: known[name] for name in sizes}


def restore_estimator(saved: SavedModel, name: str, kinds: Mapping[str, type[_Kind]]) -> _Kind:
    """Return the estimator that ``save_estimator`` wrote to the file called ``name``.

    ``kinds`` are the classes that it may be of, by their names. Raise ModelFileError when the file
    holds anything else, MissingExtraError when scikit-learn is not installed.
    """
    try:
        restore = _restore_one if SEVERAL not in saved.training else _restore_several
        return restore(saved, kinds)
    except DeltapropError as error:
        raise damaged(name, error) from None


def _restore_several(saved: SavedModel, kinds: Mapping[str, type[_Kind]]) -> _Kind:
    """Return the estimator of several targets, once those of each fit together."""
    files, names = saved_parts(saved)
    parts = [_restore_one(file, kinds) for file in files]
    if not all(hasattr(part, "predict_proba") and part.preset is not None for part in parts):
        raise DataError("of its several targets not each has a classifier with a preset")
    states = [fitted_state(part) for part in parts]
    if [state.answers.names for state in states] != [(name,) for name in names]:
        raise DataError("its targets are not those of its classifiers")
    if len({(s.columns.n, _texts_of(s.columns.feature_names)) for s in states}) > 1:
        raise DataError("its classifiers have different columns")
    estimator = _unfitted(type(parts[0]), Stored(saved.training[KEY], "estimator"), _OF_ALL)
    adopt(estimator, together(parts))
    return estimator


def _texts_of(names: npt.NDArray[Any] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names.tolist())


def _restore_one(saved: SavedModel, kinds: Mapping[str, type[_Kind]]) -> _Kind:
    stored = Stored(saved.training.get(KEY), "estimator")
    estimator = _unfitted(kinds[stored.text("class", tuple(kinds))], stored, _OF_ONE)
    classifies = hasattr(type(estimator), "predict_proba")
    restore = _without_preset if saved.table is None else _with_preset
    adopt(estimator, restore(saved, stored, classifies).attributes)
    return estimator


def _unfitted(kind: type[_Kind], facts: Stored, key: str) -> _Kind:
    """Return an estimator with the settings of a file, each of them checked."""
    version = facts.text("format", (_FORMAT, _SECOND, _OLDER))
    stored = Stored(facts.get(key), "settings")
    known = defaults_of(kind)
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
    checked_settings(estimator)
    return estimator


def _read(
    stored: Stored, tests: _Tests, encoder: Encoder | None, *, classifies: bool
) -> dict[str, Any]:
    """Return facts and arrays of a file, each checked, and all that are needed."""
    facts: dict[str, Any] = {}
    known = {**tests, **_NOT_ALWAYS}
    for key, content in Stored(stored.get("facts"), "facts").values.items():
        facts[key] = revived(content)
        if key not in known or not known[key](facts[key]):
            raise DataError(f"its {shown(key)} is {shown(facts[key])}")
    for key, content in Stored(stored.get("arrays"), "arrays").values.items():
        if key not in _ARRAYS:
            raise DataError(f"it has {shown(key)}, which is not known here")
        facts[key] = array_from_dict(key, content)
    if "_columns" not in facts:  # older files have them elsewhere; arrays had no names
        of_encoder = [column.name for column in getattr(encoder, "columns", ())]
        names = tuple(map(str, facts.get("feature_names_in_", of_encoder)))
        of_arrays = {f"x{i}" for i in range(len(names))}
        facts["_columns"] = None if of_arrays.issuperset(names) else names
    absent = [name for name in (*tests, *(["classes_"] * classifies)) if name not in facts]
    if absent:
        raise DataError(f"it lacks {absent[0]!r}")
    for called in (facts.get("feature_names_in_"), facts["_columns"]):
        fits = called is None or len(called) == facts["n_features_in_"]
        texts = () if called is None else called
        if not fits or not all(isinstance(name, str) for name in texts):
            raise DataError("its columns do not fit its table")
    return facts


def _columns_of(facts: Mapping[str, Any], **others: Any) -> Columns:
    names = facts.get("feature_names_in_")
    return Columns(facts["n_features_in_"], names, facts["_columns"], **others)


def _without_preset(saved: SavedModel, stored: Stored, classifies: bool) -> FitState:
    dtype = stored.text("dtype", ("float32", "float64"))
    network, described = saved.network, stored.get("encoder")
    encoder = None if described is None else encoder_from_dict(described)
    if encoder is not None and not isinstance(encoder, TableEncoder):
        raise DataError("its encoder is none of its table")
    facts = _read(stored, _WITHOUT, encoder, classifies=classifies)
    n, history = facts["n_features_in_"], stored.get("history")
    if encoder is not None and len(encoder.columns) != n:
        raise DataError("its encoder is none of its table")
    if network.n_in != (n if encoder is None else encoder.n_outputs):
        raise DataError("its table does not fit its network")
    layers = network.computing_layers
    if not all(isinstance(layer, Dense) and layer.bias is True for layer in layers):
        raise DataError("its network has other layers than dense ones with biases")
    if (network.n_out, len(layers) + 1) != (facts["n_outputs_"], facts["n_layers_"]):
        raise DataError(
            f"it has {facts['n_outputs_']} outputs and {facts['n_layers_']} layers, its network "
            f"{network.n_out} and {len(layers) + 1}"
        )
    numbers = stored_state(saved)
    for name, value in numbers.items():
        if np.shape(value) not in ((), (network.n_parameters,)):
            raise DataError(f"its optimizer's {name} has shape {np.shape(value)}")
    return FitState(
        _columns_of(facts, by_name=encoder is not None, sparse=False, encoder=encoder),
        _answers_of(facts, saved, classifies=classifies),
        network,
        [np.array(W, dtype=dtype) for W in saved.parameters.W],
        [np.array(b, dtype=dtype) for b in saved.parameters.b],
        history=None if history is None else History.from_dict(history),
        optimizer=numbers,
        **{FIGURES[name]: value for name, value in facts.items() if name in FIGURES},
    )


def _answers_of(facts: Mapping[str, Any], saved: SavedModel, *, classifies: bool) -> Answers:
    """Return classes or numbers that fit the network."""
    network, names = saved.network, facts["_target_names"]
    if not classifies:
        if network.loss.targets not in ("real", "count"):
            raise DataError(f"its loss is {network.loss_name}, which is none of numbers")
        return Numbers(names, network.n_out, network.loss_name)
    if "_multilabel" not in facts:
        raise DataError("it lacks '_multilabel'")
    _refuse_no_classes(facts["classes_"])
    found = Classes(names, facts["classes_"], facts["_multilabel"])
    if (network.n_out, network.loss_name) != (found.n_outputs, found.loss_name):
        raise DataError(
            f"it has {len(found.classes)} classes, but {network.n_out} outputs of "
            f"{network.loss_name}"
        )
    return found


def _with_preset(saved: SavedModel, stored: Stored, classifies: bool) -> FitState:
    model = table_model_of(saved, TableModel)
    inputs, task = model.inputs, model.task
    facts = _read(stored, _WITH_PRESET, inputs, classifies=classifies)
    n_columns = len(inputs.columns) if isinstance(inputs, TableEncoder) else 0
    if isinstance(inputs, SparseEncoder):
        n_columns = inputs.n_columns
    if n_columns != facts["n_features_in_"]:
        raise DataError("its columns do not fit its table")
    if classifies != (task != "regression"):
        raise DataError(f"it is a {stored.text('class')}, but its table's task is {task}")
    sparse = isinstance(inputs, SparseEncoder)
    columns = _columns_of(facts, by_name=facts["_by_name"], sparse=sparse)
    names, places = facts["_target_names"], facts["_places"]
    answers: Answers = Numbers(names, model.network.n_out, model.network.loss_name)
    if classifies:
        answers = Classes(names, facts["classes_"], task == "multilabel")
        if task == "classification":
            _refuse_other_classes(answers.classes, places, model.target.classes)
        elif answers.classes.tolist() != list(range(model.target.n_outputs)):
            raise DataError("its labels are not those of its table")
    return FitState.of_model(model, columns, answers, None if places is None else tuple(places))


def _refuse_no_classes(classes: npt.NDArray[Any]) -> None:
    """Raise unless these are classes: some, different, in ascending order."""
    found = classes.tolist()
    words = {isinstance(entry, str) for entry in found}
    if len(words) != 1 or sorted(set(found)) != found:
        raise DataError(f"its classes are {shown(found)}; expected different ones, ascending")


def _refuse_other_classes(
    classes: npt.NDArray[Any], places: list[int] | None, learnt: npt.NDArray[Any]
) -> None:
    """Raise unless the model's classes are those of the estimator that it says they are."""
    _refuse_no_classes(classes)
    if places is None or len(set(places)) != len(places) or max(places, default=0) >= len(classes):
        raise DataError(f"its classes are in the places {shown(places)}")
    if classes_for_tables(classes[places]).tolist() != learnt.tolist():
        raise DataError("its classes are not those of its table")
