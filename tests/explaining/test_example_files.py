"""Worked examples as files: written, they are read back the same; explanations are read, too."""

import json
from contextlib import suppress

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError, SettingError
from deltaprop.explaining import (
    EXAMPLES,
    built_in_example,
    read_worked_example,
    repeat,
    worked_example,
)
from deltaprop.explaining.as_example import example_of_step, with_claims
from deltaprop.explaining.example_files import SUFFIXES, Written, data_text, read_data
from deltaprop.explaining.example_template import COMMENTS, comments_of, template
from deltaprop.explaining.language import LANGUAGES
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_read_back_as_it_was_written(tmp_path, name, suffix):
    path = tmp_path / f"mine{suffix}"
    data = built_in_example(name).data
    path.write_text(data_text(path, data, comments_of(data)), encoding="utf-8")
    again = read_data(path)
    assert again == data
    texts = [[v.text for v in _numbers(part)] for part in (data, again)]
    assert texts[0] == texts[1]  # trailing zeros of claims are claims


def _numbers(value):
    if isinstance(value, Written):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ["yes", "NULL", "1e3", "0x1f", "a: b", "- x", "# no", "12:30", "2026-11-30", "=", "~", "a #b"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=80, deadline=None)
@given(data=st.dictionaries(TEXTS.filter(bool), VALUES, min_size=1, max_size=3))
@pytest.mark.one_in(3)
def test_whatever_an_example_holds_is_written_so_that_it_reads_back(tmp_path_factory, suffix, data):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data_text(path, data, {"": "head\n# two"}).encode())
    assert read_data(path) == data


PIECES = st.sampled_from(
    ["a", "x", "1", "-1.5", "1/2", ": ", ":", "- ", "[", "]", "{", "}", ", ", '"', "'", "\n",
     "\n  ", "\t", "? ", "*q", "&q ", "|", ">", "#", "@", "---\n", "：", "\u2028", "\x85", "<<: ",
     "null", "1e400", ".nan", "2024-01-01", "true", "!!python/object:a", "\\"]
)  # fmt: skip


@given(text=st.lists(PIECES, max_size=12).map("".join), place=st.booleans())
@settings(deadline=None, max_examples=80)
def test_whatever_is_typed_into_a_file_is_read_or_refused(tmp_path_factory, text, place):
    path = tmp_path_factory.mktemp("typed") / "mine.yaml"
    plain = "layers:\n  - {W: [[1]]}\nloss: half_squared_error\nx: [[1]]\n"
    path.write_text(text + "\n" + plain if place else plain + "targets: " + text, "utf-8")
    with suppress(DataError):  # and nothing else
        dp.mark(path)


@pytest.mark.parametrize("text", ["targets: [[1]\n", 'targets: "1\n', "? [a]\n: 1\n"])
def test_what_is_not_closed_is_told_with_its_line(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"mine.yaml is not valid YAML: line 1 "):
        read_data(path)


def test_a_file_of_another_name_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r"should be called \.yaml or \.json"):
        data_text(tmp_path / "mine.txt", {})


class TestOfAStep:
    @pytest.mark.parametrize("name", EXAMPLES)
    @pytest.mark.one_in(5)
    def test_an_explanation_in_json_is_read_as_the_example_it_is_of(self, tmp_path, name):
        step = built_in_example(name).explain()
        path = tmp_path / "out.json"
        step.to("json", path)
        again = read_worked_example(path).explain()
        assert again.to_terminal() == step.to_terminal()
        assert again.to_json() == step.to_json()

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("activation", list(ACTIVATIONS)[::3])
    @pytest.mark.one_in(5)
    def test_of_any_dense_network(self, tmp_path, draw, activation, loss):
        step = draw(activation, loss).explanation
        path = tmp_path / "out.json"
        step.to("json", path)
        again = read_worked_example(path).explain()
        assert [s.value for s in again.steps] == [s.value for s in step.steps]

    def test_an_optimizer_with_its_usual_settings(self, draw):
        step = draw("tanh", optimizer=dp.Adam(0.01)).explanation
        assert worked_example(example_of_step(step)).explain().update.rule == dp.Adam(0.01)

    @pytest.mark.parametrize("rule", [dp.Momentum(0.1), dp.Adam(0.05, beta_2=0.9), dp.RMSProp()])
    def test_a_step_in_the_middle_goes_on_from_its_state(self, draw, rule):
        first = draw("tanh", optimizer=rule, depth=1, bias=True).explanation
        third = repeat(first, 3, until=None).step(3)
        again = worked_example(example_of_step(third)).explain()
        after = third.update.after.parameters.flat
        np.testing.assert_array_equal(again.update.after.parameters.flat, after)

    def test_learning_rates_of_layers(self):
        data = built_in_example("mazur").data
        layers = [dict(layer) for layer in data["layers"]]
        layers[0]["learning_rate"] = 0.25
        worked = worked_example({**data, "train_biases": True, "layers": layers})
        again = worked_example(example_of_step(worked.explain()))
        assert again.explain().to_terminal() == worked.explain().to_terminal()

    def test_what_has_no_room_in_the_format_is_left_out_and_said(self, tmp_path, draw, rng, beside):
        large = dp.Network([100, 50, 2])
        steps = [
            draw("tanh", n=3, sample_weight=[1.0, 2.0, 0.5]).explanation,
            dp.explain(large, large.init(rng), rng.normal(size=(1, 100)), [0]),
        ]
        for step in (*steps, beside):
            path = tmp_path / "out.json"
            step.to("json", path)
            assert "example" not in json.loads(path.read_text("utf-8"))
            with pytest.raises(DataError, match="without the example that it is of"):
                read_worked_example(path)

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_with_its_claims_it_is_marked_right(self, name):
        other = built_in_example(name).with_({"W1[0,0]": 0.3}, learning_rate=0.25)
        assert dp.mark(worked_example(with_claims(other))).ok

    def test_claims_of_its_own_stay(self):
        mazur = built_in_example("mazur")
        assert with_claims(mazur)["claims"] == mazur.claims


class TestToBeginWith:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.one_in(5)
    def test_it_can_be_explained_and_marked_once_it_is_filled_in(self, tmp_path, language, loss):
        path = tmp_path / "mine.yaml"
        data = template([2, 3, 2], "gelu", loss, 0.2, 2)
        path.write_text(data_text(path, data, comments_of(data, language)), encoding="utf-8")
        worked = read_worked_example(path)
        assert worked.explain().verify()
        with pytest.raises(DataError, match="holds no number"):
            dp.mark(worked)
        right = with_claims(worked_example({**data, "claims": None}))["claims"]
        assert {name: np.shape(value) for name, value in right.items()} == {
            name: np.shape(value) for name, value in data["claims"].items()
        }
        assert dp.mark(worked_example({**data, "claims": right})).ok

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_key_is_explained_and_every_function_named(self, language):
        data = template([2, 2, 1])
        text = data_text("m.yaml", data, comments_of(data, language))
        assert set(data) <= set(COMMENTS[language])
        assert set(yaml.safe_load(text)) == set(data)
        comments = " ".join(row for row in text.split("\n") if row.startswith("#"))
        assert all(name in comments for name in (*ACTIVATIONS, *LOSSES))
        assert max(map(len, text.split("\n"))) <= 90

    @pytest.mark.parametrize(
        ("sizes", "rows", "message"),
        [([3], 1, "at least two"), ([2, 0], 1, "at least two"), ([100, 50], 1, "5,000 weights"),
         ([2, 1], 0, "from 1 to 100")],
    )  # fmt: skip
    def test_refused(self, sizes, rows, message):
        with pytest.raises(SettingError, match=message):
            template(sizes, n_rows=rows)

    def test_another_seed_gives_other_numbers(self):
        assert template([2, 2])["layers"] != template([2, 2], seed=1)["layers"]
