"""Files of Keras, without Keras: what they say of layers, and their numbers.

A ``.keras`` file is a zip with config.json and model.weights.h5, a ``.h5`` file has both in one.
They are strangers' files: nothing of them is executed, nothing is followed out of them, and sizes
are checked before memory is taken.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DeltapropError, MissingExtraError, ModelFileError, shown

__all__ = ["KerasFile", "Settings", "opened"]

Array = npt.NDArray[np.float64]
Settings: TypeAlias = Mapping[str, Any]
_LARGEST_CONFIG = 16 * 2**20  # bytes
_LARGEST_WEIGHTS = 2 * 2**30
_MOST_PACKED = 200  # how many times larger than in the zip something may become
_MOST_NUMBERS = 10**8  # of all arrays that are read
_TROUBLE = (OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError)


class KerasFile:
    """An open file: ``config`` is what it says of the model, ``arrays`` gives a layer's numbers."""

    def __init__(self, name: str, config: Settings, weights: Any, *, legacy: bool) -> None:
        self.name, self.config, self._weights, self._legacy = name, config, weights, legacy
        self._seen: Counter[str] = Counter()
        self._left = _MOST_NUMBERS

    def arrays(self, layer: str, kind: str) -> list[Array]:
        """Return the arrays of a layer, in the order in which Keras writes them.

        Layers are asked for in the order of the file: a ``.keras`` file counts those of a kind.
        """
        short = _snake(kind)
        number, self._seen[short] = self._seen[short], self._seen[short] + 1
        try:
            if self._legacy:
                return self._of_legacy(layer)
            called = f"{short}_{number}" if number else short
            for top in ("layers", "_layer_checkpoint_dependencies"):
                group = self._at(top, called, "vars")
                if group is not None:
                    return [self._array(group, str(k), called) for k in range(len(group))]
        except _TROUBLE as error:
            raise self._broken(f"the numbers of {shown(layer)} ({error})") from None
        return []

    def _of_legacy(self, layer: str) -> list[Array]:
        group = self._at("model_weights", layer)
        if group is None:
            return []
        found = []
        for name in np.asarray(group.attrs.get("weight_names", [])).tolist():
            text = name.decode() if isinstance(name, bytes) else str(name)
            *folders, last = text.split("/")
            inner = self._at("model_weights", layer, *folders)
            if inner is None:
                raise KeyError(text)
            found.append(self._array(inner, last, layer))
        return found

    def _at(self, *path: str) -> Any:
        """Return a group of the file itself, or None where there is none."""
        group = self._weights
        for name in path:
            if not name or name not in group:
                return None
            self._require_own(group, name)
            group = group[name]
        return group

    def _require_own(self, group: Any, name: str) -> None:
        import h5py

        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError("it points elsewhere")

    def _array(self, group: Any, name: str, layer: str) -> Array:
        import h5py

        self._require_own(group, name)
        dataset = group[name]
        if not isinstance(dataset, h5py.Dataset):
            raise TypeError("no array")
        if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 8:
            raise ValueError(f"of the type {dataset.dtype}")
        made = dataset.id.get_create_plist()
        plain = made.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
        if not plain or made.get_external_count() or dataset.id.get_storage_size() < dataset.nbytes:
            raise ValueError("not written as Keras writes them")
        self._left -= dataset.size
        if self._left < 0:
            raise ValueError(f"more than {_MOST_NUMBERS:,} numbers")
        return np.asarray(dataset[()], dtype=np.float64)

    def _broken(self, what: str) -> ModelFileError:
        return _broken(self.name, what)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[KerasFile]:
    """Open a file of Keras.

    Raises
    ------
    MissingExtraError
        When h5py is not installed.
    ModelFileError
        When it is no such file, or not intact.
    """
    if find_spec("h5py") is None:
        raise MissingExtraError("from_keras needs h5py, which", "deltaprop[keras]")
    import h5py

    name = Path(path).name
    try:
        is_zip = zipfile.is_zipfile(path)
        if not is_zip and not h5py.is_hdf5(path):
            if not Path(path).is_file():
                raise ModelFileError(f"There is no file {shown(str(path))}.")
            raise ModelFileError(f"{shown(name)} is neither a .keras nor a .h5 file.")
        if is_zip:
            text, numbers = _unzipped(path, name)
            with h5py.File(io.BytesIO(numbers), "r") as weights:
                yield KerasFile(name, _config(text, name), weights, legacy=False)
        else:
            with h5py.File(path, "r") as weights:
                text = weights.attrs.get("model_config")
                if text is None:
                    raise ModelFileError(
                        f"{shown(name)} has weights alone; save the whole model: model.save(path)."
                    )
                yield KerasFile(name, _config(text, name), weights, legacy=True)
    except DeltapropError:
        raise
    except (*_TROUBLE, zipfile.BadZipFile, EOFError, RecursionError) as error:
        raise _broken(name, str(error)) from None


def _unzipped(path: str | os.PathLike[str], name: str) -> tuple[bytes, bytes]:
    """Return config.json and model.weights.h5, neither larger than it may be."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for part, largest in (
            ("config.json", _LARGEST_CONFIG), ("model.weights.h5", _LARGEST_WEIGHTS)
        ):  # fmt: skip
            info = archive.getinfo(part)
            packed = _MOST_PACKED * max(info.compress_size, 1024)
            if info.file_size > min(largest, packed):
                raise _broken(name, f"{part} would become {info.file_size:,} bytes")
            found.append(archive.read(info))
    return found[0], found[1]


def _config(text: Any, name: str) -> Settings:
    """Return what a file says of its model, which is a mapping."""
    if not isinstance(text, str | bytes) or len(text) > _LARGEST_CONFIG:
        raise _broken(name, "its description is no text")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        raise _broken(name, "its description is no JSON") from None
    if not isinstance(config, dict):
        raise _broken(name, "its description is no description of a model")
    return config


def _broken(name: str, what: str) -> ModelFileError:
    said = "".join(c if c.isprintable() else " " for c in what)[:200].rstrip(". ")
    return ModelFileError(f"{shown(name)} is no intact file of Keras: {said}.")


def _snake(kind: str) -> str:
    """Return batch_normalization of BatchNormalization, as a ``.keras`` file calls its groups."""
    words = re.sub(r"\W+", "", kind)
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", words)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
