"""When a command began, for budgets that count from there."""

from __future__ import annotations

import time

__all__ = ["begin", "command_began"]

# The processor time spent until here is about what starting Python and finding this module took.
_PROCESS_BEGAN = time.perf_counter() - time.process_time()
_began = _PROCESS_BEGAN


def begin(*, with_process: bool) -> None:
    """Start the clock of a command, which is all its process does or one of several things."""
    global _began
    _began = _PROCESS_BEGAN if with_process else time.perf_counter()


def command_began() -> float:
    """Return when the command began, by ``time.perf_counter``, as far as it can tell."""
    return _began
