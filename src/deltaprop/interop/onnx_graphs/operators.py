"""The operators of ONNX between layers, as functions of arrays (n, width), in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.functional.activations import sigmoid, softplus
from deltaprop.functional.normal import gaussian_cdf

__all__ = ["JOINING", "OPERATORS"]

Array = npt.NDArray[Any]


def _elu(z: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0)))


def _selu(
    z: Array, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875
) -> Array:
    return gamma * _elu(z, alpha)


def _celu(z: Array, alpha: float = 1.0) -> Array:
    return np.maximum(z, 0.0) + np.minimum(0.0, alpha * np.expm1(np.minimum(z / alpha, 0.0)))


def _gelu(z: Array, approximate: str = "none") -> Array:
    if approximate == "tanh":
        return 0.5 * z * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (z + 0.044715 * z**3)))
    return z * gaussian_cdf(z)


def _clip(z: Array, min: Any = None, max: Any = None) -> Array:  # noqa: A002 - as ONNX calls them
    low = -np.inf if min is None else min
    high = np.inf if max is None else max
    return np.minimum(np.maximum(z, low), high)


def _reduced(function: Callable[..., Array]) -> Callable[[Array], Array]:
    return lambda z: function(z, axis=1, keepdims=True)


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _log_softmax(z: Array) -> Array:
    below = z - z.max(axis=1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=1, keepdims=True)))


def _log_sum(z: Array) -> Array:
    largest = z.max(axis=1, keepdims=True)
    return np.asarray(largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True)))


# what makes one number of a row
JOINING = {
    "ReduceMean": _reduced(np.mean),
    "ReduceSum": _reduced(np.sum),
    "ReduceMax": _reduced(np.max),
    "ReduceSumSquare": _reduced(lambda z, **kept: np.sum(np.square(z), **kept)),
    "ReduceL2": _reduced(lambda z, **kept: np.sqrt(np.sum(np.square(z), **kept))),
    "ReduceLogSumExp": _log_sum,
}

OPERATORS: dict[str, Callable[..., Array]] = {
    **JOINING,
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
    "Abs": np.abs, "Neg": np.negative, "Exp": np.exp, "Log": np.log, "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal, "Tanh": np.tanh, "Sin": np.sin, "Cos": np.cos, "Tan": np.tan,
    "Sinh": np.sinh, "Cosh": np.cosh, "Atan": np.arctan, "Asinh": np.arcsinh, "Sign": np.sign,
    "Erf": np.vectorize(math.erf, otypes=[np.float64]),
    "Sigmoid": sigmoid,
    "Softplus": softplus,
    "Softsign": lambda z: z / (1.0 + np.abs(z)),
    "Relu": lambda z: np.maximum(z, 0.0),
    "LeakyRelu": lambda z, alpha=0.01: np.where(z > 0, z, alpha * z),
    "PRelu": lambda z, slope: np.where(z > 0, z, slope * z),
    "ThresholdedRelu": lambda z, alpha=1.0: np.where(z > alpha, z, 0.0),
    "Elu": _elu, "Selu": _selu, "Celu": _celu, "Gelu": _gelu,
    "Mish": lambda z: z * np.tanh(softplus(z)),
    "Swish": lambda z, alpha=1.0: z * sigmoid(alpha * z),
    "HardSigmoid": lambda z, alpha=0.2, beta=0.5: np.clip(alpha * z + beta, 0.0, 1.0),
    "HardSwish": lambda z: z * np.clip(z / 6.0 + 0.5, 0.0, 1.0),
    "Shrink": lambda z, bias=0.0, lambd=0.5: np.where(
        z > lambd, z - bias, np.where(z < -lambd, z + bias, 0.0)
    ),
    "Clip": _clip,
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power,
    "Min": lambda *z: reduce(np.minimum, z),
    "Max": lambda *z: reduce(np.maximum, z),
    "Sum": lambda *z: reduce(np.add, z),
    "Mean": lambda *z: reduce(np.add, z) / len(z),
    "Greater": np.greater, "GreaterOrEqual": np.greater_equal, "Less": np.less,
    "LessOrEqual": np.less_equal, "Equal": np.equal, "And": np.logical_and, "Or": np.logical_or,
    "Not": np.logical_not, "Where": np.where,
    "Truth": lambda z: np.asarray(z, dtype=np.float64),
}  # fmt: skip
