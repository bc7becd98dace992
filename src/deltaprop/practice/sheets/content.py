"""What a sheet says, whatever it is written in: headings, rules, what is given, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

import numpy as np

from deltaprop._version import __version__
from deltaprop.explaining.language import words_of
from deltaprop.languages.names import name_and_term, short_name
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.practice.exercises.task import Task, Texts, texts_of
from deltaprop.practice.marking.precision import MORE_ON_THE_WAY

__all__ = [
    "Given",
    "answers",
    "between_sentences",
    "columns",
    "heading",
    "numbers",
    "precision",
    "reproduction",
    "rows_of",
    "rules",
    "sections",
]

Given: TypeAlias = tuple[Ref, list[list[str]]]  # an array or a number, and its rows as shown

_LOSSES = {
    "half_squared_error": "L = (a − t)² / 2",
    "half_squared_error_sigmoid": "L = (a − t)² / 2",
    "binary_cross_entropy": "L = −t ln(a) − (1 − t) ln(1 − a)",
    "cross_entropy": "L = −Σ t ln(a)",
}
_MOST_GIVEN_DIGITS = 12  # of what is given; it has a few


def heading(tasks: Sequence[Task], number: int) -> str:
    """Return what stands above an exercise, counted from 0."""
    task = tasks[number]
    form = task.words["numbered" if len(tasks) > 1 else "exercise"]
    return form.format(number=number + 1, level=task.level, title=task.title)


def sections(
    tasks: Sequence[Task], written: Callable[[Task], Iterable[str]]
) -> Iterator[tuple[str, Iterable[str], str]]:
    """Yield of each exercise the heading, what is written of it, and what makes it again."""
    for place, task in enumerate(tasks):
        yield heading(tasks, place), written(task), reproduction(task)


def columns(task: Task) -> list[str]:
    """Return what stands above the columns of the network: inputs, layers, output, loss."""
    words, network = task.words, task.step.network
    hidden = [
        words["layer"].format(number=number, activation=short_name(row.name, task.language))
        for number, row in enumerate(network.activations, start=1)
    ]
    output = words["output"].format(activation=short_name(network.loss.output, task.language))
    return [words["inputs"], *hidden, output, words["loss column"]]


def rules(task: Task) -> list[str]:
    """Return the conventions as sentences, formulas between backticks."""
    words, network, loss = task.words, task.step.network, task.given["loss"]
    with_b = task.rules.bias
    keys = ["forward rule" if with_b else "forward rule without b", "weights rule"]
    names = {row.name for row in network.activations} | {network.loss.output}
    keys += [f"{name} rule" for name in ("relu", "tanh", "sigmoid", "softmax") if name in names]
    formula = _LOSSES[loss] + (" + λ₂ / 2 Σ W²" if network.l2 else "")
    called = name_and_term("loss", loss, task.language)
    sentences = [words[key] for key in keys]
    sentences.append(words["loss rule"].format(formula=formula, loss=called))
    if task.rules.n_samples > 1:
        sentences.append(words["mean rule"].format(count=task.rules.n_samples))
    if network.l2:
        sentences.append(words["penalty rule"])
    if any(name.endswith(".after") for name in (*task.asked, *task.told)):
        sentences.append(words["step rule with b" if with_b else "step rule"])
    return sentences


def shape(task: Task) -> str:
    """Return the network from its inputs to the loss: what stands above each column."""
    return " → ".join(columns(task))


def between_sentences(task: Task) -> str:
    """Return what parts sentences: a blank, but after Chinese full stops."""
    return "" if task.language == "zh" else " "


def precision(task: Task) -> str:
    """Return how precise an answer is wanted."""
    least = task.rules.least_digits
    form = task.words["exact" if task.has_exact_answers else "rounded"]
    return form.format(least=least, working=least + MORE_ON_THE_WAY)


def reproduction(task: Task, more: str = "") -> str:
    """Return what makes the same exercise again, and the version that does."""
    again = task.words["again"].format(level=task.level, seed=f"{task.seed}{more}")
    return f"{again} ({task.words['made by'].format(version=__version__)})"


def numbers(task: Task) -> Iterator[tuple[str, list[Given]]]:
    """Yield what is given, and what is told although it has to be worked out, each with a title."""
    yield task.words["given"], _given(task)
    if task.told:
        yield (
            task.words["told"],
            [(read_ref(name), rows_of(task.texts(name))) for name in task.told],
        )


def _given(task: Task) -> list[Given]:
    """Return the batch, the parameters by layer, the settings."""
    given = task.given
    found = [(Ref("x"), given["x"])]
    for number, layer in enumerate(given["layers"], start=1):
        found += [(Ref(name, number), layer[name]) for name in ("W", "b") if name in layer]
    names = ("targets", "learning_rate", "l2")
    found += [(Ref(name), given[name]) for name in names if name in given]
    return [(ref, rows_of(texts_of(np.array(values), _MOST_GIVEN_DIGITS))) for ref, values in found]


def rows_of(texts: Texts) -> list[list[str]]:
    """Return the rows of an array as shown; of a list or a number, one."""
    rows: list[list[str]] = np.atleast_2d(np.array(texts, dtype=object)).tolist()
    return rows


def answers(task: Task) -> Iterator[tuple[str, list[Line]]]:
    """Yield what belongs on the key, phase by phase: a heading, and lines of the derivation."""
    words = words_of(task.language)
    lines = task.lines.to_all(task.asked_ids)
    for phase, group in groupby(lines, key=lambda line: line.step.phase):
        yield words[phase], list(group)
