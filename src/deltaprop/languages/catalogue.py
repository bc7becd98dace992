"""Sentences in another language: templates of catalogues, and finished sentences found again.

A catalogue is a gettext file (``zh/*.po``): ``msgid`` is the English template as it stands in the
code, a name in braces for each of its fields, ``msgstr`` the same in the other language. Fields are
told apart by what stands between them, so that whoever raises an error need not know of languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import NamedTuple

from deltaprop.languages.names import named
from deltaprop.languages.template import STOPS, Template, entries_of, fields_of, skeleton

__all__ = ["Catalogue", "catalogue_of"]

_END = re.compile(r"(?<=[.:;?!]) ")  # between two sentences
_SEPARATOR = re.compile(rf"{_END.pattern}|; |, ")  # or two parts of a list
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_MORE = re.compile(r" and [\d,]+ more$")  # of a list that was cut; its names stay as they are
_BEGINS, _ENDS = re.compile(r"[A-Za-z0-9'\"(\[*<-]"), re.compile(r"[A-Za-z0-9'\")\]*>%]")
_SEVERAL_WORDS = re.compile("[A-Za-z][',]* [A-Za-z]")
_DEEPEST = 6  # sentences within sentences
_LONGEST, _LONGEST_PHRASE = 10_000, 400  # characters that are looked up
_MOST_ENDS = 4  # of sentences, or parts of a list, within one template
_MOST_PLACES, _DEEPEST_PLACE = 3, 2  # before a sentence, and within how many others


@cache
def catalogue_of(language: str) -> Catalogue:
    """Return the catalogue of a language, read when it is first asked for."""
    found = {}
    for file in files(__package__).joinpath(language).iterdir():
        if file.name.endswith(".po"):
            found.update(entries_of(file.read_text(encoding="utf-8")))
    known = {source: target for source, target in found.items() if target}
    # a sentence that is added to others begins with a blank, where it stands by itself it does not
    alone = {s.strip(): t.strip() for s, t in known.items() if s.strip().endswith(STOPS)}
    return Catalogue({**alone, **known})


class _Found(NamedTuple):
    """A translation, and how many characters of the sentence were known."""

    weight: int
    text: str


class Catalogue:
    """The templates of a language."""

    def __init__(self, entries: dict[str, str]) -> None:
        plain = [source for source in entries if not fields_of(source)]
        self._whole = {skeleton(source): skeleton(entries[source]) for source in plain}
        templates = [Template(*entry) for entry in entries.items() if fields_of(entry[0])]
        self._templates = sorted(templates, key=lambda each: -each.weight)
        self._known: dict[tuple[str, bool, bool], _Found | None] = {}

    def said(self, text: str) -> str | None:
        """Return a sentence, or several, in the language; None where one is not known."""
        self._known.clear()
        found = self._found(text, 0, within=False)
        return None if found is None else found.text

    @property
    def looked_up(self) -> int:
        """Return how many texts were looked up to say the last one."""
        return len(self._known)

    def _found(self, text: str, depth: int, *, within: bool, parted: bool = True) -> _Found | None:
        """Return the translation that says most by itself.

        ``within`` another sentence, short ones and lists are looked for, too. Several sentences, or
        parts, are taken apart unless they are said to be one already.
        """
        if text in self._whole:
            return _Found(len(text), self._whole[text])
        if depth > _DEEPEST or len(text) > _LONGEST:
            return None
        key = text, within, parted
        if key not in self._known:
            self._known[key] = None  # whoever asks within the answer gets none
            at_a_place = parted and depth < _DEEPEST_PLACE  # first: a place is no part of a field
            found = [*self._by_place(text, depth)] if at_a_place else []
            found += self._by_template(text, depth, within=within)
            found += self._by_parts(text, depth, within=within) if parted else ()
            if within and not text.endswith(STOPS):  # a sentence may stand in brackets
                whole = self._found(f"{text}.", depth + 1, within=False)
                found += [whole._replace(text=whole.text.removesuffix("。"))] if whole else []
            self._known[key] = max(found, key=lambda each: each.weight, default=None)
        return self._known[key]

    def _by_template(self, text: str, depth: int, *, within: bool) -> Iterator[_Found]:
        sentences_only = not within and text.endswith(STOPS)
        phrases = within and len(text) <= _LONGEST_PHRASE
        for template in self._templates:
            if template.is_phrase and not phrases:
                break
            if sentences_only and not template.is_sentence:
                continue  # a phrase that some sentence nobody knows holds by chance
            fields = template.fields_in(text) if template.longest in text else None
            filled = fields and self._filled(template, fields, depth)
            if filled:
                yield filled

    def _by_parts(self, text: str, depth: int, *, within: bool) -> Iterator[_Found]:
        """Yield a text taken apart: the first sentence or part of a list, and all the others."""
        ends = _SEPARATOR if within else _END
        for end, _ in zip(ends.finditer(text), range(_MOST_ENDS), strict=False):
            first = self._found(text[: end.start()], depth + 1, within=within, parted=False)
            rest = first and self._found(text[end.end() :], depth, within=within)
            if first and rest:
                between = self._whole.get(end[0], "")
                yield _Found(first.weight + rest.weight, _joined(first.text + between, rest.text))

    def _by_place(self, text: str, depth: int) -> Iterator[_Found]:
        """Yield a sentence behind a place and a colon: "homework.json: ...", whatever the place."""
        for colon, _ in zip(re.finditer(": ", text), range(_MOST_PLACES), strict=False):
            rest = self._found(text[colon.end() :], depth + 1, within=False)
            if rest:
                place = text[: colon.start()]
                known = self._found(place, depth + 1, within=True) or _Found(0, place)
                yield _Found(rest.weight + known.weight, f"{known.text}：{rest.text}")

    def _filled(self, template: Template, fields: dict[str, str], depth: int) -> _Found | None:
        """Return the translation filled in; None where a phrase would be filled with sentences."""
        for one, other in template.pairs:
            fields |= {} if fields[other] else self._parted(fields, one, other, depth)
        weight, whole = template.weight, ""
        is_phrase = template.is_phrase and not template.source.startswith(" ")
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
            whole = _joined(whole, self._cut(value, depth) if inside is None else inside.text)
        return _Found(weight, whole)

    def _cut(self, value: str, depth: int) -> str:
        """Return a field as it is, but that of a list which was cut it is said how it goes on."""
        more = _MORE.search(value)
        found = self._found(more[0], depth + 1, within=True) if more else None
        return value[: more.start()] + found.text if more and found else value

    def _parted(self, fields: dict[str, str], one: str, other: str, depth: int) -> dict[str, str]:
        """Return two fields right behind each other; the second is there where words are known."""
        text = fields[one]
        for start in re.finditer("[ ,.;:(]", text) if len(text) <= _LONGEST_PHRASE else ():
            if self._found(text[start.start() :], depth + 1, within=True):
                return {one: text[: start.start()], other: text[start.start() :]}
        return {}


def _joined(left: str, right: str) -> str:
    """Return two texts as one: a blank stands between Chinese and Latin, not within Chinese."""
    if _IDEOGRAPH.match(left.rstrip(" ")[-1:]) and _IDEOGRAPH.match(right.lstrip(" ")):
        return left.rstrip(" ") + right.lstrip(" ")
    before, after = left[-1:], right[:1]
    apart = (_IDEOGRAPH.match(before) and _BEGINS.match(after)) or (
        _ENDS.match(before) and _IDEOGRAPH.match(after)
    )
    return f"{left} {right}" if apart else left + right
