"""``deltaprop bench``: how fast this machine trains, beside whatever else is installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

from deltaprop.cli.options import LanguageOption, option, switch, whole
from deltaprop.cli.show import print_json, print_table, remark, say, say_wrapped

if TYPE_CHECKING:
    from deltaprop.benchmark import Comparison, Results

__all__ = ["EXAMPLE", "bench"]

EXAMPLE = """\b
Example:
  deltaprop bench --against sklearn,torch --rows S,784-256-128-10@128"""
_ROWS = "T,S,N,R,M"
_AGAINST = "sklearn,torch,jax"
_SHORTER = 4  # than benchmarks/speed.py: a look, not a record
_ROUNDS, _SECONDS = 5, 0.1


def bench(
    against: Annotated[
        str,
        option(
            "NAME,...",
            "Of sklearn, torch, torch-compile, jax; none for deltaprop alone. What is not "
            "installed is left out.",
        ),
    ] = _AGAINST,
    rows: Annotated[
        str,
        option(
            "ROW,...",
            "Of T, SC, SD, S, N, R, M, L, X (from tiny to large), or shapes of your own, "
            "WIDTHS@BATCH.",
        ),
    ] = _ROWS,
    threads: Annotated[int | None, whole("N", "Of deltaprop; all when left out.")] = None,
    language: LanguageOption = None,
    json: Annotated[bool, switch("--json", "Print the result as JSON.")] = False,
) -> int:
    """Measure training speed beside other libraries.

    Takes those that are installed.

    Prints microseconds per step of whole epochs, with Adam, softmax and cross-entropy, in
    float32, and how many times longer each of the others takes.
    """
    from deltaprop.benchmark import WORKLOADS, Comparison, measure, peer_named, workload_named
    from deltaprop.errors import SettingError

    if threads is not None and threads < 1:
        raise SettingError(f"--threads is {threads}; it is 1 or more.")
    works = {work.name: work for work in map(workload_named, _listed(rows))}
    names = [name for name in _listed(against) if name != "none"]
    peers = {name: peer_named(name) for name in names}
    ours = peer_named("deltaprop" if threads is None else f"deltaprop:{threads}")
    if not works:
        raise SettingError("--rows is empty; name at least one, such as S.")
    results = measure(
        [work.shorter(_SHORTER) if name in WORKLOADS else work for name, work in works.items()],
        [ours, *(peer for peer in peers.values() if peer != ours)],
        rounds=_ROUNDS,
        seconds=_SECONDS,
        tell=_progress,
    )
    _progress("")
    comparison = Comparison.of(results)
    if json:
        print_json(_as_data(results, comparison))
    else:
        _print(results, comparison)
    return 0


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _progress(text: str) -> None:
    """Replace the line that says what is being measured, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _print(results: Results, comparison: Comparison) -> None:
    from deltaprop.benchmark.machine import machine_line

    say_wrapped("machine  ", machine_line(results.machine, results.versions))
    say_wrapped(
        "figures  ",
        "microseconds per step of whole epochs, median; in brackets how many times longer than "
        "deltaprop, and at the end their geometric mean",
    )
    say()
    header, rows = comparison.table()
    print_table(header, rows, result=True, right=range(2, len(header)))
    say()
    for text in results.remarks:
        remark(text)


def _as_data(results: Results, comparison: Comparison) -> dict[str, Any]:
    return {
        "machine": results.machine,
        "versions": results.versions,
        **comparison.to_dict(),
        "left_out": [item._asdict() for item in results.left_out],
    }
