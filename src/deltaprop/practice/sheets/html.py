"""Exercises and keys as one HTML file each: MathML and SVG, no script, no network access."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

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

__all__ = ["render"]


def render(tasks: Sequence[Task], kind: str) -> str:
    """Return a page: a "sheet" with blanks to fill in, or the "key" with the answers."""
    words = tasks[0].words
    title = escape(words[kind])
    body = [f"<h1>{title}</h1>"]
    if kind == "sheet":
        person = "".join(f"<span>{escape(words[key])}</span>" for key in ("name", "date"))
        body.append(f'<p class="person">{person}</p>')
    for place, task in enumerate(tasks):
        body += ["<section>", f"<h2>{escape(content.heading(tasks, place))}</h2>"]
        body += _exercise(task) if kind == "sheet" else _answers(task)
        again = escape(content.reproduction(task))
        body += [f'<p class="again">{again}</p>', "</section>"]
    return html_page(title, body, language=tasks[0].language, style=_style(), kind=kind)


@cache
def _style() -> str:
    return files(__package__).joinpath("sheet.css").read_text(encoding="utf-8")


def _exercise(task: Task) -> Iterator[str]:
    yield to_svg(sketch_of(task), task.step.network.describe())
    yield f"<p>{' '.join(map(_sentence, content.rules(task)))}</p>"
    for title, numbers in content.numbers(task):
        yield f"<h3>{escape(title)}</h3>"
        yield f'<div class="given">{"".join(math(_array(*one)) for one in numbers)}</div>'
    yield f"<h3>{escape(task.words['wanted'])}</h3>"
    yield f"<p>{escape(content.precision(task))}</p>"
    for item in task.items:
        blanks = "".join(_blank(html_symbol(task.lines, read_ref(name))) for name in item.ids)
        yield f'<div class="row">{blanks}</div>'


def _blank(symbol: str) -> str:
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
