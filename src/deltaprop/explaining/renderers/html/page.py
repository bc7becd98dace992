"""A document as one HTML file: formulas in MathML, pictures in SVG, no network access.

Everything is there to read without a script; the script adds stepping, clicking and lighting up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from deltaprop._version import __version__
from deltaprop.explaining.derivation.strongest import strongest_path
from deltaprop.explaining.document.blocks import Document, Lines, Overview, Section
from deltaprop.explaining.live.page_data import page_data, page_script, why_not
from deltaprop.explaining.renderers.html.blocks import Blocks, place_of
from deltaprop.explaining.renderers.html.network import picture
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.notation.html_page import html_page
from deltaprop.notation.image import Image
from deltaprop.notation.mathml import escape

__all__ = ["write_document"]

_MOST_PICTURES = 4  # one for each sample
_PICTURE, _DEEP_PICTURE = 560, 1160  # the width in which a picture is drawn
_GAP, _LEAST_GAP = 92, 64  # between its layers; where there are many
_LOW_PICTURE = 3  # neurons beneath each other that leave room for the panel below
_DEEP = 4  # layers of neurons, from which on a picture needs the whole width


def write_document(document: Document) -> str:
    """Return a document as one HTML file, with a picture of the network where it is of a step."""
    return _Page(document).html()


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


class _Page:
    def __init__(self, document: Document) -> None:
        self.document, self.worked = document, document.worked
        worked = self.worked
        names = {} if worked is None else _names(worked, document.style.language)
        self.why_not = why_not(document)
        path = () if worked is None else _path(document, worked)
        self.blocks = Blocks(document, names, path, is_live=self.why_not is None)
        self.text, self.words = self.blocks.text, document.words
        self.has_lines = bool(self.blocks.lines)
        has_overview = any(isinstance(block, Overview) for block in document.blocks())
        self.has_picture = worked is not None and (has_overview or self.has_lines)
        self.sections = list(self._beside_the_picture())

    def _beside_the_picture(self) -> Iterator[Section]:
        """Yield what stands beside the picture; what it shows is not told once more."""
        for section in self.document.sections:
            drawn = (Overview,) if self.has_picture else ()
            blocks = tuple(b for b in section.blocks if not isinstance(b, drawn))
            name, title = section.name, section.title
            if blocks != section.blocks:
                name = "pictures"
                title = self.words["pictures"] if any(isinstance(b, Image) for b in blocks) else ""
            if blocks or section.parts:
                yield Section(name, title, blocks, section.parts)

    def html(self) -> str:
        """Return the whole file."""
        title = escape(self.document.title)
        aside = [*(self._pictures() if self.has_picture else ())]
        aside += [*(self._inspector() if self.has_lines else ())]
        main = [line for section in self.sections for line in self._section(section)]
        live = self.why_not is None
        if live:
            data = page_data(self.document)
            main.append(f'<script type="application/json" id="step-data">{data}</script>')
        body = [
            *self._header(title),
            '<div class="columns">',
            *(['<div class="aside">', *aside, "</div>"] if aside else []),
            *(["<main>", *main, "</main>"] if main else []),
            "</div>",
            f"<footer>{self.text('made by', version=__version__)}</footer>",
        ]
        return html_page(
            title,
            body,
            language=self.document.style.language,
            style="".join(map(_asset, ("colours.css", "network.css", "page.css"))),
            script=_asset("page.js") + (page_script() if live else ""),
            kind=" ".join(self._kinds(bool(aside), bool(main))),
        )

    def _kinds(self, has_aside: bool, has_main: bool) -> Iterator[str]:
        """Yield what the style sheet goes by."""
        yield "whole" if has_aside and has_main else "single"
        if self.worked is None or not self.has_picture:
            return
        if self._is_deep():
            yield "deep"
        elif max(self.worked.trace.network.sizes) > _LOW_PICTURE:
            yield "tall"

    def _is_deep(self) -> bool:
        return self.worked is not None and len(self.worked.trace.network.sizes) >= _DEEP

    def _header(self, title: str) -> Iterator[str]:
        whole = re.sub(r"(?<=\d)-(?=\d)", "-&#8288;", title)  # no end of line in 2-2-1
        yield f"<header><h1>{whole}</h1>"
        if self.document.conventions:
            described = "".join(f"<li>{escape(s)}</li>" for s in self.document.conventions)
            yield f'<ul class="conventions">{described}</ul>'
        if self.has_lines:
            yield f'<p class="scripted" hidden>{self.text("how to read")}</p>'
        if self.why_not:
            yield f'<p class="scripted" hidden>{escape(self.why_not)}</p>'
        links = "".join(
            f'<li><a href="#{place}">{escape(_short(heading))}</a></li>'
            for place, heading in self._places()
        )
        if links.count("<li>") > 1:
            yield f'<nav aria-label="{self.text("contents")}"><ul>{links}</ul></nav>'
        yield "</header>"

    def _places(self) -> Iterator[tuple[str, str]]:
        """Yield where one can go: the sections; instead of the lines, each of their parts."""
        for section in self.sections:
            if section is self._first_with_lines():
                yield "given", self._given_title()
            parts = section.parts if _tells_lines(section) and section.parts else (section,)
            yield from ((place_of(part), part.title) for part in parts if part.title)

    def _first_with_lines(self) -> Section | None:
        return next(filter(_tells_lines, self.sections), None)

    def _given_title(self) -> str:
        return self.words["given" if self.worked is None else "given numbers"]

    def _section(self, section: Section) -> Iterator[str]:
        if section is not self._first_with_lines() or not self.blocks.roots:
            yield from self.blocks.section(section)
            return
        within = bool(section.parts)
        level = "h3" if within else "h2"
        heading = f"<{level}>{escape(self._given_title())}</{level}>"
        given = [f'<section id="given">{heading}', *self.blocks.given(), "</section>"]
        if within:
            yield from self.blocks.section(section, *given)
        else:
            yield from (*given, *self.blocks.section(section))

    # beside the text

    def _pictures(self) -> Iterator[str]:
        assert self.worked is not None
        n = min(len(self.worked.trace.a[0]), _MOST_PICTURES)
        yield f'<section id="overview" aria-label="{escape(_short(self.words["overview"]))}">'
        if n > 1:
            buttons = "".join(
                f'<button type="button" data-sample="{s}">'
                f"{self.text('picture sample', number=s + 1)}</button>"
                for s in range(n)
            )
            label = self.text("samples")
            yield f'<div class="samples" role="group" aria-label="{label}" hidden>{buttons}</div>'
        for s in range(n):
            drawn = picture(
                self.worked,
                self.document.style,
                _DEEP_PICTURE if self._is_deep() else _PICTURE,
                sample=s,
                known=self.blocks.known,
                least_gap=_LEAST_GAP if self._is_deep() else _GAP,
            )
            heading = self.text("picture sample", number=s + 1)
            caption = f"<figcaption>{heading}</figcaption>" if n > 1 else ""
            yield (
                f'<figure class="picture" data-sample="{s}">{caption}'
                f'<div class="scroll">{drawn}</div></figure>'
            )
        yield "</section>"

    def _inspector(self) -> Iterator[str]:
        def button(key: str, name: str, sign: str) -> str:
            label = self.text(key)
            return (
                f'<button type="button" data-go="{name}" aria-label="{label}" title="{label}">'
                f"{sign}</button>"
            )

        yield f'<section id="inspector" hidden aria-label="{self.text("stepper")}">'
        yield f'<div class="stepper" role="group" aria-label="{self.text("stepper")}">'
        yield button("first step", "first", "«") + button("previous step", "previous", "‹")
        form = self.text("step of", number="{number}", count="{count}")
        yield f'<output class="place" data-form="{form}"></output>'
        yield button("next step", "next", "›") + button("last step", "last", "»")
        back = self.text("go back")
        yield '<button type="button" data-go="back" class="back" disabled>↩ '
        yield f"<span>{back}</span></button></div>"
        yield f'<ol class="trail" aria-label="{self.text("trail")}"></ol>'
        yield '<div class="now" aria-live="polite"><span class="now-formula"></span>'
        yield "<code></code></div>"
        for kind, empty in (("made of", "is given"), ("goes into", "goes nowhere")):
            name = kind.replace(" ", "-")
            yield (
                f'<div class="links"><h2 id="{name}-title">{self.text(kind)}</h2>'
                f'<ul id="{name}" aria-labelledby="{name}-title" '
                f'data-empty="{self.text(empty)}"></ul></div>'
            )
        yield "</section>"


def _tells_lines(section: Section) -> bool:
    parts = (section, *section.parts)
    return any(isinstance(block, Lines) for part in parts for block in part.blocks)


def _path(document: Document, worked: WorkedStep) -> frozenset[str]:
    """Return the ids of the lines that come first, where not even the strongest are all."""
    count = sum(1 for _ in document.all_lines())
    if not count or worked.wanted or count >= worked.n_numbers:
        return frozenset()
    return frozenset(ref.id for ref in strongest_path(worked.derivation))


def _names(worked: WorkedStep, language: str) -> dict[str, str]:
    """Return what the user calls inputs and targets, by id."""
    names, n = worked.names, len(worked.trace.a[0])
    return {
        f"{quantity}[{s},{j}]": name
        for quantity, own in (("x", names.inputs_in(language)), ("targets", names.outputs))
        for s in range(n)
        for j, name in enumerate(own)
    }


def _short(heading: str) -> str:
    """Return a heading up to its colon."""
    return heading.replace("：", ":").split(":", maxsplit=1)[0]
