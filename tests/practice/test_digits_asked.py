"""Digits as asked for: fewer are too coarse, a slip in the last of them is never right."""

from decimal import Decimal

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.notation.digits import number_text
from deltaprop.practice import mark
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.practice.marking.mark import COARSE, WRONG

# z = 0.7 x 0.9 - 0.1234 x 0.4 = 0.58064
EXAMPLE = {
    "layers": [{"W": [[0.9], [-0.4]]}], "loss": "half_squared_error", "x": [[0.7, 0.1234]],
    "targets": [[1.0]], "learning_rate": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module", params=[1, pytest.param(40, marks=pytest.mark.slow)])
def tasks(request):
    return [dp.exercise(level, seed) for level in LEVELS for seed in range(request.param)]


def slipped(task, key, index, slip, digits):
    """Return the marks of the key, with a slip in one number written with so many digits."""
    value = float(task.values[key][index])
    text = Decimal(number_text(value, digits))
    unit = Decimal(1).scaleb(text.as_tuple().exponent)
    answers = np.array(task.texts(key), dtype=object)
    answers[index] = str(text + slip * unit if isinstance(slip, int) else text + slip)
    marking = task.mark({**task.key, key: answers.tolist()})
    return next(m for m in marking.marks if (m.claim, m.index) == (key, index))


def places(task):
    """Yield a place in each z that is asked."""
    for key in task.asked:
        if key.startswith("z."):
            shape = task.values[key].shape
            yield key, tuple(map(int, np.unravel_index(task.seed % np.prod(shape), shape)))


def test_a_slip_of_a_hundredth_in_any_z_is_never_accepted(tasks):
    for task in tasks:
        for key, index in places(task):
            found = slipped(task, key, index, Decimal("0.01"), task.digits)
            assert not found.ok, (task.level, task.seed, found)


def test_a_slip_of_one_unit_of_the_last_asked_digit_is_never_accepted(tasks):
    """Of what is worked out from given numbers; behind that rounding on the way may do as much."""
    for task in tasks:
        for key, index in places(task):
            for slip in (1, -1) if key == "z.1" else ():
                found = slipped(task, key, index, slip, task.rules.least_digits)
                assert not found.ok, (task.level, task.seed, slip, found)


def test_the_right_number_with_as_many_digits_as_asked_is_right(tasks):
    for task in tasks:
        for key, index in places(task):
            assert slipped(task, key, index, 0, task.rules.least_digits).ok


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("0.581", "right"),
        ("0.5806", "right"),
        ("0.58064", "right"),
        ("0.580", WRONG),  # cut off at the last digit that is asked for
        ("0.582", WRONG),
        ("0.5807", WRONG),
        ("0.58", COARSE),
        ("0.6", COARSE),
        ("0.57", WRONG),
        ("1", COARSE),
    ],
)
def test_digits_as_asked_for(text, verdict):
    marking = mark({**EXAMPLE, "digits": 3, "claims": {"z.1": [[text]]}})
    assert [found.verdict for found in marking.marks] == [verdict]
    assert marking.ok is (verdict == "right")
    assert bool(marking.wrong) is (verdict == WRONG)


def test_what_is_too_coarse_says_how_many_decimals_to_write():
    marking = mark(
        {**EXAMPLE, "digits": 4, "claims": {"z.1": [["0.58"]], "delta.1": [["-0.4194"]]}}
    )
    coarse, right = marking.marks
    assert (
        coarse.because
        == "z.1[0,0] is right as far as it goes, but 0.58 is too coarse: write 4 decimals."
    )
    assert right.verdict == "right"  # from the right number, not from the coarse one
    assert not marking
    assert marking.counts[COARSE] == 1


def test_what_is_right_for_nobody_who_asks_keeps_its_verdict():
    assert mark({**EXAMPLE, "claims": {"z.1": [["0.58"]]}})
    assert mark({**EXAMPLE, "claims": {"z.1": [["0.580"]]}})  # cut off


@pytest.mark.parametrize("digits", [0, 18, 2.5, "3", True])
def test_digits_are_a_whole_number(digits):
    with pytest.raises(DataError, match="digits is"):
        mark({**EXAMPLE, "digits": digits, "claims": {"z.1": [["0.58"]]}})


def test_of_arrays_it_is_told_how_near_they_are():
    claims = {"z.1": [["0.58064"]], "dW.1": [["-0.29355"], ["-0.051749"]], "loss": "0.5"}
    marking = mark({**EXAMPLE, "claims": claims})
    assert marking.compared["z.1"] == (True, True, 0.0)
    exact, approximate, largest = marking.compared["dW.1"]
    assert not exact
    assert approximate
    assert largest == pytest.approx(2e-6, abs=1e-6)
    assert marking.compared["loss"][:2] == (False, False)
    assert marking.to_dict()["claims"]["dW.1"]["largest_difference"] == largest
    assert f"2 numbers  within {largest:.1g}" in str(marking)


def test_what_comes_of_rounding_before_is_not_called_rounded():
    claims = {"z.1": [["0.581"]], "delta.1": [["-0.419"]], "loss": "0.0878"}
    found = {one.claim: one.because for one in mark({**EXAMPLE, "claims": claims}).marks}
    assert found["loss"].endswith("0.0878 is what the rounded numbers before it give.")
