"""The tutorial's own notation: every label of its example against the article's."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError, UnknownNameError
from deltaprop.explaining import Names, built_in_example, worked_example
from deltaprop.explaining.document.blocks import Equations, Lines
from deltaprop.explaining.document.style import Style
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.naming import NOTATIONS, STANDARD
from deltaprop.notation.unicode import symbol_of

# mathematics.md, sections 1 and 6: z1 -> z2 -> z3 -> z4 = loss, and delta4 = dL/dL = 1
LAYERS = {
    "x": "z¹", "W.1": "W⁽¹²⁾", "z.1": "z²", "a.1": "z²", "W.2": "W⁽²³⁾", "z.2": "z³", "a.2": "z³",
    "z.3": "z⁴", "delta.3": "δ⁴", "delta.2": "δ³", "delta.1": "δ²", "objective": "L",
    "first_delta": "∂L/∂L", "dW.2": "∂L/∂W⁽²³⁾", "dW.1": "∂L/∂W⁽¹²⁾", "W.2.after": "W⁽²³⁾′",
    "W.1.after": "W⁽¹²⁾′", "learning_rate": "η",
}  # fmt: skip
WEIGHTS = {
    "w₁": "W.1[0,0]", "w₂": "W.1[1,0]", "w₃": "W.1[0,1]", "w₄": "W.1[1,1]", "w₅": "W.2[0,0]",
    "w₆": "W.2[1,0]",
}  # fmt: skip
SINGLE = {
    "x[0,0]": "x₁", "x[0,1]": "x₂", "targets[0,0]": "t", "learning_rate": "η",
    "z.1[0,0]": "h₁", "z.1[0,1]": "h₂", "z.2[0,0]": "y", "loss": "E",
    "delta.2[0,0]": "∂E/∂y", "delta.1[0,0]": "∂E/∂h₁", "delta.1[0,1]": "∂E/∂h₂",
    **{name: symbol for symbol, name in WEIGHTS.items()},
    **{f"d{name}": f"∂E/∂{symbol}" for symbol, name in WEIGHTS.items()},
    **{name.replace("[", ".after["): f"{symbol}′" for symbol, name in WEIGHTS.items()},
}  # fmt: skip
SINGLE |= {n.replace("z.", "a."): s for n, s in SINGLE.items() if n.startswith("z.")}
SINGLE |= {
    n.replace("[", ".after["): f"{s}′" for n, s in SINGLE.items() if n[:2] in ("z.", "a.")
} | {"loss.after": "E′"}  # fmt: skip

LINES = """
h₁ = x₁ × w₁ + x₂ × w₂ = 1 × 0.5 + 0.5 × 1.5 = 1.25
h₂ = x₁ × w₃ + x₂ × w₄ = 1 × 2.3 + 0.5 × 3 = 3.8
y = h₁ × w₅ + h₂ × w₆ = 1.25 × 1 + 3.8 × 1 = 5.05
E = (t - y)² / 2 = (4 - 5.05)² / 2 = 0.55125
∂E/∂y = y - t = 5.05 - 4 = 1.05
∂E/∂h₁ = ∂E/∂y × w₅ × 1 = 1.05 × 1 × 1 = 1.05
∂E/∂h₂ = ∂E/∂y × w₆ × 1 = 1.05 × 1 × 1 = 1.05
∂E/∂w₅ = h₁ × ∂E/∂y = 1.25 × 1.05 = 1.3125
∂E/∂w₆ = h₂ × ∂E/∂y = 3.8 × 1.05 = 3.99
∂E/∂w₁ = x₁ × ∂E/∂h₁ = 1 × 1.05 = 1.05
∂E/∂w₂ = x₂ × ∂E/∂h₁ = 0.5 × 1.05 = 0.525
∂E/∂w₃ = x₁ × ∂E/∂h₂ = 1 × 1.05 = 1.05
∂E/∂w₄ = x₂ × ∂E/∂h₂ = 0.5 × 1.05 = 0.525
w₅′ = w₅ - η × ∂E/∂w₅ = 1 - 0.1 × 1.3125 = 0.86875
w₆′ = w₆ - η × ∂E/∂w₆ = 1 - 0.1 × 3.99 = 0.601
w₁′ = w₁ - η × ∂E/∂w₁ = 0.5 - 0.1 × 1.05 = 0.395
w₂′ = w₂ - η × ∂E/∂w₂ = 1.5 - 0.1 × 0.525 = 1.4475
w₃′ = w₃ - η × ∂E/∂w₃ = 2.3 - 0.1 × 1.05 = 2.195
w₄′ = w₄ - η × ∂E/∂w₄ = 3 - 0.1 × 0.525 = 2.9475
h₁′ = x₁ × w₁′ + x₂ × w₂′ = 1 × 0.395 + 0.5 × 1.4475 = 1.11875
h₂′ = x₁ × w₃′ + x₂ × w₄′ = 1 × 2.195 + 0.5 × 2.9475 = 3.66875
y′ = h₁′ × w₅′ + h₂′ × w₆′ = 1.11875 × 0.86875 + 3.66875 × 0.601 ≈ 3.17683
E′ = (t - y′)² / 2 = (4 - 3.176833)² / 2 ≈ 0.338802
"""


@pytest.fixture(scope="module")
def tutorial():
    return built_in_example("tutorial").explain()


@pytest.fixture(scope="module")
def document(tutorial):
    return tutorial.document(Style())


@pytest.mark.parametrize("table", [LAYERS, SINGLE], ids=["layers", "single"])
def test_every_label_is_the_articles(document, table):
    found = {name: symbol_of(read_ref(name), 1, document.naming) for name in table}
    assert found == table


def test_nothing_of_the_example_has_another_label(tutorial, document):
    data = json.loads(tutorial.to_json())
    ids = {*data["roots"], *(step["id"] for step in data["steps"])}
    assert {str(document.named(read_ref(name)).id) for name in ids} == set(SINGLE)
    shown = {e.left.id for b in document.blocks() if isinstance(b, Equations) for e in b.equations}
    assert shown <= set(LAYERS)
    assert {"z.3", "delta.3"} <= shown


def test_the_lines_are_those_of_the_article(tutorial):
    text = tutorial.to_terminal(detail="neurons", width=120)
    lines = [line.strip() for line in text.splitlines() if re.match(r"  \S+ = ", line)]
    assert lines[: len(LINES.split("\n")) - 2] == LINES.strip().split("\n")


def test_the_deltas_begin_with_that_of_the_loss(tutorial):
    layers = tutorial.to_terminal(detail="layers")
    order = [layers.index(part) for part in ("z⁴ = L", "δ⁴ = ∂L/∂L", "δ³ = ", "δ² = δ³ (W⁽²³⁾)ᵀ")]
    assert order == sorted(order)
    neurons = tutorial.to_terminal(detail="neurons", width=120)
    assert "The loss is layer 4: its delta, dE/dE = 1, is the first." in neurons


@pytest.mark.parametrize(
    ("form", "standard", "parts"),
    [
        ("terminal", "W¹₁₁", "W⁽¹²⁾; W⁽²³⁾; δ⁴; h₁; w₆′; ∂E/∂w₁; layer 2: identity; loss E"),
        ("markdown", "W¹₁₁", "W⁽¹²⁾; W⁽²³⁾; δ⁴; h₁; w₆′; ∂E/∂w₁; loss E"),
        ("latex", "W^{1}_{11}", r"W^{(1,2)}; W^{(2,3)}; w'_{6}; {\partial w_{1}}"),
        ("html", "∂L/∂W¹₁₁", "<mtext>(1,2)</mtext>; <mtext>(2,3)</mtext>; ∂E/∂w₁; h₁"),
        ("svg", "W¹₁₁", "w₁; h₁; ∂E/∂w₁; >δ⁴<; >E<; >y<"),
        ("json", "W^{1}_{11}", r"h_{1} = x_{1} \\cdot w_{1}; w'_{6}"),
        ("spoken", "W 1 1 of layer 1", "W between layers 1 and 2; delta of layer 4; of E by w 1"),
        ("notebook", "W^{1}_{11}", r"W^{(1,2)}; w'_{6}; told(step, phase, \"en\", \"tutorial\")"),
    ],
)  # fmt: skip
def test_every_form_has_it_and_the_librarys_where_that_is_asked_for(
    tutorial, form, standard, parts
):
    article, usual = tutorial.to(form), tutorial.to(form, notation="standard")
    for part in parts.split("; "):
        assert part in article, part
        assert part not in usual, part
    assert standard in usual
    assert standard not in article


def test_the_ids_of_programs_stay(tutorial):
    article, standard = (json.loads(tutorial.to_json(notation=name)) for name in (None, "standard"))
    for ours, theirs in zip(article["steps"], standard["steps"], strict=True):
        assert ours.pop("latex") != "" != theirs.pop("latex")
        assert ours == theirs
    assert built_in_example("tutorial").data["notation"] == article["example"]["notation"]
    again = worked_example(article["example"]).explain()
    assert "w₁" in again.to_terminal()


def test_a_class_more_is_counted_on():
    step = built_in_example("tutorial").with_(add_class=True).explain()
    usual = step.to_terminal(width=120, notation="standard")
    assert "a class more, with W²₁₂ = 0.5, W²₂₂ = -0.5, t₂ = 0." in usual
    text = step.to_terminal(width=120)
    assert "a class more, with w₇ = 0.5, w₈ = -0.5, t₂ = 0." in text
    for line in ("y₂ = h₁ × w₇ + h₂ × w₈", "∂E/∂y₁ = y₁ - t₁", "∂E/∂w₈ = h₂ × ∂E/∂y₂"):
        assert line in text


def test_of_neurons_that_are_not_linear_z_and_a_are_two():
    text = built_in_example("tutorial").with_(activation="sigmoid").explain().to_terminal(width=120)
    for line in ("z²₁ = x₁ × w₁ + x₂ × w₂", "h₁ = 1 / (1 + exp(-z²₁))", "δ²₁ = ∂E/∂y × w₅ × h₁ ×",
                 "a² = sigmoid(z²)", "δ² = δ³ (W⁽²³⁾)ᵀ ⊙ sigmoid′(z²)"):  # fmt: skip
        assert line in text


def test_others_have_the_librarys_notation_until_they_are_asked(rng):
    network = dp.Network([3, 4, 4, 2], "tanh")
    step = dp.explain(network, network.init(rng), rng.normal(size=(2, 3)), [0, 1])
    assert "W⁽" not in step.to_terminal(detail="layers")
    assert step.to_terminal() == step.to_terminal(notation="standard")
    text = step.to_terminal(notation="tutorial", detail="neurons", width=200)
    for part in ("h²₂₄ = tanh(z²₂₄)", "z³₂₁ = h²₂₁ × w₁₃", "δ⁴₁₂ = ", "y₁₂ = ", "+ b₁"):
        assert part in text, part
    layers = step.to_terminal(notation="tutorial", detail="layers", width=200)
    assert "W⁽³⁴⁾" in layers
    assert "δ⁵ = ∂L/∂L" in layers
    named = dp.explain(
        network, step.trace.parameters, [[1, 2, 3]], [0], names=Names(notation="tutorial")
    )
    assert "W⁽¹²⁾" in named.to_terminal(detail="layers")


def test_an_unknown_notation_is_refused():
    data = {**built_in_example("tutorial").data, "notation": "tutorail"}
    with pytest.raises(DataError, match="Did you mean 'tutorial'"):
        worked_example(data)
    with pytest.raises(UnknownNameError, match="tutorial"):
        Names(notation="mine")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(1, 3),
    st.sampled_from(["identity", "tanh"]), st.booleans(),
    st.sampled_from(["half_squared_error", "cross_entropy"]),
)  # fmt: skip
def test_no_two_numbers_have_one_symbol(sizes, n, activation, bias, loss):
    """Only a and z of linear neurons do, which are the same number."""
    sizes = sizes if loss != "cross_entropy" else [*sizes[:-1], sizes[-1] + 1]
    rng = np.random.default_rng(0)
    network = dp.Network(sizes, activation, loss=loss, bias=bias)
    targets = np.eye(network.n_out)[rng.integers(0, network.n_out, n)]
    step = dp.explain(network, network.init(rng), rng.normal(size=(n, sizes[0])), targets)
    for notation in NOTATIONS.values():
        naming = notation.of_network(network)
        document = step.document(Style(notation=notation.name), most=10_000)
        told = [document.named(line.step.ref) for line in document.lines()]
        symbols = {}
        for ref in told:
            symbols.setdefault(symbol_of(ref, n, naming), []).append(ref)
        assert all(len(refs) == 1 for refs in symbols.values())
        for line in document.lines():
            for operand in line.step.named_operands():
                assert naming.joined(read_ref(operand.id)).id == operand.id


def test_a_line_is_told_for_each_number_that_programs_have(document):
    blocks = [block for block in document.blocks() if isinstance(block, Lines)]
    told = {line.step.id for block in blocks for line in block.lines}
    for line in document.all_lines():
        assert document.naming.joined(line.step.ref).id in told
    assert STANDARD.joined(Ref("a", 1, (0, 0))) == Ref("a", 1, (0, 0))


def test_a_new_weight_is_squared_in_parentheses():
    """TeX takes the prime of w'_{5}^{2} for a superscript, and refuses the second."""
    net = dp.Network([2, 1, 1], "identity", "half_squared_error", bias=False, l2=0.5)
    step = dp.explain(net, net.init(np.random.default_rng(0)), [[1.0, 2.0]], [[1.0]])
    text = step.to_latex(notation="tutorial")
    assert "(w'_{1})^{2}" in text
    assert not re.search(r"'(_\{[^{}]*\})?\^\{?\d", text)
