"""Workings made up by chance: right ones are never accused, single mistakes get their name."""

from collections import Counter

import numpy as np
import pytest

from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.mistakes.forms import forms_for
from deltaprop.checking.step import Given, work_out
from deltaprop.explaining import worked_example
from deltaprop.functional.losses import LOSSES
from deltaprop.practice import mark
from deltaprop.practice.marking.step import step_of

WRITERS = ("rounded", "cut off", "short")
LEAST = {"planted in an example": 4, "named": 0.95, "unique": 0.85}


def differs(found, right):
    with np.errstate(all="ignore"):
        return any(
            (np.abs(found[k] - right[k]) > 1e-4 * np.abs(right[k]) + 1e-6).any() for k in right
        )


def planted(workings, seeds, share=0.2):
    """Yield (name, example, numbers): a full step with one form of one mistake in it.

    Of every mistake the first form that shows, and a share of the others.
    """
    seen = set()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        example = workings.random_example(rng)
        right = workings.quantities(example)
        network = worked_example(example).network
        for form in forms_for(network) if workings.finite(right) else ():
            found = workings.quantities(example, form.rules)
            drawn = rng.random() < share
            if (drawn or form.name not in seen) and differs(found, right):
                seen.add(form.name)
                yield form.name, example, found


MORE = [
    pytest.param(6, marks=[pytest.mark.rest, pytest.mark.slow]),
    pytest.param(75, marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=[2, *MORE])
def outcomes(workings, request):
    """What marking says of each planted mistake: (planted, candidates of each wrong number)."""
    found = []
    for case, (name, example, numbers) in enumerate(planted(workings, range(request.param))):
        claims = workings.claims(numbers, 6 + case % 3, WRITERS[case % 3])
        found.append((name, [m.candidates for m in mark({**example, "claims": claims}).wrong]))
    assert len(found) >= LEAST["planted in an example"] * request.param
    return found


def test_a_planted_mistake_gets_its_name(outcomes):
    named = [bool(wrong) and all(name in names for names in wrong) for name, wrong in outcomes]
    assert np.mean(named) >= LEAST["named"]


def test_mostly_no_other_mistake_gives_the_same_numbers(outcomes):
    unique = [bool(wrong) and all(names == (name,) for names in wrong) for name, wrong in outcomes]
    assert np.mean(unique) >= LEAST["unique"]


@pytest.mark.parametrize("outcomes", MORE, indirect=True)
def test_every_mistake_is_planted_and_named_at_least_once(outcomes):
    named = Counter(name for name, wrong in outcomes if any(name in names for names in wrong))
    in_others = {"norm_as_constant", "plain_step", "old_weights"}  # layers, optimizers, passes
    in_others |= {"no_bias_correction", "epsilon_in_root", "other_momentum", "decay_elsewhere"}
    assert set(named) == set(MISTAKES) - in_others


@pytest.mark.slow
def test_a_planted_mistake_is_named_from_a_few_of_its_numbers_too(workings):
    named = []
    for case, (name, example, numbers) in enumerate(planted(workings, range(200, 202))):
        rng = np.random.default_rng(case)
        keys = set(rng.choice(list(numbers), size=min(5, len(numbers)), replace=False))
        some = {key: array for key, array in numbers.items() if key in keys}
        marking = mark({**example, "claims": workings.claims(some, 5, "short")})
        if not marking.ok:
            named.append(all(name in m.candidates for m in marking.wrong))
    assert len(named) > 10
    assert np.mean(named) >= LEAST["named"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("how", WRITERS)
@pytest.mark.one_in(6)
def test_a_right_working_is_never_accused(workings, loss, how):
    checked = 0
    for seed in range(6):
        rng = np.random.default_rng([seed, len(loss)])
        example = workings.random_example(rng, loss)
        right = workings.quantities(example)
        if not workings.finite(right):
            continue
        fewest = 3 if how == "cut off" else 2  # nobody cuts 2.3, 2.2999...98 in binary, to 2.2
        for digits in (fewest, 4, 7):
            marking = mark({**example, "claims": workings.claims(right, digits, how)})
            assert marking.ok, [m.because for m in marking.marks if m.verdict in "wrong follows"]
            checked += 1
    assert checked >= 12


@pytest.mark.parametrize("digits", [3, 4, 5])
@pytest.mark.one_in(3)
def test_whoever_goes_on_with_his_rounded_numbers_is_not_accused(workings, digits):
    class Rounding(Given):
        def instead_of(self, key, computed):
            if key[0] in "Wb" and not key.endswith(".after"):
                return computed
            text = np.vectorize(lambda v: float(f"{v:.{digits}g}"), otypes=[float])
            return text(computed)

    for seed in range(30):
        example = workings.random_example(np.random.default_rng([seed, digits]))
        _, used = work_out(step_of(worked_example(example)), given=Rounding())
        keys = workings.quantities(example)
        claims = workings.claims({key: used[key] for key in keys}, digits, "short")
        marking = mark({**example, "claims": claims})
        assert marking.ok, [m.because for m in marking.marks if m.verdict in "wrong follows"]


def slips(workings, seeds):
    """Yield an example, its numbers, and one of them with a wrong value."""
    for seed in seeds:
        rng = np.random.default_rng([seed, 7])
        example = workings.random_example(rng)
        right = workings.quantities(example)
        if not workings.finite(right):
            continue
        key = str(rng.choice(list(right)))
        index = tuple(int(rng.integers(0, size)) for size in right[key].shape)
        value = float(right[key][index])
        wrong = value * float(rng.choice([0.9, 1.1, 1.01, 1.5])) + float(rng.choice([0, 0.01]))
        if abs(wrong - value) > 1e-3 * abs(value) + 1e-5:
            yield example, right, key, index, wrong


SLIPS = pytest.mark.parametrize("n", [8, pytest.param(80, marks=pytest.mark.slow)])


@pytest.mark.slow
@SLIPS
def test_a_slip_in_a_single_number_is_arithmetic_and_nothing_else_is_wrong(workings, n):
    named, count = 0, 0
    for example, right, key, index, wrong in slips(workings, range(n)):
        found = {name: array.copy() for name, array in right.items()}
        found[key][index] = wrong
        marking = mark({**example, "claims": workings.claims(found, 7)})
        named += [(m.claim, m.index, m.mistake) for m in marking.wrong] == [
            (key, index, "arithmetic")
        ]
        assert marking.counts["follows"] == 0
        count += 1
    assert count > 0.75 * n
    assert named >= 0.95 * count


@pytest.mark.slow
@SLIPS
def test_what_is_made_from_a_slip_follows_and_is_not_wrong(workings, n):
    named, following, count = 0, 0, 0
    for example, right, key, index, wrong in slips(workings, range(n)):
        slip = np.full(right[key].shape, np.nan)
        slip[index] = wrong
        _, used = work_out(step_of(worked_example(example)), given=Given({key: slip}))
        found = {name: used[name] for name in right}
        if not workings.finite(found):
            continue
        marking = mark({**example, "claims": workings.claims(found, 7)})
        named += [(m.claim, m.index, m.mistake) for m in marking.wrong] == [
            (key, index, "arithmetic")
        ]
        following += marking.counts["follows"] > 0
        count += 1
    assert count > 0.75 * n
    assert named >= 0.95 * count
    assert following > count / 2


@pytest.mark.parametrize("optimizer", ["momentum", "rmsprop", "adam", "adamw"])
@pytest.mark.one_in(3)
def test_the_first_step_of_every_optimizer_is_known(workings, optimizer):
    example = workings.random_example(np.random.default_rng(5), "cross_entropy", depth=2)
    example |= {"optimizer": optimizer, "learning_rate": 0.05}
    worked = worked_example(example)
    step, rule = step_of(worked), worked.optimizer
    right, _ = work_out(step)
    after = step.parameters.flat.copy()
    rule.step(
        rule.init(after.size), after,
        np.concatenate([right[f"d{s.name}.{s.layer + 1}"].ravel() for s in
                        step.network.layout.slots]),
        0.05, step.network.layout.penalized(),
    )  # fmt: skip
    views = step.parameters.like(after).layers
    claims = {f"{n}.{i}.after": a for i, v in enumerate(views, 1) for n, a in v.items()}
    assert mark({**example, "claims": workings.claims(claims, 7)}).ok
    up = step.parameters.like(2 * step.parameters.flat - after).layers
    claims = {f"{n}.{i}.after": a for i, v in enumerate(up, 1) for n, a in v.items()}
    assert mark({**example, "claims": workings.claims(claims, 7)}).mistakes == ("sign",)
