"""What a sheet says, whatever it is written in: headings, rules, what is given, and the answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.errors import SettingError
from deltaprop.explaining.language import words_of
from deltaprop.notation.digits import Line, number_text
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.wording import wording_of

__all__ = [
    "Content",
    "Given",
    "answers",
    "given_numbers",
    "heading",
    "helping_numbers",
    "reproduction",
    "rules",
]

Given: TypeAlias = tuple[Ref, list[list[str]]]  # an array or a number, and its rows as shown

_LOSSES = {
    "half_squared_error": "L = (a − t)² / 2",
    "half_squared_error_sigmoid": "L = (a − t)² / 2",
    "binary_cross_entropy": "L = −t ln(a) − (1 − t) ln(1 − a)",
    "cross_entropy": "L = −Σ t ln(a)",
}
_MOST_DIGITS = 12  # of what is given; it has a few


@dataclass(frozen=True)
class Content:
    """Exercises in their order.

    Attributes
    ----------
    exercises : tuple of Task
        At least one.
    """

    exercises: tuple[Task, ...]

    def __post_init__(self) -> None:
        if not self.exercises:
            raise SettingError("A sheet needs at least one exercise.")

    @property
    def language(self) -> str:
        """Return the language of the words around the exercises."""
        return self.exercises[0].language


def heading(sheet: Content, number: int) -> str:
    """Return what stands above an exercise, counted from 0."""
    task = sheet.exercises[number]
    key = "numbered" if len(sheet.exercises) > 1 else "exercise"
    words = wording_of(task.language)
    return words[key].format(number=number + 1, level=task.level, title=task.title)


def rules(task: Task) -> list[str]:
    """Return the conventions as sentences, formulas between backticks."""
    words, network, loss = wording_of(task.language), task.step.network, task.given["loss"]
    with_b = task.rules.bias
    keys = ["forward rule" if with_b else "forward rule without b", "weights rule"]
    names = {row.name for row in network.activations} | {network.loss.output}
    keys += [f"{name} rule" for name in ("relu", "tanh", "sigmoid", "softmax") if name in names]
    formula = _LOSSES[loss] + (" + λ₂ / 2 Σ W²" if network.l2 else "")
    sentences = [words[key] for key in keys] + [words["loss rule"].format(formula=formula)]
    if task.rules.n_samples > 1:
        sentences.append(words["mean rule"].format(count=task.rules.n_samples))
    if network.l2:
        sentences.append(words["penalty rule"])
    sentences.append(words["step rule with b" if with_b else "step rule"])
    return sentences


def reproduction(task: Task) -> str:
    """Return what makes the same exercise again, and the version that does."""
    words = wording_of(task.language)
    again = words["again"].format(level=task.level, seed=task.seed)
    return f"{again} ({words['made by'].format(version=__version__)})"


def given_numbers(task: Task) -> list[Given]:
    """Return what is given: the batch, the parameters by layer, the settings."""
    given = task.given
    found = [(Ref("x"), _rows(given["x"]))]
    for number, layer in enumerate(given["layers"], start=1):
        found += [(Ref(name, number), _rows(layer[name])) for name in ("W", "b") if name in layer]
    found += [(Ref("targets"), _rows(given["targets"]))]
    names = ("learning_rate", "l2")
    return found + [(Ref(name), _rows(given[name])) for name in names if name in given]


def helping_numbers(task: Task) -> list[Given]:
    """Return what is told, although it has to be worked out."""
    return [(read_ref(key), _shown(np.array(task.texts(key), dtype=object))) for key in task.helps]


def answers(task: Task) -> Iterator[tuple[str, list[Line]]]:
    """Yield what belongs on the key, phase by phase: a heading, and lines of the derivation."""
    words = words_of(task.language)
    lines = task.lines.to_all(task.asked_ids)
    for phase, group in groupby(lines, key=lambda line: line.step.phase):
        yield words[phase], list(group)


def _rows(values: Any) -> list[list[str]]:
    array: npt.NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    return _shown(np.vectorize(lambda v: number_text(float(v), _MOST_DIGITS))(array))


def _shown(texts: npt.NDArray[Any]) -> list[list[str]]:
    return [[str(text) for text in row] for row in np.atleast_2d(texts)]
