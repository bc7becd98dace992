"""The graph of a module: of torch.fx, which keeps names, else of torch.export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn

from deltaprop.errors import SettingError
from deltaprop.interop.modules.making import FormulaFunction, FormulaLayer, FormulaOutput

__all__ = ["as_it_predicts", "graph_of"]

# traced into: what they do is a function of torch.nn.functional
_TRANSPARENT = {
    nn.Linear, nn.Identity, nn.Flatten, nn.LayerNorm, nn.Dropout, nn.Softmax, nn.LogSoftmax,
    nn.Sigmoid, nn.Tanh, nn.Softsign, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU,
    nn.SiLU, nn.Softplus, nn.Mish, nn.PReLU, nn.Sequential,
}  # fmt: skip


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, FormulaFunction | FormulaLayer | FormulaOutput):
            return True
        return m.__module__.startswith("torch.") and type(m) not in _TRANSPARENT


def graph_of(module: nn.Module, n_in: int | None) -> fx.Graph:
    """Return what a module computes, an operation a node.

    ``n_in`` is needed for torch.export, where torch.fx cannot follow the code of a module.

    Raises
    ------
    SettingError
        When neither can follow it.
    """
    before = set(vars(module))
    try:
        return _Tracer().trace(module)
    except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
        refused = error
    finally:  # the module is left as it was found
        for name in set(vars(module)) - before:
            delattr(module, name)
    if n_in is not None:
        first = next(module.parameters())
        rows = torch.zeros(2, n_in, dtype=first.dtype, device=first.device)
        try:
            return torch.export.export(module, (rows,)).module().graph
        except Exception as error:  # noqa: BLE001 - as above
            refused = error
    said = str(refused).strip().partition("\n")[0]
    raise SettingError(
        f"{type(module).__name__} is no chain of operations that can be followed: torch.fx and "
        f"torch.export say {type(refused).__name__}: {said}"
    ) from None


@contextmanager
def as_it_predicts(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode for a while, each part of it back afterwards."""
    modes: list[tuple[Any, bool]] = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
