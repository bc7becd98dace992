"""A network as one SELECT: a common table expression for each stage, a column for each neuron."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.arrays import element
from deltaprop.functional.expressions import (
    Call,
    Comparison,
    Expression,
    Number,
    Operand,
    Power,
    Product,
    Quotient,
    Sum,
    leaves,
    matrices,
)
from deltaprop.functional.normal import erfc_series
from deltaprop.interop.forward import Stage

__all__ = [
    "DIALECTS", "Dialect", "column_name", "largest_of", "network_query", "number", "outputs_of",
    "select_of", "text_literal",
]  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """What a database calls things, and how many columns a result may have.

    ``least_exponent``: below it e^x is an error there, not 0.
    """

    name: str
    number: str
    largest: str
    smallest: str
    most_columns: int
    has_nan: bool = True
    least_exponent: float | None = None


DIALECTS = {
    row.name: row
    for row in (
        Dialect("sqlite", "REAL", "max", "min", 2000, has_nan=False),
        Dialect("duckdb", "DOUBLE", "greatest", "least", 10_000),
        Dialect("postgres", "DOUBLE PRECISION", "greatest", "least", 1600, least_exponent=-300.0),
    )
}


def column_name(stage: str, j: int) -> str:
    """Return what the column of neuron j of a stage is called."""
    return f"{stage}_{j}"


def network_query(
    stages: list[Stage],
    dialect: Dialect,
    source: str,
    key: str,
    columns: Sequence[str],
    *,
    prefix: str = "",
) -> Iterator[tuple[str, str]]:
    """Yield the name and the query of each common table expression; the last one has p.

    ``source`` is where the rows come from, ``key`` the column that tells them apart, and
    ``columns`` what x is there, all as they are written in SQL. The names of all but x begin with
    ``prefix``.
    """
    own = [
        f"CAST({each} AS {dialect.number}) AS {column_name('x', i)}"
        for i, each in enumerate(columns)
    ]
    yield "x", f"SELECT {key}, {', '.join(own)} FROM {source}"
    before, alive = "x", {"x": len(columns)}
    writer = _Writer(dialect, frozenset(["x", *(stage.name for stage in stages)]))
    for number, stage in enumerate(stages):
        needed = {name for later in stages[number + 1 :] for name in _read(later)}
        told = [
            f"{text} AS {column_name(stage.name, j)}"
            for j, text in enumerate(writer.columns(stage))
        ]
        alive = {name: width for name, width in alive.items() if name in needed}
        kept = [column_name(name, j) for name, width in alive.items() for j in range(width)]
        name = f"{prefix}{stage.name}"
        yield name, f"SELECT {', '.join([key, *kept, *told])} FROM {before}"
        before = name
        alive[stage.name] = stage.width


def _read(stage: Stage) -> set[str]:
    return {matrix.id for part in stage.parts for matrix in matrices(part.tree)}


@dataclass(frozen=True)
class _Writer:
    """Writes expressions of numbers in a dialect; ``rows`` are the names that are columns."""

    dialect: Dialect
    rows: frozenset[str]

    def columns(self, stage: Stage) -> Iterator[str]:
        """Yield what each column of a stage comes to."""
        for part in stage.parts:
            for j in range(part.stop - part.start):
                yield self.written(element(part.tree, 0, j))

    def written(self, tree: Expression) -> str:
        """Return an expression in SQL; what no row has a part in is worked out."""
        if self._is_constant(tree):
            return number(evaluate(tree))
        match tree:
            case Operand(id=name):
                stage, index = self._place(name)
                return column_name(stage, index)
            case Sum(terms=terms, signs=signs):
                texts = [self.written(term) for term in terms]
                signed = [
                    (text, sign) for text, sign in zip(texts, signs, strict=True) if text != _ZERO
                ]
                return _balanced(signed) if signed else _ZERO
            case Product(factors=factors):
                texts = [self.written(factor) for factor in factors]
                return _ZERO if _ZERO in texts else f"({' * '.join(texts)})"
            case Quotient(above=above, below=below):
                return f"({self.written(above)} / {self.written(below)})"
            case Power(base=base, exponent=Number(text="2" | "3" as times)):
                return f"({' * '.join([self.written(base)] * int(times))})"
            case Power(base=base, exponent=exponent):
                return f"power({self.written(base)}, {self.written(exponent)})"
            case Comparison(left=left, relation=relation, right=right):
                sign = "=" if relation == "==" else relation
                holds = f"{self.written(left)} {sign} {self.written(right)}"
                return f"(CASE WHEN {holds} THEN 1.0 ELSE 0.0 END)"
            case Call(name=name, arguments=arguments):
                return _called(name, [self.written(each) for each in arguments], self.dialect)
            case _:
                raise TypeError(f"{tree!r} is no expression of numbers.")

    def _is_constant(self, tree: Expression) -> bool:
        return all(
            isinstance(leaf, Number)
            or (isinstance(leaf, Operand) and self._place(leaf.id)[0] not in self.rows)
            for leaf in leaves(tree)
        )

    @staticmethod
    def _place(name: str) -> tuple[str, int]:
        array, _, index = name.partition("[")
        return array, int(index.rstrip("]").split(",")[-1])


_ZERO = "0.0"


def number(value: float) -> str:
    """Return a number with all its digits, in parentheses where it is negative."""
    text = f"{value:.17g}" if float(f"{value:.15g}") != value else f"{value:.15g}"
    text = text if "." in text or "e" in text else f"{text}.0"
    return f"({text})" if value < 0 else text


def _balanced(terms: list[tuple[str, int]]) -> str:
    """Return a sum as a tree of small depth: databases take expressions of limited depth."""
    if len(terms) == 1:
        ((text, sign),) = terms
        return text if sign > 0 else f"(-{text})"
    half = (len(terms) + 1) // 2
    left, right = terms[:half], terms[half:]
    if len(right) == 1:  # taken away, not added with a minus
        return f"({_balanced(left)} {'+' if right[0][1] > 0 else '-'} {right[0][0]})"
    return f"({_balanced(left)} + {_balanced(right)})"


def _called(name: str, given: list[str], dialect: Dialect) -> str:
    match name:
        case "exp":
            if dialect.least_exponent is None:
                return f"exp({given[0]})"
            return f"exp({dialect.largest}({dialect.least_exponent!r}, {given[0]}))"
        case "log":
            return f"ln({given[0]})"
        case "log1p":
            return f"ln(1.0 + {given[0]})"
        case "expm1":
            return f"({_called('exp', given, dialect)} - 1.0)"
        case "max":
            return f"{dialect.largest}({', '.join(given)})" if len(given) > 1 else given[0]
        case "Phi":
            return _normal_cdf(given[0], dialect)
        case "erf":
            scaled = f"({given[0]} * {number(math.sqrt(2))})"
            return f"(2.0 * {_normal_cdf(scaled, dialect)} - 1.0)"
        case _:  # tanh, sqrt, abs, cos, sin
            return f"{name}({given[0]})"


def _normal_cdf(z: str, dialect: Dialect) -> str:
    """Return Phi(z) by the series of ``functional.normal``, as a polynomial."""
    t = f"(2.0 / (2.0 + abs({z}) * {number(math.sqrt(0.5))}))"
    series = number(float(_POLYNOMIAL[-1]))
    for coefficient in _POLYNOMIAL[-2::-1]:
        series = f"({series} * (2.0 * {t} - 1.0) + {number(float(coefficient))})"
    tail = f"(0.5 * {t} * {_called('exp', [f'({series} - 0.5 * {z} * {z})'], dialect)})"
    return f"(CASE WHEN {z} < 0 THEN {tail} ELSE 1.0 - {tail} END)"


_POLYNOMIAL = np.polynomial.chebyshev.cheb2poly(np.array(erfc_series()))


def select_of(parts: Sequence[tuple[str, str]], result: str) -> str:
    """Return common table expressions, and what is selected of the last, as one SELECT."""
    told = ",\n".join(f"{name} AS MATERIALIZED (\n  {query}\n)" for name, query in parts)
    return f"WITH {told}\n{result}"


def outputs_of(key: str, n: int) -> str:
    """Return what is selected of the last: the key and p."""
    outputs = ", ".join(column_name("p", j) for j in range(n))
    return f"SELECT {key}, {outputs} FROM p\n"


def text_literal(text: str) -> str:
    """Return a text as it is written in SQL."""
    return "'" + text.replace("'", "''") + "'"


def largest_of(texts: Sequence[str], answers: Sequence[str]) -> str:
    """Return the answer of the largest of some numbers, of equal ones the first."""
    whens = []
    for j, answer in enumerate(answers[:-1]):
        others = " AND ".join(f"{texts[j]} >= {other}" for other in texts[j + 1 :])
        whens.append(f"WHEN {others} THEN {answer}")
    return f"CASE {' '.join(whens)} ELSE {answers[-1]} END"
