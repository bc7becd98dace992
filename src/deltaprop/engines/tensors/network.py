"""A network on tensors: the reference's recursion, one pass over a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from deltaprop.engines.tensors.functions import ActivationOnTensors, LossOnTensors
from deltaprop.engines.tensors.layers import LayerOnTensors
from deltaprop.interop.formulas import Multiply, Tensor
from deltaprop.model.parameters import Layout
from deltaprop.model.spec import Network

__all__ = ["NetworkOnTensors"]

Masks = Sequence[Tensor | None]


class NetworkOnTensors:
    """What a network computes, of tensors on one device in one dtype."""

    def __init__(
        self, network: Network, device: torch.device, dtype: torch.dtype, multiply: Multiply
    ) -> None:
        self._n_out, self._e = network.n_out, network.label_smoothing
        self._layout = network.layout
        self._layers = [
            LayerOnTensors(layer, n_in, device, multiply)
            for layer, n_in in zip(network.computing_layers, network.sizes, strict=False)
        ]
        self._activations = [ActivationOnTensors(row) for row in network.activations]
        self._loss = LossOnTensors(network.loss)
        self._l2, self._l1 = network.penalty_strengths
        penalized = torch.from_numpy(network.layout.penalized()).to(device, dtype)
        self._penalized = penalized if network.l2 or network.l1 else None
        self._is_penalized = network.has_penalized_gradient
        self._absent = torch.from_numpy(network.layout.absent).to(device)

    def logits(self, flat: Tensor, x: Tensor) -> Tensor:
        """Return z^L of shape (n, n_L)."""
        a = x
        for index, (layer, arrays) in enumerate(
            zip(self._layers, views(self._layout, flat), strict=True)
        ):
            z = layer.forward(arrays, a)["z"]
            a = self._activations[index].f(z) if index < len(self._activations) else z
        return z

    def step(
        self, flat: Tensor, gradient: Tensor, x: Tensor, t: Tensor, shares: Tensor, masks: Masks
    ) -> Tensor:
        """Return the objective, and write its gradient.

        Parameters
        ----------
        flat, gradient : tensor of shape (layout.size,)
            The parameters, and where dL/dw goes.
        x : tensor of shape (n, n_0)
            The batch.
        t : tensor of shape (n,) or (n, n_L)
            Labels, or targets.
        shares : tensor of shape (n,)
            The factor with which each sample's loss enters L.
        masks : sequence of tensor or None
            What multiplies the inputs of each layer.
        """
        arrays, gradients = views(self._layout, flat), views(self._layout, gradient)
        known, z, a = [], [], [x]
        for index, layer in enumerate(self._layers):
            mask = masks[index]
            inputs = a[index] if mask is None else a[index] * mask
            known.append(layer.forward(arrays[index], inputs))
            z.append(known[-1]["z"])
            if index < len(self._activations):
                a.append(self._activations[index].f(z[-1]))

        targets = self._loss.smoothed(self._dense(t, z[-1]), self._e)
        per_sample, delta_per_sample = self._loss.per_sample_and_delta(z[-1], targets)
        loss = _shared(shares, per_sample).sum()
        delta = _shared(shares[:, None], delta_per_sample)
        for index in reversed(range(len(self._layers))):
            below = self._layers[index].backward(known[index], delta, gradients[index])
            if index > 0:
                mask = masks[index]
                upstream = below if mask is None else below * mask
                f_prime = self._activations[index - 1].f_prime
                delta = upstream * f_prime(z[index - 1], a[index])
        if len(self._absent):
            gradient.index_fill_(0, self._absent, 0.0)
        return self._with_penalties(loss, flat, gradient)

    def _dense(self, t: Tensor, z: Tensor) -> Tensor:
        if t.ndim > 1:
            return t
        return torch.zeros_like(z).scatter_(1, t[:, None], 1.0)

    def _with_penalties(self, loss: Tensor, flat: Tensor, gradient: Tensor) -> Tensor:
        if self._penalized is None:
            return loss
        weights = flat * self._penalized
        if self._is_penalized:
            gradient += self._l2 * weights + self._l1 * torch.sign(weights)
        return loss + self._l2 / 2 * weights.square().sum() + self._l1 * weights.abs().sum()


def views(layout: Layout, flat: Tensor) -> list[dict[str, Tensor]]:
    """Return the arrays of each layer by name, as views into a flat vector."""
    arrays: list[dict[str, Tensor]] = [{} for _ in range(layout.n_layers)]
    for slot in layout.slots:
        arrays[slot.layer][slot.name] = flat[slot.start : slot.stop].view(slot.shape)
    return arrays


def _shared(shares: Tensor, values: Tensor) -> Tensor:
    """Return shares * values; 0 where a share is 0, even if the value is infinite."""
    return torch.where(shares == 0, 0.0, shares * values)
