"""Permutation importance: what it costs when one column's cells are dealt out to other rows.

For column c and shuffle s, with pi_s a random order of the rows,

    rise(c, s) = L(f(x_i with block c of row pi_s(i)), y_i) - L(f(x_i), y_i),

where L is the log loss, or the RMSE in the target's unit, of all rows i.

All that a column became (its categories, its mark of missing cells) moves together.

References
----------
Breiman, "Random forests", 2001. Fisher, Rudin, Dominici, "All models are wrong, but many are
useful", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.model.layers import Dense, Scaling
from deltaprop.reporting.figures.figures import ColumnImportance, Importance
from deltaprop.reporting.figures.rows import Block, Rows
from deltaprop.table_models import TableModel
from deltaprop.tabular import SparseRows
from deltaprop.training.metrics import r2, rmse

__all__ = ["losses_of", "permutation_importance", "score_of", "strongest"]

Array = npt.NDArray[np.float64]

SHUFFLES = 5
_MOST_COLUMNS, _FEWEST_COLUMNS = 40, 10
_MOST_ROWS, _FEWEST_ROWS = 2000, 200
_MOVE = 1e-3  # of an input, from 0: how far a derivative is looked for
_MOST_CELLS, _LEAST_ROWS = 25_000_000, 20  # of all shuffles; rows of a very wide table
_TINY = np.finfo(np.float64).tiny
_MOST_WORK = 3e10  # multiplications: a few seconds


def losses_of(model: TableModel, outputs: Array, y: npt.NDArray[Any]) -> Array:
    """Return each row's loss.

    -log p of its class, or the mean of that over its labels; half its squared error in deviations;
    of counts half their deviance.
    """
    if y.ndim == 1:
        p = outputs[np.arange(len(y)), y.astype(np.int64)]
        return -np.log(np.maximum(p, _TINY))
    if model.task == "multilabel":
        p = np.where(y > 0.5, outputs, 1.0 - outputs)
        return np.asarray(-np.log(np.maximum(p, _TINY)).mean(axis=1))
    if model.network.loss.targets == "count":
        p = np.maximum(outputs, _TINY)
        logs = np.where(y > 0, y * np.log(np.maximum(y, _TINY) / p), 0.0)
        return np.asarray((logs - y + p).sum(axis=1))
    return np.asarray(0.5 * ((outputs - y) ** 2).sum(axis=1), dtype=np.float64)


def loss_of(model: TableModel, outputs: Array, y: npt.NDArray[Any]) -> float:
    """Return the mean log loss, or the RMSE in the target's unit."""
    if model.task == "regression":
        return rmse(model.target.decode(outputs), model.target.decode(y))
    return float(losses_of(model, outputs, y).mean())


def score_of(outputs: Array, y: npt.NDArray[Any], *, labels: bool = False) -> float:
    """Return the accuracy, or R^2 averaged over the numbers that vary."""
    if y.ndim == 1:
        return float((outputs.argmax(axis=1) == y).mean())
    if labels:
        return float(((outputs > 0.5) == (y > 0.5)).all(axis=1).mean())
    return r2(outputs, np.asarray(y, dtype=np.float64))


def permutation_importance(
    model: TableModel,
    rows: Rows,
    blocks: Sequence[Block],
    grid: tuple[int, ...],
    seed: int = 0,
    effort: float = 1.0,
) -> Importance:
    """Return what each column is worth on these rows.

    Of a wide table only the strongest columns are tried, those with the largest
    sum_j Var(x_j) |dz/dx_j|^2 over their inputs j, z being what the first dense layer gives around
    x = 0. ``effort``, up to 1, is the part of the usual work that may be done.
    """
    rng = np.random.default_rng(seed)
    most_rows, most_columns = _affordable(
        model.network.n_parameters, len(rows), len(blocks), effort
    )
    room = max(_LEAST_ROWS, _MOST_CELLS // (SHUFFLES * model.network.n_in))
    rows = rows.sample(min(most_rows, room), rng)
    x = rows.dense()
    if grid:
        most_columns = len(blocks)
    chosen = strongest(model, x, blocks, most_columns)
    base = model.outputs_of(x, rows.member)
    labels = model.task == "multilabel"
    base_loss = loss_of(model, base, rows.y)
    base_score = score_of(base, rows.y, labels=labels)
    orders = np.concatenate([rng.permutation(len(rows)) for _ in range(SHUFFLES)])
    members = None if rows.member is None else np.tile(rows.member, SHUFFLES)
    shuffled = np.tile(x, (SHUFFLES, 1))  # all shuffles of a column are predicted at once
    found = []
    for place in chosen:
        block = blocks[place]
        own = x[:, block.places]
        shuffled[:, block.places] = own[orders]
        parts = np.split(model.outputs_of(shuffled, members), SHUFFLES)
        shuffled[:, block.places] = np.tile(own, (SHUFFLES, 1))
        rises = [loss_of(model, p, rows.y) - base_loss for p in parts]
        drops = [base_score - score_of(p, rows.y, labels=labels) for p in parts]
        figures = (np.mean(rises), np.std(rises), np.mean(drops), np.std(drops))
        found.append((ColumnImportance(block.name, *map(float, figures)), place))
    found.sort(key=lambda pair: -pair[0].loss_rise)
    return Importance(
        tuple(column for column, _ in found),
        len(blocks),
        len(rows),
        SHUFFLES,
        grid,
        tuple(place for _, place in found) if grid else (),
    )


def _affordable(n_parameters: int, n_rows: int, n_columns: int, effort: float) -> tuple[int, int]:
    """Return how many rows and columns the time is enough for: fewer rows first, then columns."""
    columns = min(n_columns, _MOST_COLUMNS)
    passes = effort * _MOST_WORK / (max(n_parameters, 1) * SHUFFLES)
    rows = min(n_rows, _MOST_ROWS, max(_FEWEST_ROWS, int(passes / columns)))
    return rows, min(columns, max(_FEWEST_COLUMNS, int(passes / rows)))


def strongest(
    model: TableModel, x: Array | SparseRows, blocks: Sequence[Block], most: int
) -> list[int]:
    """Return the places of the strongest blocks, all of them where they are not more than most."""
    if len(blocks) <= most:
        return list(range(len(blocks)))
    pull = _variances(x) * _reach(model)
    strength = np.array([pull[block.places].sum() for block in blocks])
    return sorted(np.argsort(-strength, kind="stable")[:most].tolist())


def _variances(x: Array | SparseRows) -> Array:
    if isinstance(x, np.ndarray):
        return np.asarray(x.var(axis=0))
    n, k = x.shape
    sums, squares = (np.bincount(x.indices, weights=v, minlength=k) for v in (x.data, x.data**2))
    return np.asarray(np.maximum(squares / n - (sums / n) ** 2, 0.0))


def _reach(model: TableModel) -> Array:
    """Return how far each input moves the first dense layer, around x = 0: |dz/dx_j|^2."""
    layers = list(zip(model.network.computing_layers, model.parameters.layers, strict=True))
    if isinstance(layers[0][0], Dense):  # of a text's many inputs, too
        by_weight: Array = (layers[0][1]["W"] ** 2).sum(axis=1)
        return by_weight
    n_in = model.network.n_in
    first = next((i for i, (layer, _) in enumerate(layers) if isinstance(layer, Dense)), 0)
    if all(isinstance(layer, Scaling) for layer, _ in layers[:first]):  # each input by itself
        factors = np.ones((1, n_in))
        for layer, arrays in layers[:first]:
            factors = layer.forward(arrays, factors)
        alone: Array = factors[0] ** 2 * (layers[first][1]["W"] ** 2).sum(axis=1)
        return alone
    moved = _MOVE * np.vstack([np.zeros(n_in), np.eye(n_in)])
    for layer, arrays in layers:
        moved = layer.forward(arrays, moved)
        if isinstance(layer, Dense):
            break
    reach: Array = ((moved[1:] - moved[0]) ** 2).sum(axis=1) / _MOVE**2
    return reach
