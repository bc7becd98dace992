"""A working with a mistake in it, and the answer, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltaprop.practice.sheets import content, terminal
from deltaprop.practice.wording import mistake_described
from deltaprop.widths import wrap

if TYPE_CHECKING:
    from deltaprop.practice.exercises.finding import FindTask

__all__ = ["key", "sheet"]


def sheet(found: FindTask, width: int) -> str:
    """Return what is given, the working, and the mistakes to choose from."""
    task, words = found.task, found.task.words
    lines = [*terminal.given(task, words["find heading"].format(heading=_heading(found)), width)]
    lines += ["", words["find working"]]
    indent = " " * len("  12  ")
    for number, equation in enumerate(found.equations(), start=1):
        first, *more = wrap(equation, width - len(indent))
        lines += [f"  {number:>2}  {first}", *(indent + text for text in more)]
    lines += ["", *wrap(words["find wanted"], width)]
    for place, name in enumerate(found.choices):
        first, *more = wrap(mistake_described(name, task.language), width - len(indent))
        lines += [f"   {chr(ord('a') + place)}  {first}", *(indent + text for text in more)]
    lines += ["", *wrap(_again(found), width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def key(found: FindTask, width: int) -> str:
    """Return the line, the mistake, and the line as it should be."""
    words, language = found.task.words, found.task.language
    facts = {
        "line": found.line,
        "described": mistake_described(found.planted.name, language),
        "mistake": found.planted.name,
    }
    lines = wrap(words["find answer"].format(**facts), width)
    lines += [f"  {text}" for text in terminal.formula(found.right_line(), width - 2)]
    return "\n".join([*lines, "", *wrap(_again(found), width)]) + "\n"


def _heading(found: FindTask) -> str:
    return content.heading([found.task], 0)


def _again(found: FindTask) -> str:
    return content.reproduction(found.task, " --kind find")
