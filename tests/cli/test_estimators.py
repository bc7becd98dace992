"""Files of estimators on the command line: judged, explained and checked as a table's model is."""

import csv
import io
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

import deltaprop


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def estimators(folder):
    """Save an estimator of each kind, and return the table they were fitted to."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    frame = pd.read_csv("flowers.csv")
    X, kind, petals = frame[["height", "width", "colour"]], frame["kind"], frame["petals"]
    settings = {"hidden_layer_sizes": (4,), "max_iter": 20, "random_state": 0}
    numbers = X[["height", "width"]]
    deltaprop.MLPClassifier(**settings).fit(X, kind).save("plain.safetensors")
    deltaprop.MLPClassifier(**settings).fit(X, kind == "aster").save("two.safetensors")
    deltaprop.MLPClassifier(preset="best", **settings).fit(X, kind).save("best.safetensors")
    deltaprop.MLPRegressor(**settings).fit(numbers, petals).save("numbers.safetensors")
    deltaprop.MLPRegressor(**settings).fit(numbers.to_numpy(), petals).save("array.safetensors")
    labels = np.column_stack([kind == "aster", kind == "clover"]).astype(int)
    deltaprop.MLPClassifier(**settings).fit(numbers, labels).save("labels.safetensors")
    deltaprop.save("bare.safetensors", deltaprop.Network([2, 2]),
                   deltaprop.Network([2, 2]).init(np.random.default_rng(0)))  # fmt: skip
    return frame


@pytest.mark.parametrize("name", ["plain", "best", "two", "numbers"])
@pytest.mark.one_in(3)
def test_a_saved_estimator_predicts_and_is_judged_and_checked(estimators, call, name):
    file = f"{name}.safetensors"
    given = deltaprop.load(file)
    answer = call("predict", file, "flowers.csv")
    assert answer.status == 0, answer.err
    column = {"numbers": "petals"}.get(name, "kind")
    known = given.predict(estimators[list(given.feature_names_in_)])
    shown = [row[column] for row in read(answer.out)]
    if name == "numbers":
        np.testing.assert_allclose([float(cell) for cell in shown], known, rtol=1e-6)
    else:
        assert shown == [str(c).lower() if name == "two" else c for c in known.tolist()]
        p = call("predict", file, "flowers.csv", "--proba").out
        some = [[float(cell) for cell in list(row.values())[1:]] for row in read(p)]
        np.testing.assert_allclose(
            some, given.predict_proba(estimators[list(given.feature_names_in_)]), rtol=1e-6
        )
    assert call("check", file).status == 0
    if name == "two":
        return
    evaluated = call("evaluate", file, "flowers.csv", "--json")
    truth = estimators[column]
    score = given.score(estimators[list(given.feature_names_in_)], truth)
    key = "r2" if name == "numbers" else "accuracy"
    assert evaluated.json["figures"][key] == pytest.approx(score)


@pytest.mark.parametrize("name", ["plain", "best", "numbers"])
@pytest.mark.one_in(3)
def test_a_row_of_a_saved_estimator_is_explained(estimators, call, name):
    answer = call("explain", f"{name}.safetensors", "--data", "flowers.csv", "--row", "7")
    assert answer.status == 0, answer.err
    assert answer.out.startswith("The step row 7 of flowers.csv would cause")
    assert "height" in answer.out


def test_an_estimator_of_several_labels_answers_each(estimators, call):
    answer = call("predict", "labels.safetensors", "flowers.csv", "--json")
    assert answer.status == 0, answer.err
    assert all(set(column) <= {0, 1} for column in answer.json.values())
    assert len(answer.json) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["evaluate", "array.safetensors", "flowers.csv", "--target", "petals"], "array of 2"),
        (["predict", "bare.safetensors", "flowers.csv"], "bare network"),
        (["predict", "plain.safetensors", "less.csv"], "lacks 'colour'"),
        (["predict", "numbers.safetensors", "flowers.csv", "--proba"], "needs classes"),
    ],
)
@pytest.mark.one_in(3)
def test_what_an_estimator_cannot_answer_is_said(estimators, call, words, says):
    estimators.drop(columns="colour").to_csv("less.csv", index=False)
    answer = call(*words)
    assert (answer.status, answer.out) == (2, "")
    assert says in " ".join(answer.err.split())
    assert answer.err.startswith("deltaprop: ")


def test_an_array_has_its_columns_in_their_order(estimators, call):
    estimators[["height", "width", "petals"]].to_csv("three.csv", index=False)
    answer = call("evaluate", "array.safetensors", "three.csv", "--target", "petals")
    assert answer.status == 0, answer.err


@pytest.mark.parametrize("name", ["numbers", "array"])
def test_numbers_in_another_notation_are_numbers_for_estimators_too(estimators, call, name):
    numbers = estimators[["height", "width"]]
    numbers.to_csv("german.csv", sep=";", decimal=",", index=False)
    answer = call("predict", f"{name}.safetensors", "german.csv")
    assert answer.status == 0, answer.err
    numbers.to_csv("plain.csv", index=False)
    assert answer.out == call("predict", f"{name}.safetensors", "plain.csv").out
