"""A number of another index, numbers in each other's places: worked out by hand, and named."""

import numpy as np
import pytest

from deltaprop.checking.mistakes.entries import exchanges, other_entries, with_entries
from deltaprop.checking.step import work_out
from deltaprop.explaining import worked_example
from deltaprop.practice import mark
from deltaprop.practice.marking.step import step_of

W1, B1 = np.array([[0.41, -0.73], [0.92, 0.35]]), np.array([0.21, -0.14])
W2, B2 = np.array([[0.83], [-0.57]]), np.array([0.11])
X, T, ETA = np.array([[1.3, 0.6]]), np.array([[0.2]]), 0.5
Z1 = X @ W1 + B1
A1 = np.tanh(Z1)
Z2 = A1 @ W2 + B2
D2 = Z2 - T
D1 = (D2 @ W2.T) * (1 - A1**2)
RIGHT = {
    "z.1": Z1, "a.1": A1, "z.2": Z2, "a.2": Z2, "loss": 0.5 * (D2**2).sum(), "delta.2": D2,
    "dW.2": A1.T @ D2, "db.2": D2[0], "delta.1": D1, "dW.1": X.T @ D1, "db.1": D1[0],
    "W.1.after": W1 - ETA * X.T @ D1, "W.2.after": W2 - ETA * A1.T @ D2,
}  # fmt: skip
EXAMPLE = {
    "layers": [{"W": W1.tolist(), "b": B1.tolist(), "activation": "tanh"},
               {"W": W2.tolist(), "b": B2.tolist()}],
    "loss": "half_squared_error", "x": X.tolist(), "targets": T.tolist(), "learning_rate": ETA,
}  # fmt: skip

SLIPS = {  # one number, as it comes to with another index somewhere
    "another input": ("z.1", (0, 0), X[0, 0] * W1[0, 0] + X[0, 0] * W1[1, 0] + B1[0]),
    "another weight": ("z.1", (0, 1), X[0, 0] * W1[0, 0] + X[0, 1] * W1[1, 1] + B1[1]),
    "another neuron's weights": ("z.1", (0, 0), X[0] @ W1[:, 1] + B1[0]),
    "another bias": ("z.1", (0, 1), X[0] @ W1[:, 1] + B1[0]),
    "another z": ("a.1", (0, 1), np.tanh(Z1[0, 0])),
    "another slope": ("delta.1", (0, 0), D2[0, 0] * W2[0, 0] * (1 - A1[0, 1] ** 2)),
    "another weight on the way back": ("delta.1", (0, 1), D2[0, 0] * W2[0, 0] * (1 - A1[0, 1]**2)),
    "another activation": ("dW.2", (0, 0), A1[0, 1] * D2[0, 0]),
    "another delta": ("dW.1", (1, 0), X[0, 1] * D1[0, 1]),
    "another delta of a bias": ("db.1", (0,), D1[0, 1]),
    "w2 in place of w4": ("W.1.after", (1, 1), (W1 - ETA * X.T @ D1)[1, 1] + W1[0, 1] - W1[1, 1]),
    "another gradient": ("W.1.after", (1, 1), W1[1, 1] - ETA * X[0, 0] * D1[0, 0]),
}  # fmt: skip


def marked(**changed):
    claims = {k: np.round(v, 5).tolist() for k, v in {**RIGHT, **changed}.items()}
    return mark({**EXAMPLE, "claims": claims})


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.one_in(5)
def test_a_number_of_another_index_is_named_where_it_stands(name):
    key, at, value = SLIPS[name]
    array = RIGHT[key].copy()
    array[at] = value
    marking = marked(**{key: array})
    (found,) = [wrong for wrong in marking.wrong if wrong.claim == key]
    assert (found.index, found.mistake) == (at, "wrong_entry"), str(marking)
    assert " stands where " in found.because


def test_two_slips_in_one_line_are_both_told():
    array = RIGHT["W.1.after"].copy()
    array[1, 1] += W1[0, 1] - W1[1, 1]
    array[0, 0] = W1[0, 0] - ETA * (X.T @ D1)[0, 1]
    marking = marked(**{"W.1.after": array})
    assert marking.mistakes == ("wrong_entry",)
    assert len(marking.wrong) == 2
    because = marking.wrong[0].because
    assert "W.1[0,1] stands where W.1[1,1] belongs" in because
    assert "dW.1[0,1] stands where dW.1[0,0] belongs" in because


@pytest.mark.parametrize("key", ["z.1", "a.1", "dW.1", "dW.2", "W.1.after", "delta.1", "db.1"])
@pytest.mark.one_in(5)
def test_numbers_in_each_others_places_are_named(key):
    marking = marked(**{key: np.flip(RIGHT[key], axis=0 if key == "dW.2" else -1)})
    first = marking.wrong[0]
    assert first.claim == key
    assert first.mistake == "swapped_entries", str(marking)


@pytest.mark.rest
def test_a_slip_of_another_kind_is_no_number_of_another_index():
    rng = np.random.default_rng(5)
    names = []
    for key, array in RIGHT.items():
        wrong = np.array(array)
        wrong.flat[0] += rng.uniform(0.1, 0.9)
        names += marked(**{key: wrong}).mistakes
    assert names.count("arithmetic") >= len(RIGHT) - 1


def test_every_operand_of_every_equation_is_tried():
    step = step_of(worked_example(EXAMPLE))
    for key, value in step.right.items():
        is_given = key[0] in "Wb" and not key.endswith(".after")
        if is_given or key.startswith("loss"):
            continue
        for at in np.ndindex(*value.shape):
            for other in other_entries(step, key, at, value.shape):
                computed = work_out(step, with_entries([other]), until=key)[0][key]
                elsewhere = np.ones(value.shape, bool)
                elsewhere[at] = False
                np.testing.assert_array_equal(computed[elsewhere], value[elsewhere])
        for what, rules in exchanges(key, value.shape):
            computed = work_out(step, rules, until=key)[0][key]
            assert sorted(computed.ravel()) == sorted(value.ravel()), (key, what)
