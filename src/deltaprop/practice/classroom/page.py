"""A page of feedback on one paper: HTML and MathML, no script, no network access."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import groupby

from deltaprop._version import __version__
from deltaprop.characters import escaped
from deltaprop.checking.conventions import CONVENTIONS
from deltaprop.errors import DeltapropError
from deltaprop.explaining import WorkedExample
from deltaprop.languages import told
from deltaprop.notation.html_page import html_page
from deltaprop.notation.ids import read_ref
from deltaprop.notation.mathml import escape, math
from deltaprop.practice.classroom.papers import Paper
from deltaprop.practice.exercises.lines import TaskLines
from deltaprop.practice.marking.claims import entry
from deltaprop.practice.marking.judge import FOLLOWS, RIGHT, WRONG
from deltaprop.practice.marking.mark import Mark, Marking
from deltaprop.practice.marking.reasons import shown
from deltaprop.practice.marking.step import step_of
from deltaprop.practice.sheets.html_lines import html_line, html_symbol
from deltaprop.practice.wording import slip_described, wording_of
from deltaprop.widths import clip

__all__ = ["feedback_page"]

_DIGITS = 6  # significant ones, of right numbers
_LONGEST = 24  # operands of a line that is worth reading
_LONGEST_CLAIM = 24  # characters of a number as it was written
_MOST_NAMED = 12  # numbers with the same mistake


def feedback_page(paper: Paper, language: str) -> str:
    """Return the page about one paper, and about nothing but it."""
    words = wording_of(language)
    name = escaped(paper.path.name)
    title = escape(words["feedback title"].format(name=name))
    body = [f"<h1>{title}</h1>"]
    if paper.marking is None or paper.worked is None:
        body.append(f'<p class="summary wrong">{escape(words["feedback unreadable"])}</p>')
        body.append(f"<p>{escape(paper.reason)}</p>")
    else:
        if paper.worked.title != name:
            called = paper.worked.titles.get(language, paper.worked.title)
            body.append(f"<p>{escape(escaped(called))}</p>")
        body += [f"<p>{escape(note)}</p>" for note in paper.notes]
        body += _Feedback(paper.worked, paper.marking, language).body()
    made_by = words["made by"].format(version=__version__)
    body.append(f'<p class="again">{escape(made_by)}</p>')
    return html_page(title, body, language=language, style=_style(), kind="feedback")


@cache
def _style() -> str:
    folder = files("deltaprop.practice")
    return "".join(
        folder.joinpath(name).read_text(encoding="utf-8")
        for name in ("sheets/sheet.css", "classroom/feedback.css")
    )


@dataclass(frozen=True)
class _Feedback:
    """What is said about a working that could be marked."""

    worked: WorkedExample
    marking: Marking
    language: str

    def body(self) -> Iterator[str]:
        """Yield how it went, what to look at first, and a verdict on every number."""
        marking = self.marking
        yield f'<p class="summary {"right" if marking.ok else "wrong"}">{self._summary()}</p>'
        if marking.conventions:
            listed = told("; ", self.language).join(map(self._convention, marking.conventions))
            yield f"<p>{self._say('feedback conventions', conventions=listed)}</p>"
        if marking.wrong:
            yield f"<h2>{self._say('feedback first')}</h2><ul>"
            for _, group in groupby(marking.wrong, key=lambda m: (m.step, m.claim, m.mistake)):
                yield self._advice(list(group))
            yield "</ul>"
        yield f"<h2>{self._say('feedback every')}</h2>"
        heads = (self._say(f"feedback {key}") for key in ("number", "yours", "exactly", "verdict"))
        yield f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"
        yield "<tbody>"
        for _, group in groupby(marking.marks, key=lambda mark: (mark.step, mark.claim)):
            yield from self._rows(list(group))
        yield "</tbody></table>"

    def _say(self, key: str, **facts: object) -> str:
        return escape(wording_of(self.language)[key].format(**facts))

    def _convention(self, name: str) -> str:
        """Return a convention by its name, in other languages with what it says."""
        said = {each.name: told(each.doc, self.language) for each in CONVENTIONS}
        return name if self.language == "en" else f"{said.get(name, name)}（{name}）"

    def _summary(self) -> str:
        marks = self.marking.marks
        return self._say(
            "feedback all right" if self.marking.ok else "feedback summary",
            count=len(marks),
            right=sum(mark.ok for mark in marks),
            wrong=len(self.marking.wrong),
            follows=sum(mark.verdict == FOLLOWS for mark in marks),
        )

    @cached_property
    def _lines(self) -> TaskLines | None:
        """Return the derivation, each line by itself; None where a number is not finite."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are told as notes
            try:
                explanation = self.worked.explain()
            except DeltapropError:
                return None
            return TaskLines(explanation, step_of(self.worked).right.keys(), _DIGITS)

    def _symbol(self, mark: Mark) -> str:
        name = entry(mark.claim, *mark.index)
        step = "" if mark.step is None else self._say("feedback step", step=mark.step)
        if self._lines is None:
            return f"{step}<code>{escape(name)}</code>"
        return step + math(html_symbol(self._lines, read_ref(name)))

    def _advice(self, marks: list[Mark]) -> str:
        """Return what went wrong with some numbers of a claim, and the line of the first."""
        first = marks[0]
        symbols = ", ".join(map(self._symbol, marks[:_MOST_NAMED]))
        symbols += ", …" if len(marks) > _MOST_NAMED else ""
        name = first.mistake or "arithmetic"
        said = self._say(
            "feedback mistake", described=slip_described(name, self.language), mistake=name
        )
        if others := first.candidates[1:]:
            separator = wording_of(self.language)["separator"]
            said += self._say("or", names=separator.join(others))
        return f"<li><p>{symbols}{told(': ', self.language)}{said}</p>{self._line(first)}</li>"

    def _line(self, mark: Mark) -> str:
        """Return the line that works a number out; nothing where it is written otherwise."""
        if self._lines is None or self.marking.conventions or mark.step is not None:
            return ""
        *_, last = self._lines.to(read_ref(mark.id))
        if len(last.step.operands) > _LONGEST:
            return ""
        return f'<div class="lines">{html_line(self._lines, last)}</div>'

    def _rows(self, marks: list[Mark]) -> Iterator[str]:
        """Yield the rows of one claim: its right numbers are one, every other has its own."""
        right = [mark for mark in marks if mark.ok]
        if len(right) > 1:
            count = self._say("feedback numbers", count=len(right))
            yield self._row(f"{self._symbol(right[0])}, …", count, "", RIGHT)
        for mark in marks:
            if mark.ok and len(right) > 1:
                continue
            claimed = escape(clip(mark.claimed, _LONGEST_CLAIM))
            yield self._row(self._symbol(mark), claimed, shown(mark.right, _DIGITS), mark.verdict)

    def _row(self, symbol: str, claimed: str, right: str, verdict: str) -> str:
        kind = {WRONG: "wrong", FOLLOWS: "follows"}.get(verdict, "right")
        told = self._say(f"feedback {kind}")
        cells = "".join(f"<td>{cell}</td>" for cell in (claimed, right, told))
        return f'<tr class="{kind}"><th>{symbol}</th>{cells}</tr>'
