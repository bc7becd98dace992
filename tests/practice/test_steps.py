"""Several steps in one file: each goes on with what was claimed before it."""

import numpy as np
import pytest

from deltaprop.checking.step import work_out
from deltaprop.errors import DataError
from deltaprop.explaining import worked_example
from deltaprop.practice import mark
from deltaprop.practice.marking.step import next_step, step_of

EXAMPLE = {
    "layers": [{"W": [[0.5, -0.3], [0.2, 0.8]], "b": [0.1, 0.0], "activation": "sigmoid"},
               {"W": [[0.4], [-0.6]], "b": [0.2]}],
    "loss": "half_squared_error", "x": [[1.0, 0.5]], "targets": [[0.9]], "learning_rate": 0.5,
}  # fmt: skip
LINES = ("z.1", "a.1", "z.2", "loss", "delta.2", "dW.2", "delta.1", "dW.1", "W.1.after",
         "W.2.after", "b.1.after", "b.2.after")  # fmt: skip


def written(value, digits):
    if np.ndim(value):
        return [written(part, digits) for part in value]
    return f"{float(value):.{digits}f}"


def worked_by_hand(example, n, digits):
    """Return the claims of n steps by somebody who goes on with his rounded numbers."""
    found = []
    for _ in range(n):
        right = work_out(step_of(worked_example(example)))[0]
        claims = {key: written(right[key], digits) for key in LINES}
        found.append(claims)
        layers = [
            layer | {"W": np.array(claims[f"W.{i}.after"], dtype=float).tolist(),
                     "b": np.array(claims[f"b.{i}.after"], dtype=float).tolist()}
            for i, layer in enumerate(example["layers"], start=1)
        ]  # fmt: skip
        example = example | {"layers": layers}
    return found


@pytest.mark.parametrize("digits", [3, 4, 6])
@pytest.mark.parametrize("more", [{}, {"optimizer": {"name": "momentum", "momentum": 0.5}}])
def test_whoever_goes_on_with_his_own_numbers_is_not_accused(digits, more):
    steps = worked_by_hand(EXAMPLE, 4, digits)
    if more:  # exactly, since the velocity is nowhere written
        worked, steps = worked_example(EXAMPLE | more), []
        for _ in range(4):
            steps.append({k: written(v, digits) for k, v in work_out(step_of(worked))[0].items()
                          if k in LINES})  # fmt: skip
            worked = next_step(worked)
    marking = mark(EXAMPLE | more | {"steps": steps})
    assert not marking.wrong, marking
    assert {found.step for found in marking.marks} == {1, 2, 3, 4}
    assert sum(found.ok for found in marking.marks) > 0.8 * len(marking.marks)
    assert marking.marks[-1].id == "step 4: b.2.after[0]"
    assert "step 2: z.1" in marking.claims
    assert "step 3: W.1.after" in str(marking)


def test_a_mistake_is_told_in_its_step_and_what_follows_is_not_wrong():
    steps = worked_by_hand(EXAMPLE, 3, 6)
    wrong = {**EXAMPLE, "layers": EXAMPLE["layers"]}
    right = work_out(step_of(worked_example(wrong)))[0]
    ascent = {
        f"{name}.{i}.after": written(
            right[f"{name}.{i}"] + 0.5 * right[f"d{name}.{i}"], 6) for name in "Wb" for i in (1, 2)
    }  # fmt: skip
    layers = [
        layer | {"W": np.array(ascent[f"W.{i}.after"], dtype=float).tolist(),
                 "b": np.array(ascent[f"b.{i}.after"], dtype=float).tolist()}
        for i, layer in enumerate(EXAMPLE["layers"], start=1)
    ]  # fmt: skip
    steps = [steps[0] | ascent, *worked_by_hand(EXAMPLE | {"layers": layers}, 2, 6)]
    marking = mark(EXAMPLE | {"steps": steps})
    assert marking.mistakes == ("sign",)
    assert {found.step for found in marking.wrong} == {1}
    assert marking.claims["step 2: z.1"].verdict == "follows"
    assert not marking.ok


def test_each_step_may_have_rows_of_its_own_and_may_claim_nothing():
    rows = [([[1.0, 0.5]], [[0.9]]), ([[0.0, 1.0]], [[0.1]]), ([[1.0, 1.0]], [[0.5]])]
    worked, steps = worked_example(EXAMPLE), []
    for number, (x, t) in enumerate(rows):
        here = worked_example(EXAMPLE | {"x": x, "targets": t})
        here = type(here)(**{**vars(here), "parameters": worked.parameters, "state": worked.state})
        numbers = work_out(step_of(here))[0]
        claims = {k: written(v, 8) for k, v in numbers.items() if k in LINES}
        steps.append({"x": x, "targets": t} | ({"claims": claims} if number != 1 else {}))
        worked = next_step(here)
    marking = mark(EXAMPLE | {"steps": steps})
    assert marking.ok
    assert {found.step for found in marking.marks} == {1, 3}


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({"z.1": []}, "steps is a mapping; expected a list of claims"),
        ([1], "steps is a list; expected a list of claims"),
        ([{"x": [[1.0, 2.0]], "clams": {}}], "No key of step 1 is called 'clams'.*'claims'"),
        ([{"x": [[1.0, 2.0], [3.0]]}], "x of step 1 is ragged"),
        ([{"z.1": [["a", "b"]]}], "step 1"),
        ([{"claims": [1]}], "claims of step 1 is a list"),
    ],
)
def test_what_is_no_list_of_steps_is_refused(steps, words):
    with pytest.raises(DataError, match=words):
        mark(EXAMPLE | {"steps": steps})
    with pytest.raises(DataError, match="there are claims and steps"):
        mark(EXAMPLE | {"steps": [], "claims": {"loss": 1.0}})
