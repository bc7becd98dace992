"""What happened in training, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from deltaprop.errors import DataError

__all__ = ["STOPPED_BECAUSE", "History"]

STOPPED_BECAUSE = {
    "epochs": "all epochs were run",
    "patience": "the validation figure no longer improved",
    "time_budget": "the time budget was used up",
    "interrupted": "it was interrupted (Ctrl-C)",
    "callback": "a callback asked for it",
    "diverged": "the loss or a gradient was no longer a finite number",
}


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
        A key of ``STOPPED_BECAUSE``.
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
        """Return plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> History:
        """Return the history that ``to_dict`` described."""
        known = {item.name for item in fields(cls)}
        lists = ("loss", "val_loss", "val_metric", "seconds", "learning_rate")
        facts = {name: value for name, value in data.items() if name in known}
        for name in lists:
            values = facts.get(name, [])
            if not isinstance(values, list) or not all(isinstance(v, (int, float)) for v in values):
                raise DataError(f"The training record's {name!r} is not a list of numbers.")
        return cls(**facts)
