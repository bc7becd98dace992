"""What a command writes, checked before it begins: it can be written, and nothing is lost by it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from deltaprop.errors import SettingError

__all__ = ["check_outputs"]

_CHECKPOINT = re.compile(r"\.checkpoint(\.target\d+)?(\.(\d+|plan))?(\.before)?")


class _Place(NamedTuple):
    """Where a file is: by its folder and name, and, where it exists, by its number."""

    folder: tuple[int, int]
    name: str
    number: tuple[int, int] | None

    def is_same(self, other: _Place) -> bool:
        """Tell whether both are one file, through links, or on a disk that knows no capitals."""
        if self.number is not None or other.number is not None:
            return self.number == other.number
        return (self.folder, self.name.casefold()) == (other.folder, other.name.casefold())

    def is_checkpoint_of(self, model: _Place) -> bool:
        """Tell whether the name is one that checkpoints of a model have."""
        if self.folder != model.folder or not self.name.startswith(model.name):
            return False
        return _CHECKPOINT.fullmatch(self.name[len(model.name) :]) is not None


def check_outputs(
    outputs: Mapping[str, str | None], inputs: Mapping[str, str | None], *, model: str | None = None
) -> None:
    """Refuse an output that cannot be written, or by which an input or another output is lost.

    Parameters
    ----------
    outputs : mapping
        The path of each option that writes; None where it was not given.
    inputs : mapping
        Path or glob of each argument that is read, ``-`` and names of other things included.
    model : str, optional
        The output beside which there will be checkpoints.

    Raises
    ------
    SettingError
        Two that are one file, or one that has the name of a checkpoint.
    OutputError
        One that cannot be written.
    """
    from deltaprop.model.files import check_writable
    from deltaprop.tabular.reading.source import paths_of

    written = [(name, path) for name, path in outputs.items() if path is not None]
    for _, path in written:
        check_writable(path)
    places = [(f"{name} {path}", place) for name, path in written for place in _places(path)]
    read = [
        (f"{name} {path}", place)
        for name, source in inputs.items()
        if source is not None
        for path in (() if source == "-" else paths_of(source))
        for place in _places(path)
    ]
    for i, (one, place) in enumerate(places):
        for other, elsewhere in [*read, *places[:i]]:
            if place.is_same(elsewhere):
                raise SettingError(
                    f"{other} and {one} are the same file, which would be overwritten. Give "
                    "another file."
                )
    for of_model in () if model is None else _places(model):
        for other, place in [*read, *places]:
            if place.is_checkpoint_of(of_model):
                raise SettingError(
                    f"{other} has the name of a checkpoint of {model}, which would be overwritten "
                    "and removed. Rename it, or the model."
                )


def _places(path: str) -> Iterator[_Place]:
    """Yield where a file is or will be; nothing for what is no file, such as a pipe."""
    real = Path(os.path.realpath(path))
    try:
        folder = real.parent.stat()
        number = None
        if real.exists():
            found = real.stat()
            if not stat.S_ISREG(found.st_mode):
                return
            number = (found.st_dev, found.st_ino)
    except (OSError, ValueError):
        return
    yield _Place((folder.st_dev, folder.st_ino), real.name, number)
