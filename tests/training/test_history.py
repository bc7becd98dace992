"""The record of a training, as data and back; and the order of rows as a function of the seed."""

import json

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, SettingError
from deltaprop.training.batches import check_seed, dropout_generator, epoch_order
from deltaprop.training.metrics import score


def trained(**settings):
    rng = np.random.default_rng(0)
    network = dp.Network([2, 3, 2])
    X, y = rng.normal(size=(10, 2)), rng.integers(2, size=10)
    return dp.train(network, network.init(rng), X, y, epochs=3, **settings)


class TestHistory:
    def test_it_survives_json(self):
        history = trained(X_val=np.ones((2, 2)), y_val=[0, 1])
        again = dp.History.from_dict(json.loads(json.dumps(history.to_dict(), allow_nan=False)))
        assert again == history

    def test_figures_that_are_no_numbers_survive_json(self):
        history = dp.History(loss=[1.0, np.inf], val_loss=[np.inf, 2.0], val_metric=[-np.inf, 0.5])
        again = dp.History.from_dict(json.loads(json.dumps(history.to_dict(), allow_nan=False)))
        assert again == history
        lost = dp.History.from_dict(json.loads(json.dumps(dp.History(loss=[np.nan]).to_dict())))
        assert np.isnan(lost.loss).tolist() == [True]

    def test_without_validation_there_are_no_figures_of_it(self):
        history = trained()
        assert (history.val_loss, history.val_metric, history.best_epoch) == ([], [], None)
        assert len(history.loss) == len(history.seconds) == len(history.learning_rate) == 3

    @pytest.mark.parametrize(
        ("asked", "dtype", "engine", "computed"),
        [
            ("auto", "float32", "native", "float32"),
            ("native", "float64", "native", "float64"),
            ("reference", "float32", "reference", "float64"),
        ],
    )
    def test_it_says_what_computed_the_steps(self, asked, dtype, engine, computed):
        history = trained(seed=5, engine=asked, dtype=dtype)
        assert (history.engine, history.dtype, history.seed) == (engine, computed, 5)
        assert (history.n_steps, history.n_epochs) == (3, 3)
        assert history.message == "All 3 epochs were run."

    def test_what_a_later_version_added_is_left_out(self):
        assert dp.History.from_dict({"loss": [1.0], "new": 3}) == dp.History(loss=[1.0])

    @pytest.mark.parametrize(
        "data",
        [{"loss": "1"}, {"loss": None}, {"val_loss": [None]}, {"seconds": ["1.0"]}, [], None, 3],
    )
    def test_what_is_no_record_is_refused(self, data):
        with pytest.raises(DataError, match="training record"):
            dp.History.from_dict(data)

    @pytest.mark.parametrize(
        ("loss", "metric"),
        [("cross_entropy", "accuracy"), ("binary_cross_entropy", "accuracy"),
         ("half_squared_error_softmax", "accuracy"), ("half_squared_error", "r2"),
         ("huber", "r2"), ("poisson", "r2")],
    )  # fmt: skip
    def test_the_metric_follows_the_loss(self, loss, metric):
        network = dp.Network([1, 1], loss=loss)
        targets = [[1.0], [1.0]]
        history = dp.train(network, network.init(np.random.default_rng(0)), [[1], [2]], targets)
        assert history.metric == metric


class TestTheOrder:
    def test_it_is_a_permutation_decided_by_seed_and_epoch(self):
        orders = {
            (seed, epoch): tuple(epoch_order(seed, epoch, 50, shuffle=True))
            for seed in range(4) for epoch in range(4)
        }  # fmt: skip
        assert all(sorted(order) == list(range(50)) for order in orders.values())
        assert len(set(orders.values())) == 16
        assert orders[2, 3] == tuple(epoch_order(2, 3, 50, shuffle=True))

    def test_without_shuffling_it_is_the_order_of_the_table(self):
        assert epoch_order(1, 2, 5, shuffle=False).tolist() == [0, 1, 2, 3, 4]

    def test_every_row_comes_first_about_equally_often(self):
        first = [epoch_order(0, epoch, 8, shuffle=True)[0] for epoch in range(2000)]
        assert np.bincount(first, minlength=8).min() > 180  # 250 expected, sigma 15

    def test_dropout_draws_are_their_own_for_each_epoch_and_apart_from_the_order(self):
        draws = {dropout_generator(seed, epoch).random() for seed in range(5) for epoch in range(5)}
        assert len(draws) == 25
        assert dropout_generator(1, 2).random() == dropout_generator(1, 2).random()
        order = dropout_generator(3, 4).permutation(50)
        assert order.tolist() != epoch_order(3, 4, 50, shuffle=True).tolist()

    @pytest.mark.parametrize("seed", ["1", 1.0, -1, 2**64, None, True, [1]])
    def test_what_is_no_seed_is_refused(self, seed):
        with pytest.raises(SettingError, match="seed is"):
            check_seed(seed)


class TestScore:
    CLASSES = dp.Network([1, 3])

    def test_accuracy_is_the_share_of_rows_whose_largest_output_is_right(self):
        z = np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0], [0.0, 0.0, 5.0], [9.0, 1.0, 2.0]])
        assert score(self.CLASSES, z, np.array([1, 0, 1, 0])) == 0.75

    def test_with_sigmoids_every_decision_of_the_row_must_be_right(self):
        network = dp.Network([1, 2], loss="binary_cross_entropy")
        z = np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])
        assert score(network, z, np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])) == 2 / 3

    def test_r2_is_that_of_scikit_learn(self, rng):
        from sklearn.metrics import r2_score

        network = dp.Network([1, 3], loss="half_squared_error")
        t, z = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
        assert score(network, z, t) == pytest.approx(r2_score(t, z), rel=1e-12)

    def test_a_target_that_does_not_vary_counts_as_zero(self):
        network = dp.Network([1, 1], loss="half_squared_error")
        assert score(network, np.array([[1.0], [2.0]]), np.array([[5.0], [5.0]])) == 0.0
