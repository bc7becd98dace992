"""A report as one HTML file: no script, no network access, pictures in SVG."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from deltaprop.notation.html_page import html_page
from deltaprop.reporting.figures.figures import Figures
from deltaprop.reporting.page.quality import calibration, classes, curves, mistakes, numbers
from deltaprop.reporting.page.table import again, columns, findings, hardest, importance, summary
from deltaprop.reporting.page.writer import Writer

__all__ = ["render"]

_SECTIONS = {
    "summary": summary,
    "warnings": findings,
    "curves": curves,
    "mistakes": mistakes,
    "classes": classes,
    "numbers": numbers,
    "calibration": calibration,
    "importance": importance,
    "hardest": hardest,
    "columns": columns,
    "again": again,
}


def render(report: Figures, language: str) -> str:
    """Return the report as one HTML file that needs nothing else, in English or Chinese."""
    writer, origin = Writer(language), report.origin
    target = writer.listed(origin.target)
    title = writer.text("title from" if origin.source else "title", target=target,
                        source=origin.source)  # fmt: skip
    written = {name: list(section(report, writer)) for name, section in _SECTIONS.items()}
    sections = {name: lines for name, lines in written.items() if lines}
    body = [
        f"<header><h1>{title}</h1>",
        f'<p class="lead">{_lead(report, writer)}</p>',
        f'<nav aria-label="{writer.text("contents")}"><ul>',
        *(f'<li><a href="#{name}">{writer.text(name)}</a></li>' for name in sections),
        "</ul></nav></header><main>",
        *(line for name, lines in sections.items() for line in _section(name, lines, writer)),
        "</main>",
        f"<footer>{writer.text('made by', version=origin.versions['deltaprop'])}</footer>",
    ]
    return html_page(title, body, language=language, style=_style())


@cache
def _style() -> str:
    return files(__package__).joinpath("report.css").read_text(encoding="utf-8")


def _section(name: str, lines: list[str], writer: Writer) -> Iterator[str]:
    yield f'<section id="{name}"><h2>{writer.text(name)}</h2>'
    yield from lines
    yield "</section>"


def _lead(report: Figures, writer: Writer) -> str:
    origin = report.origin
    train, val = writer.count(origin.n_train), writer.count(origin.n_val)
    words = writer.words["one network" if origin.n_members == 1 else "several networks"]
    who = words.format(members=writer.count(origin.n_members))
    if not origin.n_val:
        return writer.text("lead training", who=who, train=train)
    if origin.folded:
        lead = writer.text("lead folded", who=who, train=train)
    else:
        how = writer.words["given rows" if origin.own_validation else "held out"]
        lead = writer.text("lead validation", who=who, train=train, val=val, how=how)
    if report.judged.rows < origin.n_val:
        lead += writer.text("lead sample", rows=writer.count(report.judged.rows))
    return lead
