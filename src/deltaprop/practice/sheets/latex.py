"""Exercises and keys as LaTeX documents that compile as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from deltaprop._version import __version__
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.latex import (
    equation_parts,
    escaped,
    latex_notation,
    latex_number,
    latex_symbol,
)
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets import content
from deltaprop.practice.sheets.network_picture import sketch_of, to_latex
from deltaprop.practice.wording import wording_of
from deltaprop.widths import text_width

__all__ = ["aligned", "document", "given", "render", "rows", "symbol"]

_CLASSES = {
    "en": ("pdflatex", r"\documentclass[11pt,a4paper,fleqn]{article}"),
    "zh": ("xelatex", r"\documentclass[zihao=5,a4paper,fleqn]{ctexart}"),
}
_PREAMBLE = [
    r"\usepackage[margin=2cm]{geometry}",
    r"\usepackage{amsmath}",
    r"\usepackage{multicol}",
    r"\pagestyle{plain}",
    r"\allowdisplaybreaks",
    r"\raggedright",
    r"\setlength{\mathindent}{1em}",
    r"\setlength{\parindent}{0pt}",
    r"\setlength{\parskip}{0.5\baselineskip}",
    r"\newcommand{\writeon}{\rule[-9pt]{0pt}{26pt}\rule[-3pt]{2.2cm}{0.4pt}}",
    r"\newcommand{\blank}[1]{\mbox{$#1 =$ \writeon}\hspace{1em}}",
]
_FEWEST_ROWS = 6  # that a page holds which begins with some
_WIDEST = 95  # of a line in a terminal that has room in a row here
_IN_FORMULAS = {
    "δ": r"\delta ", "∂": r"\partial ", "η": r"\eta ", "λ": r"\lambda ", "−": "-", "′": "'",
    "₂": "_{2}", "²": "^{2}", "Σ": r"\sum ", " ": r"\;",
}  # fmt: skip
_WORD = re.compile(r"[a-z]{2,}")


def render(tasks: Sequence[Task], kind: str) -> str:
    """Return a document: a "sheet" with blanks to fill in, or the "key" with the answers."""
    sections = content.sections(tasks, _exercise if kind == "sheet" else _answers)
    return document(tasks[0].words[kind], sections, kind, tasks[0].language)


def document(
    title: str, sections: Iterable[tuple[str, Iterable[str], str]], kind: str, language: str
) -> str:
    """Return a document of sections: the heading of each, its lines, and what makes it again."""
    words = wording_of(language)
    engine, document_class = _CLASSES[language]
    lines = [f"% deltaprop {__version__}; {engine}", document_class, *_PREAMBLE]
    lines += [r"\begin{document}", rf"\section*{{{escaped(title)}}}"]
    if kind == "sheet":
        blanks = [rf"{escaped(words[key])} \hrulefill" for key in ("name", "date")]
        lines += [rf"\makebox[\textwidth]{{{blanks[0]}\quad {blanks[1]}}}\par"]
    for number, (heading, body, again) in enumerate(sections):
        if number and kind == "sheet":
            lines.append(r"\clearpage")
        lines.append(rf"\subsection*{{{escaped(heading)}}}")
        lines.append(rf"{{\footnotesize {escaped(again)}}}\par")
        lines += body
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def given(task: Task, *, with_told: bool = True) -> Iterator[str]:
    """Yield what an exercise gives: the network, the rules, the numbers."""
    sketch = sketch_of(task)
    yield from to_latex(sketch, tuple(map(escaped, sketch.titles)))
    between = content.between_sentences(task)
    yield between.join(map(_sentence, content.rules(task))) + r"\par"
    for title, numbers in islice(content.numbers(task), None if with_told else 1):
        yield rf"\textbf{{{escaped(title)}}}\par"
        texts = [_array(ref, rows) for ref, rows in numbers]
        yield " ".join(rf"\mbox{{${text}$}}\hspace{{1.2em}}" for text in texts) + r"\par"


def _exercise(task: Task) -> Iterator[str]:
    yield from given(task)
    yield rf"\textbf{{{escaped(task.words['wanted'])}}}"
    brackets = "({})" if task.language == "en" else "（{}）"
    yield brackets.format(escaped(content.precision(task))) + r"\par"
    narrow = max(len(item.ids) for item in task.items) <= 2
    yield from [r"\begin{multicols}{2}"] * narrow
    yield r"{\setlength{\parskip}{0pt}"
    for left, item in zip(range(len(task.items), 0, -1), task.items, strict=True):
        together = r"\nopagebreak" if left <= _FEWEST_ROWS else ""
        blanks = (rf"\blank{{{symbol(task, name)}}}" for name in item.ids)
        yield "".join(blanks) + r"\par" + together
    yield "}"
    yield from [r"\end{multicols}"] * narrow


def _answers(task: Task) -> Iterator[str]:
    for title, lines in content.answers(task):
        yield rf"\textbf{{{escaped(title)}}}"
        yield from aligned(row for line in lines for row in rows(task, line))


def aligned(rows: Iterable[str]) -> Iterator[str]:
    """Yield rows of formulas below each other."""
    yield r"\begin{align*}"
    yield " \\\\\n".join(rows)
    yield r"\end{align*}"


def rows(task: Task, line: Line) -> list[str]:
    """Return the rows of an align*: one, or one for each part of a long line."""
    n = task.rules.n_samples
    left = latex_symbol(task.lines.named(line.step.ref), n)
    symbols, numbers = latex_notation(line, symbols=True, n_samples=n), latex_notation(line)
    parts = equation_parts(line, symbols, numbers)
    if text_width(" ".join(task.lines.parts(line))) <= _WIDEST:
        return [f"{left} &{' '.join(parts)}"]
    return [f"{left} &{parts[0]}", *(f"&{part}" for part in parts[1:])]


def symbol(task: Task, name: str) -> str:
    """Return the symbol of a number, to stand in a formula."""
    return latex_symbol(task.lines.named(read_ref(name)), task.rules.n_samples)


def _array(ref: Ref, rows: list[list[str]]) -> str:
    left = latex_symbol(ref, 1)
    if len(rows) == len(rows[0]) == 1:
        return f"{left} = {latex_number(rows[0][0])}"
    body = r" \\ ".join(" & ".join(map(latex_number, row)) for row in rows)
    return rf"{left} = \begin{{pmatrix}} {body} \end{{pmatrix}}"


def _sentence(text: str) -> str:
    """Return a sentence whose formulas stand between backticks."""
    pieces = text.split("`")
    return "".join(_formula(p) if i % 2 else escaped(p) for i, p in enumerate(pieces))


def _formula(text: str) -> str:
    named = _WORD.sub(lambda word: rf"\mathrm{{{word[0]}}}", text)
    body = "".join(_IN_FORMULAS.get(c, c) for c in named)
    return f"${body}$"
