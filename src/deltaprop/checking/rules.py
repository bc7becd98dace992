"""One step as a set of rules: a function for each place where something can go wrong.

``RIGHT`` holds the right rules (a test proves that they give ``backpropagate``'s numbers); a
mistake replaces one of them. ``work_step`` takes the step by any rules, and ``take`` has a hand in
every number: marking goes on with what somebody claims.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import penalties, penalty_gradient
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = [
    "RIGHT",
    "Manner",
    "Rules",
    "Take",
    "Working",
    "begin",
    "begins_right",
    "changed",
    "finish",
    "forward",
    "goes_on",
    "work_step",
]

Array = npt.NDArray[np.float64]
# Given a quantity, "z.1" or "dW.2", and what it comes to: what the working goes on with.
Take: TypeAlias = Callable[[str, Array], Array]
# Given parameters and gradients, flat: the parameters after the step.
Move: TypeAlias = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Manner:
    """What two right workings of the same step may do otherwise.

    Attributes
    ----------
    penalty_in : tuple of str
        Where a penalty is written: in the "loss", in the "gradient", or only in the "update".
    penalty_times : float
        What the penalty is multiplied by, in the loss and in the gradient alike.
    share : float
        How much of the gradient the step takes: 1 - mu where momentum keeps a mean of gradients.
    """

    penalty_in: tuple[str, ...] = ("loss", "gradient")
    penalty_times: float = 1.0
    share: float = 1.0


@dataclass
class Working:
    """One step as somebody works it out, right or wrong: what a ``Trace`` is, plus the update.

    ``move`` is the step at the end, where it is not plain gradient descent; ``loss`` the objective,
    penalties included; ``after`` are the parameters after the step. ``is_given_output`` is whether
    it goes on with another output than z gives, ``is_second`` whether it is the pass after a step.
    ``ahead`` tells a wrong rule what the working goes on with for a quantity that is worked out
    later, ``other_moves`` how mistakes of a step take it; ``decay`` is the penalty's part where
    only the step takes it.
    """

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    learning_rate: float
    move: Move | None = None
    ahead: Take = field(default=lambda _key, computed: computed, repr=False)
    manner: Manner = Manner()
    other_moves: Mapping[str, Sequence[Move]] = field(default_factory=dict, repr=False)
    z: list[Array] = field(default_factory=list)
    a: list[Array] = field(default_factory=list)
    delta: list[Array] = field(default_factory=list)
    upstream: list[Array] = field(default_factory=list)
    loss: float = np.nan
    is_given_output: bool = False
    is_second: bool = False
    decay: Array | float = 0.0
    gradients: Parameters = field(init=False)
    after: Parameters = field(init=False)

    def is_usual(self, index: int) -> bool:
        """Return whether layer ``index`` + 1 is a dense one in its usual form: z = a W + b."""
        layer = self.network.computing_layers[index]
        return isinstance(layer, Dense) and layer.parametrization == "standard"

    def weights(self, layer: int) -> Array:
        """Return W of layer ``layer`` + 1, a dense one."""
        return self.parameters.layers[layer]["W"]

    def pulled_back(self, index: int, delta: Array) -> tuple[Array, dict[str, Array]]:
        """Return dL/da and the gradients of layer ``index`` + 1 of any kind."""
        layer = self.network.computing_layers[index]
        return layer.backward(self.parameters.layers[index], self.a[index], delta)

    def moved(self) -> Array:
        """Return the parameters after the step."""
        if self.move is not None:
            return self.move(self.parameters.flat, self.pull)
        factors = self.network.layout.learning_rate_factors()
        rates = self.learning_rate * (1.0 if factors is None else factors)
        return self.parameters.flat - rates * self.pull

    @property
    def pull(self) -> Array:
        """Return what the step is made with."""
        return self.manner.share * (self.gradients.flat + self.decay)

    @property
    def direction(self) -> Array:
        """Return what the step is eta times of: every optimizer's first one is."""
        if self.move is None and self.network.layout.learning_rate_factors() is None:
            return self.pull
        return (self.parameters.flat - self.moved()) / self.learning_rate


@dataclass(frozen=True)
class Rules:
    """How each part of a step is worked out.

    Every rule takes the working so far. ``pre_activation`` gives z and ``activation`` a of a layer,
    ``output`` that of the last one, ``again`` the parameters of the second pass. ``recursion``
    gives dL/da of the layer below, ``f_prime`` the derivative it is multiplied by,
    ``gradient_delta`` what the gradients are made with, ``weight_gradient`` and ``bias_gradient``
    those of a dense layer in its usual form, ``update`` the parameters after the step. ``placed``
    is given each quantity when it is worked out, and returns what is written in its places.
    """

    pre_activation: Callable[[Working, int], Array]
    activation: Callable[[Working, int], Array]
    output: Callable[[Working], Array]
    data_loss: Callable[[Working], float]
    penalty: Callable[[Working], float]
    output_delta: Callable[[Working], Array]
    recursion: Callable[[Working, int], Array]
    f_prime: Callable[[Working, int], Array]
    gradient_delta: Callable[[Working, int], Array]
    weight_gradient: Callable[[Working, Array, int], Array]
    bias_gradient: Callable[[Working, Array, int], Array]
    penalty_gradient: Callable[[Working], Array]
    gradients: Callable[[Working, Array], Array]
    update: Callable[[Working], Array]
    again: Callable[[Working], Parameters]
    placed: Callable[[str, Array], Array]


def _as_it_is(_key: str, computed: Array) -> Array:
    return computed


def work_step(
    rules: Rules,
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    *,
    learning_rate: float = 0.1,
    shares: Array | None = None,
    move: Move | None = None,
    take: Take = _as_it_is,
    manner: Manner = Manner(),
) -> Working:
    """Work out one step by the given rules, ``RIGHT`` or a mistake's.

    Dropout and label smoothing play no part here. Targets are rows; ``shares`` are as
    ``sample_shares`` gives, 1/n each when left out. ``move(flat, gradients)`` gives the parameters
    after the step; gradient descent when left out. ``manner`` is what right workings may do
    otherwise. ``take(key, computed)`` returns what the working
    goes on with instead of what a quantity comes to: "W.1", "z.1", "a.1", ..., "loss", "delta.2",
    "dW.2", ..., "W.1.after".
    """
    w = begin(
        network, parameters, x, targets,
        learning_rate=learning_rate, shares=shares, move=move, take=take, ahead=take,
        manner=manner, other_moves={},
    )  # fmt: skip
    forward(rules, w, take)
    return finish(rules, w, take)


def begin(
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    *,
    learning_rate: float,
    shares: Array | None,
    move: Move | None,
    take: Take,
    ahead: Take,
    manner: Manner,
    other_moves: Mapping[str, Sequence[Move]],
) -> Working:
    """Return a step of which nothing is worked out yet, with the parameters that are taken."""
    shares = sample_shares(len(x)) if shares is None else shares
    taken = _taken(parameters, take)
    return Working(
        network, taken, x, targets, shares, learning_rate, move, ahead, manner, other_moves
    )


def goes_on(rules: Rules, begun: Working, take: Take) -> Working:
    """Work out the rest of a step whose forward pass was worked out before, by ``begins_right``."""
    return finish(rules, replace(begun, z=[*begun.z], a=[*begun.a]), take)


@lru_cache(maxsize=4096)
def changed(rules: Rules) -> frozenset[str]:
    """Return the names of the rules that are not the right ones."""
    return frozenset(
        part.name
        for part in fields(Rules)
        if getattr(rules, part.name) is not getattr(RIGHT, part.name)
    )


def begins_right(rules: Rules) -> bool:
    """Return whether the forward pass is the right one: a mistake, if any, is made behind it."""
    return changed(rules).isdisjoint(
        ("pre_activation", "activation", "output", "data_loss", "penalty", "placed")
    )


def finish(rules: Rules, w: Working, take: Take) -> Working:
    """Work out what comes after the forward pass."""
    take = _placing(rules, take)
    _backward(rules, w, take)
    w.after = _taken(w.parameters.like(rules.update(w)), take, suffix=".after")
    return w


def forward(rules: Rules, w: Working, take: Take = _as_it_is, suffix: str = "") -> None:
    """Work out z and a of every layer, and the loss; ``suffix`` is ".after" behind the step.

    After another p than z gives, loss and delta are made of p.
    """
    last, take = len(w.network.computing_layers) - 1, _placing(rules, take)
    w.a.append(w.x)
    for index in range(last + 1):
        w.z.append(take(f"z.{index + 1}{suffix}", rules.pre_activation(w, index)))
        a = rules.activation(w, index) if index < last else rules.output(w)
        w.a.append(take(f"a.{index + 1}{suffix}", a))
    if rules.output is RIGHT.output:
        w.is_given_output = w.a[-1] is not a and not np.array_equal(w.a[-1], a, equal_nan=True)
    if w.is_given_output and w.network.loss.output in _INVERSES:
        z = _INVERSES[w.network.loss.output](w.a[-1])
        w.z[-1] = np.where(np.isfinite(z), z, w.z[-1])
    penalty = rules.penalty(w) if "loss" in w.manner.penalty_in else 0.0
    penalty *= w.manner.penalty_times
    w.loss = float(take(f"loss{suffix}", np.asarray(rules.data_loss(w) + penalty)))


def _placing(rules: Rules, take: Take) -> Take:
    if rules.placed is _as_it_is:
        return take
    return lambda key, computed: take(key, rules.placed(key, computed))


_INVERSES: dict[str, Callable[[Array], Array]] = {
    "identity": lambda p: p,
    "sigmoid": lambda p: np.asarray(np.log(p) - np.log1p(-p)),
    "softmax": lambda p: np.asarray(np.log(p)),
    "exp": lambda p: np.asarray(np.log(p)),
}


def _backward(rules: Rules, w: Working, take: Take) -> None:
    """Work out delta and the gradients of every layer."""
    network, n_layers = w.network, len(w.network.computing_layers)
    arrays: list[dict[str, Array]] = [{} for _ in range(n_layers)]
    w.delta = [np.empty(0)] * n_layers
    w.upstream = [np.empty(0)] * n_layers
    w.delta[-1] = take(f"delta.{n_layers}", rules.output_delta(w))
    for index in reversed(range(n_layers)):
        used = rules.gradient_delta(w, index)
        if not w.is_usual(index):
            arrays[index] = w.pulled_back(index, used)[1]
        else:
            arrays[index]["W"] = rules.weight_gradient(w, used, index)
            if network.has_bias(index):
                arrays[index]["b"] = rules.bias_gradient(w, used, index)
        if index > 0:
            w.upstream[index - 1] = rules.recursion(w, index)
            below = w.upstream[index - 1] * rules.f_prime(w, index - 1)
            w.delta[index - 1] = take(f"delta.{index}", below)
    joined = Parameters.join(network.layout, arrays).flat
    penalty = w.manner.penalty_times * rules.penalty_gradient(w)
    if "gradient" in w.manner.penalty_in:
        joined = joined + penalty
    if "update" in w.manner.penalty_in:
        w.decay = penalty
    w.gradients = _taken(w.parameters.like(rules.gradients(w, joined)), take, "d")


def _taken(parameters: Parameters, take: Take, prefix: str = "", suffix: str = "") -> Parameters:
    """Return parameters, or gradients, after taking each of their arrays."""
    if take is _as_it_is:
        return parameters
    taken = [
        {name: take(f"{prefix}{name}.{index}{suffix}", array) for name, array in layer.items()}
        for index, layer in enumerate(parameters.layers, start=1)
    ]
    pairs = zip(taken, parameters.layers, strict=True)
    if all(new[name] is old[name] for new, old in pairs for name in old):
        return parameters
    return Parameters.join(parameters.layout, taken)


def _right_recursion(w: Working, index: int) -> Array:
    if w.is_usual(index):
        return w.delta[index] @ w.weights(index).T
    return w.pulled_back(index, w.delta[index])[0]


def _right_f_prime(w: Working, index: int) -> Array:
    return w.network.activations[index].f_prime(w.z[index], w.a[index + 1])


def _right_pre_activation(w: Working, index: int) -> Array:
    layer = w.network.computing_layers[index]
    return layer.forward(w.parameters.layers[index], w.a[index])


def _is_made_of_p(w: Working) -> bool:
    """Return whether loss and delta are written with p itself: a slip's p need not sum to 1."""
    loss = w.network.loss
    return w.is_given_output and loss.output == "softmax" and loss.is_given_by_outputs


def _right_data_loss(w: Working) -> float:
    loss = w.network.loss
    if _is_made_of_p(w):
        return float(w.shares @ loss.of_outputs(w.a[-1], w.targets))
    return loss.value(w.z[-1], w.targets, w.shares)


def _right_output_delta(w: Working) -> Array:
    loss = w.network.loss
    if _is_made_of_p(w):
        return np.asarray(w.shares[:, None] * loss.delta_of_outputs(w.a[-1], w.targets))
    return loss.delta(w.z[-1], w.targets, w.shares)


RIGHT = Rules(
    pre_activation=_right_pre_activation,
    activation=lambda w, index: w.network.activations[index].f(w.z[index]),
    output=lambda w: w.network.loss.predict(w.z[-1]),
    data_loss=_right_data_loss,
    penalty=lambda w: sum(penalties(w.network, w.parameters)),
    output_delta=_right_output_delta,
    recursion=_right_recursion,
    f_prime=_right_f_prime,
    gradient_delta=lambda w, index: w.delta[index],
    weight_gradient=lambda w, delta, index: w.a[index].T @ delta,
    bias_gradient=lambda _w, delta, _index: delta.sum(axis=0),
    penalty_gradient=lambda w: penalty_gradient(w.network, w.parameters),
    gradients=lambda _w, flat: flat,
    update=Working.moved,
    again=lambda w: w.after,
    placed=_as_it_is,
)
