"""Microseconds per step of nine networks, by deltaprop and by everybody else, side by side.

    make bench                                     # sets up what it needs in build/bench-venv
    python benchmarks/speed.py [--quick] [--rows T,S] [--against sklearn,jax] [--write]

Whole epochs with the rows in memory: Adam, softmax and cross-entropy, float32. Every library has a
process of its own, which sleeps while the others are measured (several in one process disturb each
other's threads); they take turns, A B A B, after a warm-up, and the median of the turns counts.
Prints Markdown; ``--write`` also puts it into docs/performance.md and build/benchmarks/speed.json.
"""

from __future__ import annotations

import argparse
import json

from common import BUILD, alone, limit_line, machine_limit, machine_sentence, tell, write_part

from deltaprop._native import has_bfloat16_products
from deltaprop.benchmark import (
    WORKLOADS,
    Comparison,
    Results,
    measure,
    peer_named,
    workload_named,
)
from deltaprop.benchmark.tables import markdown_table
from deltaprop.engines.cores import available_cores

AGAINST = "deltaprop:1,sklearn,torch,torch-compile,jax"
PAIRS = "deltaprop:bfloat16"


def first_epochs(results: Results) -> str:
    """Return how long each library takes until its first epoch is done, as a table."""
    found = {(m.work.name, m.peer.name): m.first for m in results.measurements}
    peers = [peer for peer in results.peers if peer.name in {name for _, name in found}]
    names = [peer.name for peer in peers]
    rows = [
        [work.name, *(f"{found[pair]:.3f}" if (pair := (work.name, name)) in found else "-"
                      for name in names)]
        for work in results.works
    ]  # fmt: skip
    return markdown_table(["row", *(peer.title for peer in peers)], rows)


def report(results: Results, limit: dict[str, object] | None) -> tuple[str, Comparison]:
    """Return everything as Markdown, and the comparison behind it."""
    peak = None if limit is None else float(limit["float32"][1])  # type: ignore[index]
    comparison = Comparison.of(results, peak)
    threads = available_cores()
    parts = [machine_sentence(results.machine, results.versions)]
    if limit is not None:
        parts.append(limit_line(limit))
    about = (
        f"Microseconds per step, median of the turns; deltaprop on up to {threads} threads. In "
        "brackets: how many times longer than deltaprop, and in the last line the geometric mean. "
        "The limit is the time that the products of a step, counted from the shapes, would take "
        "at the measured limit."
    )
    before = (
        "Seconds from the arrays to the end of the first epoch (preparing, compiling, one epoch):"
    )
    parts += [about, comparison.to_markdown(), before, first_epochs(results)]
    if PAIRS in comparison.names:
        parts.append("bfloat16 means products in bfloat16 and everything else in float32.")
    elif not has_bfloat16_products():
        parts.append("bfloat16 is left out: this processor has no such products.")
    parts += results.remarks
    unsteady = [
        f"{m.work.name} {m.peer.title} ({min(m.rounds):,.3g} to {max(m.rounds):,.3g})"
        for m in results.measurements
        if max(m.rounds) > 1.5 * min(m.rounds)
    ]
    if unsteady:
        parts.append(
            "Unsteady, the slowest turn more than 1.5 times the fastest, because something else "
            f"was running or the library's threads were in each other's way: {', '.join(unsteady)}."
        )
    return "\n\n".join(parts), comparison


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast deltaprop trains, beside others.")
    parser.add_argument("--rows", default=",".join(WORKLOADS), help="of the table, or WIDTHS@BATCH")
    against = f"{PAIRS},{AGAINST}" if has_bfloat16_products() else AGAINST
    parser.add_argument("--against", default=against, help="what is measured beside deltaprop")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each library")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a turn, at least about")
    parser.add_argument("--quick", action="store_true", help="three short turns of short epochs")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    works = [workload_named(name) for name in options.rows.split(",")]
    names = [name for name in options.against.split(",") if name]
    rounds, seconds = options.rounds, options.seconds
    if options.quick:
        works = [work.shorter(4) for work in works]
        rounds, seconds = min(rounds, 3), min(seconds, 0.05)
    with alone():
        limit = machine_limit()
        results = measure(
            works, [peer_named(name) for name in ["deltaprop", *names]],
            rounds=rounds, seconds=seconds, tell=tell,
        )  # fmt: skip
    text, comparison = report(results, limit)
    print(text)
    BUILD.mkdir(parents=True, exist_ok=True)
    facts = {"machine": results.machine, "versions": results.versions, **comparison.to_dict()}
    facts["rounds"] = {f"{m.work.name} {m.peer.name}": m.rounds for m in results.measurements}
    (BUILD / "speed.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
    if options.write:
        write_part("speed", text)


if __name__ == "__main__":
    main()
