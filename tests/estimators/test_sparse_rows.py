"""Sparse matrices with presets: learnt, answered, saved, explained, reported, zeros left out."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

import deltaprop as dp
from deltaprop.errors import DataError, ShapeError
from deltaprop.tabular import SparseRows
from deltaprop.tabular.encoding.matrix import SparseEncoder, as_sparse

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, K = 90, 40
_rng = np.random.default_rng(3)
X = sp.random(N, K, density=0.15, format="csr", random_state=3)
TARGETS = {
    "classes": np.array(["low", "mid", "high"])[np.digitize(X[:, 0].toarray().ravel(), [0.1, 0.5])],
    "labels": (X[:, :3].toarray() > 0).astype(int),
    "numbers": X[:, 0].toarray().ravel() + 0.1 * _rng.normal(size=N),
    "counts": _rng.poisson(np.exp(X[:, 1].toarray().ravel())),
}
CONTAINERS = [
    sp.csr_matrix,
    sp.csc_matrix,
    sp.coo_matrix,
    sp.csr_array,
    sp.lil_matrix,
    sp.dok_array,
]


def fitted(task, preset, rows=X, **settings):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 6, "random_state": 0, **settings}
    if task in ("classes", "labels"):
        return dp.MLPClassifier(preset=preset, **settings).fit(rows, TARGETS[task])
    loss = "poisson" if task == "counts" else "squared_error"
    return dp.MLPRegressor(loss, preset=preset, **settings).fit(rows, TARGETS[task])


def answers(model, rows):
    return model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)


@pytest.mark.parametrize("preset", ["fast", "best"])
@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.one_in(5)
def test_every_task_goes_all_the_way(task, preset, tmp_path):
    model = fitted(task, preset)
    expected = answers(model, X)
    model.save(tmp_path / "m")
    again = dp.load(tmp_path / "m")
    np.testing.assert_array_equal(answers(again, X), expected)
    np.testing.assert_allclose(answers(again, X.toarray()), expected)
    assert model.model_.evaluate(X, _known(model, task)).rows == N
    assert again.explain(X[:2], TARGETS[task][:2]).verify().ok
    found = dp.report(model, X, TARGETS[task], tmp_path / "r.html")
    assert found.origin.n_columns == K
    assert len(found.importance.columns) == K
    assert len(found.hardest) == 12
    assert np.isfinite(model.score(X, TARGETS[task]))


def _known(model, task):
    y = TARGETS[task]
    return y if task != "classes" else y.astype(object)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.one_in(5)
def test_every_container_gives_the_same_bits(container):
    expected = answers(fitted("classes", "fast"), X)
    model = fitted("classes", "fast", container(X))
    np.testing.assert_array_equal(answers(model, container(X)), expected)


def test_the_order_of_rows_and_cells_changes_nothing_and_nothing_is_changed():
    order = np.random.default_rng(0).permutation(N)
    unsorted = sp.coo_matrix(X)
    shuffled = np.random.default_rng(1).permutation(unsorted.nnz)
    halves = np.r_[unsorted.data[shuffled] / 2, unsorted.data[shuffled] / 2]
    rows, columns = (np.tile(a[shuffled], 2) for a in (unsorted.row, unsorted.col))
    split = sp.coo_matrix((halves, (rows, columns)), shape=X.shape)
    before = X.copy()
    model = dp.MLPClassifier((8,), preset="fast", max_iter=6, random_state=0)
    model.fit(split.tocsr()[order], TARGETS["classes"][order])
    np.testing.assert_allclose(answers(model, X), answers(fitted("classes", "fast"), X))
    assert (before != X).nnz == 0


def test_a_weight_of_two_is_the_row_twice():
    weights = np.arange(N) % 3
    rows, y = np.repeat(np.arange(N), weights), TARGETS["numbers"]
    settings = {"hidden_layer_sizes": (8,), "max_iter": 4, "random_state": 0, "preset": "fast"}
    weighed = dp.MLPRegressor(**settings).fit(X, y, sample_weight=weights)
    repeated = dp.MLPRegressor(**settings).fit(X[rows], y[rows])
    np.testing.assert_array_equal(weighed.predict(X), repeated.predict(X))


def documents(n=80):
    endings = [("wonderful", "lovely"), ("dull", "tired")]
    return [f"a {endings[i % 2][i % 3 % 2]} film about number {i % 7}" for i in range(n)], [
        ("good", "bad")[i % 2] for i in range(n)
    ]


def test_a_pipeline_of_texts_is_learnt_and_explained_by_its_words():
    texts, kinds = documents()
    settings = {"preset": "fast", "max_iter": 12, "random_state": 0}
    pipeline = make_pipeline(TfidfVectorizer(), dp.MLPClassifier(**settings)).fit(texts, kinds)
    assert pipeline.score(texts, kinds) == 1.0
    assert pipeline.predict(["how lovely", "so dull"]).tolist() == ["good", "bad"]
    words = pipeline[0].get_feature_names_out()
    explained = pipeline[-1].explain(
        pipeline[0].transform(texts[:1]), kinds[:1], feature_names=words
    )
    assert set(explained.names.inputs) == set(words)
    assert "lovely" in explained.to_terminal() or "wonderful" in explained.to_terminal()


def test_a_frame_of_sparse_columns_brings_its_names():
    names = [f"term {i}" for i in range(K)]
    frame = pd.DataFrame.sparse.from_spmatrix(X, columns=names)
    model = fitted("classes", "fast", frame)
    np.testing.assert_array_equal(answers(model, frame), answers(fitted("classes", "fast"), X))
    assert set(model.model_.inputs.output_names) == set(names)
    assert isinstance(model.encoder_, SparseEncoder)


def test_a_table_model_takes_them_too(tmp_path):
    model = dp.TableModel.fit(X, TARGETS["classes"], recipe=dp.Recipe(epochs=4, hidden=(8,)))
    assert isinstance(model.encode(X), SparseRows)
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(dp.load(tmp_path / "m").predict_proba(X), model.predict_proba(X))


def test_a_model_of_an_array_answers_a_sparse_matrix():
    model = fitted("classes", "fast", X.toarray())
    np.testing.assert_array_equal(answers(model, X), answers(model, X.toarray()))


@pytest.mark.parametrize("power", [-150, -6, 6, 150])
def test_columns_of_any_scale_become_the_same(power):
    scales = 10.0 ** (power * np.linspace(-1, 1, K))
    plain, scaled = as_sparse(X), as_sparse(X @ sp.diags(scales))
    x, again = (SparseEncoder.fit(rows).transform(rows).toarray() for rows in (plain, scaled))
    np.testing.assert_allclose(again, x, rtol=1e-9)
    assert np.sqrt((x**2).sum(axis=1).mean()) == pytest.approx(1.0)


def test_a_column_that_is_full_is_centered():
    full = 2000.0 + np.random.default_rng(0).normal(size=(N, 1))
    rows = as_sparse(sp.hstack([X, full]).tocsr())
    encoder = SparseEncoder.fit(rows)
    x = encoder.transform(rows).toarray()
    assert encoder.full.tolist() == [K]
    assert encoder.output_names[-1] == f"x{K}"
    assert abs(x[:, -1].mean()) < 0.1
    assert 0.8 < x[:, -1].std() < 1.1
    assert (x[:, :-1] != 0).sum() == X.nnz


@pytest.mark.rest
def test_zeros_are_never_written_out(monkeypatch):
    def refuse(self):
        raise AssertionError("written out")

    wide = sp.random(200, 60_000, density=30 / 60_000, format="csr", random_state=0)
    y = np.arange(200) % 2
    monkeypatch.setattr(SparseRows, "toarray", refuse)
    for kind in (sp.csr_matrix, sp.csc_matrix, sp.coo_matrix):
        monkeypatch.setattr(kind, "toarray", refuse)
    model = dp.MLPClassifier(preset="fast", max_iter=1, random_state=0).fit(wide, y)
    assert model.predict_proba(wide).shape == (200, 2)
    assert model.model_.network.n_parameters < 5_000_000


def test_what_cannot_be_learnt_is_one_sentence():
    broken = X.copy()
    broken.data[3] = np.nan
    with pytest.raises(DataError, match="sparse matrix has nan in row 1"):
        dp.TableModel.fit(broken, TARGETS["classes"])
    with pytest.raises(DataError, match="no cell that is not 0"):
        dp.TableModel.fit(sp.csr_matrix((9, 3)), [0, 1, 2] * 3)
    with pytest.raises(ShapeError, match="has 5 columns: expected 40"):
        dp.TableModel.fit(X, TARGETS["classes"], recipe=dp.Recipe(epochs=1)).predict(X[:, :5])


@pytest.mark.rest
@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(3, 30),
    k=st.integers(1, 12),
    density=st.floats(0.05, 1.0),
    power=st.floats(-200, 200),
    dtype=st.sampled_from([np.float64, np.float32, np.int64, np.bool_]),
    seed=st.integers(0, 999),
    preset=st.sampled_from(["fast", "best", "plain"]),
)
def test_any_matrix_is_learnt_or_refused_in_a_sentence(
    n, k, density, power, dtype, seed, preset, tmp_path_factory
):
    rng = np.random.default_rng(seed)
    rows = sp.random(n, k, density=density, format="csr", random_state=seed)
    if dtype == np.float64:
        rows.data *= 10.0**power
    rows = (rows * 7).astype(dtype)
    y = rng.permutation(np.arange(n) % 2)
    recipe = dp.Recipe(preset, epochs=2, hidden=(4,))
    try:
        model = dp.TableModel.fit(rows, y, recipe=recipe)
    except DataError:
        cells = rows.toarray().astype(float)
        assert np.ptp(cells / max(cells.max(), 1e-300), axis=0).max() < 1e-9
        return
    path = tmp_path_factory.mktemp("m") / "m"
    model.save(path)
    p = model.predict_proba(rows)
    assert np.isfinite(p).all()
    np.testing.assert_array_equal(dp.load(path).predict_proba(rows), p)
