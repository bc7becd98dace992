"""The page: well-formed, offline, inert against hostile names, and it says what the lines say."""

from dataclasses import replace

import pytest

import deltaprop as dp
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.html import page as html
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.notation.digits import number_text
from deltaprop.notation.ids import read_ref
from helpers.explained import tutorial
from helpers.pages import (
    HOSTILE,
    Document,
    check_ids,
    check_lines,
    formulas_of,
    number_of,
    render,
    same,
)


class TestTheTutorial:
    def test_every_number_is_that_of_the_lines(self):
        explanation = tutorial()
        check_ids(check_lines(explanation, render(explanation)))

    def test_its_numbers_can_be_read(self):
        text = "".join(Document(render(tutorial())).root.itertext())
        for number in ("0.55125", "1.3125", "2.9475", "0.338802", "−2.0399", "−0.212448"):
            assert number in text

    def test_every_gradient_has_its_proof(self):
        document = Document(render(tutorial()))
        proofs = document.with_class("proof")
        assert len(proofs) == 6
        assert all("right" in proof.get("class") for proof in proofs)
        assert "6 of 6 gradients agree" in "".join(document.with_class("proved")[0].itertext())

    def test_a_wrong_gradient_gets_a_cross(self, wrong_slope):
        network = dp.Network([1, 1, 1], hidden=wrong_slope, loss="half_squared_error", bias=False)
        explanation = dp.explain(network, network.parameters([[[0.5]], [[2.0]]]), [[1.0]], [[0.3]])
        document = Document(render(explanation))
        (item,) = [
            item for item in document.with_class("step") if document.with_class("wrong", item)
        ]
        assert item.get("id") == "dW.1[0,0]"
        assert "✗" in "".join(item.itertext())
        assert not document.with_class("proved")
        assert "1 of 2" in "".join(document.with_class("failed")[0].itertext())

    def test_it_is_small(self):
        assert len(render(tutorial()).encode()) < 300_000

    @pytest.mark.parametrize(
        ("detail", "there", "missing"),
        [
            ("overview", ["overview"], ["layers", "neurons"]),
            ("layers", ["layers"], ["overview", "neurons"]),
            ("neurons", ["neurons", "given", "overview"], ["layers"]),
            (None, ["overview", "layers", "neurons", "promise"], []),
        ],
    )
    def test_the_altitudes(self, detail, there, missing):
        document = Document(render(tutorial(), detail=detail))
        ids = {element.get("id") for element in document.root.iter()}
        assert set(there) <= ids
        assert not set(missing) & ids
        check_ids(document)

    def test_the_tutorials_notation_names_both_layers(self):
        text = render(tutorial(), notation="tutorial")
        assert "<mtext>(1,2)</mtext>" in text
        assert "<mtext>(1,2)</mtext>" not in render(tutorial())

    def test_chinese_says_so(self):
        text = render(tutorial(), language="zh")
        assert '<html lang="zh-Hans">' in text
        assert "前向传播" in text
        check_lines(tutorial(), text)

    @pytest.mark.parametrize(
        "wrong", [{"detail": "all"}, {"digits": 0}, {"notation": "x"}, {"language": "xx"}]
    )
    def test_what_there_is_not_is_refused(self, wrong):
        with pytest.raises(dp.errors.DeltapropError):
            render(tutorial(), **wrong)


@pytest.mark.one_in(5)
def test_every_number_of_every_kind_of_network(draw, activation, loss):
    explanation = draw(activation, loss, learning_rate=0.01).explanation
    check_ids(check_lines(explanation, render(explanation)))


@pytest.mark.parametrize("optimizer", tuple(dp.OPTIMIZERS))
@pytest.mark.one_in(4)
def test_every_number_of_every_optimizer(draw, optimizer):
    explanation = draw(
        "tanh", "cross_entropy", optimizer=dp.OPTIMIZERS[optimizer](0.05)
    ).explanation
    check_ids(check_lines(explanation, render(explanation)))


@pytest.mark.parametrize("digits", [1, 3, 17])
@pytest.mark.one_in(3)
def test_any_number_of_digits(draw, digits):
    explanation = draw("sigmoid", "cross_entropy", depth=1).explanation
    text = render(explanation, digits=digits)
    document = Document(text)
    for line in explanation.lines(digits):
        (item,) = [e for e in document.with_class("step") if e.get("id") == line.step.id]
        (result,) = document.with_class("result", item)
        assert same(number_of(result), float(line.shown))


def test_numbers_asked_for_bring_their_ancestry_and_nothing_else(draw):
    explanation = draw("tanh", "cross_entropy", depth=1).explanation.only("dW.1[0,0]")
    document = check_lines(explanation, render(explanation))
    check_ids(document)
    assert "phase-update" not in {element.get("id") for element in document.root.iter()}


def test_a_large_network_is_told_by_its_strongest_numbers(rng):
    network = dp.Network([200, 60, 10], "relu")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 200)), [3])
    text = render(explanation)
    check_ids(Document(text))
    assert "strongest" in text
    assert len(text.encode()) < 1_000_000


def test_every_formula_is_well_formed_and_written_in_mathml_core(draw):
    core = {
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "mtext",
        "mfrac",
        "msqrt",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mtable",
        "mtr",
        "mtd",
        "mspace",
        "mover",
    }
    text = render(
        draw("gelu", "cross_entropy", depth=2, n=2, l2=0.1, l1=0.1, bias=True).explanation
    )
    formulas = formulas_of(text)
    assert len(formulas) > 100
    for formula in formulas:
        assert {element.tag for element in formula.iter()} <= core


@pytest.mark.parametrize("bias", [True, False])
def test_every_cell_of_a_matrix_is_the_number_it_points_at(draw, bias):
    setting = draw("tanh", "cross_entropy", depth=1, n=2, l2=0.1, l1=0.1, bias=bias)
    explanation = setting.explanation
    document = Document(render(explanation))
    seen = set()
    for equation in document.with_class("equation"):
        for cell in equation.iter():
            if "data-id" not in cell.attrib:
                continue
            name = cell.get("data-id")
            ref = read_ref(name)
            step = explanation.derivation.step(ref)
            if step is not None:
                value = step.value
            elif ref.quantity in ("x", "targets"):
                value = {"x": setting.x, "targets": setting.targets}[ref.quantity][ref.index]
            elif ref.quantity in ("W", "b"):
                value = setting.parameters.layers[ref.layer - 1][ref.quantity][ref.index]
            else:
                value = {"learning_rate": 0.1, "l2": 0.1, "l1": 0.1}[name]
            assert number_of(cell) == pytest.approx(value, rel=1e-5), name
            seen.add(ref.quantity)
    assert {"x", "W", "z", "a", "delta", "dW", "l2", "l1", "learning_rate"} <= seen
    assert ({"b", "db"} <= seen) == bias


def test_a_slope_is_not_the_number_it_is_taken_at(draw):
    document = Document(render(draw("tanh", "cross_entropy", depth=1, bias=True).explanation))
    backward = [
        equation
        for equation in document.with_class("equation")
        if "′" in "".join(equation.itertext()) and "⊙" in "".join(equation.itertext())
    ]
    assert backward
    for equation in backward:
        assert not [e for e in equation.iter() if e.get("data-id", "").startswith("z.")]


def test_the_shape_stands_under_every_matrix():
    (first, *_) = Document(render(tutorial())).with_class("equation")
    shapes = [e.text for e in first.iter("mtext")]
    assert shapes == ["1 × 2", "2 × 2", "1 × 2"]


def test_the_batch_and_the_promise_with_its_reasons_are_told(draw):
    explanation = draw("tanh", "cross_entropy", n=3, depth=1).explanation
    document = Document(render(explanation))
    told = {e.get("id"): " ".join(e.itertext()) for e in document.root.iter("section")}
    assert "cosine with g" in told["batch"]
    assert len(list(document.root.iter("tr"))) == 1 + 3 + 6
    assert "The gradient speaks for the start of the step only" in told["promise"]
    row = [e for e in document.root.iter("tr") if "change brought" in "".join(e.itertext())]
    (brought,) = row[0].iter("math")
    assert number_of(brought) == pytest.approx(explanation.actual_change, rel=1e-5)


def test_softmax_beside_sigmoid_is_a_page_too():
    beside = SoftmaxBesideSigmoid((2.0, 1.0, -0.5), (HOSTILE, "dog", "bird"), 0)
    document = Document(beside.to_html())
    check_ids(document)
    steps = {item.get("id"): item for item in document.with_class("step")}
    lines = tuple(beside.document(Style()).lines())
    assert list(steps) == [line.step.id for line in lines]
    for line in lines:
        (result,) = document.with_class("result", steps[line.step.id])
        assert same(number_of(result), float(line.shown))
    given = {item.get("id"): item for item in document.with_class("given")}
    assert list(given) == ["z[0]", "z[1]", "z[2]"]
    assert "← t" in "".join(document.root.itertext())
    assert "同一组得分" in beside.to_html(language="zh")


def test_a_document_by_itself_tells_the_network_as_tables(rng):
    network = dp.Network([30, 20, 3], "relu")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(2, 30)), [0, 1])
    document = outline.document(explanation, Style(), most=10)
    text = html.write_document(replace(document, worked=None))
    document = Document(text)
    check_ids(document)
    assert "<svg" not in text
    assert "(23 more)" in "".join(document.root.itertext())
    assert number_text(explanation.trace.a[2][0, 1], 6) in "".join(document.root.itertext())
