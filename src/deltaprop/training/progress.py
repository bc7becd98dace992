"""A line of progress with the time left: on a terminal only, on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from deltaprop.training.history import History

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["ProgressLine", "TerminalProgress", "no_progress", "progress_line"]


class ProgressLine(Protocol):
    """Told how far training is."""

    def rows(self, epoch: int, share: float) -> None:
        """Say which share of an epoch's rows is done."""

    def epoch(self, history: History) -> None:
        """Say that an epoch is over."""

    def close(self) -> None:
        """Say that training is over."""


class _Silent:
    def rows(self, epoch: int, share: float) -> None:
        """Say nothing."""

    def epoch(self, history: History) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Say nothing."""


class TerminalProgress:
    """A rich progress bar: epochs, the latest figures, time gone and time left."""

    def __init__(self, n_epochs: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar: Progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/" + str(n_epochs)),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("train", total=n_epochs, epoch=1, figures="")
        self._bar.start()

    def rows(self, epoch: int, share: float) -> None:
        """Move the bar within an epoch."""
        self._bar.update(self._task, completed=epoch + share, epoch=epoch + 1)

    def epoch(self, history: History) -> None:
        """Show the figures of the epoch that is over."""
        figures = f"loss {history.loss[-1]:.4g}"
        if history.val_metric:
            figures += f"  {history.metric} {history.val_metric[-1]:.4f}"
        self._bar.update(self._task, figures=figures)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def no_progress() -> ProgressLine:
    """Return a progress line that says nothing."""
    return _Silent()


def progress_line(wanted: bool, n_epochs: int) -> ProgressLine:
    """Return a bar if one is wanted and standard error is a terminal."""
    if wanted and sys.stderr is not None and sys.stderr.isatty():
        return TerminalProgress(n_epochs)
    return no_progress()
