"""Softmax beside sigmoid, on the same scores: values, sums, Jacobians, and how they are related.

Softmax makes k scores into k probabilities that share one whole; the sigmoid makes each score
into a probability of its own. With k = 2, softmax is the sigmoid of the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.explaining.columns import cells, pad, wrap
from deltaprop.explaining.digits import Line, line_of, number_text
from deltaprop.explaining.language import words_of
from deltaprop.explaining.names import Ref
from deltaprop.explaining.steps import Step
from deltaprop.explaining.sums import shortened, times
from deltaprop.explaining.unicode import SUBSCRIPTS, UnicodeNotation
from deltaprop.functional.activations import sigmoid
from deltaprop.functional.arithmetic import Expression, Operand, Quotient, parse, write
from deltaprop.functional.losses import softmax

__all__ = ["SoftmaxBesideSigmoid"]

Array = npt.NDArray[np.float64]

_LARGEST_SCORE = 700.0  # exp overflows from 709 on
_MOST_SCORES = 1000
_MOST_JACOBIAN = 6  # rows of a matrix that are still read
_SYMBOLS = {"softmax": "p", "sigmoid": "s", "jacobian": "J", "upstream": "∂L/∂p", "delta": "∂L/∂z"}


@dataclass(frozen=True)
class SoftmaxBesideSigmoid:
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
            raise DataError(f"The scores are {list(self.scores)[:8]}; expected finite numbers.")
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
        yield Step(Ref("upstream", 0, (c,)), parse("-(1 / p)", {"p": true}), upstream)
        for j in range(len(self.p)):
            left = Operand(f"upstream[{c}]", upstream)
            right = Operand(f"jacobian[{c},{j}]", float(self.p[c] * ((c == j) - self.p[j])))
            value = float(self.p[j] - (c == j))
            yield Step(Ref("delta", 0, (j,)), times(left, right), value)
            p = Operand(f"softmax[{j}]", float(self.p[j]))
            formula = parse("p - 1" if j == c else "p - 0", {"p": p})
            yield Step(Ref("delta", 0, (j,), after=True), formula, value)

    def difference_step(self) -> Step | None:
        """Return, for two scores, softmax as the sigmoid of their difference."""
        if len(self.z) != 2:
            return None
        names = {f"z{i}": Operand(f"z[{i}]", float(v)) for i, v in enumerate(self.z)}
        formula = parse("1 / (1 + exp(-(z0 - z1)))", dict(names))
        return Step(Ref("softmax", 0, (0,), after=True), formula, float(self.p[0]))

    def _sum(self, name: str, values: Array) -> Step:
        terms: list[tuple[Expression, float]] = [
            (Operand(f"{name}[{i}]", float(v)), float(v)) for i, v in enumerate(values)
        ]
        return Step(Ref(f"{name}_sum"), shortened(terms), float(values.sum()))

    # text

    def to_terminal(self, *, digits: int = 6, width: int = 80, language: str = "en") -> str:
        """Return both functions as text for a terminal.

        Parameters
        ----------
        digits : int
            Significant digits; a line whose rounding would break it shows more.
        width : int
            Columns.
        language : {"en", "zh"}
            Of the words.

        Returns
        -------
        str
            Values, sums, Jacobians, gradients, and the relation of the two.
        """
        words = words_of(language)
        lines = wrap(words["softmax title"], width)
        lines += ["", *self._table(digits, words["of score"])]
        sections: list[tuple[str, list[Step]]] = [
            (words["softmax values"], list(self.value_steps()))
        ]
        if len(self.z) <= _MOST_JACOBIAN:
            sections.append((words["softmax jacobians"], list(self.jacobian_steps())))
            if self.target is not None:
                sections.append((words["softmax cancels"], list(self.gradient_steps())))
        for title, steps in sections:
            lines += ["", *wrap(title, width)]
            for step in steps:
                lines += self._told(line_of(step, digits), width)
        lines += ["", *wrap(words["softmax apart"], width)]
        difference = self.difference_step()
        if difference is not None:
            lines += ["", *wrap(words["softmax of two"], width)]
            lines += self._told(line_of(difference, digits), width)
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def _table(self, digits: int, title: str) -> list[str]:
        numbered = (f"z{str(i + 1).translate(SUBSCRIPTS)}" for i in range(len(self.z)))
        names = self.names or tuple(numbered)
        rows: list[tuple[str, ...]] = [(title, "z", "softmax", "sigmoid")]
        rows += [
            (
                name + (" ← t" if i == self.target else ""),
                *(number_text(float(v), digits) for v in (self.z[i], self.p[i], self.s[i])),
            )
            for i, name in enumerate(names)
        ]
        sums = (number_text(float(v.sum()), digits) for v in (self.p, self.s))
        rows.append(("Σ", "", *sums))
        wide = [max(cells(row[c]) for row in rows) for c in range(4)]
        return ["  " + "   ".join(map(pad, row, wide)) for row in rows]

    def _told(self, line: Line, width: int) -> list[str]:
        left = _symbol(line.step.ref)
        parts = [
            f"= {write(line.step.expression, UnicodeNotation(line, _symbol))}",
            f"= {write(line.step.expression, UnicodeNotation(line))}",
            f"{'=' if line.exact else '≈'} {line.shown}",
        ]
        whole = f"  {left} {' '.join(parts)}"
        if len(whole) <= width:
            return [whole]
        indent = " " * (len(left) + 3)
        lines: list[str] = []
        for number, part in enumerate(parts):
            first = f"  {left} " if number == 0 else indent
            wrapped = wrap(part, width - len(indent))
            lines += [(first if n == 0 else indent + "  ") + text for n, text in enumerate(wrapped)]
        return lines


def _symbol(ref: Ref) -> str:
    joint = "," if max(ref.index, default=0) > 8 else ""
    index = joint.join(str(i + 1) for i in ref.index).translate(SUBSCRIPTS)
    if ref.quantity.endswith("_sum"):
        return f"Σ {_SYMBOLS[ref.quantity.removesuffix('_sum')]}"
    if ref.quantity == "sigmoid_slope":
        return f"∂s{index}/∂z{index}"
    return _SYMBOLS.get(ref.quantity, ref.quantity) + index
