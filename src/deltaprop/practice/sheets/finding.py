"""Workings with a mistake in each, and the answers: for a terminal, and to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deltaprop.notation.ids import read_ref
from deltaprop.notation.latex import escaped, latex_number
from deltaprop.notation.mathml import escape, math, number
from deltaprop.practice.sheets import content, html, latex, terminal
from deltaprop.practice.sheets.html_lines import html_line, html_symbol
from deltaprop.practice.wording import mistake_described
from deltaprop.widths import wrap

if TYPE_CHECKING:
    from deltaprop.practice.exercises.finding import FindTask

__all__ = ["key", "sheet", "to_html", "to_latex"]


def sheet(found: FindTask, width: int) -> str:
    """Return what is given, the working, and the mistakes to choose from."""
    task, words = found.task, found.task.words
    lines = [*terminal.given(task, words["find heading"].format(heading=_heading(found)), width)]
    lines += ["", words["find working"]]
    indent = " " * len("  12  ")
    for place, numbers in enumerate(found.numbers(), start=1):
        equations = (f"{task.lines.symbol(read_ref(name))} = {text}" for name, text in numbers)
        first, *more = wrap(words["separator"].join(equations), width - len(indent))
        lines += [f"  {place:>2}  {first}", *(indent + text for text in more)]
    lines += ["", *wrap(words["find wanted"], width)]
    for letter, described in _choices(found):
        first, *more = wrap(described, width - len(indent))
        lines += [f"   {letter}  {first}", *(indent + text for text in more)]
    lines += ["", *wrap(_again(found), width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def key(found: FindTask, width: int) -> str:
    """Return the line, the mistake, and the line as it should be."""
    parts = found.task.lines.parts(found.right_line)
    lines = wrap(_answer(found), width)
    lines += [f"  {text}" for text in terminal.formula(parts, width - 2)]
    return "\n".join([*lines, "", *wrap(_again(found), width)]) + "\n"


def to_html(tasks: Sequence[FindTask], kind: str) -> str:
    """Return a page: a "sheet" with the workings, or the "key" with the answers."""
    body = _html_working if kind == "sheet" else _html_answer
    sections = [(_heading(found), body(found), _again(found)) for found in tasks]
    return html.page(_title(tasks[0], kind), sections, kind, tasks[0].task.language)


def to_latex(tasks: Sequence[FindTask], kind: str) -> str:
    """Return a document: a "sheet" with the workings, or the "key" with the answers."""
    body = _latex_working if kind == "sheet" else _latex_answer
    sections = [(_heading(found), body(found), _again(found)) for found in tasks]
    return latex.document(_title(tasks[0], kind), sections, kind, tasks[0].task.language)


def _html_working(found: FindTask) -> Iterator[str]:
    task, words = found.task, found.task.words
    yield from html.given(task, with_told=False)
    yield f'<h3>{escape(words["find working"])}</h3><ol class="working">'
    for numbers in found.numbers():
        equations = (
            math(f"{html_symbol(task.lines, read_ref(name))}<mo>=</mo>{number(text)}")
            for name, text in numbers
        )
        yield f"<li>{'&#8195;'.join(equations)}</li>"
    yield f"</ol><p>{escape(words['find wanted'])}</p>"
    listed = "".join(f"<li>{escape(described)}</li>" for _, described in _choices(found))
    yield f'<ol type="a">{listed}</ol>'


def _html_answer(found: FindTask) -> Iterator[str]:
    yield f"<p>{escape(_answer(found))}</p>"
    yield f'<ul class="lines"><li>{html_line(found.task.lines, found.right_line)}</li></ul>'


def _latex_working(found: FindTask) -> Iterator[str]:
    task, words = found.task, found.task.words
    yield from latex.given(task, with_told=False)
    yield rf"\textbf{{{escaped(words['find working'])}}}"
    yield r"\begin{enumerate}\setlength{\itemsep}{0pt}\setlength{\parskip}{0pt}"
    for numbers in found.numbers():
        equations = (
            rf"\mbox{{${latex.symbol(task, name)} = {latex_number(text)}$}}\hspace{{1.2em}}"
            for name, text in numbers
        )
        yield rf"\item {' '.join(equations)}"
    yield r"\end{enumerate}"
    yield escaped(words["find wanted"]) + r"\par"
    yield r"\begin{description}\setlength{\itemsep}{0pt}\setlength{\parskip}{0pt}"
    for letter, described in _choices(found):
        yield rf"\item[{letter}] {escaped(described)}"
    yield r"\end{description}"


def _latex_answer(found: FindTask) -> Iterator[str]:
    yield escaped(_answer(found))
    yield from latex.aligned(latex.rows(found.task, found.right_line))


def _choices(found: FindTask) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(found.choices):
        yield chr(ord("a") + place), mistake_described(name, found.task.language)


def _answer(found: FindTask) -> str:
    described = mistake_described(found.planted.name, found.task.language)
    facts = {"line": found.line, "described": described, "mistake": found.planted.name}
    return found.task.words["find answer"].format(**facts)


def _title(found: FindTask, kind: str) -> str:
    return found.task.words[f"find {kind}"]


def _heading(found: FindTask) -> str:
    return content.heading([found.task], 0)


def _again(found: FindTask) -> str:
    return content.reproduction(found.task, " --kind find")
