"""The native engine: whole epochs in C++, float32, float64 or bfloat16, on a team of threads.

The kernels are in native/; the reference judges them. The bits of a result do not depend on the
number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from deltaprop.compiled import compiled_part, why_not_compiled
from deltaprop.engines.base import EpochOutcome, EpochPlan, Problem, Run, StepRule
from deltaprop.engines.cores import available_cores
from deltaprop.errors import EngineWarning, SettingError, warn_user
from deltaprop.functional import activations, losses
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.losses import Loss
from deltaprop.model.layers import (
    CategoryEmbedding,
    Dense,
    ParametricActivation,
    PeriodicEmbedding,
    Scaling,
)
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

if TYPE_CHECKING:
    from deltaprop._native import Trainer

__all__ = ["NativeEngine", "NativePredictor", "NativeRun"]

Array = npt.NDArray[np.float64]

# what the kernels ask of each kind of layer, beyond its sizes
_KINDS: dict[type, tuple[str, ...]] = {
    Dense: (),
    Scaling: (),
    ParametricActivation: ("function",),
    PeriodicEmbedding: ("n_columns", "n_waves", "n_mixtures"),
    CategoryEmbedding: ("sizes", "dimension"),
}
# what is enough to begin an epoch with the same numbers again
_KEPT_AS = {"float32": np.float32, "bfloat16": np.float32, "float64": np.float64}
_WHAT = {1: "the loss", 2: "a gradient"}


class NativeRun:
    """A problem being trained in native code.

    Parameters
    ----------
    problem : Problem
        What is trained.
    parameters : Parameters
        Where to start; holds the result after each epoch.
    build : str
        Of the kernels: "avx512", "avx2" or "portable"; the fastest of this machine when left out.
    layout : str
        How the numbers of a batch lie: "lanes" (small networks) or "panels"; what is faster for
        this network when left out.
    """

    def __init__(
        self, problem: Problem, parameters: Parameters, build: str = "", layout: str = ""
    ) -> None:
        self.problem = problem
        self.parameters = parameters
        self.dtype = problem.dtype
        self._settings = _settings(problem.optimizer)
        # what the rule keeps for each parameter, in the order of its own init; and perhaps t
        first = cast("Any", problem.optimizer).init(0)
        self._states = [name for name, value in first.items() if isinstance(value, np.ndarray)]
        self._counts = [name for name in first if name not in self._states]
        self._trainer: Trainer = _kernels().make_trainer(
            _network(problem.network), self._settings, problem.batch_size,
            _threads(problem.n_threads), problem.dtype, for_training=True,
            sparse=_is_sparse(problem.X), build=build, layout=layout,
        )  # fmt: skip
        self._rows = _rows(problem.X)
        self._targets = np.ascontiguousarray(problem.targets)
        weights = problem.weights
        self._weights = None if weights is None else np.ascontiguousarray(weights, np.float64)
        self._before: npt.NDArray[np.float32] | Array | None = None  # the epoch that ended well

    def told(self, plan: EpochPlan) -> tuple[Any, ...]:
        """Return what the native code is told of an epoch."""
        return (
            self._trainer, self.parameters.flat, self._rows, self._targets, self._weights,
            np.ascontiguousarray(plan.order, dtype=np.int64),
            np.ascontiguousarray(plan.learning_rates, dtype=np.float64),
            *_stream(plan.rng), plan.should_stop,
        )  # fmt: skip

    def outcome(
        self, before: npt.NDArray[Any], loss: float, steps: int, diverged: int
    ) -> EpochOutcome:
        """Return what an epoch came to that began with the parameters ``before``."""
        if diverged:
            # those this epoch began with were good, if its first step was
            if steps == 0 and self._before is not None:
                self.parameters.flat[:] = self._before
            if diverged in _WHAT:
                return EpochOutcome(loss, steps, f"{_WHAT[diverged]} at step {steps + 1}")
            return EpochOutcome(loss, steps, f"a parameter after step {steps}")
        if steps > 0:
            self._before = before
        return EpochOutcome(loss, steps)

    @property
    def state(self) -> dict[str, Any]:
        """Return the optimizer's state, as its own ``init`` and ``step`` would hold it."""
        state: dict[str, Any] = {}
        for which, name in enumerate(self._states):
            state[name] = np.empty(self.parameters.flat.size)
            self._trainer.get_state(which, state[name])
        return state | dict.fromkeys(self._counts, self._trainer.steps)

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        for which, name in enumerate(self._states):
            self._trainer.set_state(which, np.ascontiguousarray(state[name], dtype=np.float64))
        self._trainer.steps = int(state.get("t", 0))

    def epoch(self, plan: EpochPlan) -> EpochOutcome:
        """Run the steps of one epoch, updating the parameters in place."""
        return _epochs([self], [plan], 1)[0]

    def logits(self, X: Any) -> Array:
        """Return z^L of shape (n, n_L) at the parameters that the last epoch left."""
        if _is_sparse(X) != _is_sparse(self.problem.X):  # what the kernels were chosen for
            return NativeEngine().logits(
                self.problem.network, self.parameters, X, self.problem.dtype
            )
        return NativePredictor(self._trainer, self.problem.network.n_out).logits(X)


@dataclass(frozen=True)
class NativePredictor:
    """A network with the parameters it was given, as the kernels read them."""

    trainer: Trainer
    n_out: int

    def logits(self, X: Any) -> Array:
        """Return z^L of shape (n, n_L), float64; several threads may ask at once.

        Parameters
        ----------
        X : ndarray of shape (n, n_0) or scipy CSR matrix
            Rows of the kind that the predictor was made for.
        """
        out = np.empty((X.shape[0], self.n_out))
        self.trainer.logits(_rows(X), out)
        return out


class NativeEngine:
    """Kernels in C++ for AVX-512, AVX2 and any other machine, chosen when it runs.

    With dtype "bfloat16" the products round what they read (activations, deltas, weights) to
    bfloat16 and add in float32; the weights themselves, the optimizer's state, activations,
    losses and the updates are float32. Sparse rows meet the first layer's weights in float32.
    """

    name = "native"

    def refusal(self, network: Network, optimizer: StepRule | None = None) -> str | None:
        """Return what of this only Python knows, or None where the kernels have all of it."""
        if compiled_part() is None:
            return f"compiled part here ({why_not_compiled()})"
        unknown = [layer.kind for layer in network.computing_layers if type(layer) not in _KINDS]
        if unknown:
            return f"layer of the kind {unknown[0]!r}"
        rows = [*network.activations, *_functions(network)]
        known = _known()
        own = [row.name for row in rows if row not in known.activations]
        if own:
            return f"activation {own[0]!r}"
        if network.loss not in known.losses:
            return f"loss {network.loss_name!r}"
        if optimizer is not None and not _is_known(optimizer):
            return f"optimizer {type(optimizer).__name__}"
        return None

    def start(self, problem: Problem, parameters: Parameters) -> NativeRun:
        """Return a run that will update ``parameters`` in place."""
        reason = self.refusal(problem.network, problem.optimizer)
        if reason is not None:
            raise SettingError(f"The native engine has no {reason}; take the reference.")
        if problem.dtype == "bfloat16" and not _kernels().has_bfloat16_products():
            warn_user(
                "This processor has no bfloat16 products: they are rounded the same but worked out "
                "in float32, more slowly than with dtype='float32'.",
                EngineWarning,
            )
        return NativeRun(problem, parameters)

    def epochs(
        self, runs: Sequence[Run], plans: Sequence[EpochPlan], n_threads: int
    ) -> list[EpochOutcome]:
        """Run an epoch of each in one native call."""
        return _epochs(cast("Sequence[NativeRun]", runs), plans, n_threads)

    def logits(
        self, network: Network, parameters: Parameters, X: Any, dtype: str = "float64"
    ) -> Array:
        """Return z^L of shape (n, n_L), float64, computed in ``dtype``."""
        sparse = _is_sparse(X)
        return self.predictor(network, parameters, dtype, sparse=sparse).logits(X)

    def predictor(
        self,
        network: Network,
        parameters: Parameters,
        dtype: str = "float64",
        *,
        sparse: bool = False,
    ) -> NativePredictor:
        """Return what answers as ``logits`` does, for dense rows or for sparse ones.

        It holds the weights as the kernels want them, and nothing that a fork would lose.
        """
        trainer = _kernels().make_trainer(
            _network(network), {}, 1, _threads(None), dtype, for_training=False, sparse=sparse
        )
        trainer.set_parameters(np.ascontiguousarray(parameters.flat))
        return NativePredictor(trainer, network.n_out)


def _epochs(
    runs: Sequence[NativeRun], plans: Sequence[EpochPlan], n_threads: int
) -> list[EpochOutcome]:
    with np.errstate(over="ignore"):  # then it will diverge, which is said then
        kept = [run.parameters.flat.astype(_KEPT_AS[run.dtype]) for run in runs]
    told = [run.told(plan) for run, plan in zip(runs, plans, strict=True)]
    results = _kernels().train_epochs(told, n_threads)
    return [
        run.outcome(before, *result)
        for run, before, result in zip(runs, kept, results, strict=True)
    ]


def _kernels() -> ModuleType:
    """Return the compiled kernels.

    Raises
    ------
    SettingError
        Where there are none.
    """
    native = compiled_part()
    if native is None:
        raise SettingError(
            f"The compiled part of deltaprop cannot be loaded ({why_not_compiled()}). Install it "
            "again, or take engine='reference'."
        )
    return native


@dataclass(frozen=True)
class _Known:
    """What the kernels have: rows themselves, for a user may register another under their name.

    A row of ours that they do not have is run by the reference, as a user's is.
    """

    activations: tuple[Activation, ...]
    losses: tuple[Loss, ...]
    optimizers: frozenset[str]


@cache
def _known() -> _Known:
    names = _kernels().known_names()
    return _Known(
        tuple(row for row in activations.BUILT_IN if row.name in names["activations"]),
        tuple(row for row in losses.BUILT_IN if row.name in names["losses"]),
        frozenset(names["optimizers"]),
    )


def _is_known(optimizer: StepRule) -> bool:
    """Return whether the kernels take its steps: by its name, and because it is no user's own."""
    own = type(optimizer).__module__.partition(".")[0] != "deltaprop"
    return not own and getattr(optimizer, "name", "") in _known().optimizers


def _stream(rng: np.random.Generator | None) -> tuple[list[int], list[int]]:
    """Return key and counter of a Philox generator: where its stream begins."""
    if rng is None:
        return [0, 0], [0, 0, 0, 0]
    state: Any = rng.bit_generator.state["state"]
    return [int(word) for word in state["key"]], [int(word) for word in state["counter"]]


def _threads(asked: int | None) -> int:
    return min(asked or available_cores(), available_cores())


def _functions(network: Network) -> list[Activation]:
    """Return the rows of the activations that layers bend."""
    layers = network.computing_layers
    return [ACTIVATIONS[each.function] for each in layers if isinstance(each, ParametricActivation)]


def _layer(network: Network, index: int) -> dict[str, Any]:
    """Return a layer as the native code reads it."""
    layer, dropout, n_in = (
        network.computing_layers[index],
        network.dropouts[index],
        network.sizes[index],
    )
    last = index == len(network.computing_layers) - 1
    described = {
        "kind": layer.kind,
        "n_in": n_in,
        "n_out": network.sizes[index + 1],
        "bias": network.has_bias(index),
        "activation": "identity" if last else network.activations[index].name,
        "drop_threshold": 0 if dropout is None else dropout.threshold,
        "drop_probability": 0.0 if dropout is None else dropout.drop_probability,
        "rates": [layer.learning_rate_factor_of(name) for name in layer.shapes(n_in)],
        "scale": layer.scale(n_in) if isinstance(layer, Dense) else 1.0,
    }
    return described | {name: getattr(layer, name) for name in _KINDS[type(layer)]}


def _network(network: Network) -> dict[str, Any]:
    """Return the network as the native code reads it."""
    return {
        "layers": [_layer(network, index) for index in range(len(network.computing_layers))],
        "loss": network.loss_name,
        "label_smoothing": float(network.label_smoothing),
        "l2": float(network.l2),
        "l1": float(network.l1),
    }


def _settings(optimizer: StepRule) -> dict[str, Any]:
    """Return an optimizer's hyperparameters as the native code reads them."""
    rule: Any = optimizer
    settings = {name: value for name, value in vars(rule).items() if name != "learning_rate"}
    nesterov = settings.pop("nesterov", False)
    return {**settings, "name": "nesterov" if nesterov else rule.name}


def _is_sparse(X: Any) -> bool:
    return hasattr(X, "indptr")


def _rows(X: Any) -> dict[str, Any]:
    """Return the rows as the native code reads them; a copy only where it cannot read them."""
    if _is_sparse(X):
        return {
            "data": _plain(X.data),
            "starts": np.ascontiguousarray(X.indptr, dtype=np.int64),
            "columns": np.ascontiguousarray(X.indices, dtype=np.int32),
            "n": int(X.shape[0]),
        }
    array = _plain(np.asarray(X) if not isinstance(X, np.ndarray) else X)
    step = array.strides[1] if array.shape[1] > 1 else array.itemsize
    whole = array.strides[0] % array.itemsize == 0 and array.strides[0] >= 0
    aligned = array.flags.aligned
    if step != array.itemsize or not whole or not aligned:
        array = np.ascontiguousarray(array)
        array = array if array.flags.aligned else array.copy()
    return {"data": array}


def _plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    known = array.dtype in (np.float32, np.float64, np.uint8) and array.dtype.isnative
    return array if known else array.astype(np.float64)
