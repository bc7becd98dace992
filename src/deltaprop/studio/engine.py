"""The engine of the page: the kernels as WebAssembly, and what they are told of a network.

``make wasm`` builds ``page/engine.wasm`` from native/; a wheel has it. Where it was not built, the
page asks the server to compute.
"""

from __future__ import annotations

import base64
import gzip
from importlib.resources import files
from typing import Any

from deltaprop.engines.base import StepRule
from deltaprop.engines.native import NativeEngine
from deltaprop.errors import SettingError
from deltaprop.model.spec import Network

__all__ = ["NO_ENGINE", "description", "engine_bytes", "packed_engine"]

NO_ENGINE = (
    "This installation has no engine for the page (make wasm builds it): the server computes "
    "instead, and a page cannot be written to one file."
)


def engine_bytes() -> bytes | None:
    """Return the kernels as WebAssembly, or None where they were not built."""
    file = files(__package__) / "page" / "engine.wasm"
    return file.read_bytes() if file.is_file() else None


def packed_engine() -> str:
    """Return the kernels gzipped, as base64: what ``engineBytes`` of page/engine.js reads.

    Raises
    ------
    SettingError
        Where they were not built.
    """
    content = engine_bytes()
    if content is None:
        raise SettingError(NO_ENGINE)
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def description(
    network: Network,
    optimizer: StepRule,
    *,
    batch_size: int,
    seed: int = 0,
    shuffle: bool = True,
) -> dict[str, Any]:
    """Return what the engine of the page is told of a training, as JSON holds it.

    It is the argument of ``engine.create`` in page/engine.js; with the same seed the page visits
    the rows, and drops numbers, as ``train`` does. A seed is text: JavaScript's numbers end at
    2**53.

    Raises
    ------
    SettingError
        Where the kernels lack something of it, as an activation of one's own.
    """
    reason = NativeEngine().refusal(network, optimizer)
    if reason is not None:
        raise SettingError(f"The engine of the page has no {reason}; the server computes.")
    from deltaprop.engines.kernels import layer_keywords, network_keywords, rule_keywords

    layers = [layer_keywords(network, index) for index in range(len(network.computing_layers))]
    for layer in layers:
        layer["arrays"] = []
    for slot in network.layout.slots:
        layers[slot.layer]["arrays"].append([slot.name, list(slot.shape)])
    return {
        "layers": layers, **network_keywords(network), "rule": rule_keywords(optimizer),
        "batch_size": batch_size, "seed": str(seed), "shuffle": shuffle,
    }  # fmt: skip
