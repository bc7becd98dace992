"""Softmax beside sigmoid, on the same scores: values, sums, Jacobians, and how they are related.

Softmax makes k scores into k probabilities that share one whole; the sigmoid makes each score
into a probability of its own. With k = 2, softmax is the sigmoid of the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.characters import escaped
from deltaprop.errors import DataError, SettingError
from deltaprop.explaining.derivation.sums import shortened
from deltaprop.explaining.document.blocks import (
    Cell,
    Document,
    Lines,
    Section,
    Sentence,
    Shown,
    Table,
)
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import words_of
from deltaprop.explaining.renderers.registry import InEveryForm
from deltaprop.functional.activations import sigmoid
from deltaprop.functional.arithmetic import parse
from deltaprop.functional.expressions import Expression, Operand, Quotient, times
from deltaprop.functional.outputs import softmax
from deltaprop.masked import refuse_masked
from deltaprop.notation.chart import Bars, Curve
from deltaprop.notation.digits import line_of, number_text
from deltaprop.notation.ids import Ref
from deltaprop.notation.steps import DerivationStep
from deltaprop.notation.unicode import symbol_of

__all__ = ["SoftmaxBesideSigmoid"]

Array = npt.NDArray[np.float64]

_LARGEST_SCORE = 700.0  # exp overflows from 709 on
_MOST_SCORES = 1000
_MOST_BARS = 20
_FAR, _POINTS = 6.0, 81  # of the curve of the sigmoid
_MOST_JACOBIAN = 6  # rows of a matrix that are still read


def _operands(name: str, values: Array) -> list[Operand]:
    return [Operand(f"{name}[{i}]", float(v)) for i, v in enumerate(values)]


def _step(
    name: str, index: tuple[int, ...], formula: str, value: float, **names: Expression
) -> DerivationStep:
    return DerivationStep(Ref(name, 0, index), parse(formula, names), float(value))


def _sum(name: str, values: Array) -> DerivationStep:
    terms: list[tuple[Expression, float]] = [(o, o.value) for o in _operands(name, values)]
    return DerivationStep(Ref(f"{name}_sum"), shortened(terms), float(values.sum()))


@dataclass(frozen=True, repr=False)
class SoftmaxBesideSigmoid(InEveryForm):
    """Both functions on the same scores.

    Parameters
    ----------
    scores : sequence of float
        z, the logits of one row.
    names : sequence of str
        What the scores belong to: the classes.
    target : int, optional
        The class that is true; with it the gradients of the losses are shown too.
    """

    scores: tuple[float, ...]
    names: tuple[str, ...] = ()
    target: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "names", tuple(escaped(name.replace("\n", " ")) for name in self.names)
        )
        refuse_masked(self.scores, "scores")
        z = np.asarray(self.scores, dtype=np.float64)
        if z.ndim != 1 or not 1 <= len(z) <= _MOST_SCORES or not np.isfinite(z).all():
            found = f"{len(z):,} numbers" if z.ndim == 1 else f"an array of {z.ndim} axes"
            if z.ndim == 1 and 1 <= len(z) <= _MOST_SCORES:
                found = ", ".join(map(str, self.scores[:8])) + (", ..." if len(z) > 8 else "")
            raise DataError(f"The scores are {found}; expected 1 to 1,000 finite numbers.")
        if np.abs(z).max() > _LARGEST_SCORE:
            raise DataError(
                f"A score is {z[np.argmax(np.abs(z))]:g}; beyond {_LARGEST_SCORE:g} its "
                "exponential is no float64. Take the largest score off all of them: softmax stays "
                "the same."
            )
        if self.names and len(self.names) != len(z):
            raise SettingError(f"{len(self.names)} names for {len(z)} scores.")
        if self.target is not None and not 0 <= self.target < len(z):
            raise SettingError(f"The true class is {self.target}; it is from 0 to {len(z) - 1}.")

    @cached_property
    def z(self) -> Array:
        """Return the scores."""
        return np.asarray(self.scores, dtype=np.float64)

    @cached_property
    def p(self) -> Array:
        """Return softmax(z)."""
        values: Array = softmax(self.z[None])[0]
        return values

    @cached_property
    def s(self) -> Array:
        """Return the sigmoid of each score."""
        values: Array = sigmoid(self.z)
        return values

    def jacobian(self) -> Array:
        """Return dp_i/dz_j = p_i ([i = j] - p_j): every score moves every probability."""
        jacobian: Array = np.diag(self.p) - np.outer(self.p, self.p)
        return jacobian

    # lines

    def value_steps(self) -> Iterator[DerivationStep]:
        """Yield softmax and sigmoid of every score, and their sums."""
        z = _operands("z", self.z)
        powers = [(parse("exp(z)", {"z": o}), float(np.exp(o.value))) for o in z]
        for i, (power, _) in enumerate(powers):
            yield DerivationStep(
                Ref("softmax", 0, (i,)), Quotient(power, shortened(powers)), self.p[i]
            )
        yield _sum("softmax", self.p)
        for i, o in enumerate(z):
            yield _step("sigmoid", (i,), "1 / (1 + exp(-z))", self.s[i], z=o)
        yield _sum("sigmoid", self.s)

    def jacobian_steps(self) -> Iterator[DerivationStep]:
        """Yield the entries of both Jacobians that are not 0: ds_i/dz_i is s_i (1 - s_i)."""
        p = _operands("softmax", self.p)
        for i, j in np.ndindex(len(p), len(p)):
            formula = "p * (1 - q)" if i == j else "p * (0 - q)"
            yield _step("jacobian", (i, j), formula, self._entry(i, j).value, p=p[i], q=p[j])
        for i, s in enumerate(_operands("sigmoid", self.s)):
            yield _step("sigmoid_slope", (i,), "s * (1 - s)", s.value * (1 - s.value), s=s)

    def loss_step(self) -> DerivationStep | None:
        """Return the cross-entropy of the true class: -log p, or log of the sum where p is 0."""
        if self.target is None:
            return None
        c, p = self.target, _operands("softmax", self.p)[self.target]
        if p.value >= np.finfo(np.float64).tiny:
            return _step("loss", (), "-log(p)", -np.log(p.value), p=p)
        powers = [(parse("exp(z)", {"z": o}), float(np.exp(o.value))) for o in self._scores]
        value = np.log(np.exp(self.z).sum()) - self.z[c]
        return _step("loss", (), "log(s) - z", value, s=shortened(powers), z=self._scores[c])

    @property
    def _scores(self) -> list[Operand]:
        return _operands("z", self.z)

    def cancelled_steps(self) -> Iterator[DerivationStep]:
        """Yield dL/dz of cross-entropy: p - t."""
        for j, own in enumerate(_operands("softmax", self.p)):
            formula = "p - 1" if j == self.target else "p - 0"
            yield _step("cancelled_delta", (j,), formula, own.value - (j == self.target), p=own)

    def gradient_steps(self) -> Iterator[DerivationStep]:
        """Yield dL/dz of cross-entropy: through the whole Jacobian, and cancelled to p - t."""
        if self.target is None or self.p[self.target] == 0:
            return
        c, p = self.target, _operands("softmax", self.p)
        upstream = Operand(f"softmax_upstream[{c}]", -1.0 / p[c].value)
        yield _step("softmax_upstream", (c,), "-(1 / p)", upstream.value, p=p[c])
        for j, cancelled in enumerate(self.cancelled_steps()):
            product = times(upstream, self._entry(c, j))
            yield DerivationStep(Ref("softmax_delta", 0, (j,)), product, cancelled.value)
            yield cancelled

    def squared_steps(self) -> Iterator[DerivationStep]:
        """Yield dL/dz of half squared error on softmax: the Jacobian does not cancel."""
        if self.target is None:
            return
        slopes = _operands("squared_upstream", self.p - np.eye(len(self.p))[self.target])
        for i, p in enumerate(_operands("softmax", self.p)):
            formula = "p - 1" if i == self.target else "p - 0"
            yield _step("squared_upstream", (i,), formula, slopes[i].value, p=p)
        jacobian = self.jacobian()
        for j in range(len(slopes)):
            terms: list[tuple[Expression, float]] = []
            value = 0.0
            for i, slope in enumerate(slopes):
                entry = Operand(f"jacobian[{i},{j}]", float(jacobian[i, j]))
                terms.append((times(slope, entry), slope.value * entry.value))
                value += terms[-1][1]
            yield DerivationStep(Ref("squared_delta", 0, (j,)), shortened(terms), value)

    def _entry(self, i: int, j: int) -> Operand:
        return Operand(f"jacobian[{i},{j}]", float(self.p[i] * ((i == j) - self.p[j])))

    def difference_step(self) -> DerivationStep | None:
        """Return, for two scores, softmax as the sigmoid of their difference."""
        if len(self.z) != 2:
            return None
        (z0, z1), formula = _operands("z", self.z), "1 / (1 + exp(-(z0 - z1)))"
        return _step("softmax_of_difference", (0,), formula, self.p[0], z0=z0, z1=z1)

    # the forms

    def document(self, style: Style, *, most: int = 0, shortened: bool = False) -> Document:
        """Return values, sums, Jacobians, gradients, and how the two are related.

        Nothing here is left out for its length.
        """
        words = words_of(style.language)

        def described(name: str, steps: Iterable[DerivationStep]) -> Section:
            lines = tuple(line_of(step, style.digits) for step in steps)
            return Section(name, words[name], (Lines(lines),))

        few = len(self.z) <= _MOST_JACOBIAN
        through = list(self.gradient_steps()) if few else []
        sections = [Section("scores", "", (self._table(style), *self._bars(style)))]
        general = [Sentence(words["softmax formula"]), Sentence(words["sigmoid formula"])]
        if self.target is not None:
            general.append(Sentence(words["cross-entropy formula"]))
        sections.append(Section("softmax general", words["softmax general"], tuple(general)))
        sections.append(described("softmax values", self.value_steps()))
        if (loss := self.loss_step()) is not None:
            steps = [loss, *(() if through else self.cancelled_steps())]
            sections.append(described("softmax loss", steps))
        if few:
            sections.append(described("softmax jacobians", self.jacobian_steps()))
        if through:
            sections.append(described("softmax cancels", through))
        if few and self.target is not None:
            sections.append(described("softmax squared", self.squared_steps()))
        sections.append(Section("softmax apart", "", (Sentence(words["softmax apart"]),)))
        if (difference := self.difference_step()) is not None:
            sections.append(described("softmax of two", [difference]))
        if len(self.z) > 1:
            sections.append(Section("softmax curve", words["softmax curve"], (self._curve(style),)))
        return Document(
            words["softmax title"], (), tuple(sections), style, n_samples=len(self.z) + 1
        )

    def _table(self, style: Style) -> Table:
        words = words_of(style.language)
        columns = [self.z, self.p, self.s]
        head = [words["of score"], "z", "softmax", "sigmoid"]
        if self.target is not None:
            columns.append(self.p - np.eye(len(self.p))[self.target])
            head.append("p - t")
        rows: list[tuple[Cell, ...]] = []
        for i, values in enumerate(zip(*columns, strict=True)):
            name = self.names[i] if self.names else Ref("z", 0, (i,))
            numbers = (Shown(number_text(float(v), style.digits)) for v in values)
            rows.append((name, *numbers, "← t" if i == self.target else ""))
        sums = (Shown(number_text(float(v.sum()), style.digits)) for v in (self.p, self.s))
        rows.append(("Σ", "", *sums, *[""] * (len(columns) - 2)))
        return Table((*head, words["target"]), tuple(rows))

    def _bars(self, style: Style) -> Iterator[Bars]:
        """Yield a bar for each score: its share of the whole, and what the sigmoid makes of it."""
        words = words_of(style.language)
        for key, values in (("softmax bars", self.p), ("sigmoid bars", self.s)):
            yield Bars(
                words[key],
                tuple(self._called(i) for i in range(min(len(self.z), _MOST_BARS))),
                tuple(values[:_MOST_BARS].tolist()),
                tuple(number_text(float(v), 3) for v in values[:_MOST_BARS]),
            )

    def _called(self, i: int) -> str:
        return self.names[i] if self.names else symbol_of(Ref("z", 0, (i,)), len(self.z) + 1)

    def _curve(self, style: Style) -> Curve:
        """Return the sigmoid over the difference of the first two scores, theirs marked."""
        words = words_of(style.language)
        at = float(self.z[0] - self.z[1])
        x = np.linspace(-1, 1, _POINTS) * max(_FAR, 1.2 * abs(at))
        key = "curve of two" if len(self.z) == 2 else "curve among two"
        mark = (at, float(sigmoid(np.array([at]))[0]))
        return Curve(words[key], tuple(x.tolist()), tuple(sigmoid(x).tolist()), "z₁ - z₂", mark)
