"""Sentences in another language: templates of catalogues, and finished sentences found again.

A catalogue is a gettext file (``zh/*.po``): ``msgid`` is the English template as it stands in the
code, a name in braces for each of its fields, ``msgstr`` the same in the other language. Fields are
told apart by what stands between them, so that whoever raises an error need not know of languages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from string import Formatter
from typing import NamedTuple

from deltaprop.languages.names import named

__all__ = ["Catalogue", "Template", "catalogue_of", "entries_of", "fields_of", "skeleton"]

_STOPS = (".", "?", "!")
_END = re.compile(r"(?<=[.:;?!]) ")  # between two sentences
_SEPARATOR = re.compile(rf"{_END.pattern}|; |, ")  # or two parts of a list
_DEEPEST = 8  # sentences within sentences
_LONGEST = 10_000  # characters that are looked up
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_BEGINS, _ENDS = re.compile(r"[A-Za-z0-9'\"(\[*<-]"), re.compile(r"[A-Za-z0-9'\")\]*>%]")
_LEAST = 7  # characters that have to be the same, of a sentence by itself
_SEVERAL_WORDS = re.compile("[A-Za-z][',]* [A-Za-z]")
_MOST_PLACES = 3  # before a sentence
_NUMBER = 4  # characters that a number is worth


@cache
def catalogue_of(language: str) -> Catalogue:
    """Return the catalogue of a language, read when it is first asked for."""
    found = {}
    for file in files(__package__).joinpath(language).iterdir():
        if file.name.endswith(".po"):
            found.update(entries_of(file.read_text(encoding="utf-8")))
    known = {source: target for source, target in found.items() if target}
    # a sentence that is added to others begins with a blank, where it stands by itself it does not
    alone = {s.strip(): t.strip() for s, t in known.items() if s.strip().endswith(_STOPS)}
    return Catalogue({**alone, **known})


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
    def is_sentence(self) -> bool:
        """Tell whether it is a whole sentence, or ends in a field that goes on with one."""
        *before, last = self.pieces
        if last:
            return last.endswith(_STOPS)
        goes_on = f"{{{fields_of(self.source)[-1]}!t}}" in self.target
        return goes_on or before[-1].endswith((*_STOPS, ": ", "; "))

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
        return ".+?" if self.weight < _LEAST else ".*?"

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the fields that stand right behind each other."""
        names = fields_of(self.source)
        between = zip(names, names[1:], self.pieces[1:], strict=False)
        return [(one, other) for one, other, piece in between if not piece]

    def fields_in(self, text: str) -> dict[str, str] | None:
        """Return what the template was filled with to give the text; None where it was not."""
        found = self._pattern.fullmatch(text)
        return None if found is None else found.groupdict()


class Catalogue:
    """The templates of a language."""

    def __init__(self, entries: dict[str, str]) -> None:
        self.entries = entries
        plain = [source for source in entries if not fields_of(source)]
        self._whole = {skeleton(source): skeleton(entries[source]) for source in plain}
        templates = [Template(*entry) for entry in entries.items() if fields_of(entry[0])]
        # where several fit, the one that says most by itself is meant
        self._known: dict[tuple[str, bool], _Found | None] = {}
        self._templates = sorted(templates, key=lambda each: -each.weight)

    def is_part(self, source: str) -> bool:
        """Tell whether a template is looked for within other sentences only."""
        return Template(source, "").weight < _LEAST

    def said(self, text: str) -> str | None:
        """Return a sentence, or several, in the language; None where one is not known."""
        self._known.clear()
        found = self._found(text, 0, within=False)
        return None if found is None else found.text

    def _found(self, text: str, depth: int, *, within: bool) -> _Found | None:
        """Return the translation that says most by itself.

        ``within`` another sentence, short ones and lists are looked for, too.
        """
        if text in self._whole:
            return _Found(len(text), self._whole[text])
        if depth > _DEEPEST or len(text) > _LONGEST:
            return None
        if (text, within) not in self._known:
            found = [*self._by_template(text, depth, within=within)]
            found += self._by_sentences(text, depth, within=within)
            found += self._by_place(text, depth)
            if within and not text.endswith(_STOPS):  # a sentence may stand in brackets
                whole = self._found(f"{text}.", depth + 1, within=False)
                found += [whole._replace(text=whole.text.removesuffix("。"))] if whole else []
            best = max(found, key=lambda each: each.weight, default=None)
            self._known[text, within] = best
        return self._known[text, within]

    def _by_template(self, text: str, depth: int, *, within: bool) -> Iterator[_Found]:
        whole = not within and text.endswith(_STOPS)
        for template in self._templates:
            if not within and template.weight < _LEAST:
                break
            if whole and not template.is_sentence:
                continue  # a phrase that some sentence nobody knows holds by chance
            fields = template.fields_in(text) if template.longest in text else None
            filled = fields and self._filled(template, fields, depth)
            if filled:
                yield filled

    def _by_sentences(self, text: str, depth: int, *, within: bool) -> Iterator[_Found]:
        """Yield a text in two parts, where both are known: sentences, or parts of a list."""
        for end in (_SEPARATOR if within else _END).finditer(text):
            first = self._found(text[: end.start()], depth + 1, within=within)
            second = first and self._found(text[end.end() :], depth + 1, within=within)
            if first and second:
                between = self._whole.get(end[0], "")
                joined = _joined(first.text + between, second.text)
                yield _Found(first.weight + second.weight, joined)

    def _by_place(self, text: str, depth: int) -> Iterator[_Found]:
        """Yield a sentence behind a place and a colon: "homework.json: ...", whatever the place."""
        for colon in list(re.finditer(": ", text))[:_MOST_PLACES]:
            rest = self._found(text[colon.end() :], depth + 1, within=False)
            if rest:
                place = text[: colon.start()]
                known = self._found(place, depth + 1, within=True)
                start = known.text if known else place
                yield _Found(rest.weight + (known.weight if known else 0), f"{start}：{rest.text}")

    def _filled(self, template: Template, fields: dict[str, str], depth: int) -> _Found | None:
        """Return the translation filled in; None where a phrase would be filled with sentences."""
        for one, other in template.pairs:
            fields |= {} if fields[other] else self._parted(fields, one, other, depth)
        weight, whole = template.weight, ""
        is_phrase = weight < _LEAST and not template.source.startswith(" ")
        for text, name, _, conversion in Formatter().parse(template.target):
            whole = _joined(whole, text)
            if name is None:
                continue
            value = fields[name] if conversion != "n" else named(fields[name])
            inside = self._found(value, depth + 1, within=True) if conversion == "t" else None
            if inside is not None:
                weight += inside.weight
            elif is_phrase and _SEVERAL_WORDS.search(value) and value[0] not in "'\"":
                return None
            whole = _joined(whole, value if inside is None else inside.text)
        return _Found(weight, whole)

    def _parted(self, fields: dict[str, str], one: str, other: str, depth: int) -> dict[str, str]:
        """Return two fields right behind each other; the second is there where words are known."""
        text = fields[one]
        for start in re.finditer("[ ,.;:(]", text):
            if self._found(text[start.start() :], depth + 1, within=True):
                return {one: text[: start.start()], other: text[start.start() :]}
        return {}


class _Found(NamedTuple):
    """A translation, and how many characters of the sentence were known."""

    weight: int
    text: str


def _joined(left: str, right: str) -> str:
    """Return two texts as one: a blank stands between Chinese and Latin, not within Chinese."""
    if _IDEOGRAPH.match(left.rstrip(" ")[-1:]) and _IDEOGRAPH.match(right.lstrip(" ")):
        return left.rstrip(" ") + right.lstrip(" ")
    before, after = left[-1:], right[:1]
    apart = (_IDEOGRAPH.match(before) and _BEGINS.match(after)) or (
        _ENDS.match(before) and _IDEOGRAPH.match(after)
    )
    return f"{left} {right}" if apart else left + right
