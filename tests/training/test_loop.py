"""train: the loop written out by hand; what is validated; any number of threads."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.engines.base import take_step
from deltaprop.model.backprop import draw_masks, trace_step
from deltaprop.model.targets import dense_targets
from deltaprop.training.batches import dropout_generator, epoch_order
from deltaprop.training.metrics import score
from deltaprop.training.optimizers import OPTIMIZERS
from deltaprop.training.schedules import as_schedule
from helpers.training import EPOCHS, N, fit, fit64, network_of, start

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
    @pytest.mark.one_in(12)
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
