"""The explanation as data: every number, the arithmetic it comes from, and what that is made of."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltaprop._version import __version__
from deltaprop.explaining.as_example import example_of_step
from deltaprop.explaining.derivation.edges import added_at, edges_of
from deltaprop.explaining.document.blocks import Document
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.model.serialize import network_to_dict
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import PER_SAMPLE, array_of, read_ref
from deltaprop.notation.latex import equation_parts, latex_notation, latex_symbol
from deltaprop.notation.steps import DerivationStep, roots
from deltaprop.notation.write import Notation, write

__all__ = ["FORMAT", "diagram", "to_data", "write_document"]

FORMAT = "deltaprop-explanation/1"


def write_document(document: Document) -> str:
    """Return a document's numbers as JSON text; of a step in the format ``FORMAT``."""
    if document.data is not None:
        about = {"format": FORMAT, "version": __version__, **_example_of(document.worked)}
        return _text({**about, **document.data})
    if document.worked is not None:
        return _text(to_data(document, document.worked))
    lines = tuple(document.all_lines())
    return _text(
        {
            "format": FORMAT,
            "version": __version__,
            "title": document.title,
            "roots": _roots([line.step for line in lines]),
            "steps": [_step(line, document) for line in lines],
        }
    )


def _text(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n"


def to_data(document: Document, worked: WorkedStep) -> dict[str, Any]:
    """Return a step, and the document about its numbers, as plain data."""
    network, update = worked.trace.network, worked.update
    return {
        "format": FORMAT,
        "version": __version__,
        "title": document.title,
        "conventions": {
            "reduction": worked.reduction,
            "delta": "as written" if "delta" in worked.written.plain else "dL/dz",
            "written": list(worked.written.conventions.names),
            "recursion": "old weights",
            "relu_prime_at_0": 0,
            "penalties": "weights, not biases",
            "train_biases": update.train_biases,
            "learning_rate": update.learning_rate,
            "optimizer": getattr(update.rule, "name", "own"),
            "digits": document.style.digits,
            "sentences": list(document.conventions),
        },
        "network": network_to_dict(network),
        "names": {
            "inputs": list(worked.names.inputs),
            "outputs": list(worked.names.outputs),
        },
        "diagram": diagram(worked),
        **_example_of(worked),
        "roots": _roots(worked.steps),
        "steps": [_step(line, document) for line in document.all_lines()],
        "change": {
            "predicted": _finite(worked.predicted_change),
            "second_order": _finite(worked.second_order_change),
            "actual": _finite(worked.actual_change),
        },
    }


def _example_of(worked: WorkedStep | None) -> dict[str, Any]:
    """Return what an explanation is read back as: an example, where the format has room for it."""
    example = None if worked is None else example_of_step(worked)
    return {} if example is None else {"example": example}


def diagram(worked: WorkedStep) -> dict[str, Any]:
    """Return the network as nodes and edges with the ids of their numbers; those that are told.

    Returns
    -------
    dict
        ``layers``: per layer its width, activation and nodes, each with its neuron and the ids of
        its numbers in the first sample; ``edges``: from and to as (layer, neuron), weight and
        gradient by id.
    """
    trace, network = worked.trace, worked.trace.network
    described = {step.id for step in worked.steps} | roots(worked.steps).keys()
    functions = ["", *(row.name for row in network.activations), network.loss.output]
    layers = []
    for layer, width in enumerate(network.sizes):
        nodes = []
        for j in range(width):
            names = [f"x[0,{j}]"] if not layer else [
                f"{quantity}.{layer}[0,{j}]" for quantity in ("z", "a", "delta")
            ]  # fmt: skip
            added = added_at(trace, layer, j) if layer else None
            names += [added.id] if added is not None else []
            ids = [name for name in names if name in described]
            if ids:
                nodes.append({"neuron": j, "ids": ids})
        activation = functions[layer] if layer else None
        layers.append({"layer": layer, "width": width, "activation": activation, "nodes": nodes})
    edges = []
    for name in sorted(described, key=lambda name: read_ref(name).order()):
        ref = read_ref(name)
        if not array_of(ref.quantity) or ref.quantity.startswith("data_"):
            continue
        parameter = replace(ref, quantity=array_of(ref.quantity))
        edges += [
            {
                "from": [ref.layer - 1, i],
                "to": [ref.layer, j],
                "weight": parameter.id,
                "gradient": name,
            }
            for i, j in edges_of(trace, parameter)
        ]
    return {"layers": layers, "edges": edges, "samples": len(trace.a[0])}


def _step(line: Line, document: Document) -> dict[str, Any]:
    step = line.step
    notations = [
        latex_notation(
            line, symbols, document.naming, document.n_samples, document.words["more terms"]
        )
        for symbols in (True, False)
    ]
    symbol = latex_symbol(document.named(step.ref), document.n_samples, document.naming)
    data: dict[str, Any] = {
        "id": step.id,
        "phase": step.phase,
        "quantity": step.quantity,
        "layer": step.ref.layer,
        "index": list(step.ref.index),
        "latex": " ".join([symbol, *equation_parts(line, *notations)]),
        "expression": write(step.expression, Notation(line.text)),
        "shown": line.shown,
        "exact": line.exact,
        "value": _number(step.value),
        "from": [name for name in step.operands if name != step.id],
    }
    if step.quantity in PER_SAMPLE and step.ref.index:
        data["sample"], *rest = step.ref.index
        data["index"] = rest
    proof = document.proofs.get(step.id)
    if proof is not None:
        data["proof"] = {"verdict": proof.verdict}
        if proof.is_judged:
            data["proof"] |= {"measured": proof.measured, "relative_error": proof.error}
    return data


def _roots(steps: Sequence[DerivationStep]) -> dict[str, float | str]:
    return {name: _number(value) for name, value in roots(steps).items()}


def _finite(value: float) -> float | None:
    """Return a number; None where it is beyond all numbers."""
    return float(value) if math.isfinite(value) else None


def _number(value: float) -> float | str:
    """Return a number for JSON, which has none for infinity and NaN."""
    return float(value) if math.isfinite(value) else str(np.float64(value))
