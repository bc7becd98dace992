"""The mathematics of a page whose network changes: equations, rows and symbols, as data.

``explaining/live`` works a step out from its program; here is what a program is put together from
(``page/program.js``), for whatever layers, activations, loss and optimizer are chosen in the page.
It is taken from the programs of small networks: nothing is said again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from deltaprop.explaining.document.outline import document
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.explanation import explain
from deltaprop.explaining.live.program import program
from deltaprop.explaining.live.symbols import templates
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.spec import Network
from deltaprop.notation.ids import PER_SAMPLE
from deltaprop.training.optimizers import OPTIMIZERS, GradientDescent, Optimizer

__all__ = ["MOST_LAYERS", "mathematics"]

MOST_LAYERS = 8  # that symbols are told of, the last one counted


@cache
def mathematics() -> dict[str, Any]:
    """Return what programs are put together from.

    ``layer`` has the equations of layer 2 of three, ``plain_z`` without a bias; ``losses``,
    ``functions`` and ``optimizers`` what is said of each; in those "{W}" is the array that is
    updated. ``symbols`` are those of ``templates`` of a network of ``MOST_LAYERS`` layers, a batch,
    and every state.
    """
    middle = program(_worked([2, 2, 2, 2], "cross_entropy", GradientDescent(0.1), l2=0.1, l1=0.1))
    plain = program(_worked([2, 2, 2], "cross_entropy", GradientDescent(0.1), bias=False))
    linear = program(
        _worked([2, 2, 2, 2], "cross_entropy", GradientDescent(0.1), hidden="identity")
    )
    functions: dict[str, Any] = {}
    for name in ACTIVATIONS:
        own = program(_worked([2, 2, 2], "cross_entropy", GradientDescent(0.1), hidden=name))
        functions |= own["functions"]
    losses = {}
    for name, row in LOSSES.items():
        if row.targets != "count":
            own = program(_worked([2, 2], name, GradientDescent(0.1)))
            losses[name], functions = own["loss"], functions | own["functions"]
    return {
        "layer": {
            "z": _tree(middle["forward"], "z.2"),
            "plain_z": _tree(plain["forward"], "z.2"),
            "a": _tree(middle["forward"], "a.2"),
            "delta": _tree(middle["backward"], "delta.2"),
            "linear_delta": _tree(linear["backward"], "delta.2"),
            "dx": _tree(middle["backward"], "dx"),
            "dW": _tree(middle["gradients"], "data_dW.2"),
            "db": _tree(middle["gradients"], "db.2"),
        },
        "functions": functions,
        "kinks": {name: list(row.kinks) for name, row in ACTIVATIONS.items() if row.kinks},
        "losses": losses,
        "optimizers": dict(_optimizers()),
        "erfc": middle["erfc"],
        "written": middle["written"],
        "symbols": _symbols(),
        "perSample": sorted(PER_SAMPLE),
    }


def _worked(
    sizes: list[int],
    loss: str,
    optimizer: Optimizer,
    *,
    hidden: str = "tanh",
    bias: bool = True,
    l2: float = 0.0,
    l1: float = 0.0,
) -> WorkedStep:
    """Return a step of two samples of a small network: of its numbers nothing is used."""
    network = Network(sizes, hidden, loss, l2=l2, l1=l1, bias=bias)
    targets = np.full((2, sizes[-1]), 1 / sizes[-1])
    x = np.array([[0.5, 0.25], [0.25, -0.5]])
    parameters = network.init(np.random.default_rng(0))
    return explain(network, parameters, x, targets, optimizer=optimizer)


def _tree(assignments: list[Any], to: str) -> Any:
    (tree,) = (tree for name, _, _, _, tree in assignments if name == to)
    return tree


def _optimizers() -> Iterator[tuple[str, Any]]:
    """Yield how each optimizer that moves numbers one by one updates weights, and biases."""
    for name, cls in OPTIMIZERS.items():
        if hasattr(cls, "step_on"):
            continue
        own = program(_worked([2, 2, 2], "cross_entropy", cls(0.1)))
        states = [key.removesuffix("_W.2") for key in own["given"] if key.endswith("_W.2")]
        parts = {}
        for kind, array in (("weights", "W.2"), ("biases", "b.2")):
            steps = [[to, tree] for to, _, _, _, tree in own["update"] if array in to]
            parts[kind] = json.loads(json.dumps(steps).replace(array, "{W}"))
        yield name, {"states": states, "counts": "t" in own["given"], **parts}


def _symbols() -> dict[str, tuple[str, int, int, bool]]:
    """Return the symbol of every array that there can be."""
    found: dict[str, tuple[str, int, int, bool]] = {}
    for cls in OPTIMIZERS.values():
        if hasattr(cls, "step_on"):
            continue
        worked = _worked([2] * (MOST_LAYERS + 1), "cross_entropy", cls(0.1), l2=0.1, l1=0.1)
        found |= templates(document(worked, Style(detail="overview")), program(worked))
    return found
