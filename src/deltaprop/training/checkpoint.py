"""A training run on disk after each epoch, so that a killed one goes on where it was.

The file is an ordinary model file (the best parameters so far are its parameters) with the
running parameters and the optimizer's state beside them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DeltapropError, SettingError
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import SavedModel, damaged, flat_array, load_model, save_model
from deltaprop.model.spec import Network
from deltaprop.training.checks import check_state
from deltaprop.training.history import History
from deltaprop.training.optimizers import Optimizer

__all__ = [
    "STATE", "Resumed", "data_mark", "read_checkpoint", "stored_state", "write_checkpoint",
]  # fmt: skip

Array = npt.NDArray[np.float64]
STATE = "optimizer."  # before the names of its arrays
_RUNNING = "running"
_MARKED_ROWS = 1000


@dataclass(frozen=True)
class Resumed:
    """What a checkpoint holds."""

    flat: Array
    best_flat: Array
    state: dict[str, Any]
    history: History


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
) -> None:
    """Save everything a run needs to go on."""
    arrays: dict[str, npt.NDArray[Any]] = {_RUNNING: parameters.flat}
    arrays |= {STATE + name: np.asarray(value) for name, value in state.items()}
    kept = parameters if best_flat is None else parameters.like(best_flat)
    save_model(
        path,
        network,
        kept,
        training={"history": history.to_dict(), "settings": settings},
        arrays=arrays,
    )


def read_checkpoint(
    path: str | os.PathLike[str], network: Network, optimizer: Optimizer, settings: dict[str, Any]
) -> Resumed | None:
    """Return the state of an earlier run of the same settings, or None when there is no file.

    SettingError: it is of a run with another network or other settings. ModelFileError: it is
    damaged.
    """
    if not Path(path).exists():
        return None
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
        return Resumed(
            flat_array(saved, _RUNNING),
            saved.parameters.flat,
            check_state(stored_state(saved), optimizer, network.layout.size),
            history,
        )
    except DeltapropError as error:
        raise damaged(os.fspath(path), error) from None


def stored_state(saved: SavedModel) -> dict[str, Any]:
    """Return the state of the optimizer that stands in a file beside the parameters."""
    return {
        name.removeprefix(STATE): array if array.ndim else array.item()
        for name, array in saved.arrays.items()
        if name.startswith(STATE)
    }
