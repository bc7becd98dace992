"""Whether engine="auto" chooses well, and whether a second thread begins where it pays.

    python benchmarks/choice.py [--quick] [--only 64-32-10@32,2-2-2@1] [--write]

Microseconds per step, from the smallest network to a large one, of the reference, of the native
engine as it chooses its threads, held to one thread, and with all cores however small the step is
(DELTAPROP_THREADS_FROM=0 takes the threshold away). "auto" is the native engine wherever that can
do the job. Each setting has a process of its own; they take turns, A B A B, after a warm-up, and
the median of the turns counts. Multiply-adds are counted as the native engine counts them: three
products of rows x n_in x n_out for each layer.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from common import alone, machine_sentence, tell, write_part

from deltaprop.benchmark import Worker, Workload, describe_machine, peer_named, workload_named
from deltaprop.benchmark.tables import markdown_table
from deltaprop.engines.cores import available_cores

SHAPES = (
    "2-2-2@1x4000", "4-8-3@16x2000", "16-16-4@32x2000", "24-8-2@200x500", "256-256-10@1x2000",
    "64-32-10@32x1000", "4-16-3@1000x100", "64-32-10@64x500", "32-64-10@128x300",
    "784-512-10@1x300", "64-128-10@64x300", "128-128-10@64x300", "4-32-16-4@2000x40",
    "128-128-128-10@64x200", "256-128-10@128x100", "784-256-128-10@128x40",
    "784-1024-1024-10@512x3",
)  # fmt: skip
NOISE = 1.03  # what is not faster by this factor is not called faster


class Setting(NamedTuple):
    """An engine, how many threads it may have, and from how many multiply-adds on."""

    name: str
    peer: str  # as deltaprop.benchmark.peer_named knows it
    threads_from: str | None = None


SETTINGS = (
    Setting("reference", "deltaprop:reference"),
    Setting("native", "deltaprop:native"),
    Setting("one thread", "deltaprop:native:1"),
    Setting("all cores", "deltaprop:native", threads_from="0"),
)


@dataclass(frozen=True)
class Found:
    """Microseconds per step of one shape, by the name of the setting."""

    work: Workload
    times: dict[str, float]

    @property
    def multiply_adds(self) -> int:
        """Return those of a step, counted as the native engine counts them."""
        widths = self.work.widths
        return 3 * self.work.batch * sum(a * b for a, b in pairwise(widths))

    @property
    def ratio(self) -> float:
        """Return how many times longer than the native engine the reference takes."""
        return self.times["reference"] / self.times["native"]

    @property
    def gain(self) -> float:
        """Return how many times longer than all cores one thread takes."""
        return self.times["one thread"] / self.times["all cores"]

    @property
    def loss(self) -> float:
        """Return how many times longer than the better number of threads the chosen one takes."""
        return self.times["native"] / min(self.times["one thread"], self.times["all cores"])


def measure_shape(work: Workload, workers: list[Worker], rounds: int, seconds: float) -> Found:
    """Return what the settings took, in turns."""
    tell(f"{work.name}: getting ready")
    counts = []
    for worker in workers:
        worker.ask({"do": "start", "work": work.to_dict()})
        once = worker.ask({"do": "run", "epochs": 1})
        counts.append(max(1, min(1000, round(seconds / max(once, 1e-6)))))
    turns: dict[str, list[float]] = {setting.name: [] for setting in SETTINGS}
    for turn in range(rounds):
        tell(f"{work.name}: turn {turn + 1} of {rounds}")
        for setting, worker, count in zip(SETTINGS, workers, counts, strict=True):
            spent = worker.ask({"do": "run", "epochs": count})
            turns[setting.name].append(1e6 * spent / (count * work.steps))
    return Found(work, {name: median(times) for name, times in turns.items()})


def table(found: list[Found]) -> str:
    """Return a row for each shape, in the order of multiply-adds."""
    rows = [
        [
            "-".join(map(str, f.work.widths)), f"{f.work.batch:,}", f"{f.multiply_adds:,}",
            f"{f.times['reference']:,.1f}", f"{f.times['native']:,.1f}", f"{f.ratio:.1f}x",
            f"{f.times['one thread']:,.1f}", f"{f.times['all cores']:,.1f}", f"{f.gain:.2f}x",
        ]
        for f in found
    ]  # fmt: skip
    return markdown_table(
        ["widths", "batch", "multiply-adds", "reference", "native", "ratio", "native, one thread",
         "native, all cores", "gain of the threads"],
        rows,
    )  # fmt: skip


def verdict(found: list[Found]) -> str:
    """Return in one sentence each what the table says of the engine and of the threads."""
    slowest = min(found, key=lambda f: f.ratio)
    faster = sum(f.ratio > 1 for f in found)
    said = (
        f"The native engine was faster than the reference in {faster} of {len(found)} shapes, "
        f"by {slowest.ratio:.1f}x where by the least ({_shape(slowest)})"
    )
    if available_cores() == 1:
        return said + "; there is one core, so nothing is known of the threads."
    paid = [f.gain > NOISE for f in found]
    always = next((i for i in range(len(found)) if all(paid[i:])), None)
    never = next((i for i, pays in enumerate(paid) if pays), len(found))
    above = "in no shape" if always is None else f"from {found[always].multiply_adds:,} on always"
    below = "" if never == 0 else f", up to {found[never - 1].multiply_adds:,} never"
    worst = max(found, key=lambda f: f.loss)
    return (
        f"{said}; by multiply-adds of a step, {available_cores()} cores were faster than one "
        f"thread {above}{below} (faster means by {NOISE - 1:.0%} or more), and the engine's own "
        f"choice took {max(0.0, worst.loss - 1):.0%} longer than the better of the two where it "
        f"was worst ({_shape(worst)})."
    )


def _shape(found: Found) -> str:
    return f"{'-'.join(map(str, found.work.widths))} at {found.work.batch:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Are the engine and its threads chosen well?")
    parser.add_argument("--only", default=",".join(SHAPES), help="shapes, WIDTHS@BATCHxSTEPS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of a turn, at least about")
    parser.add_argument("--quick", action="store_true", help="one short turn of short epochs")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    works = [workload_named(name) for name in options.only.split(",")]
    rounds, seconds = options.rounds, options.seconds
    if options.quick:
        works, rounds, seconds = [work.shorter(10) for work in works], 1, 0.01
    machine = describe_machine()
    with alone(), ExitStack() as stack:
        workers = [
            stack.enter_context(
                Worker(peer_named(s.peer), {"DELTAPROP_THREADS_FROM": s.threads_from})
            )
            for s in SETTINGS
        ]
        found = [measure_shape(work, workers, rounds, seconds) for work in works]
    found.sort(key=lambda f: f.multiply_adds)
    about = (
        "Microseconds per step (Adam, ReLU, softmax and cross-entropy; the native engine in "
        "float32, the reference in float64), in the order of the multiply-adds of a step:"
    )
    text = "\n\n".join([machine_sentence(machine, {}), about, table(found), verdict(found)])
    print(text)
    if options.write:
        write_part("choice", text)


if __name__ == "__main__":
    main()
