"""Templates of sentences, and what a finished sentence was filled with.

The names of fields are free, but some say what a field can hold: ``n``, ``n2``: a number;
``where``, right behind another field: " of table.csv", or nothing; ``is_...``: "is ..." or
"has ..."; ``verb``, ``ending``: what English says by the form of a word, such as "are" or "s".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

__all__ = ["STOPS", "Template", "entries_of", "fields_of", "skeleton"]

STOPS = (".", "?", "!")
_LEAST = 7  # characters that have to be the same, of a sentence by itself
_NUMBER = 4  # characters that a number is worth


def entries_of(text: str) -> dict[str, str]:
    """Return the entries of a gettext file: the translation of each message."""
    found = {}
    for block in re.split(r"\n\s*\n", text):
        message: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("msg"):
                key, _, line = line.partition(" ")
            if line.startswith('"'):
                message[key] = message.get(key, "") + json.loads(line)
        if message.get("msgid"):
            found[message["msgid"]] = message["msgstr"]
    return found


def fields_of(template: str) -> list[str]:
    """Return the names of the fields of a template."""
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]


def skeleton(template: str) -> str:
    """Return a template without the names of its fields."""
    parts = Formatter().parse(template)
    return "".join(text if name is None else f"{text}\0" for text, name, _, _ in parts)


def _is_number(field: str) -> bool:
    return re.fullmatch(r"n\d*", field) is not None  # what is called n; anything else is any text


@dataclass(frozen=True)
class Template:
    """A sentence with fields, and what it is in the other language.

    A field that holds words of ours, which have an entry of their own, is marked in the
    translation: ``{why!t}``; one that holds the name of something registered so: ``{loss!n}``.
    """

    source: str
    target: str

    @cached_property
    def pieces(self) -> list[str]:
        """Return the text between the fields."""
        return skeleton(self.source).split("\0")

    @cached_property
    def longest(self) -> str:
        """Return the longest text between fields."""
        return max(self.pieces, key=len)

    @cached_property
    def weight(self) -> int:
        """Return how many characters have to be the same; a number is worth some."""
        numbers = sum(map(_is_number, fields_of(self.source)))
        return sum(map(len, self.pieces)) + _NUMBER * numbers

    @cached_property
    def is_phrase(self) -> bool:
        """Tell whether it is looked for within others only: little of it has to be the same."""
        return self.weight < _LEAST

    @cached_property
    def is_sentence(self) -> bool:
        """Tell whether it is a whole sentence, or ends in a field that goes on with one."""
        *before, last = self.pieces
        if last:
            return last.endswith(STOPS)
        goes_on = f"{{{fields_of(self.source)[-1]}!t}}" in self.target
        return goes_on or before[-1].endswith((*STOPS, ": ", "; "))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        text = re.escape(self.pieces[0])
        for name, piece in zip(fields_of(self.source), self.pieces[1:], strict=True):
            text += f"(?P<{name}>{self._held_by(name)}){re.escape(piece)}"
        return re.compile(text, re.DOTALL)

    def _held_by(self, name: str) -> str:
        """Return the pattern of what a field may hold; one right behind another is found later."""
        if _is_number(name):
            return r"-?[\d,.]*\d"
        if name in dict(self.pairs).values():
            return "(?: of .+?)?" if name == "where" else ""
        if name.startswith("is_"):
            return "(?:is|has) .*?"
        if re.fullmatch(r"(verb|ending)\d*", name):
            return "[a-z]*"  # what English says by a word's form, which the other language has not
        return ".+?" if self.is_phrase else ".*?"

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the fields that stand right behind each other."""
        names = fields_of(self.source)
        between = zip(names, names[1:], self.pieces[1:], strict=False)
        return [(one, other) for one, other, piece in between if not piece]

    def fields_in(self, text: str) -> dict[str, str] | None:
        """Return what the template was filled with to give the text; None where it was not."""
        at = 0
        for piece in self.pieces:  # quicker than the pattern where one is not there
            at = text.find(piece, at) + len(piece)
            if at < len(piece):
                return None
        found = self._pattern.fullmatch(text)
        return None if found is None else found.groupdict()
