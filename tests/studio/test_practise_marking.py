"""The page marks a typed number as Python does: what it stands for, which mistake gives it."""

import numpy as np
import pytest

from deltaprop.checking.mistakes.forms import forms_for
from deltaprop.checking.rules import RIGHT
from deltaprop.checking.step import Given, work_out
from deltaprop.practice.marking.precision import Habit, read_number
from helpers.practising import by_rules, drawn, quantities_of

ASKED = Habit.of_digits(3)
TEXTS = (
    "0.5 .5 5. 0,5 1/3 -1/3 1/4 2/4 100/1 1/8 22/7 0 0.0 0.000 -0 120 1200 1000 12 1 7 100000 "
    "1e-3 1.50e-3 2.5E2 +0.25 −0.25 –0.25 ０．２５ 0.250 0.2500 0.3388 0.34 0.339 0.338 0.33 0.3 "
    "1234.5 0.00012 0.00012345 1,250 12,5 -3.14159265 0.9999 1.000 99.95 x 1/0 1.2.3"
)


def number_of(text):
    return None if text == "1.2.3" else read_number(text, comma=True)


def test_a_typed_number_stands_for_the_same_ones(ask_marking):
    rng, pairs = np.random.default_rng(1), []
    for text in TEXTS.split():
        number = number_of(text)
        value = number.value if number else 1.0
        near = [value * (1 + by) for by in (0, 1e-12, 1e-5, 4e-4, -6e-4, 2e-3, -5e-3, 0.02, -0.09)]
        pairs += [[text, right] for right in (*near, -value, 0.0, value + 4e-4, value - 6e-4)]
    for _ in range(600):
        right = float(rng.normal() * 10.0 ** rng.integers(-5, 4))
        digits = int(rng.integers(1, 6))
        for text in (
            f"{right:.{digits}g}",
            f"{right:.{digits}f}",
            f"{np.trunc(right * 1e4) / 1e4}",
        ):
            pairs += [[text, right], [text, right * (1 + float(rng.normal()) * 10.0**-digits)]]
    found = ask_marking("written", pairs=pairs)
    for (text, right), answer in zip(pairs, found, strict=True):
        number = number_of(text)
        if number is None:
            assert answer is None, text
            continue
        value, digits, stands, coarse = answer
        assert (value, digits) == (pytest.approx(number.value, rel=1e-11), number.digits), text
        assert stands == number.is_written_for(right, ASKED), (text, right)
        assert coarse == number.is_too_coarse(right, ASKED), (text, right)


def test_what_follows_from_numbers_of_ones_own(ask_marking):
    rng = np.random.default_rng(2)
    for case in range(60):
        step, what = drawn(rng, case)
        keys = quantities_of(step)
        own, given = {}, {}
        for key in rng.choice(keys, size=min(3, len(keys)), replace=False):
            right = step.right[key]
            at = tuple(int(rng.integers(0, n)) for n in right.shape)
            numbers = np.full(right.shape, np.nan)
            # an output that is one, too
            numbers[at] = 0.3 if key == f"a.{step.n_layers}" else round(float(rng.normal()), 3)
            given[key] = numbers
            place = f"[{','.join(map(str, at))}]" if at else ""
            own[f"{key}{place}"] = float(numbers[at])
        _, used = work_out(step, RIGHT, Given(given))
        found = ask_marking("goesOn", **what, own=own, keys=keys)
        for key in keys:
            expected = used[key].ravel()
            size = max(1e-3, float(np.abs(expected).max()))
            numbers = [float(number) for number in found[key]]
            assert np.allclose(numbers, expected, rtol=1e-11, atol=1e-12 * size, equal_nan=True), (
                key, own, what,
            )  # fmt: skip


@pytest.mark.slow
def test_the_mistakes_that_give_a_typed_number_are_pythons(ask_marking):
    """Hundreds of numbers as people write them: right, rounded, and of every mistake."""
    rng, seen = np.random.default_rng(3), {"right": 0, "coarse": 0, "named": 0}
    for case in range(40):
        step, what = drawn(rng, case)
        workings = [(form, by_rules(step, form)) for form in forms_for(step.network)]
        typed, expected = [], []
        for key in quantities_of(step):
            right = step.right[key]
            at = tuple(int(rng.integers(0, n)) for n in right.shape)
            name = f"{key}[{','.join(map(str, at))}]" if at else key
            wrong = [v[key][at] for _, v in workings if not np.isclose(v[key][at], right[at])]
            for value in (right[at], *wrong[: int(rng.integers(1, 30))][-2:]):
                text = f"{float(value):.{rng.integers(2, 6)}g}"
                number = read_number(text, comma=True)
                if number is None or 0 < abs(number.value) < 1e-12:
                    continue  # no number, or one that is 0 but for rounding in float64

                def stands(other, number=number):
                    return number.is_written_for(float(other), ASKED)

                given = [(form.name, float(values[key][at])) for form, values in workings]
                names = {name: value for name, value in given if stands(value)}
                typed.append([name, text])
                is_right, is_coarse = stands(right[at]), number.is_too_coarse(right[at], ASKED)
                expected.append((names, float(right[at]), is_right, is_coarse))
        found = ask_marking("named", **what, typed=typed)
        for (name, text), (names, right, is_right, coarse), (told, verdict) in zip(
            typed, expected, found, strict=True
        ):
            assert {*told} - {*names} <= {"swapped_entries"}, (name, text, what)
            # what only rounding in float64 makes differ is no mistake
            size = {n: max(abs(v), abs(right)) for n, v in names.items()}
            lacks = {n for n, v in names.items() if abs(v - right) > 1e-6 * size[n]} - {*told}
            assert lacks <= {"transpose"}, (name, text, what)
            wanted = "right" if is_right else "named" if told else "coarse" if coarse else "wrong"
            by_index = verdict == "named" and not told and not is_right  # a number of another one
            assert verdict == wanted or by_index, (name, text, what)
            seen[wanted] = seen.get(wanted, 0) + 1
    assert min(seen["right"], seen["named"]) > 200, seen
    assert seen["coarse"] > 5


def test_what_follows_from_a_wrong_number_is_told_so(ask_marking):
    rng, followed = np.random.default_rng(4), 0
    for case in range(30):
        step, what = drawn(rng, case)
        slip = float(step.right["z.1"][0, 0]) + 0.7
        given = np.full(step.right["z.1"].shape, np.nan)
        given[0, 0] = slip
        _, used = work_out(step, RIGHT, Given({"z.1": given}))
        keys = [key for key in quantities_of(step) if key not in ("z.1", "loss")]
        at = {key: tuple(0 for _ in step.right[key].shape) for key in keys}
        typed = [
            [f"{key}[{','.join(map(str, at[key]))}]", f"{used[key][at[key]]:.5g}"] for key in keys
        ]
        verdicts = ask_marking("behind", **what, own={"z.1[0,0]": slip}, typed=typed)
        for key, (_, text), verdict in zip(keys, typed, verdicts, strict=True):
            right = read_number(text).is_written_for(float(step.right[key][at[key]]), ASKED)
            assert verdict == ("right" if right else "follows"), (key, what)
            followed += not right
    assert followed > 60


@pytest.mark.rest
def test_most_mistakes_are_named_first(ask_marking):
    """What docs/studio.md says: of single numbers, typed to four digits, in random networks."""
    rng, marked, first, among = np.random.default_rng(11), 0, 0, 0
    for case in range(20):
        step, what = drawn(rng, case)
        typed = []
        for form in forms_for(step.network):
            values = by_rules(step, form)
            for key in quantities_of(step):
                apart = np.abs(values[key] - step.right[key])
                far = apart > 2e-3 * np.maximum(np.abs(values[key]), np.abs(step.right[key]))
                places = np.argwhere(far & np.isfinite(values[key]) & (np.abs(values[key]) > 1e-3))
                if len(places):
                    at = tuple(int(i) for i in places[rng.integers(len(places))])
                    name = f"{key}[{','.join(map(str, at))}]" if at else key
                    typed.append((form.name, [name, f"{float(values[key][at]):.4g}"]))
        chosen = [typed[k] for k in rng.permutation(len(typed))[:60]]
        found = ask_marking("named", **what, typed=[number for _, number in chosen])
        for (name, _), (names, verdict) in zip(chosen, found, strict=True):
            if verdict != "right":
                marked += 1
                among += name in names
                first += names[:1] == [name]
    assert marked > 900
    assert first > 0.89 * marked
    assert among > 0.985 * marked
