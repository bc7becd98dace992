"""Schedules: their values at both ends, their shape between, and torch's where they coincide."""

import json
from math import cos, log2, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.training.optimizers import Adam
from deltaprop.training.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    LogCosine,
    OneCycle,
    Step,
    Warmup,
    as_schedule,
    schedule_from_dict,
    schedule_to_dict,
)

EVERY = {
    "constant": Constant(0.2),
    "step": Step(0.2, every=30, factor=0.5),
    "exponential": Exponential(0.2, final=0.01),
    "cosine": Cosine(0.2, final=0.05, hold=0.3),
    "log_cosine": LogCosine(0.2, cycles=3),
    "one_cycle": OneCycle(0.2, rise=0.25),
    "warmup": Warmup(Cosine(0.2), steps=20),
}
ROWS = pytest.mark.parametrize("schedule", EVERY.values(), ids=EVERY)


def rates(schedule, n):
    return np.array([schedule(step, n) for step in range(n)])


def test_there_is_an_example_of_every_schedule():
    assert {name: type(schedule) for name, schedule in EVERY.items()} == SCHEDULES


@ROWS
@pytest.mark.parametrize("n", [1, 2, 3, 7, 100])
def test_every_rate_is_positive_and_never_above_the_one_named(schedule, n):
    eta = rates(schedule, n)
    assert (eta > 0).all()
    assert eta.max() <= 0.2 * (1 + 1e-12)


def test_a_constant_is_constant():
    assert (rates(Constant(0.2), 50) == 0.2).all()


def test_a_staircase_has_its_stairs():
    eta = rates(Step(1.0, every=10, factor=0.5), 35)
    np.testing.assert_allclose(eta, np.repeat([1.0, 0.5, 0.25, 0.125], 10)[:35], rtol=1e-15)


def test_an_exponential_falls_by_the_same_factor_at_each_step_to_its_end():
    schedule = Exponential(0.2, final=0.01)
    eta = rates(schedule, 100)
    assert eta[0] == 0.2
    np.testing.assert_allclose(eta[1:] / eta[:-1], 0.01 ** (1 / 100), rtol=1e-13)
    assert schedule(100, 100) == pytest.approx(0.2 * 0.01, rel=1e-13)


def test_a_cosine_starts_at_the_top_is_half_way_in_the_middle_and_ends_at_its_share():
    schedule = Cosine(0.2, final=0.1)
    assert schedule(0, 100) == 0.2
    assert schedule(50, 100) == pytest.approx((0.2 + 0.02) / 2, rel=1e-14)
    assert schedule(100, 100) == pytest.approx(0.02, rel=1e-14)
    assert Cosine(0.2)(25, 100) == pytest.approx(0.1 * (1 + cos(pi / 4)), rel=1e-14)


def test_a_held_cosine_keeps_its_top_and_then_falls_as_fast_as_it_must():
    eta = rates(Cosine(0.2, hold=0.5), 100)
    assert (eta[:51] == 0.2).all()
    np.testing.assert_allclose(eta[50:], rates(Cosine(0.2), 50), rtol=1e-13)


def test_a_log_cosine_has_its_waves_each_twice_as_long_as_the_one_before():
    n = 1500
    eta = rates(LogCosine(0.2, cycles=4), n)
    t = (np.arange(n) + 0.5) / n
    expected = [0.1 * (1 - cos(2 * pi * log2(1 + 15 * each))) for each in t]
    np.testing.assert_allclose(eta, expected, rtol=1e-14)
    valleys = np.flatnonzero((eta[1:-1] < eta[:-2]) & (eta[1:-1] < eta[2:])) + 1
    assert list(np.round(t[valleys] * 15)) == [1, 3, 7]  # the waves end at (2^k - 1) / 15
    assert (eta[valleys] < 1e-4).all()
    tops = np.flatnonzero((eta[1:-1] > eta[:-2]) & (eta[1:-1] > eta[2:])) + 1
    assert len(tops) == 4
    np.testing.assert_allclose(eta[tops], 0.2, rtol=1e-3)


@pytest.mark.parametrize("schedule", [Step(0.2, 10), Exponential(0.2), Cosine(0.2)], ids=str)
def test_a_falling_schedule_never_rises(schedule):
    assert (np.diff(rates(schedule, 100)) <= 0).all()


@pytest.mark.parametrize("cls", [Exponential, Cosine])
def test_what_is_left_is_reached_one_step_after_the_last(cls):
    schedule = cls(0.2, final=0.05)
    assert rates(schedule, 100)[-1] > 0.2 * 0.05
    assert schedule(100, 100) == pytest.approx(0.2 * 0.05, rel=1e-13)


def test_one_cycle_rises_to_its_top_and_falls_far_below_its_start():
    schedule = OneCycle(0.2, rise=0.3)
    eta = rates(schedule, 100)
    assert eta[0] == pytest.approx(0.2 / 25, rel=1e-13)
    assert eta.argmax() == 30
    assert eta[30] == pytest.approx(0.2, rel=1e-13)
    assert (np.diff(eta[:31]) > 0).all()
    assert (np.diff(eta[30:]) < 0).all()
    assert schedule(100, 100) == pytest.approx(0.2 / 10000, rel=1e-12)
    assert eta[15] == pytest.approx((0.2 + 0.2 / 25) / 2, rel=1e-13)


def test_a_warm_up_rises_in_a_line_and_hands_over():
    schedule = Warmup(Cosine(0.2), steps=10)
    eta = rates(schedule, 60)
    np.testing.assert_allclose(eta[:10], 0.2 * np.arange(1, 11) / 10, rtol=1e-14)
    np.testing.assert_allclose(eta[10:], rates(Cosine(0.2), 50), rtol=1e-14)


def test_a_warm_up_to_a_number_stays_there():
    eta = rates(Warmup(0.3, steps=4), 8)
    np.testing.assert_allclose(eta, [0.075, 0.15, 0.225, 0.3, 0.3, 0.3, 0.3, 0.3], rtol=1e-14)


@pytest.mark.parametrize("n", [1, 5, 10])
def test_a_warm_up_longer_than_training_is_a_rise_that_does_not_arrive(n):
    np.testing.assert_allclose(
        rates(Warmup(0.2, steps=20), n), 0.2 * np.arange(1, n + 1) / 20, rtol=1e-14
    )


def in_torch(torch, make, n):
    w = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([w], lr=0.2)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    for _ in range(n):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


N = 40
TORCH = {
    "constant": (Constant(0.2), lambda s, o: s.ConstantLR(o, factor=1.0)),
    "step": (Step(0.2, 7, 0.3), lambda s, o: s.StepLR(o, 7, 0.3)),
    "exponential": (Exponential(0.2, 0.05), lambda s, o: s.ExponentialLR(o, 0.05 ** (1 / N))),
    "cosine": (Cosine(0.2, 0.1), lambda s, o: s.CosineAnnealingLR(o, N, eta_min=0.02)),
    "warmup": (Warmup(0.2, 8), lambda s, o: s.LinearLR(o, 1 / 8, total_iters=7)),
}  # OneCycleLR spreads its phases over total_steps - 1; ours over total_steps, as the others


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_the_rates_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    schedule, make = TORCH[name]
    np.testing.assert_allclose(
        rates(schedule, N), list(in_torch(torch, make, N)), rtol=1e-12, atol=1e-16
    )


@pytest.mark.torch
def test_one_cycle_is_torchs_where_both_have_their_ends():
    torch = pytest.importorskip("torch")
    # torch's phases end at pct_start * total - 1 and total - 1
    n, rise = 101, 0.3
    its = list(in_torch(torch, lambda s, o: s.OneCycleLR(
        o, 0.2, total_steps=n, pct_start=(rise * (n - 1) + 1) / n, div_factor=25,
        final_div_factor=400, cycle_momentum=False), n))  # fmt: skip
    mine = [OneCycle(0.2, rise)(step, n - 1) for step in range(n)]
    np.testing.assert_allclose(mine, its, rtol=1e-10)


@ROWS
def test_a_schedule_goes_to_plain_data_and_back(schedule):
    data = schedule_to_dict(schedule)
    assert data["name"] == schedule.name
    again = schedule_from_dict(json.loads(json.dumps(data)))
    assert again == schedule
    assert (rates(again, 50) == rates(schedule, 50)).all()


def test_warm_ups_may_be_nested():
    schedule = Warmup(Warmup(Exponential(0.2), 5), 5)
    assert schedule_from_dict(json.loads(json.dumps(schedule_to_dict(schedule)))) == schedule


@given(rate=st.floats(1e-8, 10))
def test_a_number_is_plain_data_already(rate):
    assert schedule_to_dict(rate) == rate
    assert schedule_from_dict(rate) == rate
    assert as_schedule(rate) == Constant(rate)


def test_a_function_of_your_own_is_a_schedule_but_cannot_be_stored():
    def own(step, n_steps):
        return 0.1 / (1 + step)

    assert as_schedule(own) is own
    data = schedule_to_dict(own)
    assert data["own"] is True
    with pytest.raises(UnknownNameError):
        schedule_from_dict(data)


@pytest.mark.parametrize("name", ["cosin", "", None, 3])
def test_an_unknown_schedule_is_refused(name):
    with pytest.raises(UnknownNameError, match="schedule"):
        schedule_from_dict({"name": name, "learning_rate": 0.1})


BAD_NUMBERS = (0.0, -0.1, np.nan, np.inf, "0.1", None, True)
REFUSED = [
    *((cls, {"learning_rate": bad, **more}, "learning_rate")
      for cls, more in [(Constant, {}), (Step, {"every": 3}), (Exponential, {}), (Cosine, {}),
                        (LogCosine, {}), (OneCycle, {})] for bad in BAD_NUMBERS),
    *((Step, {"learning_rate": 0.1, "every": bad}, "every") for bad in BAD_NUMBERS),
    *((Step, {"learning_rate": 0.1, "every": 3, "factor": bad}, "factor") for bad in BAD_NUMBERS),
    *((Exponential, {"learning_rate": 0.1, "final": bad}, "final") for bad in BAD_NUMBERS),
    *((Cosine, {"learning_rate": 0.1, "final": bad}, "final")
      for bad in (-0.1, 1.1, np.nan, "0.1", None)),
    *((Cosine, {"learning_rate": 0.1, "hold": bad}, "hold")
      for bad in (-0.1, 1.0, np.nan, "0.1", None)),
    *((LogCosine, {"learning_rate": 0.1, "cycles": bad}, "cycles") for bad in (*BAD_NUMBERS, 31)),
    *((OneCycle, {"learning_rate": 0.1, "rise": bad}, "rise")
      for bad in (0.0, 1.0, -0.1, np.nan, "0.3", None)),
    *((Warmup, {"then": 0.1, "steps": bad}, "steps") for bad in BAD_NUMBERS),
    *((Warmup, {"then": bad, "steps": 3}, "learning_rate") for bad in BAD_NUMBERS),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "settings", "reason"), REFUSED, ids=[f"{c.name}-{s}" for c, s, _ in REFUSED]
)
def test_a_bad_setting_is_refused_by_name(cls, settings, reason):
    with pytest.raises(SettingError, match=reason):
        cls(**settings)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_given_by_its_name_or_its_class_is_answered_with_how_to_make_it(name):
    for rate in (name, SCHEDULES[name]):
        with pytest.raises(
            SettingError, match=rf"schedule, such as .*{SCHEDULES[name].__name__}\("
        ):
            Adam(rate)


@pytest.mark.parametrize("bad", ["fast", None, True, [0.1], "0.1"])
def test_what_is_neither_a_number_nor_a_schedule_hears_that_both_may_be(bad):
    with pytest.raises(SettingError, match="it is a number > 0 or a schedule, such as"):
        Adam(bad)
