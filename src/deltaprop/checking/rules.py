"""One step as a set of rules: a function for each place where something can go wrong.

``RIGHT`` holds the right rules (a test proves that they give ``backpropagate``'s numbers); a
mistake replaces one of them. ``work_step`` takes the step by any rules; who marks somebody's
working has a hand in every number (``Take``) and goes on with those that are claimed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import penalties, penalty_gradient
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = [
    "RIGHT",
    "Rules",
    "Take",
    "Working",
    "backward",
    "forward",
    "loss_of",
    "take_arrays",
    "work_step",
]

Array = npt.NDArray[np.float64]
# Given a quantity, "z.1" or "dW.2", and what it comes to: what the working goes on with.
Take: TypeAlias = Callable[[str, Array], Array]


@dataclass
class Working:
    """One step as somebody works it out, right or wrong: what a ``Trace`` is, plus the update.

    Attributes
    ----------
    network, parameters : Network, Parameters
        What the step was taken with.
    x, targets, shares : ndarray
        The batch.
    learning_rate : float
        eta of the plain gradient descent step at the end.
    z, a, delta : list of ndarray
        As in ``Trace``.
    loss : float
        The objective, penalties included.
    gradients, after : Parameters
        The gradients, and the parameters after the step.
    """

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    learning_rate: float
    z: list[Array] = field(default_factory=list)
    a: list[Array] = field(default_factory=list)
    delta: list[Array] = field(default_factory=list)
    upstream: list[Array] = field(default_factory=list)
    loss: float = np.nan
    gradients: Parameters = field(init=False)
    after: Parameters = field(init=False)

    def __post_init__(self) -> None:
        if not self.network.is_dense_only:
            raise SettingError(
                "Rules and mistakes are about dense layers in their usual form; the network "
                f"{self.network.describe()} has others, or learning rate factors. explain and "
                "check_gradients take any network."
            )

    def weights(self, layer: int) -> Array:
        """Return W of layer ``layer`` + 1."""
        return self.parameters.layers[layer]["W"]


@dataclass(frozen=True)
class Rules:
    """How each part of a step is worked out.

    Every rule takes the working so far. ``recursion`` gives dL/da of the layer below,
    ``f_prime`` the derivative it is multiplied by, ``gradient_delta`` what the weight gradient
    is made with, ``update`` the parameters after the step.
    """

    output: Callable[[Working], Array]
    data_loss: Callable[[Working], float]
    penalty: Callable[[Working], float]
    output_delta: Callable[[Working], Array]
    recursion: Callable[[Working, int], Array]
    f_prime: Callable[[Working, int], Array]
    gradient_delta: Callable[[Working, int], Array]
    weight_gradient: Callable[[Array, Array], Array]
    bias_gradient: Callable[[Working, Array, int], Array]
    penalty_gradient: Callable[[Working], Array]
    gradients: Callable[[Working, Array], Array]
    update: Callable[[Working], Array]


def work_step(
    rules: Rules,
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    *,
    learning_rate: float = 0.1,
    shares: Array | None = None,
) -> Working:
    """Work out one step by the given rules.

    Parameters
    ----------
    rules : Rules
        ``RIGHT``, or a mistake's.
    network : Network
        Dense layers; dropout and label smoothing play no part here.
    parameters : Parameters
        The parameters before the step.
    x, targets : ndarray of shape (n, n_0) and (n, n_L)
        The batch; targets as rows.
    learning_rate : float
        eta.
    shares : ndarray of shape (n,), optional
        As ``sample_shares`` gives; 1/n each when left out.

    Returns
    -------
    Working
        z, a, delta, loss, gradients and the parameters after the step.

    Raises
    ------
    SettingError
        When the network has other layers than dense ones in their usual form.
    """
    w = Working(
        network, parameters, x, targets,
        sample_shares(len(x)) if shares is None else shares, learning_rate,
    )  # fmt: skip
    forward(rules, w)
    w.loss = loss_of(rules, w)
    backward(rules, w)
    w.after = parameters.like(rules.update(w))
    return w


def _as_it_is(_key: str, computed: Array) -> Array:
    return computed


def forward(rules: Rules, w: Working, take: Take = _as_it_is, suffix: str = "") -> None:
    """Work out z and a of every layer; ``suffix`` is ".after" behind the step."""
    layers = w.network.computing_layers
    w.a.append(w.x)
    for index, layer in enumerate(layers):
        z = layer.forward(w.parameters.layers[index], w.a[index])
        w.z.append(take(f"z.{index + 1}{suffix}", z))
        hidden = index < len(layers) - 1
        a = w.network.activations[index].f(w.z[index]) if hidden else rules.output(w)
        w.a.append(take(f"a.{index + 1}{suffix}", a))


def loss_of(rules: Rules, w: Working) -> float:
    """Return the objective, penalties included."""
    return rules.data_loss(w) + rules.penalty(w)


def backward(rules: Rules, w: Working, take: Take = _as_it_is) -> None:
    """Work out delta and the gradients of every layer."""
    network, n_layers = w.network, len(w.network.computing_layers)
    arrays: list[dict[str, Array]] = [{} for _ in range(n_layers)]
    w.delta = [np.empty(0)] * n_layers
    w.upstream = [np.empty(0)] * n_layers
    w.delta[-1] = take(f"delta.{n_layers}", rules.output_delta(w))
    for index in reversed(range(n_layers)):
        used = rules.gradient_delta(w, index)
        arrays[index]["W"] = rules.weight_gradient(w.a[index], used)
        if network.has_bias(index):
            arrays[index]["b"] = rules.bias_gradient(w, used, index)
        if index > 0:
            w.upstream[index - 1] = rules.recursion(w, index)
            below = w.upstream[index - 1] * rules.f_prime(w, index - 1)
            w.delta[index - 1] = take(f"delta.{index}", below)
    joined = Parameters.join(network.layout, arrays).flat + rules.penalty_gradient(w)
    w.gradients = take_arrays(w.parameters.like(rules.gradients(w, joined)), take, "d")


def take_arrays(
    parameters: Parameters, take: Take = _as_it_is, prefix: str = "", suffix: str = ""
) -> Parameters:
    """Return parameters, or gradients, after taking each of their arrays."""
    if take is _as_it_is:
        return parameters
    taken = [
        {name: take(f"{prefix}{name}.{index}{suffix}", array) for name, array in layer.items()}
        for index, layer in enumerate(parameters.layers, start=1)
    ]
    return Parameters.join(parameters.layout, taken)


def _right_recursion(w: Working, index: int) -> Array:
    return w.delta[index] @ w.weights(index).T


def _right_f_prime(w: Working, index: int) -> Array:
    return w.network.activations[index].f_prime(w.z[index], w.a[index + 1])


RIGHT = Rules(
    output=lambda w: w.network.loss.predict(w.z[-1]),
    data_loss=lambda w: w.network.loss.value(w.z[-1], w.targets, w.shares),
    penalty=lambda w: sum(penalties(w.network, w.parameters)),
    output_delta=lambda w: w.network.loss.delta(w.z[-1], w.targets, w.shares),
    recursion=_right_recursion,
    f_prime=_right_f_prime,
    gradient_delta=lambda w, index: w.delta[index],
    weight_gradient=lambda a, delta: a.T @ delta,
    bias_gradient=lambda _w, delta, _index: delta.sum(axis=0),
    penalty_gradient=lambda w: penalty_gradient(w.network, w.parameters),
    gradients=lambda _w, flat: flat,
    update=lambda w: w.parameters.flat - w.learning_rate * w.gradients.flat,
)
