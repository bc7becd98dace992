"""The built-in examples on the command line: listed, explained, checked, marked."""

import json

import pytest

from deltaprop.explaining import EXAMPLES


@pytest.mark.parametrize("command", ["explain", "check"])
def test_help_lists_every_built_in_example(call, command):
    called = call(command, "--help")
    assert called.status == 0
    for name in EXAMPLES:
        assert name in called.out


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_built_in_example_is_explained_with_its_title_and_checked(call, name):
    explained = call("explain", name, "--detail", "overview")
    assert (explained.status, explained.err) == (0, "")
    assert " ".join(EXAMPLES[name]["title"].split()[:3]) in explained.out
    checked = call("check", name)
    assert (checked.status, checked.err) == (0, "")


def test_check_has_a_status_of_its_own_where_nothing_can_be_told(call, tmp_path):
    data = {
        "layers": [{"W": [[1]]}],
        "loss": "half_squared_error",
        "x": [[2]],
        "targets": [[-3e153]],
    }
    path = tmp_path / "huge.json"
    path.write_text(json.dumps(data))
    checked = call("check", str(path))
    assert checked.status == 3
    assert "nothing can be told: the loss is so large" in checked.out
    assert call("check", str(path), "--json").json["undecided"] == ["W.1[0,0]"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_title_is_chinese_in_chinese(call, name):
    explained = call("explain", name, "--detail", "overview", "--language", "zh")
    assert explained.status == 0
    assert EXAMPLES[name]["titles"]["zh"][:12] in explained.out


@pytest.mark.parametrize(
    ("name", "mistake"),
    [("mazur", "updated_weights"), ("prakash_jay", "softmax_without_exp")],
)
def test_a_built_in_example_whose_author_made_a_mistake_is_marked_wrong(call, name, mistake):
    called = call("mark", name)
    assert called.status == 1
    assert mistake in called.out


@pytest.mark.parametrize(
    "name", ["tutorial", "han_kamber", "negnevitsky_xor", "generation5_xor", "hmkcode", "ng_ex4"]
)
def test_a_built_in_example_that_is_right_is_marked_right(call, name):
    called = call("mark", name)
    assert (called.status, called.err) == (0, "")


def test_a_built_in_example_that_claims_nothing_cannot_be_marked(call):
    called = call("mark", "iamtrask")
    assert called.status == 2
    assert "claims is nothing" in called.err


@pytest.mark.parametrize("command", ["explain", "check", "mark"])
def test_a_misspelt_name_is_answered_with_the_nearest(call, command):
    called = call(command, "mazr")
    assert called.status == 2
    assert "Did you mean 'mazur'?" in called.err


def test_a_file_of_the_same_name_comes_first(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    worked = {
        "layers": [{"W": [[2.0]]}], "loss": "half_squared_error",
        "x": [[3.0]], "targets": [[5.0]], "claims": {"z.1": [[6]]},
    }  # fmt: skip
    (tmp_path / "mazur").write_text(json.dumps(worked), encoding="utf-8")
    called = call("mark", "mazur")
    assert called.status == 0
    assert "1 number: 1 right" in called.out
