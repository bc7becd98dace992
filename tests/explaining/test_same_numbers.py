"""The numbers of every line, read back out of every medium, are those that are to be displayed."""

import re

import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.registry import RENDERERS
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.notation.digits import number_text
from helpers.pages import without_scripts
from helpers.readers import (
    STYLES,
    assert_same,
    expected_of,
    first_rows,
    in_code,
    of_fragment,
    of_html,
    of_json,
    of_latex,
    of_markdown,
    of_notebook,
    of_spoken,
    of_svg,
    of_terminal,
)

RULES = [
    None,
    dp.Adam(),
    dp.Momentum(0.1, nesterov=True),
    dp.AdamW(0.02),
    dp.RMSProp(),
]  # fmt: skip


KINDS = [(a, loss) for a in dp.ACTIVATIONS for loss in dp.LOSSES]


LAYERS = ("scaling", "ntk", "parametric", "periodic", "waves", "categories", "real", "deep")


def same_everywhere(told, document, style):
    expected = expected_of(document)
    assert expected
    for width in (80, 100_000):
        assert_same(of_terminal(told, style, document, width), expected, f"terminal {width}")
    assert_same(of_markdown(told, style, document), expected, "Markdown")
    assert_same(of_latex(told, style, document), expected, "LaTeX")
    assert_same(of_notebook(told, style, document), expected, "notebook")
    for_programs = expected_of(document, document.all_lines())
    assert_same(list(of_json(told, style, document)), for_programs, "JSON")
    assert_same(list(of_spoken(told, style, document)), expected, "words")
    assert_same(list(of_fragment(document)), list(first_rows(document)), "piece of HTML")
    by_id = dict(zip((line.step.id for line in document.lines()), expected, strict=True))
    page = dict(of_html(told, style, document))
    assert list(page) == [name for name in by_id if name in page]
    assert len(page) == len(by_id) or len(by_id) > 400  # a page tells the strongest of many
    assert_same(page.values(), [by_id[name] for name in page], "HTML")


def of_a_step(explanation, style):
    document = outline.document(explanation, Style(detail="neurons", **style))
    same_everywhere(explanation, document, style)
    shown = {line.step.id: line.shown for line in document.lines()}
    for name, text in in_code(explanation, style):
        assert shown[name] == text
    values = {line.step.id: line.step.value for line in document.lines()}
    for name, text in of_svg(explanation, style):  # rounded further, where it has less room
        if name in values:
            roundings = [number_text(values[name], digits) for digits in range(1, 7)]
            assert text.replace("−", "-") in roundings, name


@pytest.mark.one_in(15)
def test_a_random_network(draw, activation, loss):
    number = KINDS.index((activation, loss))
    rule, style = RULES[number % len(RULES)], STYLES[number % len(STYLES)]
    explanation = draw(activation, loss, optimizer=rule, n=1 + number % 3).explanation
    of_a_step(explanation, style)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.one_in(8)
def test_layers_of_every_kind(draw_layers, kind):
    number = LAYERS.index(kind)
    explanation = draw_layers(kind, optimizer=RULES[number % len(RULES)]).explanation
    of_a_step(explanation, STYLES[number % len(STYLES)])


@pytest.mark.parametrize("style", STYLES, ids=lambda style: "-".join(style.values()))
def test_the_tutorial(style):
    worked = built_in_example("tutorial")
    explanation = dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets,
        optimizer=worked.optimizer, names=Names(worked.title, titles=worked.titles),
    )  # fmt: skip
    of_a_step(explanation, style)


@pytest.mark.parametrize(
    "style",
    [
        pytest.param(style, marks=pytest.mark.slow if k % 3 else [])
        for k, style in enumerate(STYLES)
    ],
    ids=lambda style: "-".join(style.values()),
)
@pytest.mark.slow
def test_the_strongest_numbers_of_a_large_network(rng, style):
    network = dp.Network([80, 60, 4], "relu")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(2, 80)), [0, 3])
    assert explanation.is_large
    of_a_step(explanation, style)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_softmax_beside_sigmoid(language):
    both = SoftmaxBesideSigmoid((2.0, -1e-5, -30.0), ("a", "b", "c"), 1)
    document = both.document(Style(language=language))
    told = WithoutDetail(both)
    same_everywhere(told, document, {"language": language})


class WithoutDetail:
    """A document has one altitude only."""

    def __init__(self, told):
        self.told = told

    def __getattr__(self, name):
        return lambda *form, **style: getattr(self.told, name)(
            *form, **{key: value for key, value in style.items() if key != "detail"}
        )


class Forged:
    """Tells another number in one medium."""

    def __init__(self, told, medium):
        self.told, self.medium = told, medium

    def __getattr__(self, name):
        method = getattr(self.told, name)
        if name != self.medium:
            return method
        return lambda *form, **style: method(*form, **style).replace("1.3125", "1.3126")


@pytest.fixture(scope="module")
def unforged():
    """The tutorial, told alike in every medium, and its document."""
    worked = built_in_example("tutorial")
    explanation = dp.explain(worked.network, worked.parameters, worked.x, worked.targets)
    document = outline.document(explanation, Style(detail="neurons"))
    same_everywhere(explanation, document, {})
    return explanation, document


@pytest.mark.parametrize(
    "medium", ["to", *(f"to_{form}" for form in RENDERERS if form not in ("svg", "spoken"))]
)
def test_a_forged_number_is_found(unforged, medium):
    explanation, document = unforged
    with pytest.raises(AssertionError):
        same_everywhere(Forged(explanation, medium), document, {})


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex", "html", "spoken"])
def test_numbers_that_are_those_of_the_result_stand_once(form):
    """b' = b = [0.125], and z = L = [0.55125] where the loss is a layer."""
    network = dp.Network([1, 1], loss="half_squared_error")
    step = dp.explain(
        network, network.parameters([[[2]]], [[0.125]]), [[3]], [[4.25]], train_biases=False
    )
    of_loss = built_in_example("tutorial").explain()
    for told, number, places in ((step, "0.125", 2), (of_loss, "0.55125", 1)):
        text = told.to(form, detail="layers")
        if form == "html":
            text = without_scripts(text).partition('id="layers"')[2]
        equations = re.split('promise and the|promise">', text)[0]
        assert equations.count(number) == places, (form, number)
