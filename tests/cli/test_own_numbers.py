"""A learner's own numbers on the command line: changed, saved, begun from nothing."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys

import pytest

OWN = (
    "--set", "x=1,1", "--set", "w1=0.7", "--set", "t=3", "--learning-rate", "0.05",
    "--activation", "sigmoid", "--add-class",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def numbers(call, *words):
    answer = call("explain", *words, "--format", "json")
    assert answer.status == 0, answer.err
    data = answer.json
    return {step["id"]: step["value"] for step in data["steps"]} | data["roots"]


def test_any_number_from_the_command_line(call):
    found = numbers(call, "tutorial", *OWN)
    assert (found["x[0,1]"], found["W.1[0,0]"], found["targets[0,0]"]) == (1, 0.7, 3)
    assert found["learning_rate"] == 0.05
    assert "a.2[0,1]" in found
    answer = call("explain", "tutorial", *OWN)
    assert "Changed: a class more, with w₇ = 0.5, w₈ = -0.5, t₂ = 0" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


@pytest.mark.parametrize("name", ["mine.yaml", "mine.json"])
def test_what_is_saved_is_explained_and_marked(call, name):
    saved = call("explain", "tutorial", *OWN, "--save", name)
    assert (saved.status, saved.err) == (0, f"written to {name}\n")
    assert numbers(call, name) == numbers(call, "tutorial", *OWN)
    assert call("mark", name).status == 0
    again = call("explain", "tutorial", "--save", name)
    assert again.status == 2
    assert "would be lost" in again.err
    assert call("explain", "tutorial", "--save", name, "--force").status == 0
    assert numbers(call, name) == numbers(call, "tutorial")


def test_an_explanation_in_json_is_a_source(call):
    assert call("explain", "mazur", "--format", "json", "--out", "out.json").status == 0
    assert call("explain", "out.json").out == call("explain", "mazur").out
    assert numbers(call, "out.json", "--set", "x=1,1") == numbers(call, "mazur", "--set", "x=1,1")


def test_a_models_row_is_saved_as_an_example(call, folder):
    refused = call("explain", "kinds.safetensors", "--data", "flowers.csv", "--save", "row.yaml")
    assert "--preset plain" in refused.err
    how = ("--target", "kind", "--preset", "plain", "--hidden", "3", "--epochs", "2")
    assert call("train", "flowers.csv", *how, "--model", "plain.safetensors").status == 0
    row = ("plain.safetensors", "--data", "flowers.csv", "--row", "7")
    saved = call("explain", *row, "--save", "row.yaml")
    assert saved.status == 0, saved.err
    assert numbers(call, "row.yaml") == numbers(call, *row)
    assert call("mark", "row.yaml").status == 0
    steps = call("explain", "kinds.safetensors", *row[1:], "--steps", "3", "--watch", "W2[0,1]")
    assert "W²₁₂" in steps.out
    wrong = call("explain", "kinds.safetensors", *row[1:], "--steps", "3", "--watch", "W9[0,1]")
    assert "no parameter of this network" in wrong.err
    refused = call("explain", *row, "--set", "x1=3")
    assert refused.status == 2
    assert "--save row.yaml" in refused.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tutorial", "--set", "w9=1"], "Did you mean 'w6'?"),
        (["tutorial", "--set", "w1"], "write a name and its numbers"),
        (["tutorial", "--set", "w1=1", "--set", "w1=2"], "gives w1 twice"),
        (["tutorial", "--activation", "sigmod"], "Did you mean 'sigmoid'?"),
        (["tutorial", "--set", "x=1,1;2,2"], "give both"),
        (["tutorial", "--save", "mine.txt"], ".yaml or .json"),
        (["softmax", "--scores", "1,2", "--set", "x=1"], "--set cannot be used"),
    ],
)
def test_refused_in_a_sentence(call, words, message):
    answer = call("explain", *words)
    assert (answer.status, answer.out) == (2, "")
    assert message in " ".join(answer.err.split())


class TestNew:
    def test_by_options(self, call, tmp_path):
        answer = call("new", "mine.yaml", "--sizes", "2,3,1", "--loss", "half-squared-error")
        assert answer.status == 0
        assert call("explain", "mine.yaml").status == 0
        text = (tmp_path / "mine.yaml").read_text("utf-8")
        assert "# eta: how far" in text
        assert call("new", "mine.yaml", "--sizes", "2,2").status == 2
        assert (tmp_path / "mine.yaml").read_text("utf-8") == text
        assert call("new", "mine.yaml", "--sizes", "2,2", "--force").status == 0
        assert (tmp_path / "mine.yaml").read_text("utf-8") != text

    def test_json_and_chinese(self, call, tmp_path):
        assert call("new", "m.json", "--sizes", "3,2", "--no-bias", "--rows", "2").status == 0
        assert len(json.loads((tmp_path / "m.json").read_text())["x"]) == 2
        answer = call("new", "m.yaml", "--sizes", "3,2", "--language", "zh")
        assert "然后运行" in answer.err + answer.out
        assert "学习率" in (tmp_path / "m.yaml").read_text("utf-8")

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ([], "--sizes says how large"), (["--sizes", "2"], "at least two"),
            (["--sizes", "2,a"], "2,a"), (["--sizes", "2,1", "--loss", "cross"], "No loss"),
            (["--sizes", "2,1", "--rows", "0"], "from 1 to 100"),
            (["--sizes", "2,1", "--seed", "-1"], "0 or more"),
            (["--sizes", "2,1", "--language", "fr"], "fr"),
            (["--sizes", "2,1", "--learning-rate", "-1"], "learning_rate"),
        ],
    )  # fmt: skip
    def test_refused(self, call, tmp_path, words, message):
        answer = call("new", "mine.yaml", *words)
        assert answer.status == 2
        assert message in answer.err
        assert not (tmp_path / "mine.yaml").exists()

    def test_without_a_file_it_goes_where_the_pipe_goes(self, call, tmp_path):
        answer = call("new", "--sizes", "2,2", "--loss", "cross_entropy")
        assert (answer.status, answer.err) == (0, "")
        (tmp_path / "piped.yaml").write_text(answer.out, encoding="utf-8")
        assert call("explain", "piped.yaml").status == 0

    @pytest.mark.rest
    def test_by_questions_in_a_terminal(self, tmp_path):
        (tmp_path / "example.yaml").write_text("mine\n")
        there, here = pty.openpty()
        command = [sys.executable, "-m", "deltaprop", "new"]
        with subprocess.Popen(command, stdin=here, stdout=here, stderr=here) as asking:
            os.close(here)
            os.write(there, b"\nmine.yaml\n2,2,2\nrelo\nrelu\ncross-entropy\n-1\n0.5\nx\n2\n")
            asked = b""
            while asking.poll() is None or asked == b"":
                with contextlib.suppress(OSError):  # the other end is closed
                    asked += os.read(there, 4096)
        os.close(there)
        assert asking.returncode == 0, asked
        assert b"Sizes: inputs, hidden layers, outputs [2,2,1]: " in asked
        assert b"Did you mean 'relu'?" in asked
        assert b"example.yaml is there already" in asked
        assert (tmp_path / "example.yaml").read_text() == "mine\n"
        text = (tmp_path / "mine.yaml").read_text("utf-8")
        assert "activation: relu" in text
        assert "loss: cross_entropy" in text
        assert "learning_rate: 0.5" in text


class TestSteps:
    def test_until_it_is_learnt(self, call):
        answer = call("explain", "tutorial", "--steps", "20", "--watch", "w1,W2[0,0]")
        assert answer.status == 0
        assert "Learnt after 13 steps" in answer.out
        assert re.search(r"step +E +y +w₁ +w₅\n", answer.out)
        assert max(map(len, answer.out.splitlines())) <= 80
        longer = call("explain", "tutorial", "--steps", "20", "--until", "loss=0.1")
        assert "Learnt after 3 steps: the loss is" in longer.out

    def test_any_step_in_full(self, call):
        answer = call("explain", "tutorial", "--steps", "20", "--step", "7")
        assert answer.status == 0
        assert "Step 7: " in answer.out
        assert call("explain", "tutorial", "--step", "30", "--only", "loss").status == 0
        assert call("explain", "tutorial", "--steps", "20", "--step", "14").status == 2

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--steps", "0"], "1 to 10,000"), (["--step", "0"], "counted from 1"),
            (["--steps", "5", "--until", "x"], "like 0.01"),
            (["--watch", "w1"], "belong to --steps"),
            (["--until", "1"], "belong to --steps"),
            (["--steps", "5", "--only", "loss"], "--only cannot be used"),
            (["--steps", "5", "--format", "svg"], "svg cannot be used"),
            (["--steps", "5", "--watch", "w7"], "Did you mean 'w6'?"),
        ],
    )  # fmt: skip
    def test_refused(self, call, words, message):
        answer = call("explain", "tutorial", *words)
        assert (answer.status, answer.out) == (2, "")
        assert message in " ".join(answer.err.split())


class TestSoftmaxWithATarget:
    def test_it_is_not_ignored(self, call):
        answer = call("explain", "softmax", "--scores", "2,1,0.1", "--target", "0")
        assert answer.status == 0
        assert "L = -ln(p₁) = -ln(0.659001) ≈ 0.41703" in answer.out
        assert "∂L/∂z₁ = p₁ - 1 = 0.659001 - 1 ≈ -0.340999" in answer.out
        assert answer.out != call("explain", "softmax", "--scores", "2,1,0.1").out

    @pytest.mark.parametrize("target", ["3", "-1", "cat", "99999999", ""])
    def test_none_of_the_scores(self, call, target):
        answer = call("explain", "softmax", "--scores", "2,1,0.1", "--target", target)
        assert (answer.status, answer.out) == (2, "")
        assert "counted from 0: 0 to 2" in answer.err
