"""What the benchmarks share: the machine's limit, one measurement at a time, and where it goes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deltaprop.benchmark.machine import machine_line
from deltaprop.engines.cores import available_cores

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
BUILD = HERE.parent / "build" / "benchmarks"


def machine_limit() -> dict[str, Any] | None:
    """Compile and run peak.cpp; None, with a line, where there is no compiler."""
    compiler = os.environ.get("CXX") or shutil.which("c++")
    program = BUILD / "peak"
    if compiler is None:
        tell("no C++ compiler: the machine's limit is left out")
        return None
    BUILD.mkdir(parents=True, exist_ok=True)
    source = str(HERE / "peak.cpp")
    flags = ["-std=c++20", "-O3", "-march=native", "-pthread"]
    try:
        subprocess.run([compiler, *flags, source, "-o", str(program)], check=True)
        limit = _best_of([_run(program) for _ in range(3)])
    except (OSError, subprocess.CalledProcessError) as error:
        tell(f"the machine's limit is left out: {error}")
        return None
    one, all_of_them = limit["float32"]
    if all_of_them < 0.75 * one * limit["threads"]:
        tell("the threads do not reach their limit together: shared cores, or something else runs")
    return limit


def _run(program: Path) -> dict[str, Any]:
    words = [str(program), str(available_cores())]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _best_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the machine can do: what slows one run is not the machine."""
    best = dict(runs[0])
    for kind in ("float32", "bfloat16"):
        if kind in best:
            best[kind] = [max(both) for both in zip(*(run[kind] for run in runs), strict=True)]
    return best


def limit_line(limit: dict[str, Any]) -> str:
    """Return the limit as a sentence."""
    parts = [
        f"{limit[kind][0]:.0f} GFLOP/s on one thread and {limit[kind][1]:.0f} on "
        f"{limit['threads']} in {kind}"
        for kind in ("float32", "bfloat16")
        if kind in limit
    ]
    return "Independent multiply-adds reach " + ", ".join(parts) + " (`benchmarks/peak.cpp`)."


def machine_sentence(machine: dict[str, Any], versions: dict[str, str]) -> str:
    """Return machine, versions and day."""
    return f"{machine_line(machine, versions)} {time.strftime('%d %B %Y')}."


def tell(text: str) -> None:
    """Say on standard error what is being done."""
    print(f"# {text}", file=sys.stderr, flush=True)


def write_part(name: str, text: str) -> None:
    """Put text between the markers of a part of docs/performance.md, replacing what is there."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    if page.count(begin) != 1 or page.count(end) != 1:
        raise SystemExit(f"{PAGE} has no part {name!r}: expected the lines {begin} and {end}.")
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


@contextlib.contextmanager
def alone(wait: float = 600.0) -> Iterator[None]:
    """Hold the lock of this machine's benchmarks, so that two of them do not slow each other."""
    lock = Path(os.environ.get("TMPDIR", "/tmp")) / "bench.lock"
    end = time.monotonic() + wait
    while True:
        try:
            with lock.open("x", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
            break
        except FileExistsError:
            if _abandoned(lock):
                lock.unlink(missing_ok=True)
                continue
            if time.monotonic() > end:
                raise SystemExit(f"{lock} is still held by another benchmark.") from None
            time.sleep(1.0)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _abandoned(lock: Path) -> bool:
    """Say whether the process that took the lock was killed; a lock without a number is kept."""
    with contextlib.suppress(OSError):
        holder = lock.read_text(encoding="utf-8").strip()
        return holder.isdigit() and os.name == "posix" and not _alive(int(holder))
    return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
