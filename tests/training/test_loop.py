"""train: the loop written out by hand; every row once; the same seed, the same bits."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.engines.base import take_step
from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import draw_masks, trace_step
from deltaprop.model.targets import dense_targets
from deltaprop.training.batches import dropout_generator, epoch_order
from deltaprop.training.metrics import score
from deltaprop.training.optimizers import OPTIMIZERS
from deltaprop.training.schedules import as_schedule

S = dp.schedules
SCHEDULES = {
    "a number": 0.01,
    "constant": S.Constant(0.01),
    "step": S.Step(0.01, every=3),
    "exponential": S.Exponential(0.01),
    "cosine": S.Cosine(0.01),
    "one_cycle": S.OneCycle(0.01),
    "warmup": S.Warmup(S.Cosine(0.01), steps=4),
}
NETWORKS = {
    "plain": {},
    "l2": {"l2": 0.1},
    "l1": {"l1": 0.05},
    "label smoothing": {"label_smoothing": 0.2},
    "dropout": {"dropout": 0.4},
    "everything": {"l2": 0.1, "l1": 0.05, "label_smoothing": 0.2, "dropout": 0.4},
}
N, EPOCHS = 23, 5


@pytest.fixture
def table(rng):
    return rng.normal(size=(N, 3)), rng.integers(3, size=N)


def network_of(**settings):
    return dp.Network([3, 6, 3], "tanh", **settings)


def start(network, seed=7):
    return network.init(np.random.default_rng(seed))


def fit(network, X, y, **settings):
    """Train from the same start and return the flat parameters and the history."""
    parameters = start(network)
    history = dp.train(network, parameters, X, y, **({"epochs": EPOCHS} | settings))
    return parameters.flat, history


def fit64(network, X, y, **settings):
    return fit(network, X, y, **({"dtype": "float64"} | settings))


def by_hand(network, X, y, optimizer, batch_size, *, seed=0, shuffle=True, weights=None):
    """Epochs of backpropagation and optimizer steps, with nothing but public parts."""
    parameters = start(network)
    n, losses, step = len(X), [], 0
    n_steps = EPOCHS * -(-n // batch_size)
    state = optimizer.init(parameters.flat.size)
    eta = as_schedule(optimizer.learning_rate)
    for epoch in range(EPOCHS):
        order, dropout = epoch_order(seed, epoch, n, shuffle), dropout_generator(seed, epoch)
        total = 0.0
        for first in range(0, n, batch_size):
            rows = order[first : first + batch_size]
            batch_weights = np.ones(len(rows)) if weights is None else weights[rows]
            trace = trace_step(
                network, parameters, X[rows], dense_targets(y[rows], network.n_out),
                batch_weights / len(rows), draw_masks(network, len(rows), dropout),
            )  # fmt: skip
            take_step(
                optimizer, network.layout, state, parameters.flat, trace.gradients.flat,
                eta(step, n_steps),
            )  # fmt: skip
            total += trace.loss * len(rows)
            step += 1
        losses.append(total / n)
    return parameters.flat, losses


ENGINES = ("reference", "native")


def assert_same(engine, found, expected):
    """Compare two ways of computing: to the bit, or to rounding where it is not NumPy's."""
    if engine == "reference":
        np.testing.assert_array_equal(found, expected)
    else:
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.parametrize("engine", ENGINES)
class TestTheLoopByHand:
    """Two ways to the same bits, and a third to the same numbers."""

    @pytest.mark.filterwarnings("ignore:The native engine has no optimizer Muon")
    @pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
    @pytest.mark.parametrize("name", OPTIMIZERS)
    @pytest.mark.parametrize("batch_size", [None, 5])
    def test_every_optimizer_on_every_network(self, engine, table, name, settings, batch_size):
        network, optimizer = network_of(**settings), OPTIMIZERS[name]()
        flat, history = fit64(
            network, *table, optimizer=optimizer, batch_size=batch_size, engine=engine
        )
        expected, losses = by_hand(network, *table, optimizer, batch_size or N)
        assert_same(engine, flat, expected)
        assert_same(engine, history.loss, losses)
        assert (flat != start(network).flat).any()

    @pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
    def test_every_schedule(self, engine, table, schedule):
        network, optimizer = network_of(), dp.Adam(schedule)
        flat, history = fit64(network, *table, optimizer=optimizer, batch_size=5, engine=engine)
        expected, _ = by_hand(network, *table, optimizer, 5)
        assert_same(engine, flat, expected)
        eta = as_schedule(schedule)
        assert history.learning_rate == [eta(4 + 5 * epoch, 25) for epoch in range(EPOCHS)]

    def test_nesterov(self, engine, table):
        optimizer = dp.Momentum(0.05, nesterov=True)
        flat, _ = fit64(network_of(), *table, optimizer=optimizer, batch_size=4, engine=engine)
        assert_same(engine, flat, by_hand(network_of(), *table, optimizer, 4)[0])

    @pytest.mark.parametrize("batch_size", [None, 4, 1])
    def test_sample_weights(self, engine, table, rng, batch_size):
        weights = rng.integers(1, 5, size=N).astype(float)
        optimizer = dp.Momentum(0.1)
        flat, history = fit64(
            network_of(),
            *table,
            optimizer=optimizer,
            batch_size=batch_size,
            sample_weight=weights,
            engine=engine,
        )
        mean_one = weights / weights.max()
        mean_one = mean_one * (N / mean_one.sum())
        expected, losses = by_hand(
            network_of(), *table, optimizer, batch_size or N, weights=mean_one
        )
        assert_same(engine, flat, expected)
        assert_same(engine, history.loss, losses)

    def test_full_batch_is_backpropagate_and_a_step(self, engine, table):
        network, optimizer = network_of(l2=0.1), dp.GradientDescent(0.3)
        flat, history = fit64(
            network,
            *table,
            optimizer=optimizer,
            batch_size=None,
            shuffle=False,
            epochs=3,
            engine=engine,
        )
        parameters, losses = start(network), []
        for _ in range(3):
            trace = dp.backpropagate(network, parameters, *table)
            losses.append(trace.loss)
            parameters.flat -= 0.3 * trace.gradients.flat
        assert_same(engine, flat, parameters.flat)
        np.testing.assert_allclose(history.loss, losses, rtol=1e-14)  # times n, divided by n

    @pytest.mark.parametrize("loss", dp.LOSSES)
    def test_every_loss(self, engine, table, make_targets, rng, loss):
        network = dp.Network([3, 4, 2], loss=loss)
        X, targets = table[0], make_targets(dp.LOSSES[loss].targets, (N, 2), rng)
        optimizer = dp.RMSProp(0.01)
        flat, _ = fit64(network, X, targets, optimizer=optimizer, batch_size=6, engine=engine)
        assert_same(engine, flat, by_hand(network, X, targets, optimizer, 6)[0])


@pytest.fixture(scope="module")
def make_targets():
    def draw(kind, shape, rng):
        return {
            "distribution": lambda: rng.dirichlet(np.ones(shape[1]), shape[0]),
            "unit": lambda: rng.random(shape),
            "count": lambda: rng.poisson(2.0, size=shape).astype(float),
            "real": lambda: rng.normal(size=shape),
        }[kind]()

    return draw


class Rows:
    """A matrix that writes down which of its rows are asked for."""

    def __init__(self, X):
        self.X, self.asked = X, []

    def __array__(self, dtype=None, copy=None):
        return self.X


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


class TestKindsOfArrays:
    """However the same numbers are kept, training gives the same bits."""

    WHOLE = np.random.default_rng(5).integers(0, 200, size=(N, 3))
    Y = np.random.default_rng(6).integers(3, size=N)

    def expected(self):
        return fit(network_of(), self.WHOLE.astype(float), self.Y, batch_size=5)[0]

    @pytest.mark.parametrize(
        "dtype",
        ["float64", "float32", "uint8", "int16", "int64", "uint64", ">f8", "<i4", "float16"],
    )
    def test_the_dtype_does_not_matter(self, dtype):
        flat, _ = fit(network_of(), self.WHOLE.astype(dtype), self.Y, batch_size=5)
        np.testing.assert_array_equal(flat, self.expected())

    def test_truth_values_are_zeros_and_ones(self):
        truth = self.WHOLE > 100
        a, _ = fit(network_of(), truth, self.Y, batch_size=5)
        b, _ = fit(network_of(), truth.astype(float), self.Y, batch_size=5)
        np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize("kind", ["fortran", "read-only", "strided", "list", "matrix"])
    def test_the_memory_does_not_matter(self, kind):
        X = self.WHOLE.astype(float)
        if kind == "fortran":
            X = np.asfortranarray(X)
        elif kind == "read-only":
            X.setflags(write=False)
        elif kind == "strided":
            X = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
        elif kind == "list":
            X = X.tolist()
        else:
            X = Rows(X)
        np.testing.assert_array_equal(
            fit(network_of(), X, self.Y, batch_size=5)[0], self.expected()
        )

    def test_a_memory_mapped_file(self, tmp_path):
        np.save(tmp_path / "X.npy", self.WHOLE.astype(np.float32))
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
        assert isinstance(X, np.memmap)
        np.testing.assert_array_equal(
            fit(network_of(), X, self.Y, batch_size=5)[0], self.expected()
        )

    @pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.csr_array,
                                      scipy.sparse.csc_matrix, scipy.sparse.coo_array])  # fmt: skip
    @pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
    def test_sparse_rows(self, make, dtype):
        X = np.where(self.WHOLE > 120, self.WHOLE, 0).astype(dtype)
        settings = {"batch_size": 5, "X_val": make(X[:7]), "y_val": self.Y[:7]}
        a, history = fit64(network_of(), make(X), self.Y, **settings)
        b, dense = fit64(
            network_of(), X.astype(float), self.Y, **(settings | {"X_val": X[:7].astype(float)})
        )
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(history.val_loss, dense.val_loss, rtol=1e-9)

    def test_the_users_arrays_are_left_as_they_are(self, table):
        X, y = table[0].copy(), table[1].copy()
        weights = np.ones(N)
        fit(network_of(), X, y, sample_weight=weights, X_val=X, y_val=y)
        np.testing.assert_array_equal(X, table[0])
        np.testing.assert_array_equal(y, table[1])
        assert (weights == 1).all()

    @pytest.mark.parametrize("kind", ["int8", "uint8", "float", "list", "one-hot", "one-hot bool"])
    def test_labels_and_one_hot_rows_say_the_same(self, kind):
        y = {
            "int8": lambda: self.Y.astype(np.int8),
            "uint8": lambda: self.Y.astype(np.uint8),
            "float": lambda: self.Y.astype(float),
            "list": self.Y.tolist,
            "one-hot": lambda: np.eye(3)[self.Y],
            "one-hot bool": lambda: np.eye(3, dtype=bool)[self.Y],
        }[kind]()
        flat, _ = fit64(network_of(), self.WHOLE, y, batch_size=5)
        expected, _ = fit64(network_of(), self.WHOLE, self.Y, batch_size=5)
        np.testing.assert_allclose(flat, expected, rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize("shape", [(N,), (N, 1)])
    def test_one_target_per_row_has_one_axis_or_two(self, shape, rng):
        network = dp.Network([3, 4, 1], loss="half_squared_error")
        y = np.linspace(-1, 1, N)
        a, _ = fit(network, self.WHOLE / 100, y.reshape(shape))
        b, _ = fit(network, self.WHOLE / 100, y.tolist())
        np.testing.assert_array_equal(a, b)


class TestValidation:
    @pytest.mark.parametrize("loss", dp.LOSSES)
    def test_loss_and_metric_are_those_of_the_parameters_after_the_epoch(
        self, table, make_targets, rng, loss
    ):
        network = dp.Network(
            [3, 4, 3], loss=loss, l2=0.3, label_smoothing=0.1 if "cross" in loss else 0.0
        )
        kind = dp.LOSSES[loss].targets
        targets, y_val = (make_targets(kind, (n, 3), rng) for n in (N, 9))
        X_val, seen = rng.normal(size=(9, 3)), []

        def recompute(state):
            trace = dp.backpropagate(network, state.parameters, X_val, y_val)
            p = dp.predict(network, state.parameters, X_val)
            seen.append((trace.data_loss, trace.z[-1], p))

        parameters = start(network)
        history = dp.train(
            network, parameters, table[0], targets, X_val=X_val, y_val=y_val, epochs=4,
            callbacks=[recompute], dtype="float64",
        )  # fmt: skip
        np.testing.assert_allclose(history.val_loss, [loss for loss, _, _ in seen], rtol=1e-12)
        for metric, (_, z, p) in zip(history.val_metric, seen, strict=True):
            assert metric == pytest.approx(score(network, z, y_val), abs=1e-12)
            if history.metric == "r2":
                r2 = 1 - ((y_val - p) ** 2).sum(0) / ((y_val - y_val.mean(0)) ** 2).sum(0)
                assert metric == pytest.approx(r2.mean(), rel=1e-10)
            elif dp.LOSSES[loss].output == "softmax":
                assert metric == np.mean(p.argmax(1) == y_val.argmax(1))
            else:
                assert metric == np.mean(((p > 0.5) == (y_val > 0.5)).all(axis=1))

    def test_labels_work_as_validation_targets(self, table, rng):
        X_val, y_val = rng.normal(size=(8, 3)), rng.integers(3, size=8)
        _, a = fit(network_of(), *table, X_val=X_val, y_val=y_val)
        _, b = fit(network_of(), *table, X_val=X_val, y_val=np.eye(3)[y_val])
        assert a.val_loss == b.val_loss
        assert a.val_metric == b.val_metric

    def test_validating_changes_no_step(self, table, rng):
        X_val, y_val = rng.normal(size=(8, 3)), rng.integers(3, size=8)
        a, _ = fit(network_of(dropout=0.3), *table, X_val=X_val, y_val=y_val, keep_best=False)
        b, _ = fit(network_of(dropout=0.3), *table)
        np.testing.assert_array_equal(a, b)

    def test_dropout_is_off_when_validating(self, table):
        network = network_of(dropout=0.9)
        flat, history = fit64(network, *table, X_val=table[0], y_val=table[1], keep_best=False)
        trace = dp.backpropagate(network, start(network).like(flat), *table)
        assert history.val_loss[-1] == pytest.approx(trace.loss, rel=1e-12)


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


class TestThreads:
    @pytest.mark.parametrize("n_threads", [None, 1, 2])
    def test_the_number_of_threads_changes_no_more_than_rounding(self, rng, n_threads):
        network = dp.Network([300, 200, 2], "tanh")
        X, y = rng.normal(size=(128, 300)), rng.integers(2, size=128)
        a, _ = fit(network, X, y, n_threads=n_threads, epochs=1)
        b, _ = fit(network, X, y, n_threads=1, epochs=1)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)

    def test_training_in_a_thread_gives_the_same_bits(self, table):
        import threading

        results = []
        thread = threading.Thread(
            target=lambda: results.append(fit(network_of(), *table, batch_size=5))
        )
        thread.start()
        thread.join(60)
        flat, history = results[0]
        np.testing.assert_array_equal(flat, fit(network_of(), *table, batch_size=5)[0])
        assert history.stopped_because == "epochs"


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
