"""Arithmetic as trees: what a step says is built once and written in symbols or in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Arguments",
    "Call",
    "Expression",
    "Number",
    "Operand",
    "Product",
    "Quotient",
    "Rest",
    "Sum",
    "operands",
    "write",
]


@dataclass(frozen=True)
class Operand:
    """A quantity with a place of its own in the list of steps, or a root.

    Parameters
    ----------
    id : str
        "W.1[0,2]", "x[0,1]", "learning_rate".
    value : float
        Its number.
    """

    id: str
    value: float


@dataclass(frozen=True)
class Number:
    """A constant of the formula, such as the 1/2 of half squared error."""

    text: str


@dataclass(frozen=True)
class Rest:
    """Terms left out of a long sum, as one number."""

    count: int
    value: float


@dataclass(frozen=True)
class Sum:
    """Terms added up; a term with sign -1 is taken away."""

    terms: tuple[Expression, ...]
    signs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Product:
    """Factors multiplied."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Quotient:
    """One over the other."""

    above: Expression
    below: Expression


@dataclass(frozen=True)
class Arguments:
    """What a function of several arguments is given."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Call:
    """A named function of an argument: exp, ln, relu, relu'."""

    name: str
    argument: Expression


Expression: TypeAlias = Operand | Number | Rest | Sum | Product | Quotient | Arguments | Call


def operands(expression: Expression) -> Iterator[Operand]:
    """Yield every operand, in the order they stand."""
    match expression:
        case Operand():
            yield expression
        case Sum(terms=parts) | Product(factors=parts) | Arguments(parts=parts):
            for part in parts:
                yield from operands(part)
        case Quotient(above=above, below=below):
            yield from operands(above)
            yield from operands(below)
        case Call(argument=argument):
            yield from operands(argument)


def write(
    expression: Expression,
    operand: Callable[[Operand], str],
    number: Callable[[float], str],
    *,
    inside: int = 0,
) -> str:
    """Return the expression on one line.

    Parameters
    ----------
    expression : Expression
        What to write.
    operand : callable
        How an operand is written: as its symbol or as its number.
    number : callable
        How a plain number is written.
    inside : int
        How tightly the surroundings bind: 0 not at all, 1 a sum, 2 a product.

    Returns
    -------
    str
        With parentheses where they are needed, and around negative operands.
    """
    match expression:
        case Operand():
            text = operand(expression)
            return f"({text})" if text.startswith("-") and inside else text
        case Number(text=text):
            return text
        case Rest(count=count, value=value):
            return f"[{count} more: {number(value)}]"
        case Sum(terms=terms, signs=signs):
            text = ""
            for term, sign in zip(terms, signs or (1,) * len(terms), strict=True):
                joint = (" + " if sign > 0 else " - ") if text else ("" if sign > 0 else "-")
                text += joint + write(term, operand, number, inside=1)
            return f"({text})" if inside >= (1 if len(terms) > 1 else 3) else text
        case Product(factors=factors):
            return " × ".join(write(factor, operand, number, inside=2) for factor in factors)
        case Quotient(above=above, below=below):
            parts = [write(part, operand, number, inside=2) for part in (above, below)]
            return " / ".join(parts)
        case Arguments(parts=parts):
            return ", ".join(write(part, operand, number) for part in parts)
        case Call(name="square", argument=argument):
            return f"({write(argument, operand, number)})²"
        case Call(name=name, argument=argument):
            return f"{name}({write(argument, operand, number)})"
