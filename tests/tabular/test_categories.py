"""Categories: which of them have an output, and how a cell finds its own."""

import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.tabular import TableEncoder
from deltaprop.tabular.encoding import categories as lookup


def fitted(**columns):
    return TableEncoder.fit(columns)


def test_a_category_dtype_is_never_a_number_or_free_text():
    cells = [str(i) for i in range(60)]
    frame = pl.DataFrame({"c": [*cells, "7"]}, schema={"c": pl.Categorical})
    assert TableEncoder.fit(frame).columns[0].kind == "category"


def test_pandas_categories_of_numbers_are_found_again_whatever_the_type():
    pandas = pytest.importorskip("pandas")
    encoder = TableEncoder.fit(pandas.DataFrame({"c": pandas.Categorical([3, 1, 2, 1])}))
    assert encoder.output_names == ("c=1", "c=2", "c=3")
    expected = encoder.transform(pandas.DataFrame({"c": pandas.Categorical([1, 3])}))
    for cells in ([1, 3], [1.0, 3.0], ["1", "3"], ["1.0", "03"]):
        np.testing.assert_array_equal(encoder.transform({"c": cells}), expected)


def test_equal_text_goes_before_an_equal_number():
    encoder = fitted(c=["01", "1", "x", "01"])
    codes = encoder.transform({"c": ["01", "1"]}).argmax(axis=1)
    assert codes.tolist() == [0, 1]


def test_only_the_most_frequent_categories_have_an_output():
    cells = [f"c{i:03}" for i in range(300)] * 2 + [f"c{i:03}" for i in range(200, 300)]
    encoder = fitted(c=cells)
    assert len(encoder.output_names) == 256
    assert "c=c299" in encoder.output_names
    assert "c=c156" not in encoder.output_names
    assert "44 rarer categories" in encoder.report()[0].done
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform({"c": ["c156", "never seen"]})


def test_of_many_categories_those_of_a_single_row_are_unknown():
    returning = [f"c{i}" for i in range(20)] * 2
    once = [f"once{i}" for i in range(12)]
    few, many = fitted(c=returning + once), fitted(c=[*returning, *once, "once more"])
    assert len(few.output_names) == 32  # of so many each has an output
    assert set(many.output_names) == {f"c=c{i}" for i in range(20)}
    assert many.report()[0].done.endswith("; 13 rarer categories are encoded like unknown ones")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            many.transform({"c": ["once3", "c3"]}), many.transform({"c": ["never seen", "c3"]})
        )


def test_one_category_may_be_left_of_many():
    encoder = fitted(c=["often", "often", *(f"once{i}" for i in range(45))])
    assert encoder.output_names == ("c=often",)
    often, once, missing = encoder.transform({"c": ["often", "once3", None]})
    assert often > once == missing


def test_many_categories_none_of_which_returns_are_left_out():
    column = pl.Series("c", [f"c{i}" for i in range(60)], dtype=pl.Categorical)
    encoder = TableEncoder.fit(pl.DataFrame({"c": column, "x": np.arange(60.0)}))
    assert encoder.columns[0].kind == "text"  # a name
    assert encoder.columns[0].note == "left out: none of its 60 values returns"
    assert encoder.output_names == ("x",)
    assert encoder.transform({"c": ["c1", None], "x": [1.0, 2.0]}).shape == (2, 1)


CELLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["a", "A", " a ", "\u2003a\xa0", "\x1ca", "", " ", "NA", "-", "yes", "No", "TRUE", "1",
         "01", "1.0", "1e0", "nan", "inf", "9007199254740993", "Zürich"]
    ),
    st.text(max_size=3),
)  # fmt: skip


@pytest.mark.rest
@given(
    cells=st.lists(CELLS, max_size=20),
    categories=st.lists(CELLS.filter(bool).map(str.strip).filter(bool), max_size=5, unique=True),
    kind=st.sampled_from(["text", "categorical", "floats", "integers", "truths"]),
)
def test_few_cells_find_the_categories_that_many_do(cells, categories, kind):
    texts = pl.Series("c", cells, dtype=pl.String)
    series = {
        "text": texts,
        "categorical": texts.cast(pl.Categorical),
        "floats": texts.cast(pl.Float64, strict=False),
        "integers": texts.cast(pl.Int64, strict=False),
        "truths": texts.str.len_chars() > 1,
    }[kind]
    few = lookup.category_codes(series, tuple(categories))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "_FEW", -1)
        many = lookup.category_codes(series, tuple(categories))
    np.testing.assert_array_equal(few[0], many[0])
    assert few[1:] == many[1:]
