"""An integer weight is repetition, zero is absence, of samples and of classes."""

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.functional.losses import sample_shares
from helpers.training import N, fit, fit64, network_of, start


class TestWeights:
    """An integer weight is repetition, zero is absence."""

    OPTIMIZER = dp.GradientDescent(0.5)

    def test_full_batch_integer_weights_are_repeated_rows(self, table, rng):
        X, y = table
        weights = rng.integers(0, 4, size=N)
        settings = {"batch_size": None, "optimizer": self.OPTIMIZER, "epochs": 30}
        a, ha = fit64(network_of(l2=0.01), X, y, sample_weight=weights, **settings)
        b, hb = fit64(
            network_of(l2=0.01), np.repeat(X, weights, axis=0), np.repeat(y, weights), **settings
        )
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ha.loss, hb.loss, rtol=1e-9)

    @pytest.mark.parametrize("batch_size", [None, 4, 1])
    @pytest.mark.parametrize("sparse", [False, True])
    def test_zero_is_absence_to_the_bit(self, table, rng, batch_size, sparse):
        X, y = table
        weights = np.where(rng.random(N) < 0.4, 0.0, rng.lognormal(size=N))
        assert 5 < (weights > 0).sum() < N
        settings = {"batch_size": batch_size, "seed": 3}
        kept = weights > 0
        network = network_of(dropout=0.2)
        rows = scipy.sparse.csr_array(X) if sparse else X
        a, ha = fit(network, rows, y, sample_weight=weights, **settings)
        b, hb = fit(network, X[kept], y[kept], sample_weight=weights[kept], **settings)
        np.testing.assert_array_equal(a, b)
        assert ha.loss == hb.loss

    @pytest.mark.parametrize("c", [1.0, 3.0, 1e-300, 1e300])
    def test_equal_weights_are_no_weights_to_the_bit(self, table, c):
        a, _ = fit(network_of(), *table, batch_size=4, sample_weight=np.full(N, c))
        b, _ = fit(network_of(), *table, batch_size=4)
        np.testing.assert_array_equal(a, b)

    def test_zeros_and_ones_leave_the_rows_of_weight_one(self, table):
        X, y = table
        weights = (np.arange(N) % 3 > 0).astype(float)
        a, _ = fit(network_of(), X, y, batch_size=4, sample_weight=weights)
        b, _ = fit(network_of(), X[weights > 0], y[weights > 0], batch_size=4)
        np.testing.assert_array_equal(a, b)

    def test_a_weight_matters_even_in_a_batch_of_one(self, table):
        weights = np.ones(N)
        weights[4] = 50.0
        settings = {"batch_size": 1, "optimizer": dp.GradientDescent(0.01)}
        a, _ = fit(network_of(), *table, sample_weight=weights, **settings)
        b, _ = fit(network_of(), *table, **settings)
        assert np.abs(a - b).max() > 1e-3

    def test_the_scale_of_weights_does_not_matter(self, table, rng):
        weights = rng.lognormal(size=N)
        a, _ = fit(network_of(), *table, batch_size=4, sample_weight=weights)
        b, _ = fit(network_of(), *table, batch_size=4, sample_weight=weights * 4.0)
        np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize(
        ("class_weight", "table_of"),
        [
            ({0: 2.0, 2: 0.5}, [2.0, 1.0, 0.5]),
            ([1.0, 3.0, 1.0], [1.0, 3.0, 1.0]),
            (np.array([0.0, 1.0, 2.0]), [0.0, 1.0, 2.0]),
        ],
    )
    def test_a_class_weight_is_the_weight_of_its_rows(self, table, class_weight, table_of):
        weights = np.array(table_of)[table[1]]
        a, _ = fit(network_of(), *table, batch_size=4, class_weight=class_weight)
        b, _ = fit(network_of(), *table, batch_size=4, sample_weight=weights)
        np.testing.assert_array_equal(a, b)

    def test_both_weights_multiply(self, table, rng):
        own = rng.integers(1, 4, size=N).astype(float)
        by_class = np.array([1.0, 2.0, 4.0])[table[1]]
        a, _ = fit(
            network_of(), *table, batch_size=4, sample_weight=own, class_weight=[1.0, 2.0, 4.0]
        )
        b, _ = fit(network_of(), *table, batch_size=4, sample_weight=own * by_class)
        np.testing.assert_array_equal(a, b)

    def test_balanced_gives_every_class_the_same_share(self, table):
        counts = np.bincount(table[1], minlength=3)
        a, _ = fit(network_of(), *table, batch_size=4, class_weight="balanced")
        b, _ = fit(network_of(), *table, batch_size=4, class_weight=N / (3 * counts))
        np.testing.assert_array_equal(a, b)

    def test_balancing_counts_only_the_rows_that_are_there(self, table):
        X, y = table
        weights = (np.arange(N) % 3 > 0).astype(float)
        kept = weights > 0
        a, _ = fit(network_of(), X, y, batch_size=4, class_weight="balanced", sample_weight=weights)
        b, _ = fit(network_of(), X[kept], y[kept], batch_size=4, class_weight="balanced")
        np.testing.assert_array_equal(a, b)

    def test_the_history_is_the_weighted_objective(self, table, rng):
        weights = rng.lognormal(size=N)
        network = network_of()
        _, history = fit64(network, *table, batch_size=None, sample_weight=weights, epochs=1)
        trace = dp.backpropagate(network, start(network), *table, sample_weight=weights)
        assert history.loss[0] == pytest.approx(trace.loss, rel=1e-12)
        shares = sample_shares(N, weights)
        assert history.loss[0] == pytest.approx(shares @ trace.loss_per_sample, rel=1e-12)
