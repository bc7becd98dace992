"""No line of text is longer than asked for, where it can be broken."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.widths import text_width

WIDTH = 40
KINDS = ("scaling", "ntk", "parametric", "periodic", "waves", "categories", "normalized", "deep")


def too_long(text, width=WIDTH):
    return [line for line in text.splitlines() if text_width(line) > width]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.one_in(5)
def test_explanations_of_every_kind_of_layer_keep_the_width(draw_layers, kind, language):
    assert not too_long(draw_layers(kind).explanation.to_terminal(width=WIDTH, language=language))


@pytest.mark.one_in(5)
def test_explanations_of_every_row_keep_the_width(activation, loss, draw):
    explanation = draw(activation, loss, n=2, depth=1).explanation
    for digits in (6, 12):
        assert not too_long(explanation.to_terminal(width=WIDTH, digits=digits))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_keep_the_width(language):
    names = dp.explaining.Names(
        "A title that goes on for longer than a line of forty columns has room for",
        ("sepal length in centimetres", "b " * 30, "花瓣的长度非常长的名字是这样的名字真的很长"),
        ("setosaverylongnamewithoutblank" * 2, "v", "w"),
    )
    network = dp.Network([3, 4, 3])
    rng = np.random.default_rng(2)
    explanation = dp.explain(
        network, network.init(rng), rng.normal(size=(3, 3)) * 1e-7, [0, 1, 2],
        optimizer=dp.Adam(0.1), names=names,
    )  # fmt: skip
    assert not too_long(explanation.to_terminal(width=WIDTH, language=language))
    beside = SoftmaxBesideSigmoid((1.0, 2.0, -3.123456), ("a very long name " * 3, "b", "c"), 0)
    assert not too_long(beside.to_terminal(width=WIDTH, language=language))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.one_in(6)
def test_exercises_keys_and_markings_keep_the_width(level, language):
    task = dp.exercise(level=level, seed=3, language=language)
    marking = task.mark({"loss": 0.5})
    for text in (
        task.to_terminal(width=WIDTH), task.to_key_terminal(width=WIDTH),
        marking.to_terminal(width=WIDTH),
    ):  # fmt: skip
        assert not too_long(text)


STEERING = "a\x1b[31mred\x07\u202eevil\nline\x00\x9bx\u2028\ud800z\x7f\r"
FORMS = ("terminal", "html", "latex", "markdown", "json", "spoken", "svg", "notebook")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", FORMS)
def test_names_that_steer_are_shown_escaped(form, language):
    names = dp.explaining.Names(
        f"T{STEERING}", (f"i{STEERING}", "j"), (f"c{STEERING}", "d"), source=f"S{STEERING}",
        titles={"zh": f"Z{STEERING}"},
    )  # fmt: skip
    network = dp.Network([2, 2])
    step = dp.explain(
        network, network.init(np.random.default_rng(0)), np.eye(2), [0, 1], names=names
    )
    beside = SoftmaxBesideSigmoid((1.0, 2.0), (f"c{STEERING}", "d"), 0)
    for explained in (step, *([beside] if form != "svg" else [])):
        text = explained.to(form, language=language)
        assert not set(text) & set(STEERING) - set("\naredevillinexz[31m")
        assert form == "terminal" or "evil\nline" not in text  # which may break there
        if form in ("terminal", "html", "svg"):
            assert r"a\x1b[31mred\x07" in text
