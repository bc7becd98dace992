"""``deltaprop practice``: exercises with tidy numbers, asked in the terminal or on a sheet."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from deltaprop.cli.options import option, switch, whole
from deltaprop.cli.show import in_color, plain, print_json, say, terminal_width

if TYPE_CHECKING:
    from deltaprop.explaining import WorkedExample
    from deltaprop.practice import Exercise, Marking, Sheet

__all__ = ["EXAMPLE", "practice"]

EXAMPLE = "Example: deltaprop practice --level 3"
_FORMS = ("terminal", "latex", "html", "moodle")
_MOST_EXERCISES = 100
_SEEDS = 10_000  # that a seed nobody gave is drawn from: short enough to note down


def practice(
    level: Annotated[int, whole("N", "Which, as told above.")] = 1,
    seed: Annotated[int | None, whole("N", "Which one; a new one if left out.")] = None,
    count: Annotated[int, whole("N", "Exercises, of seeds in a row.", "--count", "-n")] = 1,
    form: Annotated[
        str, option("FORM", "terminal, latex, html, or moodle: a quiz as XML.", "--format")
    ] = "terminal",
    out: Annotated[str | None, option("FILE", "Write the exercises to a file.")] = None,
    key: Annotated[str | None, option("FILE", "Write the answers to a file of their own.")] = None,
    answers: Annotated[
        str | None, option("FILE", "Mark the claims of what --json gave, filled in.")
    ] = None,
    digits: Annotated[
        int | None, whole("N", "Significant digits that are shown; answers need fewer.")
    ] = None,
    language: Annotated[str, option("LANG", "en or zh.")] = "en",
    json: Annotated[bool, switch("--json", "Print the exercise as JSON.")] = False,
) -> int:
    """Practise one step of back-propagation with tidy numbers.

    Levels: {levels}.

    In a terminal one row after another is asked for and marked at once; ? gives a hint. The exit
    status is 0 when all answers are right, 1 when they are not.
    """
    import secrets

    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError, UnknownNameError
    from deltaprop.practice import Sheet, exercise

    if form not in _FORMS:
        raise UnknownNameError("format", form, _FORMS)
    if not 1 <= count <= _MOST_EXERCISES:
        raise SettingError(f"--count is {count}; it is from 1 to {_MOST_EXERCISES}.")
    if answers is not None and (seed is None or count != 1 or out is not None):
        raise SettingError("--answers marks one exercise; give its --level and --seed, no --out.")
    if json and (form != "terminal" or out is not None):
        raise SettingError("--json prints the exercise; it takes neither --format nor --out.")
    if form == "moodle" and (key is not None or answers is not None):
        raise SettingError(
            "A quiz for Moodle holds its answers; it takes neither --key nor --answers."
        )
    check_outputs({"--out": out, "--key": key}, {"--answers": answers})
    first = secrets.randbelow(_SEEDS) if seed is None else seed
    if form == "moodle":
        from deltaprop.practice.moodle.quiz import moodle_quiz

        _put(moodle_quiz(level, first, count, language, digits), out)
        return 0
    tasks = tuple(exercise(level, first + i, language, digits=digits) for i in range(count))
    sheet = Sheet(tasks)
    if answers is not None:
        status = _marked(tasks[0], answers, json)
    elif json:
        found = [task.to_dict() for task in tasks]
        print_json(found[0] if count == 1 else found)
        status = 0
    elif out is not None or form != "terminal":
        _put(_written(sheet, form, of_key=False), out)
        status = 0
    else:
        status = _asked(tasks)
    if key is not None:
        _put(_written(sheet, form, of_key=True), key)
    return status


def _written(sheet: Sheet, form: str, *, of_key: bool) -> str:
    text: str = getattr(sheet, f"to_{'key_' if of_key else ''}{form}")()
    return text


def _put(text: str, path: str | None) -> None:
    from deltaprop.model.files import write_atomically

    if path is None:
        say(text.rstrip("\n"), result=True)
    else:
        write_atomically(path, text.encode("utf-8"))
        say(f"written to {plain(path)}")


def _marked(task: Exercise, path: str, json: bool) -> int:
    """Mark the claims in a file; return the exit status."""
    from deltaprop.errors import DataError
    from deltaprop.explaining import read_worked_example

    worked = read_worked_example(path)
    if _given(worked) != _given(task.worked):
        raise DataError(
            f"{path} holds other numbers than level {task.level}, seed {task.seed}; expected what "
            f"'deltaprop practice --level {task.level} --seed {task.seed} --json' prints, with "
            "its claims filled in."
        )
    try:
        marking = task.mark(worked.claims or {})
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    n_marked = sum(mark.claim in task.asked for mark in marking.marks)
    if json:
        print_json({**marking.to_dict(), "asked": task.n_asked})
    else:
        say(_marked_text(task, marking, n_marked), result=True)
    return 0 if marking.ok and n_marked == task.n_asked else 1


def _marked_text(task: Exercise, marking: Marking, n_marked: int) -> str:
    from deltaprop.practice.exercises.feedback import should_be
    from deltaprop.practice.wording import wording_of
    from deltaprop.widths import wrap

    words = wording_of(task.language)["marked"].format(count=n_marked, asked=task.n_asked)
    if task.language == "en":
        return marking.to_terminal(width=terminal_width(), color=in_color()) + words
    sentences = [*(should_be(task, mark) for mark in marking.marks), words]
    return "\n".join(line for text in sentences for line in wrap(text, terminal_width()))


def _given(worked: WorkedExample) -> tuple[object, ...]:
    """Return what is given, to be compared."""
    import numpy as np

    arrays = (worked.parameters.flat, worked.x, worked.targets)
    return worked.network.describe(), *(np.asarray(a, np.float64).tolist() for a in arrays)


def _asked(tasks: Sequence[Exercise]) -> int:
    """Hold the dialogue, on a terminal or with lines from a pipe; return the exit status."""
    from deltaprop.practice import Session, Sheet

    waiting: list[str] = []
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        first = "" if sys.stdin is None or sys.stdin.isatty() else _line()
        if not first:  # nobody answers
            say(Sheet(tuple(tasks)).to_terminal(width=terminal_width()).rstrip("\n"), result=True)
            return 0
        waiting.append(first)

    def ask(prompt: str) -> str:
        if sys.stdin.isatty():
            return input(prompt)
        line = waiting.pop() if waiting else _line()
        if not line:
            raise EOFError
        say(prompt + plain(line.rstrip("\r\n")), result=True)
        return line

    def tell(line: str) -> None:
        say(line, result=True)

    if sys.stdin.isatty():
        with suppress(ImportError):  # lets the arrow keys edit a line
            import readline  # noqa: F401
    all_right = True
    for number, task in enumerate(tasks):
        if number:
            tell("")
        score = Session(task, ask, tell, terminal_width()).run()
        all_right = all_right and score.ok
        if score.stopped:
            break
    return 0 if all_right else 1


def _line() -> str:
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError:
        from deltaprop.errors import DataError

        raise DataError("Standard input is no text; expected answers, one row on a line.") from None
