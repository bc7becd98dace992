"""Microseconds per step on a GPU: the torch engine beside PyTorch eager, compiled and graphed.

python benchmarks/gpu.py               all rows, in under 8 minutes on one GPU; prints Markdown
python benchmarks/gpu.py --quick       a few steps of each, on whatever there is, the CPU too
python benchmarks/gpu.py --out FILE    and writes the figures as JSON

First it is held to the reference on the device, in float64, graphs included. Adam, ReLU, softmax
and cross-entropy, rows resident on the device. The limit is what products of 8192 x 8192 matrices
reach in float32 and bfloat16, and what a copy of 1 GB reaches; a step's share is that of its
products, counted from the shapes, or of its memory traffic where that takes longer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import deltaprop as dp
from deltaprop.benchmark.workloads import WORKLOADS, Workload
from deltaprop.engines import ENGINES
from deltaprop.engines.base import EpochPlan, Problem
from deltaprop.engines.tensors.device import the_device
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES

ROWS = [
    *(WORKLOADS[name] for name in ("T", "SC", "SD", "S", "N", "R", "M", "L", "X")),
    Workload("G", (54, 944, 944, 944, 7), 1024, 40),
    Workload("W", (64, 64, 64, 64, 10), 262_144, 8),
]
SECONDS = 1.5  # of each measurement
COMPILED = {"S", "R", "G", "W"}  # compiling takes many seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few steps of each")
    parser.add_argument("--out", help="where the figures are written as JSON")
    asked = parser.parse_args()
    device, began = the_device(), time.perf_counter()
    found: dict[str, Any] = {"device": name_of(device), "torch": torch.__version__}
    print(f"{found['device']}, torch {torch.__version__}, deltaprop {dp.__version__}.\n")
    found["agreement"] = agreement(2 if asked.quick else 8)
    print(f"Against the reference in float64: {found['agreement']:.1e} (aim 1e-10).\n")
    limits = found["limits"] = measured_limits(device, quick=asked.quick)
    print("Limits: " + ", ".join(f"{name} {value:.3g}" for name, value in limits.items()) + ".\n")
    contenders = {
        "deltaprop": lambda work: ours(work, "float32"),
        "deltaprop, TF32": lambda work: with_tf32(lambda: ours(work, "float32")),
        "deltaprop, bfloat16": lambda work: ours(work, "bfloat16"),
        "PyTorch eager": lambda work: eager(work, device),
        "torch.compile": lambda work: eager(work, device, compiled=True),
        "PyTorch graphed": lambda work: graphed(work, device),
    }
    print(f"| row | widths | batch | {' | '.join(contenders)} | rows a second | of the limit |")
    print(f"|{' --- |' * (len(contenders) + 5)}")
    found["rows"] = {}
    for whole in ROWS:
        work = small(whole) if asked.quick else whole
        times = {
            name: measured(make, work, device, quick=asked.quick)
            for name, make in contenders.items()
            if not left_out(name, work, device, quick=asked.quick)
        }
        found["rows"][work.name] = times
        own = times["deltaprop"]
        cells = [f"{times[name] * 1e6:,.1f}" if name in times else "-" for name in contenders]
        share = least_time(work, limits) / own
        widths = "-".join(map(str, work.widths))
        print(f"| {work.name} | {widths} | {work.batch:,} | {' | '.join(cells)} "
              f"| {work.batch / own:,.0f} | {share:.0%} |", flush=True)  # fmt: skip
    found["seconds"] = time.perf_counter() - began
    print(f"\nAll of it took {found['seconds']:.0f} s.")
    if asked.out:
        Path(asked.out).write_text(json.dumps(found, indent=1), encoding="utf-8")


def name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU tensors"


def small(work: Workload) -> Workload:
    """Return a row that a CPU does in no time: the same depth."""
    widths = tuple(min(width, 32) for width in work.widths)
    return Workload(work.name, widths, min(work.batch, 256), 3)


def left_out(name: str, work: Workload, device: torch.device, *, quick: bool) -> bool:
    if name == "PyTorch graphed":
        return device.type != "cuda"
    return name == "torch.compile" and (quick or work.name not in COMPILED)


def measured(
    make: Callable[[Workload], Callable[[], int]],
    work: Workload,
    device: torch.device,
    *,
    quick: bool,
) -> float:
    """Return the seconds of a step: of as many runs as there is time for, the median."""
    run = make(work)
    run()  # whatever is made at the first use
    times: list[float] = []
    end = time.perf_counter() + (0.01 if quick else SECONDS)
    while not times or time.perf_counter() < end:
        synchronize(device)
        began = time.perf_counter()
        steps = run()
        synchronize(device)
        times.append((time.perf_counter() - began) / steps)
    return float(np.median(times))


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ours(work: Workload, dtype: str) -> Callable[[], int]:
    """Return what runs an epoch of the torch engine and says how many steps it had."""
    X, y = work.data()
    network = dp.Network(work.widths, "relu")
    problem = Problem(network, X, y, None, dp.Adam(1e-3), work.batch, dtype, None)
    run = ENGINES["torch"].start(problem, network.init(np.random.default_rng(0)))
    plan = EpochPlan(np.arange(len(X)), None, np.full(work.steps, 1e-3), lambda _done: False)
    return lambda: run.epoch(plan).n_steps


def with_tf32(make: Callable[[], Callable[[], int]]) -> Callable[[], int]:
    """Return the same with float32 products that may take TF32."""

    def allowed(work: Callable[[], Any]) -> Any:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("high")
        try:
            return work()
        finally:
            torch.set_float32_matmul_precision(before)

    run = allowed(make)
    return lambda: allowed(run)


def model_of(work: Workload, device: torch.device) -> torch.nn.Module:
    layers: list[torch.nn.Module] = []
    for n_in, n_out in zip(work.widths, work.widths[1:], strict=False):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).to(device)


def eager(work: Workload, device: torch.device, *, compiled: bool = False) -> Callable[[], int]:
    X, y = (torch.from_numpy(array).to(device) for array in work.data())
    model = model_of(work, device)
    called = torch.compile(model) if compiled else model
    rule = torch.optim.Adam(model.parameters(), fused=device.type == "cuda")
    loss = torch.nn.CrossEntropyLoss()

    def epoch() -> int:
        for start in range(0, len(X), work.batch):
            rule.zero_grad(set_to_none=True)
            loss(called(X[start : start + work.batch]), y[start : start + work.batch]).backward()
            rule.step()
        return work.steps

    return epoch


def graphed(work: Workload, device: torch.device) -> Callable[[], int]:
    """Return PyTorch's own step as one CUDA graph, as its documentation captures one."""
    X, y = (torch.from_numpy(array).to(device) for array in work.data())
    model, loss = model_of(work, device), torch.nn.CrossEntropyLoss()
    rule = torch.optim.Adam(model.parameters(), fused=True, capturable=True)
    x, t = X[: work.batch].clone(), y[: work.batch].clone()

    def step() -> None:
        rule.zero_grad(set_to_none=True)
        loss(model(x), t).backward()
        rule.step()

    aside = torch.cuda.Stream(device)
    aside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream(device).wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def epoch() -> int:
        for start in range(0, len(X), work.batch):
            x.copy_(X[start : start + work.batch])
            t.copy_(y[start : start + work.batch])
            graph.replay()
        return work.steps

    return epoch


def measured_limits(device: torch.device, *, quick: bool) -> dict[str, float]:
    """Return what the device reaches: operations a second of products, bytes a second of a copy."""
    n = 256 if quick or device.type == "cpu" else 8192
    limits = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a = torch.randn(n, n, device=device).to(dtype)
        limits[name] = 2 * n**3 / fastest(lambda a=a: a @ a, device)
    size = 2**22 if quick or device.type == "cpu" else 2**30
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    to = torch.empty_like(source)
    limits["bytes"] = 2 * size / fastest(lambda: to.copy_(source), device)
    return limits


def fastest(work: Callable[[], Any], device: torch.device) -> float:
    times = []
    for _ in range(10):
        synchronize(device)
        began = time.perf_counter()
        work()
        synchronize(device)
        times.append(time.perf_counter() - began)
    return min(times)


def least_time(work: Workload, limits: dict[str, float]) -> float:
    """Return the seconds that products and memory leave a step at least.

    Read once: the rows and the weights with both moments; written once: the weights and moments.
    """
    pairs = zip(work.widths, work.widths[1:], strict=False)
    weights = sum((n_in + 1) * n_out for n_in, n_out in pairs)
    moved = 4 * (work.batch * work.widths[0] + 6 * weights)
    return max(work.flop / limits["float32"], moved / limits["bytes"])


def agreement(most: int) -> float:
    """Return by how much parameters and losses are off the reference's, in float64, at most."""
    worst, rng = 0.0, np.random.default_rng(0)
    X = rng.normal(size=(70, 6))
    networks = [dp.Network([6, 9, 8, 3], name) for name in [*ACTIVATIONS][:most]]
    networks += [
        dp.Network([6, 9, 3], "tanh", name, l2=0.01, dropout=0.2)
        for name, row in [*LOSSES.items()][:most]
        if row.targets in ("distribution", "real")
    ]
    for network in networks:
        targets = rng.integers(3, size=70)
        y = targets if network.loss.targets == "distribution" else rng.normal(size=(70, 3))
        ends = []
        for engine in ("reference", "torch"):
            parameters = network.init(np.random.default_rng(1))
            history = dp.train(
                network, parameters, X, y, engine=engine, dtype="float64", epochs=3, batch_size=16
            )
            ends.append(np.append(parameters.flat, history.loss))
        worst = max(worst, float(np.abs(ends[0] - ends[1]).max()))
    return worst


if __name__ == "__main__":
    main()
