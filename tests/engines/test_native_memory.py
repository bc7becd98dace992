"""No allocation in a step, nothing left behind, and not much more than the numbers themselves."""

import os
import shutil
import subprocess
import sys

import pytest

ALLOCATING = """
#include <atomic>
#include <cstddef>
extern "C" {
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
static std::atomic<long> count{0};
long allocations() { return count; }
void *malloc(size_t n) { ++count; return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { ++count; return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { ++count; return __libc_realloc(p, n); }
void *aligned_alloc(size_t a, size_t n) { ++count; return __libc_memalign(a, n); }
}
"""
COUNTING = """
import ctypes, gc
import numpy as np
import deltaprop as dp
from deltaprop.engines.base import EpochPlan, Problem
from deltaprop.engines.kernels import NativeRun
from deltaprop.training.batches import dropout_generator

allocations = ctypes.CDLL(None).allocations
allocations.restype = ctypes.c_long
every_kind = [dp.CategoryEmbedding((3, 4)), dp.PeriodicEmbedding(5), dp.Scaling(), dp.Dense(70),
              dp.ParametricActivation("selu"), dp.Dense(3, parametrization="ntk")]
networks = [dp.Network(sizes, "gelu", dropout=dropout) for sizes, dropout in
            (([6, 5, 3], 0.2), ([6, 5, 3], 0.0), ([300, 200, 10], 0.2))]
for network in (*networks, dp.Network.from_layers(12, every_kind)):
    for dtype in ("float32", "float64"):
        rng, sizes = np.random.default_rng(0), network.sizes
        problem = Problem(network, rng.normal(size=(64, sizes[0])), rng.integers(3, size=64), None,
                          dp.Adam(), 64, dtype, 2)
        run = NativeRun(problem, network.init(rng))
        counts = []
        for steps in (5, 5, 400):
            order = np.tile(np.arange(64), steps)
            plan = EpochPlan(order, dropout_generator(0, 0), np.full(steps, 1e-3), (-1).__eq__)
            before = allocations()
            run.epoch(plan)
            counts.append(allocations() - before)
        print(sizes, dtype, counts)
        assert counts[2] < counts[1] + 100, counts
"""
LEAVING = """
import resource
import numpy as np
import deltaprop as dp

rng = np.random.default_rng(0)
X, y = rng.normal(size=(40, 30)), rng.integers(3, size=40)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def train(times):
    for _ in range(times):
        network = dp.Network([30, 100, 3], "relu")
        parameters = network.init(rng)
        dp.train(network, parameters, X, y, epochs=3, batch_size=2)
        dp.predict(network, parameters, X)

train(50)
before = peak()
train(400)
print(peak() - before)
assert peak() - before < 4096, peak() - before
"""
PEAK = """
import resource, sys
import numpy as np
import deltaprop as dp

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

network = dp.Network([3000, 2500, 2500, 10], "relu")
parameters = network.init(np.random.default_rng(0))
n = parameters.flat.size
X, y = np.ones((30_000, 3000), dtype=np.float32), np.zeros(30_000, dtype=int)
dp.train(dp.Network([3, 2]), dp.Network([3, 2]).init(np.random.default_rng(0)), X[:9, :3], y[:9])
before = peak()
dp.train(network, parameters, X, y, batch_size=128, epochs=2, time_budget=3.0, engine="native")
more = peak() - before
print(f"{more / 1e6:.1f} MB more, {more / (4 * n):.2f} times the parameters in float32")
assert more <= 5 * 4 * n + 16e6
"""


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the hooks are those of glibc")
class TestAllocations:
    @pytest.fixture
    def counter(self, tmp_path):
        compiler = shutil.which("c++")
        if compiler is None or os.environ.get("LD_PRELOAD"):
            pytest.skip("counting needs a compiler, and no other library preloaded")
        source, library = tmp_path / "count.cpp", tmp_path / "count.so"
        source.write_text(ALLOCATING)
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", source, "-o", library], check=True, timeout=120
        )
        return str(library)

    def test_four_hundred_steps_take_no_more_than_five(self, counter):
        run(COUNTING, LD_PRELOAD=counter)

    @pytest.mark.rest
    def test_nothing_is_left_of_a_run(self):
        if os.environ.get("LD_PRELOAD"):
            pytest.skip("a sanitizer keeps what was freed")
        run(LEAVING)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes are those of Linux")
def test_a_large_run_takes_five_times_its_parameters_at_most():
    """W, W turned, Adam's two means and what to go back to; the rows are read where they are."""
    run(PEAK)
