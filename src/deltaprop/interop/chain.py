"""A chain of steps, as other libraries have their models, and the network that it is.

Who reads a model writes down its steps in order; ``assembled`` makes the network of them: what
scales and shifts columns is folded into the linear layer beside it, functions become activations of
the layer in front of them, and the last one the output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError, ShapeError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.layers import Dense, Dropout, Layer, LayerNorm
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = [
    "Affine", "Columns", "Drop", "Function", "Normalized", "Own", "Reading", "Source", "Step",
    "assembled", "unreadable",
]  # fmt: skip

Array = npt.NDArray[np.float64]
# the loss that is meant where nobody says one, by what a model ends in
_USUAL = {
    "softmax": "cross_entropy", "log_softmax": "cross_entropy", "sigmoid": "binary_cross_entropy",
    "identity": "half_squared_error", "exp": "poisson",
}  # fmt: skip
_COMMUTE = ("relu", "leaky_relu")  # with a factor >= 0: dropout may stand on either side


@dataclass(frozen=True)
class Source:
    """Where an array comes from: a tensor's name, and whether it is transposed, or 1 minus it."""

    name: str
    transposed: bool = False
    complement: bool = False


Sources: TypeAlias = Mapping[str, Source]


@dataclass(frozen=True, eq=False)
class Affine:
    """z = a W + b. ``where`` says in every step what it is of the other library's model."""

    where: str
    W: Array
    b: Array | None = None
    sources: Sources = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Columns:
    """z = a scale + shift, column by column; ``source`` is that of a shift that is learnt."""

    where: str
    scale: Array | float
    shift: Array | float
    source: Source | None = None


@dataclass(frozen=True)
class Function:
    """a = f(z), of the registry, or log_softmax."""

    where: str
    name: str


@dataclass(frozen=True, eq=False)
class Normalized:
    """Layer normalization with g and b."""

    where: str
    epsilon: float
    g: Array
    b: Array
    sources: Sources = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Own:
    """A layer of ours as it stands, without an activation where that comes as a step."""

    where: str
    layer: Layer
    arrays: Mapping[str, Array]
    sources: Sources = field(default_factory=dict)
    reads: int | None = None


@dataclass(frozen=True)
class Drop:
    """Dropout."""

    where: str
    probability: float


Step: TypeAlias = Affine | Columns | Function | Normalized | Own | Drop


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read: the network, its numbers, and for each layer where its arrays come from.

    ``end`` is the function at the end of the chain, "identity" where it gives logits.
    """

    network: Network
    parameters: Parameters
    sources: tuple[Sources, ...]
    end: str


@dataclass(eq=False)
class _Row:
    """A layer in the making."""

    where: str
    layer: Layer
    arrays: dict[str, Array]
    sources: dict[str, Source]
    drop: float
    function: Function | None = None


def unreadable(where: str, why: str) -> SettingError:
    """Return the refusal of a part of a model."""
    return SettingError(f"{where} cannot be read: {why}.")


def assembled(steps: Sequence[Step], n_in: int | None, loss: str | None, whole: str) -> Reading:
    """Return the network that a chain of steps is.

    Parameters
    ----------
    steps : sequence of Step
        In order.
    n_in : int, optional
        How many numbers come in, where the steps may not say it.
    loss : str, optional
        A registered loss; the usual one of what the chain ends in when left out.
    whole : str
        What the model is called where it is refused as a whole.

    Raises
    ------
    SettingError
        When a step has no place in a network; the message says which.
    """
    made = _Chain(n_in)
    for step in steps:
        made.add(step)
    return made.network(loss, whole)


class _Chain:
    """The layers so far, and what waits for the next one."""

    def __init__(self, n_in: int | None) -> None:
        self.n_in = self.width = n_in
        self.rows: list[_Row] = []
        self.drop = 0.0
        self.dropped_by = ""
        self.waiting: Columns | None = None

    def add(self, step: Step) -> None:
        match step:
            case Affine():
                self._affine(step)
            case Columns():
                self._columns(step)
            case Function():
                self._function(step)
            case Normalized(epsilon=epsilon, g=g, b=b):
                self._refuse_waiting()
                layer = LayerNorm(epsilon=epsilon)
                self._push(step.where, layer, {"g": g, "b": b}, step.sources, len(g))
            case Own():
                self._refuse_waiting()
                reads = self.width if step.reads is None else step.reads
                self._push(step.where, step.layer, step.arrays, step.sources, reads)
            case Drop(probability=p):
                self.drop = 1.0 - (1.0 - self.drop) * (1.0 - p) if self.drop else p
                self.dropped_by = step.where

    def _push(
        self,
        where: str,
        layer: Layer,
        arrays: Mapping[str, Array],
        sources: Sources,
        reads: int | None,
    ) -> None:
        if reads is None:
            raise unreadable(where, "nothing says how many numbers come in")
        if self.width is None:
            self.n_in = self.width = reads
        if self.width != reads:
            raise unreadable(where, f"it reads {reads} numbers, and {self.width} come in")
        before = self.rows[-1].function if self.rows else None
        if before is not None and before.name not in ACTIVATIONS:
            raise unreadable(before.where, "it stands at the end of a network, nowhere else")
        self.rows.append(_Row(where, layer, dict(arrays), dict(sources), self.drop))
        self.drop, self.width = 0.0, layer.width(reads)

    def _affine(self, step: Affine) -> None:
        W, b, sources = step.W, step.b, step.sources
        if self.waiting is not None:
            scale, shift = self.waiting.scale, self.waiting.shift
            for each in (scale, shift):
                if np.ndim(each) and np.shape(each) != (len(W),):
                    raise unreadable(
                        self.waiting.where,
                        f"it has {np.size(each)} numbers for the {len(W)} that come in",
                    )
            shift_of_z = np.broadcast_to(shift, len(W)) @ W
            if b is not None or np.any(shift):
                b = shift_of_z if b is None else b + shift_of_z
            W = np.broadcast_to(scale, len(W))[:, None] * W
            sources, self.waiting = {}, None
        arrays = {"W": W} if b is None else {"W": W, "b": b}
        self._push(step.where, Dense(W.shape[1], bias=b is not None), arrays, sources, len(W))

    def _columns(self, step: Columns) -> None:
        row = self.rows[-1] if self.rows else None
        if row is not None and self._is_open(row):
            width = row.layer.width(0)
            for each in (step.scale, step.shift):
                if np.ndim(each) and np.shape(each) != (width,):
                    raise unreadable(
                        step.where, f"it has {np.size(each)} numbers for the {width} that come in"
                    )
            self._fold_back(row, step, width)
            return
        if step.source is not None:
            raise unreadable(step.where, "what is added to is no linear layer's")
        if self.waiting is not None:
            scale, shift = self.waiting.scale, self.waiting.shift
            step = replace(step, scale=scale * step.scale, shift=shift * step.scale + step.shift)
        self.waiting = step

    def _is_open(self, row: _Row) -> bool:
        """Return whether what scales and shifts the columns of a layer's z can be put into it."""
        usual = isinstance(row.layer, Dense) and row.layer == Dense(
            row.layer.n_out, bias="b" in row.arrays
        )
        return usual and row.function is None and not self.drop and self.waiting is None

    def _fold_back(self, row: _Row, step: Columns, width: int) -> None:
        shift = np.broadcast_to(np.asarray(step.shift, dtype=np.float64), width)
        has_bias = "b" in row.arrays
        if step.source is not None:
            if has_bias:
                raise unreadable(step.where, "the layer has a bias, and this would be a second one")
            row.sources["b"] = step.source
        else:
            row.sources.clear()
        row.arrays["W"] = row.arrays["W"] * step.scale
        if has_bias or np.any(shift) or step.source is not None:
            row.arrays["b"] = row.arrays.get("b", np.zeros(width)) * step.scale + shift
            row.layer = Dense(width)

    def _function(self, step: Function) -> None:
        if step.name == "identity":
            return
        row = self.rows[-1] if self.rows else None
        if row is None or not isinstance(row.layer, Dense | LayerNorm):
            raise unreadable(step.where, "no linear layer and no layer normalization precedes it")
        if row.function is not None:
            raise unreadable(step.where, f"{row.function.name} of the same layer precedes it")
        self._refuse_waiting()
        if self.drop and step.name not in _COMMUTE:
            raise unreadable(
                self.dropped_by, "it stands between a layer and its activation; put it behind it"
            )
        row.function = step

    def _refuse_waiting(self) -> None:
        if self.waiting is not None:
            raise unreadable(self.waiting.where, "no linear layer stands beside it to take it up")

    def network(self, loss: str | None, whole: str) -> Reading:
        self._refuse_waiting()
        if not self.rows:
            raise unreadable(whole, "there is no linear layer in it")
        last = self.rows[-1]
        if self.drop:
            raise unreadable(self.dropped_by, "no layer follows it")
        if not isinstance(last.layer, Dense):
            raise unreadable(last.where, "a network ends in a linear layer, or a function of it")
        found = last.function or Function(last.where, "identity")
        chosen = _loss_of(found, loss)
        layers: list[Layer | Dropout] = []
        for row in self.rows:
            if row.drop:
                layers.append(Dropout(row.drop))
            layers.append(_with_activation(row, is_last=row is last))
        assert self.n_in is not None
        network = Network.from_layers(self.n_in, layers, chosen)
        for row, n_in in zip(self.rows, network.sizes, strict=False):
            for name, shape in row.layer.shapes(n_in).items():
                if row.arrays[name].shape != shape:
                    raise ShapeError(
                        f"{row.where}: {name} has shape {row.arrays[name].shape}; {shape} was "
                        "expected."
                    )
        parameters = Parameters.join(network.layout, [row.arrays for row in self.rows])
        if not np.isfinite(parameters.flat).all():
            raise unreadable(whole, "it has weights that are infinite or NaN")
        return Reading(network, parameters, tuple(row.sources for row in self.rows), found.name)


def _with_activation(row: _Row, *, is_last: bool) -> Layer:
    if row.function is None or is_last:
        return row.layer
    assert isinstance(row.layer, Dense | LayerNorm)
    return replace(row.layer, activation=row.function.name)


def _loss_of(found: Function, loss: str | None) -> str:
    """Return the loss whose output is what the model ends in; any where it ends in nothing."""
    output = "softmax" if found.name == "log_softmax" else found.name
    if loss is None:
        return _USUAL.get(output, f"half_squared_error_{output}")
    if output not in ("identity", LOSSES[loss].output):
        raise unreadable(
            found.where, f"it is {output}, but {loss} has {LOSSES[loss].output} for its output"
        )
    return loss
