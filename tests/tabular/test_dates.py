"""Dates as people write them: the notation found from the whole column, the day and hour right."""

import datetime
import json
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.errors import DataError
from deltaprop.tabular import TableEncoder
from deltaprop.tabular.encoding.dates import date_format, days_of

EPOCH = datetime.datetime(1970, 1, 1)


def read(*cells):
    """The moments of a column of text, or None where it is none of dates."""
    text = pl.Series("a", cells)
    notation, _ = date_format(text)
    if notation is None:
        return None
    return [str(EPOCH + datetime.timedelta(days=round(day * 1440) / 1440))
            for day in days_of(text, notation)]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2022年3月5日", "2022年12月15日"], "2022-03-05 00:00:00"),
        (["2022年3月5日 14时30分"], "2022-03-05 14:30:00"),
        (["2022年3月5日 下午3:30", "2022年3月6日上午3时30分20秒"], "2022-03-05 15:30:00"),
        (["2022년 3월 5일"], "2022-03-05 00:00:00"),
        (["2022年3月", "2022年12月"], "2022-03-01 00:00:00"),
        (["05-Mar-22", "15-Dec-21"], "2022-03-05 00:00:00"),
        (["05MAR2022"], "2022-03-05 00:00:00"),
        (["5 March 2022", "1st of May, 2021"], "2022-03-05 00:00:00"),
        (["Mar 5, 2022", "December 15th, 2021"], "2022-03-05 00:00:00"),
        (["Sat, 05 Mar 2022 10:00:00 GMT"], "2022-03-05 10:00:00"),
        (["Saturday, March 5, 2022"], "2022-03-05 00:00:00"),
        (["2022-Mar-05"], "2022-03-05 00:00:00"),
        (["March 2022"], "2022-03-01 00:00:00"),
        (["2022-03", "2021-12"], "2022-03-01 00:00:00"),
        (["3/5/22", "3/25/22"], "2022-03-05 00:00:00"),
        (["3/5/22", "25/3/22"], "2022-05-03 00:00:00"),
        (["05/03/22", "25/03/22"], "2022-03-05 00:00:00"),
        (["3/25/2022 2:30 PM", "3/5/2022 12:05 am"], "2022-03-25 14:30:00"),
        (["5.3.22", "15.3.22"], "2022-03-05 00:00:00"),
        (["31/12/99"], "1999-12-31 00:00:00"),
        (["5. März 2022", "1. Okt. 2022"], "2022-03-05 00:00:00"),
        (["5 de marzo de 2022"], "2022-03-05 00:00:00"),
        (["1er mars 2022", "5 févr. 2022"], "2022-03-01 00:00:00"),
        (["2022-03-05T10:00:00+01:00", "2022-03-05T10:00:00.123Z"], "2022-03-05 10:00:00"),
        (["2022. 3. 5."], "2022-03-05 00:00:00"),
        (["20220305T101500", "20220306"], "2022-03-05 10:15:00"),
        ([f"{y}-03-{d:02}" for y in (21, 22) for d in range(1, 29)], "2021-03-01 00:00:00"),
    ],
)
def test_a_date_is_read_however_it_is_written(cells, first):
    assert read(*cells)[0] == first


@pytest.mark.parametrize(
    "cells",
    [["12 Main Street 5"], ["1.2.3"], ["2022-13-01"], ["2022-02-30"], ["10 2022"], ["March 5"],
     ["2022-03-05 10"], ["5 Smarch 2022"], ["12:30"], ["3/5"], ["A 5 2022"], ["2022-03-05 25:00"],
     ["192.168.10.12"], ["555-12-1234"], ["5 kg 2022"], ["1234-05"]],
)  # fmt: skip
def test_nothing_else_is_taken_for_a_date(cells):
    assert read(*cells) is None


@pytest.mark.parametrize(
    "cells", [["01/02/2024", "03/04/2024"], ["3/5/22"], ["22-03-05", "21-12-31"]]
)
def test_where_no_cell_decides_it_is_said(cells):
    assert date_format(pl.Series(cells)) == (None, True)
    (warning,) = TableEncoder.fit({"d": cells * 2, "x": list(range(2 * len(cells)))}).warnings
    assert "no cell tells whether" in warning


@pytest.mark.parametrize("kind", [int, float, str])
def test_whole_numbers_that_are_all_days_are_dates(kind):
    cells = [kind(day) for day in (20220305, 20220306, 20211231)]
    encoder = TableEncoder.fit({"when": cells})
    assert encoder.columns[0].kind == "date"
    assert "yearmonthday" in encoder.columns[0].note
    expected = encoder.transform({"when": ["2022-03-05"]})
    for cell in (20220305, 20220305.0, "20220305", "2022年3月5日"):
        np.testing.assert_array_equal(encoder.transform({"when": [cell]}), expected)
    others = {"when": [20220305, 20220306, 20211232]}
    assert TableEncoder.fit(others).columns[0].kind == "numeric"
    assert TableEncoder.fit({"n": [20220305, 20220306]}).columns[0].kind == "numeric"
    assert TableEncoder.fit({"date": [20220305, 20220306]}).columns[0].kind == "date"


def test_later_dates_may_be_written_otherwise_if_they_show_their_order():
    encoder = TableEncoder.fit({"d": ["25/12/2021", "05/03/2022"]})
    assert "written as day/month/year" in encoder.columns[0].note
    expected = encoder.transform({"d": ["05/03/2022"]})
    for cell in ("2022-03-05", "5 March 2022", "2022年3月5日"):
        np.testing.assert_array_equal(encoder.transform({"d": [cell]}), expected)
    with pytest.raises(DataError, match="'03/25/2022' in row 2"):  # not the other way round at once
        encoder.transform({"d": ["05/03/2022", "03/25/2022"]})


def test_years_of_two_digits_are_told():
    assert "1969 to 2068" in TableEncoder.fit({"d": ["05-Mar-22", "6-Mar-22"]}).columns[0].note


WRITERS = {
    "iso": "%Y-%m-%d", "iso time": "%Y-%m-%dT%H:%M:00", "chinese": "%Y年%m月%d日",
    "chinese time": "%Y年%m月%d日 %H时%M分", "german": "%d.%m.%Y", "german time": "%d.%m.%Y %H:%M",
    "short": "%d-%b-%y", "long": "%d %B %Y", "american": "%b %d, %Y",
    "us time": "%b %d, %Y %I:%M %p",
    "compact": "%Y%m%dT%H%M%S", "slashes": "%Y/%m/%d %H:%M", "month first": "%m/%d/%Y",
    "day first": "%d/%m/%y %I:%M %p",
}  # fmt: skip


@pytest.mark.rest
@settings(max_examples=60)
@given(
    st.lists(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 12, 31)),
             min_size=1, max_size=8),
    st.sampled_from(sorted(WRITERS)),
)  # fmt: skip
def test_a_column_of_dates_is_read_in_any_notation_and_alike_after_a_file(moments, writer):
    written = WRITERS[writer]
    moments = [m.replace(second=0, microsecond=0) for m in moments]
    if "%H" not in written and "%I" not in written:
        moments = [m.replace(hour=0, minute=0) for m in moments]
    cells = [m.strftime(written) for m in moments]
    notation, ambiguous = date_format(pl.Series(cells))
    if ambiguous:
        assert "first" in writer
        return
    days = days_of(pl.Series(cells), notation)
    assert [EPOCH + datetime.timedelta(minutes=round(day * 1440)) for day in days] == moments
    if len(set(moments)) == 1:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder = TableEncoder.fit({"d": cells})
        again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
        np.testing.assert_array_equal(
            again.transform({"d": cells}), encoder.transform({"d": cells})
        )
        np.testing.assert_allclose(
            encoder.transform({"d": moments}), encoder.transform({"d": cells}), atol=1e-9
        )
