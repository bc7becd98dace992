"""Mistakes in the step of an optimizer: each worked out by hand, and named."""

import numpy as np
import pytest

from deltaprop.explaining import worked_example
from deltaprop.practice import mark
from deltaprop.practice.marking.moves import _worked
from deltaprop.practice.marking.step import step_of
from deltaprop.training.optimizers import OPTIMIZERS
from deltaprop.training.optimizers.base import OfMatrices, hyperparameters

ETA, W, X, T = 0.05, np.array([[1.5, -0.4]]), np.array([[2.0]]), np.array([[1.0, 0.3]])
G = X.T @ (X @ W - T)  # half squared error, one sample
DECAY = 0.3
PULLED = G + DECAY * W

EXAMPLE = {
    "layers": [{"W": W.tolist()}], "loss": "half_squared_error", "x": X.tolist(),
    "targets": T.tolist(), "learning_rate": ETA,
}  # fmt: skip


def root(scale, inside=0.0):
    return np.sqrt(scale * G**2 + inside)


WRONG = {  # the optimizer, W after the step as somebody works it out, and more of the example
    "m, v uncorrected": ({"name": "adam"}, W - ETA * 0.1 * G / root(0.001), "no_bias_correction"),
    "v uncorrected": ({"name": "adam"}, W - ETA * G / root(0.001), "no_bias_correction"),
    "m uncorrected": ({"name": "adamw"}, W - ETA * (0.01 * W + 0.1 * np.sign(G)),
                      "no_bias_correction"),
    "epsilon": ({"name": "adam", "epsilon": 0.5}, W - ETA * G / root(1, 0.5), "epsilon_in_root"),
    "epsilon in rmsprop": ({"name": "rmsprop", "epsilon": 0.5}, W - ETA * G / root(0.01, 0.5),
                           "epsilon_in_root"),
    "nesterov": ({"name": "momentum", "momentum": 0.9}, W - ETA * G * 1.9, "other_momentum"),
    "no nesterov": ({"name": "momentum", "momentum": 0.9, "nesterov": True}, W - ETA * G,
                    "other_momentum"),
    "decay in the loss": ({"name": "adamw", "weight_decay": DECAY, "epsilon": 0.1},
                          W - ETA * PULLED / (np.abs(PULLED) + 0.1), "decay_elsewhere"),
    "decay apart": ({"name": "adam", "epsilon": 0.1},
                    W - ETA * DECAY * W - ETA * G / (np.abs(G) + 0.1), "decay_elsewhere"),
    "plain": ({"name": "adam"}, W - ETA * G, "plain_step"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_in_the_step_gets_its_name(name):
    optimizer, after, mistake = WRONG[name]
    l2 = DECAY if name == "decay apart" else 0.0
    claims = {"dW.1": np.round(G + l2 * W, 6).tolist(), "W.1.after": np.round(after, 6).tolist()}
    marking = mark({**EXAMPLE, "optimizer": optimizer, "l2": l2, "claims": claims})
    assert marking.mistakes == (mistake,)
    assert {found.claim for found in marking.wrong} == {"W.1.after"}


@pytest.mark.parametrize(
    "name", [n for n, o in OPTIMIZERS.items() if not isinstance(o(), OfMatrices)]
)
def test_the_formulas_that_mistakes_are_made_of_are_those_of_the_step(name):
    step = step_of(worked_example({**EXAMPLE, "optimizer": name}))
    rule = OPTIMIZERS[name](ETA)
    facts = {**hyperparameters(rule), **rule.init(2), "t": 1, "learning_rate": ETA,
             "w": W.ravel(), "g": G.ravel()}  # fmt: skip
    np.testing.assert_allclose(
        _worked(rule.arithmetic(True), facts), step.move(W.ravel(), G.ravel()), rtol=1e-12
    )
