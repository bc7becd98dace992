"""``deltaprop practice``: exercises with tidy numbers, asked in the terminal or on a sheet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from deltaprop.cli.language import language_of
from deltaprop.cli.options import LanguageOption, option, switch, whole
from deltaprop.cli.show import asked, in_color, plain, print_json, remark, say, terminal_width
from deltaprop.languages import told

if TYPE_CHECKING:
    from deltaprop.explaining import WorkedExample
    from deltaprop.practice import Exercise, Marking, Score, Sheet
    from deltaprop.practice.exercises.kinds import Drawn, Kind

__all__ = ["EXAMPLE", "practice"]

EXAMPLE = "Example: deltaprop practice --level 3"
T = TypeVar("T")

_FORMS = ("terminal", "latex", "html", "moodle")
_MOST_EXERCISES = 100
_SEEDS = 10_000  # that a seed nobody gave is drawn from: short enough to note down


def practice(
    level: Annotated[
        int | None, whole("N", "Which, as told above; where you left off, or 1, if left out.")
    ] = None,
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
    kind: Annotated[
        str | None,
        option("KIND", "Of exercise; on and on, they come in turn if left out: {kinds}."),
    ] = None,
    once: Annotated[bool, switch("--once", "Stop after one exercise, and note nothing.")] = False,
    record: Annotated[
        str | None,
        option("FILE", "Where your mistakes are noted; in your data folder if left out."),
    ] = None,
    summary: Annotated[bool, switch("--summary", "Tell your mistakes so far.")] = False,
    language: LanguageOption = None,
    json: Annotated[bool, switch("--json", "Print the exercise as JSON.")] = False,
) -> int:
    """Practise one step of back-propagation with tidy numbers.

    Levels: {levels}.

    In a terminal one row after another is asked for and marked at once; ? gives a hint. Without
    --seed or --count it goes on with the next exercise, harder when it goes well, and notes your
    mistakes in a file of yours, which never leaves this machine. The exit status is 0 when all
    answers are right, 1 when they are not.
    """
    import secrets

    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError, UnknownNameError
    from deltaprop.practice import Sheet, exercise
    from deltaprop.practice.exercises.kinds import KINDS

    language = language_of(language, machine=json)
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
    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind of exercise", kind, KINDS)
    other = KINDS[kind] if kind not in (None, "working") else None
    if other is not None and (answers is not None or form not in ("terminal", *other.printed)):
        forms = ", ".join(("terminal", *other.printed))
        raise SettingError(f"--kind {kind} takes no --answers, and has these formats: {forms}.")
    if summary:
        return _summary(record, language, json)
    plain_call = seed is None and count == 1 and form == "terminal" and not (json or once)
    if plain_call and out is None and key is None and (record is not None or _on_a_terminal()):
        return _course(record, level, kind, language, digits)
    if record is not None:
        raise SettingError(
            "--record is for exercises that go on and on, or for --summary; it takes none of "
            "--seed, --count, --format, --out, --key, --answers, --once, --json."
        )
    level = 1 if level is None else level
    first = secrets.randbelow(_SEEDS) if seed is None else seed
    if form == "moodle":
        from deltaprop.practice.moodle.quiz import moodle_quiz

        _put(moodle_quiz(level, first, count, language, digits), out)
        return 0
    if other is not None:
        drawn = [other.draw(level, first + i, language, digits) for i in range(count)]
        return _of_kind(other, drawn, form, out, key, json)
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
        say(told(f"written to {plain(path)}"))


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

    def held(task: Exercise, ask: Callable[[str], str]) -> Score:
        return Session(task, ask, _tell, terminal_width()).run()

    return _held(tasks, Sheet(tuple(tasks)).to_terminal, held)


def _of_kind(
    kind: Kind, drawn: Sequence[Drawn], form: str, out: str | None, key: str | None, json: bool
) -> int:
    """Show exercises of another kind than a working, or hold the dialogue about them."""

    def text(what: str, width: int = 80) -> str:
        if form != "terminal":
            return kind.printed[form](drawn, what)
        name = "to_terminal" if what == "sheet" else "to_key_terminal"
        return "\n\n\n".join(getattr(one, name)(width=width).rstrip("\n") for one in drawn) + "\n"

    def held(one: Drawn, ask: Callable[[str], str]) -> Score:
        return kind.dialogue(ask, _tell, terminal_width(), one).run()

    status = 0
    if json:
        found = [one.to_dict() for one in drawn]
        print_json(found[0] if len(found) == 1 else found)
    elif out is not None or form != "terminal":
        _put(text("sheet"), out)
    else:
        status = _held(drawn, lambda *, width: text("sheet", width), held)
    if key is not None:
        _put(text("key"), key)
    return status


def _held(
    tasks: Sequence[T], sheet: Callable[..., str], hold: Callable[[T, Callable[[str], str]], Score]
) -> int:
    """Hold dialogues one after another, or show the sheet where nobody answers."""
    first = "" if _on_a_terminal() else _first_line()
    if not first and not _on_a_terminal():  # nobody answers
        say(sheet(width=terminal_width()).rstrip("\n"), result=True)
        return 0
    ask = _asking(first)
    all_right = True
    for number, task in enumerate(tasks):
        if number:
            _tell("")
        score = hold(task, ask)
        all_right = all_right and score.ok
        if score.stopped:
            break
    return 0 if all_right else 1


def _course(
    path: str | None, level: int | None, kind: str | None, language: str, digits: int | None
) -> int:
    """Go on with exercise after exercise; return the exit status."""
    import secrets

    from deltaprop.practice.exercises.course import ORDER, Course, first_level
    from deltaprop.practice.exercises.levels import level_of
    from deltaprop.practice.exercises.record import opened, record_path
    from deltaprop.practice.wording import wording_of

    wording_of(language)
    if level is not None:
        level_of(level)
    record = opened(record_path() if path is None else Path(path), remark, language)
    course = Course(
        record, _asking(""), _tell, terminal_width(), language,
        first_level(record) if level is None else level,
        lambda: secrets.randbelow(_SEEDS), ORDER if kind is None else (kind,), digits,
    )  # fmt: skip
    return 0 if course.run() else 1


def _summary(path: str | None, language: str, json: bool) -> int:
    """Tell what the record says; return the exit status."""
    from deltaprop.practice.exercises.record import Record, record_path

    record = Record.load(record_path() if path is None else Path(path))
    if json:
        print_json(record.to_dict())
    else:
        say(record.summary(language, terminal_width()), result=True)
    return 0


def _on_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _first_line() -> str:
    return "" if sys.stdin is None or sys.stdin.isatty() else _line()


def _asking(first: str) -> Callable[[str], str]:
    """Return what asks: on a terminal, or by the lines of a pipe, of which ``first`` is read."""
    waiting = [first] if first else []

    def ask(prompt: str) -> str:
        if sys.stdin is not None and sys.stdin.isatty():
            return asked(prompt)
        line = waiting.pop() if waiting else "" if sys.stdin is None else _line()
        if not line:
            raise EOFError
        say(prompt + plain(line.rstrip("\r\n")), result=True)
        return line

    if sys.stdin is not None and sys.stdin.isatty():
        with suppress(ImportError):  # lets the arrow keys edit a line
            import readline  # noqa: F401
    return ask


def _tell(line: str) -> None:
    say(line, result=True)


def _line() -> str:
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError:
        from deltaprop.errors import DataError

        raise DataError("Standard input is no text; expected answers, one row on a line.") from None
