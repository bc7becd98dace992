"""The symbols of a page as templates, one for each array: the script puts indices in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from deltaprop.explaining.document.blocks import Document
from deltaprop.model.layers import INTERMEDIATES
from deltaprop.notation.ids import PER_SAMPLE, Ref, grid, read_ref
from deltaprop.notation.mathml import symbol
from deltaprop.notation.symbols import symbol as parts_of

__all__ = ["templates"]


def templates(document: Document, program: dict[str, Any]) -> dict[str, tuple[str, int, int, bool]]:
    """Return for each array of a step's data a symbol with "{}" for its index.

    Beside it stands how many places of the index are left out in front (the sample's, where there
    is only one) and behind (of numbers that a row has once), and whether what is left is written
    the other way round. "loss[]" is the loss of a sample.
    Where single numbers have letters of their own, the symbol of each stands there by its id.
    """
    found = {}
    for name, shape in _arrays(program):
        array, depth = read_ref(name), len(shape)
        if document.naming.single:
            absent = program["absent"].get(name, ())
            for ref in grid(array.quantity, array.layer, shape, array.after, absent):
                found[ref.id] = _symbol(document, ref), 0, 0, False
        ref = Ref(array.quantity, array.layer, (0,) * depth, array.after)
        front = int(depth > 0 and ref.quantity in PER_SAMPLE and document.n_samples == 1)
        behind = int(ref.quantity in INTERMEDIATES and INTERMEDIATES[ref.quantity].per_row)
        written = _symbol(document, ref)
        shown = "1" * (depth - front - behind)
        key = f"{name}[]" if depth and ref.quantity == "loss" else name
        template = written.replace(f"<mn>{shown}</mn>", "<mn>{}</mn>", 1) if shown else written
        places = parts_of(replace(ref, index=tuple(range(depth))), 2, document.naming).index
        found[key] = template, front, behind, places != tuple(sorted(places))
    return found


def _symbol(document: Document, ref: Ref) -> str:
    return symbol(document.named(ref), document.n_samples, document.naming)


def _arrays(program: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the id of every array, and its shape."""
    n, k, last = program["n"], program["out"], program["layers"]
    for name, values in program["given"].items():
        yield name, tuple(values["shape"]) if isinstance(values, dict) else np.shape(values)
    for name, shape, *_ in (*program["forward"], *program["backward"]):
        yield name, tuple(shape)
        yield f"{name}.after", tuple(shape)
    for name, shape, *_ in (*program["gradients"], *program["update"]):
        yield name, tuple(shape)
        yield name.removeprefix("data_"), tuple(shape)
    for after in ("", ".after"):
        yield f"a.{last}{after}", (n, k)
        yield f"loss{after}", ()
        yield f"loss{after}", (n,)
        yield from ((f"{kind}_penalty{after}", ()) for kind in ("l2", "l1"))
    yield from ((f"{name}.{last}", (n, k)) for name in ("delta", "upstream", "sample_delta"))
    yield f"jacobian.{last}", (n, k, k)
    yield "smoothed_targets", (n, k)
