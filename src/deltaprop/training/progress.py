"""A line of progress with the time left: on a terminal only, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deltaprop.languages import current_language, told
from deltaprop.languages.names import called
from deltaprop.training.history import History

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["ProgressLine", "phase", "progress_line"]


class ProgressLine:
    """Is told how far the training of one network or several is, and says nothing."""

    def rows(self, share: float, network: int = 0) -> None:
        """Say which share of an epoch's rows is done, by which of them."""

    def epoch(self, history: History, network: int = 0) -> None:
        """Say that an epoch is over, and whose."""

    def close(self) -> None:
        """Say that training is over."""


class TerminalProgress(ProgressLine):
    """A rich progress bar: epochs, whose turn it was and the figure it reached, time left.

    Several networks show as one: their epochs one after another, each a share of the width.
    ``done`` of all their epochs are over already.
    """

    def __init__(self, n_epochs: int, n_networks: int = 1, done: int = 0) -> None:
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

        self._n_networks, self._done = n_networks, done
        self._bar = _live(
            TextColumn(told("epoch") + " {task.fields[epoch]}/" + str(n_epochs)),
            BarColumn(bar_width=8),
            TextColumn("{task.fields[figures]}"),
            TextColumn(told("left")),
            TimeRemainingColumn(),
        )
        self._task = self._bar.add_task("train", total=n_epochs, epoch=1, figures="")
        self._bar.start()

    def rows(self, share: float, network: int = 0) -> None:
        """Move the bar within an epoch."""
        epoch, part = divmod(self._done, self._n_networks)
        completed = epoch + (part + share) / self._n_networks
        self._bar.update(self._task, completed=completed, epoch=epoch + 1)

    def epoch(self, history: History, network: int = 0) -> None:
        """Show the figure of the epoch that is over: of rows held out, where there are such."""
        self._done += 1
        figure = f"loss {history.loss[-1]:.4g}"
        if history.val_metric:
            name = called("metric", history.metric, current_language())
            figure = f"held-out {name} {history.val_metric[-1]:.4f}"
        if self._n_networks > 1:
            figure = f"network {network + 1}/{self._n_networks}, {figure}"
        self._bar.update(self._task, figures=told(figure))

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def progress_line(wanted: bool, n_epochs: int, n_networks: int, done: int) -> ProgressLine:
    """Return a bar if one is wanted and standard error is a terminal."""
    if wanted and _on_terminal():
        return TerminalProgress(n_epochs, n_networks, done)
    return ProgressLine()


@contextmanager
def phase(wanted: bool, what: str) -> Iterator[None]:
    """Show what is being done, "reading table.csv", and since when; off a terminal nothing."""
    if not (wanted and _on_terminal()):
        yield
        return
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    line = _live(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    line.add_task(told(what).replace("[", r"\["), total=None)
    line.start()
    try:
        yield
    finally:
        line.stop()


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _live(*columns: object) -> Progress:
    """Return lines on standard error that are drawn again and again, and gone when they stop."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(*columns, console=Console(stderr=True), transient=True)  # type: ignore[arg-type]
