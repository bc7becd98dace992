"""Explanations that many forms are tried on."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.functional.rounding import rounding_bound


def tutorial(**fixed):
    worked = built_in_example("tutorial")
    fixed = {"optimizer": worked.optimizer, "names": Names(worked.title), **fixed}
    return dp.explain(worked.network, worked.parameters, worked.x, worked.targets, **fixed)


BESIDE = SoftmaxBesideSigmoid((2.0, 1.0, -0.5), ("cat", "<b>", "a|b"), 0)


def adam_in_the_middle_of_a_run():
    rng = np.random.default_rng(1)
    network = dp.Network([4, 5, 3], "tanh", l2=0.01)
    parameters, rule = network.init(rng), dp.Adam(0.01)
    n = parameters.flat.size
    state = {"m": 0.01 * rng.normal(size=n), "v": 0.01 * rng.random(n), "t": 7}
    x = rng.normal(size=(3, 4))
    return dp.explain(network, parameters, x, [0, 1, 2], optimizer=rule, state=state)


def large():
    rng = np.random.default_rng(2)
    network = dp.Network([784, 128, 10])
    names = Names(image=(28, 28))
    return dp.explain(network, network.init(rng), rng.random((1, 784)), [3], names=names)


def assert_lines_hold(explanation, digits=6):
    """Each line's right-hand side comes to what it shows, and that is the number of the trace."""
    for line in explanation.lines(digits):
        value, shown = line.step.value, float(line.shown)
        if not np.isfinite(value):
            assert line.shown == str(value), line
            continue
        rounding = 4 * rounding_bound(line.step.expression)
        mantissa, _, exponent = line.shown.partition("e")
        unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
        unit = min(unit, 10.0 ** (np.floor(np.log10(abs(shown))) + 1)) if shown else 0.0
        assert abs(shown - value) <= unit + rounding, line
        assert abs(line.evaluated() - shown) <= 1.001 * unit + rounding, line
        if line.exact:
            assert shown == pytest.approx(value, rel=1e-12)
