"""Many rows are predicted in blocks and in float32: the answers are those of float64."""

import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import ColumnError, DataError
from deltaprop.model.parameters import Parameters
from deltaprop.table_models import predictor as predicting
from deltaprop.table_models.calibration import Calibration
from deltaprop.table_models.predictor import without_scaling
from deltaprop.tabular import TableEncoder, TableWarning, TargetEncoder
from deltaprop.training.predict import logits

RNG = np.random.default_rng(5)
N = 400
WORDS = [f"w{i}" for i in RNG.integers(0, 30, N)]
TABLE = pl.DataFrame(
    {
        "a": RNG.normal(size=N).round(3),
        "b": RNG.exponential(size=N).round(3),
        "kind": WORDS,
        "often": np.where(RNG.random(N) < 0.7, "same", RNG.choice(list("xyz"), N)),
        "side": RNG.choice(["left", "right"], N),
    }
)
SIGNAL = TABLE["a"].to_numpy() + (TABLE["side"].to_numpy() == "left") + RNG.normal(size=N) / 2
TARGETS = {
    "two classes": np.where(SIGNAL > 0.5, "yes", "no"),
    "classes": np.digitize(SIGNAL, [0.0, 0.6, 1.2]).astype(str),
    "numbers": 1e3 * SIGNAL,
    "labels": np.stack([SIGNAL > 0, SIGNAL > 1], axis=1),
}
PRESETS = ["plain", "fast", "best"]


def fit(target, preset="fast", table=TABLE, **settings):
    recipe = dp.Recipe(preset=preset, epochs=3, hidden=(16, 16), members=2, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dp.TableModel.fit(table, TARGETS[target], recipe=recipe)


def in_float64(model, features):
    x = model.encode(features)
    t = 1.0 if model.calibration is None else model.calibration.temperature
    p = np.mean(
        [model.network.loss.predict(logits(model.network, m, x) / t) for m in model.members], axis=0
    )
    return p if model.limits is None else np.clip(p, *model.limits)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.one_in(5)
def test_the_answers_are_those_of_float64(target, preset):
    model = fit(target, preset)
    assert {history.dtype for history in model.histories} == {"float32"}
    expected = in_float64(model, TABLE)
    if target == "numbers":
        spread = np.std(TARGETS[target])
        decoded = model.target.decode(expected)[:, 0]
        np.testing.assert_allclose(model.predict(TABLE), decoded, rtol=0, atol=1e-5 * spread)
        return
    np.testing.assert_allclose(model.predict_proba(TABLE), expected, rtol=0, atol=1e-6)
    if target != "labels":
        np.testing.assert_array_equal(
            model.predict(TABLE), model.target.decode(expected.argmax(axis=1))
        )


@given(seed=st.integers(0, 2**32 - 1), size=st.floats(0, 3), k=st.sampled_from([2, 3, 40]))
def test_classes_are_those_of_float64_however_close_they_are(seed, size, k):
    """Weights near 0 leave all classes about equally probable, weights of 0 exactly so."""
    rng = np.random.default_rng(seed)
    table = {"x": rng.normal(size=64), "y": rng.normal(size=64)}
    inputs = TableEncoder.fit(table)
    network = dp.Network([2, 8, k], hidden="tanh")
    some = model_of(network, inputs, k)
    size = 10.0**-size * rng.integers(0, 2, len(some.parameters.flat))
    members = [
        Parameters(network.layout, size * rng.normal(size=len(some.parameters.flat)))
        for _ in range(2)
    ]
    model = replace(some, members=tuple(members))
    expected = in_float64(model, table)
    np.testing.assert_array_equal(model.predict(table), expected.argmax(axis=1))
    p = model.predict_proba(table)
    np.testing.assert_allclose(p, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(p.argmax(axis=1), expected.argmax(axis=1))


def model_of(network, inputs, k):
    target = TargetEncoder.fit(np.arange(k), "classification")
    start = network.init(np.random.default_rng(0))
    history = dp.History(dtype="float32")
    return dp.TableModel(
        network, (start, start), inputs, target, (history, history), dp.Recipe(), k, 0,
        Calibration(1.3, 10, 1.0, 1.0, 0.1, 0.1, (), ()),
    )  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.one_in(3)
def test_blocks_of_few_rows_give_the_same_bits(target, monkeypatch):
    model = fit(target)
    whole = model.predict(TABLE), model.evaluate(TABLE, TARGETS[target])
    monkeypatch.setattr(predicting, "_FEWEST_ROWS", 7)
    monkeypatch.setattr(predicting, "_MOST_ROWS", 7)
    np.testing.assert_array_equal(model.predict(TABLE), whole[0])
    assert model.evaluate(TABLE, TARGETS[target]) == whole[1]


def test_a_message_counts_rows_from_the_first_and_a_warning_all_of_them(monkeypatch):
    model = fit("classes")
    monkeypatch.setattr(predicting, "_MOST_ROWS", 64)
    text = TABLE["a"].cast(pl.String).to_list()
    text[130], text[390] = "oops", "no"
    with pytest.raises(DataError, match=r"'oops' in row 131: .* 1 more rows have"):
        model.predict(TABLE.with_columns(pl.Series("a", text)))
    new = TABLE["kind"].to_list()
    new[3] = new[200] = "fresh"
    new[399] = "other"
    odd = TABLE.with_columns(pl.Series("kind", new), extra=pl.lit(1))
    with pytest.warns(TableWarning) as told:
        model.predict(odd)
    of_columns, of_cells = (str(warning.message) for warning in told)
    assert of_columns == "The table has a column that the training table had not: 'extra'. Ignored."
    assert of_cells.startswith("The table holds what the training did not: 3 cells of column ")
    assert "'kind' ('fresh', 'other')" in of_cells
    assert {warning.filename for warning in told} == {__file__}


def test_rows_of_few_numbers_are_the_same_matrix():
    encoder = TableEncoder.fit(TABLE)
    assert encoder.has_few_numbers
    odd = TABLE.with_columns(
        kind=pl.Series(["never seen", None, *WORDS[2:]]),
        often=pl.Series([None, *TABLE["often"][1:]]),
    )
    for table in (TABLE, odd):
        dense = (
            encoder.transform(table, dtype=np.float64) if table is TABLE else quiet(encoder, odd)
        )
        rows, _ = encoder.encode(table, dtype=np.float64)
        assert (np.diff(rows.indptr) == encoder.n_kept).all()
        assert (np.diff(rows.indices.reshape(len(rows), -1), axis=1) > 0).all()
        np.testing.assert_array_equal(rows.toarray(), dense)


def quiet(encoder, table):
    with pytest.warns(TableWarning, match="never seen"):
        return encoder.transform(table)


@pytest.mark.rest
@given(
    st.lists(st.sampled_from("aaaaaaaabcdefg"), min_size=30, max_size=80).filter(
        lambda cells: len(set(cells)) > 1
    ),
    st.lists(st.sampled_from("abcdefgh "), min_size=1, max_size=20),
)
def test_so_it_is_for_categories_of_any_frequency(cells, later):
    beside = [f"v{i % 29}" for i in range(len(cells))]
    encoder = TableEncoder.fit({"c": cells, "beside": beside})
    new = {"c": [cell.strip() or None for cell in later], "beside": [beside[0]] * len(later)}
    rows, _ = encoder.encode(new, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        dense = encoder.transform(new)
    np.testing.assert_array_equal(rows if isinstance(rows, np.ndarray) else rows.toarray(), dense)


def test_a_layer_of_scaling_goes_into_the_weights():
    model = fit("classes")
    network, parameters = without_scaling(model.network, model.parameters)
    assert len(network.computing_layers) == len(model.network.computing_layers) - 1
    x = model.encode(TABLE)
    np.testing.assert_allclose(
        logits(network, parameters, x), logits(model.network, model.parameters, x), rtol=1e-12
    )


def test_the_numbers_of_a_model_do_not_change_once_it_is_one():
    model = fit("classes")
    before = model.predict_proba(TABLE)
    with pytest.raises(ValueError, match="read-only"):
        model.parameters.flat[:] = 0
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.predict_proba(TABLE), before)
    start = model.network.init(np.random.default_rng(1))
    other = replace(model, members=(start, start))
    assert not np.array_equal(other.predict_proba(TABLE), before)


def test_what_overflows_in_float32_is_answered_in_float64():
    network = dp.Network([1, 2], loss="cross_entropy")
    inputs = TableEncoder.fit({"x": [0.0, 1.0, 2.0, 3.0]})
    model = replace(model_of(network, inputs, 2), calibration=None)
    large = Parameters(network.layout, np.array([1e39, -1e39, 0.0, 0.0]))
    model = replace(model, members=(large, large))
    np.testing.assert_array_equal(model.predict({"x": [0.0, 3.0]}), [1, 0])


def test_float64_stays_float64():
    model = fit("classes", "plain", engine="reference")
    assert {history.dtype for history in model.histories} == {"float64"}
    np.testing.assert_allclose(model.predict_proba(TABLE), in_float64(model, TABLE), rtol=1e-12)


@pytest.mark.parametrize("remembers", [True, False])
def test_a_table_that_lacks_a_column_is_refused_whatever_is_asked(remembers):
    model = fit("classes")
    if not remembers:
        model = replace(model, learnt_rows=None)
    name = model.inputs.needed[0]
    lacking = TABLE.drop(name)
    for ask in (model.predict, lambda rows: model.evaluate(rows, TARGETS["classes"])):
        with pytest.raises(ColumnError, match=f"lacks column '{name}'"):
            ask(lacking)
