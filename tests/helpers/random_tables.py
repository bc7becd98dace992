"""Random tables for hypothesis: cells of every kind, targets, and what a model says of them."""

import datetime
import warnings

import numpy as np
import polars as pl
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DeltapropError

N = 24


FINITE = st.floats(allow_nan=False, allow_infinity=False)


TINY = st.floats(-1e-300, 1e-300)


EXTREME = st.sampled_from([5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, -0.0])


INTEGERS = st.integers(-(2**70), 2**70)


DAYS = st.dates(datetime.date(1, 1, 1), datetime.date(9999, 12, 31))


YEAR = datetime.timedelta(366)


MOMENTS = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


VOCABULARY = ["plot", "ACTOR", "müzik", "场景", "don't", "3rd", "🙂", "нет", "a.b", "x" * 50]


SENTENCES = st.lists(st.sampled_from(VOCABULARY), min_size=4, max_size=9).map(" ".join)


NUMERALS = st.sampled_from(
    ["1", "2.5", "1e3", " 7 ", "-0", "+4", "007", "1,234", "1.234,5", "12 USD", "5%"]
)


TRUTHS = st.sampled_from(["true", "False", "yes", "no", "TRUE", "0", "1"])


def cells(each):
    """Return N cells: of a few values or many, perhaps most of them the same, some missing."""
    few = st.lists(each, min_size=1, max_size=4)
    drawn = st.one_of(few, st.lists(each, min_size=N, max_size=N))

    @st.composite
    def column(draw):
        values = draw(drawn)
        common, rare = (
            draw(st.sampled_from([0.0, 0.5, 0.9])),
            draw(st.randoms(use_true_random=False)),
        )
        missing = draw(st.sampled_from([0.0, 0.0, 0.2, 1.0]))
        picked = values if len(values) == N else [rare.choice(values) for _ in range(N)]
        picked = [picked[0] if rare.random() < common else cell for cell in picked]
        return [None if rare.random() < missing else cell for cell in picked]

    return column()


COLUMNS = st.one_of(
    *map(
        cells,
        (
            FINITE, TINY, EXTREME, st.floats(-3, 3), st.integers(0, 5), INTEGERS, DAYS, MOMENTS,
            DAYS.map(str), MOMENTS.map(str), DAYS.map("{0.day}.{0.month}.{0.year}".format),
            st.floats(0, 1e6).map("{:,.2f} USD".format), st.floats(-99, 99).map("{:.1f} %".format),
            st.integers(0, 10**6).map(lambda i: str(1_600_000_000_000_000_000 + i)),
            st.floats(-999, 999).map(lambda x: f"({-x:.2f})" if x < 0 else f"{x:.2f}"),
            DAYS.map("{:%d-%b-%y}".format), st.integers(0, 99).map("{:05}".format),
            WORDS, SENTENCES, NUMERALS, TRUTHS, st.booleans(), st.just("the same"), st.just(3),
            st.sampled_from(["NA", "n/a", "?", "NULL", "none", "-"]),
            st.timedeltas(-YEAR, YEAR),
        ),
    )
)  # fmt: skip


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)


TABLES = st.dictionaries(NAMES, COLUMNS, min_size=1, max_size=4)


TARGETS = st.one_of(
    st.lists(st.sampled_from(["a", "b", "ü ", "0", "NaN"]), min_size=N, max_size=N),
    st.lists(st.booleans(), min_size=N, max_size=N),
    st.lists(st.sampled_from([-3, 2**60, 2**60 + 1]), min_size=N, max_size=N),
    st.lists(st.sampled_from([0.5, 1.5, 1e300]), min_size=N, max_size=N),
    st.lists(FINITE, min_size=N, max_size=N),
    st.lists(st.floats(0, 1e6).map("{:,.2f} €".format), min_size=N, max_size=N),
    st.lists(st.booleans(), min_size=2 * N, max_size=2 * N).map(
        lambda truths: np.reshape(truths, (N, 2)).astype(int)
    ),
    st.lists(st.floats(-5, 5), min_size=2 * N, max_size=2 * N).map(
        lambda numbers: np.reshape(numbers, (N, 2))
    ),
)


MANY = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=2000)


SOME = settings(MANY, max_examples=25)


def as_frame(columns):
    """Return a frame, or say that these are no columns of one."""
    try:
        return pl.DataFrame(
            {name: pl.Series(values, strict=False) for name, values in columns.items()}
        )
    except (pl.exceptions.PolarsError, OverflowError, TypeError):
        assume(False)


def fitted(fit, *given, **how):
    """Return what is fitted, quietly; what is refused with a sentence is no case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return fit(*given, **how)
        except DeltapropError:
            assume(False)


def says(model, frame, names=("predict", "predict_proba")):
    """Return what a model says to the bit, or with which words it refuses."""
    answers = []
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                answer = np.asarray(getattr(model, name)(frame))
                answers.append(
                    (
                        answer.dtype.kind,
                        answer.tolist() if answer.dtype == object else answer.tobytes(),
                    )
                )
            except (DeltapropError, AttributeError) as error:
                answers.append(str(error))
    return answers


def again(model, folder):
    """Return the model after a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(folder / "m")
    return dp.load(folder / "m")
