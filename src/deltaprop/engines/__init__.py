"""Engines: what runs the steps. The reference is the oracle; faster ones must agree with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deltaprop.engines.base import Engine, StepRule
from deltaprop.engines.native import NativeEngine
from deltaprop.engines.reference import ReferenceEngine
from deltaprop.engines.torch import TorchEngine
from deltaprop.errors import EngineWarning, UnknownNameError, warn_user
from deltaprop.model.spec import Network

__all__ = ["ENGINES", "choose_engine", "engine_named", "precision_of"]

ENGINES: dict[str, Engine] = {
    engine.name: engine for engine in (ReferenceEngine(), NativeEngine(), TorchEngine())
}


def engine_named(name: str) -> Engine:
    """Return the engine called ``name``; "auto" is the fastest.

    UnknownNameError where there is none.
    """
    if name == "auto":
        return ENGINES["native"]
    if name not in ENGINES:
        raise UnknownNameError("engine", name, ["auto", *ENGINES])
    return ENGINES[name]


def choose_engine(name: str, network: Network, optimizer: StepRule) -> Engine:
    """Return the engine called ``name``, or the reference where that one lacks something.

    Parameters
    ----------
    name : str
        "auto", or a key of ``ENGINES``.
    network : Network
        Whose activations and loss it has to run.
    optimizer : StepRule
        Whose steps it has to take.

    Returns
    -------
    Engine
        With an ``EngineWarning`` where it is another one than was asked for: a user's own
        activation, loss or optimizer is run by the reference.

    Raises
    ------
    UnknownNameError
        When there is no such engine in this version.
    """
    engine = engine_named(name)
    reason = engine.refusal(network, optimizer)
    if reason is None:
        return engine
    warn_user(
        f"The {engine.name} engine has no {reason}; the reference engine runs it, more slowly.",
        EngineWarning,
    )
    return ENGINES["reference"]


def precision_of(
    name: str, networks: Sequence[Network], optimizer: StepRule
) -> type[np.float64 | np.float32]:
    """Return the type that the steps are computed in where float32 is asked for.

    To keep rows more precisely only takes memory: compiled code rounds them when it reads them.
    """
    engine = engine_named(name)
    refused = any(engine.refusal(network, optimizer) for network in networks)
    return np.float64 if refused or engine is ENGINES["reference"] else np.float32
