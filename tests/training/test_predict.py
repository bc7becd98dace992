"""predict: the last activation, of rows of any kind, without dropout."""

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from helpers.training import network_of, start


class TestPredict:
    @pytest.mark.parametrize("loss", dp.LOSSES)
    def test_it_is_the_last_activation_of_the_trace(self, make_targets, rng, loss):
        network = dp.Network([3, 4, 2], "gelu", loss)
        X = rng.normal(size=(6, 3))
        targets = make_targets(dp.LOSSES[loss].targets, (6, 2), rng)
        trace = dp.backpropagate(network, start(network), X, targets)
        p = dp.predict(network, start(network), X)
        np.testing.assert_allclose(p, trace.a[-1], rtol=1e-13)
        assert p.dtype == np.float64
        exact = dp.predict(network, start(network), X, engine="reference")
        np.testing.assert_array_equal(exact, trace.a[-1])

    def test_many_rows_come_in_pieces_with_the_same_numbers(self, rng):
        network = dp.Network([2, 3, 2])
        X = rng.normal(size=(9000, 2))
        p = dp.predict(network, start(network), X)
        for i in (0, 4095, 4096, 8191, 8192, 8999):
            np.testing.assert_allclose(
                p[i], dp.predict(network, start(network), X[i : i + 1])[0], rtol=1e-13
            )

    def test_sparse_rows_are_predicted_like_dense_ones(self, rng):
        network = dp.Network([3, 4, 2])
        X = rng.poisson(0.5, size=(20, 3)).astype(float)
        np.testing.assert_allclose(
            dp.predict(network, start(network), scipy.sparse.csr_array(X)),
            dp.predict(network, start(network), X),
            rtol=1e-13,
        )

    def test_dropout_is_off(self, rng):
        network = dp.Network([3, 40, 2], dropout=0.5)
        X = rng.normal(size=(4, 3))
        a, b = (dp.predict(network, start(network), X) for _ in range(2))
        np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize(
        ("X", "error", "message"),
        [
            ([[1.0, 2.0]], dp.errors.ShapeError, r"X has shape \(1, 2\); the network has 3 inputs"),
            ([1.0, 2.0, 3.0], dp.errors.ShapeError, r"X has shape \(3,\)"),
            ([[1.0, np.nan, 0.0]], dp.errors.DataError, "X holds nan in row 0, column 1"),
            (np.empty((0, 3)), dp.errors.DataError, "X has no rows"),
            ([["a", "b", "c"]], dp.errors.DataError, "X has dtype"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, X, error, message):
        network = network_of()
        with pytest.raises(error, match=message):
            dp.predict(network, start(network), X)

    def test_parameters_of_another_network_are_refused(self):
        other = dp.Network([3, 6, 3], bias=False)
        with pytest.raises(dp.errors.ShapeError, match="do not belong to this network"):
            dp.predict(network_of(), start(other), [[1.0, 2.0, 3.0]])
