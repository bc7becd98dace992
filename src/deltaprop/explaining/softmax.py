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
from deltaprop.notation.digits import line_of, number_text
from deltaprop.notation.ids import Ref
from deltaprop.notation.steps import Step

__all__ = ["SoftmaxBesideSigmoid"]

Array = npt.NDArray[np.float64]

_LARGEST_SCORE = 700.0  # exp overflows from 709 on
_MOST_SCORES = 1000
_MOST_JACOBIAN = 6  # rows of a matrix that are still read


@dataclass(frozen=True)
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

    def sigmoid_jacobian(self) -> Array:
        """Return ds_i/dz_j = s_i (1 - s_i) where i = j, else 0: each score moves its own."""
        return np.diag(self.s * (1.0 - self.s))

    # lines

    def value_steps(self) -> Iterator[Step]:
        """Yield softmax and sigmoid of every score, and their sums."""
        z = [Operand(f"z[{i}]", float(v)) for i, v in enumerate(self.z)]
        powers = [(parse("exp(z)", {"z": o}), float(np.exp(o.value))) for o in z]
        for i, (power, _) in enumerate(powers):
            yield Step(Ref("softmax", 0, (i,)), Quotient(power, shortened(powers)), self.p[i])
        yield self._sum("softmax", self.p)
        for i, o in enumerate(z):
            formula = parse("1 / (1 + exp(-z))", {"z": o})
            yield Step(Ref("sigmoid", 0, (i,)), formula, self.s[i])
        yield self._sum("sigmoid", self.s)

    def jacobian_steps(self) -> Iterator[Step]:
        """Yield the entries of both Jacobians that are not 0."""
        p = [Operand(f"softmax[{i}]", float(v)) for i, v in enumerate(self.p)]
        for i, j in np.ndindex(len(p), len(p)):
            formula = "p * (1 - q)" if i == j else "p * (0 - q)"
            value = float(self.p[i] * ((i == j) - self.p[j]))
            expression = parse(formula, {"p": p[i], "q": p[j]})
            yield Step(Ref("jacobian", 0, (int(i), int(j))), expression, value)
        for i, v in enumerate(self.s):
            own = Operand(f"sigmoid[{i}]", float(v))
            yield Step(
                Ref("sigmoid_slope", 0, (i,)), parse("s * (1 - s)", {"s": own}), float(v * (1 - v))
            )

    def gradient_steps(self) -> Iterator[Step]:
        """Yield dL/dz of cross-entropy: through the whole Jacobian, and cancelled to p - t."""
        if self.target is None or self.p[self.target] == 0:
            return
        c = self.target
        true = Operand(f"softmax[{c}]", float(self.p[c]))
        upstream = -1.0 / true.value
        yield Step(Ref("softmax_upstream", 0, (c,)), parse("-(1 / p)", {"p": true}), upstream)
        for j in range(len(self.p)):
            left = Operand(f"softmax_upstream[{c}]", upstream)
            right = Operand(f"jacobian[{c},{j}]", float(self.p[c] * ((c == j) - self.p[j])))
            value = float(self.p[j] - (c == j))
            yield Step(Ref("softmax_delta", 0, (j,)), times(left, right), value)
            p = Operand(f"softmax[{j}]", float(self.p[j]))
            formula = parse("p - 1" if j == c else "p - 0", {"p": p})
            yield Step(Ref("cancelled_delta", 0, (j,)), formula, value)

    def squared_steps(self) -> Iterator[Step]:
        """Yield dL/dz of half squared error on softmax: the Jacobian does not cancel."""
        if self.target is None:
            return
        slopes = []
        for i, v in enumerate(self.p):
            p = Operand(f"softmax[{i}]", float(v))
            true = i == self.target
            slopes.append(Operand(f"squared_upstream[{i}]", float(v - true)))
            formula = parse("p - 1" if true else "p - 0", {"p": p})
            yield Step(Ref("squared_upstream", 0, (i,)), formula, slopes[-1].value)
        jacobian = self.jacobian()
        for j in range(len(self.p)):
            terms: list[tuple[Expression, float]] = []
            for i, slope in enumerate(slopes):
                entry = Operand(f"jacobian[{i},{j}]", float(jacobian[i, j]))
                terms.append((times(slope, entry), slope.value * entry.value))
            value = 0.0
            for _, term in terms:
                value += term
            yield Step(Ref("squared_delta", 0, (j,)), shortened(terms), value)

    def difference_step(self) -> Step | None:
        """Return, for two scores, softmax as the sigmoid of their difference."""
        if len(self.z) != 2:
            return None
        names = {f"z{i}": Operand(f"z[{i}]", float(v)) for i, v in enumerate(self.z)}
        formula = parse("1 / (1 + exp(-(z0 - z1)))", dict(names))
        return Step(Ref("softmax_of_difference", 0, (0,)), formula, float(self.p[0]))

    def _sum(self, name: str, values: Array) -> Step:
        terms: list[tuple[Expression, float]] = [
            (Operand(f"{name}[{i}]", float(v)), float(v)) for i, v in enumerate(values)
        ]
        return Step(Ref(f"{name}_sum"), shortened(terms), float(values.sum()))

    # the forms

    def document(self, style: Style, *, most: int = 0, shortened: bool = False) -> Document:
        """Return what is said about the two.

        Parameters
        ----------
        style : Style
            Language, digits and notation.
        most, shortened : optional
            Nothing here is left out for its length.

        Returns
        -------
        Document
            Values, sums, Jacobians, gradients, and the relation of the two.
        """
        words = words_of(style.language)

        def described(name: str, steps: Iterable[Step]) -> Section:
            lines = tuple(line_of(step, style.digits) for step in steps)
            return Section(name, words[name], (Lines(lines),))

        sections = [Section("scores", "", (self._table(style),))]
        sections.append(described("softmax values", self.value_steps()))
        if len(self.z) <= _MOST_JACOBIAN:
            sections.append(described("softmax jacobians", self.jacobian_steps()))
            if self.target is not None:
                sections.append(described("softmax cancels", self.gradient_steps()))
                sections.append(described("softmax squared", self.squared_steps()))
        sections.append(Section("softmax apart", "", (Sentence(words["softmax apart"]),)))
        difference = self.difference_step()
        if difference is not None:
            sections.append(described("softmax of two", [difference]))
        return Document(
            words["softmax title"], (), tuple(sections), style, n_samples=len(self.z) + 1
        )

    def _table(self, style: Style) -> Table:
        words = words_of(style.language)
        rows: list[tuple[Cell, ...]] = []
        for i, values in enumerate(zip(self.z, self.p, self.s, strict=True)):
            name = self.names[i] if self.names else Ref("z", 0, (i,))
            numbers = (Shown(number_text(float(v), style.digits)) for v in values)
            rows.append((name, *numbers, "← t" if i == self.target else ""))
        sums = (Shown(number_text(float(v.sum()), style.digits)) for v in (self.p, self.s))
        rows.append(("Σ", "", *sums, ""))
        return Table((words["of score"], "z", "softmax", "sigmoid", words["target"]), tuple(rows))
