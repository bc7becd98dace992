"""What happened in training, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any

from deltaprop.model.stored import Stored, record

__all__ = ["STOPPED_BECAUSE", "History"]

STOPPED_BECAUSE = ("epochs", "patience", "time_budget", "interrupted", "callback", "diverged")

_LISTS = ("loss", "val_loss", "val_metric", "seconds", "learning_rate")
_WHERE = "training record"
_NOT_FINITE = ("inf", "-inf", "nan")  # JSON has no number for these


@dataclass
class History:
    """One entry per epoch, and why training stopped.

    Attributes
    ----------
    loss : list of float
        The training objective: the mean over the epoch's rows, each taken before its step.
    val_loss : list of float
        The loss on the validation rows after the epoch, penalties left out; empty without them.
    val_metric : list of float
        ``metric`` on the validation rows.
    seconds : list of float
        Wall time of each epoch, validation included.
    learning_rate : list of float
        eta of the last step of each epoch.
    metric : str
        "accuracy" or "r2".
    best_epoch : int or None
        Index of the epoch whose parameters were kept, counted from 0; None without validation.
    stopped_because : str
        One of ``STOPPED_BECAUSE``.
    message : str
        The same as a sentence, with figures.
    engine, dtype : str
        What computed the steps, and in which precision.
    seed : int
        Of shuffling and dropout.
    n_steps : int
        Updates made in all.
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_metric: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    metric: str = "accuracy"
    best_epoch: int | None = None
    stopped_because: str = "epochs"
    message: str = ""
    engine: str = "reference"
    dtype: str = "float64"
    seed: int = 0
    n_steps: int = 0

    @property
    def n_epochs(self) -> int:
        """Return how many epochs were begun."""
        return len(self.loss)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; infinity and NaN as text."""
        facts = asdict(self)
        for name in _LISTS:
            facts[name] = [v if isfinite(v) else str(float(v)) for v in facts[name]]
        return facts

    @classmethod
    def from_dict(cls, data: object) -> History:
        """Return the history that ``to_dict`` described; what a later version added is left out.

        Raises
        ------
        DataError
            Anything that ``to_dict`` would not have written; the values may come from a stranger.
        """
        stored = Stored(data, _WHERE)
        known = {item.name for item in fields(cls)}
        facts = {name: value for name, value in stored.values.items() if name in known}
        history = record(cls, facts, _WHERE, dict.fromkeys(_LISTS, _stored_figures))
        for name in _LISTS:
            if len(getattr(history, name)) not in (0, history.n_epochs):
                stored.refuse(name, getattr(history, name), f"{history.n_epochs} numbers, or none")
        best, n = history.best_epoch, history.n_epochs
        if best is not None and not 0 <= best < n:
            stored.refuse("best_epoch", best, f"one of the {n} epochs, from 0")
        if history.stopped_because not in STOPPED_BECAUSE:
            stored.refuse("stopped_because", history.stopped_because, ", ".join(STOPPED_BECAUSE))
        return history


def _stored_figures(name: str, values: object) -> list[float]:
    stored = Stored({name: values}, _WHERE)

    def figure(place: str, value: object) -> float:
        return float(str(value)) if value in _NOT_FINITE else stored.as_number(place, value)

    return list(stored.items(name, figure))
