"""Tables as people write them, from the cells to a saved model and its predictions."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.tabular import TableWarning

QUICK = {"recipe": dp.Recipe(preset="plain", epochs=2, hidden=(4,))}
COMMA, POINT, THIN = (str.maketrans(",.", marks) for marks in (".,", ",.", "\u202f,"))


def euros(x):
    return f"{x:,.2f}".translate(COMMA) + " €"


def dollars(x):
    return f"-${-x:,.2f}" if x < 0 else f"${x:,.2f}"


def accounts(x):
    return f"({-x:,.2f})" if x < 0 else f"{x:,.2f}"


def kilos(x):
    return f"{x:,.2f}".translate(THIN) + "\u00a0kg"


WRITERS = [euros, dollars, accounts, kilos, lambda x: f"{x} %", repr]


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(-(10**7), 10**7).map(lambda n: n / 100), min_size=12, max_size=20,
             unique=True),
    st.sampled_from(WRITERS),
    st.sampled_from(WRITERS),
)  # fmt: skip
def test_written_saved_loaded_and_predicted_it_is_the_same_to_the_bit(tmp_path, x, column, target):
    if min(x) >= 0 or max(x) <= 0:
        x = [*x, -5.5, 5.5]
    answers = [round(2 * v + 1, 2) for v in x]  # what is written with two places
    written = {"x": list(map(column, x))}
    model = dp.TableModel.fit(written, list(map(target, answers)), task="regression", **QUICK)
    plain = dp.TableModel.fit({"x": x}, answers, task="regression", **QUICK)
    model.save(tmp_path / "m.safetensors")
    loaded = dp.load(tmp_path / "m.safetensors")
    expected = plain.predict({"x": x})
    for fitted in (model, loaded):
        np.testing.assert_array_equal(fitted.predict(written), expected)
        np.testing.assert_array_equal(fitted.predict({"x": x}), expected)
        for row in range(3):  # one row does not tell how it is written; the training did
            np.testing.assert_array_equal(
                fitted.predict({"x": written["x"][row : row + 1]}), expected[row : row + 1]
            )
        figures = fitted.evaluate(written, list(map(target, answers))).figures
        assert figures == plain.evaluate({"x": x}, answers).figures


@pytest.mark.filterwarnings("ignore:Training has not converged")
def test_long_codes_of_a_frame_reach_the_estimators():
    big = 1_600_000_000_000_000_000
    shop = np.array([big + 1, big + 2] * 40)
    frame = pd.DataFrame({"shop": shop, "b": np.arange(80) % 7})
    bought = np.where(shop == big + 1, "no", "yes")
    for preset in (None, "fast"):
        settings = {"max_iter": 60} if preset is None else {"max_iter": 8}
        fitted = dp.MLPClassifier(preset=preset, random_state=0, **settings).fit(frame, bought)
        assert fitted.score(frame, bought) == 1.0


@pytest.mark.filterwarnings("ignore:Training has not converged")
def test_units_in_a_frame_are_read_by_the_estimators():
    v = np.random.default_rng(0).uniform(1, 9, 150)
    y = (v > 5).astype(int)
    for cells in ([f"{x:.4f} kg" for x in v], [f"${x * 1000:,.2f}" for x in v]):
        frame = pd.DataFrame({"a": cells, "b": np.arange(150) % 7})
        with warnings.catch_warnings():
            warnings.simplefilter("error", TableWarning)
            fitted = dp.MLPClassifier(max_iter=100, random_state=0).fit(frame, y)
        assert fitted.score(frame, y) > 0.95


def test_a_target_of_different_words_is_asked_about_and_the_advice_is_followed():
    names = [f"name {i}" for i in range(40)]
    table = {"x": list(range(40))}
    with pytest.raises(DataError, match=r"40 different words in 40 rows.*task='classification'"):
        dp.TableModel.fit(table, names, **QUICK)
    model = dp.TableModel.fit(table, names, task="classification", **QUICK)
    assert set(model.predict(table)) <= set(names)
