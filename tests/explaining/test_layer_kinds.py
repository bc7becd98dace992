"""Layers of every kind: their numbers, their matrix equations, and every form they are told in."""

import contextlib
import io
import itertools
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.checking.step import lacking
from deltaprop.errors import SettingError
from deltaprop.explaining.derivation.edges import reads
from deltaprop.explaining.derivation.trees import entry_of, tree_of
from deltaprop.explaining.document.equations import equations
from deltaprop.explaining.document.tokens import Entries
from deltaprop.functional.arithmetic import FUNCTIONS, evaluate
from deltaprop.functional.arrays import element
from deltaprop.functional.expressions import Operand, leaves
from deltaprop.model.layers import ARRAYS, INTERMEDIATES
from deltaprop.notation.ids import read_ref
from deltaprop.widths import text_width

KINDS = (
    "scaling", "ntk", "parametric", "periodic", "waves", "categories", "many categories", "real",
    "deep", "normalized", "missing biases",
)  # fmt: skip
KIND = pytest.mark.parametrize("kind", KINDS)


RULES = [
    dp.GradientDescent(0.1), dp.Momentum(0.1), dp.Momentum(0.1, nesterov=True), dp.RMSProp(0.1),
    dp.Adam(0.1), dp.AdamW(0.1, weight_decay=0.2), dp.Muon(0.1),
]  # fmt: skip


FORMS_OF_A_STEP = (
    "to_terminal", "to_html", "to_latex", "to_markdown", "to_notebook", "to_json", "to_svg",
    "_repr_html_",
)  # fmt: skip


def test_every_array_of_every_layer_has_a_name():
    for layer in (
        dp.Dense(2), dp.Scaling(), dp.LayerNorm(), dp.ParametricActivation("relu"),
        dp.PeriodicEmbedding(1), dp.CategoryEmbedding((2,)),
    ):  # fmt: skip
        assert tuple(layer.shapes(2)) == layer.arrays
        assert set(layer.arrays) <= set(ARRAYS)


class TestNumbers:
    @KIND
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
    @pytest.mark.one_in(5)
    def test_every_number_is_what_its_expression_comes_to(
        self, draw_layers, arithmetic, roots_of, is_root, kind, rule
    ):
        setting = draw_layers(kind, optimizer=rule)
        values = roots_of(setting)
        worked_out = set()
        for step in setting.explanation.steps:
            values |= {o.id: o.value for o in step.named_operands() if o.id not in values}
            for name in step.operands:
                assert name == step.id or name in worked_out or is_root(name), (step.id, name)
            assert step.value == pytest.approx(arithmetic(step, values), rel=1e-9, abs=1e-12), step
            assert step.id not in worked_out
            values[step.id] = step.value
            worked_out.add(step.id)

    @KIND
    @pytest.mark.one_in(5)
    def test_the_numbers_are_those_of_the_trace(self, draw_layers, kind):
        explanation = draw_layers(kind, optimizer=dp.AdamW(0.1, weight_decay=0.3)).explanation
        trace, after = explanation.trace, explanation.update.after
        values = {step.id: step.value for step in explanation.steps}
        for layer, arrays in enumerate(trace.gradients.layers, start=1):
            told = {f"z.{layer}": trace.z[layer - 1], f"delta.{layer}": trace.delta[layer - 1]}
            told |= {f"d{name}.{layer}": array for name, array in arrays.items()}
            new = after.parameters.layers[layer - 1].items()
            told |= {f"{name}.{layer}.after": array for name, array in new}
            for key, array in told.items():
                for index in np.ndindex(array.shape):
                    is_absent = index[-1] in lacking(key, trace.network.layout)
                    value = values.get(f"{key}[{','.join(map(str, index))}]")
                    assert value == (None if is_absent else array[index])

    @KIND
    @pytest.mark.one_in(5)
    def test_the_order_is_one_in_which_they_can_be_worked_out(self, draw_layers, kind):
        explanation = draw_layers(kind, optimizer=dp.Adam(0.1)).explanation
        names = [step.id for step in explanation.steps]
        assert [step.id for step in explanation.only(*names).steps] == names
        assert explanation.n_numbers == len(names)
        for step in explanation.steps:
            assert read_ref(step.id) == step.ref

    @pytest.mark.one_in(6)
    @KIND
    def test_what_is_displayed_holds(self, draw_layers, kind):
        data = json.loads(draw_layers(kind, optimizer=dp.AdamW(0.1)).explanation.to_json())
        known = {step["id"] for step in data["steps"]} | set(data["roots"])
        for step in data["steps"]:
            assert set(step["from"]) <= known
            result = eval(step["expression"], {"__builtins__": {}}, dict(FUNCTIONS))
            mantissa, _, exponent = step["shown"].partition("e")
            unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
            assert abs(result - float(step["shown"])) <= 1.001 * unit, step

    def test_a_sum_of_many_waves_is_shortened(self, draw_layers):
        explanation = draw_layers("waves", penalties=False).explanation
        for name, count in (("z.1[0,1]", 9), ("dx[0,0]", 9)):
            (*_, step) = explanation.only(name).steps
            text = explanation.only(name).to_terminal(digits=4, width=10_000).splitlines()
            assert any(f"[{count} more: " in line for line in text), name
            assert evaluate(step.expression) == pytest.approx(step.value, rel=1e-12)

    def test_of_many_categories_the_one_that_is_there_is_told(self, draw_layers):
        explanation = draw_layers("many categories", n=1).explanation
        i = int(np.flatnonzero(explanation.trace.a[0][0])[0])
        (step,) = explanation.only("z.1[0,0]").steps
        assert step.operands == (f"x[0,{i}]", f"E.1[{i},0]")
        assert "+ [11 more: 0]" in explanation.only("z.1[0,0]").to_terminal()

    @pytest.mark.parametrize(
        ("kind", "asked", "told"),
        [
            ("scaling", "s1[2]", "ds.1[2]"), ("parametric", "alpha.2[0]", "dalpha.2[0]"),
            ("periodic", "V1[0,1,1]", "dV.1[0,1,1]"), ("periodic", "omega.1[0,1]", "domega.1[0,1]"),
            ("periodic", "phi1[0,0]", "dphi.1[0,0]"), ("periodic", "v1[0,1]", "dv.1[0,1]"),
            ("categories", "E1[2,0]", "dE.1[2,0]"), ("ntk", "b1[1]", "db.1[1]"),
        ],
    )  # fmt: skip
    def test_a_parameter_is_read_as_its_gradient(self, draw_layers, kind, asked, told):
        assert draw_layers(kind).explanation.only(asked).steps[-1].id == told

    @pytest.mark.parametrize(
        "name", ["dW.1[0,0]", "ds.1[3]", "ds.1[0,0]", "data_ds.1[0]", "db.1[0]", "dE.1[0,0]"]
    )
    def test_what_a_layer_does_not_have_is_refused(self, draw_layers, name):
        with pytest.raises(SettingError, match=re.escape(f"There is no {name}")):
            draw_layers("scaling").explanation.only(name)

    def test_a_category_that_there_is_not_is_refused(self, draw_layers):
        with pytest.raises(SettingError, match=re.escape("There is no dE.1[3,0]")):
            draw_layers("categories").explanation.only("dE.1[3,0]")

    def test_a_learning_rate_factor_stands_in_the_update(self, draw_layers):
        scaled = draw_layers("scaling").explanation.to_terminal(detail="neurons")
        assert "s¹₁′ = s¹₁ - 6 × η × ∂L/∂s¹₁" in scaled
        waves = draw_layers("periodic").explanation.to_terminal(detail="neurons")
        assert "ω¹₁₁′ = ω¹₁₁ - 2 × π × η × ∂L/∂ω¹₁₁" in waves
        assert "V¹₁₁₁′ = V¹₁₁₁ - η × ∂L/∂V¹₁₁₁" in waves

    def test_only_biases_are_frozen(self, draw_layers):
        explanation = draw_layers("real", train_biases=False).explanation
        steps = {step.id: step for step in explanation.steps}
        assert steps["b.2.after[0]"].operands == ("b.2[0]",)
        assert "dalpha.3[0]" in steps["alpha.3.after[0]"].operands
        assert "ds.1[0]" in steps["s.1.after[0]"].operands
        told = {
            e.left.id: [t for t in e.right if isinstance(t, Entries)]
            for e in equations(explanation, 6)
            if e.phase == "update"
        }
        assert [len(told[name]) for name in ("b.2.after", "s.1.after", "W.2.after")] == [1, 2, 2]

    def test_kinks_within_a_parametric_activation_are_counted(self):
        network = dp.Network.from_layers(
            1, [dp.Dense(1, bias=False), dp.ParametricActivation("relu"), dp.Dense(1, bias=False)],
            "half_squared_error",
        )  # fmt: skip
        parameters = network.parameters([[[0.1]], None, [[1.0]]], alpha=[None, [0.5], None])
        explanation = dp.explain(network, parameters, [[1.0]], [[-4.0]])
        assert explanation.update.after.z[0][0, 0] < 0
        assert explanation.n_crossed_kinks == 1


class TestMatrices:
    @pytest.mark.one_in(3)
    @KIND
    @pytest.mark.parametrize("n", [1, 3])
    def test_what_is_displayed_holds(self, draw_layers, worked_out, kind, n):
        """Reads every equation back out of its tokens, with NumPy alone."""
        explanation = draw_layers(kind, n=n).explanation
        told = 0
        for equation in equations(explanation, 6):
            found = worked_out(equation, explanation.trace.network)
            if found is None or max(equation.result.shape) > 6:
                continue
            there = np.array(equation.result.texts) != "–"
            shown = np.array(equation.result.texts)[there].astype(float)
            unit = 10.0 ** (np.floor(np.log10(np.abs(shown) + 1e-300)) - 5)
            assert np.all(np.abs(found[there] - shown) <= 1.001 * unit), equation
            told += 1
        assert told > 6

    @KIND
    def test_every_number_of_z_and_of_every_gradient_is_told_in_one_of_them(
        self, draw_layers, kind
    ):
        explanation = draw_layers(kind).explanation
        trace, found = explanation.trace, {}
        for equation in equations(explanation, 6):
            if equation.left.after or equation.more or max(equation.result.shape) > 6:
                continue
            found.setdefault(equation.left.id, 0)
            found[equation.left.id] += np.prod(equation.result.shape)
        for layer, arrays in enumerate(trace.gradients.layers, start=1):
            for name, array in {"z": trace.z[layer - 1], **arrays}.items():
                told = found.get(f"{name if name == 'z' else f'd{name}'}.{layer}", array.size)
                assert told == array.size, (layer, name)

    def test_of_many_blocks_the_first_are_shown_and_the_others_counted(self, rng):
        network = dp.Network.from_layers(9, [dp.PeriodicEmbedding(9, n_waves=2), dp.Dense(2)])
        explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 9)), [0])
        text = explanation.to_terminal(detail="layers")
        assert "(12 more of the same form)" in text
        assert text.count("(3 more of the same form)") == 5  # four gradients, and V after the step
        for form in ("to_latex", "to_html", "to_markdown"):
            assert "12 more of the same form" in getattr(explanation, form)(detail="layers")


class TestForms:
    @KIND
    @pytest.mark.one_in(18)
    def test_it_is_told(self, draw_layers, kind):
        explanation = draw_layers(kind, optimizer=dp.Adam(0.1)).explanation
        asked = (("en", "standard"), ("zh", "tutorial"))
        styles = [{"language": language, "notation": notation} for language, notation in asked]
        for form in FORMS_OF_A_STEP:
            for style in [{}] if form == "_repr_html_" else styles:
                text = getattr(explanation, form)(**style)
                assert "✗" not in text, (form, style)
                if form == "to_svg":
                    ET.fromstring(text)

    @KIND
    @pytest.mark.parametrize("language", ["en", "zh"])
    @pytest.mark.one_in(5)
    def test_it_fits_80_columns(self, draw_layers, kind, language):
        text = draw_layers(kind).explanation.to_terminal(language=language)
        assert max(map(text_width, text.splitlines())) <= 80

    @KIND
    @pytest.mark.one_in(5)
    def test_every_gradient_is_proved(self, draw_layers, kind):
        explanation = draw_layers(kind, penalties=False).explanation
        assert explanation.verify()
        proofs = [e for e in explanation.proof.values() if e.name != "loss"]
        assert len(proofs) == explanation.trace.network.n_parameters

    @KIND
    @pytest.mark.parametrize("rule", [None, dp.AdamW(0.1)], ids=["descent", "adamw"])
    @pytest.mark.one_in(5)
    def test_the_notebook_runs(self, draw_layers, kind, rule):
        explanation = draw_layers(kind, optimizer=rule).explanation
        names = {}
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in json.loads(explanation.to_notebook())["cells"]:
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), "<cell>", "exec"), names)
        assert names["net"] == explanation.trace.network
        np.testing.assert_array_equal(names["step"].moved, explanation.moved)

    @KIND
    @pytest.mark.one_in(5)
    def test_edges_join_what_a_layer_reads(self, draw_layers, kind):
        explanation = draw_layers(kind).explanation
        trace, network = explanation.trace, explanation.trace.network
        known = {step.id for step in explanation.steps}
        known |= {name for step in explanation.steps for name in step.operands}
        root = ET.fromstring(explanation.to_svg())
        drawn = [e for e in root.iter() if "edge" in e.get("class", "").split()]
        n_pairs = 0
        for layer, (n_in, width) in enumerate(itertools.pairwise(network.sizes), start=1):
            n_pairs += sum(len(reads(trace, layer, j)) for j in range(width)) if n_in < 10 else 0
        if max(network.sizes) < 10:
            assert len(drawn) == n_pairs
        pointed = {e.get("data-id") for e in root.iter() if e.get("data-id")}
        assert pointed <= known
        edges = json.loads(explanation.to_json())["diagram"]["edges"]
        assert {edge["gradient"] for edge in edges} <= known
        for edge in edges:
            (below, i), (layer, j) = edge["from"], edge["to"]
            assert below == layer - 1
            assert i in reads(trace, layer, j)
        assert len(trace.z) == len(network.computing_layers)

    @KIND
    def test_what_a_layer_reads_is_what_its_sums_are_made_of(self, draw_layers, kind):
        derivation = draw_layers(kind).explanation.derivation
        trace = derivation.trace
        for layer, width in enumerate(trace.network.sizes[1:], start=1):
            for j in range(width):
                equation = entry_of(trace, layer, "z", j)
                whole = element(tree_of(trace, layer, equation), 0, j - equation.start)
                refs = {read_ref(leaf.id) for leaf in leaves(whole) if isinstance(leaf, Operand)}
                while between := {ref for ref in refs if ref.quantity in INTERMEDIATES}:
                    made = {read_ref(o) for ref in between for o in derivation.step(ref).operands}
                    refs = (refs - between) | made
                of_a = {ref.index[1] for ref in refs if ref.quantity not in ARRAYS}
                assert reads(trace, layer, j) == of_a

    def test_the_kinds_are_named(self, draw_layers):
        told = {
            "scaling": ("layer 1: scaling", "第 1 层：缩放"),
            "parametric": ("layer 2: parametric selu", "第 2 层：参数化 selu"),
            "normalized": ("layer 2: layer normalization tanh", "第 2 层：层归一化 tanh"),
            "periodic": ("layer 1: periodic embedding", "第 1 层：周期嵌入"),
            "categories": ("layer 1: category embedding", "第 1 层：类别嵌入"),
        }
        for kind, (english, chinese) in told.items():
            explanation = draw_layers(kind).explanation
            assert english in explanation.to_terminal(detail="overview")
            assert chinese in explanation.to_terminal(detail="overview", language="zh")
            assert "z = a W + b" not in explanation.to_markdown()

    def test_the_penalized_arrays_are_named(self, draw_layers):
        assert "for V, W alone" in draw_layers("periodic").explanation.to_terminal()
        assert "for weights, not for biases" in draw_layers("real").explanation.to_terminal()

    def test_the_symbols(self, draw_layers):
        latex = draw_layers("real").explanation.to_latex()
        assert r"\frac{\partial L}{\partial \alpha^{3}_{1}}" in latex
        assert r"z^{2} &= \frac{1}{\sqrt{2}} \, a^{1} \, W^{2} + b^{2}" in latex
        periodic = draw_layers("periodic").explanation
        assert r"\cos(x_{11} \cdot \omega^{1}_{11} + \varphi^{1}_{11})" in periodic.to_latex()
        assert "<mi>cos</mi>" in periodic.to_html()
        assert "cos(" in periodic.to_json()


def test_the_strongest_numbers_of_a_large_network_of_many_kinds(rng):
    network = dp.Network.from_layers(
        40,
        [
            dp.Scaling(6.0), dp.PeriodicEmbedding(20), dp.Dense(30, parametrization="ntk"),
            dp.ParametricActivation("selu"), dp.Dense(3, parametrization="ntk"),
        ],
    )  # fmt: skip
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(2, 40)), [0, 2])
    assert explanation.is_large
    for form in ("to_terminal", "to_html", "to_svg", "to_markdown"):
        assert len(getattr(explanation, form)()) < 5_000_000
    seen = set()
    for step in explanation.only("dalpha.4[3]", "domega.2[1,1]").steps:
        seen.add(step.id)
        assert step.value == pytest.approx(evaluate(step.expression), rel=1e-8, abs=1e-12)
    assert "domega.2[1,1]" in seen


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_pile_of_layers_is_told(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    width, layers = data.draw(st.integers(1, 4)), []
    n_in = width
    for kind in data.draw(st.lists(st.sampled_from("dspwcon"), max_size=4)):
        if kind == "d":
            form = data.draw(st.sampled_from(["standard", "ntk"]))
            activation = data.draw(st.sampled_from([None, "tanh"]))
            layers.append(
                dp.Dense(
                    data.draw(st.integers(1, 4)), activation, bias=data.draw(st.booleans()),
                    parametrization=form, learning_rate_factor=data.draw(st.sampled_from([1, 0.3])),
                )
            )  # fmt: skip
        elif kind == "s":
            layers.append(dp.Scaling(data.draw(st.sampled_from([1, 6]))))
        elif kind == "n" and width > 1:
            layers.append(dp.LayerNorm(data.draw(st.sampled_from([None, "tanh"])), epsilon=0.1))
        elif kind in "np":
            layers.append(dp.ParametricActivation("softplus"))
        elif kind == "w":
            columns = data.draw(st.integers(1, width))
            layers.append(dp.PeriodicEmbedding(columns, n_waves=2, n_mixtures=1))
        elif kind == "c":
            first = data.draw(st.integers(1, width))
            sizes = (first, width - first) if width > first else (first,)
            layers.append(dp.CategoryEmbedding(sizes, dimension=2))
        elif not (layers and isinstance(layers[-1], dp.Dropout)):
            layers.append(dp.Dropout(0.3))
            continue
        width = layers[-1].width(width) if layers and kind != "o" else width
    network = dp.Network.from_layers(n_in, [*layers, dp.Dense(2)], "half_squared_error", l2=0.1)
    parameters = network.init(rng)
    parameters.flat[:] += rng.normal(scale=0.3, size=parameters.flat.size)
    explanation = dp.explain(
        network, parameters, rng.normal(size=(2, n_in)), rng.normal(size=(2, 2)), rng=rng,
        optimizer=data.draw(st.sampled_from(RULES)),
    )  # fmt: skip
    for step in explanation.derivation.all_steps():
        assert step.value == pytest.approx(evaluate(step.expression), rel=1e-8, abs=1e-11), step
    assert list(equations(explanation, 6))
