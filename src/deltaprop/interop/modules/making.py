"""A network as a module of PyTorch: its own layers where they are exact, else the formulas."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from deltaprop.functional.activations import ACTIVATIONS, BUILT_IN
from deltaprop.functional.expressions import Matrix
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.interop.formulas import Formula, as_function
from deltaprop.interop.forward import formula_of, output_formula
from deltaprop.interop.functions import OF_TORCH
from deltaprop.model.layers import INTERMEDIATES, Dense, Equation, Layer, LayerNorm
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["FormulaFunction", "FormulaLayer", "FormulaOutput", "as_module"]

Array = npt.NDArray[np.float64]
_Z = Matrix("z", np.zeros((1, 1)))
_BUILT_IN = {row.name: row for row in BUILT_IN}
# the numbers between that equations of the pass forward have names for
_BETWEEN = {i.name for i in INTERMEDIATES.values() if i.phase == "forward"}


class FormulaFunction(nn.Module):
    """A registered activation, f and f' by their formulas."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__()
        self.name, self.where = name, where
        self._read()

    def _read(self) -> None:
        row = ACTIVATIONS[self.name]
        formula_of(row, _Z, where=self.where)  # refused where there is none
        formulas = row.stably or row.arithmetic
        assert formulas is not None
        self.f, self.f_prime = as_function(formulas[0], ["z"]), as_function(formulas[1], ["z", "a"])

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in self.__dict__.items() if k not in ("f", "f_prime")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._read()

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return f(z)."""
        a: torch.Tensor = _Function.apply(z, self.f, self.f_prime)
        return a

    def extra_repr(self) -> str:
        """Return the name that it is registered by."""
        return self.name


class _Function(torch.autograd.Function):
    """a = f(z) with the registry's own f': at a kink, too."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, f: Formula, f_prime: Formula) -> torch.Tensor:
        a = _like(f({"z": z}), z)
        ctx.save_for_backward(z, a)
        ctx.f_prime = f_prime
        return a

    @staticmethod
    def backward(ctx: Any, *deltas: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        z, a = ctx.saved_tensors
        return deltas[0] * _like(ctx.f_prime({"z": z, "a": a}), z), None, None


class FormulaOutput(nn.Module):
    """An output of a loss that PyTorch has no module of, by its formula."""

    def __init__(self, name: str, formula: str) -> None:
        super().__init__()
        self.name, self.formula = name, formula

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return p."""
        return _like(as_function(self.formula, ["z"])({"z": z}), z)


class FormulaLayer(nn.Module):
    """A layer of deltaprop by its equations; its parameters have the names of its arrays.

    Attributes
    ----------
    layer : Layer
        What it is, without its activation.
    n_in : int
        How many numbers it reads.
    """

    def __init__(self, layer: Layer, n_in: int, arrays: Mapping[str, Array], where: str) -> None:
        super().__init__()
        self.layer, self.n_in = layer, n_in
        for name, array in arrays.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(array)))
        absent = layer.absent("b") if isinstance(layer, Dense) else ()
        self.absent = list(absent)
        names = {name for e in self._equations() for name in e.functions.values()}
        self.names = sorted(names)
        self.functions = nn.ModuleList([_function(name, where) for name in self.names])

    def _equations(self) -> list[Equation]:
        found = [e for e in self.layer.equations(self.n_in) if e.left in {"z", *_BETWEEN}]
        return sorted(found, key=lambda e: (e.left == "z", e.start))

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        """Return z."""
        arrays = dict(self.named_parameters(recurse=False))
        if self.absent:  # what there is not stays 0
            there = torch.ones_like(arrays["b"])
            there[self.absent] = 0.0
            arrays["b"] = arrays["b"] * there
        values: dict[str, torch.Tensor] = {"a": a, **arrays}
        parts = []
        for equation in self._equations():
            within = dict(values)
            for name, part in equation.parts.items():
                if part.array in values:
                    within[name] = _part(values[part.array], part.array, part.start, part.stop)
            functions = dict(zip(self.names, self.functions, strict=True))
            own = {name: functions[f] for name, f in equation.functions.items()}
            names = [name for name in within if name not in own]
            value = as_function(equation.formula, names, own=own)(within)
            if equation.left == "z":
                parts.append(value)
            else:
                values[equation.left] = value
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def extra_repr(self) -> str:
        """Return the layer as it is written in ``Network.from_layers``."""
        return repr(self.layer)


def as_module(network: Network, parameters: Parameters, *, output: bool) -> nn.Sequential:
    """Return the modules of a network in order, in evaluation mode and float64."""
    made: OrderedDict[str, nn.Module] = OrderedDict()
    last = len(network.computing_layers)
    rows = zip(
        network.computing_layers, network.dropouts, network.sizes, parameters.layers, strict=False
    )
    for number, (layer, dropout, n_in, arrays) in enumerate(rows, 1):
        where = f"of layer {number}"
        if dropout is not None:
            made[f"dropout{number}"] = nn.Dropout(dropout.drop_probability)
        made[f"layer{number}"] = _layer(layer, n_in, arrays, where)
        activation = layer.activation or "identity"
        if number < last and activation != "identity":
            made[f"activation{number}"] = _function(activation, where)
    if output and network.loss.output != "identity":
        made["output"] = _output(network)
    return nn.Sequential(made).eval()


def _layer(layer: Layer, n_in: int, arrays: Mapping[str, Array], where: str) -> nn.Module:
    if isinstance(layer, Dense) and layer.parametrization == "standard" and not layer.absent("b"):
        linear = nn.Linear(n_in, layer.n_out, "b" in arrays, dtype=torch.float64)
        _put(linear, weight=arrays["W"].T, **({"bias": arrays["b"]} if "b" in arrays else {}))
        return linear
    if isinstance(layer, LayerNorm):
        norm = nn.LayerNorm(n_in, eps=layer.epsilon, dtype=torch.float64)
        _put(norm, weight=arrays["g"], bias=arrays["b"])
        return norm
    return FormulaLayer(layer, n_in, arrays, where)


def _put(module: nn.Module, **arrays: Array) -> None:
    with torch.no_grad():
        for name, array in arrays.items():
            getattr(module, name).copy_(torch.tensor(np.ascontiguousarray(array)))


def _function(name: str, where: str) -> nn.Module:
    if name in OF_TORCH and _BUILT_IN[name] is ACTIVATIONS[name]:
        kind, settings = OF_TORCH[name]
        made: nn.Module = getattr(nn, kind)(**settings)
        return made
    return FormulaFunction(name, where)


def _output(network: Network) -> nn.Module:
    name = network.loss.output
    if name == "softmax":
        return nn.Softmax(dim=1)
    if name in ACTIVATIONS:
        return _function(name, "of the output")
    output_formula(network.loss, _Z)
    formula = OUTPUTS[name].arithmetic
    assert formula is not None
    return FormulaOutput(name, formula)


def _part(array: torch.Tensor, name: str, start: int, stop: int) -> torch.Tensor:
    """Return some columns of a, some rows of an array, or one of three indices."""
    if name == "a":
        return array[:, start:stop]
    return array[start] if array.ndim == 3 else array[start:stop]


def _like(value: torch.Tensor | float, z: torch.Tensor) -> torch.Tensor:
    return torch.full_like(z, value) if isinstance(value, float) else value
