"""Network and arrays in one safe file: safetensors, whose header carries everything else as JSON.

Nothing is executed on loading and nothing is pickled. Description and numbers carry a checksum, so
that a damaged file is recognised instead of believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.errors import DeltapropError, ModelFileError, UnknownNameError
from deltaprop.model.files import nearest_file, write_atomically
from deltaprop.model.layers import LAYERS
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = [
    "FORMAT",
    "SavedModel",
    "load_model",
    "network_from_dict",
    "network_to_dict",
    "save_model",
]

FORMAT = "deltaprop-model/1"
_FAMILY = "deltaprop-model/"
_KEY = "deltaprop"
_PARAMETERS = "parameters"


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds.

    Attributes
    ----------
    network : Network
        The description.
    parameters : Parameters
        The numbers, float64 in memory.
    table : dict or None
        How a table becomes x and what y means, as plain data.
    training : dict
        The record of the training: history, settings.
    arrays : dict of ndarray
        Further arrays, such as an optimizer's state in a checkpoint.
    versions : dict of str
        deltaprop, NumPy and Python at the time of saving.
    """

    network: Network
    parameters: Parameters
    table: dict[str, Any] | None = None
    training: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def save_model(
    path: str | os.PathLike[str],
    network: Network,
    parameters: Parameters,
    *,
    table: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    arrays: Mapping[str, npt.NDArray[Any]] | None = None,
) -> None:
    """Write one safetensors file, whole or not at all.

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

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    from safetensors.numpy import save

    facts = {
        "format": FORMAT,
        "versions": {
            "deltaprop": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "network": network_to_dict(network),
        "table": table,
        "training": dict(training or {}),
    }
    tensors = {
        name: np.ascontiguousarray(array).reshape(np.shape(array))  # it makes a number a vector
        for name, array in {_PARAMETERS: parameters.flat, **(arrays or {})}.items()
    }
    text = json.dumps(facts, allow_nan=False, ensure_ascii=True)
    write_atomically(path, save(tensors, metadata={_KEY: _sealed(text, tensors)}))


def load_model(path: str | os.PathLike[str]) -> SavedModel:
    """Read a file written by ``save_model``.

    Raises
    ------
    ModelFileError
        When there is no such file, or it is foreign, damaged, truncated, or of a format this
        version does not read. One paragraph says which.
    """
    from safetensors import SafetensorError, safe_open

    name = os.fspath(path)
    if not Path(path).is_file():
        what = "is a folder" if Path(path).is_dir() else "does not exist"
        near = None if Path(path).is_dir() else nearest_file(path)
        hint = f" Did you mean {near!r}?" if near else ""
        raise ModelFileError(f"{name} {what}; expected a model file saved by deltaprop.{hint}")
    try:
        with safe_open(name, framework="numpy") as file:
            metadata = file.metadata() or {}
            facts = _read_facts(name, metadata)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if metadata[_KEY] != _sealed("{" + metadata[_KEY][_SEAL:], tensors):
            raise ModelFileError(
                f"{name} is damaged: its content does not match its checksum. "
                "Fetch it again, or train and save it again."
            )
    except (SafetensorError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{name} is no intact model file ({_one_line(error)}). It may have been cut off or "
            "damaged, or it is something else; expected a file saved by deltaprop."
        ) from None
    except OSError as error:
        raise ModelFileError(f"{name} cannot be read: {error.strerror or error}.") from None
    return _assemble(name, facts, tensors)


def _read_facts(name: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    if _KEY not in metadata:
        raise ModelFileError(
            f"{name} is a safetensors file of another program; expected one saved by deltaprop."
        )
    try:
        facts = json.loads(metadata[_KEY])
    except (ValueError, RecursionError):
        raise ModelFileError(f"{name} is damaged: its description cannot be read.") from None
    if not isinstance(facts, dict) or not str(facts.get("format", "")).startswith(_FAMILY):
        raise ModelFileError(f"{name} is damaged: its description has no format.")
    if facts["format"] != FORMAT:
        versions = facts.get("versions")
        writer = versions.get("deltaprop", "unknown") if isinstance(versions, dict) else "unknown"
        raise ModelFileError(
            f"{name} has format {_one_line(facts['format'])!r}, written by deltaprop "
            f"{_one_line(writer)}; this is deltaprop {__version__}, which reads {FORMAT!r}. Use "
            "the version that wrote it, or train and save again."
        )
    return facts


def _assemble(name: str, facts: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> SavedModel:
    try:
        network = network_from_dict(facts["network"])
        flat = tensors.pop(_PARAMETERS)
        if flat.shape != (network.n_parameters,) or flat.dtype != np.float64:
            raise ModelFileError(
                f"{name} is damaged: it holds {flat.dtype} parameters of shape {flat.shape}, its "
                f"network has {_one_line(network.n_parameters)[:20]} of float64. Fetch it again."
            )
        table, training, versions = facts["table"], facts["training"], facts["versions"]
        if not (
            (table is None or isinstance(table, dict))
            and isinstance(training, dict)
            and isinstance(versions, dict)
        ):
            raise TypeError("table, training and versions are not mappings")
    except ModelFileError:
        raise
    except UnknownNameError as error:
        raise ModelFileError(
            f"{name} needs something that is not known here: {_one_line(error)} If it is your "
            "own, register it before loading; else use the version that wrote the file."
        ) from None
    except (DeltapropError, LookupError, ArithmeticError, TypeError, ValueError) as error:
        what = "not found: " if isinstance(error, LookupError) else ""
        what += _one_line(error).rstrip(".")
        raise ModelFileError(
            f"{name} is damaged or of a newer kind ({what}). Fetch it again, or train and save it "
            "again."
        ) from None
    own = flat.copy()
    return SavedModel(network, Parameters(network.layout, own), table, training, tensors, versions)


def network_to_dict(network: Network) -> dict[str, Any]:
    """Return the description as plain data."""
    return {
        "n_in": network.n_in,
        "layers": [_layer_to_dict(layer) for layer in network.layers],
        "loss": network.loss_name,
        "label_smoothing": network.label_smoothing,
        "l2": network.l2,
        "l1": network.l1,
    }


def _layer_to_dict(layer: Any) -> dict[str, Any]:
    """Return its kind and settings; those that stand at their defaults are left out."""
    settings = {
        item.name: value
        for item in fields(layer)
        if (value := getattr(layer, item.name)) != item.default
    }
    return {"kind": layer.kind, **settings}


def network_from_dict(data: Mapping[str, Any]) -> Network:
    """Return the network that ``network_to_dict`` described; raises on anything else."""
    layers = []
    for item in data["layers"]:
        facts = dict(item)
        layers.append(LAYERS[facts.pop("kind")](**facts))
    return Network.from_layers(
        data["n_in"],
        layers,
        data["loss"],
        label_smoothing=data["label_smoothing"],
        l2=data["l2"],
        l1=data["l1"],
    )


def _sealed(text: str, tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the description, a JSON object, with the checksum of everything as its first entry."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(tensors.items()):
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return _seal(digest.hexdigest()) + text[1:]


def _seal(digest: str) -> str:
    return f'{{"sha256": "{digest}", '


_SEAL = len(_seal("0" * 64))


def _one_line(error: object) -> str:
    text = " ".join(str(error).split())
    return text[:300]
