"""Generate an exercise: numbers drawn from a seed until they are tidy and tell mistakes apart.

The draws come from SHA-256, so that the same seed gives the same exercise everywhere, whatever the
version of Python or NumPy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.forms import Form
from deltaprop.checking.precision import is_close
from deltaprop.checking.search import workings
from deltaprop.checking.step import Quantities, Step
from deltaprop.explaining.examples import worked_example
from deltaprop.notation.digits import number_text
from deltaprop.practice.exercises.levels import Level
from deltaprop.practice.marking.precision import Habit, read_number
from deltaprop.practice.marking.step import step_of

__all__ = [
    "MOST_GROUPS",
    "Draws",
    "generate",
    "has_exact_answers",
    "is_told_apart",
    "most_groups",
    "tells_apart",
]

Array = npt.NDArray[np.float64]
Answers = list[Array]  # one array for each quantity asked
Kind = tuple[str, str]  # activation of the hidden layers, loss
T = TypeVar("T")

_MOST_DRAWS = 20_000  # hundreds are usual
_MOST_EXACT_DIGITS = 6  # significant ones, of an exact answer
_MOST_DECIMALS = 5
_N_PROBES = 40  # sets of any numbers that show which mistakes can be told apart at all
_VISIBLE = 0.02  # relative difference that shows in three significant digits
_SMALL = 0.1  # of smaller numbers people write three places
_LEAST = 0.01  # of an answer but zero; a smaller one has lost its third digit on the way
_LEAST_AFTER = 0.03  # of a new parameter; one that cancels almost is all rounding
# so many forms of each mistake were known when exercises were drawn, which stay as they are
_TOLD_APART: Mapping[str, int] = {
    "missing_f_prime": 3, "f_prime_wrong_point": 3, "softmax_diagonal": 1, "extra_output_prime": 1,
    "softmax_index": 2, "softmax_without_exp": 1, "transpose": 3, "bias_frozen": 2,
    "bias_per_weight": 1, "bias_mean": 1, "updated_weights": 2, "batch_mean": 9, "half": 2,
    "sign": 2, "delta_by_a": 2, "stale_gradients": 1, "learning_rate": 2, "relu_gate": 1,
    "penalty": 9, "log10": 1, "bias_ignored": 1, "activation_forgotten": 2, "swapped_weights": 1,
    "sigmoid_for_softmax": 2, "softmax_twice": 2, "one_hot_shifted": 4, "log2": 1,
    "square_missing": 1, "half_a_slope": 4, "other_slope": 3, "gradient_for_weights": 1,
    "weights_left_out": 2, "z_for_a": 1, "input_left_out": 1, "one_sample": 2,
    "bias_times_input": 1, "bias_over_everything": 1, "not_updated": 1, "plain_step": 1,
    "old_weights": 1, "norm_as_constant": 3, "wrong_operand": 10,
}  # fmt: skip
_STRAIGHT = ("identity", "relu")

_X = (-3, -2, -1.5, -0.5, 0.5, 1.5, 2, 2.5, 3, 4)
_HALVES = (-3, -2.5, -2, -1.5, -0.5, 0.5, 1.5, 2, 2.5, 3)
_FIFTHS = (-1.5, -1.2, -0.8, -0.6, -0.5, -0.4, -0.2, 0.2, 0.4, 0.5, 0.6, 0.8, 1.2, 1.5, 2)
_TENTHS = tuple(round(0.1 * i, 1) for i in range(-9, 10) if abs(i) > 0)
_FINE = tuple(round(0.05 * i, 2) for i in range(-19, 20, 2))
_TARGETS = (-4, -3, -2, -1, 1, 2, 3, 4, 5)
_LEARNING_RATES = (0.1, 0.2, 0.5)
_L2 = (0.1, 0.2)


class Draws:
    """Choices that depend on a name only."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        self._count += 1
        digest = hashlib.sha256(f"{self._name}/{self._count}".encode()).digest()
        return choices[int.from_bytes(digest[:8], "big") % len(choices)]

    def row(self, choices: Sequence[float], count: int) -> list[float]:
        """Return some of the choices, no two of the same size."""
        found: list[float] = []
        while len(found) < count:
            value = self.pick(choices)
            if all(abs(value) != abs(other) for other in found):
                found.append(value)
        return found

    def matrix(self, choices: Sequence[float], n_in: int, n_out: int) -> list[list[float]]:
        """Return rows of choices, no two of the same size."""
        flat = self.row(choices, n_in * n_out)
        return [flat[i * n_out : (i + 1) * n_out] for i in range(n_in)]


def generate(level: Level, seed: int) -> dict[str, Any]:
    """Return what an exercise gives, in the worked-example format without claims and title."""
    draws = Draws(f"deltaprop practice 1, level {level.drawn_as or level.number}, seed {seed}")
    kind = (draws.pick(level.hidden), draws.pick(level.losses))
    for _ in range(_MOST_DRAWS):
        given = _drawn(level, kind, draws)
        step = step_of(worked_example(given))
        right = step.right
        if _is_tidy(level, step, right) and tells_apart(level, step, kind):
            return given
    raise AssertionError(f"level {level.number} has no tidy exercise for seed {seed}")


def has_exact_answers(step: Step) -> bool:
    """Return whether all answers are decimal fractions: nothing but sums, products and squares."""
    straight = all(row.name in _STRAIGHT for row in step.network.activations)
    return straight and step.network.loss_name == "half_squared_error"


def _drawn(level: Level, kind: Kind, draws: Draws, *, tidy: bool = True) -> dict[str, Any]:
    """Return the next numbers; without ``tidy`` any that hide nothing by chance."""
    hidden, loss = kind
    straight = hidden in _STRAIGHT and loss == "half_squared_error"
    fine = tuple(round(0.0137 * i, 4) for i in range(-80, 81) if abs(i) > 5)
    steps = (_HALVES if len(level.sizes) == 2 else _FIFTHS) if straight else _TENTHS
    weights = steps if tidy else fine
    biases = (tuple(v for v in steps if v % 1) if straight else _FINE) if tidy else fine
    layers: list[dict[str, Any]] = []
    for number, (n_in, n_out) in enumerate(pairwise(level.sizes), start=1):
        layer: dict[str, Any] = {"W": draws.matrix(weights, n_in, n_out)}
        if level.bias:
            layer["b"] = draws.row(biases, n_out)
        if number < len(level.sizes) - 1:
            layer["activation"] = hidden
        layers.append(layer)
    given: dict[str, Any] = {
        "layers": layers,
        "loss": loss,
        "x": draws.matrix(_X if tidy else fine, level.n_samples, level.sizes[0]),
        "targets": _targets(level, loss, draws),
        "learning_rate": draws.pick(_LEARNING_RATES),
    }
    if level.l2:
        given["l2"] = draws.pick(_L2)
    return given


def _targets(level: Level, loss: str, draws: Draws) -> list[list[float]]:
    if loss == "half_squared_error":
        return draws.matrix(_TARGETS, level.n_samples, level.sizes[-1])
    if loss == "cross_entropy":
        true = [draws.pick(range(level.sizes[-1])) for _ in range(level.n_samples)]
        return [[float(k == c) for k in range(level.sizes[-1])] for c in true]
    return [[draws.pick((0.0, 1.0))] for _ in range(level.n_samples)]


def _is_tidy(level: Level, step: Step, right: Quantities) -> bool:
    """Return whether the numbers are worth working out: neither tiny, nor huge, nor all alike."""
    for key in (*level.asked, *level.told):
        values = right[key]
        if not np.isfinite(values).all() or np.abs(values).max() > 30:
            return False
        if not key.startswith("loss") and not _is_varied(values):
            return False
        if not values.any() or np.abs(values[values != 0]).min() < _LEAST:
            return False
        if key.endswith(".after") and np.abs(values).min() < _LEAST_AFTER:
            return False
    if right["loss"] < 0.05 or not right["loss.after"] < 0.97 * right["loss"]:
        return False
    n_layers, relu = step.n_layers, "relu" in {row.name for row in step.network.activations}
    if np.abs(right[f"delta.{n_layers}"]).min() < 0.05:
        return False
    for layer in range(1, n_layers + 1):
        z = right[f"z.{layer}"]
        if not 0.1 <= np.abs(z).min() <= np.abs(z).max() <= (9 if relu or n_layers == 1 else 3):
            return False
        if relu and layer < n_layers and not ((z > 0).any(axis=1).all() and (z > 0).any()):
            return False
        if not relu and not right[f"delta.{layer}"].all():
            return False
    if has_exact_answers(step):
        return all(_is_short(right[key]) for key in level.asked if key != "loss.after")
    return True


def _is_varied(values: Array) -> bool:
    """Return whether no two numbers look alike, but for zeros, and not all are zeros."""
    sizes = np.sort(np.abs(values[values != 0]))
    return len(sizes) > 0 and bool((np.diff(sizes) > 0.004 * sizes[1:]).all())


def _is_short(values: Array) -> bool:
    for value in values.ravel():
        text = number_text(float(value), 12)
        _, _, decimals = text.partition(".")
        n_digits = len(text.replace(".", "").lstrip("-0"))
        if "e" in text or n_digits > _MOST_EXACT_DIGITS or len(decimals) > _MOST_DECIMALS:
            return False
    return True


def tells_apart(level: Level, step: Step, kind: Kind) -> bool:
    """Return whether every mistake that can show in the answers does, and looks like no other."""
    found = _answers(level, step)
    answers = [right := next(found)]
    for wrong in found:
        if not _is_caught(wrong, right, level.least_digits):
            return False
        answers.append(wrong)
    return _n_groups(answers) >= MOST_GROUPS[level.number, *kind]


def is_told_apart(form: Form) -> bool:
    """Return whether exercises are drawn so that this form of a mistake is told from others."""
    return form.rank < _TOLD_APART.get(form.name, 0)


def _answers(level: Level, step: Step) -> Iterator[Answers]:
    """Yield the answers by the right rules, then by those of each mistake."""
    found = (values for form, values in workings(step) if is_told_apart(form))
    for values in (step.right, *found):
        yield [values[key].ravel() for key in level.asked]


def _is_caught(wrong: Answers, right: Answers, least: int) -> bool:
    """Return whether the first quantity that is wrong cannot be taken for the right one, rounded.

    What comes after it may be right if the first one were.
    """
    first = next((pair for pair in zip(wrong, right, strict=True) if _differ(*pair)), None)
    return first is None or all(
        _is_seen(*first, digits) for digits in (least, least + 1, least + 3)
    )


def _is_seen(wrong: Array, right: Array, digits: int) -> bool:
    numbers = [read_number(number_text(float(value), digits)) for value in wrong]
    return any(
        number is None or not number.is_written_for(float(value), Habit())
        for number, value in zip(numbers, right, strict=True)
    )


def _n_groups(answers: Iterable[Answers]) -> int:
    """Return how many different answers there are."""
    rows = np.array([np.concatenate(one) for one in answers])
    found = rows[:1]
    for one in rows[1:]:
        if _differ(one, found).all():
            found = np.vstack([found, one])
    return len(found)


def _differ(one: Array, other: Array) -> npt.NDArray[np.bool_]:
    """Return whether a difference shows in numbers of three digits, for each row of ``other``."""
    finite, size = np.isfinite(one), np.maximum(np.abs(other), _SMALL)
    close = is_close(one, other, relative=_VISIBLE, size=size)
    return np.asarray(((np.isfinite(other) != finite) | (finite & ~close)).any(axis=-1))


def most_groups(level: Level, kind: Kind) -> int:
    """Return how many different answers this kind of exercise can have, by trying any numbers."""
    draws = Draws(f"probes of level {level.drawn_as or level.number}, {kind}")
    probes = (_drawn(level, kind, draws, tidy=False) for _ in range(_N_PROBES))
    return max(_n_groups(_answers(level, step_of(worked_example(given)))) for given in probes)


# what most_groups comes to, by level, activation and loss
MOST_GROUPS: Mapping[tuple[int, str, str], int] = {
    (1, "identity", "half_squared_error"): 16,
    (2, "identity", "half_squared_error_sigmoid"): 22,
    (2, "identity", "binary_cross_entropy"): 17,
    (3, "identity", "half_squared_error"): 18,
    (4, "relu", "half_squared_error"): 31,
    (4, "tanh", "half_squared_error"): 36,
    (4, "sigmoid", "half_squared_error"): 36,
    (5, "identity", "cross_entropy"): 33,
    (6, "relu", "half_squared_error"): 42,
    (6, "tanh", "half_squared_error"): 47,
    (7, "relu", "half_squared_error"): 37,
    (8, "relu", "cross_entropy"): 48,
    (8, "tanh", "cross_entropy"): 53,
    (9, "relu", "cross_entropy"): 56,
    (9, "tanh", "cross_entropy"): 61,
    (9, "sigmoid", "cross_entropy"): 61,
}
