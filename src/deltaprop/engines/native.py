"""The native engine: whole epochs in C++, float32, float64 or bfloat16, on a team of threads.

The kernels are in native/; the reference judges them. The bits of a result do not depend on the
number of threads. ``kernels`` hands things over to them, and is imported where they are first used:
there may be none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from deltaprop.compiled import compiled_part, why_not_compiled
from deltaprop.engines.base import (
    Array,
    EpochOutcome,
    EpochPlan,
    Problem,
    Rows,
    Run,
    StepRule,
    is_sparse,
)
from deltaprop.errors import EngineWarning, SettingError, warn_user
from deltaprop.functional import activations, losses
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.losses import Loss
from deltaprop.model.layers import Layer, ParametricActivation
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

if TYPE_CHECKING:
    from deltaprop.engines.kernels import NativePredictor, NativeRun

__all__ = ["NativeEngine"]


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
        known = _known()
        layers = network.computing_layers
        unknown = [layer.kind for layer in layers if not _has(known.layers, layer, layer.kind)]
        if unknown:
            return f"layer of the kind {unknown[0]!r}"
        bent = [each.function for each in layers if isinstance(each, ParametricActivation)]
        rows = [*network.activations, *(ACTIVATIONS[name] for name in bent)]
        own = [row.name for row in rows if row not in known.activations]
        if own:
            return f"activation {own[0]!r}"
        if network.loss not in known.losses:
            return f"loss {network.loss_name!r}"
        if optimizer and not _has(known.optimizers, optimizer, getattr(optimizer, "name", "")):
            return f"optimizer {type(optimizer).__name__}"
        if optimizer and network.layout.absent.size:  # its steps would move what there is not
            return "layer in which only some neurons have a bias"
        return None

    def start(self, problem: Problem, parameters: Parameters) -> NativeRun:
        """Return a run that will update ``parameters`` in place."""
        reason = self.refusal(problem.network, problem.optimizer)
        if reason is not None:
            raise SettingError(f"The native engine has no {reason}; take the reference.")
        from deltaprop.engines.kernels import NativeRun, has_bfloat16_products

        if problem.dtype == "bfloat16" and not has_bfloat16_products():
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
        from deltaprop.engines.kernels import run_epochs

        return run_epochs(cast("Sequence[NativeRun]", runs), plans, n_threads)

    def logits(
        self, network: Network, parameters: Parameters, X: Rows, dtype: str = "float64"
    ) -> Array:
        """Return z^L of shape (n, n_L), float64, computed in ``dtype``."""
        return self.predictor(network, parameters, dtype, sparse=is_sparse(X)).logits(X)

    def predictor(
        self,
        network: Network,
        parameters: Parameters,
        dtype: str = "float64",
        *,
        sparse: bool = False,
    ) -> NativePredictor:
        """Return what answers as ``logits`` does, for dense rows or for sparse ones.

        It holds the weights as the kernels want them, and nothing that a fork would lose;
        SettingError where there are no kernels.
        """
        if compiled_part() is None:
            raise SettingError(
                f"The compiled part of deltaprop cannot be loaded ({why_not_compiled()}). Install "
                "it again, or take engine='reference'."
            )
        from deltaprop.engines.kernels import NativePredictor

        return NativePredictor(network, parameters, dtype, sparse=sparse)


@dataclass(frozen=True)
class _Known:
    """What the kernels have: rows themselves, for a user may register another under their name.

    A row of ours that they do not have is run by the reference, as a user's is.
    """

    activations: tuple[Activation, ...]
    losses: tuple[Loss, ...]
    layers: frozenset[str]
    optimizers: frozenset[str]


@cache
def _known() -> _Known:
    from deltaprop.engines.kernels import known_names

    names = known_names()
    return _Known(
        tuple(row for row in activations.BUILT_IN if row.name in names["activations"]),
        tuple(row for row in losses.BUILT_IN if row.name in names["losses"]),
        frozenset(names["layers"]),
        frozenset(names["optimizers"]),
    )


def _has(known: frozenset[str], one: Layer | StepRule, name: str) -> bool:
    """Return whether the kernels have it: by its name, and because it is no user's own."""
    return name in known and type(one).__module__.partition(".")[0] == "deltaprop"
