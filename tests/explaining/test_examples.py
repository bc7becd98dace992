"""Worked examples: the built-in ones, and files in the format of the interface."""

import json
from importlib.resources import files

import numpy as np
import pytest
import yaml

import deltaprop as dp
from deltaprop.errors import DataError, UnknownNameError
from deltaprop.explaining import EXAMPLES, built_in_example, read_worked_example

# The page of the interface, as it stands there.
PAGE = """
layers:                                   # W[in][out]; z = x W + b; b may be absent
  - {W: [[0.5, 2.3], [1.5, 3.0]], activation: identity}
  - {W: [[1.0], [1.0]], activation: identity}
loss: half_squared_error                  # loss_reduction: mean (default) | sum, over samples
x: [[1, 0.5]]
targets: [[4]]
learning_rate: 0.1
optimizer: gradient_descent
l2: 0
train_biases: true
claims:
  z.1: [[1.25, 3.8]]
  a.2: [[5.05]]
  loss: 0.55125
  delta.2: [[1.05]]
  dW.2: [[1.3125], [3.99]]
  W.2.after: [[0.86875], [0.601]]
  loss.after: 0.3388
"""
DATA = yaml.safe_load(PAGE)


@pytest.fixture
def write(tmp_path):
    def write_one(data, name="worked.json"):
        path = tmp_path / name
        text = data if isinstance(data, str) else json.dumps(data)
        path.write_text(text, encoding="utf-8")
        return path

    return write_one


def step(worked):
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets,
        optimizer=worked.optimizer, train_biases=worked.train_biases, reduction=worked.reduction,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["worked.yaml", "worked.yml", "WORKED.YAML"])
def test_the_page_of_the_interface_is_read(write, name):
    worked = read_worked_example(write(PAGE, name))
    assert worked.network.sizes == (2, 2, 1)
    assert worked.network.layout.n_layers == 2
    assert worked.parameters.W[0].tolist() == [[0.5, 2.3], [1.5, 3.0]]
    assert worked.parameters.b == (None, None)
    assert worked.claims["W.2.after"] == [[0.86875], [0.601]]
    explanation = step(worked)
    assert explanation.trace.loss == pytest.approx(0.55125, rel=1e-13)
    assert explanation.update.after.loss == pytest.approx(0.338802109, rel=1e-8)


def test_json_and_yaml_say_the_same(write):
    a, b = (
        read_worked_example(path) for path in (write(DATA), write(yaml.safe_dump(DATA), "w.yaml"))
    )
    assert a.network == b.network
    np.testing.assert_array_equal(a.parameters.flat, b.parameters.flat)
    assert (a.x, a.targets, a.optimizer, a.claims) == (b.x, b.targets, b.optimizer, b.claims)


def test_every_setting_of_the_format_arrives(write):
    worked = read_worked_example(
        write(
            DATA
            | {
                "title": "mine", "loss_reduction": "sum", "l2": 0.25, "l1": 0.5,
                "learning_rate": 0.3, "optimizer": "adam", "train_biases": False,
                "source": "a book", "expected": {"*": "right"},
                "layers": [
                    {"W": [[1.0, 2.0], [3.0, 4.0]], "b": [5.0, 6.0], "activation": "tanh"},
                    {"W": [[1.0], [1.0]]},
                ],
            }
        )
    )  # fmt: skip
    assert worked.title == "mine"
    assert worked.reduction == "sum"
    assert (worked.network.l2, worked.network.l1) == (0.25, 0.5)
    assert worked.optimizer == dp.Adam(0.3)
    assert worked.train_biases is False
    assert worked.parameters.b[0].tolist() == [5.0, 6.0]
    assert worked.parameters.b[1] is None
    assert worked.network.activations[0].name == "tanh"


def test_what_is_left_out_has_the_documented_default(write):
    worked = read_worked_example(
        write({key: DATA[key] for key in ("layers", "loss", "x", "targets")})
    )
    assert worked.optimizer == dp.GradientDescent(0.1)
    assert (worked.reduction, worked.train_biases, worked.claims) == ("mean", True, None)
    assert (worked.network.l2, worked.network.l1) == (0.0, 0.0)


@pytest.mark.parametrize("number", ["1e-3", "1E-3", "+1e-3", "1.e-3", "1.0e-3"])
def test_yaml_reads_powers_of_ten_as_numbers(write, number):
    text = PAGE.replace("[[4]]", f"[[{number}]]").replace("rate: 0.1", f"rate: {number}")
    worked = read_worked_example(write(text, "w.yaml"))
    assert worked.targets == [[0.001]]
    assert worked.optimizer.learning_rate == 0.001


def test_yaml_keeps_words_that_look_a_bit_like_numbers(write):
    worked = read_worked_example(write(PAGE + "title: 1e-3 by hand\n", "w.yaml"))
    assert worked.title == "1e-3 by hand"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": []}, "layers is empty"),
        ({"layers": "none"}, "layers is empty"),
        ({"layers": [{"W": []}]}, "not a worked example"),
        ({"layers": [{"W": [[]]}]}, "width"),
        ({"layers": [{"W": True}]}, "not a worked example"),
        ({"layers": [{"W": "three"}]}, "W is 'three'; write numbers"),
        ({"layers": [{"b": [1]}]}, "'W'"),
        ({"layers": [None]}, "not a worked example"),
        ({"layers": [{"W": [[1.0, 2.0], [3.0]]}]}, "not a worked example"),
        ({"layers": [{"W": [[1.0]]}, {"W": [[1.0], [1.0]]}]}, "W of layer 2 has shape"),
        ({"layers": [{"W": [[1.0]], "b": [1.0, 2.0]}]}, "b of layer 1 has shape"),
        ({"layers": [{"W": [["a"]]}]}, "not a worked example"),
        (
            {"loss": "poisson", "layers": [{"W": [[1.0]], "activation": "tanh"}]},
            "the last layer has activation",
        ),
        (
            {"layers": [{"W": [[1.0]], "activation": "tanhh"}, {"W": [[1.0]]}]},
            "No activation is called 'tanhh'.*Did you mean 'tanh'",
        ),
        ({"loss": "half_square_error"}, "Did you mean 'half_squared_error'"),
        ({"loss": ["huber"]}, "No loss"),
        ({"optimizer": "sgd"}, "No optimizer is called 'sgd'"),
        ({"optimizer": ["adam"]}, "not a worked example"),
        ({"learning_rate": "fast"}, "not a worked example"),
        ({"learning_rate": -1}, "learning_rate is -1.0"),
        ({"learning_rate": 10**400}, "not a worked example"),
        ({"l2": -1}, "l2 is -1.0"),
        ({"l2": [1]}, "not a worked example"),
    ],
)
def test_an_impossible_example_is_refused_with_its_file_and_the_reason(write, change, message):
    path = write(DATA | change)
    with pytest.raises(DataError, match=f"(?s)worked.json.*{message}"):
        read_worked_example(path)


@pytest.mark.parametrize("key", ["layers", "loss", "x", "targets"])
def test_a_missing_part_is_named(write, key):
    with pytest.raises(DataError, match=f"worked.json lacks {key};"):
        read_worked_example(write({k: v for k, v in DATA.items() if k != key}))


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("{", "w.json", "not valid JSON"),
        ("[" * 100_000, "w.json", "not valid JSON"),
        ("[1, 2]", "w.json", "holds no worked example"),
        ("a: [", "w.yaml", "not valid YAML"),
        ("!!python/object/apply:os.system [echo]", "w.yaml", "not valid YAML"),
        ("just words", "w.yaml", "holds no worked example"),
        ("", "w.yaml", "holds no worked example"),
    ],
)
def test_a_file_that_is_something_else_is_refused(write, text, name, message):
    with pytest.raises(DataError, match=message):
        read_worked_example(write(text, name))


LAUGHS = "".join(
    f"h{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10) if i else 'ha'}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    "more", ["title: *l8", "source: *l8", "titles: {zh: *l8}", "claims: *l8", "nothing: *l8"]
)
def test_aliases_that_stand_for_a_billion_words_are_not_written_out(write, more):
    page = PAGE.split("claims:")[0] if more.startswith("claims") else PAGE
    path = write(LAUGHS + page + more, "w.yaml")
    with pytest.raises(DataError, match="more than 2,000,000 values where its aliases"):
        read_worked_example(path)


def test_an_alias_within_itself_is_refused(write):
    with pytest.raises(DataError, match="more than 2,000,000 values"):
        read_worked_example(write(PAGE + "title: &t [*t]", "w.yaml"))


def test_an_alias_for_a_few_numbers_is_read(write):
    page = PAGE.replace("x: [[1, 0.5]]", "x: [&row [1, 0.5], *row]")
    page = page.replace("targets: [[4]]", "targets: [[4], [4]]")
    assert read_worked_example(write(page, "w.yaml")).x == [[1, 0.5], [1, 0.5]]


@pytest.mark.parametrize("key", ["title", "source", "titles"])
@pytest.mark.parametrize("value", [["a", ["b"]], {"zh": ["b"]}, "x" * 3000, {"zh": "x" * 3000}])
def test_a_title_that_is_no_line_of_text_is_refused(write, key, value):
    if key == "titles" and not isinstance(value, dict):
        return  # what is no mapping of languages gives no titles
    with pytest.raises(DataError, match=f"{key}.* is .*; expected a text of at most 2000 char"):
        read_worked_example(write({**DATA, key: value}))


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read.*No such file"):
        read_worked_example(tmp_path / "absent.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_worked_example(tmp_path)
    (tmp_path / "latin.json").write_bytes(b'{"title": "d\xe9j\xe0"}')  # in another encoding
    with pytest.raises(DataError, match="lacks layers"):
        read_worked_example(tmp_path / "latin.json")


def test_a_file_larger_than_any_worked_example_is_refused(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(DataError, match="larger than any worked example"):
        read_worked_example(path)


NAMES = [
    "tutorial", "mazur", "han_kamber", "negnevitsky_xor", "generation5_xor", "hmkcode",
    "prakash_jay", "iamtrask", "ng_ex4",
]  # fmt: skip


def test_the_built_in_examples_are_the_files_that_are_shipped():
    folder = files("deltaprop.explaining").joinpath("worked")
    assert list(EXAMPLES) == NAMES
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{n}.json" for n in NAMES)


def test_a_misspelt_built_in_example_is_answered():
    with pytest.raises(UnknownNameError, match="Did you mean 'tutorial'"):
        built_in_example("tutoral")
    with pytest.raises(UnknownNameError, match="Did you mean 'mazur'"):
        built_in_example("mazure")


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_example_is_proved_by_central_differences(name):
    assert step(built_in_example(name)).verify()


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_example_has_a_title_in_both_languages_and_a_source(name):
    worked = built_in_example(name)
    assert worked.title == EXAMPLES[name]["title"]
    assert worked.title.isascii()
    assert set(worked.titles) == {"zh"}
    assert any("\u4e00" <= letter <= "\u9fff" for letter in worked.titles["zh"])
    sizes = "-".join(map(str, worked.network.sizes))
    assert sizes in worked.title
    assert sizes in worked.titles["zh"]
    assert bool(worked.source) == (name != "tutorial")  # whose author is not known


@pytest.mark.parametrize("name", NAMES)
def test_the_claims_of_a_built_in_example_are_right_but_for_two_mistakes_of_their_authors(name):
    worked = built_in_example(name)
    if name == "iamtrask":
        assert worked.claims is None
        return
    marking = dp.mark(worked)
    wrong = {(mark.claim, mark.mistake) for mark in marking.wrong}
    expected = {"mazur": {("loss.after", "updated_weights")},
                "prakash_jay": {("a.3", "softmax_without_exp")}}  # fmt: skip
    assert wrong == expected.get(name, set())
    assert marking.counts["follows"] == 0


def test_a_built_in_claim_keeps_the_digits_it_was_published_with():
    assert built_in_example("mazur").claims["a.2"][0][0].text == "0.75136507"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("a book", "a book"),
        (["a book", "its errata"], "a book; its errata"),
        (1986, "1986"),
        (None, ""),
    ],
    ids=str,
)
def test_a_source_is_told_in_one_line(write, source, told):
    assert read_worked_example(write(DATA | {"source": source})).source == told


def test_titles_in_other_languages_are_read(write):
    worked = read_worked_example(write(DATA | {"title": "mine", "titles": {"zh": "我的"}}))
    assert (worked.title, worked.titles) == ("mine", {"zh": "我的"})
    assert read_worked_example(write(DATA | {"titles": "none"})).titles == {}


@pytest.mark.parametrize("optimizer", dp.OPTIMIZERS)
def test_the_step_may_be_taken_by_any_optimizer(write, optimizer):
    worked = read_worked_example(write(DATA | {"optimizer": optimizer, "learning_rate": 0.05}))
    assert worked.optimizer == dp.OPTIMIZERS[optimizer](0.05)


def test_every_published_calculation_is_read_and_taken_a_step(shared):
    paths = sorted((shared / "worked_examples" / "claims").glob("*.json"))
    assert len(paths) >= 5
    for path in paths:
        worked = read_worked_example(path)
        assert worked.claims, path
        explanation = step(worked)
        assert np.isfinite(explanation.update.after.loss), path
        assert len(explanation.steps) > worked.network.n_parameters, path
