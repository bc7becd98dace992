"""Writing to the terminal: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Any

from deltaprop.characters import readable

__all__ = [
    "complain",
    "count",
    "plain",
    "print_json",
    "print_table",
    "remark",
    "say",
    "say_wrapped",
    "terminal_width",
]


def terminal_width() -> int:
    """Return the columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def plain(text: str) -> str:
    """Return the text with control characters written out, so that data cannot steer a terminal."""
    return readable(text, _escaped)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if character != "\n" else " "


def complain(message: str) -> None:
    """Print one paragraph about what went wrong."""
    _paragraph(f"deltaprop: {message}")


def remark(message: str) -> None:
    """Print one paragraph that is worth knowing."""
    _paragraph(f"note: {message}")


def _paragraph(text: str) -> None:
    text = plain(text)
    if sys.stderr.isatty():
        text = textwrap.fill(text, terminal_width(), break_on_hyphens=False)
    say(text)


def say(text: str = "", *, result: bool = False) -> None:
    """Print a line: on standard output if it is a result, else on standard error."""
    stream = sys.stdout if result else sys.stderr
    # remarks that nobody can read are no reason to fail
    with nullcontext() if result else suppress(OSError):
        print(_encodable(text, stream.encoding), file=stream)


def say_wrapped(label: str, text: str) -> None:
    """Print a label and a text on standard error, wrapped under itself."""
    room = max(terminal_width(), len(label) + 20)
    lines = textwrap.wrap(
        plain(text), room, initial_indent=label, subsequent_indent=" " * len(label)
    )
    for line in lines:
        say(line)


def count(n: int, what: str) -> str:
    """Return "1 row" or "1,470 rows"."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _encodable(text: str, encoding: str | None) -> str:
    # a terminal that cannot show a character gets a question mark, not a traceback
    text = text if encoding is None or "utf" in encoding.lower() else text.replace("²", "2")
    return text.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8", "replace")


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False))


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    result: bool = False,
    right: Sequence[int] = (),
) -> None:
    """Print aligned columns that fit the terminal; the widest one is wrapped.

    Parameters
    ----------
    header : sequence of str
        The column titles.
    rows : sequence of sequence of str
        The cells.
    result : bool
        On standard output instead of standard error.
    right : sequence of int
        Columns to align on the right.
    """
    table = [[plain(cell) for cell in row] for row in [header, *rows]]
    wide = [max(len(row[c]) for row in table) for c in range(len(header))]
    room = terminal_width() - 2 * (len(wide) - 1)
    while sum(wide) > room and max(wide) > 12:
        widest = wide.index(max(wide))
        wide[widest] = max(12, wide[widest] - (sum(wide) - room))
    for row in table:
        cells = [textwrap.wrap(cell, w) or [""] for cell, w in zip(row, wide, strict=True)]
        for line in range(max(len(cell) for cell in cells)):
            parts = []
            for c, (cell, w) in enumerate(zip(cells, wide, strict=True)):
                part = cell[line] if line < len(cell) else ""
                parts.append(part.rjust(w) if c in right else part.ljust(w))
            say("  ".join(parts).rstrip(), result=result)
