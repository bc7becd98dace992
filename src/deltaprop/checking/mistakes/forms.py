"""The forms in which a named mistake is looked for, in claimed gradients and in a working.

First those of ``MISTAKES``; then further ones: a factor that is wrong in the loss only, or in the
weight gradients only, or biases that only the update leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.mistakes.common import has_curved_hidden, with_output
from deltaprop.checking.rules import RIGHT, Rules, Working
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.model.spec import Network

__all__ = ["FURTHER", "Form", "forms_for"]

Array = npt.NDArray[np.float64]
Factor = Callable[[Working], float]


@dataclass(frozen=True)
class Form:
    """One way in which a mistake, named as in ``MISTAKES``, is made: how it works out a step.

    Its rank is 0 for the commonest form of this mistake; among forms that give the same numbers, a
    commoner one is named first. Where it is about some numbers, ``pairs`` are their ids: what is
    taken and what belongs there, or what has changed places.
    """

    name: str
    rules: Rules
    rank: int
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def doc(self) -> str:
        """Return what goes wrong, in one line."""
        return MISTAKES[self.name].doc


def _loss_times(factor: Factor) -> Rules:
    return replace(RIGHT, data_loss=lambda w: factor(w) * RIGHT.data_loss(w))


def _gradients_times(factor: Factor) -> Rules:
    return replace(RIGHT, gradient_delta=lambda w, index: factor(w) * w.delta[index])


def _updated_with_penalty(w: Working, index: int) -> Array:
    if not w.is_usual(index):
        return RIGHT.recursion(w, index)
    gradient = RIGHT.weight_gradient(w, w.delta[index], index)
    penalty = w.parameters.like(RIGHT.penalty_gradient(w)).layers[index]["W"]
    return np.asarray(
        w.delta[index] @ (w.weights(index) - w.learning_rate * (gradient + penalty)).T
    )


def _output_difference(w: Working) -> Array:
    p = w.network.loss.predict(w.z[-1])
    return np.asarray(w.shares[:, None] * (p - w.targets))


def _gradient_by_a(w: Working, index: int) -> Array:
    return _output_difference(w) if index == len(w.delta) - 1 else w.upstream[index]


def _f_prime_fed_with_z(w: Working, index: int) -> Array:
    return w.network.activations[index].f_prime(w.z[index], w.z[index])


def _penalty_of_biases_too(w: Working) -> float:
    flat = w.parameters.flat
    return float(w.network.l2 / 2 * flat @ flat + w.network.l1 * np.abs(flat).sum())


def _updated_but_for_biases(w: Working) -> Array:
    weights = w.network.layout.penalized()
    return np.where(weights, RIGHT.update(w), w.parameters.flat)


def _transposed_blocks(w: Working, flat: Array) -> Array:
    """Return every dW in the order of W^T, as code has it that keeps W with a row per output."""
    turned = flat.copy()
    for slot in w.network.layout.slots:
        if len(slot.shape) == 2:
            block = flat[slot.start : slot.stop].reshape(slot.shape)
            turned[slot.start : slot.stop] = block.T.ravel()
    return turned


def _by_probability(w: Working) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(-w.shares[:, None] * w.targets / w.network.loss.predict(w.z[-1]))


def _sigmoid_at_a(w: Working) -> Array:
    p = w.network.loss.predict(w.z[-1])
    return _output_difference(w) * ACTIVATIONS["sigmoid"].f_prime(p, ACTIVATIONS["sigmoid"].f(p))


def _slope_of_sigmoid_fed_with_z(w: Working) -> Array:
    return _output_difference(w) * w.z[-1] * (1.0 - w.z[-1])


def _activation_itself(w: Working, index: int) -> Array:
    return w.a[index + 1]


def _softmax_over_everything(z: Array) -> Array:
    e = np.exp(z - z.max())
    return np.asarray(e / e.sum())


def _relu_gate_by_error_signal(w: Working, index: int) -> Array:
    if w.network.activations[index].name != "relu":
        return RIGHT.f_prime(w, index)
    return np.asarray(w.upstream[index] < 0, dtype=np.float64)  # of t - y it is above 0


def _ones(w: Working, index: int) -> Array:
    return np.ones_like(w.z[index])


def _n(w: Working) -> float:
    return float(len(w.x))


def _per_n(w: Working) -> float:
    return 1.0 / len(w.x)


def _per_output(w: Working) -> float:
    return 1.0 / w.network.n_out


def _curved_output(network: Network) -> bool:
    return network.loss_name in ("half_squared_error_sigmoid", "half_squared_error_softmax")


def _sigmoid_output(network: Network) -> bool:
    return network.loss_name == "half_squared_error_sigmoid"


def _is_cross_entropy(network: Network) -> bool:
    return network.loss_name == "cross_entropy"


def _has_matrix(network: Network) -> bool:
    return any(len(slot.shape) == 2 and min(slot.shape) > 1 for slot in network.layout.slots)


def _always(_network: Network) -> bool:
    return True


FURTHER: tuple[tuple[str, Callable[[Network], bool], tuple[Rules, ...]], ...] = (
    (
        "missing_f_prime",
        _curved_output,
        (
            replace(RIGHT, output_delta=_output_difference),
            replace(RIGHT, output_delta=_output_difference, f_prime=_ones),
        ),
    ),
    (
        "f_prime_wrong_point",
        MISTAKES["f_prime_wrong_point"].applies,
        (replace(RIGHT, f_prime=_f_prime_fed_with_z),),
    ),
    ("transpose", _has_matrix, (replace(RIGHT, gradients=_transposed_blocks),)),
    (
        "updated_weights",
        lambda network: (
            MISTAKES["updated_weights"].applies(network) and network.l2 + network.l1 > 0
        ),
        (replace(RIGHT, recursion=_updated_with_penalty),),
    ),
    (
        "bias_frozen",
        MISTAKES["bias_frozen"].applies,
        (replace(RIGHT, update=_updated_but_for_biases),),
    ),
    (
        "batch_mean",
        _always,
        (
            *(_loss_times(factor) for factor in (_n, _per_n, _per_output)),
            *(_gradients_times(factor) for factor in (_per_n, _n, _per_output)),
        ),
    ),
    ("delta_by_a", _curved_output, (replace(RIGHT, gradient_delta=_gradient_by_a),)),
    ("delta_by_a", _is_cross_entropy, (replace(RIGHT, output_delta=_by_probability),)),
    (
        "f_prime_wrong_point",
        _sigmoid_output,
        (
            replace(RIGHT, output_delta=_sigmoid_at_a),
            replace(RIGHT, output_delta=_slope_of_sigmoid_fed_with_z),
        ),
    ),
    ("softmax_index", _is_cross_entropy, (with_output(_softmax_over_everything),)),
    ("other_slope", has_curved_hidden, (replace(RIGHT, f_prime=_activation_itself),)),
    (
        "relu_gate",
        MISTAKES["relu_gate"].applies,
        (replace(RIGHT, f_prime=_relu_gate_by_error_signal),),
    ),
    (
        "penalty",
        MISTAKES["penalty"].applies,
        (
            replace(RIGHT, penalty=_penalty_of_biases_too),
            replace(RIGHT, penalty_gradient=lambda w: RIGHT.penalty_gradient(w) / len(w.x)),
            replace(RIGHT, penalty=lambda w: RIGHT.penalty(w) / len(w.x)),
        ),
    ),
)


def forms_for(network: Network) -> Iterator[Form]:
    """Yield every form of every mistake that can be made with this network."""
    for mistake in MISTAKES.values():
        if mistake.applies(network):
            yield from (Form(mistake.name, rules, n) for n, rules in enumerate(mistake.variants))
    for name, applies, further in FURTHER:
        if applies(network):
            for rank, rules in enumerate(further, start=len(MISTAKES[name].variants)):
                yield Form(name, rules, rank)
