"""Fashion-MNIST: seconds to 88.5 % on the test rows, and accuracy after ten plain epochs.

    python benchmarks/fashion.py [--data FOLDER] [--seeds 5] [--against sklearn,torch,jax] [--write]

The rows are read from FOLDER (default: data/fashion-mnist in the folder that DELTAPROP_SHARED
names) and divided by 255; the clock begins with the arrays in memory and ends with the trained
parameters. Every library trains the same network from the same starting parameters, in a process of
its own. Headline: one cycle of learning rates for all but scikit-learn, which has none and trains
until it is there. Ten epochs: 784-256-128-10, Adam 1e-3, batch 128.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import numpy as np
from common import alone, machine_sentence, tell, write_part

import deltaprop as dp
from deltaprop.benchmark import describe_machine, peer_named
from deltaprop.benchmark.tables import markdown_table
from deltaprop.training.schedules import OneCycle, as_schedule, values

GOAL = 0.885


@dataclass(frozen=True)
class Plan:
    """How the network is trained."""

    hidden: tuple[int, ...]
    batch: int
    epochs: int
    learning_rate: Any  # a number or a schedule

    @property
    def widths(self) -> tuple[int, ...]:
        """Return n_0, ..., n_L."""
        return (784, *self.hidden, 10)

    def etas(self, n: int) -> Any:
        """Return eta of every step."""
        steps = self.epochs * -(-n // self.batch)
        return values(as_schedule(self.learning_rate), 0, steps, steps)


PLANS = {
    "headline": Plan((256,), 120, 8, OneCycle(5e-3)),
    "ten epochs": Plan((256, 128), 128, 10, 1e-3),
}


def read(folder: Path) -> tuple[Any, Any, Any, Any]:
    """Return the training rows and labels and the test rows and labels."""
    parts = []
    for part in ("train", "t10k"):
        for name, offset in (("images-idx3", 16), ("labels-idx1", 8)):
            raw = gzip.decompress((folder / f"{part}-{name}-ubyte.gz").read_bytes())
            numbers = np.frombuffer(raw, np.uint8, offset=offset)
            if offset == 16:
                parts.append(numbers.reshape(-1, 784).astype(np.float32) / np.float32(255))
            else:
                parts.append(numbers.astype(np.int64))
    X, y, X_test, y_test = parts
    return X, y, X_test, y_test


def start(plan: Plan, seed: int) -> tuple[dp.Network, dp.Parameters]:
    network = dp.Network(list(plan.widths), hidden="relu", loss="cross_entropy")
    return network, network.init(np.random.default_rng(seed))


def accuracy(weights: Any, biases: Any, X: Any, y: Any) -> float:
    """Judge trained parameters, whoever trained them, in NumPy."""
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        X = np.maximum(X @ np.asarray(W, np.float32) + np.asarray(b, np.float32), 0)
    return float(np.mean(np.argmax(X @ weights[-1] + biases[-1], axis=1) == y))


def by_deltaprop(plan: Plan, seed: int, X: Any, y: Any) -> Any:
    network, parameters = start(plan, seed)
    began = time.perf_counter()
    dp.train(
        network, parameters, X, y, optimizer=dp.Adam(plan.learning_rate), batch_size=plan.batch,
        epochs=plan.epochs, seed=seed,
    )  # fmt: skip
    return time.perf_counter() - began, parameters.W, parameters.b, plan.epochs


def by_torch(plan: Plan, seed: int, X: Any, y: Any) -> Any:
    import torch

    torch.manual_seed(seed)
    _, parameters = start(plan, seed)
    began = time.perf_counter()
    rows, labels = torch.from_numpy(X), torch.from_numpy(y)
    layers: list[Any] = []
    for W, b in zip(parameters.W, parameters.b, strict=True):
        layers += [torch.nn.Linear(*W.shape), torch.nn.ReLU()]
        with torch.no_grad():
            layers[-2].weight.copy_(torch.from_numpy(W.T.astype(np.float32)))
            layers[-2].bias.copy_(torch.from_numpy(b.astype(np.float32)))
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    etas = iter(plan.etas(len(X)).tolist())
    for _ in range(plan.epochs):
        for chosen in torch.randperm(len(X)).split(plan.batch):
            optimizer.param_groups[0]["lr"] = next(etas)
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(model(rows[chosen]), labels[chosen]).backward()
            optimizer.step()
    seconds = time.perf_counter() - began
    W = [layer.weight.detach().numpy().T for layer in model[::2]]
    return seconds, W, [layer.bias.detach().numpy() for layer in model[::2]], plan.epochs


_jitted: dict[str, Any] = {}


def by_jax(plan: Plan, seed: int, X: Any, y: Any) -> Any:
    import jax
    import jax.numpy as jnp

    def batch_loss(weights: Any, x: Any, labels: Any) -> Any:
        for W, b in weights[:-1]:
            x = jax.nn.relu(x @ W + b)
        log_p = jax.nn.log_softmax(x @ weights[-1][0] + weights[-1][1])
        return -jnp.take_along_axis(log_p, labels[:, None], axis=1).mean()

    def epoch(state: Any, rows: Any, labels: Any, order: Any, etas: Any) -> Any:
        def step(state: Any, now: Any) -> Any:
            (weights, m, v, t), (chosen, eta) = state, now
            g = jax.grad(batch_loss)(weights, rows[chosen], labels[chosen])
            t = t + 1
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            rate, root = eta / (1 - 0.9**t), 1 / jnp.sqrt(1 - 0.999**t)
            weights = jax.tree.map(
                lambda w, m, v: w - rate * m / (jnp.sqrt(v) * root + 1e-8), weights, m, v
            )
            return (weights, m, v, t), None

        return jax.lax.scan(step, state, (order, etas))[0]

    rng = np.random.default_rng(seed)
    _, parameters = start(plan, seed)
    began = time.perf_counter()
    run = _jitted.setdefault("epoch", jax.jit(epoch, donate_argnums=0))
    rows, labels = jax.device_put(X), jax.device_put(y)
    weights = [(np.float32(W), np.float32(b)) for W, b in
               zip(parameters.W, parameters.b, strict=True)]  # fmt: skip
    zeros = jax.tree.map(np.zeros_like, weights)
    state = jax.device_put((weights, zeros, jax.tree.map(np.copy, zeros), np.float32(0)))
    steps = len(X) // plan.batch
    etas = plan.etas(steps * plan.batch).astype(np.float32).reshape(plan.epochs, steps)
    for rates in etas:
        order = rng.permutation(len(X))[: steps * plan.batch].astype(np.int32)
        state = run(state, rows, labels, order.reshape(steps, plan.batch), rates)
    jax.block_until_ready(state)
    seconds = time.perf_counter() - began
    weights = [(np.asarray(W), np.asarray(b)) for W, b in state[0]]
    return seconds, [W for W, _ in weights], [b for _, b in weights], plan.epochs


def by_sklearn(plan: Plan, seed: int, X: Any, y: Any, X_test: Any, y_test: Any) -> Any:
    """Train until it is there, with a constant learning rate; judging is not timed."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        plan.hidden, batch_size=plan.batch, learning_rate_init=1e-3, alpha=0.0, random_state=seed
    )
    seconds, epochs = 0.0, 0
    while epochs < 25:
        began = time.perf_counter()
        model.partial_fit(X, y, classes=np.arange(10))
        seconds, epochs = seconds + time.perf_counter() - began, epochs + 1
        if accuracy(model.coefs_, model.intercepts_, X_test, y_test) >= GOAL:
            break
    return seconds, model.coefs_, model.intercepts_, epochs


WAYS = {"deltaprop": by_deltaprop, "torch": by_torch, "jax": by_jax}


def one_library(name: str, plan: Plan, seeds: int, folder: Path) -> list[dict[str, float]]:
    """Train once for each seed."""
    X, y, X_test, y_test = read(folder)
    runs = []
    for seed in range(seeds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name == "sklearn":
                seconds, W, b, epochs = by_sklearn(plan, seed, X, y, X_test, y_test)
            else:
                seconds, W, b, epochs = WAYS[name](plan, seed, X, y)
        judged = accuracy(W, b, X_test, y_test)
        runs.append({"seconds": seconds, "accuracy": judged, "epochs": epochs})
        tell(f"{name}, seed {seed}: {seconds:.2f} s, {judged:.4f}, {epochs} epochs")
    return runs


def in_a_process(name: str, plan: str, seeds: int, folder: Path) -> list[dict[str, float]]:
    words = [sys.executable, __file__, "--one", name, "--plan", plan, "--seeds", str(seeds)]
    done = subprocess.run([*words, "--data", str(folder)], check=True, stdout=subprocess.PIPE)
    runs: list[dict[str, float]] = json.loads(done.stdout)
    return runs


def table(plan: str, names: list[str], seeds: int, folder: Path) -> str:
    """Return how each library did."""
    rows = []
    for name in names:
        runs = in_a_process(name, plan, seeds, folder)
        reached = [run["accuracy"] for run in runs]
        spread = f" +- {stdev(reached):.4f}" if len(reached) > 1 else ""
        rows.append([
            peer_named(name).title, f"{median(run['seconds'] for run in runs):.2f}",
            f"{runs[0]['seconds']:.2f}", f"{mean(reached):.4f}{spread}", f"{min(reached):.4f}",
            f"{median(run['epochs'] for run in runs):.0f}",
        ])  # fmt: skip
    header = ["library", "seconds, median", "first run", "test accuracy", "lowest", "epochs"]
    return markdown_table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fashion-MNIST, by the clock.")
    shared = Path(os.environ.get("DELTAPROP_SHARED", "../shared"))
    parser.add_argument("--data", type=Path, default=shared / "data" / "fashion-mnist")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--against", default="sklearn,torch,jax")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    parser.add_argument("--plan", choices=list(PLANS), help=argparse.SUPPRESS)
    parser.add_argument("--one", help=argparse.SUPPRESS)  # what a process of its own is told
    options = parser.parse_args()
    if options.one:
        runs = one_library(options.one, PLANS[options.plan], options.seeds, options.data)
        print(json.dumps(runs))
        return
    machine = describe_machine()
    names = ["deltaprop", *(name for name in options.against.split(",") if name)]
    missing = [name for name in names if not peer_named(name).installed]
    names = [name for name in names if name not in missing]
    versions = {k: v for name in names for k, v in peer_named(name).versions.items()}
    head, plain = PLANS["headline"], PLANS["ten epochs"]
    with alone():
        first = table("headline", names, options.seeds, options.data)
        second = table("ten epochs", [name for name in names if name in ("deltaprop", "torch")],
                       options.seeds, options.data)  # fmt: skip
    aim = (
        f"To {GOAL:.1%} of the 10,000 test rows, from arrays in memory, {options.seeds} seeds: "
        f"{'-'.join(map(str, head.widths))}, batch {head.batch}, Adam with one cycle of learning "
        f"rates up to {head.learning_rate.learning_rate:g} (scikit-learn: constant 1e-3, until it "
        "is there). The first run includes compiling."
    )
    after = (
        f"After {plain.epochs} epochs of {'-'.join(map(str, plain.widths))}, Adam 1e-3, batch "
        f"{plain.batch}, from the same starting parameters:"
    )
    parts = [machine_sentence(machine, versions), aim, first, after, second]
    parts += [f"{peer_named(name).title} is left out: not installed." for name in missing]
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        write_part("fashion", text)


if __name__ == "__main__":
    main()
