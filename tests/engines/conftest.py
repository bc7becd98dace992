"""A problem for any engine, epochs of it, and what they come to."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.engines import ENGINES
from deltaprop.engines.base import EpochPlan, Problem
from deltaprop.engines.kernels import NativeRun
from deltaprop.training.batches import dropout_generator, epoch_order
from helpers.piles import ToldOf


@dataclass
class Outcome:
    """What is left after some epochs."""

    flat: np.ndarray
    loss: list
    state: dict
    diverged: str | None
    n_steps: int


def run_epochs(
    problem, parameters, *, build="", epochs=1, shuffle=True, eta=0.1, state=None, seed=0
):
    """Run epochs of a problem; ``build`` is an engine, or a build of the native one.

    After a build may stand how the numbers lie, as in "avx2/lanes", which cannot be asked of what
    has dropout or sparse rows: those lie in panels. The parameters are copied, the state of the
    optimizer may be given.
    """
    parameters = parameters.copy()
    if build in ENGINES:
        run = ENGINES[build].start(problem, parameters)
    else:
        build, _, layout = build.partition("/")
        if any(problem.network.dropouts) or hasattr(problem.X, "indptr"):
            layout = ""
        run = native_run(problem, parameters, build=build, layout=layout)
    if state is not None:
        run.state = {name: np.copy(part) if name != "t" else part for name, part in state.items()}
    n = problem.X.shape[0]
    rates = np.full(-(-n // problem.batch_size), eta)
    losses, diverged, n_steps = [], None, 0
    for epoch in range(epochs):
        outcome = run.epoch(
            EpochPlan(
                epoch_order(seed, epoch, n, shuffle), dropout_generator(seed, epoch), rates,
                lambda done: False,
            )
        )  # fmt: skip
        losses.append(outcome.loss)
        n_steps += outcome.n_steps
        diverged = outcome.diverged
        if diverged:
            break
    return Outcome(parameters.flat, losses, run.state, diverged, n_steps)


def native_run(problem, parameters, **tuned):
    """Return a run by the build and the layout that are named, as the environment may name them."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in tuned.items():
            if value:
                environment.setenv(f"DELTAPROP_{name.upper()}", value)
        return NativeRun(problem, parameters)


def threads_of(problem, parameters):
    """Return how many threads take the steps of a problem, counted while they do."""
    tasks, seen = Path("/proc/self/task"), []
    before = len(list(tasks.iterdir()))

    def count(done):
        seen.append(len(list(tasks.iterdir())) - before + 1)
        return True  # asked some milliseconds after the beginning

    order = np.resize(np.arange(problem.X.shape[0]), 200_000)
    rates = np.zeros(-(-len(order) // problem.batch_size))
    NativeRun(problem, parameters.copy()).epoch(
        EpochPlan(order, dropout_generator(0, 0), rates, count)
    )
    return seen[0]


def targets_for(network, n, rng):
    """Return targets that the loss of a network takes, of some rows."""
    shape = (n, network.n_out)
    return ToldOf(
        "how to draw targets of the kind",
        distribution=lambda: rng.dirichlet(np.ones(shape[1]), n),
        unit=lambda: rng.random(shape),
        count=lambda: rng.poisson(2.0, size=shape).astype(float),
        real=lambda: rng.normal(size=shape),
    )[network.loss.targets]()


def make_problem(network, rng, n=23, batch_size=None, dtype="float64", **settings):
    """Return a problem of random rows whose numbers are exact in float32."""
    problem = Problem(
        network=network,
        X=rng.normal(0.0, 0.5, (n, network.sizes[0])).astype(np.float32).astype(np.float64),
        targets=targets_for(network, n, rng),
        weights=None,
        optimizer=dp.GradientDescent(),
        batch_size=batch_size or n,
        dtype=dtype,
        n_threads=None,
    )
    return replace(problem, **settings)


def begin(network, rng):
    """Return parameters that are exact in float32, with biases that are not 0."""
    parameters = network.init(rng)
    parameters.flat[:] += 0.1 * rng.normal(size=parameters.flat.size)
    parameters.flat[:] = parameters.flat.astype(np.float32)
    return parameters


def warm(optimizer, n, rng):
    """Return the state of an optimizer that has seen some steps."""
    state = optimizer.init(n)
    for name in state:
        if name == "t":
            state[name] = 12
        elif name == "s" or (name == "v" and "m" in state):
            state[name] = 0.1 + rng.random(n)  # a mean of squares
        else:
            state[name] = 0.1 * rng.normal(size=n)
    return state


def assert_steps_agree(network, before, found, expected, relative, note=""):
    """Compare what was moved, array by array, with the largest movement of the array."""
    precision = 2.0**-23 if relative > 1e-10 else 2.0**-51
    for slot in network.layout.slots:
        part = slice(slot.start, slot.stop)
        start, ours, theirs = before.flat[part], found[part], expected[part]
        # the new value itself is rounded, however exact the step was
        size = np.abs(theirs - start).max()
        bound = relative * size + precision * (np.abs(start) + np.abs(theirs))
        worst = (np.abs(ours - theirs) / np.maximum(bound, 1e-300)).max()
        said = f"{note}: {slot.name}{slot.layer + 1} is off {worst:.3g} times the bound"
        if worst > 1e3:
            said += ": this is no rounding: see native/math/activations.hpp, native/math/losses.hpp"
        assert worst <= 1.0, said


@pytest.fixture(scope="session")
def of_engines():
    """The functions above, for tests."""
    return _Functions


class _Functions:
    epochs = staticmethod(run_epochs)
    native = staticmethod(native_run)
    threads = staticmethod(threads_of)
    problem = staticmethod(make_problem)
    begin = staticmethod(begin)
    targets = staticmethod(targets_for)
    warm = staticmethod(warm)
    agree = staticmethod(assert_steps_agree)
