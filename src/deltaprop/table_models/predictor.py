"""What trained networks say of many rows: in the precision they learnt in, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from deltaprop.engines import ENGINES
from deltaprop.engines import base as engine
from deltaprop.errors import DataError
from deltaprop.model.layers import Dense, Scaling
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.rows import Array, Indices, Rows, flat_rows
from deltaprop.tabular import Features, SparseRows, Surprises, take_rows
from deltaprop.training.predict import refuse_overflow

if TYPE_CHECKING:
    from deltaprop.table_models.model import TableModel

__all__ = ["Predictor", "without_scaling"]

_NUMBERS_AT_ONCE = 1 << 22  # inputs, or outputs, of a block of rows
_FEWEST_ROWS, _MOST_ROWS = 64, 1 << 16
_CLOSE = 1e-4  # probabilities: float32 moves them by less than a hundredth of it


class Predictor:
    """The outputs of a model's networks, whose weights are laid out once.

    Networks that learnt in float32 answer in float32. Where that could change a class, and where it
    overflows, the row is computed again in float64: so the class is that of float64.
    """

    def __init__(self, model: TableModel) -> None:
        self._network, self._members = model.network, model.members
        self._inputs, self._target, self._limits = model.inputs, model.target, model.limits
        self._temperature = 1.0 if model.calibration is None else model.calibration.temperature
        precise = any(history.dtype == "float64" for history in model.histories)
        self._dtype = "float64" if precise else "float32"
        self._made: dict[tuple[int, str, bool], engine.Predictor] = {}

    def of_table(
        self, features: Features, where: str, found: Surprises
    ) -> Iterator[tuple[slice, Array]]:
        """Yield p of some rows of a table after another; add to ``found`` what is strange."""
        n = len(features)
        encode = partial(self._inputs.encode, where=where, ignore=self._target.names)
        for rows in self._blocks(n, self._inputs.n_kept):
            part = features if rows.stop - rows.start == n else features[rows]
            try:
                x, strange = encode(part, dtype=self._dtype)
            except DataError:
                self._inputs.check(features, where=where)  # it counts the rows from the first one
                raise
            found.add(strange)
            p = self._mean(flat_rows(x))
            again = self._undecided(p)
            if again.size:
                x, _ = encode(take_rows(part, again), dtype=np.float64)
                p[again] = self._mean(flat_rows(x), exactly=True)
            refuse_overflow(p, first=rows.start)
            yield rows, p

    def of_rows(self, x: Rows, member: Indices | None = None) -> Iterator[tuple[slice, Array]]:
        """Yield p of some encoded rows after another: of all members, or of each row one member."""
        for rows in self._blocks(x.shape[0], 0):
            part, own = x[rows], None if member is None else member[rows]
            p = self._mean(part, own)
            again = self._undecided(p)
            if again.size:
                of_these = None if own is None else own[again]
                p[again] = self._mean(part[again], of_these, exactly=True)
            refuse_overflow(p, first=rows.start)
            yield rows, p

    def together(self, answers: Iterable[tuple[slice, Array]], n: int) -> Array:
        """Return what was yielded for some rows after another, for all n."""
        outputs = np.zeros((n, self._network.n_out))
        for rows, p in answers:
            outputs[rows] = p
        return outputs

    def _blocks(self, n: int, width: int) -> Iterator[slice]:
        """Yield n rows in blocks that have a few million inputs and outputs."""
        widest = max(width, self._network.n_out, 1)
        at_once = max(_FEWEST_ROWS, min(_MOST_ROWS, _NUMBERS_AT_ONCE // widest))
        for start in range(0, n, at_once):
            yield slice(start, min(start + at_once, n))

    def _mean(self, x: Rows, member: Indices | None = None, *, exactly: bool = False) -> Array:
        k = len(self._members)
        p = np.zeros((x.shape[0], self._network.n_out))
        for i in range(k):
            if member is None:
                p += self._outputs(i, x, exactly=exactly)
            elif (chosen := member == i).any():
                p[chosen] = self._outputs(i, x[chosen], exactly=exactly)
        return p / k if member is None and k > 1 else p

    def _outputs(self, member: int, x: Rows, *, exactly: bool) -> Array:
        z = self._logits(member, x, "float64" if exactly else self._dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # whoever asks refuses it
            outputs = self._network.loss.predict(z / self._temperature)
        return outputs if self._limits is None else np.clip(outputs, *self._limits)

    def _logits(self, member: int, x: Rows, dtype: str) -> Array:
        key = member, dtype, isinstance(x, SparseRows)
        if key not in self._made:
            refused = ENGINES["native"].refusal(self._network) is not None
            chosen = ENGINES["reference" if refused else "native"]
            folded = without_scaling(self._network, self._members[member])
            self._made[key] = chosen.predictor(*folded, dtype, sparse=key[2])
        return self._made[key].logits(x)

    def _undecided(self, p: Array) -> Indices:
        """Return the rows whose answer float64 could change."""
        k = p.shape[1]
        if self._dtype == "float64":
            return np.empty(0, dtype=np.int64)
        close = np.logical_not(np.isfinite(p).all(axis=1))
        if self._target.task == "multilabel":
            close |= (np.abs(p - 0.5) < _CLOSE).any(axis=1)
        elif self._target.task == "classification" and k == 2:
            close |= np.abs(p[:, 0] - p[:, 1]) < _CLOSE
        elif self._target.task == "classification" and k > 2:
            close |= np.count_nonzero(p > p.max(axis=1, keepdims=True) - _CLOSE, axis=1) > 1
        return np.flatnonzero(close)


def without_scaling(network: Network, parameters: Parameters) -> tuple[Network, Parameters]:
    """Return the same function without layers of scaling before the first dense one.

    (x_i s_i) W_ij = x_i (s_i W_ij): one pass over the inputs less, and sparse ones stay sparse.
    """
    first, layers = 0, network.computing_layers
    while isinstance(layers[first], Scaling):
        first += 1
    if not first or not isinstance(layers[first], Dense):
        return network, parameters
    arrays = [dict(layer) for layer in parameters.layers[first:]]
    for scaling in parameters.layers[:first]:
        (s,) = scaling.values()
        arrays[0]["W"] = s[:, None] * arrays[0]["W"]
    shorter = Network.from_layers(network.n_in, layers[first:], loss=network.loss_name)
    return shorter, Parameters.join(shorter.layout, arrays)
