"""``--target species,mass``: one command, one file, a report for each model, answers in a row."""

import numpy as np
import pytest

N = 60


@pytest.fixture
def flowers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    lines = ["height,petals,kind,wild,tall"]
    for _ in range(N):
        h, p = rng.normal(size=2)
        kind = ("aster", "clover", "daisy")[int(h > 0) + int(p > 0)]
        lines.append(f"{h:.3f},{p:.3f},{kind},{str(p > 0).lower()},{3 * h + 1:.3f}")
    (tmp_path / "flowers.csv").write_text("\n".join(lines), encoding="utf-8")


SHORT = ("--epochs", "4", "--hidden", "8", "--members", "2")


def test_targets_of_different_kinds_are_learnt_by_one_command(flowers, call, tmp_path):
    told = call("train", "flowers.csv", "--target", "kind,tall,wild", "--model", "m", "--report",
                "r.html", *SHORT)  # fmt: skip
    assert told.status == 0, told.err
    assert "saved       m" in told.out
    assert sorted(p.name for p in tmp_path.glob("r*.html")) == [
        "r-kind.html", "r-tall.html", "r-wild.html",
    ]  # fmt: skip
    answers = call("predict", "m", "flowers.csv", "--proba", "--json")
    assert answers.status == 0, answers.err
    assert "note" not in answers.err
    assert list(answers.json)[:3] == ["kind", "tall", "wild"]
    assert "P(kind=aster)" in answers.json
    assert len(answers.json["kind"]) == N
    figures = call("evaluate", "m", "flowers.csv", "--json").json["targets"]
    assert list(figures) == ["kind", "tall", "wild"]
    assert "r2" in figures["tall"]["figures"]
    assert "accuracy" in call("evaluate", "m", "flowers.csv").out
    step = call("explain", "m", "--data", "flowers.csv", "--target", "kind", "--detail", "overview")
    assert step.status == 0, step.err


def test_json_has_an_entry_for_each_model(flowers, call):
    told = call("train", "flowers.csv", "--target", "kind,tall", "--json", *SHORT)
    assert told.status == 0, told.err
    assert [entry["task"] for entry in told.json["targets"]] == ["classification", "regression"]


def test_which_one_is_asked_where_one_is_needed(flowers, call):
    call("train", "flowers.csv", "--target", "kind,tall", "--model", "m", *SHORT)
    answer = call("explain", "m", "--data", "flowers.csv")
    assert answer.status == 2
    assert "predicts kind, tall, each by a model of its own" in answer.err


def test_truth_values_share_a_network(flowers, call, tmp_path):
    table = (tmp_path / "flowers.csv").read_text(encoding="utf-8").splitlines()
    more = [
        f"{line},{'new' if i == 0 else str(i % 3 == 0).lower()}" for i, line in enumerate(table)
    ]
    (tmp_path / "flowers.csv").write_text("\n".join(more), encoding="utf-8")
    told = call("train", "flowers.csv", "--target", "wild,new", "--json", *SHORT)
    assert told.json["task"] == "multilabel"
