"""train, predict and evaluate: every target and every form of a table."""

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
from deltaprop.tabular import load_dataset, load_features

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
@pytest.mark.one_in(3)
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


@pytest.mark.slow
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
@pytest.mark.one_in(3)
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
