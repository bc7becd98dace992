"""One definition of close, and one search: the referee and marking name the same mistakes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.checking.gradients import check_gradients
from deltaprop.checking.mistakes.forms import forms_for
from deltaprop.checking.precision import DOUBLE, SINGLE, Computed, is_close, relative_error
from deltaprop.checking.rules import work_step
from deltaprop.explaining import worked_example
from deltaprop.practice import mark
from deltaprop.practice.marking.claims import Claim
from deltaprop.practice.marking.precision import Habit, read_number

NUMBERS = st.floats(1e-6, 1e6).flatmap(lambda size: st.sampled_from([size, -size]))


@given(NUMBERS, NUMBERS, st.floats(0, 1e3), st.floats(1e-9, 1.0))
def test_the_relative_error_is_the_least_share_that_is_close(stated, number, absolute, share):
    size = max(abs(stated), abs(number))
    error = relative_error(stated, number, absolute)
    assert is_close(stated, number, absolute, error * (1 + 1e-9) + 1e-12, size)
    if share < error * (1 - 1e-9):
        assert not is_close(stated, number, absolute, share, size)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_close_to_nothing(odd):
    assert not is_close(1.0, odd, np.inf, 1.0)
    assert not is_close(odd, 1.0, 1e300, 1.0)
    assert relative_error(odd, 1.0) == relative_error(1.0, odd) == np.inf
    claim = Computed("dW.1", np.array([odd]), np.array([True]), np.array([1.0]), SINGLE, 1.0)
    assert not claim.close(np.array([1.0])).any()


def claim_of(text):
    return Claim("z.1", {(0,): read_number(text)}, (1,), Habit())


@given(NUMBERS, st.integers(1, 12))
def test_a_number_written_with_some_digits_stands_for_what_rounds_to_it(number, digits):
    claim = claim_of(f"{number:.{digits - 1}e}")
    (written,) = claim.numbers.values()
    unit = max(2 * written.room(Habit()), written.cut(Habit()))
    assert claim.close(np.array([number])).all() or not written.says_enough(Habit())
    assert claim.close(claim.values).all()
    for way in (-1, 1):
        assert not claim.close(claim.values + way * 1.1 * unit).any()
    # the number as a whole and entry by entry: the same verdict
    for moved in number + unit * np.linspace(-1.5, 1.5, 13):
        assert claim.close(np.array([moved])).all() == written.is_written_for(moved, Habit())


@given(NUMBERS, st.sampled_from([DOUBLE, SINGLE]))
def test_a_computed_number_stands_for_what_its_type_cannot_tell_apart(number, relative):
    values, stated = np.array([number]), np.array([True])
    claim = Computed("dW.1", values, stated, values, relative, abs(number))
    assert claim.close(values * (1 + relative)).all()
    assert not claim.close(values * (1 + 2 * relative)).any()
    assert claim.close(values * (1 + 2 * relative), slack=2 * relative * abs(number)).all()
    assert Computed("dW.1", values, ~stated, values, relative, 1.0).close(2 * values).all()


def names(text, digits=17):
    return [names(part) for part in text] if np.ndim(text) else f"{text:.{digits}g}"


def case(seed, depth=3):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 4, size=depth + 1)
    layers = [
        {"W": rng.normal(size=(m, n)).round(2).tolist(), "b": rng.normal(size=n).round(2).tolist(),
         "activation": "tanh"}
        for m, n in pairwise(sizes)
    ]  # fmt: skip
    layers[-1].pop("activation")
    return {
        "layers": layers, "loss": "half_squared_error", "learning_rate": 0.3, "l2": 0.1,
        "x": rng.normal(size=(3, sizes[0])).round(2).tolist(),
        "targets": rng.normal(size=(3, sizes[-1])).round(2).tolist(),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2, 3))])
def test_the_referee_and_marking_give_the_same_gradients_the_same_names(seed, part):
    example = case(seed, depth=2)
    worked = worked_example(example)
    problem = worked.network, worked.parameters, np.array(worked.x), np.array(worked.targets)
    for form in list(forms_for(worked.network))[part::4]:
        gradients = work_step(form.rules, *problem, learning_rate=0.3).gradients
        report = check_gradients(*problem, gradients=gradients, learning_rate=0.3)
        claims = {f"d{name}.{i}": names(array) for i, layer in enumerate(gradients.layers, 1)
                  for name, array in layer.items()}  # fmt: skip
        marking = mark({**example, "claims": claims, "conventions": "house"})
        assert report.ok == marking.ok
        if report:
            continue
        assert form.name in report.candidates
        whole = {name for m in marking.wrong for name in m.candidates}
        assert form.name in whole
        assert whole <= set(report.candidates)


@pytest.mark.parametrize("digits", [4, 8])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.one_in(5)
def test_a_mistake_in_one_layer_only_has_its_name_in_marking_too(seed, digits):
    example = case(seed, depth=4)
    worked = worked_example(example)
    right = work_step(
        next(forms_for(worked.network)).rules, worked.network, worked.parameters,
        np.array(worked.x), np.array(worked.targets),
    )  # fmt: skip
    parameters, a = worked.parameters, right.a
    n, delta = len(a[0]), {4: (a[4] - np.array(worked.targets)) / len(a[0])}
    for layer in (3, 2, 1):
        below = delta[layer + 1] @ parameters.W[layer].T
        delta[layer] = below if layer == 1 else below * (1 - a[layer] ** 2)  # f' is missing
    assert n == 3
    numbers = {f"delta.{layer}": array for layer, array in delta.items()}
    numbers["dW.1"] = a[0].T @ delta[1] + 0.1 * parameters.W[0]
    text = {key: [[f"{v:.{digits}g}" for v in row] for row in array]
            for key, array in numbers.items()}  # fmt: skip
    marking = mark({**example, "claims": text})
    assert marking.mistakes == ("missing_f_prime",)
    assert {m.claim for m in marking.wrong} == {"delta.1"}
    assert marking.claims["dW.1"].verdict == "follows"
