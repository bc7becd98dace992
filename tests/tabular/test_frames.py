"""Whatever holds a table in memory becomes the same frame."""

import datetime
import decimal

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from deltaprop.errors import ColumnError, DataError, ShapeError
from deltaprop.tabular import as_frame

COLUMNS = {"n": [1, 2, 3], "x": [0.5, None, 2.5], "s": ["a", None, "c"], "t": [True, False, None]}
TYPES = {"n": pl.Int64, "x": pl.Float64, "s": pl.String, "t": pl.Boolean}


def pandas_frame(**options):
    return pytest.importorskip("pandas").DataFrame(COLUMNS, **options)


MAKERS = {
    "dict": lambda: COLUMNS,
    "polars": lambda: pl.DataFrame(COLUMNS),
    "lazy polars": lambda: pl.LazyFrame(COLUMNS),
    "narwhals": lambda: nw.from_native(pl.DataFrame(COLUMNS)),
    "pandas": pandas_frame,
    "pandas objects": lambda: pandas_frame(dtype=object),
    "pandas nullable": lambda: pandas_frame().convert_dtypes(),
    "pyarrow": lambda: pytest.importorskip("pyarrow").table(COLUMNS),
    "rows": lambda: [{k: v[i] for k, v in COLUMNS.items()} for i in range(3)],
    "arrays": lambda: {"n": np.arange(1, 4), "x": np.array([0.5, np.nan, 2.5]),
                       "s": np.array(["a", None, "c"], dtype=object), "t": COLUMNS["t"]},
}  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS)
def test_every_container_gives_the_same_frame(maker):
    frame = as_frame(MAKERS[maker]()).to_native()
    assert isinstance(frame, pl.DataFrame)
    assert dict(frame.schema) == TYPES
    assert frame.to_dict(as_series=False) == COLUMNS


def test_a_pandas_category_stays_a_category():
    pandas = pytest.importorskip("pandas")
    frame = as_frame(pandas.DataFrame({"c": pandas.Categorical([3, 1, None])})).to_native()
    assert frame["c"].dtype == pl.Categorical
    assert frame["c"].cast(pl.String).to_list() == ["3", "1", None]


def test_pandas_dates_become_dates():
    pandas = pytest.importorskip("pandas")
    when = pandas.to_datetime(["2024-03-01 12:30", None])
    frame = as_frame(pandas.DataFrame({"d": when, "z": when.tz_localize("Asia/Tokyo")})).to_native()
    assert frame["d"].to_list() == [datetime.datetime(2024, 3, 1, 12, 30), None]
    assert frame["z"].to_list() == frame["d"].to_list()


def test_pandas_columns_without_names_are_numbered():
    pandas = pytest.importorskip("pandas")
    assert as_frame(pandas.DataFrame(np.eye(2))).columns == ["0", "1"]


def test_an_array_gets_names():
    frame = as_frame(np.array([[1.0, np.nan], [2.0, 3.0]], dtype=">f4")).to_native()
    assert frame.to_dict(as_series=False) == {"x0": [1.0, 2.0], "x1": [None, 3.0]}


def test_mixed_objects_become_text():
    assert as_frame({"m": ["a", 1, 2.0, None]})["m"].to_list() == ["a", "1", "2", None]


def test_decimals_become_floats_and_huge_integers_keep_their_digits():
    frame = as_frame({"d": [decimal.Decimal("1.5"), None], "h": [10**30 + 1, -(10**400)]})
    assert frame["d"].to_list() == [1.5, None]
    assert frame["h"].to_list() == [str(10**30 + 1), str(-(10**400))]


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        (np.arange(3), ShapeError, r"1 axes \(3\).*reshape\(1, -1\)"),
        (np.zeros((2, 3, 4)), ShapeError, r"3 axes.*ImageEncoder"),
        (np.zeros((2, 2), dtype=complex), DataError, "complex128"),
        ({"a": [1, 2], "b": [1]}, ColumnError, "'a' has 2 cells but column 'b' has 1"),
        ({"a": [1, 2], "b": 3}, DataError, "'b' is int"),
        ({"a": [[1], [2]]}, ColumnError, "'a' holds list in row 1"),
        ({"a": np.zeros((2, 2))}, ShapeError, "'a' is an array with 2 axes"),
        ([[1, 2], [3]], DataError, "list of 2 entries"),
        ("table.csv", DataError, r"load_frame\(path\)"),
        (42, DataError, "Found int"),
        ({1: [1], "1": [2]}, ColumnError, "several columns called '1'"),
    ],
)
def test_what_is_no_table_is_refused(data, error, match):
    with pytest.raises(error, match=match):
        as_frame(data)


def test_doubled_pandas_columns_are_refused():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ColumnError, match=r"'a' \(columns 1, 3\)"):
        as_frame(pandas.DataFrame(np.eye(3), columns=["a", "b", "a"]))


class TestEveryKindOfTable:
    """What narwhals does not take by itself is read, too, or refused with its cure."""

    def test_arrow_batches_and_streams(self):
        pa = pytest.importorskip("pyarrow")
        table = pa.table(COLUMNS)
        reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
        for data in (table.to_batches()[0], reader):
            assert as_frame(data).to_native().to_dict(as_series=False) == COLUMNS

    def test_structured_arrays(self):
        array = np.array([(1, "a"), (2, "b")], dtype=[("n", "i4"), ("s", "U3")])
        assert as_frame(array).to_native().to_dict(as_series=False) == {
            "n": [1, 2], "s": ["a", "b"],
        }  # fmt: skip

    def test_whatever_is_an_array(self):
        class Grid:
            ndim = 2

            def __array__(self, dtype=None, copy=None):
                return np.array([[1.0, 2.0]])

        assert as_frame(Grid()).to_native().to_dict(as_series=False) == {"x0": [1.0], "x1": [2.0]}

    def test_periods_are_the_day_they_begin(self):
        pandas = pytest.importorskip("pandas")
        months = pandas.DataFrame({"m": pandas.period_range("2024-01", periods=2, freq="M")})
        found = as_frame(months)["m"].to_list()
        assert found == [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1)]

    @pytest.mark.parametrize(
        ("cells", "cure"),
        [
            (pl.Series([{"a": 1}]), "unnest"),
            (pl.Series([[1, 2]]), "column of each entry"),
            (pl.Series([b"x"]), "Decode"),
            (pl.Series([object()], dtype=pl.Object), "Write down"),
            ([{"a": 1}], "unnest"),
            ([[1, 2]], "column of each entry"),
            ([b"x"], "Decode"),
            ([1 + 2j], "two columns"),
            ([object()], "Write down"),
        ],
    )
    def test_cells_that_are_no_values_name_their_cure(self, cells, cure):
        data = pl.DataFrame({"c": cells}) if isinstance(cells, pl.Series) else {"c": cells}
        with pytest.raises(ColumnError, match=rf"Column 'c' holds .*{cure}"):
            as_frame(data)

    @pytest.mark.torch
    def test_tensors(self):
        torch = pytest.importorskip("torch")
        whole = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        for tensor in (whole, whole.clone().requires_grad_(), whole.bfloat16(), whole.half()):
            assert as_frame(tensor).to_native().rows() == [(1.0, 2.0), (3.0, 4.0)]
        for odd in (whole.to(torch.complex64), whole.to_sparse(), whole.to("meta")):
            with pytest.raises(DataError, match="tensor of torch"):
                as_frame(odd)
