"""What a training is given beside its networks: rows, computing, end, saving, scoring."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.settings import at_least_zero, positive_int
from deltaprop.model.files import check_writable
from deltaprop.model.targets import ClassWeight
from deltaprop.training.checks import check_computing, check_stopping
from deltaprop.training.metrics import Score

if TYPE_CHECKING:
    from deltaprop.training.run import TrainingState

__all__ = ["Callback", "Checkpointing", "Computing", "Stopping", "TrainingData", "Validation"]

Array = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]
_MONITORS = ("val_loss", "val_metric", "loss")
_PAUSE_OF_SAVING = 20.0  # between two checkpoints, in the time that one takes
_WITHIN_AN_EPOCH = 10.0  # seconds between two of them, where nobody says how often
Callback: TypeAlias = "Callable[[TrainingState], object]"


@dataclass(frozen=True)
class TrainingData:
    """The rows as ``train`` is given them: to learn from, and to score each epoch on."""

    X: Any
    y: npt.ArrayLike
    sample_weight: npt.ArrayLike | None = None
    class_weight: ClassWeight = None
    X_val: Any = None
    y_val: npt.ArrayLike | None = None
    weight_val: npt.ArrayLike | None = None


@dataclass(frozen=True)
class Computing:
    """How steps are computed, as for ``train``."""

    engine: str
    dtype: str
    batch_size: int | None
    shuffle: bool
    n_threads: int | None

    def __post_init__(self) -> None:
        check_computing(self.batch_size, self.dtype, self.n_threads)

    def rows_per_step(self, n: int) -> int:
        """Return the rows of a step, of n in all."""
        return n if self.batch_size is None else min(int(self.batch_size), n)


@dataclass(frozen=True)
class Stopping:
    """When a run ends, and which of its epochs is left, as for ``train``.

    The budget is counted from now on: ``deadline`` is when to stop, by ``clock``.
    """

    epochs: int
    patience: int | None
    min_improvement: float
    keep_best: bool
    prefer_latest: bool
    time_budget: float | None
    callbacks: Sequence[Callback]
    clock: Callable[[], float]
    deadline: float | None = field(init=False)

    def __post_init__(self) -> None:
        check_stopping(self.epochs, self.patience, self.min_improvement, self.time_budget)
        if callable(self.callbacks):
            raise SettingError("callbacks is one function; give a list of them: callbacks=[...].")
        deadline = None if self.time_budget is None else self.clock() + self.time_budget
        object.__setattr__(self, "deadline", deadline)
        object.__setattr__(self, "epochs", int(self.epochs))
        object.__setattr__(self, "callbacks", tuple(self.callbacks))

    def is_late(self) -> bool:
        """Return whether the time is over."""
        return self.deadline is not None and self.clock() >= self.deadline


@dataclass(frozen=True)
class Checkpointing:
    """Where a run is saved on its way; ``path`` is None for nowhere.

    ``every`` are the seconds that pass at least between two savings; 0 saves after each epoch,
    None for a share of the time. After every ``steps`` steps it is saved, too.
    """

    path: str | os.PathLike[str] | None = None
    every: float | None = 0.0
    resume: bool = False
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.every is not None:
            at_least_zero(self.every, "checkpoint_every")
        if self.steps is not None:
            object.__setattr__(self, "steps", positive_int(self.steps, "checkpoint_steps"))
        if self.resume and self.path is None:
            raise SettingError(
                "resume=True goes on from a checkpoint; name its file: checkpoint=..."
            )

    def of_member(self, number: int) -> Checkpointing:
        """Return the same for a member, from 1: its file has the number behind its name."""
        if self.path is None:
            return self
        return replace(self, path=f"{os.fspath(self.path)}.{number}")

    def pause(self, saving_took: float) -> float:
        """Return the seconds from one saving to the next, where one takes so many."""
        return _PAUSE_OF_SAVING * saving_took if self.every is None else self.every

    def pause_within(self, saving_took: float) -> float:
        """Return the same in the middle of an epoch, where little is lost without one."""
        if self.path is None or self.every == 0:
            return np.inf
        pause = self.pause(saving_took)
        return max(pause, _WITHIN_AN_EPOCH) if self.every is None else pause

    def steps_after(self, step: int) -> int | None:
        """Return how many steps of a run there are from one until it is saved; None: no limit."""
        if self.path is None or self.steps is None:
            return None
        return self.steps - step % self.steps

    def is_after(self, step: int) -> bool:
        """Return whether so many steps of a run are to be followed by a saving."""
        return self.steps is not None and step % self.steps == 0

    def check(self) -> None:
        """Raise OutputError where the file cannot be written."""
        if self.path is not None:
            check_writable(self.path)


@dataclass(frozen=True)
class Validation:
    """What each epoch is scored on, and by what.

    ``data`` are rows and targets, None for none; ``places`` which of these rows, None for all;
    ``weights`` what each of them counts, None for all the same. ``figure`` is the one that says
    which epoch is best: "val_loss", "val_metric" or "loss".
    """

    score: Score
    monitor: str | None = None
    data: tuple[Any, npt.NDArray[Any]] | None = None
    places: Rows | None = None
    weights: Array | None = None
    figure: str = field(init=False)

    def __post_init__(self) -> None:
        usual = "loss" if self.data is None else "val_loss"
        figure = usual if self.monitor is None else self.monitor
        if figure not in _MONITORS:
            raise SettingError(f"monitor is {figure!r}; it is one of {', '.join(_MONITORS)}.")
        if figure != "loss" and self.data is None:
            raise SettingError(f"monitor={figure!r} needs validation rows: pass X_val and y_val.")
        object.__setattr__(self, "figure", figure)
