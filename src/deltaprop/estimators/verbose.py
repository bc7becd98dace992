"""What ``verbose`` tells of a training with a preset where no bar can be seen: a few lines."""

from __future__ import annotations

import sys
import threading
import time
from math import ceil
from typing import Any

import numpy as np

from deltaprop.training.history import History
from deltaprop.training.loop import TrainingState

__all__ = ["Lines"]

_LINES = 10  # of a whole training
_SILENT = 10.0  # seconds, at most, as long as epochs end


class Lines:
    """A callback that prints a line per so many epochs: the mean of all networks."""

    def __init__(self) -> None:
        self._began = self._printed_at = time.perf_counter()
        self._histories: dict[int, History] = {}
        self._printed = 0
        self._lock = threading.Lock()

    def __call__(self, state: TrainingState) -> None:
        """Enter an epoch of a network."""
        with self._lock:
            self._histories[id(state.history)] = state.history
            epoch, n = state.epoch + 1, state.n_epochs
            due = epoch % ceil(n / _LINES) == 0 or epoch in (1, n)
            late = time.perf_counter() - self._printed_at > _SILENT
            if epoch > self._printed and (due or late):
                self._printed, self._printed_at = epoch, time.perf_counter()
                print(f"Epoch {epoch} of {n}: {self._figures(-1)}")

    def close(self) -> None:
        """Print how it ended, if there was an epoch."""
        took = time.perf_counter() - self._began
        if self._histories:
            print(f"Done in {took:.1f} s; the epochs that are kept: {self._figures(None)}")

    def _figures(self, place: int | None) -> str:
        histories = [h for h in self._histories.values() if h.loss]
        places = [h.best_epoch if place is None else place for h in histories]
        each = [(h, -1 if at is None else at) for h, at in zip(histories, places, strict=True)]
        text = f"loss {np.mean([h.loss[at] for h, at in each]):.4g}"
        if all(h.val_metric for h in histories):
            text += f", {histories[0].metric} {np.mean([h.val_metric[at] for h, at in each]):.4f}"
        return text + (f" (mean of {len(histories)} networks)" if len(histories) > 1 else "")

    @staticmethod
    def wanted(verbose: Any) -> bool:
        """Return whether lines are asked for, and no bar is shown instead."""
        return bool(verbose) and not (sys.stderr is not None and sys.stderr.isatty())
