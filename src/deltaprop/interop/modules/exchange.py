"""A module and what was read of it: held against each other, and numbers put back."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from deltaprop.errors import SettingError
from deltaprop.interop.chain import Reading, assembled
from deltaprop.interop.modules.reading import steps_of
from deltaprop.interop.modules.tracing import as_it_predicts, graph_of
from deltaprop.model.backprop import propagate
from deltaprop.model.layers import Layer
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["filled", "read"]

Array = npt.NDArray[np.float64]
_N_ROWS = 16  # on which a module is held against what was read of it
_CLOSE = 1e-7


def read(module: nn.Module, loss: str | None) -> Reading:
    """Return a module as a network, with the names of its tensors.

    Raises
    ------
    SettingError
        When it is no such module; the message names the node.
    """
    called = type(module).__name__
    _refuse_unusual(module, called)
    with as_it_predicts(module):
        n_in = _width_of(module)
        steps = steps_of(module, graph_of(module, n_in), n_in)
        reading = assembled(steps, None, loss, called)
        _hold_against(module, reading, called)
    return reading


def filled(module: nn.Module, network: Network, parameters: Parameters) -> nn.Module:
    """Return a copy of a module with the numbers of a network that it is.

    Raises
    ------
    SettingError
        When the network is another one, or a number of the module was folded into others.
    """
    copy = deepcopy(module)
    reading = read(copy, None)
    _refuse_another(reading.network, network)
    tensors = {**dict(copy.named_buffers()), **dict(copy.named_parameters())}
    arrays = zip(reading.sources, parameters.layers, strict=True)
    for number, (sources, own) in enumerate(arrays, 1):
        for name, array in own.items():
            source = sources.get(name)
            if source is None or source.name not in tensors:
                raise SettingError(
                    f"{name} of layer {number} is made of several tensors of "
                    f"{type(module).__name__}, so its numbers cannot be put back. Leave like= out."
                )
            values = np.ascontiguousarray(array.T if source.transposed else array)
            found = torch.tensor(1.0 - values if source.complement else values)
            with torch.no_grad():
                tensor = tensors[source.name]
                tensor.copy_(found.reshape(tensor.shape))
    return copy


def _refuse_unusual(module: nn.Module, called: str) -> None:
    """Refuse what a graph does not show."""
    for name, part in module.named_modules():
        what = name or called
        if vars(part)["_forward_hooks"] or vars(part)["_forward_pre_hooks"]:
            raise SettingError(
                f"Module {what!r} ({type(part).__name__}) has a hook, which may change its numbers."
            )
        if isinstance(part, nn.BatchNorm1d) and part.training:
            raise SettingError(
                f"Module {what!r} ({type(part).__name__}) is in training mode, where a row depends "
                "on the batch beside it. Call module.eval() first: then it scales columns."
            )
    if not any(True for _ in module.parameters()):
        raise SettingError(f"{called} has no parameters, so it is no network.")


def _width_of(module: nn.Module) -> int | None:
    """Return how many numbers the first layer reads, where it is a usual one."""
    for part in module.modules():
        if isinstance(part, nn.Linear) and isinstance(part.in_features, int):
            return part.in_features
    return next((len(p) for p in module.parameters() if p.ndim == 2), None)


def _hold_against(module: nn.Module, reading: Reading, called: str) -> None:
    """Refuse a reading that does not give the module's own numbers."""
    network, parameters = reading.network, reading.parameters
    x = np.random.default_rng(0).normal(size=(_N_ROWS, network.n_in))
    with np.errstate(all="ignore"):
        z, a, _ = propagate(network, parameters, x)
        ours = z[-1] if reading.end == "identity" else a[-1]
        if reading.end == "log_softmax":
            ours = np.log(ours)
    device = next(module.parameters()).device
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    exact = {n: t.double() if t.is_floating_point() else t for n, t in tensors.items()}
    try:
        with torch.no_grad():
            given = torch.func.functional_call(
                module, exact, (torch.tensor(x, device=device),), tie_weights=True
            )
        theirs = given.to("cpu").numpy()
    except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
        raise SettingError(
            f"{called} does not take rows of {network.n_in} float64 numbers: "
            f"{type(error).__name__}: {error}"
        ) from None
    if theirs.shape == (len(x),) and network.n_out == 1:  # squeezed
        theirs = theirs[:, None]
    allowed = _CLOSE * (1.0 + np.abs(ours))
    if theirs.shape != ours.shape or not (np.abs(theirs - ours) <= allowed).all():
        raise SettingError(
            f"{called} gives other numbers than what its graph says, so something in it is hidden "
            "from torch.fx; nothing was read."
        )


def _refuse_another(found: Network, wanted: Network) -> None:
    if found.sizes != wanted.sizes:
        raise SettingError(
            f"like= is a module of the sizes {found.sizes}; the network has {wanted.sizes}."
        )
    layers = zip(found.computing_layers, wanted.computing_layers, strict=True)
    for number, (theirs, ours) in enumerate(layers, 1):
        n_in = found.sizes[number - 1]
        if _facts(theirs, n_in) != _facts(ours, n_in):
            raise SettingError(
                f"Layer {number} of like= is {theirs!r}, where the network has {ours!r}."
            )


def _facts(layer: Layer, n_in: int) -> tuple[object, ...]:
    """Return what of a layer decides its numbers."""
    equations = [(e.left, e.formula, e.start, e.stop) for e in layer.equations(n_in)]
    return layer.kind, layer.activation or "identity", layer.shapes(n_in), equations
