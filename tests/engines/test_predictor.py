"""A predictor answers as ``logits`` does, again and again, whoever asks."""

import mmap
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.engines import ENGINES
from deltaprop.engines.native import NativeEngine

NETWORKS = {
    "lanes": dp.Network([9, 20, 3], "selu"),
    "panels": dp.Network([40, 96, 130, 3], "gelu"),
    "stages": dp.Network.from_layers(
        12,
        [dp.CategoryEmbedding((3, 4)), dp.PeriodicEmbedding(5), dp.Dense(70, "mish"), dp.Dense(3)],
    ),
}
STATM = Path("/proc/self/statm")
EACH = [pytest.param(name, marks=[pytest.mark.torch] * (name == "torch")) for name in ENGINES]
DTYPES = ("float64", "float32", "bfloat16")


def rows_of(network, rng, n=700):
    return rng.normal(size=(n, network.sizes[0]))


@pytest.mark.parametrize("engine", EACH)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_it_answers_as_logits_does(rng, engine, name, dtype):
    network, chosen = NETWORKS[name], ENGINES[engine]
    parameters, X = network.init(rng), rows_of(network, rng)
    sparse = scipy.sparse.csr_matrix(X * (rng.random(X.shape) < 0.3))
    predictor = chosen.predictor(network, parameters, dtype)
    for rows in (X, X[:1], X[:0], X.astype(np.float32), np.asfortranarray(X)[::2]):
        expected = chosen.logits(network, parameters, rows, dtype)
        for _ in range(2):
            np.testing.assert_array_equal(predictor.logits(rows), expected, strict=True)
    of_sparse = chosen.predictor(network, parameters, dtype, sparse=True)
    expected = chosen.logits(network, parameters, sparse, dtype)
    np.testing.assert_array_equal(of_sparse.logits(sparse), expected, strict=True)


@pytest.mark.parametrize("engine", EACH)
def test_what_becomes_of_the_parameters_does_not_reach_it(rng, engine):
    network = NETWORKS["lanes"]
    parameters, X = network.init(rng), rows_of(network, rng)
    predictor = ENGINES[engine].predictor(network, parameters)
    expected = predictor.logits(X)
    parameters.flat[:] = np.nan
    np.testing.assert_array_equal(predictor.logits(X), expected)


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_of_the_other_kind_are_refused(rng, sparse):
    network = NETWORKS["lanes"]
    X = rows_of(network, rng)
    predictor = NativeEngine().predictor(network, network.init(rng), sparse=sparse)
    with pytest.raises(ValueError, match="chosen for other rows"):
        predictor.logits(X if sparse else scipy.sparse.csr_matrix(X))


@pytest.mark.parametrize("name", NETWORKS)
def test_many_threads_may_ask_one(rng, name):
    """What a thread works with is its own: with one room for all, numbers would be mixed up."""
    network = NETWORKS[name]
    predictor = NativeEngine().predictor(network, network.init(rng), "float32")
    tables = [rows_of(network, rng, n) for n in (1, 3, 70, 500) * 4]
    expected = [predictor.logits(X) for X in tables]

    def ask(i):
        return all((predictor.logits(tables[i]) == expected[i]).all() for _ in range(50))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(len(tables))))


def _answer(connection, predictor, X):
    connection.send(predictor.logits(X))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="processes do not fork here"
)
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_goes_on_with_it(rng):
    network, fork = NETWORKS["panels"], multiprocessing.get_context("fork")
    predictor = NativeEngine().predictor(network, network.init(rng), "float32")
    X = rows_of(network, rng, 3000)  # worth more than one thread
    expected = predictor.logits(X)
    for _ in range(3):
        ours, theirs = fork.Pipe()
        child = fork.Process(target=_answer, args=(theirs, predictor, X))
        child.start()
        assert ours.poll(30)
        np.testing.assert_array_equal(ours.recv(), expected)
        child.join(30)
        assert child.exitcode == 0


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells what is in memory")
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="the sanitizer keeps what was freed")
def test_its_weights_go_with_it(rng):
    network = dp.Network([1000, 2000, 2])  # 8 million bytes
    parameters = network.init(rng)

    def ask():
        NativeEngine().predictor(network, parameters, "float32").logits(np.zeros((1, 1000)))
        return int(STATM.read_text().split()[1]) * mmap.PAGESIZE

    ask()
    before = ask()
    assert max(ask() for _ in range(10)) < before + 16e6
