"""Odd rows and weights: plain and the presets agree, as docs/estimators.md has it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.neural_network import MLPClassifier as TheirClassifier

import deltaprop as dp
from deltaprop.errors import DataError

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore::deltaprop.tabular.TableWarning",
)

N = 60
X = np.random.default_rng(4).normal(size=(N, 3))
THREE = np.digitize(X[:, 0], [-0.4, 0.4]) * 5
TWO = np.where(X[:, 0] > 0, "yes", "no")
NUMBERS = pd.DataFrame(X, columns=["a", "b", "c"])
MIXED = NUMBERS.assign(word=np.where(X[:, 1] > 0, "up", "down"))
PRESETS = pytest.mark.parametrize("preset", [None, "fast"])
QUICK = {"hidden_layer_sizes": (8,), "max_iter": 40, "random_state": 0, "learning_rate_init": 0.05}


def make(preset, kind=dp.MLPClassifier, **settings):
    more = {"members": 2, "ranges": 0} if preset == "fast" else {}
    return kind(preset=preset, **QUICK, **more, **settings)


@PRESETS
class TestAClassWithoutRowsThatCount:
    @pytest.mark.parametrize("how", ["sample_weight", "class_weight"])
    def test_it_stays_among_the_classes_and_is_never_said(self, preset, how):
        settings = {"class_weight": {5: 0.0}} if how == "class_weight" else {}
        weights = np.where(THREE == 5, 0.0, 1.0) if how == "sample_weight" else None
        model = make(preset, **settings).fit(X, THREE, sample_weight=weights)
        assert model.classes_.tolist() == [0, 5, 10]
        p = model.predict_proba(X)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        assert p[:, 1].max() < 0.05
        assert set(model.predict(X)) == {0, 10}
        assert model.score(X, THREE) <= np.mean(THREE != 5)

    def test_validation_rows_of_it_are_refused(self, preset):
        weights = np.where(THREE == 5, 0.0, 1.0)
        with pytest.raises(DataError, match="Class 5 has no row that counts"):
            make(preset).fit(X, THREE, weights, X_val=X, y_val=THREE)
        others = THREE != 5
        make(preset).fit(X, THREE, weights, X_val=X[others], y_val=THREE[others])

    @pytest.mark.parametrize(
        "rows",
        [X, X.tolist(), NUMBERS, MIXED, csr_matrix(X)],
        ids=["array", "list", "numbers", "mixed", "sparse"],
    )
    @pytest.mark.one_in(5)
    def test_the_last_class_is_always_said(self, preset, rows, tmp_path):
        model = make(preset).fit(rows, TWO, sample_weight=(TWO == "yes") * 1.0)
        assert model.classes_.tolist() == ["no", "yes"]
        assert set(model.predict(rows)) == {"yes"}
        assert model.predict_proba(rows).shape == (N, 2)
        model.save(tmp_path / "m")
        for again in (dp.load(tmp_path / "m"), pickle.loads(pickle.dumps(model))):
            np.testing.assert_array_equal(again.predict_proba(rows), model.predict_proba(rows))
        both = model.fit(rows, TWO)
        assert set(both.predict(rows)) == {"no", "yes"}

    def test_so_is_a_single_class(self, preset, tmp_path):
        their = TheirClassifier(max_iter=5).fit(X, np.full(N, 7)).predict(X)
        model = make(preset).fit(X, np.full(N, 7))
        np.testing.assert_array_equal(model.predict(X), their)
        np.testing.assert_array_equal(model.predict_proba(X), np.ones((N, 1)))
        model.save(tmp_path / "m")
        np.testing.assert_array_equal(dp.load(tmp_path / "m").predict(X), their)

    def test_weights_of_zero_only_are_refused(self, preset):
        with pytest.raises(DataError, match="All sample weights are zero"):
            make(preset).fit(X, THREE, sample_weight=np.zeros(N))


@PRESETS
@pytest.mark.parametrize("rows", [X, NUMBERS, MIXED], ids=["array", "numbers", "mixed"])
class TestCellsThatAreNoNumbers:
    def odd(self, rows, cell):
        odd = rows.copy()
        if rows is X:
            odd[4, 1] = cell
        else:
            odd.loc[4, "b"] = cell
        return odd

    @pytest.mark.parametrize("cell", [np.inf, -np.inf])
    @pytest.mark.one_in(5)
    def test_infinity_is_refused_at_fit_and_at_prediction(self, preset, rows, cell):
        model = make(preset).fit(rows, TWO)
        for act in (model.predict, model.predict_proba, lambda r: make(preset).fit(r, TWO)):
            with pytest.raises(ValueError, match=r"infinity|has -?inf in row 5"):
                act(self.odd(rows, cell))

    def test_a_missing_cell_at_prediction_only(self, preset, rows):
        model = make(preset).fit(rows, TWO)
        odd = self.odd(rows, np.nan)
        if preset is None and rows is not MIXED:
            with pytest.raises(ValueError, match=r"contains NaN|'b' of X has .* missing cells"):
                model.predict(odd)
            return
        p = model.predict_proba(odd)
        others = np.arange(N) != 4
        np.testing.assert_allclose(p[others], model.predict_proba(rows)[others], rtol=1e-6)
        median = rows.copy()
        if rows is X:
            median[4, 1] = np.median(rows[:, 1])
        else:
            median.loc[4, "b"] = rows["b"].median()
        np.testing.assert_allclose(p, model.predict_proba(median), rtol=1e-6)


@PRESETS
@pytest.mark.parametrize("cell", [None, "sideways"])
def test_a_word_that_is_missing_or_new_at_prediction_counts_as_none(preset, cell):
    model = make(preset).fit(MIXED, TWO)
    odd = MIXED.copy()
    odd.loc[4, "word"] = cell
    p = model.predict_proba(odd)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p[:4], model.predict_proba(MIXED)[:4], rtol=1e-6)
