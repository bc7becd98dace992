"""Engines: what runs the steps. The reference is the oracle; faster ones must agree with it."""

from __future__ import annotations

from deltaprop.engines.base import Engine
from deltaprop.engines.reference import ReferenceEngine
from deltaprop.errors import UnknownNameError

__all__ = ["ENGINES", "choose_engine"]

ENGINES: dict[str, Engine] = {"reference": ReferenceEngine()}


def choose_engine(name: str) -> Engine:
    """Return the engine called ``name``; "auto" is the fastest that can do the work.

    Raises
    ------
    UnknownNameError
        When there is no such engine in this version.
    """
    if name == "auto":
        return ENGINES["reference"]
    if name not in ENGINES:
        raise UnknownNameError("engine", name, ["auto", *ENGINES])
    return ENGINES[name]
