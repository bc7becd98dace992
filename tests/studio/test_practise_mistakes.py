"""The mistakes that the page knows are those of Python: both ways, in random networks."""

import numpy as np
import pytest

from deltaprop.checking.mistakes.entries import other_entries, with_entries
from deltaprop.checking.mistakes.forms import forms_for
from deltaprop.checking.step import Given, work_out
from deltaprop.languages import told
from deltaprop.studio.mistakes import mistakes
from helpers.practising import by_rules, drawn, quantities_of

# W^T kept in the order of W is no formula of arrays where W is no square
NOT_TOLD = ("transpose", 2)


def same(one, other):
    size = max(float(np.max(np.abs(array), initial=0.1)) for array in (one, other))
    return np.allclose(one, other, rtol=1e-12, atol=1e-13 * size)


@pytest.mark.slow
def test_each_mistake_gives_what_it_gives_in_python(ask_marking):
    rng, made = np.random.default_rng(5), set()
    for case in range(60):
        step, what = drawn(rng, case)
        keys = quantities_of(step)
        found = ask_marking("mistakes", **what, keys=keys)
        workings = [(form, by_rules(step, form)) for form in forms_for(step.network)]
        for key in keys:
            right = step.right[key]
            given = [
                (name, np.reshape([float(number) for number in numbers], right.shape))
                for name, _, numbers in found[key]
            ]
            known = [(form, values[key]) for form, values in workings]
            for name, array in given:
                forms = [values for form, values in known if form.name == name]
                finite = np.isfinite(array).all()
                assert not finite or any(same(array, of) for of in (right, *forms)), (name, key)
            for form, values in known:
                if not np.isfinite(values).all() or same(values, right):
                    continue
                is_turned = values.ndim > 1 and values.shape[0] != values.shape[1]
                if not (is_turned and (form.name, form.rank) == NOT_TOLD):
                    arrays = [array for name, array in given if name == form.name]
                    assert any(same(values, array) for array in arrays), (form.name, key, what)
                    made.add(form.name)
    assert made >= set(mistakes("en")["words"]) - {"other_momentum"}


def test_they_are_called_what_python_calls_them():
    english, chinese = mistakes("en")["words"], mistakes("zh")["words"]
    assert english.keys() == chinese.keys()
    for name, sentences in english.items():
        assert [told(text, "zh") for text in sentences] == chinese[name]
        assert all(zh != en for en, zh in zip(sentences, chinese[name], strict=True))


@pytest.mark.slow
def test_numbers_of_another_index_give_what_they_give_in_python(ask_marking):
    rng, count = np.random.default_rng(6), 0
    for case in range(40):
        step, what = drawn(rng, case)
        left_out = ["loss", f"a.{step.n_layers}"]
        if step.network.loss_name == "half_squared_error_softmax":  # its line goes by the Jacobian
            left_out.append(f"delta.{step.n_layers}")
        keys = [key for key in quantities_of(step) if key not in left_out]
        ids, places = [], []
        for key in keys:
            shape = step.right[key].shape
            places.append((key, tuple(int(rng.integers(0, n)) for n in shape)))
            ids.append(f"{key}[{','.join(map(str, places[-1][1]))}]")
        found = ask_marking("entries", **what, ids=ids)
        for (key, at), all_given in zip(places, found, strict=True):
            right = float(step.right[key][at])
            if np.abs(right) > 1e6:
                continue
            given = {(taken.replace("targets", "t"), b): float(v) for taken, b, v in all_given}
            plain = what["plan"]["optimizer"]["name"] == "gradient_descent"
            for entry in other_entries(step, key, at, step.right[key].shape):
                if entry.part == "update" and not plain:
                    continue  # the line has what the optimizer keeps in it
                rules = with_entries([entry])
                expected = float(work_out(step, rules, Given(step.right))[0][key][at])
                if len(entry.pairs) == 1:
                    taken, belongs = entry.ids
                    name = taken, belongs.replace("t[", "targets[")
                    number = given.get(name)
                    if number is None and entry.part == "f_prime":  # told by a where f' is
                        number = given.get(tuple(each.replace("z.", "a.") for each in name))
                    if number is None and np.isclose(expected, right, rtol=1e-9, atol=1e-12):
                        continue
                    assert number is not None, (key, at, name, sorted(given), what)
                    assert np.isclose(number, expected, rtol=1e-9, atol=1e-12), (key, name, what)
                else:
                    lines = [float(v) for taken, _, v in all_given if not taken]
                    assert np.isclose(lines, expected, rtol=1e-9, atol=1e-12).any(), (key, what)
                count += 1
    assert count > 1000
