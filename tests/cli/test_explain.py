"""deltaprop explain: the tutorial, rows of a table, worked examples, in every form."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import deltaprop
from deltaprop.estimators.loading import load
from deltaprop.tabular import load_dataset, load_features

QUICK = ["--epochs", "3", "--hidden", "4"]


@pytest.fixture
def table(folder):
    return load_dataset(folder / "flowers.csv", "kind")


# explain and check

TUTORIAL = {
    1, 0.5, 4, 1.5, 2.3, 3, 1.25, 3.8, 5.05, 0.55125, 1.05, 1.3125, 3.99, 0.525,
    0.86875, 0.601, 0.395, 1.4475, 2.195, 2.9475, 3.17683, 0.338802,
}  # fmt: skip


def test_the_tutorial_holds_every_number_within_eighty_columns(call, environment):
    answer = call("explain", "tutorial")
    assert (answer.status, answer.err) == (0, "")
    assert {float(n) for n in re.findall(r"\d+(?:\.\d+)?", answer.out)} >= TUTORIAL
    assert max(map(len, answer.out.splitlines())) <= 80
    for altitude in ("Overview", "Layers", "Neurons"):
        assert altitude in answer.out
    assert "w₅′ = w₅ - η × ∂E/∂w₅ = 1 - 0.1 × 1.3125 = 0.86875" in answer.out
    assert "\x1b" not in answer.out
    environment = {k: v for k, v in environment.items() if k != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "deltaprop", "explain", "tutorial"],
        env=environment, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode() == answer.out


@pytest.mark.parametrize("detail", ["overview", "layers", "neurons"])
def test_one_altitude_at_a_time(call, detail):
    answer = call("explain", "tutorial", "--detail", detail, "--digits", "3")
    assert answer.status == 0
    titles = [title for title in ("Overview", "Layers", "Neurons") if f"\n{title}" in answer.out]
    assert titles == [detail.capitalize()]
    assert "1.3125" not in answer.out


def test_a_row_is_explained_in_the_users_names(folder, call):
    answer = call("explain", "kinds.safetensors", "--data", "flowers.csv", "--row", "5")
    assert answer.status == 0
    first_line, *_ = answer.out.splitlines()
    assert first_line == "The step row 5 of flowers.csv would cause"
    for name in ("height", "width", "colour=green", "aster", "borage", "clover"):
        assert f"{name} = " in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    fitted = load("kinds.safetensors")
    x = fitted.encode(load_features("flowers.csv").features[4:5])
    p = deltaprop.predict(fitted.network, fitted.parameters, x)  # the network's own
    assert f"borage = {p[0, 1]:.6g}" in answer.out
    e = fitted.network.label_smoothing
    t = (1 - e) * np.array([0.0, 1.0, 0.0]) + e / 3
    assert re.search(rf"loss before +{-(t @ np.log(p[0])):.4g}"[:-1], answer.out)


def test_a_worked_example_of_the_users_is_explained_and_checked(folder, put, call):
    put({
        "w.yaml": "layers:\n - {W: [[0.5, 1e-1], [1.5, 3]], b: [1, 0], activation: relu}\n"
        " - {W: [[1], [1]]}\nloss: half_squared_error\nx: [[1, 0.5], [2, 1]]\ntargets: [[4], [1]]\n"
    })  # fmt: skip
    explained = call("explain", "w.yaml")
    assert (explained.status, explained.err) == (0, "")
    assert "mean over 2 samples" in " ".join(explained.out.split())
    assert call("check", "w.yaml").status == 0


def test_column_names_cannot_steer_the_terminal(folder, put, call):
    text = (folder / "flowers.csv").read_text()
    put({"x.csv": text.replace("height", "h\x1b[31m\x07").replace("aster", "\x1b]0;a\x07")})
    words = ["train", "x.csv", "--target", "kind", "--test", "x.csv", "--model", "m.safetensors"]
    shown = call(*words, *QUICK)
    shown_too = call("explain", "m.safetensors", "--data", "x.csv")
    evaluated = call("evaluate", "m.safetensors", "x.csv")
    for answer in (shown, shown_too, evaluated):
        assert answer.status == 0, answer.err
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", answer.out + answer.err)
    assert "x1b[31m" in shown.err
    assert "x1b[31m" in shown_too.out


def test_explain_tells_one_number_in_chinese_or_as_json_into_a_file(folder, call):
    answer = call("explain", "tutorial", "--only", "W1[0,0]", "--language", "zh")
    assert answer.status == 0
    assert "反向传播" in answer.out
    assert "∂E/∂w₁ = x₁ × ∂E/∂h₁ = 1 × 1.05 = 1.05" in answer.out
    answer = call("explain", "tutorial", "--format", "json", "--out", "step.json")
    assert (answer.status, answer.out) == (0, "")
    data = json.loads((folder / "step.json").read_text(encoding="utf-8"))
    assert data["format"] == "deltaprop-explanation/1"
    for notation, line in (("tutorial", "z² = z¹ W⁽¹²⁾"), ("standard", "z¹ = x W¹")):
        answer = call("explain", "tutorial", "--notation", notation, "--detail", "layers")
        assert line in answer.out
    answer = call("explain", "mazur", "--notation", "tutorial", "--detail", "layers")
    assert "z² = z¹ W⁽¹²⁾ + b²" in answer.out


def test_explain_softmax_stands_beside_sigmoid_on_scores_and_on_a_models_row(folder, call):
    answer = call("explain", "softmax", "--scores", "2,1")
    assert answer.status == 0
    assert (
        "p₁ = exp(z₁) / (exp(z₁) + exp(z₂)) = exp(2) / (exp(2) + exp(1)) ≈ 0.731059" in answer.out
    )
    answer = call("explain", "softmax", "--model", "kinds.safetensors", "--data", "flowers.csv")
    assert answer.status == 0
    assert re.search(r"^  (aster|borage|clover) .* ← t$", answer.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("html", "<!doctype html>"), ("latex", "\\documentclass"), ("markdown", "# "),
        ("json", "{"), ("svg", "<svg"), ("notebook", "{"),
    ],
)  # fmt: skip
def test_explain_writes_every_form(folder, call, form, begins):
    answer = call("explain", "tutorial", "--format", form, "--out", "step.txt", "--language", "zh")
    assert answer.status == 0
    text = (folder / "step.txt").read_text(encoding="utf-8")
    assert begins in text[:200].lower() or text.lstrip("%").startswith(begins)
    assert "1.3125" in text
    assert re.search("[一-鿿]", text) or form == "json"
