"""The same bits on any number of threads; sharing, forking, and how many there are."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.engines import cores, kernels
from deltaprop.engines.base import EpochPlan
from deltaprop.training.batches import epoch_order

LARGE = dp.Network([180, 120, 90, 10], "tanh", dropout=0.2, l2=1e-3)
TASKS = Path("/proc/self/task")


@pytest.fixture
def many_cores(monkeypatch):
    monkeypatch.setattr(kernels, "available_cores", lambda: 64)


class TestBits:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("batch_size", [1, 100, 333])
    @pytest.mark.one_in(3)
    def test_any_number_of_threads(self, of_engines, many_cores, rng, dtype, batch_size):
        problem = of_engines.problem(LARGE, rng, n=333, batch_size=batch_size, dtype=dtype)
        problem = replace(problem, optimizer=dp.Adam())
        start = of_engines.begin(LARGE, rng)
        runs = [
            of_engines.epochs(replace(problem, n_threads=n), start, epochs=2, eta=0.01)
            for n in (1, 2, 3, 5, 8, 1, 2)
        ]
        for run in runs[1:]:
            assert run.flat.tobytes() == runs[0].flat.tobytes()
            assert run.loss == runs[0].loss
            assert run.state["m"].tobytes() == runs[0].state["m"].tobytes()

    @pytest.mark.parametrize("build", dp._native.instruction_sets())
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.one_in(3)
    def test_of_a_small_network(self, of_engines, many_cores, rng, monkeypatch, build, dtype):
        monkeypatch.setenv("DELTAPROP_THREADS_FROM", "1")
        network = dp.Network([7, 30, 12, 3], "tanh", l2=1e-3)
        problem = of_engines.problem(network, rng, n=9_000, batch_size=4_500, dtype=dtype)
        problem = replace(problem, optimizer=dp.Adam())
        start = of_engines.begin(network, rng)
        if TASKS.exists():
            assert of_engines.threads(replace(problem, n_threads=5), start) == 5
        runs = [
            of_engines.epochs(
                replace(problem, n_threads=n), start, build=f"{build}/lanes", epochs=2, eta=0.01
            )
            for n in (1, 2, 5, 8, 64)
        ]
        for run in runs[1:]:
            assert run.flat.tobytes() == runs[0].flat.tobytes()
            assert run.loss == runs[0].loss

    @pytest.mark.parametrize("build", dp._native.instruction_sets())
    def test_of_every_build_on_sparse_rows(self, of_engines, many_cores, rng, build):
        problem = of_engines.problem(LARGE, rng, n=200, batch_size=90, dtype="float32")
        X = scipy.sparse.csr_array(np.where(problem.X > 0.5, problem.X, 0))
        start = of_engines.begin(LARGE, rng)
        a, b = (
            of_engines.epochs(replace(problem, X=X, n_threads=n), start, build=build).flat
            for n in (1, 7)
        )
        assert a.tobytes() == b.tobytes()

    def test_more_threads_than_rows(self, of_engines, many_cores, rng):
        network = dp.Network([1500, 1500, 2], "relu")
        problem = of_engines.problem(network, rng, n=3, batch_size=2, dtype="float32")
        start = of_engines.begin(network, rng)
        a, b = (of_engines.epochs(replace(problem, n_threads=n), start).flat for n in (1, 8))
        assert a.tobytes() == b.tobytes()

    def test_predictions(self, many_cores, rng, monkeypatch):
        parameters, X = LARGE.init(rng), rng.normal(size=(3000, 180))
        found = []
        for n in (1, 2, 5):
            monkeypatch.setattr(kernels, "available_cores", lambda n=n: n)
            found.append(dp.predict(LARGE, parameters, X).tobytes())
        assert found[0] == found[1] == found[2]

    @pytest.mark.parametrize("limit", ["1", "2"])
    def test_the_limit_of_the_environment(self, of_engines, monkeypatch, rng, limit):
        problem = of_engines.problem(LARGE, rng, n=200, batch_size=100, dtype="float32")
        start = of_engines.begin(LARGE, rng)
        free = of_engines.epochs(problem, start)
        monkeypatch.setenv("DELTAPROP_NUM_THREADS", limit)
        assert of_engines.epochs(problem, start).flat.tobytes() == free.flat.tobytes()

    @pytest.mark.skipif(not TASKS.exists(), reason="threads are counted in /proc")
    @pytest.mark.parametrize("layout", ["lanes", "panels"])
    def test_a_team_that_becomes_smaller_and_larger_again(
        self, of_engines, many_cores, rng, monkeypatch, layout
    ):
        """With more threads than cores somebody always waits; here any wait is too long."""
        monkeypatch.setenv("DELTAPROP_THREADS_FROM", "1")
        network = dp.Network([20, 30, 10], "tanh")
        problem = of_engines.problem(network, rng, n=6000, batch_size=200, dtype="float32")
        problem = replace(problem, optimizer=dp.AdamW())
        start = of_engines.begin(network, rng)
        order = np.concatenate([epoch_order(0, epoch, 6000, True) for epoch in range(60)])
        before, sizes, ended = len(list(TASKS.iterdir())), [], []

        def count(done):
            if done < len(order):
                sizes.append(len(list(TASKS.iterdir())) - before + 1)
            return False

        monkeypatch.setenv("DELTAPROP_LOST_SHARE", "0")
        for n_threads in (1, 8):
            run = of_engines.native(
                replace(problem, n_threads=n_threads), start.copy(), layout=layout
            )
            ended.append(run.epoch(EpochPlan(order, None, np.full(1800, 1e-3), count)).loss)
            ended.append(run.parameters.flat.tobytes())
        assert max(sizes) > min(sizes[-(len(sizes) // 2) :])
        assert ended[:2] == ended[2:]

    @pytest.mark.skipif(not TASKS.exists(), reason="threads are counted in /proc")
    def test_several_threads_are_really_there(self, of_engines, many_cores, rng, monkeypatch):
        monkeypatch.setenv("DELTAPROP_LOST_SHARE", "1")  # however busy the machine is
        problem = of_engines.problem(LARGE, rng, n=300, batch_size=100, dtype="float32")
        before = len(list(TASKS.iterdir()))
        assert of_engines.threads(replace(problem, n_threads=4), of_engines.begin(LARGE, rng)) == 4
        assert len(list(TASKS.iterdir())) == before


class TestSharing:
    def test_training_in_several_threads_at_once(self, of_engines, rng):
        problem = of_engines.problem(LARGE, rng, n=300, batch_size=100, dtype="float32")
        start = of_engines.begin(LARGE, rng)
        expected = of_engines.epochs(problem, start, epochs=5).flat.tobytes()
        found = []
        threads = [
            threading.Thread(
                target=lambda: found.append(
                    of_engines.epochs(problem, start, epochs=5).flat.tobytes()
                )
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert found == [expected] * 4


SCRIPT = """
import hashlib, multiprocessing, os, sys, threading
import numpy as np
import deltaprop as dp

def digest(seed=0):
    rng = np.random.default_rng(1)
    network = dp.Network([180, 120, 10], "relu")
    parameters = network.init(rng)
    X, y = rng.normal(size=(400, 180)), rng.integers(10, size=400)
    dp.train(network, parameters, X, y, epochs=2, batch_size=200)
    p = dp.predict(network, parameters, X)
    return hashlib.sha256(parameters.flat.tobytes() + p.tobytes()).hexdigest()

def forked():
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, digest().encode())
        os._exit(0)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    return os.read(read, 64).decode()

if __name__ == "__main__":
    expected, how = digest(), sys.argv[1]
    if how == "fork":
        found = [forked(), digest(), forked()]
    elif how == "fork during an epoch":
        thread = threading.Thread(target=lambda: [digest() for _ in range(20)])
        thread.start()
        found = [forked() for _ in range(5)]
        thread.join()
    elif how == "joblib":
        import joblib
        found = joblib.Parallel(n_jobs=2)(joblib.delayed(digest)(i) for i in range(4))
    else:
        with multiprocessing.get_context(how.split()[1]).Pool(2) as pool:
            found = pool.map(digest, range(4))
    assert set(found) == {expected}, (expected, found)
    print("same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize(
    "how", ["fork", "fork during an epoch", "pool fork", "pool spawn", "pool forkserver", "joblib"]
)
@pytest.mark.rest
def test_other_processes_train_to_the_same_bits(tmp_path, how):
    if how == "fork during an epoch" and {"TSAN_OPTIONS", "ASAN_OPTIONS"} & os.environ.keys():
        # the one cannot follow it; the other's allocator may be locked in the child for ever
        pytest.skip("the sanitizers are not made for a fork of several threads")
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, how], capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "same"


class TestCores:
    @pytest.fixture(autouse=True)
    def eight_cores(self, monkeypatch, tmp_path):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
        monkeypatch.setattr(cores, "_QUOTA", tmp_path / "cpu.max")
        for name in cores._LIMITS:
            monkeypatch.delenv(name, raising=False)

    def test_those_the_process_is_allowed_on(self):
        assert cores.available_cores() == 8

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("max 100000\n", 8), ("200000 100000\n", 2), ("250000 100000", 2), ("50000 100000", 1),
            ("1600000 100000", 8), ("", 8), ("nonsense", 8), ("x y", 8),
        ],
    )  # fmt: skip
    def test_the_quota_of_a_container(self, text, expected):
        cores._QUOTA.write_text(text)
        assert cores.available_cores() == expected

    @pytest.mark.parametrize("name", ["DELTAPROP_NUM_THREADS", "OMP_NUM_THREADS"])
    @pytest.mark.parametrize(
        ("value", "expected"),
        [("1", 1), ("3", 3), ("100", 8), ("4,2", 4), (" 2 ", 2), ("", 8), ("0", 8), ("-1", 8),
         ("many", 8), ("2.5", 8)],
    )  # fmt: skip
    def test_the_environment(self, monkeypatch, name, value, expected):
        monkeypatch.setenv(name, value)
        assert cores.available_cores() == expected

    def test_its_own_name_comes_first(self, monkeypatch):
        monkeypatch.setenv("DELTAPROP_NUM_THREADS", "4")
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        assert cores.available_cores() == 4

    def test_n_threads_is_at_most_that(self, monkeypatch):
        monkeypatch.setenv("DELTAPROP_NUM_THREADS", "4")
        assert [kernels.threads(n) for n in (None, 1, 3, 4, 99)] == [4, 1, 3, 4, 4]
