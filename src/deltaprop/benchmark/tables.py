"""From times to ratios, means and shares of the machine's limit, as data and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

from deltaprop.benchmark.measuring import Results
from deltaprop.benchmark.workloads import Workload

__all__ = ["Comparison", "geometric_mean"]


def geometric_mean(values: Iterable[float]) -> float | None:
    """Return exp(mean(log(values))); None of nothing."""
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs)) if logs else None


@dataclass(frozen=True)
class Comparison:
    """Times of several libraries, compared with those of one of them.

    Attributes
    ----------
    works : tuple of Workload
        The rows.
    names : tuple of str
        Of the libraries, in order.
    titles : dict
        What they are called in tables.
    times : dict
        Microseconds per step, by (workload, library).
    ours : str
        Which of the libraries is compared with the others.
    peak : float or None
        The measured GFLOP/s of the machine.
    """

    works: tuple[Workload, ...]
    names: tuple[str, ...]
    titles: dict[str, str]
    times: dict[tuple[str, str], float]
    ours: str = "deltaprop"
    peak: float | None = None

    @classmethod
    def of(cls, results: Results, peak: float | None = None) -> Comparison:
        """Return the comparison of what was measured; ours is the first deltaprop among them."""
        able = {m.peer.name for m in results.measurements}
        names = tuple(peer.name for peer in results.peers if peer.name in able)
        ours = next((name for name in names if name.startswith("deltaprop")), "deltaprop")
        return cls(
            tuple(results.works),
            names,
            {peer.name: peer.title for peer in results.peers},
            {(m.work.name, m.peer.name): m.microseconds for m in results.measurements},
            ours,
            peak,
        )

    @property
    def others(self) -> tuple[str, ...]:
        """Return the libraries that ours is compared with."""
        return tuple(name for name in self.names if name != self.ours)

    def ratio(self, work: str, name: str) -> float | None:
        """Return how many times longer than ours a library takes; None where one is missing."""
        own, other = self.times.get((work, self.ours)), self.times.get((work, name))
        return other / own if own and other else None

    def mean_ratio(self, name: str) -> float | None:
        """Return the geometric mean of the ratios, over the rows that both have."""
        ratios = (self.ratio(work.name, name) for work in self.works)
        return geometric_mean(ratio for ratio in ratios if ratio is not None)

    def gflops(self, work: Workload, name: str) -> float | None:
        """Return the GFLOP/s that a library reaches, the products of the step counted."""
        time = self.times.get((work.name, name))
        return work.flop / time / 1e3 if time else None

    def share(self, work: Workload, name: str) -> float | None:
        """Return the share of the machine's limit that a library reaches."""
        reached = self.gflops(work, name)
        return reached / self.peak if reached and self.peak else None

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return header and rows: shape, limit, our time and share, every other time and ratio."""
        limit, of_limit = (["limit"], ["of limit"]) if self.peak else ([], [])
        ours = self.titles.get(self.ours, self.ours)
        header = ["row", "widths", "batch", *limit, ours, "GFLOP/s", *of_limit]
        header += [self.titles[name] for name in self.others]
        rows = [self._row(work) for work in self.works]
        means = [self.mean_ratio(name) for name in self.others]
        if any(mean is not None for mean in means):
            blank = len(header) - len(means) - 1
            rows.append(("mean", *[""] * blank, *(f"({_times(mean)})" for mean in means)))
        return tuple(header), rows

    def _row(self, work: Workload) -> tuple[str, ...]:
        cells = [
            work.name if "@" not in work.name else "-",
            "-".join(map(str, work.widths)),
            f"{work.batch:,}",
        ]
        if self.peak:
            cells.append(_number(work.flop / self.peak / 1e3))
        reached, share = self.gflops(work, self.ours), self.share(work, self.ours)
        cells += [_number(self.times.get((work.name, self.ours))), _number(reached)]
        if self.peak:
            cells.append(
                "-" if share is None else f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
            )
        for name in self.others:
            time = self.times.get((work.name, name))
            ratio = self.ratio(work.name, name)
            cells.append(_number(time) + ("" if ratio is None else f" ({_times(ratio)})"))
        return tuple(cells)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return markdown_table(*self.table())

    def to_dict(self) -> dict[str, Any]:
        """Return times, ratios and means as plain data."""
        return {
            "unit": "microseconds per step",
            "rows": [
                {
                    "name": work.name,
                    "widths": list(work.widths),
                    "batch": work.batch,
                    "steps": work.steps,
                    "gflop": work.flop / 1e9,
                    "microseconds": _known((n, self.times.get((work.name, n))) for n in self.names),
                    "ratios": _known((n, self.ratio(work.name, n)) for n in self.others),
                    "gflop_per_second": _known((n, self.gflops(work, n)) for n in self.names),
                }
                for work in self.works
            ],
            "geometric_mean": _known((n, self.mean_ratio(n)) for n in self.others),
            "limit_gflop_per_second": self.peak,
        }


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _known(pairs: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    return {name: value for name, value in pairs if value is not None}


def _number(value: float | None) -> str:
    """Return three digits, or all before the point; two of what is tiny."""
    if value is None:
        return "-"
    return _to_three_digits(value) if value >= 0.1 else f"{value:.2g}"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{_to_three_digits(ratio)}x"


def _to_three_digits(value: float) -> str:
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{digits}f}"
