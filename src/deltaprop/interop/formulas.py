"""Formulas on tensors: the texts that stand beside the reference's functions, as functions.

Rows are those of the last two dimensions; in front of them there may be one that runs over parts of
a layer which have the same formula.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping
from functools import reduce
from typing import TypeAlias

import numpy as np
import torch

from deltaprop.functional.arithmetic import COMPUTED, FUNCTIONS, evaluate, parse
from deltaprop.functional.expressions import (
    Call,
    Comparison,
    Expression,
    Matrix,
    MatrixProduct,
    Number,
    Power,
    Product,
    Quotient,
    Reduced,
    Sum,
    Transposed,
    matrices,
)

__all__ = ["Formula", "Multiply", "Tensor", "Values", "as_function"]

Tensor: TypeAlias = torch.Tensor
Values: TypeAlias = Mapping[str, Tensor]
Formula: TypeAlias = Callable[[Values], Tensor]
Multiply: TypeAlias = Callable[[Tensor, Tensor], Tensor]

_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "log": torch.log,
    "log1p": torch.log1p,
    "expm1": torch.expm1,
    "tanh": torch.tanh,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "erf": torch.erf,
    "Phi": torch.special.ndtr,
    "cos": torch.cos,
    "sin": torch.sin,
}
_RELATIONS = {">": torch.gt, ">=": torch.ge, "<": torch.lt, "<=": torch.le, "==": torch.eq}
_OF_NUMBERS = {**FUNCTIONS, "log1p": math.log1p, "expm1": math.expm1}
_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda x: x.sum(dim=-2, keepdim=True),
    "total": lambda x: x.sum(dim=-1, keepdim=True),
    "mean": lambda x: x.mean(dim=-1, keepdim=True),
    "largest": lambda x: x.amax(dim=-1, keepdim=True),
    "norm": lambda x: x.square().sum(dim=(-2, -1), keepdim=True).sqrt(),
}


def as_function(
    text: str,
    names: Collection[str],
    constants: Mapping[str, float] | None = None,
    own: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
    multiply: Multiply = operator.matmul,
) -> Formula:
    """Return a formula as a function of tensors by name.

    Parameters
    ----------
    text : str
        In the language of ``functional.arithmetic.parse``, and log1p, expm1, Phi, largest (of a
        row).
    names : collection of str
        What it may be in terms of.
    constants : mapping, optional
        Numbers that have a name in it.
    own : mapping, optional
        Further functions of one argument, such as f and f'.
    multiply : callable
        The product of matrices.

    Raises
    ------
    SettingError
        When it is no such formula.
    """
    leaves: dict[str, Expression] = {name: Matrix(name, np.empty((0, 0))) for name in names}
    leaves |= {name: Number(repr(float(value))) for name, value in (constants or {}).items()}
    functions = {**_FUNCTIONS, **(own or {})}

    def called(name: str) -> Callable[[Expression], Expression]:
        return lambda argument: Call(name, (argument,))

    further = {**COMPUTED, **{name: called(name) for name in own or ()}}
    return _function(parse(text, leaves, further), functions, multiply)


def _function(
    tree: Expression, functions: Mapping[str, Callable[[Tensor], Tensor]], multiply: Multiply
) -> Formula:
    def of(part: Expression) -> Formula:
        return _function(part, functions, multiply)

    if not matrices(tree):
        constant = evaluate(tree, functions=_OF_NUMBERS)
        return lambda _values: constant
    match tree:
        case Matrix(id=name):
            return lambda values: values[name]
        case Sum(terms=terms, signs=signs):
            return _sum([of(term) for term in terms], signs)
        case Product(factors=factors):
            parts = [of(factor) for factor in factors]
            return lambda values: reduce(lambda x, y: x * y, (part(values) for part in parts))
        case Quotient(above=above, below=below):
            first, second = of(above), of(below)
            return lambda values: first(values) / second(values)
        case Power(base=base, exponent=exponent):
            first, second = of(base), of(exponent)
            return lambda values: first(values) ** second(values)
        case Comparison(left=left, relation=relation, right=right):
            return _comparison(of(left), relation, of(right), matrices(left) != [])
        case Call(name="max", arguments=arguments):
            parts = [of(argument) for argument in arguments]
            return lambda values: reduce(_larger, (part(values) for part in parts))
        case Call(name=name, arguments=(argument,)):
            function, inner = functions[name], of(argument)
            return lambda values: function(inner(values))
        case MatrixProduct(left=left, right=right):
            first, second = of(left), of(right)
            return lambda values: multiply(first(values), second(values))
        case Transposed(of=turned):
            inner = of(turned)
            return lambda values: inner(values).mT
        case Reduced(name=name, of=whole):
            inner, reduction = of(whole), _REDUCTIONS[name]
            return lambda values: reduction(inner(values))
        case _:
            raise TypeError(f"{tree!r} is in no formula.")


def _sum(terms: list[Formula], signs: tuple[int, ...]) -> Formula:
    def added(values: Values) -> Tensor:
        total: Tensor | float = 0.0
        for k, (term, sign) in enumerate(zip(terms, signs, strict=True)):
            value = term(values)
            if k == 0:
                total = value if sign > 0 else -value
            else:
                total = total + value if sign > 0 else total - value
        return total

    return added


def _comparison(left: Formula, relation: str, right: Formula, tensor_first: bool) -> Formula:
    compare = _RELATIONS[relation]

    def compared(values: Values) -> Tensor:
        first, second = left(values), right(values)
        of = first if tensor_first else second
        if not tensor_first:
            first = torch.as_tensor(first, dtype=of.dtype, device=of.device)
        return compare(first, second).to(of.dtype)

    return compared


def _larger(first: Tensor | float, second: Tensor | float) -> Tensor:
    if isinstance(first, float):
        return torch.as_tensor(second).clamp(min=first)
    return first.clamp(min=second) if isinstance(second, float) else torch.maximum(first, second)
