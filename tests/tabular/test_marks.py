"""A row has one number, wherever it was read from, and another row has another."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.tabular import as_features, load_dataset, row_marks


def marks(table, answers=None, columns=None):
    features = as_features(table)
    n = len(features)
    return row_marks(
        features, columns or features.columns, np.zeros(n) if answers is None else answers
    )


TABLE = pl.DataFrame(
    {
        "price": [0.1, 2.5, None, 1e9 / 3, -0.0, 7.0],
        "count": [1, 2, 3, None, 2**40, 0],
        "word": [" red", "blue", "NA", None, "5", "grün"],
        "good": [True, False, None, True, True, False],
        "day": [
            datetime.date(2024, 2, 29),
            None,
            *[datetime.date(2020, 1, d) for d in (1, 2, 3, 4)],
        ],
        "y": ["a", "b", "a", "b", "a", "b"],
    }
)


def read_back(path, write):
    write(path)
    data = load_dataset(path, "y")
    return row_marks(data.features, data.features.columns, data.target == "a")


def test_a_row_has_the_same_number_read_from_csv_parquet_or_frames(tmp_path):
    features, own = TABLE.drop("y"), (TABLE["y"] == "a").to_numpy()
    expected = marks(features, own)
    assert len(set(expected.tolist())) == 6
    csv = read_back(tmp_path / "t.csv", TABLE.write_csv)
    parquet = read_back(tmp_path / "t.parquet", TABLE.write_parquet)
    narrow = TABLE.with_columns(pl.col("price").cast(pl.Float32))
    float32 = read_back(tmp_path / "n.parquet", narrow.write_parquet)
    for found in (csv, parquet, float32, marks(features.to_pandas(), own)):
        np.testing.assert_array_equal(found, expected)


def test_the_order_of_the_columns_and_other_columns_do_not_matter():
    features = TABLE.drop("y")
    shuffled = features.select(sorted(features.columns)).with_columns(extra=pl.lit("?"))
    np.testing.assert_array_equal(
        marks(shuffled, columns=features.columns), marks(features, columns=features.columns)
    )


def test_a_row_does_not_depend_on_the_others():
    features = TABLE.drop("y")
    for i in range(6):
        assert marks(features[[i]])[0] == marks(features)[i]


CELLS = st.one_of(st.none(), st.text(max_size=6), st.integers(-(10**6), 10**6).map(str))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=2, max_size=8))
def test_rows_are_told_apart_by_their_cells_and_where_they_stand(rows):
    table = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    found = marks(table).tolist()
    cleaned = [tuple(_canonical(c) for c in row) for row in rows]
    for i, one in enumerate(cleaned):
        for j, other in enumerate(cleaned):
            assert (found[i] == found[j]) == (one == other)


def _canonical(cell):
    from deltaprop.tabular import MISSING

    text = "" if cell is None else pl.Series([cell]).str.strip_chars()[0]
    if text in ("", *MISSING):
        return None
    number = pl.Series([text]).cast(pl.Float64, strict=False)[0]
    if number is not None and len(text.encode()) <= 15:
        return float(np.float32(number)) if number != np.floor(number) else float(number)
    return text.lower() if text.lower() in ("true", "false") else text


def test_a_changed_cell_or_answer_gives_another_number(rng):
    x = rng.normal(size=(200, 3))
    first, y = marks(x), rng.integers(0, 2, 200)
    changed = x.copy()
    changed[:, 1] += 1e-3
    assert not np.isin(marks(changed), first).any()
    assert not np.isin(marks(x, y + 2), marks(x, y)).any()


def test_long_codes_are_told_apart_by_every_digit():
    codes = pl.DataFrame({"code": [2**60, 2**60 + 1, 2**60 + 2]})
    assert len(set(marks(codes).tolist())) == 3
    as_text = codes.with_columns(pl.col("code").cast(pl.String))
    np.testing.assert_array_equal(marks(codes), marks(as_text))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images_are_known_whatever_type_their_pixels_have(dtype, rng):
    images = rng.integers(0, 255, (20, 5, 4))
    np.testing.assert_array_equal(
        row_marks(images.astype(dtype), (), np.zeros(20)), row_marks(images, (), np.zeros(20))
    )
    assert len(set(row_marks(images, (), np.zeros(20)).tolist())) == 20


def test_nullable_pandas_columns_are_read_alike():
    whole = pd.DataFrame({"a": [1.0, 2.0, None]})
    nullable = pd.DataFrame({"a": pd.array([1, 2, None], dtype="Int64")})
    np.testing.assert_array_equal(marks(whole), marks(nullable))
