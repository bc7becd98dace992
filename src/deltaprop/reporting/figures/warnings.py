"""What makes the figures of a model doubtful: leaks, repeated rows, too few rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.reporting.figures.figures import Finding
from deltaprop.reporting.figures.rows import Block, Rows
from deltaprop.table_models import Evaluation, TableModel
from deltaprop.table_models.evaluation import wilson_interval
from deltaprop.tabular import ImageEncoder, SparseRows

__all__ = ["SMALL_VALIDATION", "doubtful", "leakage", "repeated_rows", "small_samples"]

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_LEAKING = 0.98  # score of a column by itself
_IDENTICAL = 0.999  # |correlation|
_MOST_ROWS, _FEWEST_ROWS, _LEAST_ROWS = 4000, 400, 20
_MOST_CELLS = 4_000_000
_MOST_LEAKS = 10
_WIDEST = 256  # inputs of a column that is looked at; hashed text has more
_RARELY = 0.5  # of its rows
_TINY_CLASS, _MOST_TINY = 10, 8
SMALL_VALIDATION = 100


def doubtful(evaluation: Evaluation) -> list[Finding]:
    """Return what is to be said of a model that is not clearly better than none at all."""
    figures, verdict = evaluation.figures, evaluation.verdict
    if verdict is None:
        return []
    numbers = evaluation.headline == "r2"
    values: dict[str, Any] = {evaluation.headline: figures[evaluation.headline]}
    if not numbers:
        values["majority"] = figures["majority"]
    kind = verdict + (" than the mean" if numbers else "")
    if verdict == "hardly better" and evaluation.interval is not None:
        ends = ("least", "most") if numbers else ("low", "high")
        values |= dict(zip(ends, evaluation.interval, strict=True))
    found = [Finding(kind, values, True)]
    known = [c for c in evaluation.classes if c.recall is not None]
    rarest = min(known, key=lambda c: c.recall or 0.0, default=None)
    if rarest is not None and (rarest.recall or 0.0) < _RARELY:
        found.append(Finding("rarely found", {"class": rarest.name, "recall": rarest.recall}, True))
    return found


def leakage(model: TableModel, rows: Rows, blocks: Sequence[Block], seed: int = 0) -> list[Finding]:
    """Return the columns that alone tell the target, or are the target.

    One half of the rows is the whole knowledge: a cell of the other half is answered by the
    nearest cell there (of a category: the same one); then the halves change places.

    Of a long or wide table a sample is looked at; the pixels of an image are left alone.
    """
    rng = np.random.default_rng(seed)
    most = min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_CELLS // max(model.network.n_in, 1)))
    rows = rows.sample(most, rng)
    rows = rows.take(rng.permutation(len(rows)))
    if len(rows) < _LEAST_ROWS or isinstance(model.inputs, ImageEncoder):
        return []
    blocks = [block for block in blocks if len(block.places) <= _WIDEST]
    x, blocks = _of_blocks(rows.encoded(), blocks)
    targets = [rows.y] if rows.y.ndim == 1 else list(rows.y.T)
    found = []
    for block in blocks:
        values, ordered = block.one_number(x)
        for name, y in zip(model.target.names, targets, strict=True):
            score = _single_feature_score(values, y, ordered)
            alike = abs(_correlation(values, y)) if ordered and y.dtype.kind == "f" else 0.0
            facts = {"column": block.name, "target": name}
            if alike >= _IDENTICAL:
                found.append((alike, Finding("identical", {**facts, "correlation": alike}, True)))
            elif score >= _LEAKING:
                found.append((score, Finding("leak", {**facts, "score": score}, True)))
    found.sort(key=lambda pair: -pair[0])
    return [finding for _, finding in found[:_MOST_LEAKS]]


def _of_blocks(x: Array | SparseRows, blocks: Sequence[Block]) -> tuple[Array, Sequence[Block]]:
    """Return the columns of these blocks with their zeros, and where they stand now."""
    if isinstance(x, np.ndarray):
        return x, blocks
    if not blocks:
        return np.zeros((len(x), 0)), blocks
    places = np.concatenate([block.places for block in blocks])
    rank = np.full(x.shape[1], -1)
    rank[places] = np.arange(len(places))
    kept = rank[x.indices] >= 0
    of_row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))[kept]
    dense = np.zeros((x.shape[0], len(places)))
    dense[of_row, rank[x.indices[kept]]] = x.data[kept]
    return dense, [replace(block, places=rank[block.places]) for block in blocks]


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else 0.0


def _single_feature_score(values: Array, y: npt.NDArray[Any], ordered: bool) -> float:
    """Return how much better than no column this one alone tells y: 1 all of it, 0 nothing."""
    half = len(y) // 2
    parts = (slice(None, half), slice(half, None))
    answers = np.empty(len(y), dtype=np.float64)
    for known, asked in (parts, parts[::-1]):
        cells, place = np.unique(values[known], return_inverse=True)
        if y.dtype.kind == "f":
            usual = float(y[known].mean())
            each = np.bincount(place, weights=y[known]) / np.bincount(place)
        else:
            usual = float(np.bincount(y[known]).argmax())
            each = _commonest(place, y[known])
        answers[asked] = _looked_up(cells, each, values[asked], ordered, usual)
    if y.dtype.kind == "f":
        spread = float(((y - y.mean()) ** 2).sum())
        return 1 - float(((y - answers) ** 2).sum()) / spread if spread > 0 else 0.0
    usual = float(np.bincount(y).max()) / len(y)
    right = float((answers == y).mean())
    return (right - usual) / (1 - usual) if usual < 1 else 0.0


def _commonest(place: Labels, labels: Labels) -> Array:
    """Return the commonest label of each place."""
    k = int(labels.max()) + 1
    pairs, counts = np.unique(place.reshape(-1).astype(np.int64) * k + labels, return_counts=True)
    order = np.lexsort((counts, pairs // k))
    last = np.r_[np.diff(pairs[order] // k) != 0, True]
    answers: Array = (pairs[order][last] % k).astype(np.float64)
    return answers


def _looked_up(cells: Array, answers: Array, asked: Array, ordered: bool, usual: float) -> Array:
    above = np.minimum(np.searchsorted(cells, asked), len(cells) - 1)
    if not ordered:
        return np.where(cells[above] == asked, answers[above], usual)
    below = np.maximum(above - 1, 0)
    nearer_below = np.abs(asked - cells[below]) < np.abs(cells[above] - asked)
    nearest: Array = answers[np.where(nearer_below, below, above)]
    return nearest


def repeated_rows(train: Array | SparseRows, held: Array | SparseRows) -> list[Finding]:
    """Return what is to be said about validation rows that are training rows, too.

    A table of few different rows repeats them by its nature.
    """
    seen = set(_fingerprints(train))
    repeated = sum(row in seen for row in _fingerprints(held))
    if not repeated:
        return []
    by_nature = len(seen) < len(train) / 2
    values = {"rows": repeated, "of": len(held), "different": len(seen), "n": len(train)}
    return [Finding("coarse" if by_nature else "duplicates", values, not by_nature)]


def _fingerprints(x: Array | SparseRows) -> Iterator[bytes]:
    if isinstance(x, SparseRows):
        for start, end in zip(x.indptr[:-1], x.indptr[1:], strict=True):
            digest = hashlib.blake2b(x.indices[start:end].tobytes(), digest_size=16)
            digest.update(x.data[start:end].tobytes())
            yield digest.digest()
        return
    for row in np.ascontiguousarray(x + 0.0):  # -0 and 0 are the same cell
        yield hashlib.blake2b(row.data, digest_size=16).digest()


def small_samples(
    learnt: Labels, judged: Labels, names: Sequence[str], n_val: int, accuracy: tuple[int, int]
) -> list[Finding]:
    """Return what is to be said about classes and validation rows that are too few.

    ``learnt`` and ``judged`` count the training and validation rows of each class; ``accuracy`` is
    how many of how many were right.
    """
    found = []
    tiny = np.flatnonzero(learnt < _TINY_CLASS)
    if len(tiny):
        shown = [(names[c], int(learnt[c])) for c in tiny[np.argsort(learnt[tiny])][:_MOST_TINY]]
        values = {"count": len(tiny), "least": _TINY_CLASS, "classes": shown}
        found.append(Finding("tiny classes", values))
    unseen = np.flatnonzero(judged == 0)
    if n_val and len(unseen):
        shown_names = [names[c] for c in unseen[:_MOST_TINY]]
        found.append(Finding("unjudged classes", {"count": len(unseen), "classes": shown_names}))
    if 0 < n_val < SMALL_VALIDATION:
        low, high = wilson_interval(*accuracy)
        found.append(Finding("few rows", {"rows": n_val, "low": low, "high": high}))
    return found
