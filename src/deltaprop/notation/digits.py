"""How many digits a line shows, so that what is displayed holds.

Whoever evaluates the displayed right-hand side gets the displayed result, to one unit in its last
digit. Every line starts with the digits asked for; where rounding the operands would break it,
the operands of that line get more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor, inf, isfinite, isnan, log10

from deltaprop.errors import SettingError
from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.expressions import Leaf, Number, Operand
from deltaprop.functional.rounding import rounding_bound
from deltaprop.notation.steps import DerivationStep

__all__ = ["ABSENT", "ALL_DIGITS", "Line", "another_formula", "line_of", "number_text"]

ALL_DIGITS = 17  # enough to write any float64 so that it reads back the same
ABSENT = "–"  # in the place of an entry that there is not: the bias of a neuron without one
# The number and its formula are each rounded, and sums in another order a little more.
_SAFE = 4
_LEAST = 5e-324  # float64 has no number between it and 0


@dataclass(frozen=True)
class Line:
    """A step with its numbers as they are displayed, the same in every medium.

    Attributes
    ----------
    step : Step
        What is shown.
    shown : str
        The result.
    exact : bool
        Whether the result is the number itself; else it is rounded.
    operand_digits : int
        Significant digits of the operands.
    """

    step: DerivationStep
    shown: str
    exact: bool
    operand_digits: int

    def text(self, leaf: Leaf) -> str:
        """Return a leaf as it is displayed in this line."""
        return (
            leaf.text if isinstance(leaf, Number) else number_text(leaf.value, self.operand_digits)
        )

    def evaluated(self) -> float:
        """Return what the displayed right-hand side comes to."""
        return evaluate(self.step.expression, lambda leaf: float(self.text(leaf)))


def line_of(step: DerivationStep, digits: int = 6) -> Line:
    """Return the step with enough digits to hold.

    Where the arithmetic itself rounds, the result has only the digits that are certain, none of
    which may be left: a gradient whose terms cancel is then 0. A formula that overflows where the
    number does not is left out.

    Its right-hand side evaluates to the result, to one unit in the result's last digit. ``digits``
    are those of the result, and of the operands where that is enough.

    Raises
    ------
    SettingError
        When it does not: the formula is another than that of the number.
    """
    shown = number_text(step.value, digits)
    exact = _same(float(shown), step.value)
    for operand_digits in range(digits, ALL_DIGITS + 1):
        line = Line(step, shown, exact, operand_digits)
        if _holds(line.evaluated(), shown, step.value, digits):
            return line
    # what is left is rounding of the arithmetic itself: fewer digits of the result are known
    found, bound = evaluate(step.expression), _SAFE * rounding_bound(step.expression)
    if not isfinite(found) or bound == inf:
        return Line(replace(step, expression=Operand(step.id, step.value)), shown, exact, digits)
    if abs(found - step.value) <= bound:
        for fewer in range(digits - 1, 0, -1):
            shown = number_text(step.value, fewer)
            line = Line(step, shown, False, ALL_DIGITS)
            if _holds(line.evaluated(), shown, step.value, fewer):
                return line
        return Line(step, "0", False, ALL_DIGITS)
    raise another_formula(step.id, found, step.value)


def another_formula(name: str, found: float, value: float) -> SettingError:
    """Return the error for a formula that does not come to the number it stands for."""
    return SettingError(
        f"The formula of {name} comes to {number_text(found, ALL_DIGITS)}, but the number is "
        f"{number_text(value, ALL_DIGITS)}: a formula that was registered for an activation, a "
        "loss, a layer or an optimizer is another than what it computes."
    )


@lru_cache(maxsize=8192)
def number_text(value: float, digits: int) -> str:
    """Return a number with at most so many significant digits, in a form Python reads."""
    if not isfinite(value):
        return "nan" if isnan(value) else "inf" if value > 0 else "-inf"
    text = f"{value:.{digits}g}"
    return "0" if float(text) == 0 else text


def _holds(evaluated: float, shown: str, value: float, digits: int) -> bool:
    if not (isfinite(evaluated) and isfinite(value)):
        return str(evaluated) == shown
    return abs(evaluated - float(shown)) <= _unit(value, digits)


def _unit(value: float, digits: int) -> float:
    """Return one unit in the last of so many digits; nothing may be off where the value is 0."""
    if value == 0:
        return 0.0
    return max(_LEAST, 10.0 ** (floor(log10(abs(value))) - digits + 1))


def _same(shown: float, value: float) -> bool:
    if shown == value:
        return True
    return bool(isfinite(value) and abs(shown - value) <= 1e-13 * abs(value) < inf)
