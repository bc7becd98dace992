"""The SQL of a table model: what its columns become, and what its outputs say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from deltaprop.exporting.words import rows_of, spelt
from deltaprop.interop.sql import quoted
from deltaprop.interop.written.query import (
    Dialect,
    column_name,
    largest_of,
    number,
    text_literal,
)
from deltaprop.tabular.encoding.column import Column
from deltaprop.tabular.reading.truth import truth_values

if TYPE_CHECKING:
    from deltaprop.table_models import TableModel

__all__ = ["answers_of", "mean_of", "of_numbers", "of_words", "selected"]


def of_numbers(column: Column, dialect: Dialect) -> Iterator[str]:
    """Yield the inputs of a column of numbers."""
    value = f"CAST({quoted(column.name)} AS {dialect.number})"
    if dialect.has_nan:
        value = f"NULLIF({value}, CAST('NaN' AS {dialect.number}))"
    for output in column.outputs:
        if output.part == "missing":
            there, away = output.squashed(np.array([0.0, 1.0])).tolist()
            yield f"CASE WHEN {value} IS NULL THEN {number(away)} ELSE {number(there)} END"
        else:
            far = f"({value} * 0.5 - {number(output.center * 0.5)}) * {number(2 * output.scale)}"
            kept = f"{dialect.smallest}({dialect.largest}({far}, -1e30), 1e30)"
            clipped = f"{kept} / sqrt(1.0 + {kept} / 3.0 * {kept} / 3.0)"
            yield f"CASE WHEN {value} IS NULL THEN 0.0 ELSE {clipped} END"
    center = column.outputs[0].center * 0.5
    for low, high in pairwise(edge * 0.5 for edge in column.range_edges):
        usual = (min(max(center, low), high) - low) / (high - low)
        inside = (
            f"{dialect.smallest}({dialect.largest}({value} * 0.5, {number(low)}), {number(high)})"
        )
        share = f"({inside} - {number(low)}) / {number(high - low)}"
        yield f"CASE WHEN {value} IS NULL THEN 0.0 ELSE {share} - {number(usual)} END"


def of_words(column: Column) -> Iterator[str]:
    """Yield the inputs of a column of words, or of truth values."""
    cell = f"TRIM(CAST({quoted(column.name)} AS TEXT))"
    said = truth_values(column.words)
    alike: list[list[str]] = [[] for _ in column.words]
    for word, code in spelt(column):
        alike[code].append(word if said is None else word.lower())
    if said is not None:  # as a database writes its own truth values
        for truth, word in said.items():
            alike[column.words.index(word)] += ["1", "1.0"] if truth else ["0", "0.0"]
    compared = cell if said is None else f"LOWER({cell})"
    holds = [f"{compared} IN ({', '.join(map(text_literal, dict.fromkeys(w)))})" for w in alike]
    for other, *of_each in rows_of(column).T.tolist():
        own = [
            f"WHEN {condition} THEN {number(value)}"
            for condition, value in zip(holds, of_each, strict=True)
            if value != other
        ]
        yield f"CASE {' '.join(own)} ELSE {number(other)} END" if own else number(other)


def mean_of(model: TableModel, ends: Sequence[str], key: str) -> str:
    """Return the query of the mean of the members' outputs."""
    columns = []
    for j in range(model.network.n_out):
        each = [_limited(model, f"{end}.{column_name('p', j)}", j) for end in ends]
        columns.append(f"({' + '.join(each)}) / {number(len(ends))} AS {column_name('p', j)}")
    joined = "".join(f" JOIN {end} ON {end}.{key} = {ends[0]}.{key}" for end in ends[1:])
    return f"SELECT {ends[0]}.{key} AS {key}, {', '.join(columns)} FROM {ends[0]}{joined}"


def _limited(model: TableModel, text: str, j: int) -> str:
    if model.limits is None:
        return text
    low, high = (number(float(limit[j])) for limit in model.limits)
    return f"CASE WHEN {text} < {low} THEN {low} WHEN {text} > {high} THEN {high} ELSE {text} END"


def answers_of(model: TableModel) -> Iterator[str]:
    """Yield what the query of a model has beside the key."""
    target, n = model.target, model.network.n_out
    p = [column_name("p", j) for j in range(n)]
    if target.task == "regression":
        for name, text, mean, std in zip(target.names, p, target.mean, target.std, strict=True):
            called = quoted("prediction" if n == 1 else name)
            yield f"{text} * {number(float(std))} + {number(float(mean))} AS {called}"
        return
    classes = [_literal(value) for value in target.classes.tolist()]
    if target.task == "multilabel":
        for name, text in zip(target.names, p, strict=True):
            truth = f"CASE WHEN {text} > 0.5 THEN {classes[1]} ELSE {classes[0]} END"
            yield f"{truth} AS {quoted(name)}"
            yield f"{text} AS {quoted(f'p({name})')}"
        return
    if n == 1:
        p = [f"1.0 - {p[0]}", p[0]]
    yield f"{largest_of(p, classes)} AS prediction"
    for name, text in zip(target.class_names, p, strict=True):
        yield f"{text} AS {quoted(f'p({name})')}"


def _literal(value: object) -> str:
    return text_literal(value) if isinstance(value, str) else str(value).upper()


def selected(key: str, answers: Sequence[str]) -> str:
    """Return what is selected of the answers."""
    return f"SELECT {', '.join([key, *answers])} FROM answer\n"
