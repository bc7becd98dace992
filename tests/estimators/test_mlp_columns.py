"""What the estimators say of columns that they leave out or reduce: once, by name, to the user."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.tabular import TableWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 120
_rng = np.random.default_rng(0)
SIZE = _rng.uniform(1, 9, N)
Y = (SIZE > 5).astype(int)
PLAIN_TEXT = {"b": _rng.normal(size=N), "colour": np.where(SIZE > 3, "red", "blue")}
PRESETS = pytest.mark.parametrize("preset", [None, "fast"])
LEFT_OUT = {
    "name": ([f"n{i}q" for i in range(N)], "are different, so it is a name or free text"),
    "same": (["x"] * N, "left out: every cell is 'x'"),
    "empty": ([None] * N, "left out: no cell has a value"),
    "city": ([f"c{i % 40}" if i < 80 else f"d{i}" for i in range(N)], "40 rarer categories"),
    "day": ([f"{d % 12 + 1:02d}/{d % 11 + 1:02d}/2020" for d in range(N)], "day or the month"),
    "price": ([f"{v:.2f}" if i != 3 else "ask" for i, v in enumerate(SIZE)], "'ask' in row 4"),
}


def said(preset, columns, y=Y, **settings):
    """Return the warnings about the table, and the estimator."""
    more = {"ranges": 0, "members": 2} if preset == "fast" else {}
    model = dp.MLPClassifier(preset=preset, max_iter=2, random_state=0, **more, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(columns, y)
    return [w for w in caught if issubclass(w.category, TableWarning)], model


@PRESETS
@pytest.mark.parametrize("name", LEFT_OUT)
@pytest.mark.one_in(5)
def test_a_column_that_is_left_out_or_reduced_is_named_once(preset, name):
    cells, reason = LEFT_OUT[name]
    told, _ = said(preset, pd.DataFrame({**PLAIN_TEXT, name: cells}))
    assert len(told) == 1
    text = str(told[0].message)
    assert f"'{name}'" in text
    assert reason in text
    assert "'b'" not in text
    assert "\n" not in text
    assert told[0].filename == __file__


@PRESETS
def test_all_of_them_stand_in_one_warning(preset):
    frame = pl.DataFrame(PLAIN_TEXT | {name: cells for name, (cells, _) in LEFT_OUT.items()})
    (told,), _ = said(preset, frame)
    assert all(reason in str(told.message) for _, reason in LEFT_OUT.values())


@PRESETS
@pytest.mark.rest
def test_of_very_many_columns_some_are_named(preset):
    names = {f"name{i}": [f"{i}n{j}q" for j in range(N)] for i in range(200)}
    (told,), _ = said(preset, pd.DataFrame(PLAIN_TEXT | names))
    assert "'name19'" in str(told.message)
    assert "'name20'" not in str(told.message)
    assert "; 180 more." in str(told.message)


@PRESETS
def test_what_is_harmless_is_not_worth_a_word(preset):
    frame = pd.DataFrame(PLAIN_TEXT | {
        "gaps": np.where(SIZE < 2, np.nan, SIZE), "half": np.where(SIZE < 5, np.nan, 1.0),
        "when": pd.to_datetime("2020-01-01") + pd.to_timedelta(SIZE * 300, unit="D"),
        "truth": SIZE > 4, "kilos": [f"{v:.1f} kg" for v in SIZE],
    })  # fmt: skip
    assert said(preset, frame)[0] == []


@PRESETS
def test_black_pixels_are_not_worth_a_word_but_words_are(preset):
    pixels = np.c_[SIZE, np.zeros((N, 3))]
    assert said(preset, pixels)[0] == []
    (told,), _ = said("fast", np.c_[SIZE.astype(str), [f"n{i}q" for i in range(N)]].astype(object))
    assert "'x1' (left out: 120 of its 120 cells" in str(told.message)


def test_partial_fit_says_it_the_first_time():
    frame = pd.DataFrame(PLAIN_TEXT | {"same": "x"})
    model = dp.MLPClassifier()
    with pytest.warns(TableWarning, match="'same'"):
        model.partial_fit(frame, Y, classes=[0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(frame, Y)


def test_the_report_and_the_model_tell_the_users_rows():
    frame = pd.DataFrame(PLAIN_TEXT | {"price": LEFT_OUT["price"][0]})
    _, model = said("fast", frame)
    assert "'ask' in row 4" in model.encoder_.warnings[0]
    assert model.model_.inputs is model.encoder_


@PRESETS
def test_an_infinite_cell_is_found_in_the_users_row(preset):
    frame = pd.DataFrame(PLAIN_TEXT | {"size": SIZE})
    frame.loc[77, "size"] = np.inf
    with pytest.raises(DataError, match="Column 'size' of X has inf in row 78"):
        said(preset, frame)


@pytest.mark.rest
@PRESETS
def test_it_can_be_silenced(preset):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", TableWarning)
        dp.MLPRegressor(preset=preset, max_iter=300, tol=1e9 if preset is None else None).fit(
            pd.DataFrame(PLAIN_TEXT | {"same": "x"}), SIZE
        )
