"""A worked example with somebody's own numbers: any of them, by any of their names."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DeltapropError, SettingError, TargetWarning, UnknownNameError
from deltaprop.explaining import EXAMPLES, built_in_example, worked_example
from deltaprop.explaining.as_example import with_claims
from deltaprop.explaining.changes import changed
from deltaprop.explaining.example_files import data_text
from deltaprop.explaining.given_numbers import places_of
from deltaprop.explaining.language import LANGUAGES
from deltaprop.notation.unicode import symbol_of


def tutorial(*args, **settings):
    return built_in_example("tutorial").with_(*args, **settings)


def test_the_whole_sentence_of_the_tutorial():
    other = tutorial(
        {"x": "1,1", "w1": "0.7", "t": "3"}, learning_rate=0.05, activation="sigmoid",
        add_class=True,
    )  # fmt: skip
    (W1, W2), step = other.parameters.W, other.explain()
    h = 1 / (1 + np.exp(-np.array([[1, 1]]) @ [[0.7, 2.3], [1.5, 3.0]]))
    np.testing.assert_array_equal(W1, [[0.7, 2.3], [1.5, 3.0]])
    np.testing.assert_allclose(step.trace.a[1], h)
    np.testing.assert_allclose(step.trace.a[2], h @ W2)
    delta = h @ W2 - [[3, 0]]
    np.testing.assert_allclose(step.update.after.parameters.W[1], W2 - 0.05 * h.T @ delta)
    assert W2.shape == (2, 2)
    assert step.verify()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_of_every_example_can_be_set_by_its_id_and_its_printed_symbol(name):
    worked = built_in_example(name)
    layout = worked.network.layout
    for place in range(layout.size):
        entry = layout.entry(place)
        (ref,) = places_of(worked.data, entry)
        for called in (entry, entry.replace(".", "", 1), symbol_of(ref, 1)):
            flat = worked.with_({called: 0.625}).parameters.flat
            expected = worked.parameters.flat.copy()
            expected[place] = 0.625
            np.testing.assert_array_equal(flat, expected)
    rows = np.asarray(worked.x, dtype=float)
    for s, j in np.ndindex(rows.shape):
        found = worked.with_({f"x[{s},{j}]": -2})
        rows_then = rows.copy()
        rows_then[s, j] = -2
        np.testing.assert_array_equal(found.x, rows_then)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "symbols" in EXAMPLES[name]])
def test_symbols_stand_for_the_numbers_their_authors_give_them(name):
    published = {
        "tutorial": {"w1": 0.5, "w2": 1.5, "w3": 2.3, "w4": 3, "w5": 1, "w6": 1},
        "hmkcode": {"w1": 0.11, "w2": 0.21, "w3": 0.12, "w4": 0.08, "w5": 0.14, "w6": 0.15},
        "mazur": {
            "w1": 0.15, "w2": 0.2, "w3": 0.25, "w4": 0.3, "w5": 0.4, "w6": 0.45, "w7": 0.5,
            "w8": 0.55,
        },
        "han_kamber": {
            "w14": 0.2, "w15": -0.3, "w24": 0.4, "w25": 0.1, "w34": -0.5, "w35": 0.2, "w46": -0.3,
            "w56": -0.2,
        },
        "negnevitsky_xor": {
            "w13": 0.5, "w14": 0.9, "w23": 0.4, "w24": 1.0, "w35": -1.2, "w45": 1.1,
        },
        "iamtrask": {},
    }[name]  # fmt: skip
    worked = built_in_example(name)
    if published:
        assert set(published) == set(worked.data["symbols"])
    for symbol, number in published.items():
        (ref,) = places_of(worked.data, symbol)
        assert worked.parameters.layers[ref.layer - 1][ref.quantity][ref.index] == number
        assert worked.with_({symbol: 7}).parameters.flat.max() == 7


@pytest.mark.parametrize(
    ("typed", "rows"),
    [
        ("1,1", [[1, 1]]), ("1 1", [[1, 1]]), ("[1, 0.5]", [[1, 0.5]]),
        ("1/4, -.5", [[0.25, -0.5]]),
        ("1e-3,2", [[0.001, 2]]), ("１，２", [[1, 2]]), ([1, 2], [[1, 2]]), (np.ones(2), [[1, 1]]),
        ("−1,2", [[-1, 2]]),
    ],
)  # fmt: skip
def test_rows_as_people_write_them(typed, rows):
    assert tutorial(x=typed).x == rows


def test_several_rows_with_their_targets():
    other = tutorial(x="1,0; 0,1; 1,1", t="1;2;3")
    assert other.x == [[1, 0], [0, 1], [1, 1]]
    assert other.targets == [[1], [2], [3]]
    assert len(other.explain().trace.a[0]) == 3


def test_one_number_fills_a_whole_array_and_a_missing_bias_comes_to_be():
    other = tutorial(W1=0.5, b2=0.1)
    assert (other.parameters.W[0] == 0.5).all()
    assert other.parameters.b[1].tolist() == [0.1]


@pytest.mark.parametrize(
    ("name", "near"),
    [("w7", "w6"), ("w0", "w1"), ("learing_rate", "learning_rate")],
)
def test_a_name_that_is_unknown_gets_the_nearest(name, near):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{near}'"):
        tutorial({name: 1})


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"W1[0,5]": 1}, r"outside W\.1, which has 2 x 2 numbers: \[0,0\] to \[1,1\]"),
        ({"W9": 1}, "no such layer; they are 1 to 2"),
        ({"z1": 1}, "is worked out and cannot be set"),
        ({"delta.2[0,0]": 1}, "is worked out"),
        ({"W.1.after[0,0]": 1}, "is worked out"),
        ({"x": "1,2,3"}, "a row of 3 numbers; expected 2"),
        ({"x": "1,b"}, "write numbers like 0.5 or 1/3"),
        ({"x": "1;2,3"}, "rows differ in length"),
        ({"x": [1, np.nan]}, "expected finite numbers"),
        ({"w1": "0,3"}, "single number; 2 were given"),
        ({"x": "1,1; 2,2"}, "x has 2 samples but t has 1; give both"),
        ({"W1": "1,2,3"}, "W1 is 1 x 3 numbers; expected 2 x 2 numbers"),
        ({"w1": True}, "expected finite numbers"),
        ({"w1": "1/0"}, "write numbers"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(numbers, message):
    with pytest.raises(SettingError, match=message):
        tutorial(numbers)


def test_an_entry_of_several_samples_is_asked_for_by_sample():
    with pytest.raises(SettingError, match=r"any of 4 samples; .* such as x\[0,0\]"):
        built_in_example("iamtrask").with_(x1=3)


class TestActivationAndLoss:
    def test_of_all_hidden_layers_or_of_one(self):
        deep = built_in_example("prakash_jay")
        names = lambda worked: [row.name for row in worked.network.activations]  # noqa: E731
        assert names(deep.with_(activation="tanh")) == ["tanh", "tanh"]
        assert names(deep.with_(activation="2=tanh")) == ["relu", "tanh"]
        assert names(deep.with_(activation={1: "elu"})) == ["elu", "sigmoid"]

    @pytest.mark.parametrize(
        ("wanted", "message"),
        [("sigmod", "Did you mean 'sigmoid'"), ("9=tanh", "no layer 9"),
         ("a=tanh", "1=tanh,2=relu")],
    )  # fmt: skip
    def test_refused(self, wanted, message):
        with pytest.raises(SettingError, match=message):
            tutorial(activation=wanted)

    def test_without_a_hidden_layer(self):
        data = {"layers": [{"W": [[1], [2]]}], "loss": "half_squared_error",
                "x": [[1, 2]], "targets": [[1]]}  # fmt: skip
        with pytest.raises(SettingError, match="there is none"):
            worked_example(data).with_(activation="tanh")

    def test_a_loss_brings_its_output(self):
        other = built_in_example("mazur").with_(loss="cross-entropy", t="0,1")
        assert other.network.loss.output == "softmax"
        with pytest.raises(UnknownNameError, match="cross_entropy"):
            tutorial(loss="cross_entrpy")


class TestAClassMore:
    def test_arrays_of_the_old_width_leave_the_new_class_its_own(self):
        old, new = tutorial(W2="3;4", t=2, add_class=True), tutorial(t="0,1", add_class=True)
        assert old.parameters.W[1][:, 0].tolist() == [3, 4]
        assert old.parameters.W[1][:, 1].tolist() == new.parameters.W[1][:, 1].tolist()
        assert (old.targets, new.targets) == ([[2, 0]], [[0, 1]])

    @pytest.mark.parametrize("name", EXAMPLES)
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_is_told_with_its_weights(self, name, language):
        worked = built_in_example(name)
        other = worked.with_(add_class=True)
        told = other.explain().to_terminal(detail="overview", language=language)
        column = other.parameters.W[-1][:, -1]
        assert other.network.n_out == worked.network.n_out + 1
        assert all(f"{w:g}" in told.replace("\n", " ") for w in column)
        assert not any(
            (other.parameters.W[-1][:, j] == column).all() for j in range(worked.network.n_out)
        )

    def test_labels_stay_labels(self):
        data = {"layers": [{"W": [[1, 2]]}], "loss": "cross_entropy", "x": [[1], [2]],
                "targets": [0, 1]}  # fmt: skip
        other = worked_example(data).with_(add_class=True)
        assert other.targets == [0, 1]
        assert other.explain().trace.targets.shape == (2, 3)


def test_claims_about_other_numbers_go_and_the_title_says_so():
    worked = built_in_example("tutorial")
    other = worked.with_(t=3)
    assert worked.claims
    assert other.claims is None
    assert other.title.startswith("Changed: ")
    assert other.titles["zh"].startswith("已改动：")
    assert worked.with_() is worked
    assert other.with_(t=2).title.count("Changed") == 1


def test_what_was_changed_is_said_in_both_languages():
    step = tutorial(t=3, learning_rate=0.2).explain()
    assert "Changed: η = 0.2; t = 3." in step.to_terminal()
    assert "已改动：η = 0.2；t = 3。" in step.to_terminal(language="zh")


def test_the_source_of_a_changed_example_is_no_source_of_its_numbers():
    worked = built_in_example("mazur")
    assert f"Source of the numbers: {worked.source}" in worked.explain().to_terminal(width=300)
    other = worked.with_({"x": "1,1", "w1": 0.7}, add_class=True, activation="tanh")
    said = f"Source: after {worked.source}, with changed numbers: a class more, f1, x, w1."
    for form in ("terminal", "spoken", "html", "latex", "markdown", "notebook"):
        options = {"width": 400} if form == "terminal" else None
        assert "with changed numbers" in other.explain().to(form, options=options), form
    assert said in other.explain().to_terminal(width=400)
    assert said[:-1] + ", t." in other.with_(t=[[1, 0, 0]]).explain().to_terminal(width=400)
    # what is saved and read again says so, too
    text = data_text("mine.json", other.data)
    again = worked_example(json.loads(text))
    assert said in again.explain().to_terminal(width=400)
    back = worked_example(json.loads(other.explain().to_json())["example"])
    assert said in back.explain().to_terminal(width=400)
    assert f"{worked.source}；改动过的数：增加的类别，f1，x，w1。" in back.explain().to_terminal(
        width=400, language="zh"
    )


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(EXAMPLES)),
    st.dictionaries(
        st.one_of(
            st.sampled_from(["x", "t", "W1", "b2", "w1", "W1[0,0]", "l2", "x1", "η", "W.2[9,9]"]),
            st.text(max_size=6),
        ),
        st.one_of(
            st.text("0123456789.,;-e/ []", max_size=8), st.floats(), st.integers(-3, 3),
            st.lists(st.floats(-2, 2), max_size=3), st.text(max_size=4),
        ),
        max_size=3,
    ),
    st.booleans(),
)  # fmt: skip
def test_whatever_is_typed_there_is_an_example_or_a_sentence(name, numbers, add_class):
    worked = built_in_example(name)
    before = worked.parameters.flat.tolist()
    with contextlib.suppress(DeltapropError, TargetWarning):  # a sentence
        worked.with_(numbers, add_class=add_class).explain()
    assert worked.parameters.flat.tolist() == before


def test_symbols_of_a_file_that_stand_for_nothing():
    data = {"layers": [{"W": [[1.0]]}], "loss": "half_squared_error", "x": [[1]], "targets": [[1]]}
    for wrong in ("W.9[0,0]", "w1", "nonsense"):
        with pytest.raises(SettingError):
            changed({**data, "symbols": {"w1": wrong}}, {"w1": 1})


def test_an_example_without_data_says_so():
    worked = built_in_example("tutorial")
    bare = type(worked)(
        "t", worked.network, worked.parameters, worked.x, worked.targets, dp.GradientDescent(0.1)
    )
    with pytest.raises(SettingError, match="read it from"):
        bare.with_(x=[1, 1])


def test_an_example_written_in_another_way_changes_as_it_is_meant():
    usual = {
        "layers": [{"W": [[0.5, 0.1], [-0.3, 0.8]], "b": [0.1, -0.2]},
                   {"W": [[0.7], [-0.4]], "b": [0.3]}],
        "loss": "half_squared_error", "x": [[1.0, 0.5]], "targets": [[0.75]],
    }  # fmt: skip
    rows = {
        **usual, "bias_row": "first", "x": [1, 1.0, 0.5], "targets": [0.75],
        "layers": [{"W": [[0.1, -0.2], [0.5, 0.1], [-0.3, 0.8]]}, {"W": [[0.3], [0.7], [-0.4]]}],
    }  # fmt: skip
    w0 = {**usual, "layers": [
        {"W": [[0.5, 0.1], [-0.3, 0.8]], "w0": [0.1, -0.2]}, {"W": [[0.7], [-0.4]], "w0": 0.3},
    ]}  # fmt: skip
    for change in ({"W1[1,0]": 2}, {"b2": 4}, {"x": "2,2", "t": 1}, {"W1": 1}):
        for more in (False, True):
            expected = worked_example(usual).with_(change, add_class=more).explain()
            for other in (rows, w0):
                found = worked_example(other).with_(change, add_class=more).explain()
                assert found.trace.loss == expected.trace.loss
                after = found.update.after.parameters.flat
                np.testing.assert_array_equal(after, expected.update.after.parameters.flat)


def test_steps_about_other_numbers_go_with_the_claims():
    data = {**built_in_example("tutorial").data, "steps": [{"loss": 0.55125}]}
    data.pop("claims")
    assert "steps" not in worked_example(data).with_(t=3).data
    assert with_claims(worked_example(data))["steps"] == [{"loss": 0.55125}]
