"""What the commands answer when all is well, held against the library and scikit-learn."""

import csv
import gzip
import io
import json
import re
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    precision_score,
    r2_score,
    recall_score,
)

import deltaprop
from deltaprop.estimators.loading import load
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.tabular import load_dataset, load_features

COMMANDS = ["train", "predict", "evaluate", "explain", "check"]
QUICK = ["--epochs", "3", "--hidden", "4"]


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def idx(array):
    array = np.asarray(array, dtype=np.uint8)
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def table(folder):
    return load_dataset(folder / "flowers.csv", "kind")


@pytest.fixture
def images(folder):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    pixels = rng.integers(0, 50, size=(60, 4, 3)) + 200 * labels[:, None, None]
    (folder / "images.idx").write_bytes(idx(pixels))
    (folder / "labels.idx").write_bytes(idx(labels))
    np.savez(folder / "both.npz", x=pixels.astype(np.uint8), y=labels)
    return pixels, labels


# train


@pytest.mark.parametrize(
    ("target", "task", "figures"),
    [
        ("kind", "classification", {"accuracy", "log_loss", "majority"}),
        ("petals", "regression", {"r2", "rmse", "mae"}),
        ("height,width", "regression", {"r2", "rmse", "mae"}),
    ],
    ids=["classes", "a number", "two numbers"],
)
def test_train_evaluate_and_predict_work_for_every_target(folder, call, target, task, figures):
    trained = call(
        "train", "flowers.csv", "--target", target, "--test", "flowers.csv",
        "--model", "m.safetensors", "--json", "--hidden", "16", "--epochs", "40", "--members", "1",
    )  # fmt: skip
    assert (trained.status, trained.err) == (0, "")
    facts = trained.json
    assert facts["task"] == task
    assert facts["target"] == target.split(",")
    assert facts["rows"] == {"training": 51, "validation": 9}
    assert facts["model"] == "m.safetensors"
    assert len(facts["history"]["loss"]) <= 40
    evaluated = call("evaluate", "m.safetensors", "flowers.csv", "--json")
    assert set(evaluated.json["figures"]) >= figures
    assert evaluated.json == facts["test"]
    answers = read(call("predict", "m.safetensors", "flowers.csv").out)
    assert list(answers[0]) == target.split(",")
    assert len(answers) == 60
    good = evaluated.json["figures"]
    assert good["accuracy"] > 0.8 if task == "classification" else good["r2"] > 0.5


def test_two_classes_and_truth_values_are_learnt(folder, put, call):
    rows = "".join(f"{x / 10},{x > 20}\n" for x in range(40))
    put({"x.csv": "a,big\n" + rows})
    trained = call("train", "x.csv", "--target", "big", "--model", "m.safetensors", "--json")
    assert trained.json["task"] == "classification"
    assert len(trained.json["classes"]) == 2
    answers = read(call("predict", "m.safetensors", "x.csv", "--proba").out)
    given = load("m.safetensors").predict_proba(load_features("x.csv").features)
    shown = [[float(p) for p in list(row.values())[1:]] for row in answers]
    np.testing.assert_allclose(shown, given)


def test_train_tells_what_it_did_on_standard_error_and_the_figures_on_standard_output(folder, call):
    answer = call("train", "flowers.csv", "--target", "kind", "--model", "m.safetensors", *QUICK)
    assert answer.status == 0
    assert "flowers.csv: 60 rows, target kind" in answer.err
    assert re.search(r"^predicts +3 classes \(aster, borage, clover\)", answer.err, re.MULTILINE)
    assert re.search(r"^colour +category +one-hot, 3 categories", answer.err, re.MULTILINE)
    assert re.search(r"^validation +accuracy [01]\.\d+, log loss", answer.out, re.MULTILINE)
    assert re.search(r"^saved +m\.safetensors$", answer.out, re.MULTILINE)
    assert sorted(path.name for path in folder.iterdir()) == [
        "flowers.csv", "kinds.safetensors", "m.safetensors", "petals.safetensors",
    ]  # fmt: skip


def test_without_hidden_layers_it_is_softmax_regression(folder, call):
    answer = call(
        "train", "flowers.csv", "--target", "kind", "--hidden", "none", "--model", "m.safetensors",
        "--epochs", "150", "--patience", "150", "--l2", "0.1", "--learning-rate", "1",
        "--batch-size", "1000", "--val", "flowers.csv", "--preset", "plain",
    )  # fmt: skip
    assert answer.status == 0, answer.err
    fitted, data = load("m.safetensors"), load_dataset("flowers.csv", "kind")
    assert len(fitted.parameters) == 1
    x = fitted.encode(data.features)
    # the same loss: cross-entropy, mean over rows, plus l2 / 2 times the squared weights
    alike = LogisticRegression(C=1 / (0.1 * len(x)), max_iter=5000, tol=1e-8)
    alike.fit(x, data.target)
    p = deltaprop.predict(fitted.network, fitted.parameters, x)  # not calibrated
    np.testing.assert_allclose(p, alike.predict_proba(x), atol=5e-3)


@pytest.mark.usefixtures("search_in_full")  # as in that process
def test_the_same_seed_gives_the_same_bytes_in_any_process(folder, call, environment):
    words = ["train", "flowers.csv", "--target", "kind", "--dropout", "0.3", "--seed", "7", *QUICK]
    for name in ("a", "b"):
        assert call(*words, "--model", f"{name}.safetensors").status == 0
    subprocess.run(
        [sys.executable, "-m", "deltaprop", *words, "--model", "c.safetensors"],
        env={**environment, "PYTHONHASHSEED": "99"},
        check=True,
        capture_output=True,
    )
    call(*words, "--seed", "8", "--model", "d.safetensors")
    a, b, c, d = (load(f"{name}.safetensors").parameters.flat.tobytes() for name in "abcd")
    assert a == b == c
    assert a != d


@pytest.mark.parametrize("form", ["-", "gz", "tsv", "parquet", "glob"])
def test_every_form_of_a_table_is_the_same_table(folder, call, form):
    text = (folder / "flowers.csv").read_text()
    name, stdin = f"x.{form}", b""
    if form == "-":
        name, stdin = "-", text.encode()
    elif form == "gz":
        (folder / name).write_bytes(gzip.compress(text.encode(), mtime=0))
    elif form == "tsv":
        (folder / name).write_text(text.replace(",", "\t"))
    elif form == "parquet":
        pl.read_csv(io.StringIO(text)).write_parquet(folder / name)
    else:
        header, *rows = text.splitlines(keepends=True)
        (folder / "part1.csv").write_text(header + "".join(rows[:20]))
        (folder / "part2.csv").write_text(header + "".join(rows[20:]))
        name = "part*.csv"
    answer = call("predict", "kinds.safetensors", name, "--proba", stdin=stdin)
    assert answer.status == 0, answer.err
    assert answer.out == call("predict", "kinds.safetensors", "flowers.csv", "--proba").out
    trained = call("train", name, "--target", "kind", "--json", *QUICK, stdin=stdin)
    same = call("train", "flowers.csv", "--target", "kind", "--json", *QUICK)
    assert trained.json["history"]["loss"] == same.json["history"]["loss"]


@pytest.mark.parametrize(
    ("data", "target"), [("images.idx", "labels.idx"), ("both.npz", "y")], ids=["IDX", "npz"]
)
def test_images_are_learnt(images, call, data, target):
    trained = call(
        "train", data, "--target", target, "--test", data, "--test-target", target,
        "--model", "m.safetensors", "--json", "--hidden", "8", "--epochs", "60",
    )  # fmt: skip
    assert trained.json["test"]["figures"]["accuracy"] == 1
    evaluated = call("evaluate", "m.safetensors", data, "--target", target, "--json")
    assert evaluated.json == trained.json["test"]
    answers = [row["target" if data.endswith("idx") else "y"]
               for row in read(call("predict", "m.safetensors", "images.idx").out)]  # fmt: skip
    assert answers == [str(label) for label in images[1]]
    explained = call("explain", "m.safetensors", "--data", data, "--target", target)
    assert explained.status == 0, explained.err


# predict


def test_predict_says_the_same_in_every_form(folder, call, table):
    model = load("kinds.safetensors")
    p = model.predict_proba(table.features)
    wanted = {"kind": model.predict(table.features).tolist()}
    wanted |= {f"P({name})": p[:, k].tolist() for k, name in enumerate(model.class_names)}
    words = ["predict", "kinds.safetensors", "flowers.csv", "--proba"]
    printed = call(*words)
    assert printed.err == ""
    assert call(*words, "--json").json == wanted
    for name in ("answers.csv", "answers.parquet"):
        written = call(*words, "--out", name)
        assert (written.out, written.err) == ("", f"60 answers written to {name}\n")
    assert (folder / "answers.csv").read_text() == printed.out
    assert pl.read_csv("answers.csv").to_dict(as_series=False) == wanted
    assert pl.read_parquet("answers.parquet").to_dict(as_series=False) == wanted


def test_predict_gives_numbers_in_the_unit_of_the_target(folder, call, table):
    answers = [float(row["petals"]) for row in read(
        call("predict", "petals.safetensors", "flowers.csv").out)]  # fmt: skip
    model = load("petals.safetensors")
    np.testing.assert_array_equal(answers, model.predict(load_features("flowers.csv").features))
    assert 0 < np.mean(answers) < 20


# evaluate


def test_evaluate_agrees_with_scikit_learn_on_classes(folder, call, table):
    found = call("evaluate", "kinds.safetensors", "flowers.csv", "--json").json
    model = load("kinds.safetensors")
    answers, p = model.predict(table.features), model.predict_proba(table.features)
    assert found["figures"]["accuracy"] == pytest.approx(accuracy_score(table.target, answers))
    assert found["figures"]["log_loss"] == pytest.approx(log_loss(table.target, p))
    assert found["figures"]["majority"] == pytest.approx(1 / 3)
    names = list(model.class_names)
    for score, what in ((precision_score, "precision"), (recall_score, "recall")):
        wanted = score(table.target, answers, average=None, labels=names)
        np.testing.assert_allclose([c[what] for c in found["classes"]], wanted)
    shown = call("evaluate", "kinds.safetensors", "flowers.csv").out
    assert f"accuracy   {found['figures']['accuracy']:.6g}\n" in shown
    assert re.search(r"^aster +20 +[01]\.\d{4} +[01]\.\d{4}$", shown, re.MULTILINE)


def test_evaluate_agrees_with_scikit_learn_on_numbers(folder, call):
    found = call("evaluate", "petals.safetensors", "flowers.csv", "--json").json["figures"]
    data = load_dataset("flowers.csv", "petals")
    answers = load("petals.safetensors").predict(data.features)
    assert found["r2"] == pytest.approx(r2_score(data.target, answers))
    assert found["rmse"] == pytest.approx(mean_squared_error(data.target, answers) ** 0.5)
    assert found["mae"] == pytest.approx(mean_absolute_error(data.target, answers))


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
    assert "W²₁₁′ = W²₁₁ - η × ∂L/∂W²₁₁ = 1 - 0.1 × 1.3125 = 0.86875" in answer.out
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


def test_check_says_yes_for_what_is_right(folder, call):
    answer = call("check", "tutorial")
    assert answer.status == 0
    assert answer.out.startswith("6 of 6 gradients agree with central differences")
    facts = call("check", "tutorial", "--json").json
    assert facts["ok"] is True
    assert (facts["checked"], facts["parameters"], facts["wrong"]) == (6, 6, [])
    assert call("check", "kinds.safetensors").status == 0
    assert call("check", "petals.safetensors").status == 0
    row = ["--data", "flowers.csv", "--row", "7"]
    assert call("check", "kinds.safetensors", *row, "--json").json["ok"] is True


def test_check_says_no_and_names_what_is_wrong(folder, call, monkeypatch):
    row = vars(ACTIVATIONS["tanh"])
    monkeypatch.setitem(row, "f_prime", lambda z, a: 1 - a)
    answer = call("check", "kinds.safetensors", "--data", "flowers.csv")
    assert (answer.status, answer.err) == (1, "")
    assert re.search(r"^dL/dW\.2\[\d,\d\] +-?\d", answer.out, re.MULTILINE)
    assert "dL/dW.3" not in answer.out
    facts = call("check", "kinds.safetensors", "--data", "flowers.csv", "--json")
    assert facts.status == 1
    assert facts.json["ok"] is False
    assert facts.json["worst"].startswith(("s.1", "W.2", "b.2"))


# around the commands


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_an_example_and_fits(call, command):
    answer = call(*command.split(), "--help")
    assert (answer.status, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= 80
    example = re.search(r"deltaprop .*", answer.out[answer.out.index("Example:") :])[0]
    assert re.match(rf"deltaprop {command or 'train'} \S", example)
    assert not re.search(r"\w\.\.\.", answer.out)  # no explanation is cut off


def test_nothing_asked_for_is_answered_with_the_help(call):
    answer = call()
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == call("--help").out


def test_the_version_is_said(call):
    assert call("--version").out == f"deltaprop {deltaprop.__version__}\n"


def test_debug_shows_the_traceback_anywhere_in_the_line(folder, call):
    for words in (["--debug", "predict", "no", "x"], ["predict", "no", "x", "--debug"]):
        answer = call(*words)
        assert answer.status == 2
        assert "Traceback" in answer.err
        assert answer.err.splitlines()[-1].startswith("deltaprop: no does not exist")


def test_the_installed_command_and_the_module_are_the_same(folder, environment):
    script = f"{sys.exec_prefix}/bin/deltaprop"
    answers = [
        subprocess.run([*words, "--version"], env=environment, capture_output=True, check=True)
        for words in ([script], [sys.executable, "-m", "deltaprop"])
    ]
    assert answers[0].stdout == answers[1].stdout


@pytest.mark.parametrize("command", ["--help", "train --help", "--version", "check"])
def test_what_needs_no_numbers_imports_no_numbers(environment, command):
    code = (
        "import sys; from deltaprop.cli.main import main; main(sys.argv[1:])\n"
        "heavy = {'numpy', 'polars', 'pandas', 'narwhals', 'scipy', 'torch'} & sys.modules.keys()\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_explain_tells_one_number_in_chinese_or_as_json_into_a_file(folder, call):
    answer = call("explain", "tutorial", "--only", "W1[0,0]", "--language", "zh")
    assert answer.status == 0
    assert "反向传播" in answer.out
    assert "∂L/∂W¹₁₁ = x₁ × δ¹₁ = 1 × 1.05 = 1.05" in answer.out
    answer = call("explain", "tutorial", "--format", "json", "--out", "step.json")
    assert (answer.status, answer.out) == (0, "")
    data = json.loads((folder / "step.json").read_text(encoding="utf-8"))
    assert data["format"] == "deltaprop-explanation/1"
    answer = call("explain", "tutorial", "--notation", "tutorial", "--detail", "layers")
    assert "z¹ = x W⁽⁰¹⁾" in answer.out


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


def test_words_that_a_spreadsheet_would_run_are_kept_from_it(put, call):
    kinds = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "+", "-", "-1.5", "plain"]
    rows = [f'{i % 8},{i // 8},"{kinds[i % 8]}"' for i in range(160)]
    put({"f.csv": "\n".join(["a,b,=kind", *rows])})
    words = ("train", "f.csv", "--target", "=kind", "--model", "f.model", "--hidden", "16")
    assert call(*words, "--preset", "plain", "--epochs", "150").status == 0
    header, *guarded = call("predict", "f.model", "f.csv").out.splitlines()
    raw_header, *raw = call("predict", "f.model", "f.csv", "--formulas").out.splitlines()
    assert (header, raw_header) == ("'=kind", "=kind")
    assert set(raw) == set(kinds)
    for cell, word in zip(guarded, raw, strict=True):
        assert cell == (f"'{word}" if word in kinds[:4] else word)
    as_json = json.loads(call("predict", "f.model", "f.csv", "--json").out)
    assert as_json["=kind"] == raw


def test_a_class_that_reads_like_a_missing_cell_is_written_so_that_it_is_read_as_a_word(put, call):
    rows = [f'{i % 2},"{("NA", "US")[i % 2]}"' for i in range(60)]
    put({"f.csv": "\n".join(["a,country", *rows])})
    words = ("train", "f.csv", "--target", "country", "--model", "f.model", "--preset", "plain")
    assert call(*words, "--epochs", "60").status == 0
    assert call("predict", "f.model", "f.csv", "--out", "answers.csv").status == 0
    again = load_features("answers.csv").features.to_native()
    assert again.to_series().to_list() == ["NA", "US"] * 30


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.html", "<!DOCTYPE html>"),
        ("a.tex", "% Compile"),
        ("a.json", "{"),
        ("a", "The tutorial"),
        (
            "A.spoken.txt",
            "The tutorial's example: 2-2-1, linear neurons, one step of gradient descent.\n",
        ),
    ],
)
def test_the_name_of_the_file_says_the_format(folder, call, name, begins):
    answer = call("explain", "tutorial", "--out", name)
    assert answer.status == 0
    assert (folder / name).read_text(encoding="utf-8").startswith(begins)


def test_the_help_names_every_format(call):
    from deltaprop.explaining.renderers.registry import RENDERERS

    told = " ".join(call("explain", "--help").out.split())
    assert " ".join(RENDERERS) in told.replace("│ │ ", "")
