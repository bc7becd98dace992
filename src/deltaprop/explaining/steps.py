"""One number of a training step, and the optimizer's step as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deltaprop.explaining.names import Ref
from deltaprop.functional.expressions import Expression, Operand, leaves
from deltaprop.model.backprop import Trace
from deltaprop.training.optimizers import Optimizer

__all__ = ["Step", "Update"]


@dataclass(frozen=True)
class Step:
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
    def operands(self) -> tuple[str, ...]:
        """Return the ids of what it is made of."""
        return tuple(dict.fromkeys(operand.id for operand in self.named_operands()))

    def named_operands(self) -> Iterator[Operand]:
        """Yield what it is made of, with values."""
        yield from (leaf for leaf in leaves(self.expression) if isinstance(leaf, Operand))


@dataclass(frozen=True)
class Update:
    """What the optimizer did: from the trace's parameters to those of ``after``.

    Attributes
    ----------
    rule : Optimizer
        The optimizer.
    learning_rate : float
        eta of the step.
    after : Trace
        The pass at the new parameters.
    state, new_state : mapping
        The optimizer's state before and after; arrays over the flat vector, and numbers.
    train_biases : bool
        False where the step leaves the biases as they are.
    """

    rule: Optimizer
    learning_rate: float
    after: Trace
    state: Mapping[str, Any] = field(default_factory=dict)
    new_state: Mapping[str, Any] = field(default_factory=dict)
    train_biases: bool = True
