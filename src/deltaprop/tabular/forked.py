"""What polars cannot do in a forked child is done by a process of the child's own.

The threads of polars do not survive a fork: a child that calls it waits for them for ever. There,
the functions marked ``fork_safe`` run in a fresh Python that the child starts when it needs it,
and that lives as long as the child. A process that was not forked, or was forked before polars was
loaded, calls them as they are.
"""

from __future__ import annotations

import functools
import io
import os
import signal
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from deltaprop.errors import ForkError

__all__ = ["fork_safe", "serve"]

P = ParamSpec("P")
T = TypeVar("T")

_functions: dict[tuple[str, str], Callable[..., Any]] = {}
# Whether the threads of polars are gone; None where somebody else had loaded it, who knows when.
_threads_lost: bool | None = None if "polars" in sys.modules else False
_helper: _Helper | None = None
_starting = threading.Lock()
_LONG_ENOUGH = 2.0  # seconds for what takes a fraction of a millisecond


def fork_safe(function: Callable[P, T]) -> Callable[P, T]:
    """Have a function that calls polars run in another process where this one has been forked.

    Arguments and result are copied there and back; its warnings and errors are raised here.
    """
    key = function.__module__, function.__qualname__
    _functions[key] = function

    @functools.wraps(function)
    def anywhere(*args: P.args, **kwargs: P.kwargs) -> T:
        if not _lost_threads():
            return function(*args, **kwargs)
        answer: T = _own_helper().call(key, args, kwargs)
        return answer

    return anywhere


def _lost_threads() -> bool:
    global _threads_lost
    if _threads_lost is None:
        probe = threading.Thread(target=_use_threads, daemon=True)
        probe.start()
        probe.join(_LONG_ENOUGH)
        _threads_lost = probe.is_alive()
    return _threads_lost


def _use_threads() -> None:
    import polars as pl

    # with a single thread polars does much in the one that calls it, but no query
    pl.LazyFrame({"a": [2, 1]}).select(pl.col("a").sum()).collect()


def _after_fork() -> None:
    global _threads_lost, _helper, _starting
    _threads_lost = "polars" in sys.modules
    _helper, _starting = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _own_helper() -> _Helper:
    global _helper
    with _starting:
        if _helper is None or _helper.gone:
            _helper = _Helper()
        return _helper


class _Helper:
    """A fresh Python that calls functions for this process, one after another."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        self._lock = threading.Lock()
        self.gone = False
        # It finds the same modules, and ends when the last copy of our end of the pipe is closed.
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from deltaprop.tabular.forked import serve; serve({theirs.fileno()})"
        )
        with theirs:
            command = [_python(), "-c", code]
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])  # noqa: S603
        weakref.finalize(self, _stop, self._connection, self.process)

    def call(self, key: tuple[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            with self._lock:
                _send(self._connection, (key, args, kwargs))
                answer, error, warned = self._connection.recv()
        except (EOFError, OSError):
            self.gone = True
            raise ForkError(
                "The process that reads tables for this forked one has ended, perhaps for want of "
                "memory. Start processes with the method 'spawn' or 'forkserver', which need none."
            ) from None
        for message, category in warned:
            warnings.warn(message, category, stacklevel=3)
        if error is not None:
            raise error
        return answer


def _send(connection: Connection, message: object) -> None:
    """Send a message whose frames are taken apart: polars takes its threads to copy a whole one."""
    import polars as pl

    buffer = io.BytesIO()
    pickler = ForkingPickler(buffer)
    pickler.dispatch_table[pl.DataFrame] = lambda frame: (
        pl.DataFrame,
        ([column.rechunk() for column in frame.iter_columns()],),
    )
    pickler.dump(message)
    connection.send_bytes(buffer.getbuffer())


def _stop(connection: Connection, process: subprocess.Popen[bytes]) -> None:
    connection.close()
    process.wait()


def _python() -> str:
    """Return the interpreter; where Python is part of another program, that of its library."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    homes = [Path(home) / "bin" / version for home in (sys.prefix, sys.base_prefix)]
    for path in (Path(sys.executable or "none"), *homes):
        if path.name.startswith(("python", "pypy")) and os.access(path, os.X_OK):
            return str(path)
    raise ForkError(
        "This process was forked from one that had loaded polars, whose threads do not survive a "
        f"fork, and no Python interpreter was found in {sys.prefix} to start a fresh process with. "
        "Start processes with the method 'spawn' or 'forkserver', or before the first table is "
        "read."
    )


def serve(descriptor: int) -> None:
    """Call functions for the process at the other end of a pipe, until it closes it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process decides what ends
    connection = Connection(descriptor)
    while True:
        try:
            key, args, kwargs = connection.recv()
        except EOFError:
            return
        answer = error = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            import_module(key[0])
            try:
                answer = _functions[key](*args, **kwargs)
            except Exception as raised:  # noqa: BLE001 - whatever it is, it is raised over there
                error = raised
        warned = [(str(warning.message), warning.category) for warning in caught]
        try:
            _send(connection, (answer, error, warned))
        except BrokenPipeError:
            return
