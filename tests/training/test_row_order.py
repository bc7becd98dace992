"""Every row comes once per epoch, in an order of its seed; the same seed, the same bits."""

import os
import subprocess
import sys

import numpy as np
import pytest

import deltaprop as dp
from helpers.training import EPOCHS, N, fit, network_of


@pytest.fixture
def visited(monkeypatch):
    """The rows of every step, in order."""
    from deltaprop.engines import reference

    seen, real = [], reference.dense_rows

    def note(X, rows):
        if isinstance(rows, np.ndarray):
            seen.append(rows.tolist())
        return real(X, rows)

    monkeypatch.setattr(reference, "dense_rows", note)
    return seen


class TestTheOrderOfRows:
    def epochs(self, visited, per_epoch):
        return [
            [row for rows in visited[i : i + per_epoch] for row in rows]
            for i in range(0, len(visited), per_epoch)
        ]

    def test_every_row_comes_once_per_epoch(self, table, visited):
        fit(network_of(), *table, batch_size=5, engine="reference")
        for order in self.epochs(visited, 5):
            assert sorted(order) == list(range(N))

    def test_the_last_batch_is_short(self, table, visited):
        _, history = fit(network_of(), *table, batch_size=5, engine="reference", epochs=2)
        assert [len(rows) for rows in visited] == [5, 5, 5, 5, 3] * 2
        assert history.n_steps == 10

    def test_each_epoch_has_another_order(self, table, visited):
        fit(network_of(), *table, batch_size=5, engine="reference")
        orders = self.epochs(visited, 5)
        assert len({tuple(order) for order in orders}) == EPOCHS
        assert list(range(N)) not in orders

    def test_the_seed_decides_the_orders(self, table, visited):
        runs = []
        for seed in (1, 1, 2):
            visited.clear()
            fit(network_of(), *table, batch_size=5, engine="reference", seed=seed)
            runs.append(self.epochs(visited, 5))
        assert runs[0] == runs[1]
        assert all(a != b for a, b in zip(runs[0], runs[2], strict=True))

    def test_without_shuffling_rows_come_as_they_stand(self, table, visited):
        fit(network_of(), *table, batch_size=5, engine="reference", shuffle=False)
        assert self.epochs(visited, 5) == [list(range(N))] * EPOCHS

    def test_a_batch_larger_than_the_table_is_the_table(self, table):
        for shuffle in (True, False):
            a, _ = fit(network_of(), *table, batch_size=1000, shuffle=shuffle)
            b, _ = fit(network_of(), *table, batch_size=None, shuffle=shuffle)
            np.testing.assert_array_equal(a, b)

    def test_one_row_is_enough(self, visited):
        fit(network_of(), [[1.0, 2.0, 3.0]], [2], epochs=3, engine="reference")
        assert visited == [[0]] * 3


class TestTheSameSeed:
    SETTINGS = {"batch_size": 4, "seed": 11, "optimizer": dp.Adam(0.01)}  # noqa: RUF012

    def test_the_same_bits_twice_in_a_row(self, table):
        network = network_of(dropout=0.5)
        runs = [fit(network, *table, **self.SETTINGS) for _ in range(2)]
        assert runs[0][0].tobytes() == runs[1][0].tobytes()
        assert runs[0][1].loss == runs[1][1].loss

    @pytest.mark.parametrize("dropout", [0.0, 0.5])
    def test_another_seed_other_bits(self, table, dropout):
        network = network_of(dropout=dropout)
        a, _ = fit(network, *table, **self.SETTINGS)
        b, _ = fit(network, *table, **(self.SETTINGS | {"seed": 12}))
        assert (a != b).any()

    def test_dropout_draws_from_the_seed_even_without_shuffling(self, table):
        network = network_of(dropout=0.5)
        a, b, c = (
            fit(network, *table, batch_size=None, shuffle=False, seed=seed)[0] for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()

    def test_the_global_generator_neither_matters_nor_moves(self, table):
        np.random.seed(1)  # noqa: NPY002
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        a, _ = fit(network_of(dropout=0.5), *table, **self.SETTINGS)
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
        np.random.seed(2)  # noqa: NPY002
        b, _ = fit(network_of(dropout=0.5), *table, **self.SETTINGS)
        np.testing.assert_array_equal(a, b)

    def test_the_same_bits_in_two_processes(self):
        code = (
            "import numpy as np, deltaprop as dp, hashlib\n"
            "rng = np.random.default_rng(3)\n"
            "net = dp.Network([5, 8, 3], 'gelu', dropout=0.3)\n"
            "p = net.init(rng)\n"
            "X, y = rng.normal(size=(50, 5)), rng.integers(3, size=50)\n"
            "h = dp.train(net, p, X, y, epochs=4, batch_size=7, seed=5)\n"
            "print(hashlib.sha256(p.flat.tobytes()).hexdigest(), h.loss)\n"
        )
        printed = [
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True,
                env=os.environ | {"PYTHONHASHSEED": seed},
            ).stdout
            for seed in ("1", "2")
        ]  # fmt: skip
        assert printed[0] == printed[1]
        assert len(printed[0].split()[0]) == 64

    @pytest.mark.parametrize("seed", [0, 2**63, 2**64 - 1, np.int64(3)])
    def test_any_seed_of_64_bits_works(self, table, seed):
        _, history = fit(network_of(), *table, seed=seed, epochs=1)
        assert history.seed == int(seed)
