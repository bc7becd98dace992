"""Exercises and keys as one HTML file each: MathML and SVG, no script, no network access."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from deltaprop.notation.digits import Line
from deltaprop.notation.html_page import html_page
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.mathml import (
    MathmlNotation,
    escape,
    joined,
    math,
    matrix,
    number,
    pieces,
    symbol,
)
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets.content import (
    Content,
    Given,
    answers,
    given_numbers,
    heading,
    helping_numbers,
    reproduction,
    rules,
)
from deltaprop.practice.sheets.network_picture import sketch_of, to_svg
from deltaprop.practice.wording import wording_of

__all__ = ["render", "render_key"]


def render(sheet: Content) -> str:
    """Return the exercises as a page with blanks to fill in."""
    words = wording_of(sheet.language)
    person = "".join(f"<span>{escape(words[key])}</span>" for key in ("name", "date"))
    body = [f'<p class="person">{person}</p>']
    for place, task in enumerate(sheet.exercises):
        body += ["<section>", f"<h2>{escape(heading(sheet, place))}</h2>"]
        body += [*_exercise(task), "</section>"]
    return _page(sheet, "sheet", body)


def render_key(sheet: Content) -> str:
    """Return the answers with their lines as a page."""
    body: list[str] = []
    for place, task in enumerate(sheet.exercises):
        body += ["<section>", f"<h2>{escape(heading(sheet, place))}</h2>"]
        body += [*_answers(task), "</section>"]
    return _page(sheet, "key", body)


@cache
def _style() -> str:
    return files(__package__).joinpath("sheet.css").read_text(encoding="utf-8")


def _page(sheet: Content, kind: str, body: list[str]) -> str:
    title = escape(wording_of(sheet.language)[kind])
    described = [f"<h1>{title}</h1>", *body]
    return html_page(title, described, language=sheet.language, style=_style(), kind=kind)


def _exercise(task: Task) -> Iterator[str]:
    words = wording_of(task.language)
    yield to_svg(sketch_of(task), task.step.network.describe())
    yield f"<p>{' '.join(map(_sentence, rules(task)))}</p>"
    yield f"<h3>{escape(words['given'])}</h3>"
    yield _arrays(given_numbers(task))
    if task.helps:
        yield f"<h3>{escape(words['described'])}</h3>"
        yield _arrays(helping_numbers(task))
    yield f"<h3>{escape(words['wanted'])}</h3>"
    yield f"<p>{escape(words['exact' if task.has_exact_answers else 'rounded'])}</p>"
    for item in task.items:
        blanks = "".join(
            f'<span class="blank">{math(_symbol(task, read_ref(name)) + "<mo>=</mo>")}<span></span>'
            "</span>"
            for name in item.ids
        )
        yield f'<div class="row">{blanks}</div>'
    yield f'<p class="again">{escape(reproduction(task))}</p>'


def _answers(task: Task) -> Iterator[str]:
    for title, lines in answers(task):
        yield f"<h3>{escape(title)}</h3>"
        yield f'<ul class="lines">{"".join(_line(task, line) for line in lines)}</ul>'
    yield f'<p class="again">{escape(reproduction(task))}</p>'


def _line(task: Task, line: Line) -> str:
    def of(ref: Ref) -> str:
        return _symbol(task, ref)

    expression = line.step.expression
    shown = number(line.shown)
    parts = [math(of(line.step.ref))]
    # as many parts as the line has in a terminal
    for symbol_of in (of, None)[: len(task.lines.parts(line)) - 2]:
        first, *more = pieces(expression, MathmlNotation(line, symbol_of))
        parts.append(joined([f"<mo>=</mo>{first}", *more]))
    result = math(f"<mo>{'=' if line.exact else '≈'}</mo>{shown}")
    return f'<li>{"".join(parts)}<span class="result">{result}</span></li>'


def _symbol(task: Task, ref: Ref) -> str:
    return symbol(task.lines.named(ref), task.rules.n_samples)


def _arrays(given: list[Given]) -> str:
    return f'<div class="given">{"".join(math(_array(*one)) for one in given)}</div>'


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
