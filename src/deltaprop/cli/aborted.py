"""What libraries write when they abort for want of memory, held back behind a sentence of ours."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from deltaprop.compiled import compiled_part
from deltaprop.languages import told
from deltaprop.memory import addresses_are_limited, not_enough

__all__ = ["saying_when_aborted"]


@contextmanager
def saying_when_aborted(status: int) -> Iterator[None]:
    """End the process with a sentence and a status where a library aborts it for want of memory.

    Polars does so when it gets none, which nobody can catch. It happens where addresses are
    limited (``ulimit -v``); nothing is done elsewhere. Until the end of the context a file holds
    what compiled code writes on standard error.
    """
    said = sys.stderr
    native = compiled_part() if addresses_are_limited() else None
    if native is None or said is not sys.__stderr__ or said is None:
        yield
        return
    out, held = os.dup(2), tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - fd 2 writes to it
    ours = io.TextIOWrapper(os.fdopen(out, "wb", 0), said.encoding, said.errors, write_through=True)
    sentence = told("deltaprop: ") + told(not_enough(now=False))
    native.say_when_aborted(f"{sentence}\n", status, out)
    os.dup2(held.fileno(), 2)
    sys.stderr = ours
    try:
        yield
    finally:
        os.dup2(out, 2)
        sys.stderr = said
        held.seek(0)
        if text := held.read():
            os.write(2, text)
