"""Mistakes in layers of every kind are shown by what they change."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.rules import RIGHT, work_step
from deltaprop.model.backprop import backpropagate

KINDS = (
    "scaling", "ntk", "parametric", "periodic", "waves", "categories", "many categories", "real",
    "deep", "normalized", "missing biases",
)  # fmt: skip


KIND = pytest.mark.parametrize("kind", KINDS)


def wrong_by(rules, setting):
    return work_step(rules, setting.network, setting.parameters, setting.x, setting.targets)


class TestMistakes:
    @KIND
    def test_the_right_rules_give_the_numbers_of_the_algorithm(self, draw_layers, kind):
        setting = draw_layers(kind)
        right = backpropagate(setting.network, setting.parameters, setting.x, setting.targets)
        worked = wrong_by(RIGHT, setting)
        np.testing.assert_allclose(worked.gradients.flat, right.gradients.flat, rtol=1e-12)
        assert worked.loss == pytest.approx(right.loss, rel=1e-12)
        step = dp.explain(
            setting.network, setting.parameters, setting.x, setting.targets, learning_rate=0.1
        )
        np.testing.assert_allclose(worked.after.flat, step.update.after.parameters.flat, rtol=1e-12)

    @pytest.mark.one_in(6)
    @KIND
    def test_a_wrong_number_without_a_reason_has_no_name(self, draw_layers, kind):
        setting = draw_layers(kind)
        network = setting.network
        right = backpropagate(network, setting.parameters, setting.x, setting.targets)
        claimed = right.gradients.flat.copy()
        claimed[0] += 1.0
        report = dp.check_gradients(
            network, setting.parameters, setting.x, setting.targets, gradients=claimed
        )
        assert not report.ok
        assert [entry.name for entry in report.wrong] == [network.layout.entry(0)]
        assert report.where

    @pytest.mark.one_in(12)
    @KIND
    @pytest.mark.parametrize("name", ["stale_gradients", "sign", "bias_frozen"])
    def test_a_mistake_around_other_layers_is_named(self, draw_layers, kind, name):
        setting = draw_layers(kind, penalties=False)
        claimed = wrong_by(MISTAKES[name].variants[0], setting).gradients
        report = dp.check_gradients(
            setting.network, setting.parameters, setting.x, setting.targets, gradients=claimed
        )
        if report.ok:
            assert name == "bias_frozen"  # no dense layer of this network has one that matters
        else:
            assert name in {mistake.name for mistake in report.mistakes}

    @pytest.mark.parametrize("variant", range(3))
    def test_a_mistake_in_a_layer_norm_is_named(self, rng, variant):
        layers = [dp.Dense(4), dp.LayerNorm("tanh"), dp.Dense(3, "tanh"), dp.LayerNorm()]
        network = dp.Network.from_layers(3, [*layers, dp.Dense(2)])
        parameters, x = network.init(rng), rng.normal(size=(5, 3))
        parameters.flat[:] += rng.normal(scale=0.3, size=parameters.flat.size)
        mistake = MISTAKES["norm_as_constant"]
        targets = np.eye(2)[rng.integers(2, size=5)]
        wrong = work_step(mistake.variants[variant], network, parameters, x, targets)
        report = dp.check_gradients(network, parameters, x, targets, gradients=wrong.gradients)
        assert [found.name for found in report.mistakes] == ["norm_as_constant"]
        assert report.mistakes[0].layers == (1, 3)
        assert "deviation" in str(report)
