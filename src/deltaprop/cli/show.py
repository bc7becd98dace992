"""Writing to the terminal: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from functools import cache
from typing import Any

from deltaprop.characters import readable
from deltaprop.languages import told
from deltaprop.widths import pad, text_width, wrap

__all__ = [
    "asked",
    "complain",
    "count",
    "in_color",
    "labelled",
    "plain",
    "print_json",
    "print_table",
    "remark",
    "say",
    "say_wrapped",
    "terminal_width",
]

_PLAINER = {"²": "2", "½": "1/2", "∂": "d", "−": "-", "⁻": "-", "′": "'", "✓": "√", "✗": "×"}


def terminal_width() -> int:
    """Return the columns of the terminal, 20 or more; 80 where there is none."""
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def in_color() -> bool:
    """Return whether results are shown in colors: on a terminal that has them, if they are wanted.

    NO_COLOR, set to anything, says that they are not (https://no-color.org).
    """
    dumb = os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not dumb and not os.environ.get("NO_COLOR")


def plain(text: str) -> str:
    """Return the text with control characters written out, so that data cannot steer a terminal."""
    return readable(text, _escaped)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if character != "\n" else " "


def complain(message: str) -> None:
    """Print one paragraph about what went wrong."""
    _paragraph("deltaprop: ", message)


def remark(message: str) -> None:
    """Print one paragraph that is worth knowing."""
    _paragraph("note: ", message)


def _paragraph(start: str, message: str) -> None:
    text = plain(told(start) + told(message))
    if sys.stderr.isatty():
        text = "\n".join(wrap(text, terminal_width()))
    say(text)


def say(text: str = "", *, result: bool = False) -> None:
    """Print a line: on standard output if it is a result, else on standard error."""
    stream = sys.stdout if result else sys.stderr
    # remarks that nobody can read are no reason to fail
    with nullcontext() if result else suppress(OSError):
        print(_encodable(text, stream.encoding), file=stream)


def asked(prompt: str) -> str:
    """Return what is answered to a question on the terminal."""
    return input(_encodable(prompt, sys.stdout.encoding))


def say_wrapped(label: str, text: str) -> None:
    """Print a label and a text on standard error, wrapped under itself."""
    room = max(terminal_width(), len(label) + 20)
    start = labelled(label)
    for line in wrap(plain(told(text)), room - len(label)):
        say(f"{start}{line}")
        start = " " * len(label)


def labelled(label: str, text: str = "") -> str:
    """Return a label, as wide as it is with its blanks, and a text beside it."""
    return f"{pad(told(label.rstrip()), len(label))}{text}"


def count(n: int, what: str) -> str:
    """Return "1 row" or "1,470 rows"."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _encodable(text: str, encoding: str | None) -> str:
    # a terminal that cannot show a character gets a plainer one or a question mark, not a traceback
    encoding = encoding or "utf-8"
    if "utf" not in encoding.lower():
        text = "".join(_plainer(c, encoding) for c in text)
    return text.encode(encoding, "replace").decode(encoding, "replace")


@cache
def _plainer(c: str, encoding: str) -> str:
    """Return a character, or where it cannot be written what it is without its height: ¹ is 1."""
    for form in (c, _PLAINER.get(c, c), unicodedata.normalize("NFKC", c)):
        with suppress(UnicodeEncodeError):
            form.encode(encoding)
            return form
    return c


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
    """Print columns that fit the terminal: the widest is wrapped, those in ``right`` end alike."""
    heads = [told(head) for head in header]
    table = [[plain(cell) for cell in row] for row in [heads, *rows]]
    wide = [max(text_width(row[c]) for row in table) for c in range(len(header))]
    room = terminal_width() - 2 * (len(wide) - 1)
    while sum(wide) > room and max(wide) > 12:
        widest = wide.index(max(wide))
        wide[widest] = max(12, wide[widest] - (sum(wide) - room))
    for row in table:
        lines = [wrap(cell, w) or [""] for cell, w in zip(row, wide, strict=True)]
        for line in range(max(map(len, lines))):
            parts = []
            for c, (cell, w) in enumerate(zip(lines, wide, strict=True)):
                part = cell[line] if line < len(cell) else ""
                parts.append(" " * (w - text_width(part)) + part if c in right else pad(part, w))
            say("  ".join(parts).rstrip(), result=result)
