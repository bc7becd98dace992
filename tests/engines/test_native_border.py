"""Compiled code reads and writes only what it was measured for, whatever it is given."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop._native import Epoch, Layer, Network, Rows, Rule, Trainer, known_names, train_epochs
from deltaprop.engines import kernels
from deltaprop.engines.base import EpochPlan, Problem
from deltaprop.engines.kernels import NativeRun
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


def told(network, rng, *, sparse_rows=False):
    """A run, and the keywords of an epoch that goes well, those of its rows among them."""
    X = rng.normal(size=(N, 4))
    if network is NETWORKS["embedded"]:
        X[:, 2:] = np.eye(2)[rng.integers(2, size=N)]
    X = sparse.csr_matrix(X * (X > 0)) if sparse_rows else X
    labels = rng.integers(3, size=N)
    problem = Problem(network, X, labels, np.ones(N), dp.Adam(0.01), BATCH, "float64", 1)
    run = NativeRun(problem, network.init(rng))
    masks = np.random.Generator(np.random.Philox(1))
    plan = EpochPlan(rng.permutation(N), masks, np.full(3, 0.01), lambda _: False)
    with pytest.MonkeyPatch.context() as instead:
        instead.setattr(kernels, "Rows", lambda **keywords: keywords)
        instead.setattr(kernels, "Epoch", lambda **keywords: keywords)
        right = run.native_epoch(plan)
        return run, {**right, "rows": kernels.rows_of(problem.X)}


def train(keywords):
    given = {**keywords, "rows": Rows(**keywords["rows"])}
    return train_epochs([Epoch(**given)], 1)


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
@pytest.mark.parametrize(
    ("key", "below"),
    [("flat", None), ("targets", 3), ("weights", None), ("order", N), ("learning_rates", None)],
)
def test_an_epoch_refuses_arrays_that_do_not_fit(name, key, below, rng):
    run, right = told(NETWORKS[name], rng)
    before = run.parameters.flat.copy()
    for wrong in wrong_arrays(right[key], below):
        is_order = wrong.ndim == 1 and len(wrong) < N and wrong.dtype == np.int64
        if key == "order" and is_order:
            continue  # fewer rows are an epoch, too
        if key == "learning_rates" and wrong.ndim == 1 and len(wrong) > 3:
            continue  # more learning rates than steps do no harm
        with pytest.raises(REFUSED):
            train({**right, key: wrong})
    np.testing.assert_array_equal(run.parameters.flat, before)
    train(right)
    assert (run.parameters.flat != before).any()


def test_numbers_that_would_be_copied_are_not_trained_in_silence(rng):
    _, right = told(NETWORKS["dense"], rng)
    flat = right["flat"]
    read_only = flat.copy()
    read_only.setflags(write=False)
    for wrong in (
        flat.astype("f4"), flat.astype(int), np.repeat(flat, 2)[::2], flat.astype(">f8"), read_only,
    ):  # fmt: skip
        with pytest.raises(REFUSED):
            train({**right, "flat": wrong})


@pytest.mark.parametrize("sparse_rows", [False, True])
def test_rows_that_do_not_fit_are_refused(sparse_rows, rng):
    _, right = told(NETWORKS["dense"], rng, sparse_rows=sparse_rows)
    rows, trainer = right["rows"], right["trainer"]
    if sparse_rows:
        starts, columns, data = rows["starts"], rows["columns"], rows["data"]
        decreasing = starts.copy()
        decreasing[3] = starts[-1]
        wrongs = [
            {**rows, "starts": wrong}
            for wrong in (starts[:-1], starts[:1], starts[:0], starts - 1, starts + 1, decreasing)
        ]
        wrongs += [{**rows, "columns": wrong} for wrong in (*wrong_arrays(columns, 4), None)]
        wrongs += [{**rows, "data": data[:-1]}, {**rows, "starts": None}]
        wrongs += [{"data": np.zeros((N, 4)), "starts": None, "columns": None}]
    else:
        data = rows["data"]
        wrongs = [
            {**rows, "data": wrong} for wrong in (data[:, :3], data[0], data[:5], data.T, data > 0)
        ]
        csr = sparse.csr_matrix(data)
        wrongs += [{"data": csr.data, "starts": csr.indptr.astype("i8"), "columns": csr.indices}]
    for wrong in wrongs:
        with pytest.raises(REFUSED):
            train({**right, "rows": wrong})
        with pytest.raises(REFUSED):
            trainer.logits(Rows(**wrong), np.empty((N, 3)))
    rows = Rows(**rows)
    for room in (np.empty((N, 2)), np.empty((N - 1, 3)), np.empty((N, 3), "f4"), np.empty(3 * N)):
        with pytest.raises(REFUSED):
            trainer.logits(rows, room)
    trainer.logits(rows, np.empty((N, 3)))


@pytest.mark.parametrize("name", NETWORKS)
def test_state_of_another_length_is_neither_read_nor_written(name, rng):
    run, right = told(NETWORKS[name], rng)
    trainer, n = right["trainer"], run.parameters.flat.size
    for size in (0, 1, n - 1, n + 1):
        with pytest.raises(REFUSED):
            trainer.set_parameters(np.zeros(size))
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


LAYER = {
    "kind": "dense", "n_in": 2, "n_out": 3, "bias": True, "activation": "relu",
    "drop_threshold": 0, "drop_probability": 0.0, "rates": [1.0, 1.0], "scale": 1.0,
}  # fmt: skip
NETWORK = {
    "layers": [Layer(**LAYER)], "loss": "poisson", "label_smoothing": 0.0, "l2": 0.0, "l1": 0.0,
}  # fmt: skip
TRAINER = {
    "network": Network(**NETWORK), "rule": None, "batch_size": 1, "n_threads": 1,
    "dtype": "float64", "sparse": False, "build": "fastest", "layout": "automatic",
    "threads_from": 1.0, "lost_share": 1.0,
}  # fmt: skip
STRUCTS = {
    "Layer": (Layer, LAYER),
    "Network": (Network, NETWORK),
    "Rule": (Rule, {"name": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}),
    "Trainer": (Trainer, TRAINER),
    "Rows": (Rows, {"data": np.ones((1, 2)), "starts": None, "columns": None}),
}


class TestKeywords:
    """Every struct is made of each of its keywords, and of no other."""

    @pytest.mark.parametrize("name", STRUCTS)
    def test_nothing_is_silently_a_default(self, name):
        struct, right = STRUCTS[name]
        struct(**right)
        for key in right:
            left = {other: value for other, value in right.items() if other != key}
            with pytest.raises(TypeError, match=f"{name} needs the keyword '{key}'"):
                struct(**left)
            misspelt = {**left, f"{key}_": right[key]}
            said = "needs" if key in ("kind", "name") else f"has no keyword '{key}_'; it is made of"
            with pytest.raises(TypeError, match=f"{name} {said}"):
                struct(**misspelt)
        with pytest.raises(TypeError):
            struct(*right.values())

    def test_an_epoch_is_told_all_of_it(self, rng):
        _, right = told(NETWORKS["dense"], rng)
        with pytest.raises(TypeError, match="Epoch has no keyword 'eta'"):
            train({**right, "eta": 0.1})
        for key in {*right} - {"rows"}:
            left = {other: value for other, value in right.items() if other != key}
            with pytest.raises(TypeError, match=f"Epoch needs the keyword '{key}'"):
                train(left)
            with pytest.raises((TypeError, ValueError), match=rf"{key} from|not callable|Trainer"):
                train({**right, key: object()})

    @pytest.mark.parametrize("kind", known_names()["layers"])
    def test_a_kind_of_layer_has_its_own_and_no_others(self, kind):
        shared = {key: value for key, value in LAYER.items() if key != "scale"}
        own = known_names()["layers"][kind]
        for name in set().union(*known_names()["layers"].values()) - {*own}:
            with pytest.raises(TypeError, match=f"Layer has no keyword '{name}'"):
                Layer(**{**shared, "kind": kind}, **{name: 1})
        expected = f"Layer needs the keyword '{own[0]}'" if own else "Layer|layer"
        with pytest.raises((TypeError, ValueError), match=expected):
            Layer(**{**shared, "kind": kind})

    @pytest.mark.parametrize(
        "wrong",
        [
            {"kind": "dens"}, {"activation": "sine"}, {"n_in": 0}, {"n_out": -1}, {"n_in": 2**70},
            {"n_in": "two"}, {"drop_threshold": -1}, {"rates": [1.0] * 5},
            {"kind": "scaling"}, {"kind": "parametric_activation", "function": "tanh"},
            {"kind": "periodic_embedding", "n_columns": 3, "n_waves": 1, "n_mixtures": 1},
            {"kind": "category_embedding", "sizes": [3], "dimension": 2},
            {"kind": "category_embedding", "sizes": [-1], "dimension": 2},
        ],
    )  # fmt: skip
    def test_a_layer_of_impossible_sizes_is_refused(self, wrong):
        given = {**LAYER, **wrong}
        if "kind" in wrong and wrong["kind"] != "dens":
            del given["scale"]
        with pytest.raises((ValueError, TypeError), match=r"Layer|layer"):
            Layer(**given)

    def test_layers_fit_together(self):
        two = Layer(**{**LAYER, "n_in": 4})
        with pytest.raises(ValueError, match="reads what the one before writes"):
            Network(**{**NETWORK, "layers": [two, two]})
        for layers in ([], [Layer(**{**LAYER, "kind": "dense"}), 3]):
            with pytest.raises((ValueError, TypeError)):
                Network(**{**NETWORK, "layers": layers})
