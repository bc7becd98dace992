"""One plain sentence about each number: what it is, from what, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deltaprop.checking.causes import Explanation
from deltaprop.checking.conventions import Conventions
from deltaprop.checking.step import operands_of
from deltaprop.explaining.examples import WorkedExample
from deltaprop.practice.marking.claims import Claim, entry
from deltaprop.practice.marking.judge import Judgement
from deltaprop.training.optimizers import GradientDescent

__all__ = ["Reasons", "shown"]

Array = npt.NDArray[np.float64]
Index = tuple[int, ...]
_MOST_TERMS = 4


def shown(value: float, digits: int = 6) -> str:
    """Return a number with sensible digits."""
    if not np.isfinite(value):
        return "not finite"
    return f"{value + 0.0:.{digits}g}"


class Reasons:
    """Sentences about the numbers of one working, as it is read."""

    def __init__(self, example: WorkedExample, judgement: Judgement) -> None:
        self.example = example
        self.step = judgement.reading.step
        self.values = self.step.right
        self.written = judgement.right
        self.turns = judgement.reading.conventions.turns
        self.is_right = judgement.reading.is_right

    def right(self, claim: Claim, index: Index, *, rounded: bool) -> str:
        """Return the sentence about a right number."""
        text, end = claim.numbers[index].text, "."
        if rounded and self.is_right[claim.key][self._at(claim, index)]:
            end = f"; {text} is rounded."
        elif rounded:
            end = f"; {text} is what the rounded numbers before it give."
        return f"{entry(claim.key, *index)} is {self._shown(claim, index)}{end}"

    def _at(self, claim: Claim, index: Index) -> Index:
        """Return the index as the house has it."""
        return index[::-1] if self.turns(claim.key) else index

    def coarse(self, claim: Claim, index: Index) -> str:
        """Return the sentence about a right number with fewer digits than are asked for."""
        right, digits = float(self.written[claim.key][index]), claim.habit.digits
        text = claim.numbers[index].text
        start = f"{entry(claim.key, *index)} is right as far as it goes, but {text} is too coarse"
        places = digits - 1 - int(np.floor(np.log10(abs(right)))) if right else digits
        if places > 1:
            return f"{start}: write {places} decimals."
        return f"{start}: write {digits} digits."

    def follows(self, claim: Claim, index: Index, slips: list[str]) -> str:
        """Return the sentence about a number that is wrong because of earlier ones."""
        verb, listed = "is" if len(slips) == 1 else "are", _listed(slips)
        return (
            f"{entry(claim.key, *index)} is {self._shown(claim, index)}, but "
            f"{claim.numbers[index].text} is right if the claimed {listed} {verb} "
            "taken as given."
        )

    def otherwise(self, claim: Claim, index: Index, conventions: Conventions) -> str:
        """Return the sentence about a number that is right in another convention."""
        docs = "; ".join(choice.doc for choice in conventions.chosen)
        return f"{entry(claim.key, *index)} is {self._shown(claim, index)} where {docs}."

    def wrong(self, claim: Claim, index: Index, found: Explanation, otherwise: str) -> str:
        """Return the sentence about a wrong number."""
        formula, right = self._formula(claim.key, self._at(claim, index)), self._shown(claim, index)
        text = claim.numbers[index].text
        start = f"{entry(claim.key, *index)} is {formula} = {right}, not {text}"
        if formula == right:
            start = f"{entry(claim.key, *index)} is {right}, not {text}"
        listed = ", ".join(shown(v) for v in found.rounded[:6]) + ", ..." * (len(found.rounded) > 6)
        rounding = f"the layer before was rounded to {listed}" if listed else ""
        if found.causes:
            docs = " and ".join(form.doc for form in found.causes[0])
            others = ", ".join(found.names[len(found.causes[0]) :])
            more = f" (the same number comes of {others})" if others else ""
            pairs = [pair for form in found.causes[0] for pair in form.pairs]
            swapped = found.causes[0][0].name == "swapped_entries"
            places = "".join(f" {_places(*pair, swapped=swapped)}" for pair in pairs)
            return f"{start}: {docs}{more}{rounding and f'; {rounding}'}." + places
        if rounding:
            return f"{start}: {rounding}."
        if otherwise == "systematic":
            parts = _listed(operands_of(claim.key, self.step))
            return (
                f"{start}: all of {claim.key} is off, by none of the known mistakes. Look at this "
                f"line first; it is made from {parts}."
            )
        return f"{start}: a slip in the arithmetic, as no named mistake gives it."

    def _shown(self, claim: Claim, index: Index) -> str:
        """Return the right number with two digits more than were claimed."""
        value = float(self.written[claim.key][index])
        return shown(value, min(max(claim.numbers[index].digits + 2, 6), 15))

    def _formula(self, key: str, index: Index) -> str:
        name, *rest = key.split(".")
        after = ".after" if key.endswith(".after") else ""
        network, last = self.step.network, self.step.n_layers
        if name == "loss":
            penalties = " with its penalty" if network.l2 or network.l1 else ""
            return f"the {network.loss_name}{penalties} of a.{last}{after} and the targets"
        layer = int(rest[0])
        if name == "z":
            return self._forward(layer, index, after)
        if name == "a":
            return self._activated(layer, index, after)
        if name == "delta" and layer == last:
            return f"the derivative of {network.loss_name} by z.{last}"
        if name == "delta":
            return self._back(layer, index)
        if name in ("dW", "db"):
            return self._gradient(name, layer, index)
        return self._updated(name, layer, index) if after else "given as"

    def _a(self, layer: int, after: str) -> tuple[str, Array]:
        if layer == 0:
            return "x", self.step.x
        return f"a.{layer}{after}", self.values[f"a.{layer}{after}"]

    def _forward(self, layer: int, index: Index, after: str) -> str:
        name, a = self._a(layer - 1, after)
        weights, row, column = self.values[f"W.{layer}{after}"], index[0], index[1]
        lacks_one = column in self.step.network.layout.lacks(layer, "b")
        bias = None if lacks_one else self.values.get(f"b.{layer}{after}")
        if len(weights) > _MOST_TERMS:
            plus = "" if bias is None else f" + {entry(f'b.{layer}{after}', column)}"
            return f"row {row} of {name} times column {column} of W.{layer}{after}{plus}"
        terms = [_product(a[row, i], weights[i, column]) for i in range(len(weights))]
        terms += [] if bias is None else [_signed(bias[column])]
        return " + ".join(terms)

    def _activated(self, layer: int, index: Index, after: str) -> str:
        z = self.values[f"z.{layer}{after}"][index[0]]
        hidden = layer < self.step.n_layers
        network = self.step.network
        f = network.activations[layer - 1].name if hidden else network.loss.output
        if f != "softmax":
            return f"{f}({shown(z[index[1]])})"
        if len(z) > _MOST_TERMS:
            return f"entry {index[1]} of softmax of row {index[0]} of z.{layer}{after}"
        bottom = " + ".join(f"exp({shown(v)})" for v in z)
        return f"exp({shown(z[index[1]])}) / ({bottom})"

    def _back(self, layer: int, index: Index) -> str:
        row, i = index
        delta, weights = self.values[f"delta.{layer + 1}"][row], self.values[f"W.{layer + 1}"][i]
        activation = self.step.network.activations[layer - 1]
        z, a = self.values[f"z.{layer}"], self.values[f"a.{layer}"]
        slope = shown(float(activation.f_prime(z, a)[row, i]))
        prime = "" if activation.name == "identity" else f" × f'({shown(z[row, i])}) = {slope}"
        if len(delta) > _MOST_TERMS:
            total = f"row {row} of delta.{layer + 1} times row {i} of W.{layer + 1}"
            return f"{total}, times the slope {slope}" if prime else total
        terms = " + ".join(_product(d, w) for d, w in zip(delta, weights, strict=True))
        return f"({terms}) × {_signed(float(slope))}" if prime else terms

    def _gradient(self, name: str, layer: int, index: Index) -> str:
        delta = self.values[f"delta.{layer}"]
        column = delta[:, index[-1]]
        network = self.step.network
        penalty = " plus the penalty's part" if name == "dW" and (network.l2 or network.l1) else ""
        if len(delta) > _MOST_TERMS:
            what = f"column {index[-1]} of delta.{layer}"
            if name == "db":
                return f"the sum of {what}"
            return f"column {index[0]} of {self._a(layer - 1, '')[0]} times {what}{penalty}"
        if name == "db":
            return " + ".join(_signed(d, first=i == 0) for i, d in enumerate(column))
        below = self._a(layer - 1, "")[1][:, index[0]]
        return " + ".join(_product(a, d) for a, d in zip(below, column, strict=True)) + penalty

    def _updated(self, name: str, layer: int, index: Index) -> str:
        old = shown(float(self.values[f"{name}.{layer}"][index]))
        gradient = float(self.values[f"d{name}.{layer}"][index])
        if name == "b" and not self.example.train_biases:
            return f"{old}, as biases are not trained,"
        optimizer = self.example.optimizer
        if not isinstance(optimizer, GradientDescent):
            return f"{old} after a first step of {optimizer.name} with gradient {shown(gradient)}"
        return f"{old} - {_product(self.step.learning_rate, gradient)}"


def _places(one: str, other: str, *, swapped: bool) -> str:
    if swapped:
        return f"Here {one} and {other} have changed places."
    return f"Here {one} stands where {other} belongs."


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _product(left: float, right: float) -> str:
    return f"{_signed(float(left))} × {_signed(float(right))}"


def _signed(value: float, *, first: bool = False) -> str:
    text = shown(float(value))
    return f"({text})" if text.startswith("-") and not first else text
