"""Questions as Moodle XML: numerical ones, and cloze ones where a row has several numbers.

Sources: docs.moodle.org, "Moodle XML format" and "Embedded Answers (Cloze) question type"; and how
Moodle reads them, question/format/xml/format.php and question/type/multianswer/questiontype.php.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice

from deltaprop._version import __version__
from deltaprop.notation.ids import read_ref
from deltaprop.practice.moodle.questions import Answer, Question, questions
from deltaprop.practice.sheets import content
from deltaprop.practice.wording import slip_described

__all__ = ["moodle_quiz", "question_lines", "to_cloze"]

# Moodle ends an alternative at ~ and the question at }, and takes a \ before them away: as entities
# they are plain text, which it decodes
_SPECIAL = str.maketrans({c: f"&#{ord(c)};" for c in '\\~#{}/"'})
_ANY = "*"  # stands for every number that no answer before it takes


def moodle_quiz(
    level: int = 1, seed: int = 0, count: int = 1, language: str = "en", digits: int | None = None
) -> str:
    """Return questions as the text of a Moodle XML file.

    Parameters
    ----------
    level, seed, language, digits
        As for ``exercise``; every question is of an exercise of its own, of seeds in a row.
    count : int
        How many.

    Returns
    -------
    str
        A category and its questions. Each number of a question has the right answer, and as wrong
        ones what named mistakes give, with feedback that names them. The right answer is worked out
        from the digits that the question shows, and no wrong one can be taken for it.

    Raises
    ------
    SettingError
        When there is no such level, seed, language or number of digits.
    """
    drawn = list(islice(questions(level, seed, language, digits), count))
    category = f"$course$/top/deltaprop/{_heading(drawn[0]).replace('/', '//')}"
    typed = f"practice --format moodle --level {level} --seed {seed} -n {count}"
    made_by = f"deltaprop {__version__}: {typed}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<quiz>",
        '<question type="category">',
        f"<category><text>{_cdata(category)}</text></category>",
        f'<info format="plain_text"><text>{_cdata(made_by)}</text></info>',
        "</question>",
    ]
    for question in drawn:
        lines += question_lines(question)
    return "\n".join([*lines, "</quiz>"]) + "\n"


def _heading(question: Question) -> str:
    return content.heading([question.task], 0)


def question_lines(question: Question) -> Iterator[str]:
    """Yield the lines of a question: a single number is "numerical", a row "cloze"."""
    is_single = len(question.item.ids) == 1
    words = question.task.words
    asked = words["separator"].join(_symbols(question))
    yield f'<question type="{"numerical" if is_single else "cloze"}">'
    name = words["moodle name"].format(
        heading=_heading(question), seed=question.task.seed, asked=asked
    )
    yield f"<name><text>{_cdata(name)}</text></name>"
    body = [
        *_body(question),
        *([f"<p>{escape(asked)} = ?</p>"] if is_single else _blanks(question)),
    ]
    text = _cdata("\n".join(body))
    yield f'<questiontext format="html"><text>{text}</text></questiontext>'
    hints = (f"<p>{escape(question.task.hint(i))}</p>" for i in question.item.ids)
    general = _cdata("\n".join(hint.replace("\n", "<br/>") for hint in hints))
    yield f'<generalfeedback format="html"><text>{general}</text></generalfeedback>'
    yield "<defaultgrade>1.0</defaultgrade><penalty>0.1</penalty><hidden>0</hidden>"
    if is_single:
        yield from _numerical(question)
    yield "</question>"


def _symbols(question: Question) -> list[str]:
    return [question.task.lines.symbol(read_ref(name)) for name in question.item.ids]


def _body(question: Question) -> Iterator[str]:
    """Yield what stands above the blanks: the network, the rules, the numbers."""
    task = question.task
    yield f"<p><strong>{escape(_heading(question))}</strong></p>"
    yield f"<p>{escape(content.shape(task))}</p>"
    rules = content.between_sentences(task).join(content.rules(task)).replace("`", "")
    yield f"<p>{escape(rules)}</p>"
    (title, given), *_ = content.numbers(task)
    yield from _arrays(question, title, given)
    if question.known:
        known = [(read_ref(name), content.rows_of(task.texts(name))) for name in question.known]
        yield from _arrays(question, task.words["moodle known"], known)
    yield f"<p>{escape(task.words['moodle digits'].format(least=task.rules.least_digits))}</p>"


def _arrays(question: Question, title: str, arrays: Sequence[content.Given]) -> Iterator[str]:
    """Yield numbers and matrices as tables, which every Moodle shows without a filter."""
    yield f"<p><em>{escape(title)}</em></p>"
    for ref, rows in arrays:
        yield _array(escape(question.task.lines.symbol(ref)), rows)


def _array(symbol: str, rows: Sequence[Sequence[str]]) -> str:
    if len(rows) == len(rows[0]) == 1:
        return f"<p>{symbol} = {rows[0][0]}</p>"
    cell = '<td style="padding:0 0.6em;text-align:right">'
    edge = "border-left:1px solid;border-right:1px solid"
    lines = "".join(f"<tr>{''.join(f'{cell}{text}</td>' for text in row)}</tr>" for row in rows)
    inner = f'<table style="{edge}"><tbody>{lines}</tbody></table>'
    return f"<table><tbody><tr><td>{symbol} = </td><td>{inner}</td></tr></tbody></table>"


def _numerical(question: Question) -> Iterator[str]:
    (answers,) = question.answers
    for number, answer in enumerate(answers):
        yield _answer(answer.text, _tolerance(answer), _feedback(question, answer), number == 0)
    slip = slip_described("arithmetic", question.task.language)
    yield _answer(_ANY, "0", _sentence(question, slip), right=False)
    yield "<unitgradingtype>0</unitgradingtype><unitpenalty>0.1</unitpenalty>"
    yield "<showunits>3</showunits><unitsleft>0</unitsleft>"


def _answer(text: str, tolerance: str, feedback: str, right: bool) -> str:
    fraction = 100 if right else 0
    return (
        f'<answer fraction="{fraction}" format="moodle_auto_format"><text>{text}</text>'
        f"<tolerance>{tolerance}</tolerance>"
        f'<feedback format="html"><text>{_cdata(escape(feedback))}</text></feedback></answer>'
    )


def _blanks(question: Question) -> Iterator[str]:
    """Yield a row's numbers, each a symbol and a blank with its answers inside the text."""
    for symbol, answers in zip(_symbols(question), question.answers, strict=True):
        right, *wrong = (_alternative(question, answer) for answer in answers)
        inside = "~".join([f"%100%{right}", *(f"%0%{one}" for one in wrong)])
        yield f"<p>{escape(symbol)} = {{1:NUMERICAL:{inside}}}</p>"


def _alternative(question: Question, answer: Answer) -> str:
    return f"{answer.text}:{_tolerance(answer)}#{to_cloze(_feedback(question, answer))}"


def to_cloze(text: str) -> str:
    """Return plain text as the feedback of a cloze alternative.

    It is HTML once Moodle has decoded its entities: what is special to HTML is written out twice.
    """
    return escape(escape(text, quote=False), quote=False).translate(_SPECIAL)


def _tolerance(answer: Answer) -> str:
    return f"{answer.tolerance:.4g}"


def _feedback(question: Question, answer: Answer) -> str:
    words, language = question.task.words, question.task.language
    if not answer.mistakes:
        return words["right"]
    name, *others = answer.mistakes
    text = words["feedback mistake"].format(described=slip_described(name, language), mistake=name)
    return text + (words["or"].format(names=words["separator"].join(others)) if others else "")


def _sentence(question: Question, text: str) -> str:
    return text + question.task.words["full stop"]


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
