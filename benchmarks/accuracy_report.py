"""The figures and the tables of benchmarks/accuracy.py, from results that are already there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, NamedTuple

from deltaprop.benchmark import geometric_mean
from deltaprop.benchmark.tables import markdown_table

REGRESSION_FLOOR = 1e-4


@dataclass(frozen=True)
class Cell:
    """A learner on a table: means over the seeds (and splits) that were measured."""

    error: float
    seconds: float
    floor: float
    runs: int
    disturbed: bool

    @classmethod
    def of(cls, results: Sequence[Mapping[str, Any]], regression: bool) -> Cell:
        """Return the cell of these results."""
        return cls(
            mean(r["error"] for r in results),
            mean(r["seconds"] for r in results),
            REGRESSION_FLOOR if regression else 0.5 / results[0]["n_test"],
            len(results),
            any(r.get("disturbed", False) for r in results),
        )

    @property
    def floored(self) -> float:
        """Return the error, or the floor, so that a geometric mean is not 0."""
        return max(self.error, self.floor)


def ranks(values: Sequence[float]) -> list[float]:
    """Return 1 for the smallest; equal ones share the mean of their ranks."""
    return [
        1 + sum(other < value for other in values) + (sum(o == value for o in values) - 1) / 2
        for value in values
    ]


def normalized(values: Sequence[float]) -> list[float]:
    """Return 0 for the smallest, 1 for the largest and what is between in proportion."""
    least, most = min(values), max(values)
    return [(value - least) / (most - least) if most > least else 0.0 for value in values]


class Summary(NamedTuple):
    """A learner over the tables that all have."""

    error: float
    rank: float
    normalized: float
    seconds: float


class Goal(NamedTuple):
    """What a preset is to reach beside a peer."""

    ours: str
    peer: str
    error: float  # at most this many times the peer's geometric-mean error
    seconds: float  # at most this many times the peer's seconds
    rank: bool = False  # and at least its average rank


GOALS = (
    Goal("fast", "RealMLP-TD-S", error=1.0, seconds=0.25, rank=True),
    Goal("best", "RealMLP-TD", error=0.94, seconds=1.0),
)


@dataclass(frozen=True)
class Grid:
    """All cells, by (learner, table)."""

    learners: tuple[str, ...]
    tables: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]

    @property
    def common(self) -> tuple[str, ...]:
        """Return the tables that every learner has; none where there is no learner."""
        if not self.learners:
            return ()
        return tuple(t for t in self.tables if all((n, t) in self.cells for n in self.learners))

    def only(self, *learners: str) -> Grid:
        """Return the same with these learners."""
        return Grid(learners, self.tables, self.cells)

    def summaries(self) -> dict[str, Summary]:
        """Return the means over the common tables; nothing where there are none."""
        if not self.common:
            return {}
        columns = {t: [self.cells[n, t] for n in self.learners] for t in self.common}
        ranked = {t: ranks([c.error for c in cells]) for t, cells in columns.items()}
        scaled = {t: normalized([c.error for c in cells]) for t, cells in columns.items()}
        found = {}
        for i, name in enumerate(self.learners):
            error = geometric_mean(cells[i].floored for cells in columns.values())
            assert error is not None
            found[name] = Summary(
                error,
                mean(r[i] for r in ranked.values()),
                mean(s[i] for s in scaled.values()),
                sum(cells[i].seconds for cells in columns.values()),
            )
        return found

    def by_table(self) -> str:
        """Return a row for each table: error and seconds of each learner."""
        rows = [
            [t, *(_shown(self.cells.get((n, t))) for n in self.learners)]
            for t in self.tables
            if any((n, t) in self.cells for n in self.learners)
        ]
        return markdown_table(["table", *self.learners], rows)

    def by_learner(self) -> str:
        """Return a row for each learner: the means, and ratios to both kinds of RealMLP."""
        found = self.summaries()
        beside = [name for name in ("RealMLP-TD-S", "RealMLP-TD") if name in found]
        rows = [
            [
                name, f"{s.error:.4f}", *(f"{s.error / found[b].error:.2f}x" for b in beside),
                f"{s.rank:.2f}", f"{s.normalized:.3f}", f"{s.seconds:,.0f}",
                *(f"{s.seconds / found[b].seconds:.2f}x" for b in beside),
            ]
            for name, s in found.items()
        ]  # fmt: skip
        return markdown_table(
            [
                "learner", "geometric-mean error", *(f"beside {b}" for b in beside),
                "average rank", "mean normalized", "seconds", *(f"beside {b}" for b in beside),
            ],
            rows,
        )  # fmt: skip

    def verdicts(self) -> list[str]:
        """Return a sentence for each goal, over the tables that both of its learners have.

        The rank is that among these two and all others that have all of those tables.
        """
        said = []
        for goal in GOALS:
            pair = self.only(goal.ours, goal.peer)
            if not pair.common:
                said.append(f"{goal.ours} beside {goal.peer}: not measured yet.")
                continue
            here = [
                name
                for name in self.learners
                if all((name, table) in self.cells for table in pair.common)
            ]
            found = Grid(tuple(here), pair.common, self.cells).summaries()
            said.append(_verdict(goal, found[goal.ours], found[goal.peer], len(pair.common)))
        return said


def _verdict(goal: Goal, ours: Summary, peer: Summary, n_tables: int) -> str:
    error, seconds = ours.error / peer.error, ours.seconds / peer.seconds
    both = f"geometric-mean error {ours.error:.4f} to {peer.error:.4f}, {error:.3f}x"
    parts = [
        f"{both} (goal: at most {goal.error:g}x, {_met(error <= goal.error)})",
        f"time {seconds:.2f}x (goal: at most {goal.seconds:g}x, {_met(seconds <= goal.seconds)})",
    ]
    if goal.rank:
        parts.append(
            f"average rank {ours.rank:.2f} to {peer.rank:.2f} "
            f"(goal: at most that, {_met(ours.rank <= peer.rank)})"
        )
    return f"{goal.ours} beside {goal.peer}, {n_tables} tables: {'; '.join(parts)}."


def _met(reached: bool) -> str:
    return "met" if reached else "missed"


def _shown(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    seconds = f"{cell.seconds:.0f}" if cell.seconds >= 9.95 else f"{cell.seconds:.1f}"
    return f"{cell.error:.4f} ({seconds} s{'*' if cell.disturbed else ''})"
