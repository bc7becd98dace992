"""Piles of layers of every kind, and what else the tests of the native engine go through.

Whatever the kernels know by name is asked of them, so a newcomer takes part in every test; what
only the tests can say of it they ask for by name.
"""

from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop import _native

BUILDS = _native.instruction_sets()
KERNELS = [f"{build}/{layout}" for build in BUILDS for layout in ("lanes", "panels")]
PRECISIONS = ("float64", "float32")
DIGITS = {"float64": 1e-12, "float32": 1e-5}  # to which one step agrees

KNOWN = _native.known_names()
ACTIVATIONS = {name: row for name, row in dp.ACTIVATIONS.items() if name in KNOWN["activations"]}
LOSSES = {name: row for name, row in dp.LOSSES.items() if name in KNOWN["losses"]}


def is_smooth(row):
    """Tell whether f' of an activation has no jump."""
    either_side = [np.array([kink - 1e-9, kink + 1e-9]) for kink in row.kinks]
    return all(abs(np.diff(row.f_prime(z, row.f(z)))) < 1e-6 for z in either_side)


SMOOTH = [name for name, row in ACTIVATIONS.items() if is_smooth(row)]


class ToldOf(dict):
    """What the tests have to be told of each name; a newcomer's is asked for in a sentence."""

    def __init__(self, what, **told):
        super().__init__(told)
        self.what = what

    def __missing__(self, name):
        raise KeyError(f"say {self.what} {name!r}: it is new, and no test knows it yet")


def rules_of(make):
    """Return make(class) of every optimizer that the kernels know, and Nesterov's momentum."""
    rules = {name: make(cls) for name, cls in dp.OPTIMIZERS.items() if name in KNOWN["optimizers"]}
    rules["nesterov"] = replace(rules["momentum"], nesterov=True)
    decaying = (name for name, rule in rules.items() if hasattr(rule, "weight_decay"))
    return rules | {name: replace(rules[name], weight_decay=0.3) for name in decaying}


RULES = rules_of(lambda cls: cls())


N_IN = 11


def ntk(n_out, activation=None, **chosen):
    return dp.Dense(
        n_out, activation, parametrization="ntk", bias_initializer="standard_normal", **chosen
    )


# what stands below a Dense(3)
PILES = {
    "factors": [dp.Dense(18, "tanh", learning_rate_factor=3.0, bias_learning_rate_factor=0.1)],
    "NTK": [
        ntk(18, "tanh"), ntk(7, "gelu", bias=False), ntk(20, "sigmoid", learning_rate_factor=2),
    ],
    "scaling": [dp.Scaling(6.0), dp.Dense(18, "tanh")],
    "scaling of hidden layers": [
        dp.Dense(18, "tanh"), dp.Scaling(), dp.Dense(40, "silu"), dp.Scaling(0.5), dp.Scaling(2.0)
    ],
    "bent": [dp.Dense(18), dp.ParametricActivation("selu", 0.1)],
    "bent at once": [dp.ParametricActivation("softplus"), dp.Dense(9, "softplus")],
    "bent twice": [
        dp.Dense(35, "sigmoid"), dp.ParametricActivation("mish", 3.0),
        dp.ParametricActivation("tanh"),
    ],
    "as RealMLP has them": [
        dp.Scaling(6.0), ntk(34, bias_learning_rate_factor=0.1),
        dp.ParametricActivation("selu", 0.1), ntk(17), dp.ParametricActivation("mish", 0.1),
    ],
    "normalized": [dp.Dense(18), dp.LayerNorm("relu"), dp.Dense(40), dp.LayerNorm("gelu")],
    "normalized at once": [dp.LayerNorm(epsilon=0.1), dp.Dense(9, "tanh"), dp.LayerNorm("sigmoid")],
    "normalized in many panels": [
        dp.Dense(133, "softsign"), dp.LayerNorm("softplus", learning_rate_factor=0.3), ntk(35),
        dp.LayerNorm(), dp.ParametricActivation("softsign"),
    ],
    "normalized and dropped": [
        dp.Dropout(0.3), dp.LayerNorm(), dp.Dropout(0.3), dp.Dense(20), dp.LayerNorm("silu"),
        dp.Dropout(0.2), dp.Dense(17), dp.LayerNorm("tanh"), dp.Dropout(0.2),
    ],
    "waves": [dp.PeriodicEmbedding(4, 5, 2, deviation=0.3), dp.Dense(18, "tanh")],
    "many waves": [dp.PeriodicEmbedding(N_IN, 37, 6, learning_rate_factor=0.3), ntk(9, "selu")],
    "waves of hidden layers": [
        dp.Dense(19, "silu"), dp.PeriodicEmbedding(17, 3, 1), dp.Dense(18, "tanh"),
        dp.PeriodicEmbedding(1, 1, 3),
    ],
    "categories": [dp.CategoryEmbedding((2, 3, 4), 5, 2.0), dp.Dense(18, "tanh")],
    "nothing but categories": [dp.CategoryEmbedding((10, 1), 35)],
    "categories of hidden layers": [
        dp.Dense(70, "gelu"), dp.CategoryEmbedding((33, 18, 1), 3), dp.Dense(7, "sigmoid"),
        dp.CategoryEmbedding((7,), 20),
    ],
    "categories, then waves": [
        dp.CategoryEmbedding((4, 2), 3), dp.PeriodicEmbedding(5, 16, 3), dp.Scaling(6.0),
        ntk(33), dp.ParametricActivation("selu", 0.1), ntk(16, "mish"),
    ],
    "waves, then categories": [
        dp.PeriodicEmbedding(3, 16, 3), dp.CategoryEmbedding((4, 2), 3), dp.Scaling(6.0),
        ntk(33, "selu"),
    ],
    "dropped": [
        dp.Dropout(0.3), dp.Scaling(), dp.Dropout(0.4), ntk(18, "gelu"), dp.Dropout(0.2),
        dp.ParametricActivation("gelu"), dp.Dropout(0.2), dp.Scaling(), dp.Dense(5, "relu"),
        dp.Dropout(0.2),
    ],
    "waves dropped": [
        dp.Dropout(0.3), dp.PeriodicEmbedding(5, 4, 2), dp.Dropout(0.3), dp.Dense(20, "tanh"),
        dp.Dropout(0.2), dp.PeriodicEmbedding(9, 2, 1), dp.Dropout(0.2),
    ],
    "categories dropped": [
        dp.Dropout(0.3), dp.CategoryEmbedding((4, 2), 3), dp.Dropout(0.3), dp.Dense(20, "mish"),
        dp.Dropout(0.2), dp.CategoryEmbedding((4, 9), 3),
    ],
}  # fmt: skip


PILE = pytest.mark.parametrize("pile", PILES.values(), ids=PILES)


def network_of(layers, n_in=N_IN, loss="cross_entropy", n_out=3, **chosen):
    return dp.Network.from_layers(n_in, [*layers, dp.Dense(n_out)], loss, **chosen)
