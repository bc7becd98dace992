"""A training run on disk on its way, so that a killed one goes on where it was.

The file is an ordinary model file (the best parameters so far are its parameters) with the
running parameters, the optimizer's state and the position in the epoch beside them. Random numbers
are pure functions of seed, epoch and position. The file before is kept beside it, for a disk may
spoil one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import (
    CheckpointWarning,
    DeltapropError,
    ModelFileError,
    SettingError,
    warn_user,
)
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import SavedModel, damaged, flat_array, load_model, save_model
from deltaprop.model.spec import Network
from deltaprop.model.stored import record
from deltaprop.training.checks import check_state
from deltaprop.training.history import History
from deltaprop.training.optimizers import Optimizer

__all__ = [
    "STATE", "Position", "Resumed", "before", "data_mark", "read_checkpoint", "stored_state",
    "write_checkpoint",
]  # fmt: skip

Array = npt.NDArray[np.float64]
STATE = "optimizer."  # before the names of its arrays
_RUNNING = "running"
_MARKED_ROWS = 1000


@dataclass(frozen=True)
class Position:
    """How far an epoch has come: its steps, what their losses add up to over rows, its seconds."""

    steps: int = 0
    total: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 0 or not isfinite(self.total):
            raise SettingError(f"An epoch that has come to {self} is none.")


@dataclass(frozen=True)
class Resumed:
    """What a checkpoint holds."""

    flat: Array
    best_flat: Array
    state: dict[str, Any]
    history: History
    position: Position


def before(path: str | os.PathLike[str]) -> Path:
    """Return where the checkpoint is kept that was written before."""
    return Path(f"{os.fspath(path)}.before")


def data_mark(
    X: Any, *arrays: npt.NDArray[Any] | None, rows: npt.NDArray[np.int64] | None = None
) -> str:
    """Return a text that differs between training tables: all of ``arrays``, some rows of X.

    ``rows`` says which rows the table has, where these are not all.
    """
    n = X.shape[0] if rows is None else len(rows)
    digest = hashlib.sha256(str(((n, X.shape[1]), str(X.dtype))).encode())
    for array in arrays:
        own = array if array is None or rows is None else array[rows]
        digest.update(b"-" if own is None else np.ascontiguousarray(own).data)
    step = -(-n // _MARKED_ROWS)
    some = X[::step] if rows is None else X[rows[::step]]
    for array in (some.data, some.indices) if hasattr(some, "indices") else (some,):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def write_checkpoint(
    path: str | os.PathLike[str],
    network: Network,
    parameters: Parameters,
    best_flat: Array | None,
    state: dict[str, Any],
    history: History,
    settings: dict[str, Any],
    position: Position,
) -> None:
    """Save everything a run needs to go on; what was saved before stays, under another name."""
    arrays: dict[str, npt.NDArray[Any]] = {_RUNNING: parameters.flat}
    arrays |= {STATE + name: np.asarray(value) for name, value in state.items()}
    kept = parameters if best_flat is None else parameters.like(best_flat)
    _keep_one_more(Path(path))
    save_model(
        path,
        network,
        kept,
        training={
            "history": history.to_dict(),
            "settings": settings,
            "position": asdict(position),
        },
        arrays=arrays,
    )


def read_checkpoint(
    path: str | os.PathLike[str], network: Network, optimizer: Optimizer, settings: dict[str, Any]
) -> Resumed | None:
    """Return the state of an earlier run of the same settings, or None when there is no file.

    Where the file is damaged, it is that of the file before, which takes its place.

    SettingError: it is of a run with another network or other settings. ModelFileError: it is
    damaged, and so is the one before, or there is none.
    """
    if not Path(path).exists():
        return None
    try:
        return _read(path, network, optimizer, settings)
    except ModelFileError as error:
        earlier = before(path)
        try:
            resumed = _read(earlier, network, optimizer, settings)
        except (ModelFileError, SettingError):
            raise error from None
        warn_user(
            f"{error} The run goes on from the checkpoint before it, "
            f"{resumed.history.n_steps} steps from the beginning.",
            CheckpointWarning,
        )
        earlier.replace(path)
        return resumed


def _read(
    path: str | os.PathLike[str], network: Network, optimizer: Optimizer, settings: dict[str, Any]
) -> Resumed:
    saved = load_model(path)
    earlier = saved.training.get("settings")
    if saved.network != network or earlier != settings:
        before = earlier if isinstance(earlier, dict) else {}
        differing = [name for name in settings if before.get(name) != settings[name]]
        what = ", ".join(differing) or "the network"
        raise SettingError(
            f"The checkpoint {os.fspath(path)} belongs to a run that differs in {what}. Resume it "
            "with the settings it was begun with, or choose another checkpoint file."
        )
    try:
        history = History.from_dict(saved.training.get("history"))
        position = record(Position, saved.training.get("position", {}), "position in the epoch")
        if position.steps * settings["batch_size"] >= settings["rows"]:
            rows = settings["rows"]
            raise SettingError(f"An epoch of {rows} rows has no step {position.steps + 1}.")
        return Resumed(
            flat_array(saved, _RUNNING),
            saved.parameters.flat,
            check_state(stored_state(saved), optimizer, network.layout.size),
            history,
            position,
        )
    except DeltapropError as error:
        raise damaged(os.fspath(path), error) from None


def _keep_one_more(path: Path) -> None:
    """Give what stands there a second name, so that there is always a whole one."""
    if not path.is_file():
        return
    kept = before(path)
    with contextlib.suppress(OSError):
        aside = kept.with_name(f".{kept.name}.{os.getpid()}.part")
        aside.unlink(missing_ok=True)
        try:
            os.link(path, aside)
        except OSError:  # a file system without second names
            shutil.copy2(path, aside)
        aside.replace(kept)


def stored_state(saved: SavedModel) -> dict[str, Any]:
    """Return the state of the optimizer that stands in a file beside the parameters."""
    return {
        name.removeprefix(STATE): array if array.ndim else array.item()
        for name, array in saved.arrays.items()
        if name.startswith(STATE)
    }
