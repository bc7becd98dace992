"""to_torch and from_torch: a network as a module of PyTorch, and a module as a network."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from deltaprop.errors import MissingExtraError, SettingError, shown
from deltaprop.functional.losses import LOSSES
from deltaprop.model.backprop import require_fit
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["from_torch", "to_torch"]


def to_torch(
    network: Network,
    parameters: Parameters,
    *,
    output: bool = False,
    like: Module | None = None,
) -> Module:
    """Return a network as a module of PyTorch.

    Its forward pass gives the logits z^L, which the losses of PyTorch take; with ``output`` it
    gives p. Layers and activations are PyTorch's own (``torch.nn.Linear``, ``LayerNorm``, ...)
    where those are exact, else modules that work out the registries' formulas. The module is in
    float64 and in evaluation mode; ``module.train()`` brings dropout back. Penalties and label
    smoothing are the loss's, and do not come along.

    Parameters
    ----------
    network, parameters
        What is to be computed.
    output : bool
        Whether the module ends in the output activation.
    like : torch.nn.Module, optional
        The module that ``from_torch`` read the network from: a copy of it with these parameters is
        returned, so that names, dtypes and its last step stay what they are.

    Returns
    -------
    torch.nn.Module
        Sequential, with layer1, activation1, layer2, ...; the names in its ``state_dict`` are
        layer1.weight, layer1.bias, ...

    Raises
    ------
    MissingExtraError
        When PyTorch is not installed.
    SettingError
        When an activation or the output has no formula, or ``like`` is another network.
    """
    _require_torch("to_torch")
    require_fit(network, parameters)
    if like is not None:
        from deltaprop.interop.modules.exchange import filled

        _require_module(like)
        return filled(like, network, parameters)
    from deltaprop.interop.modules.making import as_module

    return as_module(network, parameters, output=output)


def from_torch(module: Module, loss: str | None = None) -> tuple[Network, Parameters]:
    """Return a module of PyTorch as a network and its parameters.

    Parameters
    ----------
    module : torch.nn.Module
        A chain of linear layers (modules, ``x @ W + b``, ``torch.addmm``, ...), activations that
        the registry has, layer normalization, PReLU and dropout, however nested. Batch
        normalization, as in evaluation mode, and numbers that columns are scaled and shifted by
        are folded into the linear layer beside them.
    loss : str, optional
        A registered loss. Where the module ends in a softmax, a sigmoid or another activation, that
        is the loss's output (the module's LogSoftmax gives the logarithms of the network's p);
        where it ends in a linear layer, that gives the loss's logits. Left out: cross_entropy after
        a softmax, binary_cross_entropy after a sigmoid, else half squared error, so that p is what
        the module gives.

    Returns
    -------
    network : Network
        The layers in order.
    parameters : Parameters
        Copies of the numbers, float64.

    Raises
    ------
    MissingExtraError
        When PyTorch is not installed.
    SettingError
        When a node of the module's graph (``torch.fx``, or ``torch.export`` where that cannot
        follow it) has no place in a network: the message names it.
    """
    _require_torch("from_torch")
    _require_module(module)
    if loss is not None:
        LOSSES[loss]
    from deltaprop.interop.modules.exchange import read

    reading = read(module, loss)
    return reading.network, reading.parameters


def _require_torch(who: str) -> None:
    if find_spec("torch") is None:
        raise MissingExtraError(f"{who} needs PyTorch, which", "deltaprop[torch]")


def _require_module(module: object) -> None:
    from torch.nn import Module

    if not isinstance(module, Module):
        raise SettingError(
            f"{shown(module)} is no torch.nn.Module. Of a file of weights alone nobody knows what "
            "they are multiplied by: make the module, load them into it, and give that."
        )
