"""Exercises and keys as one HTML file each: MathML and SVG, no script, no network access."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice

from deltaprop.notation.html_page import html_page
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.mathml import (
    escape,
    math,
    matrix,
    number,
    symbol,
)
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets import content
from deltaprop.practice.sheets.html_lines import html_line, html_symbol
from deltaprop.practice.sheets.network_picture import sketch_of, to_svg
from deltaprop.practice.wording import wording_of

__all__ = ["blank", "given", "page", "render"]


def render(tasks: Sequence[Task], kind: str) -> str:
    """Return a page: a "sheet" with blanks to fill in, or the "key" with the answers."""
    sections = content.sections(tasks, _exercise if kind == "sheet" else _answers)
    return page(tasks[0].words[kind], sections, kind, tasks[0].language)


def page(
    title: str, sections: Iterable[tuple[str, Iterable[str], str]], kind: str, language: str
) -> str:
    """Return a page of sections: the heading of each, its HTML, and what makes it again."""
    words = wording_of(language)
    body = [f"<h1>{escape(title)}</h1>"]
    if kind == "sheet":
        person = "".join(f"<span>{escape(words[key])}</span>" for key in ("name", "date"))
        body.append(f'<p class="person">{person}</p>')
    for heading, lines, again in sections:
        body += ["<section>", f"<h2>{escape(heading)}</h2>", *lines]
        body += [f'<p class="again">{escape(again)}</p>', "</section>"]
    return html_page(escape(title), body, language=language, style=_style(), kind=kind)


@cache
def _style() -> str:
    return files(__package__).joinpath("sheet.css").read_text(encoding="utf-8")


def given(task: Task, *, with_told: bool = True) -> Iterator[str]:
    """Yield what an exercise gives: the network, the rules, the numbers."""
    yield to_svg(sketch_of(task), content.shape(task))
    yield f"<p>{content.between_sentences(task).join(map(_sentence, content.rules(task)))}</p>"
    for title, numbers in islice(content.numbers(task), None if with_told else 1):
        yield f"<h3>{escape(title)}</h3>"
        yield f'<div class="given">{"".join(math(_array(*one)) for one in numbers)}</div>'


def _exercise(task: Task) -> Iterator[str]:
    yield from given(task)
    yield f"<h3>{escape(task.words['wanted'])}</h3>"
    yield f"<p>{escape(content.precision(task))}</p>"
    for item in task.items:
        blanks = "".join(blank(html_symbol(task.lines, read_ref(name))) for name in item.ids)
        yield f'<div class="row">{blanks}</div>'


def blank(symbol: str) -> str:
    """Return a symbol with a blank to fill in."""
    return f'<span class="blank">{math(f"{symbol}<mo>=</mo>")}<span></span></span>'


def _answers(task: Task) -> Iterator[str]:
    for title, lines in content.answers(task):
        yield f"<h3>{escape(title)}</h3>"
        listed = "".join(f"<li>{html_line(task.lines, line)}</li>" for line in lines)
        yield f'<ul class="lines">{listed}</ul>'


def _array(ref: Ref, rows: list[list[str]]) -> str:
    single = len(rows) == len(rows[0]) == 1
    value = number(rows[0][0]) if single else matrix([[number(t) for t in row] for row in rows])
    return f"{symbol(ref, 1)}<mo>=</mo>{value}"


def _sentence(text: str) -> str:
    """Return a sentence whose formulas stand between backticks."""
    parts = map(escape, text.split("`"))
    return "".join(
        f'<span class="formula">{part}</span>' if i % 2 else part for i, part in enumerate(parts)
    )
