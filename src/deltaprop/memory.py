"""How much memory this process may still take, and whether that is enough."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from deltaprop.errors import MemoryWarning, OutOfMemoryError

__all__ = [
    "Room",
    "addresses_are_limited",
    "check_memory",
    "is_for_want_of_memory",
    "memory_left",
    "not_enough",
    "saying_when_memory_ends",
]

_SYSTEM = Path("/")  # where /proc and /sys are
# What Python and C++ say where a thread cannot be started.
_NO_THREAD = ("can't start new thread", "Resource temporarily unavailable")
_CLOSE = 0.8  # share of what is left, from which on a word is said
# Of a limit on addresses libraries and threads take much before the first row is read, unused.
_ADDRESSES, _ADDRESSES_OF_A_CORE = 0.8e9, 0.25e9
# Of control groups, versions 2 and 1: where their tree is, limit, use, and what of it is a cache.
_GROUPS = (
    ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Room:
    """Bytes that may still be taken, infinity where nobody knows a limit, and what sets it."""

    n_bytes: float = inf
    why: str = ""


def memory_left() -> Room:
    """Return what the machine, its container and the limits of the process leave."""
    return min((_of_machine(), _of_container(), _of_process()), key=lambda room: room.n_bytes)


def addresses_are_limited() -> bool:
    """Return whether ``ulimit -v`` or its kin bounds the addresses of this process."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return False
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def check_memory(needed: float, what: str, advice: str) -> None:
    """Raise OutOfMemoryError before any work where there clearly is not enough memory for it.

    About ``needed`` bytes are taken by ``what``, as a sentence begins: "Learning from 10 rows";
    ``advice`` is what to do about it, as a sentence. A MemoryWarning says when it will be close.
    """
    room = memory_left()
    if needed <= _CLOSE * room.n_bytes:
        return
    short = f"{what} takes about {_text(needed)} of memory, and there is {_text(room.n_bytes)}"
    if needed > room.n_bytes:
        raise OutOfMemoryError(f"{short} ({room.why}). {advice}")
    warnings.warn(f"{short} ({room.why}): it may not be enough. {advice}", MemoryWarning, 3)


def not_enough(*, now: bool = True) -> str:
    """Return the sentence for memory that has come to its end, with what is left if that is now."""
    room = memory_left()
    left = f" ({_text(room.n_bytes)} left: {room.why})" if room.why and now else ""
    return (
        f"There is not enough memory for this{left}. Use fewer rows or columns, ranges=0 (--ranges "
        "0), preset='plain' (--preset plain), narrower layers, or a machine with more."
    )


@contextmanager
def saying_when_memory_ends() -> Iterator[None]:
    """Raise OutOfMemoryError with the sentence where this context has not enough memory.

    It stands in place of any error that says so, whatever library raised it.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, OutOfMemoryError) or not is_for_want_of_memory(error):
            raise
        raise OutOfMemoryError(not_enough()) from None


def is_for_want_of_memory(error: Exception) -> bool:
    """Return whether there was no memory, or none for the stack of a thread."""
    no_thread = isinstance(error, RuntimeError) and str(error) in _NO_THREAD
    return isinstance(error, MemoryError) or no_thread


def _text(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{max(0, round(n_bytes / 1e6))} MB"


def _of_machine() -> Room:
    sizes = dict(line.split(":", 1) for line in _lines("proc/meminfo") if ":" in line)
    if "MemAvailable" not in sizes:
        return Room()
    free = (int(sizes.get(name, "0").split()[0]) for name in ("MemAvailable", "SwapFree"))
    return Room(1024.0 * sum(free), "what this machine has free")


def _of_container() -> Room:
    """Return what the tightest of the control groups leaves that this process is in."""
    least = Room()
    for line in _lines("proc/self/cgroup"):
        _, names, path = (*line.split(":", 2), "", "")[:3]
        if names and "memory" not in names.split(","):
            continue
        tree, limit, used, cached = _GROUPS[1 if names else 0]
        group = _SYSTEM / tree / path.strip("/")
        for place in (group, *group.parents):
            left = _left_of_group(place, limit, used, cached)
            if left < least.n_bytes:
                least = Room(left, "the limit of its container or control group")
            if place == _SYSTEM / tree:
                break
    return least


def _left_of_group(group: Path, limit: str, used: str, cached: str) -> float:
    try:
        most, now = (int((group / name).read_text(encoding="ascii")) for name in (limit, used))
    except (OSError, ValueError):  # no such group, or no limit: "max"
        return inf
    stat = (line.split() for line in _lines(group / "memory.stat"))
    given_back = sum(int(each[1]) for each in stat if len(each) == 2 and each[0] == cached)
    return max(0.0, most - now + given_back)


def _of_process() -> Room:
    """Return what the limit on addresses leaves, as ``ulimit -v`` sets it."""
    if not addresses_are_limited():
        return Room()
    import resource

    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = next(iter(_lines("proc/self/statm")), "0").split()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    taken = float(pages[0]) * resource.getpagesize()
    taken = max(taken, _ADDRESSES + _ADDRESSES_OF_A_CORE * cores)
    why = (
        f"of the {_text(most)} of addresses that ulimit -v allows, {_text(taken)} are taken, the "
        "libraries' share included"
    )
    return Room(max(0.0, most - taken), why)


def _lines(path: str | Path) -> list[str]:
    try:
        return (_SYSTEM / path).read_text(encoding="utf-8").splitlines()
    except (OSError, MemoryError):  # another system than Linux; none left to read with
        return []
