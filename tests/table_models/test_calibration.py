"""Temperature scaling: one number, fitted on the validation rows, and what it may never do."""

import json
import math
import struct
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import load_file, save
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

import deltaprop as dp
from deltaprop.errors import DataError, ModelFileError, SettingError
from deltaprop.model import sealed
from deltaprop.model.stored import record
from deltaprop.table_models.calibration import (
    Calibration,
    ReliabilityBin,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    reliability_curve,
)
from deltaprop.training.predict import predict

QUICK = dp.Recipe(epochs=4, hidden=(8,), members=1)


def cross_entropy(z, y):
    return -log_softmax(z, axis=1)[np.arange(len(y)), y].mean()


def drawn(rng, n, k, scale=2.0):
    """Return logits, and labels drawn from the very probabilities they stand for."""
    z = rng.normal(scale=scale, size=(n, k))
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    y = (rng.random((n, 1)) < p.cumsum(axis=1)).argmax(axis=1)
    return z, y


class TestTemperature:
    def test_two_classes_have_a_closed_form(self):
        # logits (a, 0) in every row, a share f of class 0: sigmoid(a / T) = f
        a, n, zeros = 3.0, 40, 28
        z = np.tile([a, 0.0], (n, 1))
        y = np.r_[np.zeros(zeros, int), np.ones(n - zeros, int)]
        f = zeros / n
        assert fit_temperature(z, y) == pytest.approx(a / math.log(f / (1 - f)), rel=1e-10)

    @pytest.mark.parametrize("k", [2, 3, 10])
    @pytest.mark.parametrize("factor", [0.25, 0.8, 3.0])
    def test_a_factor_on_the_logits_comes_back_as_the_temperature(self, rng, k, factor):
        z, y = drawn(rng, 4000, k)
        alone = fit_temperature(z, y)
        assert alone == pytest.approx(1.0, abs=0.12)
        assert fit_temperature(factor * z, y) == pytest.approx(factor * alone, rel=5e-3)

    @pytest.mark.parametrize("k", [2, 5])
    def test_it_is_where_scipy_finds_the_minimum(self, rng, k):
        z, y = drawn(rng, 500, k)
        z *= 2.5

        def of_log(log_t):
            return cross_entropy(z / math.exp(log_t), y)

        found = minimize_scalar(of_log, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10})
        assert fit_temperature(z, y) == pytest.approx(math.exp(found.x), rel=1e-5)

    @pytest.mark.parametrize("seed", range(20))
    def test_it_is_never_worse_than_one_on_its_own_rows(self, seed):
        rng = np.random.default_rng(seed)
        n, k = int(rng.integers(1, 60)), int(rng.integers(2, 6))
        z = rng.normal(scale=10.0 ** rng.integers(-2, 3), size=(n, k))
        y = rng.integers(0, k, size=n)
        t = fit_temperature(z, y)
        assert cross_entropy(z / t, y) <= cross_entropy(z, y) + 1e-12

    def test_rows_that_are_all_right_do_not_ask_for_certainty(self, rng):
        y = rng.integers(0, 3, size=30)
        z = 2.0 * np.eye(3)[y]
        t = fit_temperature(z, y)
        sure = 1 / (1 + 2 * math.exp(-2 / t))
        assert 1 - 1 / 30 < sure < 1 - 1 / 300
        # the doubt of one row among n, a third of it in each class
        wrong = 2 / 3 / 31
        assert t == pytest.approx(2 / math.log(2 * (1 - wrong) / wrong), rel=1e-9)
        many = fit_temperature(np.tile(z, (100, 1)), np.tile(y, 100))
        assert many < t

    @pytest.mark.parametrize("size", [1e-300, 1e-8, 1e8, 1e300])
    def test_it_stays_within_its_bounds(self, size):
        y = np.array([0, 1, 1, 0])
        for labels in (y, 1 - y):
            t = fit_temperature(size * np.eye(2)[y], labels)
            assert 1 / 20 <= t <= 20

    def test_logits_that_say_nothing_leave_it_at_one(self):
        assert fit_temperature(np.full((5, 3), 7.0), np.array([0, 1, 2, 0, 1])) == 1.0


class TestReliability:
    def test_a_curve_by_hand(self):
        p = np.array([[0.9, 0.1]] * 10 + [[0.4, 0.6]] * 10)
        y = np.r_[np.zeros(7, int), np.ones(3, int), np.ones(5, int), np.zeros(5, int)]
        curve = reliability_curve(p, y)
        assert [part.rows for part in curve] == [10, 10]
        assert [part.confidence for part in curve] == pytest.approx([0.6, 0.9])
        assert [part.accuracy for part in curve] == [0.5, 0.7]
        assert expected_calibration_error(curve) == pytest.approx(0.5 * 0.1 + 0.5 * 0.2)

    @pytest.mark.parametrize(("n", "bins"), [(1, 1), (19, 1), (20, 2), (55, 5), (1000, 10)])
    def test_bins_have_equally_many_rows(self, rng, n, bins):
        z, y = drawn(rng, n, 3)
        curve = reliability_curve(np.exp(log_softmax(z, axis=1)), y)
        sizes = [part.rows for part in curve]
        assert (len(sizes), sum(sizes)) == (bins, n)
        assert max(sizes) - min(sizes) <= 1
        confidences = [part.confidence for part in curve]
        assert confidences == sorted(confidences)

    def test_an_overconfident_network_is_mended(self, rng):
        z, y = drawn(rng, 3000, 4)
        found = calibrate(4 * z, y)
        assert found.error_after < found.error_before / 4
        assert found.loss_after < found.loss_before
        assert found.loss_before == pytest.approx(cross_entropy(4 * z, y))
        assert found.rows == 3000

    def test_nothing_is_fitted_to_nothing_or_to_no_numbers(self):
        assert calibrate(np.empty((0, 2)), np.empty(0, int)) is None
        assert calibrate(np.array([[np.nan, 1.0]]), np.array([0])) is None


@pytest.fixture
def table(rng):
    x = rng.normal(size=(200, 3))
    noisy = x[:, 0] + rng.normal(scale=0.7, size=200)
    return {f"x{i}": x[:, i].tolist() for i in range(3)}, noisy


@pytest.mark.parametrize("cuts", [(0.0,), (-0.5, 0.5)], ids=["two classes", "three classes"])
class TestInTheModel:
    @pytest.fixture
    def fitted(self, table, cuts):
        features, noisy = table
        y = np.digitize(noisy, cuts)
        recipe = dp.Recipe(epochs=80, hidden=(64,), members=1)
        # learnt by heart, so that it is too sure
        return features, y, dp.TableModel.fit(features, y, recipe=recipe)

    def test_probabilities_are_those_of_the_temperature_and_classes_do_not_change(self, fitted):
        features, y, model = fitted
        plain = predict(model.network, model.parameters, model.encode(features))
        t = model.calibration.temperature
        assert t != 1.0
        expected = plain ** (1 / t)
        expected /= expected.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(features), expected, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(model.predict(features), plain.argmax(axis=1))
        assert model.evaluate(features, y).figures["log_loss"] == pytest.approx(
            -np.log(expected[np.arange(len(y)), y]).mean(), rel=1e-5
        )

    def test_without_it_the_same_network_has_its_own_probabilities(self, fitted):
        features, y, model = fitted
        recipe = dp.Recipe(epochs=80, hidden=(64,), members=1, calibrate=False)
        other = dp.TableModel.fit(features, y, recipe=recipe)
        assert other.calibration is None
        np.testing.assert_array_equal(other.parameters.flat, model.parameters.flat)
        np.testing.assert_allclose(
            other.predict_proba(features),
            predict(model.network, model.parameters, model.encode(features)),
            rtol=0,
            atol=1e-6,
        )

    def test_it_is_saved_and_loaded(self, fitted, tmp_path):
        features, _, model = fitted
        model.save(tmp_path / "m.safetensors")
        again = dp.load(tmp_path / "m.safetensors")
        assert again.calibration == model.calibration
        np.testing.assert_array_equal(again.predict_proba(features), model.predict_proba(features))


def test_there_is_none_without_validation_rows_and_for_numbers(table):
    features, noisy = table
    recipe = dp.Recipe(epochs=2, hidden=(4,), validation_share=0.0)
    assert dp.TableModel.fit(features, noisy > 0, recipe=recipe).calibration is None
    assert dp.TableModel.fit(features, noisy, recipe=QUICK).calibration is None
    given = dp.TableModel.fit(features, noisy > 0, validation=(features, noisy > 0), recipe=QUICK)
    assert given.calibration.rows == 200


def test_the_setting_is_a_truth_value():
    with pytest.raises(SettingError, match="calibrate is 'yes'"):
        dp.Recipe(calibrate="yes")


def rewritten(path, change):
    """Change the description in a model file, with a checksum that fits."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    facts = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["deltaprop"])
    facts.pop("sha256")
    change(facts["training"])
    tensors = load_file(path)
    path.write_bytes(save(tensors, metadata={"deltaprop": sealed.seal(json.dumps(facts), tensors)}))


class TestFiles:
    @pytest.fixture
    def path(self, table, tmp_path):
        features, noisy = table
        model = dp.TableModel.fit(features, noisy > 0, recipe=QUICK)
        model.save(tmp_path / "m.safetensors")
        return tmp_path / "m.safetensors"

    def test_a_file_of_before_there_was_calibration_still_loads(self, path, table):
        def older(training):
            del training["calibration"], training["recipe"]["calibrate"]

        rewritten(path, older)
        model = dp.load(path)
        assert model.calibration is None
        np.testing.assert_allclose(
            model.predict_proba(table[0]),
            predict(model.network, model.parameters, model.encode(table[0])),
            rtol=0,
            atol=1e-6,
        )

    @pytest.mark.parametrize(
        ("name", "value"),
        [("temperature", 0.0), ("temperature", -1.0), ("temperature", 1e-300),
         ("temperature", "hot"), ("temperature", True), ("temperature", None), ("rows", 0),
         ("rows", 1.5), ("before", {}), ("before", [1]), ("after", [{"confidence": 1}]),
         ("loss_after", []), ("error_before", "0")],
    )  # fmt: skip
    @pytest.mark.one_in(5)
    def test_a_hostile_entry_is_refused(self, path, name, value):
        rewritten(path, lambda training: training["calibration"].update({name: value}))
        with pytest.raises(ModelFileError, match="damaged or of a newer kind"):
            dp.load(path)

    @pytest.mark.parametrize("value", [[], "x", 3, True])
    def test_a_calibration_that_is_none_is_refused(self, path, value):
        rewritten(path, lambda training: training.update(calibration=value))
        with pytest.raises(ModelFileError, match="calibration"):
            dp.load(path)

    def test_numbers_have_no_calibration(self, table, tmp_path):
        features, noisy = table
        dp.TableModel.fit(features, noisy, recipe=QUICK).save(tmp_path / "n.safetensors")
        found = Calibration(1.5, 3, 1.0, 0.9, 0.1, 0.0, (ReliabilityBin(0.7, 0.6, 3),), ())
        rewritten(
            tmp_path / "n.safetensors",
            lambda training: training.update(calibration=asdict(found)),
        )
        with pytest.raises(ModelFileError, match="no classes"):
            dp.load(tmp_path / "n.safetensors")

    def test_what_is_written_is_read_again(self, rng):
        z, y = drawn(rng, 50, 3)
        found = calibrate(z, y)
        assert record(Calibration, json.loads(json.dumps(asdict(found))), "calibration") == found
        with pytest.raises(DataError, match="temperature"):
            record(Calibration, {**asdict(found), "temperature": 1e9}, "calibration")
