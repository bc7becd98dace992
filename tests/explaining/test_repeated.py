"""The step again and again: the numbers of backpropagate and the optimizer, until it is learnt."""

import json
import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.explaining import EXAMPLES, built_in_example, repeat, worked_example
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.renderers.registry import RENDERERS
from deltaprop.explaining.repeated import Measure

RULES = (dp.GradientDescent(0.05), dp.Momentum(0.05), dp.Adam(0.05), dp.RMSProp(0.01))


def by_hand(first, n_steps):
    """Yield the parameters after each step: nothing but backpropagate and the optimizer."""
    trace, rule = first.trace, first.update.rule
    params, network = trace.parameters.copy(), trace.network
    state = rule.init(params.flat.size)
    for _ in range(n_steps):
        found = dp.backpropagate(
            network, params, trace.a[0], trace.targets, reduction=first.reduction
        )
        before = params.copy()
        rule.step(
            state, params.flat, found.gradients.flat, rule.learning_rate,
            network.layout.penalized(),
        )  # fmt: skip
        if not first.update.train_biases:
            for now, then in zip(params.layers, before.layers, strict=True):
                now["b"][...] = then["b"]
        yield params


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.one_in(5)
def test_the_numbers_are_those_of_the_algorithm(name):
    first = built_in_example(name).explain()
    again = repeat(first, 12, until=None)
    for k, params in enumerate(by_hand(first, 12), start=1):
        np.testing.assert_array_equal(again.step(k).update.after.parameters.flat, params.flat)
        assert again.rows[k].loss == again.step(k).update.after.loss
        for (_, ref), number in zip(again.watched, again.rows[k].weights, strict=True):
            assert params.layers[ref.layer - 1][ref.quantity][ref.index] == number


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_an_optimizer_goes_on_with_its_state(draw, rule):
    first = draw("tanh", depth=1, n=3, optimizer=rule).explanation
    again = repeat(first, 5, until=None)
    *_, params = by_hand(first, 5)
    np.testing.assert_array_equal(again.step(5).update.after.parameters.flat, params.flat)


def test_weights_of_samples_stay(draw):
    first = draw("tanh", depth=1, n=3, sample_weight=[1.0, 2.0, 0.5]).explanation
    second = repeat(first, 2, until=None).step(2)
    np.testing.assert_array_equal(second.trace.shares, first.trace.shares)


class TestLearnt:
    def test_the_tutorial_is_learnt_after_13_steps(self):
        again = built_in_example("tutorial").repeat(20)
        assert (again.learnt, again.n_taken) == (True, 13)
        away = [abs(row.outputs[0] - 4) for row in again.rows]
        assert away[-1] <= 0.01 < min(away[:-1])
        assert "Learnt after 13 steps: the farthest output is 0.00813" in again.to_terminal()
        assert "13 步后学会" in again.to_terminal(language="zh")

    def test_by_the_loss(self):
        again = built_in_example("tutorial").repeat(20, until="loss=0.1")
        assert again.n_taken == 3
        assert again.rows[-1].loss <= 0.1 < again.rows[-2].loss

    def test_too_few_steps(self):
        again = built_in_example("tutorial").repeat(1)
        assert not again.learnt
        assert "Not learnt after 1 step: " in again.to_terminal()

    def test_never_asked(self):
        again = built_in_example("tutorial").repeat(20, until=None)
        assert again.n_taken == 20

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_learnt_from_the_start(self, language):
        again = built_in_example("tutorial").with_(t=5.05).repeat(20)
        assert (again.learnt, again.n_taken) == (True, 0)
        assert again.to_terminal(language=language)
        with pytest.raises(SettingError, match="none was taken"):
            again.step(1)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_a_learning_rate_that_is_too_large(self, language):
        again = built_in_example("tutorial").with_(learning_rate=5).repeat(200)
        assert not again.learnt
        assert 1 <= again.n_taken < 200
        assert np.isfinite([row.loss for row in again.rows]).all()
        said = {"en": "too large", "zh": "学习率太大"}[language]
        assert said in again.to_terminal(language=language)
        json.loads(again.to_json())

    @pytest.mark.parametrize("until", ["-1", "nan", "much", "loss=", "los=1", float("inf")])
    def test_a_measure_that_is_none(self, until):
        with pytest.raises(SettingError, match=r"like 0\.01, or loss=0\.001"):
            built_in_example("tutorial").repeat(20, until=until)

    @pytest.mark.parametrize("n", [0, -1, 10_001])
    def test_so_many_steps(self, n):
        with pytest.raises(SettingError, match="1 to 10,000"):
            built_in_example("tutorial").repeat(n)

    def test_read(self):
        assert Measure.read("0.5") == Measure("difference", 0.5)
        assert Measure.read("loss=1e-3") == Measure("loss", 1e-3)
        assert Measure.read("none") is None


class TestWhatIsShown:
    def test_weights_are_chosen_by_any_of_their_names(self):
        again = built_in_example("tutorial").repeat(3, watch=["w5", "W1[0,0]", "W¹₁₂"])
        assert [name for name, _ in again.watched] == ["w5", "w1", "w3"]
        with pytest.raises(SettingError, match="Did you mean 'w6'"):
            built_in_example("tutorial").repeat(3, watch=["w7"])
        with pytest.raises(SettingError, match="is no parameter"):
            built_in_example("tutorial").repeat(3, watch=["x1"])

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("name", ["tutorial", "iamtrask", "prakash_jay"])
    def test_it_fits_into_eighty_columns_and_loses_no_number(self, name, language):
        again = built_in_example(name).repeat(6, watch=["W1", "W2"])
        text = again.to_terminal(language=language)
        assert max(map(len, text.splitlines())) <= 80
        for row in again.rows:
            assert all(f"{number:.6g}" in text for number in row.weights)

    def test_of_many_steps_some_are_shown_the_first_and_the_last_among_them(self):
        again = built_in_example("iamtrask").repeat(300)
        rows = re.findall(r"^  (\d+) ", again.to_terminal(), re.MULTILINE)
        assert rows[0] == "0"
        assert "300" in rows
        assert "25 of 301 rows are shown." in again.to_terminal()
        assert len(json.loads(again.to_json())["repeated"]) == 301

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("form", [form for form in RENDERERS if form != "svg"])
    def test_in_every_form(self, form, language):
        again = built_in_example("tutorial").repeat(20)
        text = again.to(form, language=language)
        assert "0.338802" in text.replace("0.3388021092883302", "0.338802")
        if form in ("html", "latex"):
            assert ("<svg" if form == "html" else r"\qbezier") in text

    def test_a_step_in_full(self):
        again = built_in_example("tutorial").repeat(20)
        seventh = again.step(7)
        assert seventh.verify()
        assert "Step 7: The tutorial's example" in seventh.to_terminal()
        assert "第 7 步：" in seventh.to_terminal(language="zh")
        assert seventh.trace.loss == again.rows[6].loss
        assert seventh.update.after.loss == again.rows[7].loss

    def test_its_json_is_an_example_to_begin_with(self, tmp_path):
        again = built_in_example("tutorial").repeat(20)
        data = json.loads(again.to_json())["example"]
        assert worked_example(data).repeat(20).rows == again.rows


def test_dropout_is_not_repeated(rng):
    network = dp.Network([3, 4, 2], "tanh", dropout=0.5)
    first = dp.explain(network, network.init(rng), rng.normal(size=(1, 3)), [1], rng=rng)
    with pytest.raises(SettingError, match="dropout"):
        repeat(first)
