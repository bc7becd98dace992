"""The same step again and again until it is learnt: how the loss, outputs and weights go."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError, shown
from deltaprop.explaining.document.blocks import (
    Block,
    Cell,
    Document,
    Section,
    Sentence,
    Shown,
    Table,
)
from deltaprop.explaining.document.labels import naming_of
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.explanation import Explanation, explain
from deltaprop.explaining.language import LANGUAGES, words_of
from deltaprop.explaining.renderers.registry import InEveryForm
from deltaprop.model.backprop import Trace
from deltaprop.notation.chart import Curve
from deltaprop.notation.digits import number_text
from deltaprop.notation.ids import Ref, no_such_bias, read_ref
from deltaprop.notation.naming import Naming

__all__ = ["Measure", "Repeated", "repeat"]

_MOST_STEPS = 10_000
_MOST_ROWS = 25  # of the table
_MOST_COLUMNS = 5  # of outputs and weights
_MOST_OUTPUTS = 3


@dataclass(frozen=True)
class Measure:
    """When it is learnt.

    Parameters
    ----------
    kind : {"difference", "loss"}
        The largest |a - t| of all outputs, or the loss.
    limit : float
        It is learnt at this or less.
    """

    kind: str = "difference"
    limit: float = 0.01

    @classmethod
    def read(cls, text: str) -> Measure | None:
        """Return what "0.01", "loss=0.001" or "none" says; raise SettingError on anything else."""
        kind, _, number = text.strip().rpartition("=")
        if text.strip() == "none":
            return None
        try:
            limit = float(number)
        except ValueError:
            limit = math.nan
        if kind not in ("", "loss", "difference") or not 0 <= limit < math.inf:
            raise SettingError(
                f"until is {text!r}; write how far the outputs may be from their targets, like "
                "0.01, or loss=0.001, or none."
            )
        return cls(kind or "difference", limit)

    def of(self, trace: Trace) -> float:
        """Return how far a pass is from what is to be learnt."""
        if self.kind == "loss":
            return trace.loss
        return float(np.abs(trace.a[-1] - trace.targets).max())


@dataclass(frozen=True)
class _Row:
    """What is told of the pass after some steps."""

    loss: float
    measured: float
    outputs: tuple[float, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class Repeated(InEveryForm):
    """A step that is taken again and again, until it is learnt.

    Attributes
    ----------
    first : Explanation
        The first step.
    n_steps : int
        At most so many.
    until : Measure, optional
        When it is learnt; without one all steps are taken.
    watched : tuple of (str, Ref)
        The parameters in the table, and what they are called; "" for their symbol.
    """

    first: Explanation
    n_steps: int
    until: Measure | None
    watched: tuple[tuple[str, Ref], ...]

    def explanations(self) -> Iterator[Explanation]:
        """Yield every step, until it is learnt, or the numbers are beyond all floats."""
        step, done = self.first, 0
        while True:
            if self.is_learnt(step.trace):
                return
            yield step
            done += 1
            if done == self.n_steps:
                return
            try:
                step = self._next(step, done)
            except DataError:  # its message says which number is no number any more
                return

    def _next(self, step: Explanation, done: int) -> Explanation:
        (trace, reduction), update = step.as_given, step.update
        return explain(
            trace.network, update.after.parameters, trace.a[0], trace.targets,
            optimizer=update.rule, state=update.new_state, step=done, n_steps=self.n_steps,
            train_biases=update.train_biases, sample_weight=self._weights, reduction=reduction,
            convention=step.written.asked, names=step.names,
        )  # fmt: skip

    @property
    def _weights(self) -> npt.NDArray[np.float64] | None:
        shares = self.first.as_given[0].shares
        equal = np.all(shares == shares[0])
        return None if equal else shares

    def is_learnt(self, trace: Trace) -> bool:
        """Return whether a pass is as near to the targets as was asked for."""
        return self.until is not None and self.until.of(trace) <= self.until.limit

    @cached_property
    def rows(self) -> tuple[_Row, ...]:
        """Return what is told of the start and of every step after it."""
        rows = [self._row(self.first.trace)]
        rows += (self._row(step.update.after) for step in self.explanations())
        while len(rows) > 1 and not math.isfinite(rows[-1].loss):
            rows.pop()
        return tuple(rows)

    def _row(self, trace: Trace) -> _Row:
        layers = trace.parameters.layers
        return _Row(
            self.first.written.shown(trace).loss,
            (self.until or Measure()).of(trace),
            tuple(float(v) for v in trace.a[-1].ravel()),
            tuple(float(layers[r.layer - 1][r.quantity][r.index]) for _, r in self.watched),
        )

    @property
    def n_taken(self) -> int:
        """Return how many steps were taken."""
        return len(self.rows) - 1

    @property
    def learnt(self) -> bool:
        """Return whether it is learnt after the last step."""
        return self.until is not None and self.rows[-1].measured <= self.until.limit

    def step(self, number: int) -> Explanation:
        """Return one of the steps with every number accounted for, counted from 1.

        Raises
        ------
        SettingError
            When it was not taken.
        """
        for k, step in enumerate(self.explanations(), start=1):
            if k == number and k <= self.n_taken:
                return replace(step, names=replace(step.names, **self._titles(number)))
        steps = "none was taken" if not self.n_taken else f"steps 1 to {self.n_taken} were taken"
        raise SettingError(f"There is no step {number}: {steps}.")

    def _titles(self, number: int) -> dict[str, Any]:
        names = self.first.names
        titles = {
            language: words_of(language)["of step"].format(
                number=number, title=names.title_in(language) or words_of(language)["document"]
            )
            for language in LANGUAGES
        }
        return {"title": titles["en"], "titles": titles}

    # what is said

    def sentence(self, style: Style) -> str:
        """Return whether it was learnt, after how many steps, and by what measure."""
        words, n = words_of(style.language), self.n_taken
        count = words["one step"] if n == 1 else words["steps"].format(count=f"{n:,}")
        if n < self.n_steps and not self.learnt:
            return words["diverged"].format(count=count)
        if self.until is None:
            return words["all steps"].format(count=count)
        measure = words[f"{self.until.kind} measure"].format(
            found=number_text(self.rows[-1].measured, 3), limit=f"≤ {self.until.limit:g}"
        )
        said = (
            "learnt at once" if self.learnt and not n else "learnt" if self.learnt else "not learnt"
        )
        return words[said].format(count=count, measure=measure)

    def document(self, style: Style, *, most: int = 0, shortened: bool = False) -> Document:
        """Return a table of the steps, the curve of the loss, and when it was learnt."""
        words = words_of(style.language)
        conventions = self.first.document(replace(style, detail="overview"), most=0).conventions
        naming = naming_of(self.first.names, self.first.trace.network, style, self.first.written)
        table, places = self._table(style, naming)
        blocks: list[Block] = [Sentence(self.sentence(style)), table]
        if len(places) < len(self.rows):
            shown = {"shown": len(places), "count": f"{len(self.rows):,}"}
            blocks.append(Sentence(words["some steps"].format(**shown)))
        if self.n_taken:
            blocks += [self._curve(words), Sentence(words["any step"].format(count=self.n_taken))]
        return Document(
            title=self.first.names.title_in(style.language) or words["document"],
            conventions=conventions,
            sections=(Section("repeated", words["repeated"], tuple(blocks)),),
            style=style,
            n_samples=len(self.first.trace.a[0]),
            naming=naming,
            worked=self.first,
            data=self.to_dict(),
        )

    def _table(self, style: Style, naming: Naming) -> tuple[Table, list[int]]:
        n_out = min(_MOST_OUTPUTS, len(self.rows[0].outputs))
        layer, width = len(self.first.trace.z), self.first.trace.network.n_out
        outputs = [Ref("a", layer, divmod(place, width)) for place in range(n_out)]
        own = {ref: name for name, ref in self.watched if name and not naming.single}
        weights: list[Cell] = [own.get(ref, ref) for _, ref in self.watched]
        places = sorted({round(p) for p in np.linspace(0, self.n_taken, _MOST_ROWS)})

        rows: list[tuple[Cell, ...]] = []
        for k in places:
            row = self.rows[k]
            values = (row.loss, *row.outputs[:n_out], *row.weights)
            rows.append((str(k), *(Shown(number_text(value, style.digits)) for value in values)))
        words = words_of(style.language)
        return Table((words["step number"], Ref("loss"), *outputs, *weights), tuple(rows)), places

    def _curve(self, words: Mapping[str, str]) -> Curve:
        x = tuple(float(k) for k in range(len(self.rows)))
        curve = Curve(
            words["curve of loss"], x, tuple(row.loss for row in self.rows), words["step number"]
        )
        if curve.is_logarithmic:
            return replace(curve, title=words["logarithmic"].format(title=curve.title))
        return curve

    def to_dict(self) -> dict[str, Any]:
        """Return the steps as plain data."""
        network = self.first.trace.network
        names = [ref.id for _, ref in self.watched]
        until = self.until
        return {
            "title": self.first.names.title,
            "learnt": self.learnt,
            "n_steps": self.n_taken,
            "at_most": self.n_steps,
            "watched": [[name, ref.id] for name, ref in self.watched],
            "until": None if until is None else {"measure": until.kind, "limit": until.limit},
            "repeated": [
                {
                    "step": k,
                    "loss": row.loss,
                    "measured": row.measured,
                    "outputs": np.reshape(row.outputs, (-1, network.n_out)).tolist(),
                    "parameters": dict(zip(names, row.weights, strict=True)),
                }
                for k, row in enumerate(self.rows)
            ],
        }


def repeat(
    first: Explanation,
    n_steps: int = 20,
    *,
    until: float | str | Measure | None = 0.01,
    watch: Sequence[str | tuple[str, Ref]] | None = None,
    symbols: Mapping[str, str] | None = None,
) -> Repeated:
    """Take a step again and again until it is learnt.

    Parameters
    ----------
    first : Explanation
        The first step: with its optimizer, its state and its batch the others are taken.
    n_steps : int
        At most so many.
    until : float, str or Measure, optional
        How far the outputs may be from their targets; "loss=0.001" for the loss; None takes all
        steps.
    watch : sequence of str, or of (str, Ref), optional
        Parameters for the table, by id ("W1[0,2]") or with a name of their own; those of the
        largest gradients when left out.
    symbols : mapping, optional
        What parameters are called, by id, where nobody chose any.

    Returns
    -------
    Repeated
        Read it with ``to_terminal()``; ``step(7)`` is one of the steps in full.

    Raises
    ------
    SettingError
        When a setting is out of its range, or the step drops numbers at random.
    """
    if not 1 <= n_steps <= _MOST_STEPS:
        raise SettingError(f"The steps are {n_steps:,}; expected 1 to {_MOST_STEPS:,}.")
    if any(mask is not None for mask in first.trace.masks):
        raise SettingError("A step with dropout cannot be repeated: each draws masks of its own.")
    measure = until
    if isinstance(until, str):
        measure = Measure.read(until)
    elif isinstance(until, int | float):
        measure = Measure.read(str(until))
    n_out = min(_MOST_OUTPUTS, first.trace.a[-1].size)
    if watch is None:
        called = symbols or {}
        chosen = _strongest(first, _MOST_COLUMNS - n_out)
        order = [*called]  # an example has its symbols in the order in which it tells them
        chosen.sort(key=lambda ref: order.index(ref.id) if ref.id in called else len(order))
        watch = [(called.get(ref.id, ""), ref) for ref in chosen]
    assert measure is None or isinstance(measure, Measure)
    named = tuple(("", _parameter(first, w)) if isinstance(w, str) else w for w in watch)
    return Repeated(first, n_steps, measure, named)


def _parameter(first: Explanation, name: str) -> Ref:
    """Return the parameter that an id names; raise SettingError where the network has none."""
    ref = read_ref(name)
    layout = first.trace.network.layout
    slots = {(slot.name, slot.layer + 1): slot.shape for slot in layout.slots}
    shape = slots.get((ref.quantity, ref.layer), ())
    inside = shape and len(ref.index) == len(shape) and not ref.after
    if not inside or any(i >= n for i, n in zip(ref.index, shape, strict=True)):
        raise SettingError(f"{shown(name)} is no parameter of this network, such as W1[0,0].")
    if ref.index[-1] in layout.lacks(ref.layer, ref.quantity):
        raise no_such_bias(ref)
    return ref


def _strongest(first: Explanation, n: int) -> list[Ref]:
    """Return the parameters with the largest gradients, in their order."""
    layout, gradients = first.trace.network.layout, np.abs(first.trace.gradients.flat)
    order = np.argsort(-gradients[layout.places], kind="stable")[:n]
    refs = []
    for place in np.sort(layout.places[order]).tolist():
        slot = next(slot for slot in layout.slots if place < slot.stop)
        index = tuple(int(i) for i in np.unravel_index(place - slot.start, slot.shape))
        refs.append(Ref(slot.name, slot.layer + 1, index))
    return refs
