"""One number of a training step, with the expression that it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deltaprop.functional.expressions import Expression, Operand, leaves
from deltaprop.notation.ids import Ref

__all__ = ["DerivationStep", "roots"]


def roots(steps: Sequence[DerivationStep]) -> dict[str, float]:
    """Return the value of all that steps are made of and that none of them works out."""
    worked_out = {step.id for step in steps}
    operands = (operand for step in steps for operand in step.named_operands())
    return {operand.id: operand.value for operand in operands if operand.id not in worked_out}


@dataclass(frozen=True)
class DerivationStep:
    """One number: where it stands, what it is made of, and what it is.

    Attributes
    ----------
    ref : Ref
        Its name.
    expression : Expression
        What it is made of; for a number that no formula tells, an operand with its own id.
    value : float
        What it is.
    """

    ref: Ref
    expression: Expression
    value: float

    @property
    def id(self) -> str:
        """Return the id as text."""
        return self.ref.id

    @property
    def phase(self) -> str:
        """Return the phase: forward, loss, backward, gradient, update or after."""
        return self.ref.phase

    @property
    def quantity(self) -> str:
        """Return what kind of number it is: z, a, delta, ..."""
        return self.ref.quantity

    @property
    def has_formula(self) -> bool:
        """Return whether a formula tells it; else its expression is an operand with its own id."""
        return not (isinstance(self.expression, Operand) and self.expression.id == self.id)

    @property
    def operands(self) -> tuple[str, ...]:
        """Return the ids of what it is made of."""
        return tuple(dict.fromkeys(operand.id for operand in self.named_operands()))

    def named_operands(self) -> Iterator[Operand]:
        """Yield what it is made of, with values."""
        yield from (leaf for leaf in leaves(self.expression) if isinstance(leaf, Operand))
