"""The lines of the derivation that work out what an exercise asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from deltaprop.explaining import Explanation
from deltaprop.notation.digits import Line, line_of
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.unicode import symbol_of, unicode_notation
from deltaprop.notation.write import write

__all__ = ["TaskLines", "quantity_of"]


def quantity_of(ref: Ref) -> str:
    """Return the quantity a number belongs to, as a key of ``claims``."""
    return Ref(ref.quantity, ref.layer, (), ref.after).id


@dataclass(frozen=True)
class TaskLines:
    """What any number of an exercise is called, and how it is worked out.

    Attributes
    ----------
    explanation : Explanation
        The step.
    known : collection of str
        The quantities that are asked for or given; no line leads behind them.
    digits : int
        Significant digits.
    """

    explanation: Explanation
    known: Collection[str]
    digits: int

    @property
    def n_samples(self) -> int:
        """Return how many rows the batch has."""
        return len(self.explanation.trace.a[0])

    def named(self, ref: Ref) -> Ref:
        """Return what a number is called: the loss of the only sample is the loss."""
        if ref.quantity == "loss" and self.explanation.derivation.loss_is_of_one_sample():
            return Ref("loss", after=ref.after)
        return ref

    def symbol(self, ref: Ref) -> str:
        """Return a number's symbol, as on paper."""
        return symbol_of(self.named(ref), self.n_samples)

    def to(self, ref: Ref) -> tuple[Line, ...]:
        """Return the line of a number, after those of what it is made of and nobody asks for."""
        derivation = self.explanation.derivation
        if ref.quantity == "loss" and derivation.loss_is_of_one_sample():
            ref = Ref("loss", 0, (0,), ref.after)
        found = {ref: derivation.known(ref)}
        waiting = [*found.values()]
        while waiting:
            for other in map(read_ref, waiting.pop().operands):
                is_known = other in found or (
                    quantity_of(other) in self.known and not _is_of_a_sample(other)
                )
                step = None if is_known else derivation.step(other)
                if step is not None:
                    found[other] = step
                    waiting.append(step)
        last = found.pop(ref)
        before = sorted(found.values(), key=lambda step: step.ref.order())
        return tuple(line_of(step, self.digits) for step in (*before, last))

    def to_all(self, names: Iterable[str]) -> tuple[Line, ...]:
        """Return the lines of some numbers, each once, in the order they are worked out."""
        lines = {line.step.ref: line for name in names for line in self.to(read_ref(name))}
        return tuple(sorted(lines.values(), key=lambda line: line.step.ref.order()))

    def parts(self, line: Line) -> list[str]:
        """Return a line in Unicode: the symbol, "= symbols", "= numbers" and "= result"."""
        symbol, expression = self.symbol(line.step.ref), line.step.expression
        parts = [f"= {write(expression, unicode_notation(line, self.symbol))}"]
        numbers = f"= {write(expression, unicode_notation(line))}"
        parts += [] if numbers == f"= {line.shown}" else [numbers]
        return [symbol, *parts, f"{'=' if line.exact else '≈'} {line.shown}"]


def _is_of_a_sample(ref: Ref) -> bool:
    return ref.quantity == "loss" and bool(ref.index)
