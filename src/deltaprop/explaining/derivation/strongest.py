"""Which numbers of a large step are worth a line: the strongest, and all they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.derivation.any_number import Derivation
from deltaprop.model.backprop import Trace
from deltaprop.notation.ids import Ref

__all__ = ["n_numbers", "neurons_to_show", "strongest", "strongest_described", "strongest_path"]

Array = npt.NDArray[np.float64]

_MOST_NEURONS = 6  # of a layer and sample
_MOST_WEIGHTS = 6  # of a layer
_MOST_SAMPLES = 4
_MOST_DESCRIBED = 440  # lines of a page
_MOST_COUNTED = 20_000


def n_numbers(derivation: Derivation) -> int:
    """Return how many numbers the step consists of; of a large one without listing them."""
    roughly = _estimated(derivation)
    return roughly if roughly > _MOST_COUNTED else sum(1 for _ in derivation.refs())


def _estimated(derivation: Derivation) -> int:
    trace = derivation.trace
    n, network = len(trace.a[0]), trace.network
    neurons, k = n * sum(network.sizes[1:]), network.n_out
    weights = network.n_parameters
    jacobian = n * k * (k + 2) if network.loss.output == "softmax" else 0
    states = sum(isinstance(v, np.ndarray) for v in derivation.update.new_state.values())
    update = weights * (1 + states) + 2 * neurons + n
    penalized = weights if network.has_penalized_gradient else 0
    return 3 * neurons + jacobian + weights + penalized + update + n + 1


def strongest(derivation: Derivation) -> Iterator[Ref]:
    """Yield the numbers to show of a step that is too large to show whole.

    The loss; of each layer the neurons with the largest delta, and the weights with the largest
    gradient, before and after the update; the outputs.
    """
    trace = derivation.trace
    samples = range(min(len(trace.a[0]), _MOST_SAMPLES))
    last = len(trace.z)
    yield Ref("loss") if not derivation.loss_is_of_one_sample() else Ref("loss", 0, (0,))
    for layer in range(last, 0, -1):
        for s in samples:
            for j in _largest(trace.delta[layer - 1][s], _MOST_NEURONS):
                for quantity in ("z", "a", "delta"):
                    yield Ref(quantity, layer, (s, j))
        for name, gradient in trace.gradients.layers[layer - 1].items():
            absent = trace.network.layout.lacks(layer, name)
            for place in _largest(gradient.ravel(), _MOST_WEIGHTS, absent):
                index = tuple(int(i) for i in np.unravel_index(place, gradient.shape))
                yield Ref(f"d{name}", layer, index)
                yield Ref(name, layer, index, after=True)
    for s in samples:
        for j in _largest(trace.delta[-1][s], _MOST_NEURONS):
            yield Ref("z", last, (s, j), after=True)


def strongest_path(derivation: Derivation) -> Iterator[Ref]:
    """Yield one number of each kind in every layer: the way from the inputs to the loss and back.

    Of a layer it is the neuron with the largest delta of the first sample, and of each of its
    arrays the entry with the largest gradient, with what the update makes of it.
    """
    trace, last = derivation.trace, len(derivation.trace.z)
    penalized = trace.network.has_penalized_gradient
    for after in (False, True):
        yield Ref("loss", after=after)
        yield Ref("loss", 0, (0,), after)
    for layer in range(1, last + 1):
        (j,) = _largest(trace.delta[layer - 1][0], 1)
        for quantity in ("kept", "z", "a", "upstream", "sample_delta", "delta"):
            yield Ref(quantity, layer, (0, j))
        if layer == last:
            yield from (Ref(quantity, layer, (0, j), after=True) for quantity in ("z", "a"))
        for name, gradient in trace.gradients.layers[layer - 1].items():
            (place,) = _largest(gradient.ravel(), 1, trace.network.layout.lacks(layer, name))
            index = tuple(int(i) for i in np.unravel_index(place, gradient.shape))
            if penalized:
                yield Ref(f"data_d{name}", layer, index)
            yield Ref(f"d{name}", layer, index)
            for state in ("", *(f"{key}_" for key in derivation.update.new_state)):
                yield Ref(f"{state}{name}", layer, index, after=True)


def neurons_to_show(trace: Trace, layer: int, sample: int, most: int) -> list[int]:
    """Return the neurons of a layer in order; of more than ``most`` the strongest, one fewer.

    Strongest are those with the largest delta; of the inputs, those with the largest value.
    """
    values = trace.a[layer][sample]
    if len(values) <= most:
        return list(range(len(values)))
    strength = np.abs(trace.delta[layer - 1][sample] if layer else values)
    order: list[int] = sorted(np.argsort(-strength, kind="stable")[: most - 1].tolist())
    # an input that is zero is one of the rest: a word that is not there
    return order if layer else [j for j in order if values[j]] or order[:1]


def strongest_described(derivation: Derivation, most: int = _MOST_DESCRIBED) -> list[Ref]:
    """Return the strongest numbers, as many as can be told with all they are made of."""
    chosen: list[Ref] = []
    described: set[Ref] = set()
    for ref in strongest(derivation):
        found = derivation.made_of([ref], described)
        if chosen and len(described) + len(found) > most:
            break
        chosen.append(ref)
        described |= found.keys()
    return chosen


def _largest(values: Array, most: int, absent: Sequence[int] = ()) -> list[int]:
    there = np.delete(np.arange(len(values)), absent) if absent else np.arange(len(values))
    if len(there) > most:
        there = there[np.argpartition(-np.abs(values[there]), most)[:most]]
    return sorted(int(place) for place in there)
