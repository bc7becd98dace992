"""Small runs of training that do not learn, and changes to them: rows of two tables."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DivergedWarning
from deltaprop.model.backprop import Trace, backpropagate
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.practice.exercises.generate import Draws
from deltaprop.training.loop import train
from deltaprop.training.optimizers import GradientDescent

__all__ = ["FAULTS", "FIXES", "PREPARED", "Fault", "Fix", "Run", "Setup"]

Array = npt.NDArray[np.float64]

_N_ROWS = 32
_GRID = tuple(round(0.1 * i, 1) for i in range(-20, 21) if i)
_UNITS = tuple(round(0.05 * i, 2) for i in range(-20, 21) if i)  # weights, times what they begin at


@dataclass(frozen=True)
class Setup:
    """How a run is set up.

    Attributes
    ----------
    is_bent : bool
        Whether the classes lie so that no straight line parts them.
    hidden : int
        Neurons of the hidden layer; 0 for none.
    activation : str
        Of the hidden layer.
    learning_rate : float
        Of gradient descent on all rows at once.
    epochs : int
        How long.
    spread : float
        Of the weights at the beginning: 1 for the usual one, 0 for all alike.
    bias : float
        Of the hidden neurons at the beginning.
    unit : float
        What the inputs are multiplied by.
    is_scaled : bool
        Whether inputs are brought to mean 0 and standard deviation 1.
    """

    is_bent: bool = True
    hidden: int = 6
    activation: str = "tanh"
    learning_rate: float = 0.5
    epochs: int = 300
    spread: float = 1.0
    bias: float = 0.0
    unit: float = 1.0
    is_scaled: bool = False


@dataclass(frozen=True)
class Fault:
    """What keeps a run from learning.

    Attributes
    ----------
    name : str
        As diagnosis calls it.
    names : mapping
        In words, by language.
    changes : dict
        Of a setup that learns.
    """

    name: str
    names: Mapping[str, str]
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Fix:
    """A change that somebody might try.

    Attributes
    ----------
    name : str
        A word.
    names : mapping
        What is done, by language.
    change : callable
        ``change(setup)`` returns the setup with it.
    """

    name: str
    names: Mapping[str, str]
    change: Callable[[Setup], Setup]


def _fault(name: str, en: str, zh: str, **changes: Any) -> Fault:
    return Fault(name, {"en": en, "zh": zh}, changes)


def _fix(name: str, en: str, zh: str, change: Callable[[Setup], Setup]) -> Fix:
    return Fix(name, {"en": en, "zh": zh}, change)


FAULTS = (
    _fault("learning_rate_too_low", "the learning rate is too low", "学习率太低",
           learning_rate=0.002),
    _fault("learning_rate_too_high", "the learning rate is too high", "学习率太高",
           learning_rate=200.0),
    _fault("symmetric_weights", "all weights begin at 0, so that all neurons stay alike",
           "权重全部从 0 开始，各神经元始终相同", spread=0.0),
    _fault("dead_units", "no neuron lets anything through: relu of numbers below 0",
           "没有神经元有输出：relu 的输入都小于 0", activation="relu", bias=-30.0),
    _fault("saturated_units", "the neurons are saturated: their slope is almost 0",
           "神经元已饱和：导数几乎为 0", activation="sigmoid", bias=25.0),
    _fault("unscaled_inputs", "the inputs are so large that the neurons are saturated",
           "输入太大，神经元已饱和", unit=2000.0),
    _fault("no_nonlinearity", "no straight line parts the classes, and there is no hidden layer",
           "没有一条直线能分开两类，而网络没有隐藏层", hidden=0),
)  # fmt: skip

FIXES = (
    _fix("faster", "a learning rate 250 times as high", "学习率提高到 250 倍",
         lambda s: replace(s, learning_rate=s.learning_rate * 250)),
    _fix("slower", "a learning rate 400 times as low", "学习率降低到 1/400",
         lambda s: replace(s, learning_rate=s.learning_rate / 400)),
    _fix("longer", "three times as many epochs", "轮数增加到 3 倍",
         lambda s: replace(s, epochs=3 * s.epochs)),
    _fix("draw", "weights drawn at random in the usual range, biases 0",
         "权重在常用范围内随机抽取，偏置取 0", lambda s: replace(s, spread=1.0, bias=0.0)),
    _fix("scale", "inputs scaled to mean 0 and standard deviation 1",
         "输入缩放到均值 0、标准差 1", lambda s: replace(s, is_scaled=True)),
    _fix("bend", "a hidden layer of 6 tanh neurons", "一个有 6 个 tanh 神经元的隐藏层",
         lambda s: replace(s, hidden=6, activation="tanh")),
    _fix("wider", "four times as many hidden neurons", "隐藏神经元增加到 4 倍",
         lambda s: replace(s, hidden=4 * s.hidden)),
)  # fmt: skip


# Runs that practice asks about, for whoever has no time to look for one: the seed of the question,
# the fault, whether no straight line parts the classes, the seed of the rows, and four of the
# changes, of which one helps.
PREPARED = (
    (7, "learning_rate_too_low", False, 464159, ("longer", "wider", "faster", "slower")),
    (0, "learning_rate_too_high", False, 79219, ("longer", "slower", "scale", "faster")),
    (1, "no_nonlinearity", True, 237544, ("faster", "longer", "scale", "bend")),
    (4, "symmetric_weights", True, 254016, ("wider", "faster", "draw", "longer")),
    (8, "dead_units", True, 886591, ("bend", "draw", "longer", "faster")),
    (10, "unscaled_inputs", True, 813041, ("scale", "wider", "slower", "longer")),
    (24, "saturated_units", False, 69134, ("faster", "bend", "longer", "draw")),
)


@dataclass(frozen=True)
class Run:
    """A run of training on a few rows that depend on a name only.

    Attributes
    ----------
    setup : Setup
        How it is set up.
    seed : int
        Of the rows, and of the weights at the beginning.
    """

    setup: Setup
    seed: int

    @cached_property
    def rows(self) -> tuple[Array, Array]:
        """Return inputs and targets."""
        draws = Draws(f"rows of runs 1, seed {self.seed}")
        x = np.array([[draws.pick(_GRID) for _ in range(2)] for _ in range(_N_ROWS)])
        side = x[:, 0] * x[:, 1] if self.setup.is_bent else x[:, 0] + 2 * x[:, 1] - 0.25
        x = x * self.setup.unit
        if self.setup.is_scaled:
            x = (x - x.mean(axis=0)) / x.std(axis=0)
        return x, (side > 0).astype(np.float64)[:, None]

    @cached_property
    def network(self) -> Network:
        """Return the network."""
        setup = self.setup
        sizes = [2, setup.hidden, 1] if setup.hidden else [2, 1]
        return Network(sizes, hidden=setup.activation, loss="binary_cross_entropy")

    def start(self) -> Parameters:
        """Return the parameters at the beginning."""
        draws = Draws(f"weights of runs 1, seed {self.seed}")
        weights: list[Array] = []
        biases: list[Array] = []
        for n_in, n_out in pairwise(self.network.sizes):
            usual = self.setup.spread * np.sqrt(6 / (n_in + n_out))
            drawn = [[draws.pick(_UNITS) for _ in range(n_out)] for _ in range(n_in)]
            weights.append(usual * np.array(drawn))
            is_last = len(weights) == len(self.network.sizes) - 1
            biases.append(np.full(n_out, 0.0 if is_last else self.setup.bias))
        return self.network.parameters(W=weights, b=biases)

    @cached_property
    def trained(self) -> tuple[tuple[float, ...], Array]:
        """Return the loss before each epoch and after the last, and the probabilities at its end.

        A run that leaves the finite numbers ends there, with a loss of infinity.
        """
        (x, t), parameters = self.rows, self.start()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", DivergedWarning)
            history = train(
                self.network, parameters, x, t, optimizer=GradientDescent(self.setup.learning_rate),
                batch_size=len(x), epochs=self.setup.epochs, engine="reference", shuffle=False,
                dtype="float64", keep_best=False,
            )  # fmt: skip
            last = backpropagate(self.network, parameters, x, t)
        losses = (*history.loss, last.loss)
        return tuple(float(v) if np.isfinite(v) else np.inf for v in losses), last.a[-1]

    @property
    def loss(self) -> float:
        """Return the loss at the end."""
        return self.trained[0][-1]

    @property
    def n_right(self) -> int:
        """Return how many rows get their class at the end."""
        return int(((self.trained[1] > 0.5) == (self.rows[1] > 0.5)).sum())

    @cached_property
    def first(self) -> Trace:
        """Return the first step."""
        return backpropagate(self.network, self.start(), *self.rows)
