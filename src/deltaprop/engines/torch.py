"""The engine on PyTorch's tensors: on a GPU where there is one, else on the CPU.

It works out the formulas that stand beside the reference's functions, so it runs whatever a user
registers with its formulas. ``tensors`` does so, and is imported where it is first used: there may
be no PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from deltaprop.engines.base import (
    Array,
    EpochOutcome,
    EpochPlan,
    Problem,
    Rows,
    Run,
    StepRule,
)
from deltaprop.errors import MissingExtraError, SettingError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.model.layers import ParametricActivation
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

if TYPE_CHECKING:
    from deltaprop.engines.tensors.run import TensorPredictor, TensorRun

__all__ = ["TorchEngine"]


class TorchEngine:
    """float32, float64 or bfloat16 on the device that ``tensors.device.the_device`` finds.

    On a GPU the rows stay there, full batches are replayed as a CUDA graph, and losses are read
    once an epoch. With dtype "bfloat16" products round what they read and add in float32; whether
    float32 products may take TF32 is PyTorch's own setting, ``torch.set_float32_matmul_precision``.
    """

    name = "torch"

    def refusal(self, network: Network, optimizer: StepRule | None = None) -> str | None:
        """Return what of this nobody wrote a formula of, or None; MissingExtraError: no PyTorch."""
        if find_spec("torch") is None:
            raise MissingExtraError('engine="torch" needs PyTorch, which', "deltaprop[torch]")
        from deltaprop.engines.tensors.functions import lacks_formula
        from deltaprop.engines.tensors.rule import has_formulas

        layers = network.computing_layers
        bent = [each.function for each in layers if isinstance(each, ParametricActivation)]
        rows = [*network.activations, *(ACTIVATIONS[name] for name in bent)]
        own = [row.name for row in rows if lacks_formula(row)]
        if own:
            return f"formula of the activation {own[0]!r}"
        if lacks_formula(network.loss):
            return f"formula of the loss {network.loss_name!r}"
        if optimizer and not has_formulas(optimizer):
            return f"formulas of the optimizer {type(optimizer).__name__}"
        return None

    def start(self, problem: Problem, parameters: Parameters) -> TensorRun:
        """Return a run that will update ``parameters`` in place."""
        reason = self.refusal(problem.network, problem.optimizer)
        if reason is not None:
            raise SettingError(f"The torch engine has no {reason}; take the reference.")
        from deltaprop.engines.tensors.run import TensorRun

        return TensorRun(problem, parameters)

    def epochs(
        self, runs: Sequence[Run], plans: Sequence[EpochPlan], n_threads: int
    ) -> list[EpochOutcome]:
        """Run an epoch of each, one after another."""
        return [run.epoch(plan) for run, plan in zip(runs, plans, strict=True)]

    def logits(
        self, network: Network, parameters: Parameters, X: Rows, dtype: str = "float64"
    ) -> Array:
        """Return z^L of shape (n, n_L), float64, computed in ``dtype``."""
        return self.predictor(network, parameters, dtype).logits(X)

    def predictor(
        self,
        network: Network,
        parameters: Parameters,
        dtype: str = "float64",
        *,
        sparse: bool = False,
    ) -> TensorPredictor:
        """Return what answers as ``logits`` does; later changes do not reach it."""
        reason = self.refusal(network)
        if reason is not None:
            raise SettingError(f"The torch engine has no {reason}; take the reference.")
        from deltaprop.engines.tensors.run import TensorPredictor

        return TensorPredictor(network, parameters, dtype)
