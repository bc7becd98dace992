"""One number at a time: its ancestry, large networks, languages, and the JSON."""

import contextlib
import itertools
import json
import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.explaining import built_in_example
from deltaprop.explaining.language import LANGUAGES
from deltaprop.model.layers import ARRAYS
from deltaprop.notation.ids import PER_SAMPLE, Ref, read_ref
from deltaprop.widths import text_width


@pytest.fixture(scope="module")
def tutorial():
    worked = built_in_example("tutorial")
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets, optimizer=worked.optimizer
    )


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(3)
    network = dp.Network([784, 128, 10], "relu", "cross_entropy")
    x = rng.uniform(size=(1, 784)) * (rng.uniform(size=(1, 784)) < 0.4)
    return dp.explain(network, network.init(rng), x, [3])


class TestOneNumber:
    @pytest.mark.parametrize(
        ("name", "id_"),
        [("w5", "dW.2[0,0]"), ("w₅", "dW.2[0,0]"), ("h1", "z.1[0,0]"), ("dE/dw5", "dW.2[0,0]"),
         ("∂E/∂h₂", "delta.1[0,1]"), ("w5'", "W.2.after[0,0]"), ("y", "z.2[0,0]"),
         ("E", "loss[0]"), ("loss", "loss[0]"), ("delta.1[0,1]", "delta.1[0,1]")],
    )  # fmt: skip
    def test_it_is_called_as_it_is_printed(self, name, id_):
        step = built_in_example("tutorial").explain()
        assert [ref.id for ref in step.only(name).wanted] == [id_]

    def test_symbols_of_the_other_notation_are_no_names(self, tutorial):
        assert tutorial.only("W²_{11}", "delta^1_2").wanted == tuple(
            map(read_ref, ("dW.2[0,0]", "delta.1[0,1]"))
        )
        with pytest.raises(SettingError, match="w5"):
            tutorial.only("w5")

    def test_the_ancestry_of_a_gradient_is_all_it_is_made_of_and_nothing_else(self, tutorial):
        ids = [step.id for step in tutorial.only("dW.1[0,0]").steps]
        assert set(ids) == {
            "z.1[0,0]", "z.1[0,1]", "a.1[0,0]", "a.1[0,1]", "z.2[0,0]", "delta.2[0,0]",
            "delta.1[0,0]", "dW.1[0,0]",
        }  # fmt: skip
        assert ids[-1] == "dW.1[0,0]"

    def test_every_number_comes_after_those_it_is_made_of(self, draw):
        explanation = draw("gelu", "cross_entropy", n=2, l2=0.1, optimizer=dp.Adam(0.1)).explanation
        known = {step.id for step in explanation.steps}
        wanted = explanation.only(*[s.id for s in explanation.steps if s.phase == "after"])
        seen = set()
        for step in wanted.steps:
            made_of = {name for name in step.operands if name in known and name != step.id}
            assert made_of <= seen, step.id
            seen.add(step.id)

    @pytest.mark.parametrize("name", ["W1[0,1]", "W.1[0,1]", "dW1[0,1]", " dW.1[0,1] "])
    def test_a_weight_is_asked_for_in_any_spelling(self, tutorial, name):
        assert tutorial.only(name).steps[-1].id == "dW.1[0,1]"

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("W7[0,0]", "There is no dW.7"), ("dW.1[5,0]", "There is no dW.1[5,0]"),
            ("x[0,0]", "may be given"), ("zz", "given, or misspelt"), ("", "names no number"),
            ("z.1[0", "names no number"), ("delta.2[0,-1]", "names no number"),
        ],
    )  # fmt: skip
    def test_what_there_is_not_is_refused(self, tutorial, name, says):
        with pytest.raises(SettingError, match=re.escape(says)):
            tutorial.only(name)

    def test_the_terminal_shows_the_ancestry_alone(self, tutorial):
        text = tutorial.only("dW.2[0,0]").to_terminal()
        assert "∂L/∂W²₁₁ = a¹₁ × δ²₁ = 1.25 × 1.05 = 1.3125" in text
        assert "Overview" not in text
        assert "W²₂₁′" not in text

    def test_an_id_is_read_as_it_is_written(self, draw):
        for step in draw("tanh", "cross_entropy", n=2, optimizer=dp.Adam(0.1)).explanation.steps:
            assert read_ref(step.id) == step.ref
        assert Ref("W", 2, (0, 3), after=True).id == "W.2.after[0,3]"


class TestLargeNetworks:
    def test_the_strongest_are_told_and_the_rest_is_counted(self, large):
        assert large.n_numbers > 200_000
        assert len(large.steps) < 2_000
        gradients = [abs(s.value) for s in large.steps if s.id.startswith("dW.1[")]
        assert max(gradients) == np.abs(large.trace.gradients.W[0]).max()
        text = large.to_terminal(detail="neurons")
        assert re.search(r"\[7\d\d more: ", text)
        assert f"of {large.n_numbers:,} numbers" in " ".join(text.split())

    def test_it_is_closed_and_small(self, large):
        text = large.to_json()
        assert len(text) < 1_000_000
        data = json.loads(text)
        known = {step["id"] for step in data["steps"]} | set(data["roots"])
        assert all(name in known for step in data["steps"] for name in step["from"])

    def test_any_number_can_be_asked_for_all_the_same(self, large):
        i, j = 400, 77
        (*_, step) = large.only(f"dW1[{i},{j}]").steps
        assert step.value == large.trace.gradients.W[0][i, j]

    def test_what_is_counted_is_what_there_is(self, draw):
        for optimizer in (None, dp.Adam(0.1)):
            e = draw("tanh", "cross_entropy", n=2, bias=True, optimizer=optimizer).explanation
            assert e.n_numbers == len(e.steps)


class TestJson:
    def test_it_is_what_the_interface_says(self, tutorial):
        data = json.loads(tutorial.to_json())
        assert data["format"] == "deltaprop-explanation/1"
        assert {"conventions", "network", "diagram", "steps"} <= set(data)
        steps = {step["id"]: step for step in data["steps"]}
        delta = steps["delta.1[0,1]"]
        assert (delta["quantity"], delta["layer"], delta["sample"]) == ("delta", 1, 0)
        assert (delta["index"], delta["shown"], delta["phase"]) == ([1], "1.05", "backward")
        assert delta["expression"] == "1.05 * 1 * 1"
        assert delta["from"] == ["delta.2[0,0]", "W.2[1,0]"]
        assert steps["dW.2[1,0]"]["index"] == [1, 0]

    def test_following_from_ends_at_roots(self, draw):
        data = json.loads(draw("mish", "cross_entropy", n=3, l1=0.1).explanation.to_json())
        steps = {step["id"]: step for step in data["steps"]}
        waiting, seen = list(steps), set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            assert name in steps or name in data["roots"], name
            waiting += steps[name]["from"] if name in steps else []

    def test_infinity_is_text(self):
        network = dp.Network([1, 1], loss="poisson", bias=False)
        parameters = network.parameters([[[0.0]]])
        e = dp.explain(network, parameters, [[1.0]], [[9e3]], learning_rate=1.0)
        last = json.loads(e.to_json())["steps"][-1]
        assert last["value"] == last["shown"] == "inf"


class TestLanguages:
    def test_they_say_the_same_things(self):
        keys = {name: set(words) for name, words in LANGUAGES.items()}
        assert keys["en"] == keys["zh"]
        for key, english in LANGUAGES["en"].items():
            places = [sorted(re.findall(r"{\w+}", w[key])) for w in LANGUAGES.values()]
            assert places[0] == places[1], key
            assert english.strip()

    def test_chinese_has_the_same_numbers_and_fits_the_width(self, tutorial, draw):
        for explanation in (tutorial, draw("relu", "cross_entropy", n=2, l2=0.1).explanation):
            english, chinese = (
                explanation.to_terminal(language=language) for language in ("en", "zh")
            )
            assert re.search("[一-鿿]", chinese)
            sums = [
                [x for x in text.splitlines() if re.match("  [^(]*=", x) and "dL/dz" not in x]
                for text in (english, chinese)
            ]
            assert sums[0] == sums[1]
            assert all(text_width(line) <= 80 for line in chinese.splitlines())

    def test_another_language_is_refused(self, tutorial):
        with pytest.raises(UnknownNameError, match="en, zh"):
            tutorial.to_terminal(language="klingon")

    def test_the_tutorials_notation_names_both_layers(self, tutorial):
        text = tutorial.to_terminal(notation="tutorial")
        assert "∂E/∂w₅ = h₁ × ∂E/∂y = 1.25 × 1.05 = 1.3125" in text
        assert "z² = z¹ W⁽¹²⁾" in text
        assert "W¹₁₁" not in text
        with pytest.raises(SettingError, match="standard, tutorial"):
            tutorial.to_terminal(notation="own")


class TestProof:
    def test_a_tick_and_the_central_difference_stand_beside_every_gradient(self, draw):
        e = draw("tanh", "cross_entropy", bias=True).explanation
        text = e.to_terminal(detail="neurons")
        assert text.count("✓ central difference") == e.trace.network.n_parameters
        assert "✗" not in text

    def test_a_cross_stands_beside_a_wrong_one(self, wrong_slope):
        network = dp.Network([2, 1, 1], hidden=wrong_slope, loss="half_squared_error", bias=False)
        parameters = network.parameters([[[0.5], [0.1]], [[2.0]]])
        explanation = dp.explain(network, parameters, [[1.0, 0.4]], [[0.3]])
        told = explanation.to_terminal(detail="neurons")
        assert (told.count("✗"), told.count("✓")) == (2, 1)


class TestOptimizers:
    @pytest.mark.parametrize(
        "rule",
        [dp.Momentum(0.1), dp.Momentum(0.1, nesterov=True), dp.RMSProp(0.1), dp.Adam(0.1),
         dp.AdamW(0.1, weight_decay=0.2)],
        ids=["momentum", "nesterov", "rmsprop", "adam", "adamw"],
    )  # fmt: skip
    def test_every_optimizers_arithmetic_is_told(self, draw, rule, arithmetic, roots_of):
        setting = draw("tanh", "half_squared_error", bias=True, optimizer=rule)
        values = roots_of(setting)
        for step in setting.explanation.steps:
            values |= {o.id: o.value for o in step.named_operands() if o.id not in values}
            assert step.value == pytest.approx(arithmetic(step, values), rel=1e-9, abs=1e-12)
            values[step.id] = step.value
        updates = [s for s in setting.explanation.steps if s.phase == "update"]
        assert all(s.operands != (s.id,) for s in updates)
        assert {s.quantity.rpartition("_")[0] for s in updates} == {"", *rule.init(1)} - {"t"}

    def test_an_optimizer_that_does_not_tell_its_arithmetic_shows_the_number(self, draw):
        class Own:
            name = "own"
            learning_rate = 0.1

            def init(self, n):
                return {}

            def step(self, state, flat, gradient, eta, decayed):
                flat -= eta * np.sign(gradient)

        e = draw("tanh", "half_squared_error", depth=0, optimizer=Own()).explanation
        (step, *_) = [s for s in e.steps if s.id == "W.1.after[0,0]"]
        assert step.operands == (step.id,)
        assert step.value == e.update.after.parameters.W[0][0, 0]


@pytest.mark.parametrize("name", ["tutorial", "prakash_jay"])
def test_only_numbers_that_the_step_has_are_described(name):
    worked = built_in_example(name)
    e = dp.explain(worked.network, worked.parameters, worked.x, worked.targets)
    known = {ref.id for ref in e.derivation.refs()} | {"loss", "loss.after"}
    asked = {*PER_SAMPLE, *(f"{d}d{a}" for a in ARRAYS for d in ("", "data_")), *ARRAYS}
    asked |= {"l2_penalty", "l1_penalty"}
    places = itertools.product(sorted(asked), range(5), (False, True), range(5))
    described = set()
    for quantity, layer, after, n_indices in places:
        ref = Ref(quantity, layer, (0,) * n_indices, after)
        with contextlib.suppress(SettingError):
            if e.derivation.step(ref) is not None:
                described.add(ref.id)
    # without penalties there are these, too; dx is nothing that the step needs
    same = {"dx[0,0]", "l2_penalty", "l1_penalty", "l2_penalty.after", "l1_penalty.after"}
    same |= {name for name in described if name.startswith("data_d") and ".after" not in name}
    assert described - same <= known
    assert {"z.1[0,0]", "delta.1[0,0]", "dW.1[0,0]", "W.1.after[0,0]", "dx[0,0]"} <= described


@pytest.mark.parametrize(
    "name", ["W" + "9" * 5000 + "[0,1]", "W1[" + "9" * 5000 + ",0]", "W٣[0,1]"]
)
def test_a_name_that_nobody_has_typed_is_refused_shortly(tutorial, name):
    with pytest.raises(SettingError, match="names no number") as refused:
        tutorial.only(name)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize("hidden", [*dp.ACTIVATIONS])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_only_activations_with_kinks_are_said_to_have_a_slope_there(hidden, language):
    network = dp.Network([2, 2, 1], hidden, "half_squared_error")
    parameters = network.init(np.random.default_rng(0))
    explanation = dp.explain(network, parameters, [[1.0, 2.0]], [[1.0]])
    text = explanation.to_terminal(detail="overview", language=language)
    assert text.count("f'(0)") == len(dp.ACTIVATIONS[hidden].kinks)


def test_printing_an_explanation_shows_it_and_its_repr_is_one_short_line():
    network = dp.Network([2, 2], loss="cross_entropy")
    parameters = network.init(np.random.default_rng(0))
    explanation = dp.explain(network, parameters, [[1.0, 2.0]], [1])
    assert str(explanation) == explanation.to_terminal()
    assert len(repr(explanation)) < 100
    assert "\n" not in repr(explanation)
