"""The same step as other conventions write it: what each kind of number is a multiple of.

A convention is data (``checking.conventions``). Here the equations of the house are written with
its numbers: where delta is n times the house's, each delta in an equation stands for delta / n, and
what cancels is not written down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.checking.conventions import HOUSE, Convention, Conventions
from deltaprop.checking.step import Step
from deltaprop.explaining.derivation.update_record import Pull
from deltaprop.functional.constants import rescaled
from deltaprop.functional.expressions import (
    Call,
    Expression,
    Matrix,
    MatrixProduct,
    Number,
    Operand,
    Power,
    Product,
    Quotient,
    Reduced,
    Rest,
    Sum,
    Transposed,
    parts_of,
    substituted,
)
from deltaprop.model.backprop import Trace, trace_step
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.notation.ids import array_of, read_ref
from deltaprop.notation.steps import DerivationStep

__all__ = ["AS_IN_THE_HOUSE", "Written"]

Array = npt.NDArray[np.float64]
_Gain: TypeAlias = tuple[Fraction, int]
_OF_LOSS = ("loss", "l2_penalty", "l1_penalty")
_BASES: Mapping[str, int] = {"base_10": 10, "base_2": 2}
_LARGEST = 10**6  # denominator
_ONE: _Gain = (Fraction(1), 0)


@dataclass(frozen=True)
class Written:
    """How the numbers of a step are written down.

    Attributes
    ----------
    asked : Conventions
        Those that were asked for.
    conventions : Conventions
        Those that make a difference.
    idle : tuple of Convention
        Those that were asked for and make none.
    factors : mapping
        By kind of number, "delta", "dW" and "db", what is written, as a multiple of the house's.
    """

    asked: Conventions = HOUSE
    conventions: Conventions = HOUSE
    idle: tuple[Convention, ...] = ()
    factors: Mapping[str, Fraction] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Conventions, step: Step) -> Written:
        """Return how conventions write the numbers of a step."""
        fitting, idle = asked.fitting(step)
        found = {kind: fitting.factor(f"{kind}.1", step) for kind in ("delta", "dW", "db")}
        exact = {kind: Fraction(f).limit_denominator(_LARGEST) for kind, f in found.items()}
        factors = {kind: factor for kind, factor in exact.items() if factor != 1}
        return cls(asked, fitting, idle, factors)

    def objective(self, trace: Trace, step: Step, reduction: str) -> tuple[Trace, str]:
        """Return the pass with the loss of these conventions, and what it is over samples."""
        factors = {c.about: c.objective(step) for c in self.conventions.chosen}
        of_loss = Fraction(factors.get("loss", 1.0)).limit_denominator(_LARGEST)
        shares = trace.shares * factors.get("samples", 1.0)
        network = self._penalized(trace.network, step).with_loss_times(of_loss)
        if network == trace.network and "samples" not in factors:
            return trace, reduction
        if "samples" in factors:
            reduction = "sum" if reduction == "mean" else "mean"
            shares = np.round(shares, 15)  # n times 1/n is 1
        again = trace_step(
            network, trace.parameters, trace.a[0], trace.targets, shares, trace.masks
        )
        return again, reduction

    def _penalized(self, network: Network, step: Step) -> Network:
        """Return the network with its penalties as, and where, the conventions have them."""
        manner = self.conventions.step(step).manner
        times = Fraction(manner.penalty_times).limit_denominator(_LARGEST)
        network = network.with_penalties_times(times)
        if "in_update" in self._choices:
            return network.without_penalties()
        return network.with_penalties_in_gradient("in_loss_and_update" not in self._choices)

    @cached_property
    def _choices(self) -> frozenset[str]:
        return frozenset(choice.choice for choice in self.conventions.chosen)

    def pull(self, network: Network) -> Pull:
        """Return what the step takes in the place of the gradient."""
        decays = self._choices & {"in_update", "in_loss_and_update"}
        l2, l1 = (network.l2, network.l1) if decays else (0.0, 0.0)
        return Pull(l2, l1, "averaged" in self._choices)

    @cached_property
    def base(self) -> int:
        """Return the base of the logarithm in the loss; 0 for e."""
        return next((_BASES[c.choice] for c in self.conventions.chosen if c.choice in _BASES), 0)

    @cached_property
    def plain(self) -> frozenset[str]:
        """Return the kinds of number that are another thing than the derivative of L."""
        of_data = {"dW"} if "in_loss_and_update" in self._choices else set()
        return frozenset(self.factors) | of_data

    @cached_property
    def turned(self) -> frozenset[str]:
        """Return the quantities whose rows and columns are exchanged."""
        kinds = {kind for choice in self.conventions.chosen for kind in choice.turned}
        if "z" in kinds:  # samples are columns: so are the inputs, and a bias is one
            kinds |= {"x", "targets", "smoothed_targets", "kept", "mask", "b", "db"}
        return frozenset(kinds)

    # numbers

    def _factor(self, quantity: str) -> Fraction:
        array = array_of(quantity)
        kind = quantity if not array else "db" if array == "b" else "dW"
        return self.factors.get(kind, Fraction(1))

    def _is_of_loss(self, quantity: str) -> bool:
        return bool(self.base) and quantity in _OF_LOSS

    def multiple(self, quantity: str) -> float:
        """Return what a quantity is written as, as a multiple of the house's."""
        if self._is_of_loss(quantity):
            return 1.0 / math.log(self.base)
        return float(self._factor(quantity))

    def shown(self, trace: Trace) -> Trace:
        """Return the numbers of a pass as they are written; they make no pass of their own."""
        if not (self.factors or self.base):
            return trace
        of_loss, of_delta = self.multiple("loss"), self.multiple("delta")
        return replace(
            trace,
            delta=tuple(each * of_delta for each in trace.delta),
            loss=trace.loss * of_loss,
            data_loss=trace.data_loss * of_loss,
            l2_penalty=trace.l2_penalty * of_loss,
            l1_penalty=trace.l1_penalty * of_loss,
            loss_per_sample=trace.loss_per_sample * of_loss,
            gradients=self._gradients(trace.gradients),
            data_gradients=self._gradients(trace.data_gradients),
        )

    def _gradients(self, gradients: Parameters) -> Parameters:
        flat = gradients.flat.copy()
        for slot in gradients.layout.slots:
            slot.of(flat)[...] *= self.multiple(f"d{slot.name}")
        return gradients.like(flat)

    # equations

    def step(self, step: DerivationStep) -> DerivationStep:
        """Return a number and what it is made of, as they are written."""
        if not (self.factors or self.base):
            return step
        multiple = self.multiple(step.quantity)
        if not step.has_formula:
            value = step.value * multiple
            return replace(step, value=value, expression=Operand(step.id, value))
        expression = self.tree(step.expression, step.quantity)
        return replace(step, value=step.value * multiple, expression=expression)

    def tree(self, tree: Expression, quantity: str) -> Expression:
        """Return what a quantity is made of, of numbers or of arrays, as they are written."""
        if not (self.factors or self.base):
            return tree
        gain = self._gain(tree)
        if gain is None and isinstance(tree, Sum):  # w - eta g: each term by itself
            pairs = [
                _signed(self.tree(term, quantity), sign)
                for term, sign in zip(tree.terms, tree.signs, strict=True)
            ]
            return Sum(tuple(term for term, _ in pairs), tuple(sign for _, sign in pairs))
        if gain is None:
            written = rescaled(_simple(substituted(tree, self._undone)), self._factor(quantity))
            inside = 0
        else:
            factor, inside = gain
            written = rescaled(self._put_in(tree), self._factor(quantity) / factor)
        if self._is_of_loss(quantity) and not inside:
            term, sign = _signed(written, 1)
            divided = Quotient(term, Call("log", (Number(str(self.base)),)))
            return divided if sign > 0 else Sum((divided,), (-1,))
        return written

    def _put_in(self, tree: Expression) -> Expression:
        """Return a tree with the numbers that are written, which it is a multiple of."""
        gain = self._gain(tree)
        factor = float(gain[0]) if gain else 1.0
        factor *= 1.0 / math.log(self.base) if gain and gain[1] else 1.0

        def rest(left_out: Rest) -> Rest:
            return Rest(left_out.count, left_out.value * factor)

        return substituted(tree, self._scaled, rest)

    def _scaled(self, part: Operand | Matrix) -> Expression:
        multiple = self.multiple(read_ref(part.id).quantity)
        if multiple == 1.0:
            return part
        if isinstance(part, Matrix):
            return part if part.applied else replace(part, values=part.values * multiple)
        return replace(part, value=part.value * multiple, rounding=part.rounding * abs(multiple))

    def _undone(self, part: Operand | Matrix) -> Expression:
        """Return what stands for a number of the house: what is written, without its factor."""
        return rescaled(self._scaled(part), 1 / self._factor(read_ref(part.id).quantity))

    def _gain(self, tree: Expression) -> _Gain | None:
        """Return what a tree is multiplied by when its numbers are put in as they are written.

        The exact factor, and whether it has one over the logarithm of the base; None where its
        terms are multiplied by different things.
        """
        gains = [self._gain(part) for part in parts_of(tree) if not isinstance(part, Rest)]
        match tree:
            case Operand(id=name) | Matrix(id=name, applied=""):
                quantity = read_ref(name).quantity
                return self._factor(quantity), int(self._is_of_loss(quantity))
            case Sum():
                return gains[0] if gains and all(gain == gains[0] for gain in gains) else None
            case Product() | MatrixProduct() | Transposed():
                return _product(gains)
            case Reduced(name=name) if name != "norm":
                return gains[0]
            case Power(exponent=Number(text=text)) if text.isdecimal():
                return _product(gains[:1] * int(text))
            case Quotient() if gains[1] == _ONE:
                return gains[0]
        return _ONE if all(gain == _ONE for gain in gains) else None


AS_IN_THE_HOUSE = Written()


def _product(gains: list[_Gain | None]) -> _Gain | None:
    factor, logarithms = Fraction(1), 0
    for gain in gains:
        if gain is None:
            return None
        factor, logarithms = factor * gain[0], logarithms + gain[1]
    return factor, logarithms


def _simple(tree: Expression) -> Expression:
    """Return a tree without a minus within a sum or a product: w + a b of w - a (-b)."""
    match tree:
        case Sum(terms=terms, signs=signs):
            pairs = [_signed(_simple(term), sign) for term, sign in zip(terms, signs, strict=True)]
            return Sum(tuple(term for term, _ in pairs), tuple(sign for _, sign in pairs))
        case Product(factors=factors):
            pairs = [_signed(_simple(factor), 1) for factor in factors]
            product = Product(tuple(factor for factor, _ in pairs))
            sign = math.prod(sign for _, sign in pairs)
            return product if sign > 0 else Sum((product,), (-1,))
        case Quotient(above=above, below=below):
            return Quotient(_simple(above), _simple(below))
        case Call(name=name, arguments=arguments):
            return Call(name, tuple(map(_simple, arguments)))
    return tree


def _signed(term: Expression, sign: int) -> tuple[Expression, int]:
    if isinstance(term, Sum) and len(term.terms) == 1:
        return term.terms[0], term.signs[0] * sign
    return term, sign
