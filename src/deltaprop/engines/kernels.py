"""What the kernels are told, and what they say. To import it loads the compiled part."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypedDict, cast

import numpy as np
import numpy.typing as npt

from deltaprop._native import (
    Epoch,
    Layer,
    Network,
    Outcome,
    Rows,
    Rule,
    Trainer,
    has_bfloat16_products,
    instruction_sets,
    known_names,
    train_epochs,
)
from deltaprop.engines import base
from deltaprop.engines.base import Array, EpochOutcome, EpochPlan, Problem, StepRule, is_sparse
from deltaprop.engines.cores import available_cores
from deltaprop.errors import SettingError
from deltaprop.model import spec
from deltaprop.model.parameters import Parameters

__all__ = [
    "NativePredictor",
    "NativeRun",
    "has_bfloat16_products",
    "known_names",
    "layer_keywords",
    "network_keywords",
    "rule_keywords",
    "run_epochs",
]

# what is enough to begin an epoch with the same numbers again
_KEPT_AS = {"float32": np.float32, "bfloat16": np.float32, "float64": np.float64}


class NativeRun:
    """A problem being trained in native code; ``parameters`` hold the result after each epoch."""

    def __init__(self, problem: Problem, parameters: Parameters) -> None:
        self.problem = problem
        self.parameters = parameters
        self.dtype = problem.dtype
        # what the rule keeps for each parameter, in the order of its own init; and perhaps t
        first = problem.optimizer.init(0)
        self._states = [name for name, value in first.items() if isinstance(value, np.ndarray)]
        self._counts = [name for name in first if name not in self._states]
        self._trainer = Trainer(
            network=network_of(problem.network), rule=Rule(**rule_keywords(problem.optimizer)),
            batch_size=problem.batch_size, n_threads=threads(problem.n_threads),
            dtype=problem.dtype, sparse=is_sparse(problem.X), **_tuning(),
        )  # fmt: skip
        self._rows = rows_of(problem.X)
        self._targets = np.ascontiguousarray(problem.targets)
        weights = problem.weights
        self._weights = None if weights is None else np.ascontiguousarray(weights, np.float64)
        self._before: npt.NDArray[np.float32] | Array | None = None  # the epoch that ended well

    def native_epoch(self, plan: EpochPlan) -> Epoch:
        """Return an epoch as the native code is told of it."""
        key, counter, word = _stream(plan.rng)
        return Epoch(
            trainer=self._trainer, flat=self.parameters.flat, rows=self._rows,
            targets=self._targets, weights=self._weights,
            order=np.ascontiguousarray(plan.order, dtype=np.int64),
            learning_rates=np.ascontiguousarray(plan.learning_rates, dtype=np.float64),
            mask_key=key, mask_counter=counter, mask_word=word, total=plan.total,
            should_stop=plan.should_stop,
        )  # fmt: skip

    def outcome(
        self, plan: EpochPlan, before: npt.NDArray[np.float32] | Array, native: Outcome
    ) -> EpochOutcome:
        """Return what an epoch came to that began with the parameters ``before``."""
        if native.diverged is None:
            self._before = before if native.steps > 0 else self._before
        # those this epoch began with were good, if its first step was
        elif native.steps == 0 and self._before is not None:
            self.parameters.flat[:] = self._before
        size = self.problem.batch_size
        return plan.outcome(size, native.total, native.steps, native.diverged)

    @property
    def state(self) -> base.State:
        """Return the optimizer's state, as its own ``init`` and ``step`` would hold it."""
        state: base.State = dict.fromkeys(self._counts, self._trainer.steps)
        for which, name in enumerate(self._states):
            state[name] = kept = np.empty(self.parameters.flat.size)
            self._trainer.get_state(which, kept)
        return state

    @state.setter
    def state(self, state: base.State) -> None:
        for which, name in enumerate(self._states):
            self._trainer.set_state(which, np.ascontiguousarray(state[name], dtype=np.float64))
        self._trainer.steps = int(state.get("t", 0))

    def epoch(self, plan: EpochPlan) -> EpochOutcome:
        """Run the steps of one epoch, updating the parameters in place."""
        return run_epochs([self], [plan], 1)[0]

    def logits(self, X: base.Rows) -> Array:
        """Return z^L of shape (n, n_L) at the parameters that the last epoch left."""
        if is_sparse(X) == is_sparse(self.problem.X):  # what the kernels were chosen for
            return _logits(self._trainer, X, self.problem.network.n_out)
        other = NativePredictor(
            self.problem.network, self.parameters, self.dtype, sparse=is_sparse(X)
        )
        return other.logits(X)


class NativePredictor:
    """A network with the parameters it was given, as the kernels read them.

    Later changes of ``parameters`` do not reach it; ``sparse`` says whether its rows will be.
    """

    def __init__(
        self, network: spec.Network, parameters: Parameters, dtype: str, *, sparse: bool
    ) -> None:
        self._n_out = network.n_out
        self._trainer = Trainer(
            network=network_of(network), rule=None, batch_size=1, n_threads=threads(None),
            dtype=dtype, sparse=sparse, **_tuning(),
        )  # fmt: skip
        self._trainer.set_parameters(np.ascontiguousarray(parameters.flat))

    def logits(self, X: base.Rows) -> Array:
        """Return z^L (n, n_L), float64, of rows of its kind; several threads may ask at once."""
        return _logits(self._trainer, X, self._n_out)


def run_epochs(
    runs: Sequence[NativeRun], plans: Sequence[EpochPlan], n_threads: int
) -> list[EpochOutcome]:
    """Run an epoch of each in one native call, on so many threads at most."""
    with np.errstate(over="ignore"):  # then it will diverge, which is said then
        kept = [run.parameters.flat.astype(_KEPT_AS[run.dtype]) for run in runs]
    epochs = [run.native_epoch(plan) for run, plan in zip(runs, plans, strict=True)]
    ended = zip(runs, plans, kept, train_epochs(epochs, n_threads), strict=True)
    return [run.outcome(plan, before, outcome) for run, plan, before, outcome in ended]


def threads(asked: int | None) -> int:
    """Return how many threads there are for somebody who asks for so many."""
    return min(asked or available_cores(), available_cores())


def network_of(network: spec.Network) -> Network:
    """Return a network as the kernels read it."""
    layers = [Layer(**layer_keywords(network, i)) for i in range(len(network.computing_layers))]
    return Network(layers=layers, **network_keywords(network))


def network_keywords(network: spec.Network) -> dict[str, Any]:
    """Return what the kernels are told of a network beside its layers."""
    return {
        "loss": network.loss_name, "label_smoothing": float(network.label_smoothing),
        "l2": float(network.l2), "l1": float(network.l1),
    }  # fmt: skip


def rows_of(X: base.Rows) -> Rows:
    """Return rows as the kernels read them; a copy only where they cannot read them."""
    if not isinstance(X, np.ndarray) and is_sparse(X):
        return Rows(
            data=_plain(X.data), starts=np.ascontiguousarray(X.indptr, dtype=np.int64),
            columns=np.ascontiguousarray(X.indices, dtype=np.int32),
        )  # fmt: skip
    array = _plain(np.asarray(X))
    step = array.strides[1] if array.shape[1] > 1 else array.itemsize
    whole = array.strides[0] % array.itemsize == 0 and array.strides[0] >= 0
    if step != array.itemsize or not whole or not array.flags.aligned:
        array = np.ascontiguousarray(array)
        array = array if array.flags.aligned else array.copy()
    return Rows(data=array, starts=None, columns=None)


class _Tuning(TypedDict):
    """How a trainer is chosen."""

    build: str
    layout: str
    threads_from: float
    lost_share: float


def _tuning() -> _Tuning:
    """Return what the environment says of the choice of kernels, and what is usual."""
    return {
        "build": _word("DELTAPROP_BUILD", ["fastest", *instruction_sets()]),
        "layout": _word("DELTAPROP_LAYOUT", ["automatic", "lanes", "panels"]),
        # multiply-adds of a step from which a second thread earns more than two barriers cost
        "threads_from": _number("DELTAPROP_THREADS_FROM", 300_000.0),
        # two threads that stand still for half of their time do no more than one, and one core may
        # be lost for a moment on any machine
        "lost_share": _number("DELTAPROP_LOST_SHARE", 0.7),
    }


def _word(variable: str, known: list[str]) -> str:
    word = os.environ.get(variable, known[0])
    if word not in known:
        raise SettingError(
            f"The environment says {variable}={word!r}; on this machine it can be "
            f"{', '.join(known)}."
        )
    return word


def _number(variable: str, usual: float) -> float:
    try:
        return float(os.environ.get(variable, usual))
    except ValueError:
        raise SettingError(
            f"The environment says {variable}={os.environ[variable]!r}, which is not a number."
        ) from None


def _logits(trainer: Trainer, X: base.Rows, n_out: int) -> Array:
    out = np.empty((X.shape[0], n_out))
    trainer.logits(rows_of(X), out)
    return out


def _stream(rng: np.random.Generator | None) -> tuple[list[int], list[int], int]:
    """Return key and counter of a Philox generator, and which word of its next block comes next."""
    if rng is None:
        return [0, 0], [0, 0, 0, 0], 0
    state = cast("dict[str, Any]", rng.bit_generator.state)
    key, counter = ([int(word) for word in state["state"][name]] for name in ("key", "counter"))
    word = state["buffer_pos"] % 4
    if word:  # the block whose words are being given out was counted when it was made
        counter[0] -= 1
    return key, counter, word


def layer_keywords(network: spec.Network, index: int) -> dict[str, Any]:
    """Return what the kernels are told of a layer."""
    layer, dropout = network.computing_layers[index], network.dropouts[index]
    n_in, last = network.sizes[index], index == len(network.computing_layers) - 1

    def asked(name: str) -> object:
        value = getattr(layer, name)
        return value(n_in) if callable(value) else value

    return {
        "kind": layer.kind, "n_in": n_in, "n_out": network.sizes[index + 1],
        "bias": network.has_bias(index),
        "activation": "identity" if last else network.activations[index].name,
        "drop_threshold": 0 if dropout is None else dropout.threshold,
        "drop_probability": 0.0 if dropout is None else dropout.drop_probability,
        "rates": [layer.learning_rate_factor_of(name) for name in layer.shapes(n_in)],
        **{name: asked(name) for name in known_names()["layers"][layer.kind]},
    }  # fmt: skip


def rule_keywords(optimizer: StepRule) -> dict[str, Any]:
    """Return what the kernels are told of an optimizer's step."""
    settings = {name: value for name, value in vars(optimizer).items() if name != "learning_rate"}
    nesterov = settings.pop("nesterov", False)
    return {"name": "nesterov" if nesterov else getattr(optimizer, "name", ""), **settings}


def _plain(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    known = array.dtype in (np.float32, np.float64, np.uint8) and array.dtype.isnative
    return array if known else array.astype(np.float64)
