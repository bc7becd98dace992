"""What does not fit is refused in a sentence, and nothing is lost by it."""

import numpy as np
import pytest

import deltaprop as dp
from helpers.page_engine import N, case, then

# what does not fit into a float64, at which learning rate, and of which rows
TOO_LARGE = {
    "the loss": (1e50, None),
    "a gradient": (1e-3, {"x": [[1e200, 0.0]], "targets": [[1e150, 0.0]]}),
    "a parameter": (1e300, {"x": [[1e10, 0.0]], "targets": [[1e10, 0.0]]}),
}


@pytest.mark.parametrize("why", TOO_LARGE)
def test_it_stands_before_the_step_that_cannot_be_taken(ask, why):
    eta, rows = TOO_LARGE[why]
    one = case(dp.Network([2, 2], loss="half_squared_error"), eta=eta)
    if rows:
        one.told["calls"][0], one.told["calls"][2] = (
            ["setParameters", [0] * 6],
            ["setRows", "training", rows],
        )
    calls = [
        ["run", 50], ["snapshot"], ["position"], ["run", 50], ["snapshot"], ["trace"],
        ["setLearningRate", 0.0], ["position"], ["run", 1],
    ]  # fmt: skip
    ((*_, ran, stands, position, again, still, trace, _, later, _),) = ask([then(one, *calls)])
    assert ran["diverged"] == position["diverged"] == again["diverged"] == why
    assert ran["steps"] == position["stepsDone"]
    assert again["steps"] == 0
    assert still == stands
    assert np.isfinite([float(number) for number in trace["parameters"]]).all()
    assert later["diverged"] is None


def layers(*given):
    return {"layers": [{"n_in": 5, "n_out": 3, **given[0]}, *given[1:]]}


USUAL = {
    **layers({}), "loss": "cross_entropy", "rule": {"name": "gradient_descent"}, "batch_size": 4,
}  # fmt: skip
# what is said, and of which change of the usual description
REFUSED = {
    "Layer 1 knows no activation 'step', only identity, relu": layers({"activation": "step"}),
    "The network knows no loss 'hinge', only cross_entropy": {"loss": "hinge"},
    "The network knows no loss 'null'": {"loss": None},
    "The optimizer knows no name 'muon', only gradient_descent": {"rule": {"name": "muon"}},
    "The optimizer needs the keyword 'beta_2'": {"rule": {"name": "adam", "beta_1": 0.9}},
    "has no keyword 'momentum'": {"rule": {"name": "gradient_descent", "momentum": 0.9}},
    "cannot take its momentum from 'much'": {"rule": {"name": "momentum", "momentum": "much"}},
    "are at least 0 and below 1": {"rule": {"name": "momentum", "momentum": 1.5}},
    "knows no kind 'convolution', only dense": layers({"kind": "convolution"}),
    "needs the keyword 'epsilon'": layers({"kind": "layer_norm", "n_out": 5}),
    "whole numbers from 1": layers({"n_in": 0}),
    "A layer has the sizes of its kind": layers({"kind": "scaling", "n_out": 9}),
    "A step has a row at least": {"batch_size": 0},
    "cannot take its batch_size from '2.5'": {"batch_size": 2.5},
    "l2 and l1 are not below 0": {"l2": -1},
    "cannot take its seed from 'seven'": {"seed": "seven"},
    "no memory for so many weights, or": layers({"n_out": 2**20}, {"n_out": 2**20}),
    "or for batches of so many rows": {"batch_size": 2**30},
    "cannot take its label_smoothing from 'Infinity'": {"label_smoothing": "Infinity"},
    "A network has a layer at least": {"layers": []},
    "A network ends with a dense layer": layers({}, {"kind": "scaling"}),
    "A layer reads what the one before writes": layers({}, {"n_in": 4, "n_out": 2}),
    "drop_probability is at least 0 and below 1": layers({"drop_probability": 1.0}),
}


def test_a_description_that_does_not_fit_is_refused_in_a_sentence(ask):
    described = [{"description": {**USUAL, **change}, "calls": []} for change in REFUSED.values()]
    *answers, good = ask([*described, {"description": USUAL, "calls": [["parameters"]]}])
    assert good == [[0.0] * 18]
    for said, answer in zip(REFUSED, answers, strict=True):
        assert said in answer[0]["refused"], (said, answer)


def test_calls_that_do_not_fit_are_refused_in_a_sentence(ask):
    one = case(dp.Network([5, 4, 3], "tanh"), dp.Momentum())
    rows, nothing = one.told["calls"][2][2], [["snapshot"]]
    x, labels = rows["x"], rows["labels"]
    plane = {"origin": [0] * 5, "across": [1] * 5, "down": [0] * 5, "columns": 2, "rows": 2}
    holed = [[None if (i, j) == (7, 2) else v for j, v in enumerate(r)] for i, r in enumerate(x)]
    bad = {
        "are 39 numbers, not 3": ["setParameters", [1, 2, 3]],
        "are finite numbers": ["setParameters", [None] * 38 + ["x"]],
        "keeps 1 numbers for each": ["state", 1],
        "learning rate is a finite number": ["setLearningRate", "fast"],
        "Each row of x has 5 numbers": ["setRows", "training", {"x": [[1, 2]], "labels": [0]}],
        "no rows of 5": ["setRows", "training", {"x": [1.0, 2.0], "labels": [0]}],
        "There are 23 rows and 2 labels": ["setRows", "training", {"x": x, "labels": [0, 1]}],
        "whole numbers from 0 to 2": ["setRows", "training", {"x": x, "labels": [*labels[1:], 3]}],
        "have labels or targets": ["setRows", "training", {"x": x}],
        "learns from probabilities": ["setRows", "training", {"x": x, "targets": [[0.5] * 3] * N}],
        "Row 7 of x holds something that is not a finite number in column 2": [
            "setRows", "training", {"x": holed, "labels": labels},
        ],
        "The weight of row 0": ["setRows", "training", {**rows, "weights": [-1.0] * N}],
        "All weights of the rows are 0": ["setRows", "training", {**rows, "weights": [0.0] * N}],
        "has a row at least": ["setRows", "training", {"x": [], "labels": []}],
        "for training or for validation": ["setRows", "testing", rows],
        "number of steps is a whole number": ["run", -1],
        "no snapshot of this network": ["restore", [1.0, 2.0]],
        "No rows have been traced yet": ["lossAt", [0] * 39],
        "no rows for that yet": ["evaluate", "validation"],
        "There is no row 23 among 23": ["trace", [0, 23]],
        "1 to 128 rows at a time": ["trace", [0] * 129],
        "There are layers 0 to 1": ["predict", x, 2],
        "5 numbers for each of its axes": ["field", {**plane, "across": [1] * 10}],
        "has a column and a row": ["field", {**plane, "columns": 0}],
    }  # fmt: skip
    (answer,) = ask([then(one, ["run", 3], *nothing, *bad.values(), *nothing)])
    _, *said, after = answer[len(one.told["calls"]) :]
    before, *said = said
    for expected, found in zip(bad, said, strict=True):
        assert expected in found.get("refused", ""), (expected, found)
    assert after == before  # nothing was half done


def test_a_snapshot_of_other_rows_is_refused(ask):
    one = case(dp.Network([5, 3]))
    rows = one.told["calls"][2][2]
    fewer = {name: part[:5] for name, part in rows.items()}
    calls = [["snapshot"], ["setRows", "training", fewer], ["restore", {"back": 3}]]
    ((*_, answer),) = ask([then(one, *calls)])
    assert "This snapshot was taken with other rows: there are 5" in answer["refused"]


def test_memory_stays_flat(ask):
    """Of networks that are made, fed, trained, looked at and given back; refused ones, too."""
    one = case(dp.Network([5, 200, 3], "tanh"), dp.Adam())
    rows = one.told["calls"][2][2]
    wrong = {**rows, "weights": [-1.0] * N}
    looked = then(
        one, ["trace"], ["run", 9], ["evaluate", "training"], ["setRows", "training", rows],
        ["setRows", "validation", wrong], ["snapshot"],
    )  # fmt: skip
    ((before, after),) = ask([{**looked, "ask": "memories", "rounds": 40}])
    assert before == after


def test_where_there_is_no_memory_it_says_so(ask):
    """And the engine goes on, where a page is asked for more than it has."""
    one = case(dp.Network([5, 3]))
    most = {
        "columns": 100_000,
        "rows": 100_000,
        **{k: [0.0] * 5 for k in ("origin", "across", "down")},
    }
    ((*_, answer, ran),) = ask([then(one, ["field", most], ["run", 1])])
    assert "A page has no memory for" in answer["refused"]
    assert ran["steps"] == 1


def test_where_memory_has_run_out_an_engine_ends_in_a_sentence(ask):
    """And another one is as good as new."""
    told = case(dp.Network([50, 400, 3])).told["description"]
    ((first, then, fault, n),) = ask([{"ask": "starved", "description": told}])
    assert first == f"EngineError: {fault}"
    assert "A page has no memory for" in fault
    assert then == f"EngineError: This engine has ended: {fault}"
    assert n == 50 * 400 + 400 + 400 * 3 + 3
