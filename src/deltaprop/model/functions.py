"""What the functions of a network come to at a few points: kept in its file, compared on loading.

A file names its loss and activations; somebody's own may be another function under the same name.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.model.spec import Network
from deltaprop.model.stored import Stored

__all__ = ["function_values", "other_function"]

_SIZES = np.array([0.3, 0.9, 2.1, 5.0, 17.0, 60.0, 1e3])
_Z = np.stack([_SIZES, -_SIZES], axis=1)
_TARGETS = np.tile([0.25, 0.75], (len(_SIZES), 1))  # what every kind of loss can learn from


def function_values(network: Network) -> dict[str, list[float]]:
    """Return value, delta and output of the loss, f and f' of each activation, at fixed points."""
    loss = network.loss
    with np.errstate(all="ignore"):
        found: dict[str, tuple[npt.NDArray[np.float64], ...]] = {
            f"loss {loss.name}": (
                loss.per_sample(_Z, _TARGETS),
                loss.delta_per_sample(_Z, _TARGETS),
                loss.predict(_Z),
            )
        }
        settings = [getattr(layer, i.name) for layer in network.layers for i in fields(layer)]  # type: ignore[arg-type]
        for name in ACTIVATIONS:
            if name in settings:
                row, z = ACTIVATIONS[name], _Z.ravel()
                a = row.f(z)
                found[f"activation {name}"] = (a, row.f_prime(z, a))
    return {name: _rounded(*arrays) for name, arrays in found.items()}


def _rounded(*arrays: npt.NDArray[np.float64]) -> list[float]:
    numbers = np.concatenate([np.ravel(array) for array in arrays])
    # what is beyond the floats is the largest of them, for JSON
    return [float(f"{x:.12g}") for x in np.clip(np.nan_to_num(numbers), -1e300, 1e300)]


def other_function(network: Network, values: object) -> str:
    """Return which function is not what its kept values say, "" where none is known to differ."""
    stored, here = Stored(values, "functions"), function_values(network)
    for name, numbers in here.items():
        if name in stored.values:
            kept = stored.numbers(name)
            if len(kept) != len(numbers) or not np.allclose(kept, numbers, rtol=1e-7, atol=1e-9):
                return name
    return ""
