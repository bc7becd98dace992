"""A network, its parameters and what goes with them in one safe file (`sealed`).

Nothing is executed on loading and nothing is pickled, and whoever forges a file gets no further
than `stored` lets him. What is about to be written is read first, so that it can be opened.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.errors import (
    DataError,
    DeltapropError,
    ModelFileError,
    OutputError,
    UnknownNameError,
)
from deltaprop.model.files import nearest_file, write_atomically
from deltaprop.model.functions import function_values, other_function
from deltaprop.model.layers import LAYERS, Dropout, Layer
from deltaprop.model.parameters import Layout, Parameters
from deltaprop.model.sealed import FORMAT, Facts, Tensors, one_line, pack, plain, unpack
from deltaprop.model.spec import Network
from deltaprop.model.stored import Stored, record

__all__ = [
    "FORMAT",
    "Contents",
    "SavedModel",
    "damaged",
    "flat_array",
    "load_model",
    "network_from_dict",
    "network_to_dict",
    "save_model",
]

_PARAMETERS = "parameters"

Contents: TypeAlias = Facts
"""What a file holds beside its network: ``table``, ``training`` and ``arrays``."""


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds.

    Parameters are float64 in memory. ``table`` says how a table becomes x and what y means, and
    ``training`` records history and settings, as plain data; ``arrays`` are further ones, such as
    an optimizer's state in a checkpoint; ``versions`` those of deltaprop, NumPy and Python at
    saving.
    """

    network: Network
    parameters: Parameters
    table: Facts | None = None
    training: Facts = field(default_factory=dict)
    arrays: Tensors = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def save_model(
    path: str | os.PathLike[str],
    network: Network,
    parameters: Parameters,
    *,
    table: Mapping[str, object] | None = None,
    training: Mapping[str, object] | None = None,
    arrays: Tensors | None = None,
    restore: Callable[[SavedModel], Contents] | None = None,
) -> None:
    """Write one safetensors file, whole or not at all, once what would stand in it has been read.

    Parameters
    ----------
    path : path
        Where; an existing file is replaced only when the new one is complete.
    network : Network
        The description.
    parameters : Parameters
        The numbers; stored as they are, float64.
    table, training : mapping, optional
        Plain data for JSON.
    arrays : mapping, optional
        Further arrays by name.
    restore : callable, optional
        Makes of what was read whatever is to be loaded later, and returns the contents of its file
        (``table``, ``training`` and ``arrays``): these must be the same.

    Raises
    ------
    DataError
        When a number is infinite or NaN; the message names the first.
    ShapeError
        When there is a number in the place of the bias of a neuron that has none.
    SettingError
        When ``table`` or ``training`` is no plain data.
    OutputError
        When the file cannot be written, or could not be read again.
    """
    tensors = {
        name: np.ascontiguousarray(array).reshape(np.shape(array))  # it makes a number a vector
        for name, array in {_PARAMETERS: parameters.flat, **(arrays or {})}.items()
    }
    network.layout.refuse_absent(parameters.flat)
    odd = _not_finite(tensors, network.layout)
    if odd:
        raise DataError(
            f"{os.fspath(path)} was not written: {odd}. Numbers that are not finite come of "
            "training that diverged; train again with a smaller learning rate, or scaled inputs."
        )
    facts = {
        "format": FORMAT,
        "versions": {
            "deltaprop": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "network": network_to_dict(network),
        "functions": function_values(network),
        "table": table,
        "training": dict(training or {}),
    }
    content = pack(os.fspath(path), facts, tensors)
    try:
        _refuse_others(_read(os.fspath(path), content), network, tensors, restore)
    except DeltapropError as error:
        raise OutputError(
            f"{os.fspath(path)} was not written, for it could not be opened again "
            f"({one_line(error)}). This is a mistake in deltaprop, not in what you do; please "
            "report it. What stood there before is untouched."
        ) from error
    write_atomically(path, content)


def _refuse_others(
    saved: SavedModel,
    network: Network,
    tensors: Tensors,
    restore: Callable[[SavedModel], Contents] | None,
) -> None:
    """Raise ModelFileError unless what was read is what was to be saved."""
    if saved.network != network:
        raise ModelFileError("its network would be another one")
    given = {name: array for name, array in tensors.items() if name != _PARAMETERS}
    _refuse_other_arrays({_PARAMETERS: saved.parameters.flat}, {_PARAMETERS: tensors[_PARAMETERS]})
    _refuse_other_arrays(saved.arrays, given)
    if restore is None:
        return
    again = restore(saved)
    _refuse_other_arrays(again["arrays"], given)
    for name, facts in (("table", saved.table), ("training", saved.training)):
        would_be = json.loads(json.dumps(again[name], default=plain))
        if would_be != facts:
            raise ModelFileError(f"its {_difference(would_be, facts, name)} would be another one")


def _refuse_other_arrays(again: Tensors, given: Tensors) -> None:
    for name in {**again, **given}:
        if name not in again or name not in given:
            raise ModelFileError(f"its {name} would be absent")
        one, other = again[name], given[name]
        if (one.shape, one.dtype) != (other.shape, other.dtype) or one.tobytes() != other.tobytes():
            raise ModelFileError(f"its {name} would be others")


def _difference(one: object, other: object, place: str) -> str:
    """Return where two pieces of plain data begin to differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(f"{place}.{key}", one.get(key), other.get(key)) for key in {**one, **other}]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"{place}[{i}]", *both) for i, both in enumerate(zip(one, other, strict=True))]
    else:
        return place
    return next((_difference(a, b, at) for at, a, b in pairs if a != b), place)


def load_model(path: str | os.PathLike[str]) -> SavedModel:
    """Read a file written by ``save_model``.

    Raises
    ------
    ModelFileError
        When there is no such file, or it is foreign, damaged, truncated, or of a format this
        version does not read. One paragraph says which.
    """
    name = os.fspath(path)
    if not Path(path).is_file():
        what = "is a folder" if Path(path).is_dir() else "does not exist"
        near = None if Path(path).is_dir() else nearest_file(path)
        hint = f" Did you mean {near!r}?" if near else ""
        raise ModelFileError(f"{name} {what}; expected a model file saved by deltaprop.{hint}")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ModelFileError(f"{name} cannot be read: {error.strerror or error}.") from None
    return _read(name, content)


def flat_array(saved: SavedModel, name: str) -> npt.NDArray[np.float64]:
    """Return an array of a file that stands for all parameters of its network, as a copy.

    DataError: there is none, or it has another length or type.
    """
    array, n = saved.arrays.get(name), saved.network.layout.size
    if array is None or array.shape != (n,) or array.dtype != np.float64:
        found = "absent" if array is None else f"{array.dtype} of shape {array.shape}"
        raise DataError(f"its {name} are {found}; its network has {n:,} parameters of float64")
    saved.network.layout.refuse_absent(array)
    return array.copy()


def damaged(name: str, error: DeltapropError) -> ModelFileError:
    """Return the refusal of a file for what was found in it."""
    if isinstance(error, UnknownNameError):
        return ModelFileError(
            f"{name} needs something that is not known here: {one_line(error)} If it is your "
            "own, register it before loading; else use the version that wrote the file."
        )
    return ModelFileError(
        f"{name} is damaged or of a newer kind ({one_line(error).rstrip('.')}). Fetch it again, "
        "or train and save it again."
    )


def _read(name: str, content: bytes) -> SavedModel:
    """Return what the content of a file describes."""
    facts, tensors = unpack(name, content)
    try:
        saved = _assemble(facts, tensors)
        # files of earlier versions have no values
        other = other_function(saved.network, facts.get("functions", {}))
    except DeltapropError as error:
        raise damaged(name, error) from None
    if other:
        raise ModelFileError(
            f"{name} was saved with another {other} than the one registered here under this name: "
            "their values differ. Register the one it was saved with before loading."
        )
    return saved


def _assemble(facts: Facts, tensors: Tensors) -> SavedModel:
    """Return what was saved, its parts checked against each other."""
    stored = Stored(facts, "description")
    if _PARAMETERS not in tensors:
        raise DataError("there are no parameters")
    flat = tensors.pop(_PARAMETERS)
    network = network_from_dict(stored.get("network"), flat.size)
    if flat.shape != (network.layout.size,) or flat.dtype != np.float64:
        raise DataError(
            f"it holds {flat.dtype} parameters of shape {flat.shape}, but its network has "
            f"{one_line(network.layout.size)[:20]} of float64"
        )
    odd = _not_finite({_PARAMETERS: flat, **tensors}, network.layout)
    if odd:
        raise DataError(odd)
    network.layout.refuse_absent(flat)
    table = stored.get("table")
    return SavedModel(
        network,
        Parameters(network.layout, flat.copy()),
        None if table is None else dict(Stored(table, "table").values),
        dict(Stored(stored.get("training"), "training record").values),
        tensors,
        dict(Stored(stored.get("versions"), "list of versions").values),
    )


def _not_finite(tensors: Tensors, layout: Layout) -> str:
    """Say which number is the first that is not finite; nothing where there is none."""
    for name, array in tensors.items():
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            place = int(np.flatnonzero(~np.isfinite(array.ravel()))[0])
            value = array.ravel()[place]
            if array.ndim == 1 and array.size == layout.size:
                slot = next(slot for slot in layout.slots if place < slot.stop)
                return f"its {name} are not finite: {slot.entry(place)} is {value}"
            return f"its {name} are not finite: number {place + 1} is {value}"
    return ""


def network_to_dict(network: Network) -> Facts:
    """Return the description as plain data."""
    return {
        "n_in": network.n_in,
        "layers": [_layer_to_dict(layer) for layer in network.layers],
        "loss": network.loss_name,
        "label_smoothing": network.label_smoothing,
        "l2": network.l2,
        "l1": network.l1,
    }


def _layer_to_dict(layer: Any) -> Facts:
    """Return its kind and settings; those that stand at their defaults are left out."""
    settings = {
        item.name: value
        for item in fields(layer)
        if (value := getattr(layer, item.name)) != item.default
    }
    return {"kind": layer.kind, **settings}


def network_from_dict(data: object, n_parameters: int | None = None) -> Network:
    """Return the network that ``network_to_dict`` described.

    ``n_parameters`` is how many numbers there are for it, which bounds its layers. DataError,
    SettingError: it is anything else.
    """
    stored = Stored(data, "network")
    layers = stored.get("layers")
    if n_parameters is not None and isinstance(layers, list) and len(layers) > 2 * n_parameters:
        raise DataError(f"it has {len(layers):,} layers, but {n_parameters:,} parameters")
    return Network.from_layers(
        stored.count("n_in", 1),
        stored.items("layers", _stored_layer),
        stored.text("loss"),
        label_smoothing=stored.number("label_smoothing"),
        l2=stored.number("l2"),
        l1=stored.number("l1"),
    )


def _stored_layer(place: str, values: object) -> Layer | Dropout:
    where = f"network, {place}"
    stored = Stored(values, where)
    kind = stored.text("kind", tuple(LAYERS))
    settings = {name: value for name, value in stored.values.items() if name != "kind"}
    found: Layer | Dropout = record(LAYERS[kind], settings, where)
    return found
