"""Softmax beside sigmoid: both on the same scores, proved against each other."""

import json
import re

import mpmath
import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, SettingError
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.notation.chart import Bars, Curve
from deltaprop.notation.digits import line_of
from deltaprop.widths import text_width

SCORES = [(2.0, 1.0), (2.0, 1.0, 0.1), (-3.0, 0.0, 4.0, 4.0), (0.5,), (300.0, -300.0)]


@pytest.mark.parametrize("scores", SCORES)
def test_values_are_right(scores):
    view = SoftmaxBesideSigmoid(scores)
    with mpmath.workdps(50):
        z = [mpmath.mpf(v) for v in scores]
        whole = sum(mpmath.exp(v) for v in z)
        p = [float(mpmath.exp(v) / whole) for v in z]
        s = [float(1 / (1 + mpmath.exp(-v))) for v in z]
    np.testing.assert_allclose(view.p, p, rtol=1e-14)
    np.testing.assert_allclose(view.s, s, rtol=1e-14)


@pytest.mark.parametrize("scores", SCORES[:4])
def test_both_jacobians_are_central_differences(scores):
    view, h = SoftmaxBesideSigmoid(scores), 1e-5
    for j in range(len(scores)):
        step = h * np.eye(len(scores))[j]
        right = SoftmaxBesideSigmoid(tuple(view.z + step))
        left = SoftmaxBesideSigmoid(tuple(view.z - step))
        measured = [(a - b) / (2 * h) for a, b in ((right.p, left.p), (right.s, left.s))]
        np.testing.assert_allclose(view.jacobian()[:, j], measured[0], atol=1e-9)
        own = {step.id: step.value for step in view.jacobian_steps()}[f"sigmoid_slope[{j}]"]
        np.testing.assert_allclose(own * np.eye(len(scores))[j], measured[1], atol=1e-9)


@pytest.mark.parametrize("scores", SCORES[:4])
def test_every_displayed_line_holds(scores):
    view = SoftmaxBesideSigmoid(scores, target=0)
    steps = [*view.value_steps(), *view.jacobian_steps(), *view.gradient_steps()]
    steps += [view.difference_step()] if len(scores) == 2 else []
    assert len(steps) > 2 * len(scores)
    for step in steps:
        line = line_of(step)
        assert line.evaluated() == pytest.approx(float(line.shown), rel=2e-5, abs=1e-15)
        assert float(line.shown) == pytest.approx(step.value, rel=1e-5, abs=1e-15)


def test_two_scores_are_the_sigmoid_of_their_difference():
    view = SoftmaxBesideSigmoid((2.0, 1.0))
    step = view.difference_step()
    assert step.value == pytest.approx(1 / (1 + np.exp(-1.0)), rel=1e-14)
    assert "p₁ = 1 / (1 + exp(-(z₁ - z₂))) = 1 / (1 + exp(-(2 - 1))) ≈ 0.731059" in (
        view.to_terminal()
    )
    assert SoftmaxBesideSigmoid((2.0, 1.0, 0.0)).difference_step() is None


def test_the_jacobian_cancels_to_p_minus_t():
    view = SoftmaxBesideSigmoid((0.3, -1.2, 2.0), target=1)
    steps = list(view.gradient_steps())
    through, cancelled = (
        [s.value for s in steps if s.quantity == quantity]
        for quantity in ("softmax_delta", "cancelled_delta")
    )
    np.testing.assert_allclose(through, view.p - [0, 1, 0], rtol=1e-12)
    assert through == cancelled


def test_squared_error_keeps_the_jacobian():
    view = SoftmaxBesideSigmoid((0.3, -1.2, 2.0), target=1)
    found = [s.value for s in view.squared_steps() if s.quantity == "squared_delta"]
    network = dp.Network([3, 3], loss="half_squared_error_softmax", bias=False)
    trace = dp.backpropagate(network, network.parameters(W=[np.eye(3)]), [view.scores], [1])
    np.testing.assert_allclose(found, trace.delta[-1][0], rtol=1e-12)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_line_holds(language):
    view = SoftmaxBesideSigmoid((0.3, -1.2, 2.0), target=1)
    lines = list(view.document(Style(language=language)).lines())
    assert len(lines) > 30
    for line in lines:
        last = line.shown.partition("e")[0].partition(".")[2]
        assert abs(line.evaluated() - float(line.shown)) <= 10.0 ** -len(last)


def test_the_numbers_as_json_have_their_origin():
    view = SoftmaxBesideSigmoid((0.3, -1.2), target=1)
    data = json.loads(view.to_json())
    known = {*data["roots"], *(step["id"] for step in data["steps"])}
    assert set(data["roots"]) == {"z[0]", "z[1]"}
    assert all(name in known for step in data["steps"] for name in step["from"])


def test_a_true_class_of_no_probability_is_no_division_by_zero():
    view = SoftmaxBesideSigmoid((600.0, -600.0), target=1)
    assert list(view.gradient_steps()) == []
    assert "nan" not in view.to_terminal()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_the_width_and_names_the_classes(language):
    names = ("Adelie", "Chinstrap", "Gentoo")
    text = SoftmaxBesideSigmoid((2.0, 1.0, -0.1), names, 2).to_terminal(language=language)
    assert all(text_width(line) <= 80 for line in text.splitlines())
    assert re.search(r"Gentoo +-0\.1 .*← t", text)
    assert "Σ p = p₁ + p₂ + p₃" in text
    assert bool(re.search("[一-鿿]", text)) == (language == "zh")


def test_many_scores_leave_the_jacobians_out():
    text = SoftmaxBesideSigmoid(tuple(np.linspace(-1, 1, 30))).to_terminal()
    assert "J₁₁" not in text
    assert "more" in text


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"scores": ()}, DataError, "finite numbers"),
        ({"scores": (0.5,) * 2000}, DataError, "2,000 numbers; expected 1 to 1,000"),
        ({"scores": (float("nan"),)}, DataError, "finite numbers"),
        ({"scores": (1e4, 0.0)}, DataError, "Take the largest score off"),
        ({"scores": (1.0, 2.0), "target": 2}, SettingError, "from 0 to 1"),
        ({"scores": (1.0, 2.0), "names": ("a",)}, SettingError, "1 names for 2 scores"),
    ],
)
def test_what_it_cannot_show_it_refuses(settings, error, says):
    with pytest.raises(error, match=says):
        SoftmaxBesideSigmoid(**settings)


def test_the_scores_are_the_networks_logits(rng):
    network = dp.Network([2, 3])
    parameters = network.init(rng)
    trace = dp.backpropagate(network, parameters, [[1.0, -2.0]], [1])
    view = SoftmaxBesideSigmoid(tuple(trace.z[-1][0]), target=1)
    np.testing.assert_allclose(view.p, trace.a[-1][0], rtol=1e-15)
    cancelled = [s.value for s in view.gradient_steps() if s.quantity == "cancelled_delta"]
    np.testing.assert_allclose(cancelled, trace.delta[-1][0], rtol=1e-12)


class TestWithATarget:
    @pytest.mark.parametrize("language", ["en", "zh"])
    @pytest.mark.parametrize("scores", [*SCORES, tuple(np.linspace(-1, 1, 30)), (600.0, -600.0)])
    def test_the_loss_and_p_minus_t_are_always_told(self, scores, language):
        c = len(scores) - 1
        view = SoftmaxBesideSigmoid(scores, target=c)
        lines = {line.step.id: line for line in view.document(Style(language=language)).lines()}
        with mpmath.workdps(400):
            z = [mpmath.mpf(v) for v in scores]
            loss = float(mpmath.log(sum(mpmath.exp(v) for v in z)) - z[c])
        assert lines["loss"].step.value == pytest.approx(loss, rel=1e-12, abs=1e-15)
        for j, p in enumerate(view.p):
            assert lines[f"cancelled_delta[{j}]"].step.value == p - (j == c)
        for line in lines.values():
            last = line.shown.partition("e")[0].partition(".")[2]
            exponent = int(line.shown.partition("e")[2] or 0)
            unit = 10.0 ** (exponent - len(last))
            assert abs(line.evaluated() - float(line.shown)) <= unit

    def test_without_one_nothing_is_said_of_a_loss(self):
        view = SoftmaxBesideSigmoid((2.0, 1.0))
        assert view.loss_step() is None
        assert "p - t" not in view.to_terminal().partition("Values")[0]
        assert "cross-entropy:" not in view.to_terminal()

    def test_the_table_has_p_minus_t(self):
        text = SoftmaxBesideSigmoid((2.0, 1.0), target=0).to_terminal()
        assert re.search(r"z₁ +2 +0\.731059 +0\.880797 +-0\.268941 +← t", text)


class TestDrawn:
    def test_bars_are_the_shares(self):
        view = SoftmaxBesideSigmoid((2.0, 1.0, 0.1), ("cat", "dog", "bird"))
        blocks = list(view.document(Style()).blocks())
        softmaxes, sigmoids = (b for b in blocks if isinstance(b, Bars))
        assert softmaxes.names == ("cat", "dog", "bird")
        np.testing.assert_array_equal(softmaxes.shares, view.p)
        np.testing.assert_array_equal(sigmoids.shares, view.s)

    @pytest.mark.parametrize("scores", [(2.0, 1.0), (-30.0, 4.0, 1.0)])
    def test_the_curve_is_the_sigmoid_of_the_difference(self, scores):
        view = SoftmaxBesideSigmoid(scores)
        (curve,) = (b for b in view.document(Style()).blocks() if isinstance(b, Curve))
        np.testing.assert_allclose(curve.y, 1 / (1 + np.exp(-np.array(curve.x))), rtol=1e-12)
        at, share = curve.mark
        assert at == scores[0] - scores[1]
        assert curve.x[0] < at < curve.x[-1]
        assert share == pytest.approx(view.p[0] / (view.p[0] + view.p[1]), rel=1e-12)

    def test_a_single_score_has_none(self):
        blocks = SoftmaxBesideSigmoid((2.0,)).document(Style()).blocks()
        assert not any(isinstance(b, Curve) for b in blocks)

    @pytest.mark.parametrize("form", ["html", "latex", "markdown", "spoken", "json", "notebook"])
    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_in_every_form(self, form, language):
        text = SoftmaxBesideSigmoid((2.0, 1.0, 0.1), target=1).to(form, language=language)
        drawn = {
            "html": 'class="bar"', "latex": r"\qbezier", "spoken": "sigmoid s", "markdown": "◆",
            "json": "cancelled_delta[1]", "notebook": "cancelled_delta[1]",
        }  # fmt: skip
        assert drawn[form] in text


def test_a_page_has_minus_signs_and_not_hyphens():
    page = SoftmaxBesideSigmoid((2.0, 1.0), target=0).to_html()
    for formula in ("exp(−zᵢ)", "−Σᵢ tᵢ", "pᵢ − tᵢ"):
        assert formula in page
