"""Losses that somebody registered are explained by their own formulas, whatever they are called."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.functional.arithmetic import evaluate

CROSS_ENTROPY = dp.LOSSES["cross_entropy"]


@pytest.mark.parametrize("targets", [[[0.0, 1.0]], [[0.25, 0.75]]])
def test_cross_entropy_on_sigmoid_outputs_is_told_by_its_own_output(targets):
    network = dp.Network([2, 2, 2], "tanh", loss="cross_entropy_sigmoid")
    step = dp.explain(network, network.init(np.random.default_rng(3)), [[0.5, -1.0]], targets)
    (line,) = (line for line in step.lines() if line.step.id == "loss[0]")
    assert line.evaluated() == pytest.approx(step.trace.loss, rel=1e-5)
    assert not any(operand.startswith("z.2") for operand in line.step.operands)


def scaled(by, name="in_bits", told="formulas", **own):
    """Cross-entropy times a number: by 1 / ln 2 it is counted in bits."""
    value, delta = f"-(t * log(p)) * {by!r}", f"(p - t) * {by!r}"
    by_output = f"-(t / p) * {by!r}"
    given = {
        "formulas": {"arithmetic": (value, delta), "by_output": None},
        "all": {"arithmetic": (value, delta), "by_output": by_output},
        "by output": {"arithmetic": (value, ""), "by_output": by_output},
        "nothing": {"arithmetic": None, "by_output": None},
    }[told]
    return replace(
        CROSS_ENTROPY, name=name, per_label=None,
        per_sample=lambda z, t: by * CROSS_ENTROPY.per_sample(z, t),
        delta_per_sample=lambda z, t: by * CROSS_ENTROPY.delta_per_sample(z, t),
        **(given | own),
    )  # fmt: skip


@pytest.fixture
def registered():
    known = dict(dp.LOSSES._rows)

    def register(row):
        dp.register_loss(row, replace=True)
        return row.name

    yield register
    dp.LOSSES._rows.clear()
    dp.LOSSES._rows.update(known)


def explained(loss, seed=0, k=3):
    rng = np.random.default_rng(seed)
    network = dp.Network([2, 3, k], hidden="tanh", loss=loss)
    return dp.explain(
        network, network.init(rng), rng.normal(size=(2, 2)), np.eye(k)[rng.integers(k, size=2)],
        learning_rate=0.1,
    )  # fmt: skip


def assert_every_number_is_what_it_says(explanation):
    for step in explanation.derivation.all_steps():
        assert evaluate(step.expression) == pytest.approx(step.value, rel=1e-9, abs=1e-12), step.id


@pytest.mark.parametrize("told", ["formulas", "all", "by output", "nothing"])
@pytest.mark.parametrize("name", ["in_bits", "cross_entropy", "half_squared_error_softmax"])
@pytest.mark.one_in(5)
def test_cross_entropy_in_bits(registered, told, name):
    explanation = explained(registered(scaled(1 / math.log(2), name, told)))
    assert_every_number_is_what_it_says(explanation)
    trace, derivation = explanation.trace, explanation.derivation
    p, t = trace.a[-1], trace.targets
    if told in ("all", "by output"):
        for s, j in np.ndindex(p.shape):
            step = next(x for x in derivation.all_steps() if x.id == f"upstream.2[{s},{j}]")
            assert step.value == pytest.approx(-t[s, j] / p[s, j] / math.log(2), rel=1e-12)
    else:
        assert "upstream" not in {ref.quantity for ref in derivation.refs()}


@pytest.mark.slow
@given(
    by=st.floats(0.01, 100),
    told=st.sampled_from(["all", "by output"]),
    seed=st.integers(0, 2**16),
    k=st.integers(2, 5),
)
def test_of_any_factor(by, told, seed, k):
    dp.LOSSES._rows["times"] = scaled(by, "times", told)
    try:
        dp.LOSSES.check(dp.LOSSES["times"])
        assert_every_number_is_what_it_says(explained("times", seed, k))
    finally:
        del dp.LOSSES._rows["times"]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"by_output": "p - t"}, "the formula of dl/dp, p - t, does not give its delta"),
        ({"by_output": "-(t / p)"}, "does not give its delta by the Jacobian of softmax"),
        ({"arithmetic": ("-(t * log(p)) * 2.0", ""), "by_output": None}, "none of dl/dp"),
    ],
)
def test_a_formula_that_is_not_its_own_is_refused(own, message):
    with pytest.raises(SettingError, match=message):
        dp.LOSSES.check(scaled(2.0, **own))


@pytest.mark.parametrize("loss", dp.LOSSES)
def test_every_loss_tells_its_derivative_by_the_output(loss):
    assert dp.LOSSES[loss].by_output is not None
    dp.LOSSES.check(dp.LOSSES[loss])
