"""What is trained: a shape, a batch and rows, and how many operations a step of it is."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError

__all__ = ["WORKLOADS", "Workload", "workload_named"]

_SHAPE = re.compile(r"(\d{1,7}(?:-\d{1,7})+)@(\d{1,7})(?:x(\d{1,7}))?")
_FLOP_OF_AN_EPOCH = 2e9  # of a shape whose number of steps is not given
_MOST_NUMBERS = 200_000_000  # of a table, 800 MB


@dataclass(frozen=True)
class Workload:
    """A classifier with ReLU layers and rows to train it on.

    Attributes
    ----------
    name : str
        What it is called in tables.
    widths : tuple of int
        n_0, ..., n_L.
    batch : int
        Rows of a step.
    steps : int
        Steps of an epoch; there are ``batch * steps`` rows.
    """

    name: str
    widths: tuple[int, ...]
    batch: int
    steps: int

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(*self.widths, self.batch, self.steps) < 1:
            raise SettingError(
                f"The benchmark {self.name!r} needs two widths or more, and a batch and steps of "
                "at least 1."
            )
        if self.widths[-1] < 2:
            raise SettingError(
                f"The benchmark {self.name!r} is a classifier; its last width is 1 and has to be "
                "2 or more."
            )
        if self.rows * self.widths[0] > _MOST_NUMBERS:
            raise SettingError(
                f"The benchmark {self.name!r} has {self.rows:,} rows of {self.widths[0]:,} "
                "numbers; take a smaller batch or fewer steps."
            )

    @property
    def rows(self) -> int:
        """Return the rows of an epoch."""
        return self.batch * self.steps

    @property
    def flop(self) -> int:
        """Return the operations of a step: a product of n x k by k x m counts 2 n k m.

        Each layer has a product forward and one for its weight gradient; all but the first have
        one more, for the delta of the layer before.
        """
        sizes = [a * b for a, b in zip(self.widths, self.widths[1:], strict=False)]
        return 2 * self.batch * (3 * sum(sizes) - sizes[0])

    def shorter(self, factor: int) -> Workload:
        """Return the same with that many times fewer steps, at least two."""
        return replace(self, steps=max(min(2, self.steps), self.steps // factor))

    def data(self, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return standard normal rows, and labels that a linear rule and much noise give them.

        Parameters
        ----------
        seed : int
            The same seed gives the same rows.

        Returns
        -------
        tuple of ndarray
            X of shape (rows, n_0), float32, and labels of shape (rows,), each class present
            where there are rows enough.
        """
        rng = np.random.default_rng(seed)
        n_in, n_out = self.widths[0], self.widths[-1]
        X = rng.standard_normal((self.rows, n_in), dtype=np.float32)
        scores = X @ rng.standard_normal((n_in, n_out), dtype=np.float32) / np.sqrt(n_in)
        labels = np.argmax(scores + rng.standard_normal(scores.shape), axis=1)
        present = min(n_out, self.rows)
        labels[:present] = np.arange(present)
        return X, labels.astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "widths": list(self.widths)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Workload:
        """Return the workload that ``to_dict`` described."""
        return cls(data["name"], tuple(data["widths"]), data["batch"], data["steps"])


# From what fits in registers to what no cache holds. The steps make an epoch that takes every
# library long enough to be timed, and none of them seconds.
WORKLOADS: dict[str, Workload] = {
    work.name: work
    for work in (
        Workload("T", (2, 2, 2), 1, 4000),
        Workload("SC", (24, 8, 2), 200, 100),
        Workload("SD", (4, 32, 16, 4), 10_000, 10),
        Workload("S", (64, 32, 10), 32, 1000),
        Workload("N", (784, 100, 10), 200, 100),
        Workload("R", (50, 256, 256, 256, 8), 256, 100),
        Workload("M", (784, 256, 128, 10), 128, 100),
        Workload("L", (784, 1024, 1024, 10), 512, 12),
        Workload("X", (512, 2048, 2048, 100), 1024, 4),
    )
}


def workload_named(text: str) -> Workload:
    """Return the workload called so, or the one that a shape such as 64-32-10@128 describes.

    Parameters
    ----------
    text : str
        A key of ``WORKLOADS``, or WIDTHS@BATCH, or WIDTHS@BATCHxSTEPS.

    Returns
    -------
    Workload
        A shape without steps gets as many as make an epoch worth timing.

    Raises
    ------
    SettingError
        When it is neither.
    """
    text = text.strip()
    for name, work in WORKLOADS.items():
        if name.casefold() == text.casefold():
            return work
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise SettingError(
            f"No row of the benchmark is called {text!r}. Known: {', '.join(WORKLOADS)}; or give "
            "a shape, WIDTHS@BATCH, such as 64-32-10@128."
        )
    widths = tuple(int(width) for width in found[1].split("-"))
    work = Workload(text.partition("x")[0], widths, int(found[2]), int(found[3] or 1))
    if found[3] is not None:
        return work
    most = max(1, _MOST_NUMBERS // 10 // (work.batch * widths[0]))
    steps = min(max(20, min(2000, round(_FLOP_OF_AN_EPOCH / work.flop))), most)
    return replace(work, steps=steps)
