"""What a document about a step says, in order; a renderer only chooses how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.explaining.columns import cells
from deltaprop.explaining.digits import Line, number_text
from deltaprop.explaining.language import words_of
from deltaprop.explaining.matrices import Equation, equations
from deltaprop.explaining.names import Ref
from deltaprop.explaining.unicode import NOTATIONS

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["Fact", "Node", "Outline", "TableLayer"]

Array = npt.NDArray[np.float64]

_DETAILS = ("overview", "layers", "neurons")
_MOST_NODES = 8  # of a layer, in the overview
_MOST_NUMBERS = 400  # that are told one by one when nobody asked for them
_LONGEST_NAME = 40  # columns


@dataclass(frozen=True)
class Node:
    """A neuron in the overview, its numbers as they are displayed.

    Attributes
    ----------
    ref : Ref
        Its value: an input or an activation.
    name : str
        What the user calls it.
    z, a, delta : str
        Its numbers; "" where it has none.
    """

    ref: Ref
    name: str
    z: str
    a: str
    delta: str


@dataclass(frozen=True)
class TableLayer:
    """A layer in the overview: the strongest of its neurons, and how many more there are."""

    title: str
    nodes: tuple[Node, ...]
    more: int


@dataclass(frozen=True)
class Fact:
    """A number with what it is."""

    label: str
    value: str
    note: str = ""


class Outline:
    """The parts of a document.

    Parameters
    ----------
    explanation : Explanation
        The step.
    digits : int
        Significant digits.
    language : {"en", "zh"}
        Of the words.
    notation : {"standard", "tutorial"}
        Of the symbols.
    detail : {"overview", "layers", "neurons"}, optional
        One altitude; all when left out.

    Raises
    ------
    SettingError
        When one of them is unknown.
    """

    def __init__(
        self,
        explanation: Explanation,
        digits: int,
        language: str,
        notation: str,
        detail: str | None,
    ) -> None:
        if detail is not None and detail not in _DETAILS:
            raise SettingError(f"detail is {detail!r}; it is one of {', '.join(_DETAILS)}.")
        if not 1 <= digits <= 17:
            raise SettingError(f"digits is {digits!r}; it is from 1 to 17.")
        if notation not in NOTATIONS:
            raise SettingError(f"notation is {notation!r}; it is one of {', '.join(NOTATIONS)}.")
        self.explanation = explanation
        self.trace = explanation.trace
        self.digits = digits
        self.words = words_of(language)
        self.language = language
        self.notation = notation
        self.detail = detail
        self.n_samples = len(self.trace.a[0])

    def number(self, value: float) -> str:
        """Return a number with the chosen digits."""
        return number_text(value, self.digits)

    @property
    def title(self) -> str:
        """Return what is explained."""
        return self.explanation.names.title or self.words["document"]

    def conventions(self) -> list[str]:
        """Return the sentences that stand above everything."""
        network, words, update = self.trace.network, self.words, self.explanation.update
        over = self.explanation.reduction if self.n_samples > 1 else "one sample"
        loss, mean = network.loss_name.replace("_", " "), words[over].format(count=self.n_samples)
        shape, _, _ = network.describe().rpartition(", " + network.loss_name)
        parameters = f"{network.n_parameters:,}"
        name = getattr(update.rule, "name", type(update.rule).__name__).replace("_", " ")
        rule = words["step"].format(optimizer=name, rate=self.number(update.learning_rate))
        sentences = [
            words["shape"].format(shape=shape.replace("->", "→"), count=parameters),
            words["conventions"].format(loss=loss, mean=mean),
            rule,
        ]
        if network.l2 or network.l1:
            sentences.append(words["penalties"])
        if not update.train_biases:
            sentences.append(words["biases stay"])
        return sentences

    def sections(self) -> list[str]:
        """Return the altitudes to show, in the order the tutorial teaches."""
        if self.detail is not None:
            return [self.detail]
        if self.explanation.wanted:
            return ["neurons"]
        told = self.explanation.n_numbers <= _MOST_NUMBERS
        return ["overview", "layers", "neurons"] if told else ["overview", "layers"]

    @property
    def left_out(self) -> str:
        """Return the sentence that says that the neurons are shown on request; "" if they are."""
        if "neurons" in self.sections() or self.detail is not None:
            return ""
        return self.words["shown on request"].format(count=f"{self.explanation.n_numbers:,}")

    @property
    def selected(self) -> str:
        """Return the sentence that says that only the strongest numbers are told; "" if all."""
        if not self.explanation.is_large or self.explanation.wanted:
            return ""
        return self.words["strongest"].format(
            shown=f"{len(self.explanation.steps):,}", count=f"{self.explanation.n_numbers:,}"
        )

    # overview

    @property
    def sample_note(self) -> str:
        """Return which sample the overview shows; "" where there is only one."""
        return self.words["sample"].format(number=1) if self.n_samples > 1 else ""

    def layers(self) -> Iterator[TableLayer]:
        """Yield the inputs and every layer, with the numbers of the first sample."""
        trace, words, names = self.trace, self.words, self.explanation.names
        network = trace.network
        yield self._layer(words["inputs"], "x", 0, names.inputs)
        for layer in range(1, len(trace.z) + 1):
            if layer == len(trace.z):
                title = words["output"].format(activation=network.loss.output)
                yield self._layer(title, "a", layer, names.outputs)
            else:
                f = network.activations[layer - 1].name
                yield self._layer(words["layer"].format(number=layer, activation=f), "a", layer, ())

    def _layer(self, title: str, quantity: str, layer: int, names: tuple[str, ...]) -> TableLayer:
        values = self.trace.a[layer][0]
        z = self.trace.z[layer - 1][0] if layer else None
        delta = self.trace.delta[layer - 1][0] if layer else None
        order = list(range(len(values)))
        if len(values) > _MOST_NODES:
            strength = np.abs(values if delta is None else delta)
            order = sorted(int(j) for j in np.argsort(-strength, kind="stable")[: _MOST_NODES - 1])
        nodes = tuple(
            Node(
                Ref(quantity, layer, (0, j)),
                _clipped(names[j]) if names else "",
                "" if z is None else self.number(float(z[j])),
                self.number(float(values[j])),
                "" if delta is None else self.number(float(delta[j])),
            )
            for j in order
        )
        return TableLayer(title, nodes, len(values) - len(nodes))

    def targets(self) -> str:
        """Return the targets of the first sample."""
        t = self.trace.targets[0]
        shown = ", ".join(self.number(float(v)) for v in t[:_MOST_NODES])
        return shown + (", …" if len(t) > _MOST_NODES else "")

    # layers and neurons

    def equations(self) -> Iterator[tuple[str, list[Equation]]]:
        """Yield the matrix equations, phase by phase."""
        for phase, group in groupby(
            equations(self.explanation, self.digits), key=lambda equation: equation.phase
        ):
            yield phase, list(group)

    def lines(self) -> Iterator[tuple[str, list[Line]]]:
        """Yield the arithmetic of the numbers, phase by phase."""
        for phase, group in groupby(
            self.explanation.lines(self.digits), key=lambda line: line.step.phase
        ):
            yield phase, list(group)

    def named(self, ref: Ref) -> Ref:
        """Return what a number is called: the loss of the only sample is the loss."""
        if ref.quantity == "loss" and self.explanation.derivation.loss_is_of_one_sample():
            return Ref("loss", after=ref.after)
        return ref

    # promise and fact

    def promise(self) -> list[Fact]:
        """Return what the step promised and what it brought; nothing where part of it is told."""
        e, words = self.explanation, self.words
        if e.wanted:
            return []
        return [
            Fact(words["loss before"], self.number(e.trace.loss)),
            Fact(words["loss after"], self.number(e.update.after.loss)),
            Fact(words["promised"], self.number(e.predicted_change), words["gradient times step"]),
            Fact(words["brought"], self.number(e.actual_change)),
        ]


def _clipped(name: str) -> str:
    if cells(name) <= _LONGEST_NAME:
        return name
    while cells(name) >= _LONGEST_NAME:
        name = name[:-1]
    return name + "…"
