"""The command line: parse, call, print."""

import os
import sys
from types import TracebackType

_INTERRUPTED = 130
_before = sys.excepthook


def _end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _before(kind, error, traceback)
        return
    # Ctrl-C while modules are still being imported, before there is a command to answer it
    print("deltaprop: Interrupted.", file=sys.stderr, flush=True)
    os._exit(_INTERRUPTED)


sys.excepthook = _end
