"""What is taken away from the studio: what its files say that only Python knows."""

from __future__ import annotations

from typing import Any

from deltaprop._version import __version__
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.functions import function_values
from deltaprop.model.sealed import FORMAT
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import OPTIMIZERS

__all__ = ["what_files_need"]


def what_files_need() -> dict[str, Any]:
    """Return the version, what Python calls optimizers, and how model files know functions."""
    functions: dict[str, list[float]] = {}
    for name in ACTIVATIONS:
        functions |= function_values(Network([2, 2, 2], name))
    for name in LOSSES:
        functions |= function_values(Network([2, 2], loss=name))
    return {
        "version": __version__,
        "rules": {name: cls.__name__ for name, cls in OPTIMIZERS.items()},
        "model": {"format": FORMAT, "functions": functions},
    }
