"""Compiled code reads and writes only what it was measured for, whatever it is given."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop._native import train_epochs
from deltaprop.engines.base import EpochPlan, Problem
from deltaprop.engines.native import NativeRun
from deltaprop.errors import DataError, SettingError, ShapeError

sparse = pytest.importorskip("scipy.sparse")

N, BATCH = 12, 5
REFUSED = (ValueError, TypeError, RuntimeError, OverflowError)
NETWORKS = {
    "dense": dp.Network([4, 6, 3], hidden="tanh"),
    "panels": dp.Network.from_layers(
        4,
        [dp.Scaling(), dp.Dense(5, "relu"), dp.Dropout(0.2), dp.Dense(3)],
        "cross_entropy",
    ),
    "embedded": dp.Network.from_layers(
        4, [dp.PeriodicEmbedding(2), dp.CategoryEmbedding((2,), 3), dp.Dense(3)], "cross_entropy"
    ),
}


def told(network, rng, *, sparse_rows=False, weighed=True):
    """A run, and what the native code is told of an epoch that goes well."""
    X = rng.normal(size=(N, 4))
    if network is NETWORKS["embedded"]:
        X[:, 2:] = np.eye(2)[rng.integers(2, size=N)]
    X = sparse.csr_matrix(X * (X > 0)) if sparse_rows else X
    labels = rng.integers(3, size=N)
    weights = np.ones(N) if weighed else None
    problem = Problem(network, X, labels, weights, dp.Adam(0.01), BATCH, "float64", 1)
    run = NativeRun(problem, network.init(rng))
    masks = np.random.Generator(np.random.Philox(1))
    plan = EpochPlan(rng.permutation(N), masks, np.full(3, 0.01), lambda _: False)
    return run, list(run.told(plan))


def changed(rows, **others):
    return {**rows, **others}


def wrong_arrays(array, below):
    """The same array shorter, longer, of other kinds and axes, and with numbers out of bounds."""
    yield array[:-1]
    yield array[:0]
    yield np.concatenate([array, array])
    yield array[None]
    yield np.repeat(array, 2)[::2].astype("f4")
    if array.dtype.kind == "i":
        limits = np.iinfo(array.dtype)
        for bad in (-1, below, limits.max, limits.min):
            spoilt = array.copy()
            spoilt[len(spoilt) // 2] = bad
            yield spoilt


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("place", "below"), [(1, None), (3, 3), (4, None), (5, N), (6, None)])
def test_an_epoch_refuses_arrays_that_do_not_fit(name, place, below, rng):
    run, right = told(NETWORKS[name], rng)
    before = run.parameters.flat.copy()
    for wrong in wrong_arrays(right[place], below):
        given = [*right[:place], wrong, *right[place + 1 :]]
        is_order = wrong.ndim == 1 and len(wrong) < N and wrong.dtype == np.int64
        if place == 5 and is_order:
            continue  # fewer rows are an epoch, too
        if place == 6 and wrong.ndim == 1 and len(wrong) > 3:
            continue  # more learning rates than steps do no harm
        with pytest.raises(REFUSED):
            train_epochs([tuple(given)], 1)
    np.testing.assert_array_equal(run.parameters.flat, before)
    train_epochs([tuple(right)], 1)
    assert (run.parameters.flat != before).any()


def test_numbers_that_would_be_copied_are_not_trained_in_silence(rng):
    _, right = told(NETWORKS["dense"], rng)
    flat = right[1]
    read_only = flat.copy()
    read_only.setflags(write=False)
    for wrong in (
        flat.astype("f4"), flat.astype(int), np.repeat(flat, 2)[::2], flat.astype(">f8"), read_only,
    ):  # fmt: skip
        with pytest.raises(REFUSED):
            train_epochs([(right[0], wrong, *right[2:])], 1)


@pytest.mark.parametrize("sparse_rows", [False, True])
def test_rows_that_do_not_fit_are_refused(sparse_rows, rng):
    _, right = told(NETWORKS["dense"], rng, sparse_rows=sparse_rows)
    rows = right[2]
    trainer = right[0]
    if sparse_rows:
        starts, columns, data = rows["starts"], rows["columns"], rows["data"]
        decreasing = starts.copy()
        decreasing[3] = starts[-1]
        wrongs = [
            changed(rows, starts=wrong)
            for wrong in (starts[:-1], starts[:1], starts - 1, starts + 1, decreasing)
        ]
        wrongs += [changed(rows, columns=wrong) for wrong in wrong_arrays(columns, 4)]
        wrongs += [changed(rows, data=data[:-1]), changed(rows, n=N + 1), changed(rows, n=-1)]
        wrongs += [{"data": np.zeros((N, 4))}]
    else:
        data = rows["data"]
        wrongs = [{"data": wrong} for wrong in (data[:, :3], data[0], data[:5], data.T, data > 0)]
        csr = sparse.csr_matrix(data)
        wrongs += [{"data": csr.data, "starts": csr.indptr.astype("i8"), "columns": csr.indices,
                    "n": N}]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(REFUSED):
            train_epochs([(*right[:2], wrong, *right[3:])], 1)
        with pytest.raises(REFUSED):
            trainer.logits(wrong, np.empty((N, 3)))
    for room in (np.empty((N, 2)), np.empty((N - 1, 3)), np.empty((N, 3), "f4"), np.empty(3 * N)):
        with pytest.raises(REFUSED):
            trainer.logits(rows, room)
    trainer.logits(rows, np.empty((N, 3)))


@pytest.mark.parametrize("name", NETWORKS)
def test_state_of_another_length_is_neither_read_nor_written(name, rng):
    run, right = told(NETWORKS[name], rng)
    trainer, n = right[0], run.parameters.flat.size
    for size in (0, 1, n - 1, n + 1):
        for call in (trainer.set_parameters, trainer.get_parameters):
            with pytest.raises(REFUSED):
                call(np.zeros(size))
        for call in (trainer.set_state, trainer.get_state):
            with pytest.raises(REFUSED):
                call(0, np.zeros(size))
    for which in (-1, 2, 2**31 - 1):
        with pytest.raises(REFUSED):
            trainer.get_state(which, np.zeros(n))
    trainer.set_state(1, np.zeros(n))


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda flat: flat.astype("f4"),
        lambda flat: flat.astype(int),
        lambda flat: np.repeat(flat, 2)[::2],
        lambda flat: flat.astype(">f8"),
    ],
    ids=["single", "whole", "strided", "big-endian"],
)
def test_training_refuses_parameters_it_cannot_change(engine, spoil, rng):
    network = NETWORKS["dense"]
    parameters = network.init(rng).like(spoil(network.init(rng).flat))
    with pytest.raises(DataError, match="training changes contiguous float64 numbers in place"):
        dp.train(network, parameters, np.ones((2, 4)), [0, 1], engine=engine)
    with pytest.raises(DataError, match="read-only"):
        dp.train(network, network.init(rng).frozen_copy(), np.ones((2, 4)), [0, 1], engine=engine)


def test_assigning_the_flat_vector_changes_the_numbers_and_not_the_vector(rng):
    parameters = NETWORKS["dense"].init(rng)
    flat, first = parameters.flat, parameters.W[0]
    parameters.flat -= 1.0
    parameters.flat = flat + 2.0
    assert parameters.flat is flat
    np.testing.assert_array_equal(first.ravel(), flat[: first.size])
    with pytest.raises(ShapeError):
        parameters.flat = np.zeros(3)
    with pytest.raises(TypeError):
        parameters.layers[0]["W"] = np.zeros((4, 6))


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_state_that_does_not_fit_is_one_sentence(engine, rng):
    network = NETWORKS["dense"]
    n = network.n_parameters
    whole = {"m": np.zeros(n), "v": np.zeros(n), "t": 3}
    wrongs = [
        {**whole, "m": np.zeros(1)}, {**whole, "v": np.zeros((n, 1))}, {**whole, "t": -1},
        {**whole, "t": 1.5}, {**whole, "m": np.full(n, np.nan)}, {"m": np.zeros(n)},
        {**whole, "s": np.zeros(n)}, {**whole, "t": 10**30}, {**whole, "m": ["a"] * n},
        {**whole, "m": None},
    ]  # fmt: skip

    def train(state):
        dp.train(network, network.init(rng), np.ones((2, 4)), [0, 1], state=state, engine=engine)

    for state in wrongs:
        with pytest.raises(SettingError, match=r"(?i)the optimizer's state"):
            train(state)
    train(whole)
    assert whole["t"] > 3


def test_what_a_callback_spoils_is_not_read(rng):
    X = sparse.random(40, 6, density=0.5, random_state=1, format="csr")
    y = rng.integers(3, size=40)
    network = dp.Network([6, 4, 3])

    def spoil(state):
        y[:] = 10**9
        X.indices[:] = 10**6
        X.indptr[1:] = 10**6

    members = [network.init(np.random.default_rng(i)) for i in range(4)]
    clean = [each.copy() for each in members]
    dp.train_members(network, clean, X.copy(), y.copy(), epochs=4, batch_size=8)
    dp.train_members(network, members, X, y, epochs=4, batch_size=8, callbacks=[spoil])
    for one, other in zip(members, clean, strict=True):
        np.testing.assert_array_equal(one.flat, other.flat)
