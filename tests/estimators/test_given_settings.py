"""What is given to an estimator with a preset is used, seen by its effect, or refused."""

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

import deltaprop as dp
from deltaprop.errors import DeltapropError, SettingError
from deltaprop.estimators.parameters import DEFAULTS, settings_of
from deltaprop.model.layers import Dense, ParametricActivation
from deltaprop.model.serialize import load_model, save_model

N = 60
X = np.random.default_rng(8).normal(size=(N, 3))
ANSWERS = {dp.MLPClassifier: (X[:, 0] > 0).astype(int), dp.MLPRegressor: X[:, 0] + X[:, 1]}
QUICK = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0, "ranges": 0, "members": 2}
THEIRS = {dp.MLPClassifier: TheirClassifier, dp.MLPRegressor: TheirRegressor}
BOTH = pytest.mark.parametrize("kind", THEIRS)
PRESETS = pytest.mark.parametrize("preset", ["fast", "best"])


def fit(kind, **settings):
    return kind(**{**QUICK, **settings}).fit(X, ANSWERS[kind])


def dense(model):
    return [layer for layer in model.network_.layers if isinstance(layer, Dense)]


def widths(model):
    return [layer.n_out for layer in dense(model)[:-1]]


def activations(model):
    found = [a.function for a in model.network_.layers if isinstance(a, ParametricActivation)]
    return set(found or [layer.activation for layer in dense(model)[:-1]])


def dropped(model):
    return max(0.0 if d is None else d.drop_probability for d in model.network_.dropouts)


def same_bits(one, other):
    return all(map(np.array_equal, one.coefs_, other.coefs_))


def waited(model, patience):
    histories = [h for h in model.model_.histories if h.stopped_because == "patience"]
    return histories and all(h.n_epochs - 1 - h.best_epoch == patience for h in histories)


def learns_the_same_again(model):
    again = clone(model).fit(X, ANSWERS[type(model)])
    return same_bits(model, again) and same_bits(model, again.fit(X, ANSWERS[type(model)]))


def batches(model, size):
    learnt = N - N // len(model.model_.members)
    return -(-learnt // min(200 if size == "auto" else size, N, learnt)) * model.n_iter_


# values of every setting of the namesakes, the default first, and what shows that they are used;
# where nothing could, they are refused
OF_THE_NAMESAKES = {
    "hidden_layer_sizes": ([(100,), 7, (5, 4), ()],
                           lambda m, v: widths(m) == np.atleast_1d(v).tolist()),
    "activation": (["relu", "tanh", "logistic"],
                   lambda m, v: activations(m) == {{"logistic": "sigmoid"}.get(v, v)}),
    "alpha": ([0.0001, 0.0, 5.0], lambda m, v: m.network_.l2 == v / 20),
    "batch_size": (["auto", 7, 200], lambda m, v: m.history_.n_steps == batches(m, v)),
    "learning_rate_init": ([0.001, 0.3], lambda m, v: v / 4 < max(m.history_.learning_rate) <= v),
    "max_iter": ([200, 4], lambda m, v: m.n_iter_ == v),
    "random_state": ([None, 5], lambda m, v: learns_the_same_again(m) == (v is not None)),
    "shuffle": ([True, False], lambda _, v: v),  # as a preset does
    "warm_start": ([False, True], lambda m, v: not v and learns_the_same_again(m)),
    "validation_fraction": ([0.1, 0.0, 0.25], lambda m, v: abs(m.model_.n_val - v * N) <= 1),
    "n_iter_no_change": ([10, 1], waited),
    "loss": (["squared_error"], lambda m, _: m.network_.loss_name == "half_squared_error"),
    "verbose": ([False], lambda *_: True),  # what is written has tests of its own
    "solver": (["adam", "sgd", "lbfgs"], None),
    "learning_rate": (["constant", "adaptive", dp.schedules.Cosine(0.1)], None),
    "power_t": ([0.5, 0.1], None),
    "tol": ([1e-4, 0.0], None),
    "momentum": ([0.9, 0.0], None),
    "nesterovs_momentum": ([True, False], None),
    "early_stopping": ([False, True], None),
    "beta_1": ([0.9, 0.5], None),
    "beta_2": ([0.999, 0.5], None),
    "epsilon": ([1e-8, 1e-3], None),
    "max_fun": ([15000, 3], None),
}  # fmt: skip
OWN = {
    "dropout": ([0.0, 0.3], lambda m, v: dropped(m) == v),
    "label_smoothing": ([0.0, 0.3], lambda m, v: m.network_.label_smoothing == v),
    "members": ([1, 3], lambda m, v: len(m.model_.members) == v),
    "ranges": ([0, 4], lambda m, v: {max(0, len(c.edges) - 1) for c in m.encoder_.columns} == {v}),
    "calibrate": ([True, False], lambda m, v: (m.model_.calibration is not None) == v),
    "engine": (["auto", "reference"], lambda m, v: m.history_.engine in (v, "native")),
    "optimizer": (["adam"], None),
    "dtype": (["float32"], None),
}
CASES = [(name, value, seen) for name, (values, seen) in (OF_THE_NAMESAKES | OWN).items()
         for value in values]  # fmt: skip
MORE = {"validation_fraction": {"members": 1}, "alpha": {"batch_size": 20},
        "n_iter_no_change": {"max_iter": 400}}  # fmt: skip
REFUSED = ("shuffle", "warm_start")  # but for the default, which is what a preset does


@BOTH
def test_no_setting_of_the_namesakes_is_forgotten(kind):
    theirs = THEIRS[kind]().get_params()
    assert set(theirs) - {"loss"} == set(OF_THE_NAMESAKES) - {"loss"}
    defaults = {name: values[0] for name, (values, _) in OF_THE_NAMESAKES.items()}
    assert {n: v for n, v in theirs.items() if v != defaults[n]} == {}
    absent = set(kind().get_params()) - set(OF_THE_NAMESAKES) - set(OWN)
    assert absent == {
        "preset", "scoring", "callbacks", "checkpoint", "resume", "time_budget", "n_threads",
    } | ({"class_weight"} if kind is dp.MLPClassifier else set())  # fmt: skip


@BOTH
@PRESETS
@pytest.mark.parametrize(("name", "value", "seen"), CASES)
@pytest.mark.one_in(5)
def test_what_is_given_is_used_or_refused(kind, preset, name, value, seen):
    if name not in kind().get_params():
        return
    if seen is None or (name in REFUSED and value != OF_THE_NAMESAKES[name][0][0]):
        with pytest.raises(SettingError, match=f"preset='{preset}' has no {name}"):
            fit(kind, preset=preset, **{name: value})
        return
    model = fit(kind, preset=preset, **{**MORE.get(name, {}), name: value})
    assert seen(model, value)


@PRESETS
def test_what_is_not_given_is_as_the_preset_has_it(preset):
    own = dp.MLPClassifier(preset=preset, max_iter=1).fit(X, ANSWERS[dp.MLPClassifier])
    width, members = {"fast": (96, 6), "best": (128, 8)}[preset]
    assert widths(own) == [width] * 3
    assert len(own.model_.members) == members
    assert own.network_.label_smoothing == 0.1
    assert dropped(own) == {"fast": 0.0, "best": 0.15}[preset]


@BOTH
@pytest.mark.parametrize(("name", "value"), [(n, v) for n, v in DEFAULTS.items() if n != "solver"])
def test_a_default_that_is_given_changes_nothing_of_plain(kind, name, value):
    if name in kind().get_params():
        model = kind(random_state=0).set_params(**{name: value})
        assert vars(settings_of(model)) == vars(settings_of(kind(random_state=0)))
        assert settings_of(model.set_params(**{name: None})) == settings_of(kind(random_state=0))


class TestPlain:
    @pytest.mark.parametrize(
        ("name", "none", "some"), [("members", 1, 3), ("ranges", 0, 8), ("calibrate", False, True)]
    )
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_what_only_presets_have_is_refused(self, name, none, some):
        quick = {"hidden_layer_sizes": (2,), "max_iter": 2}
        dp.MLPClassifier(**quick, **{name: none}).fit(X[:9], [0, 1, 0] * 3)
        refused, y = dp.MLPClassifier(**quick, **{name: some}), ANSWERS[dp.MLPClassifier]
        for learn in (refused.fit, partial(refused.partial_fit, classes=np.unique(y))):
            with pytest.raises(
                SettingError, match=f"Without a preset there is no {name}: .*preset='fast'"
            ):
                learn(X, y)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("members", 0), ("members", 2.0), ("ranges", -1), ("ranges", True), ("calibrate", "yes")],
    )
    @pytest.mark.parametrize("preset", [None, "plain", "fast"])
    def test_values_out_of_range_are_refused(self, preset, name, value):
        with pytest.raises(SettingError, match=f"{name} is {value!r}; it is None"):
            fit(dp.MLPClassifier, **{"preset": preset, name: value})


class TestWhatNothingWouldComeOf:
    """Settings that fit the preset but neither the table nor each other."""

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [({"validation_fraction": 0.3}, r"is 0\.3, but each of several networks .*members=1"),
         ({"validation_fraction": 0.0, "calibrate": True}, "calibrate=True needs rows"),
         ({"hidden_layer_sizes": None, "activation": ("tanh", "tanh")}, "give hidden_layer_sizes")],
    )  # fmt: skip
    def test_it_is_refused(self, settings, sentence):
        with pytest.raises(DeltapropError, match=sentence):
            fit(dp.MLPClassifier, preset="fast", **settings)

    def test_a_share_of_few_rows_or_beside_others_is_refused(self):
        few = dp.MLPRegressor(preset="fast", validation_fraction=0.2, members=1, max_iter=1)
        with pytest.raises(SettingError, match=r"of so few rows \(under 20\) none are held out"):
            few.fit(X[:10], X[:10, 0])
        with pytest.raises(SettingError, match="other rows are given"):
            few.fit(X, X[:, 0], X_val=X[:9], y_val=X[:9, 0])

    def test_ranges_of_sparse_rows_are_refused(self):
        model = dp.MLPRegressor(preset="fast", ranges=4, max_iter=1)
        with pytest.raises(SettingError, match="sparse rows are not divided into ranges"):
            model.fit(csr_matrix(X), X[:, 0])
        assert model.set_params(ranges=0).fit(csr_matrix(X), X[:, 0]).n_iter_ == 1

    @pytest.mark.parametrize("setting", [{"label_smoothing": 0.1}, {"calibrate": True}])
    def test_what_is_for_classes_is_refused_for_numbers(self, setting):
        with pytest.raises(SettingError, match="is for classes, but the target is numbers"):
            dp.TableModel.fit(X, X[:, 0], recipe=dp.Recipe(**setting))

    def test_patience_without_rows_held_out_watches_the_training_loss(self):
        settings = {"learning_rate_init": 1e-12, "max_iter": 50, "validation_fraction": 0.0}
        model = fit(dp.MLPRegressor, preset="fast", n_iter_no_change=3, batch_size=60, **settings)
        assert model.n_iter_ < 50


class TestFilesOfBefore:
    @pytest.mark.parametrize("preset", [None, "fast"])
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_defaults_in_them_were_not_given(self, preset, tmp_path):
        settings = {"hidden_layer_sizes": (6,), "max_iter": 3, "preset": preset}
        model = dp.MLPClassifier(**settings).fit(X, ANSWERS[dp.MLPClassifier])
        model.save(tmp_path / "m")
        saved = load_model(tmp_path / "m")
        facts = saved.training["estimator"]
        facts["format"] = "deltaprop-estimator/1"
        for name in ("members", "ranges", "calibrate"):
            del facts["settings"][name]
        facts["settings"] |= {
            name: {"tuple": [100]} if name == "hidden_layer_sizes" else value
            for name, value in DEFAULTS.items() if name not in settings
        }  # fmt: skip
        save_model(tmp_path / "old", saved.network, saved.parameters, table=saved.table,
                   training=saved.training, arrays=saved.arrays)  # fmt: skip
        old = dp.load(tmp_path / "old")
        assert old.get_params() == model.get_params()
        np.testing.assert_array_equal(old.predict(X), model.predict(X))

    @pytest.mark.parametrize("version", [1, 2])
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_plain_in_them_stood_for_no_preset(self, version, tmp_path):
        settings = {"hidden_layer_sizes": (6,), "max_iter": 3}
        model = dp.MLPClassifier(**settings).fit(X, ANSWERS[dp.MLPClassifier])
        model.save(tmp_path / "m")
        saved = load_model(tmp_path / "m")
        facts = saved.training["estimator"]
        facts["format"] = f"deltaprop-estimator/{version}"
        facts["settings"]["preset"] = "plain"
        save_model(tmp_path / "old", saved.network, saved.parameters, table=saved.table,
                   training=saved.training, arrays=saved.arrays)  # fmt: skip
        old = dp.load(tmp_path / "old")
        assert old.preset is None
        np.testing.assert_array_equal(old.predict_proba(X), model.predict_proba(X))
