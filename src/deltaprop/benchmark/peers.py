"""The libraries: how each of them trains for some epochs, at its best from memory.

All do the same: shuffle the rows in each epoch, softmax and cross-entropy, Adam with a learning
rate of 1e-3, float32, no penalty. What a library needs once (compiling, copying the rows to where
it wants them) happens before the clock starts, for all of them alike. Scikit-learn gives two
classes one logistic output instead of two.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

import numpy as np

from deltaprop.benchmark.workloads import Workload
from deltaprop.errors import UnknownNameError

__all__ = ["LEARNING_RATE", "PEERS", "Epochs", "Peer", "peer_named"]

LEARNING_RATE = 1e-3
Epochs: TypeAlias = Callable[[int], float]  # trains for so many epochs; returns the seconds


@dataclass(frozen=True)
class Peer:
    """A way to train.

    Attributes
    ----------
    name : str
        What it is called on the command line.
    title : str
        What it is called in tables.
    module : str
        What has to be importable.
    package : str
        What is installed.
    start : callable
        Given a ``Workload``, gets ready and returns what trains for a number of epochs and says
        how many seconds they took.
    """

    name: str
    title: str
    module: str
    package: str
    start: Callable[[Workload], Epochs]

    @property
    def installed(self) -> bool:
        """Say whether its module can be found; it is not imported."""
        return importlib.util.find_spec(self.module) is not None

    @property
    def versions(self) -> dict[str, str]:
        """Return the version of its package; empty where none is recorded."""
        try:
            return {} if self.package == "deltaprop" else {self.package: version(self.package)}
        except PackageNotFoundError:
            return {}


def _timed(epoch: Callable[[], object]) -> Epochs:
    """Return what runs an epoch so many times and says how long that took."""

    def epochs(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            epoch()
        return time.perf_counter() - began

    return epochs


def _start_deltaprop(
    work: Workload, engine: str = "auto", dtype: str = "float32", n_threads: int | None = None
) -> Epochs:
    from deltaprop.model.spec import Network
    from deltaprop.training.loop import train
    from deltaprop.training.optimizers import Adam

    X, labels = work.data()
    network = Network(work.widths, hidden="relu", loss="cross_entropy")
    parameters = network.init(np.random.default_rng(1))

    def epochs(count: int) -> float:
        ends: list[float] = []
        train(
            network, parameters, X, labels, optimizer=Adam(LEARNING_RATE), batch_size=work.batch,
            epochs=count + 1, engine=engine, dtype=dtype, n_threads=n_threads,
            callbacks=[lambda _state: ends.append(time.perf_counter())],
        )  # fmt: skip
        return ends[-1] - ends[0]  # the first epoch holds what is done once

    return epochs


def _start_sklearn(work: Workload) -> Epochs:
    import warnings

    from sklearn.neural_network import MLPClassifier

    X, labels = work.data()
    classes = np.arange(work.widths[-1])
    model = MLPClassifier(
        hidden_layer_sizes=work.widths[1:-1], activation="relu", solver="adam", alpha=0.0,
        batch_size=work.batch, learning_rate_init=LEARNING_RATE, shuffle=True, random_state=1,
    )  # fmt: skip

    def epoch() -> None:
        with warnings.catch_warnings(action="ignore"):
            model.partial_fit(X, labels, classes=classes)

    return _timed(epoch)


def _start_torch(work: Workload, compiled: bool = False) -> Epochs:
    import torch

    torch.manual_seed(1)
    rows, labels = (torch.from_numpy(part) for part in work.data())
    layers: list[Any] = []
    for n_in, n_out in zip(work.widths, work.widths[1:], strict=False):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)

    def batch_loss(x: Any, y: Any) -> Any:
        return torch.nn.functional.cross_entropy(model(x), y)

    loss_of = torch.compile(batch_loss) if compiled else batch_loss

    def epoch() -> None:
        for chosen in torch.randperm(work.rows).split(work.batch):
            optimizer.zero_grad(set_to_none=True)
            loss_of(rows[chosen], labels[chosen]).backward()
            optimizer.step()

    return _timed(epoch)


_start_compiled_torch = partial(_start_torch, compiled=True)


def _start_jax(work: Workload) -> Epochs:
    """Train with one jitted scan per epoch, the strongest of the peers."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(1)
    rows, labels = (jax.device_put(part) for part in work.data())
    weights = [
        (rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(np.float32), np.zeros(n_out, "f4"))
        for n_in, n_out in zip(work.widths, work.widths[1:], strict=False)
    ]
    zeros = jax.tree.map(np.zeros_like, weights)
    state = jax.device_put((weights, zeros, jax.tree.map(np.copy, zeros), np.float32(0)))

    def batch_loss(weights: Any, x: Any, y: Any) -> Any:
        for W, b in weights[:-1]:
            x = jax.nn.relu(x @ W + b)
        W, b = weights[-1]
        log_p = jax.nn.log_softmax(x @ W + b)
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()

    def step(state: Any, chosen: Any) -> Any:
        weights, m, v, t = state
        loss, g = jax.value_and_grad(batch_loss)(weights, rows[chosen], labels[chosen])
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        eta = LEARNING_RATE / (1 - 0.9**t)
        root = 1 / jnp.sqrt(1 - 0.999**t)
        weights = jax.tree.map(
            lambda w, m, v: w - eta * m / (jnp.sqrt(v) * root + 1e-8), weights, m, v
        )
        return (weights, m, v, t), loss

    epoch = jax.jit(lambda state, order: jax.lax.scan(step, state, order), donate_argnums=0)

    def epochs(count: int) -> float:
        nonlocal state
        began = time.perf_counter()
        for _ in range(count):
            order = rng.permutation(work.rows).astype(np.int32).reshape(work.steps, work.batch)
            state, losses = epoch(state, order)
        jax.block_until_ready((state, losses))
        return time.perf_counter() - began

    return epochs


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("deltaprop", "deltaprop", "deltaprop", "deltaprop", _start_deltaprop),
        Peer("sklearn", "scikit-learn", "sklearn", "scikit-learn", _start_sklearn),
        Peer("torch", "PyTorch eager", "torch", "torch", _start_torch),
        Peer("torch-compile", "torch.compile", "torch", "torch", _start_compiled_torch),
        Peer("jax", "JAX scan", "jax", "jax", _start_jax),
    )
}


def peer_named(name: str) -> Peer:
    """Return the peer called so.

    Parameters
    ----------
    name : str
        A key of ``PEERS``. After "deltaprop" may stand, each after a colon: a number of threads, a
        precision, an engine, as in "deltaprop:1" or "deltaprop:bfloat16".

    Returns
    -------
    Peer
        What to measure.

    Raises
    ------
    UnknownNameError
        When there is none, or deltaprop has no such option.
    """
    base, *options = name.split(":")
    if base not in PEERS or (options and base != "deltaprop"):
        raise UnknownNameError("library", name, PEERS)
    return _deltaprop_with(name, options) if options else PEERS[base]


def _deltaprop_with(name: str, options: list[str]) -> Peer:
    from deltaprop.engines import ENGINES

    known = dict.fromkeys(("float32", "float64", "bfloat16"), "dtype")
    known |= dict.fromkeys(ENGINES, "engine")
    settings: dict[str, Any] = {}
    words = []
    for option in options:
        if option.isdigit() and int(option) > 0:
            settings["n_threads"] = int(option)
            words.append("1 thread" if option == "1" else f"{option} threads")
        elif option in known:
            settings[known[option]] = option
            words.append(option)
        else:
            raise UnknownNameError("option of deltaprop", option, [*known, "2"])
    title = f"deltaprop, {', '.join(words)}"
    return replace(
        PEERS["deltaprop"], name=name, title=title, start=partial(_start_deltaprop, **settings)
    )
