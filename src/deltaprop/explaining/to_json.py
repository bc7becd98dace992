"""The explanation as data: every number, the arithmetic it comes from, and what that is made of."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from deltaprop._version import __version__
from deltaprop.explaining.digits import Line
from deltaprop.explaining.names import PER_SAMPLE
from deltaprop.functional.arithmetic import Leaf, write
from deltaprop.model.serialize import network_to_dict

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["FORMAT", "PlainNotation", "render", "to_data"]

FORMAT = "deltaprop-explanation/1"


class PlainNotation:
    """Arithmetic that any programming language's reader evaluates: + - * / ** and functions."""

    stacks_quotients = False

    def __init__(self, line: Line) -> None:
        self.line = line

    def leaf(self, leaf: Leaf) -> str:
        """Return the displayed number."""
        return self.line.text(leaf)

    def is_negative(self, leaf: Leaf) -> bool:
        """Return whether it starts with a minus sign."""
        return self.line.text(leaf).startswith("-")

    def parentheses(self, inner: str) -> str:
        """Return (inner)."""
        return f"({inner})"

    def sum(self, terms: list[str], signs: tuple[int, ...]) -> str:
        """Return the terms joined by + and -."""
        return signed(terms, signs)

    def product(self, factors: list[str]) -> str:
        """Return the factors joined by *."""
        return " * ".join(factors)

    def quotient(self, above: str, below: str) -> str:
        """Return above / below."""
        return f"{above} / {below}"

    def power(self, base: str, exponent: str) -> str:
        """Return base ** exponent."""
        simple = exponent.replace(".", "").isalnum()
        return f"{base} ** {exponent if simple else self.parentheses(exponent)}"

    def comparison(self, left: str, relation: str, right: str) -> str:
        """Return the comparison in parentheses; it counts as 1 or 0."""
        return f"({left} {relation} {right})"

    def call(self, name: str, arguments: list[str]) -> str:
        """Return name(arguments)."""
        return f"{name}({', '.join(arguments)})"


def signed(terms: list[str], signs: tuple[int, ...], minus: str = "-") -> str:
    """Return the terms joined by their signs."""
    text = ""
    for term, sign in zip(terms, signs, strict=True):
        joint = (" + " if sign > 0 else f" {minus} ") if text else ("" if sign > 0 else minus)
        text += joint + term
    return text


def render(explanation: Explanation, digits: int = 6) -> str:
    """Return the explanation as JSON text."""
    return json.dumps(to_data(explanation, digits), ensure_ascii=False, allow_nan=False)


def to_data(explanation: Explanation, digits: int = 6) -> dict[str, Any]:
    """Return the explanation as plain data, in the format ``FORMAT``."""
    trace, network = explanation.trace, explanation.trace.network
    return {
        "format": FORMAT,
        "version": __version__,
        "title": explanation.names.title,
        "conventions": {
            "reduction": explanation.reduction,
            "delta": "dL/dz",
            "recursion": "old weights",
            "relu_prime_at_0": 0,
            "penalties": "weights, not biases",
            "train_biases": explanation.update.train_biases,
            "learning_rate": explanation.update.learning_rate,
            "optimizer": getattr(explanation.update.rule, "name", "own"),
            "digits": digits,
        },
        "network": network_to_dict(network),
        "names": {
            "inputs": list(explanation.names.inputs),
            "outputs": list(explanation.names.outputs),
        },
        "diagram": {
            "layers": [
                {"layer": index, "width": width} for index, width in enumerate(network.sizes)
            ],
            "samples": len(trace.a[0]),
        },
        "roots": _roots(explanation),
        "steps": [_step(line) for line in explanation.lines(digits)],
        "change": {
            "predicted": _number(explanation.predicted_change),
            "actual": _number(explanation.actual_change),
        },
    }


def _step(line: Line) -> dict[str, Any]:
    step = line.step
    data: dict[str, Any] = {
        "id": step.id,
        "phase": step.phase,
        "quantity": step.quantity,
        "layer": step.ref.layer,
        "index": list(step.ref.index),
        "expression": write(step.expression, PlainNotation(line)),
        "shown": line.shown,
        "exact": line.exact,
        "value": _number(step.value),
        "from": [name for name in step.operands if name != step.id],
    }
    if step.quantity in PER_SAMPLE and step.ref.index:
        data["sample"], *rest = step.ref.index
        data["index"] = rest
    return data


def _roots(explanation: Explanation) -> dict[str, float | str]:
    """Return the value of everything that the steps are made of and that no step works out."""
    worked_out = {step.id for step in explanation.steps}
    roots: dict[str, float | str] = {}
    for step in explanation.steps:
        for operand in step.named_operands():
            if operand.id not in worked_out:
                roots[operand.id] = _number(operand.value)
    return roots


def _number(value: float) -> float | str:
    """Return a number for JSON, which has none for infinity and NaN."""
    return float(value) if math.isfinite(value) else str(np.float64(value))
