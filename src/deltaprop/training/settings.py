"""What a run is told beside its problem: when it ends, where it is saved, what scores it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.settings import at_least_zero
from deltaprop.model.files import check_writable
from deltaprop.training.checks import check_monitor, check_stopping
from deltaprop.training.metrics import Score

if TYPE_CHECKING:
    from deltaprop.training.run import TrainingState

__all__ = ["Callback", "Checkpointing", "Stopping", "Validation"]

Array = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]
Callback: TypeAlias = "Callable[[TrainingState], object]"


@dataclass(frozen=True)
class Stopping:
    """When a run ends, and which of its epochs is left.

    Attributes
    ----------
    epochs : int
        At most.
    patience : int or None
        Epochs without improvement that are borne.
    min_improvement : float
        What counts as one.
    keep_best : bool
        With validation rows: whether the best epoch is left instead of the last.
    prefer_latest : bool
        Whether of epochs that are equally good the last is the best one.
    deadline : float or None
        When to stop, by ``clock``.
    callbacks : tuple of callable
        Asked after each epoch.
    clock : callable
        Gives the time in seconds.
    """

    epochs: int
    patience: int | None
    min_improvement: float
    keep_best: bool
    prefer_latest: bool
    deadline: float | None
    callbacks: tuple[Callback, ...]
    clock: Callable[[], float]

    @classmethod
    def checked(
        cls,
        epochs: Any,
        patience: Any,
        min_improvement: Any,
        *,
        keep_best: bool,
        prefer_latest: bool,
        time_budget: Any,
        callbacks: Sequence[Callback],
        clock: Callable[[], float],
    ) -> Self:
        """Return the settings, the budget counted from now on.

        Raises
        ------
        SettingError
            For the first one outside its range.
        """
        check_stopping(epochs, patience, min_improvement, time_budget)
        if callable(callbacks):
            raise SettingError("callbacks is one function; give a list of them: callbacks=[...].")
        deadline = None if time_budget is None else clock() + time_budget
        return cls(
            int(epochs), patience, min_improvement, keep_best, prefer_latest, deadline,
            tuple(callbacks), clock,
        )  # fmt: skip

    def is_late(self) -> bool:
        """Return whether the time is over."""
        return self.deadline is not None and self.clock() >= self.deadline


@dataclass(frozen=True)
class Checkpointing:
    """Where a run is saved on its way.

    Attributes
    ----------
    path : path or None
        The file; None for none.
    every : float or None
        Seconds that pass at least between two savings; None for a share of the time.
    resume : bool
        Whether the run goes on from it.
    """

    path: str | os.PathLike[str] | None = None
    every: float | None = 0.0
    resume: bool = False

    def __post_init__(self) -> None:
        if self.every is not None:
            at_least_zero(self.every, "checkpoint_every")
        if self.resume and self.path is None:
            raise SettingError(
                "resume=True goes on from a checkpoint; name its file: checkpoint=..."
            )

    def of_member(self, number: int) -> Checkpointing:
        """Return the same for a member, from 1: its file has the number behind its name."""
        if self.path is None:
            return self
        return replace(self, path=f"{os.fspath(self.path)}.{number}")

    def check(self) -> None:
        """Raise OutputError where the file cannot be written."""
        if self.path is not None:
            check_writable(self.path)


@dataclass(frozen=True)
class Validation:
    """What each epoch is scored on, and by what.

    Attributes
    ----------
    score : Score
        What gives ``history.val_metric``.
    monitor : str
        The figure that says which epoch is best: "val_loss", "val_metric" or "loss".
    data : tuple of (rows, targets), optional
        None for no such rows.
    places : ndarray of int, optional
        Which of these rows; None for all.
    weights : ndarray, optional
        What each of them counts; None for all the same.
    """

    score: Score
    monitor: str = field(default="loss")
    data: tuple[Any, Any] | None = None
    places: Rows | None = None
    weights: Array | None = None

    @classmethod
    def checked(
        cls,
        score: Score,
        monitor: str | None,
        data: tuple[Any, Any] | None,
        places: Rows | None = None,
        weights: Array | None = None,
    ) -> Self:
        """Return the settings; without a monitor it is the loss of these rows, or of training.

        Raises
        ------
        SettingError
            When there is no such figure.
        """
        return cls(score, check_monitor(monitor, data is not None), data, places, weights)
