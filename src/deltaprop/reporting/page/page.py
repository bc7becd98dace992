"""A report as one HTML file: no script, no network access, pictures in SVG."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from deltaprop.notation.html_page import html_page
from deltaprop.reporting.figures.figures import Figures
from deltaprop.reporting.language import words_of
from deltaprop.reporting.page.quality import calibration, classes, curves, mistakes, numbers
from deltaprop.reporting.page.table import again, columns, findings, hardest, importance, summary
from deltaprop.reporting.page.writer import Pieces

__all__ = ["render"]


def render(report: Figures, language: str) -> str:
    """Return the report as one HTML file that needs nothing else.

    Parameters
    ----------
    report : Figures
        The figures.
    language : str
        "en" or "zh".

    Returns
    -------
    str
        The page.
    """
    pieces, origin = Pieces(words_of(language), language), report.origin
    target = pieces.listed(origin.target)
    title = pieces.text("title from" if origin.source else "title", target=target,
                        source=origin.source)  # fmt: skip
    sections = [(name, list(lines)) for name, lines in _sections(report, pieces)]
    sections = [(name, lines) for name, lines in sections if lines]
    body = [
        f"<header><h1>{title}</h1>",
        f'<p class="lead">{_lead(report, pieces)}</p>',
        f'<nav aria-label="{pieces.text("contents")}"><ul>',
        *(f'<li><a href="#{name}">{pieces.text(name)}</a></li>' for name, _ in sections),
        "</ul></nav></header><main>",
        *(line for name, lines in sections for line in _section(name, lines, pieces)),
        "</main>",
        f"<footer>{pieces.text('made by', version=origin.versions['deltaprop'])}</footer>",
    ]
    return html_page(title, body, language=language, style=_style())


@cache
def _style() -> str:
    return files(__package__).joinpath("report.css").read_text(encoding="utf-8")


def _sections(report: Figures, pieces: Pieces) -> Iterator[tuple[str, Iterator[str]]]:
    yield "summary", summary(report, pieces)
    yield "warnings", findings(report, pieces)
    yield "curves", curves(report, pieces)
    yield "mistakes", mistakes(report, pieces)
    yield "classes", classes(report, pieces)
    yield "numbers", numbers(report, pieces)
    yield "calibration", calibration(report, pieces)
    yield "importance", importance(report, pieces)
    yield "hardest", hardest(report, pieces)
    yield "columns", columns(report, pieces)
    yield "again", again(report, pieces)


def _section(name: str, lines: list[str], pieces: Pieces) -> Iterator[str]:
    yield f'<section id="{name}"><h2>{pieces.text(name)}</h2>'
    yield from lines
    yield "</section>"


def _lead(report: Figures, pieces: Pieces) -> str:
    origin = report.origin
    train, val = pieces.count(origin.n_train), pieces.count(origin.n_val)
    words = pieces.words["one network" if origin.n_members == 1 else "several networks"]
    who = words.format(members=pieces.count(origin.n_members))
    if not origin.n_val:
        return pieces.text("lead training", who=who, train=train)
    if origin.folded:
        told = pieces.text("lead folded", who=who, train=train)
    else:
        how = pieces.words["given rows" if origin.own_validation else "held out"]
        told = pieces.text("lead validation", who=who, train=train, val=val, how=how)
    if report.judged.rows < origin.n_val:
        told += pieces.text("lead sample", rows=pieces.count(report.judged.rows))
    return told
