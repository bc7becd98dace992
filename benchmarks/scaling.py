"""How the time of a step grows with width, depth, batch and rows, and falls with threads.

    python benchmarks/scaling.py [--quick] [--against jax] [--only width,threads] [--write]

One thing changes at a time, around 256-256-256-10 at a batch of 128. Measured as in speed.py;
libraries that are not installed are left out.
"""

from __future__ import annotations

import argparse

from common import alone, limit_line, machine_limit, machine_sentence, tell, write_part

from deltaprop.benchmark import Comparison, Workload, measure, peer_named
from deltaprop.benchmark.machine import describe_machine
from deltaprop.benchmark.tables import markdown_table
from deltaprop.engines.cores import available_cores


def work(hidden: tuple[int, ...] = (256, 256), batch: int = 128, rows: int = 12_800,
         n_in: int = 256) -> Workload:  # fmt: skip
    widths = (n_in, *hidden, 10)
    steps = max(2, rows // batch)
    return Workload(f"{'-'.join(map(str, widths))}@{batch}x{steps}", widths, batch, steps)


STUDIES = {
    "width": [work((w, w), n_in=w, rows=6400) for w in (8, 16, 32, 64, 128, 256, 512, 1024)],
    "depth": [work((128,) * depth) for depth in (0, 1, 2, 4, 8, 16, 32)],
    "batch": [work(batch=b, rows=max(12_800, 2 * b)) for b in (1, 4, 16, 32, 64, 128, 512, 2048)],
    "rows": [work(rows=n) for n in (256, 1024, 4096, 16_384, 65_536, 262_144)],
}
CHANGED = {
    "width": lambda w: f"{w.widths[1]:,}",
    "depth": lambda w: f"{len(w.widths) - 2}",
    "batch": lambda w: f"{w.batch:,}",
    "rows": lambda w: f"{w.rows:,}",
}


def study(name: str, against: list[str], rounds: int, seconds: float, peak: float | None) -> str:
    """Return the table of what changes with one thing."""
    results = measure(
        STUDIES[name], [peer_named(peer) for peer in ["deltaprop", *against]],
        rounds=rounds, seconds=seconds, tell=tell,
    )  # fmt: skip
    comparison = Comparison.of(results, peak)
    header, rows = comparison.table()
    named = [[CHANGED[name](w), *row[3:]] for w, row in zip(STUDIES[name], rows, strict=False)]
    lines = [f"### {name.capitalize()}", markdown_table([name, *header[3:]], named)]
    lines += results.remarks
    return "\n\n".join(lines)


def threads(rounds: int, seconds: float) -> str:
    """Return what more threads bring, for a small, a middling and a large step."""
    works = [work((32,), batch=32, n_in=64), work(), work((1024, 1024), batch=512, n_in=784)]
    counts = [str(n) for n in range(1, available_cores() + 1) if n & (n - 1) == 0]
    peers = [peer_named(f"deltaprop:{count}") for count in counts]
    results = measure(works, peers, rounds=rounds, seconds=seconds, tell=tell)
    comparison = Comparison.of(results)
    one = peers[0].name
    rows = []
    for w in works:
        cells = ["-".join(map(str, w.widths)), f"{w.batch:,}"]
        for peer in peers:
            time = comparison.times[w.name, peer.name]
            gain = comparison.times[w.name, one] / time
            cells.append(f"{time:,.1f} ({gain:.2f}x faster than 1)")
        rows.append(cells)
    titles = ["1 thread" if count == "1" else f"{count} threads" for count in counts]
    return "### Threads\n\n" + markdown_table(["widths", "batch", *titles], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="How the time of a step scales.")
    parser.add_argument("--against", default="jax", help="such as sklearn,torch,jax; or nothing")
    parser.add_argument("--only", default=",".join([*STUDIES, "threads"]))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--quick", action="store_true", help="one short turn each")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    against = [name for name in options.against.split(",") if name]
    rounds, seconds = (1, 0.02) if options.quick else (options.rounds, options.seconds)
    only = options.only.split(",")
    machine = describe_machine()
    with alone():
        limit = machine_limit()
        peak = None if limit is None else float(limit["float32"][1])
        parts = [study(name, against, rounds, seconds, peak) for name in STUDIES if name in only]
        if "threads" in only:
            parts.append(threads(rounds, seconds))
    versions: dict[str, str] = {}
    for name in against:
        versions |= peer_named(name).versions if peer_named(name).installed else {}
    head = [machine_sentence(machine, versions)] + ([limit_line(limit)] if limit else [])
    around = (
        "Microseconds per step; around 256-256-256-10, batch 128, 12,800 rows (depth: 128 wide; "
        "width: input and both hidden layers alike). In brackets: how many times longer than "
        "deltaprop."
    )
    text = "\n\n".join([*head, around, *parts])
    print(text)
    if options.write:
        write_part("scaling", text)


if __name__ == "__main__":
    main()
