"""A figure has one value and one name on the terminal, in JSON, in the report and in the file."""

import html
import json
import re

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.cli.main import main
from deltaprop.reporting.figures.warnings import doubtful
from deltaprop.reporting.language import words_of
from deltaprop.reporting.page.writer import Writer
from deltaprop.table_models import Evaluation
from deltaprop.table_models.evaluation import evaluate_classes, evaluate_numbers

SMALL = ("--hidden", "8", "--epochs", "6", "--ranges", "0")


def _write(path, rng, target, n=240):
    x = rng.normal(size=(n, 3))
    y = {
        "classes": np.where(x[:, 0] + rng.normal(size=n) > 0.4, "yes", "no"),
        "three": rng.choice(["a", "b", "c"], n),
        "numbers": 3000 + 400 * x[:, 0] + 200 * rng.normal(size=n),
    }[target]
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}).write_csv(path)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        assert main(list(words)) == 0
        return capsys.readouterr()

    return call


def _shown(value):
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.6g}"


@pytest.mark.one_in(6)
@pytest.mark.parametrize("validated", ["folds", "one share", "a table"])
@pytest.mark.parametrize("target", ["classes", "three", "numbers"])
def test_terminal_json_report_and_file_tell_the_same_numbers(target, validated, run, rng, tmp_path):
    _write(tmp_path / "t.csv", rng, target)
    _write(tmp_path / "v.csv", rng, target)
    how = {
        "folds": ("--members", "2"),
        "one share": ("--members", "1"),
        "a table": ("--members", "2", "--val", "v.csv"),
    }[validated]
    command = ("train", "t.csv", "--target", "y", *SMALL, *how)
    printed = run(*command, "--model", "m.safetensors", "--report", "r.html").out
    facts = json.loads(run(*command, "--json").out)
    figures = facts["held_out"]["figures"]
    names = words_of("en")
    # the file
    model = dp.load("m.safetensors")
    assert model.held_out.figures == figures
    # the report
    table = pl.read_csv("t.csv")
    val = pl.read_csv("v.csv")
    report = dp.report(
        model,
        table.drop("y"),
        table["y"].to_numpy(),
        validation=(val.drop("y"), val["y"].to_numpy()) if validated == "a table" else None,
    )
    assert report.validation.figures == pytest.approx(figures, rel=1e-6)
    assert report.interval == pytest.approx(tuple(facts["held_out"]["interval"]), rel=1e-6)
    page = html.unescape(re.sub(r"<[^>]+>", " ", (tmp_path / "r.html").read_text("utf-8")))
    pieces = Writer("en")
    line = next(line for line in printed.splitlines() if line.startswith("validation"))
    for name, value in figures.items():
        share = name in ("accuracy", "majority", "balanced_accuracy")
        written = pieces.share(value) if share else pieces.figure(value)
        assert re.search(rf"{re.escape(names[name])}\s+[^a-z]*{re.escape(written)}", page), name
        if name in ("accuracy", "log_loss", "auc", "r2", "rmse", "mae"):
            assert f"{names[name]} {_shown(value)}" in line
    assert facts["held_out"]["figure"] == figures[facts["held_out"]["metric"]]
    # the judge's own sums, in the unit of the target
    if validated == "a table":
        found = model.evaluate(val.drop("y"), val["y"].to_numpy()).figures
        assert found == pytest.approx(figures, rel=1e-6)
        told = json.loads(run("evaluate", "m.safetensors", "v.csv", "--json").out)
        assert told["figures"] == pytest.approx(figures, rel=1e-6)
    if report.calibration is not None and validated != "a table":
        assert report.calibration.loss_after == pytest.approx(figures["log_loss"], rel=1e-6)


def test_a_classifier_no_better_than_the_commonest_class_is_said_to_be_so(run, rng, tmp_path):
    n = 600
    y = np.where(rng.random(n) < 0.1, "leaves", "stays")
    table = pl.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "y": y})
    table.write_csv(tmp_path / "t.csv")
    said = run("train", "t.csv", "--target", "y", *SMALL, "--report", "r.html", "--model", "m.st")
    share = (y == "stays").mean()
    assert f"always the commonest class: {share:.4f}" in said.out
    assert "better than always saying the commonest class" in " ".join(said.err.split())
    assert "class “leaves”" in said.err
    page = html.unescape((tmp_path / "r.html").read_text("utf-8"))
    assert "better than always saying the commonest class" in page
    assert "Nothing suspicious" not in page
    assert "commonest class" in run("evaluate", "m.st", "t.csv").err


def test_a_regression_that_may_be_no_better_than_the_mean_is_said_to_be_so(run, rng, tmp_path):
    table = pl.DataFrame({"a": rng.normal(size=300), "y": rng.normal(5000, 100, 300)})
    table.write_csv(tmp_path / "t.csv")
    said = run("train", "t.csv", "--target", "y", *SMALL)
    assert "better than always saying the mean" in " ".join(said.err.split())
    spread = table["y"].to_numpy().std()
    assert f"always the mean: R² 0, RMSE {_shown(spread)}" in said.out


@pytest.mark.parametrize(
    ("right", "majority", "verdict"),
    [(8974, 8972, "hardly better"), (8900, 8972, "no better"), (9200, 8972, None)],
)
def test_the_verdict_asks_whether_the_interval_excludes_the_baseline(right, majority, verdict):
    n = 10_000
    labels = np.repeat([0, 1], [majority, n - majority])
    predicted = labels.copy()
    predicted[: n - right] = 1 - predicted[: n - right]
    found = evaluate_classes(predicted, np.full(n, 0.5), labels, ("no", "yes"))
    assert found.figures["accuracy"] == right / n
    assert found.verdict == verdict
    assert bool(doubtful(found)) == (verdict is not None)


def test_the_interval_of_r2_holds_the_truth_in_about_95_of_100_tables(rng):
    inside = 0
    for _ in range(400):
        t = rng.normal(size=(150, 1))
        p = 0.5 * t + 0.5 * rng.normal(size=(150, 1))
        low, high = evaluate_numbers(p, t).interval
        inside += low <= 0.5 <= high  # 1 - E(t - p)^2 = 1 - 0.25 - 0.25
    assert 0.90 < inside / 400 < 0.99


def test_rows_that_judge_are_held_out_and_told_from_those_that_were_learnt(run, rng, tmp_path):
    _write(tmp_path / "t.csv", rng, "classes", 400)
    command = ("train", "t.csv", "--target", "y", *SMALL, "--hold-out", "0.25")
    said = run(*command, "--model", "m.st", "--report", "r.html")
    assert re.search(r"^test +accuracy .*\n +100 rows\n", said.out, re.MULTILINE)
    facts = json.loads(run(*command, "--json").out)
    assert (facts["test"]["rows"], facts["test"]["rows_learnt"]) == (100, 0)
    seen = run("evaluate", "m.st", "t.csv")
    assert "300 of 400 rows were learnt" in seen.out
    assert "by heart" in seen.err
    assert json.loads(run("evaluate", "m.st", "t.csv", "--json").out)["rows_learnt"] == 300
    unseen = json.loads(run("evaluate", "m.st", "t.csv", "--unseen", "--json").out)
    assert unseen["figures"] == pytest.approx(facts["test"]["figures"])


def test_a_model_without_memory_says_nothing_of_rows(run, rng, tmp_path, capsys):
    _write(tmp_path / "t.csv", rng, "classes")
    run("train", "t.csv", "--target", "y", *SMALL, "--forget-rows", "--model", "m.st")
    assert "learnt" not in run("evaluate", "m.st", "t.csv").out
    assert json.loads(run("evaluate", "m.st", "t.csv", "--json").out)["rows_learnt"] is None
    assert main(["evaluate", "m.st", "t.csv", "--unseen"]) == 2
    assert "--forget-rows" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--hold-out", "1.5"), ("--hold-out", "0"),
                                   ("--hold-out", "0.2", "--test", "t.csv")])  # fmt: skip
def test_a_share_that_cannot_be_held_out_is_refused(words, rng, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "t.csv", rng, "classes")
    assert main(["train", "t.csv", "--target", "y", *words]) == 2
    assert "--hold-out is" in capsys.readouterr().err


def test_an_evaluation_without_a_headline_is_refused():
    with pytest.raises(dp.errors.DataError, match="accuracy or r2"):
        Evaluation("classification", 3, {})
