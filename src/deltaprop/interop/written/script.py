"""A network as a script of NumPy or PyTorch alone that runs as it is."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.expressions import (
    Call,
    Comparison,
    Expression,
    Matrix,
    MatrixProduct,
    Number,
    Power,
    Product,
    Quotient,
    Reduced,
    Sum,
    Transposed,
    matrices,
)
from deltaprop.interop.forward import Stage
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["SCRIPTS"]

Array = npt.NDArray[np.float64]
_WRITTEN_OUT = 2000  # numbers of an array; more are packed, for nobody reads them
_ADDED, _MULTIPLIED, _RAISED = 1, 2, 3


@dataclass(frozen=True)
class _Dialect:
    """How a library says what NumPy says; ``functions`` are those that it has by another name."""

    library: str
    functions: Mapping[str, str]
    reductions: Mapping[str, str]
    joined: str
    transposed: str = "{}.T"
    power: str = "{} ** {}"


_NUMPY = _Dialect(
    "np",
    {
        **{name: f"np.{name}" for name in ("exp", "log", "log1p", "expm1", "tanh", "sqrt")},
        "abs": "np.abs", "max": "np.maximum", "cos": "np.cos", "sin": "np.sin",
        "erf": "np.vectorize(math.erf)", "Phi": "normal_cdf",
    },
    {
        "sum": "{}.sum(axis=0, keepdims=True)", "total": "{}.sum(axis=1, keepdims=True)",
        "mean": "{}.mean(axis=1, keepdims=True)", "largest": "{}.max(axis=1, keepdims=True)",
    },
    "np.concatenate([{}], axis=1)",
)  # fmt: skip
_TORCH = _Dialect(
    "torch",
    {
        **{name: f"torch.{name}" for name in ("exp", "log", "log1p", "expm1", "tanh", "sqrt")},
        "abs": "torch.abs", "max": "maximum", "cos": "torch.cos", "sin": "torch.sin",
        "erf": "torch.erf", "Phi": "torch.special.ndtr",
    },
    {
        "sum": "{}.sum(dim=0, keepdim=True)", "total": "{}.sum(dim=1, keepdim=True)",
        "mean": "{}.mean(dim=1, keepdim=True)", "largest": "{}.amax(dim=1, keepdim=True)",
    },
    "torch.cat([{}], dim=1)",
)  # fmt: skip


def _numpy_script(network: Network, parameters: Parameters, stages: list[Stage]) -> str:
    arrays = [f"{name} = {_literal(array, 'np')}" for name, array in _arrays(parameters)]
    lines = _lines(stages, _NUMPY)
    text = f'''"""{_title(network)} It needs NumPy alone."""

import base64
import math
import sys

import numpy as np

{_joined(arrays)}

def normal_cdf(z):
    return 0.5 * np.vectorize(math.erfc)(-z / math.sqrt(2))


def predict(x):
    """Return the {network.n_out} outputs of rows x of {network.n_in} numbers."""
    x = np.asarray(x, dtype=np.float64)
{_joined("    " + line for line in lines)}    return p


if __name__ == "__main__":
    for line in sys.stdin:
        print(*predict([[float(word) for word in line.split(",")]])[0].tolist(), sep=",")
'''
    return _without_unused(text)


def _torch_script(network: Network, parameters: Parameters, stages: list[Stage]) -> str:
    arrays = [
        f"self.{name} = torch.nn.Parameter({_literal(array, 'torch')})"
        for name, array in _arrays(parameters)
    ]
    names = [name for name, _ in _arrays(parameters)]
    lines = [
        re.sub(rf"\b({'|'.join(names)})\b" if names else "(?!)", r"self.\1", line)
        for line in _lines(stages, _TORCH)
    ]
    logits = f"z{len(network.computing_layers)}"
    at = 1 + [stage.name for stage in stages].index(logits)
    text = f'''"""{_title(network)} It needs PyTorch alone."""

import base64
import sys

import torch


def maximum(x, y):
    return torch.maximum(torch.as_tensor(x), torch.as_tensor(y))


class Model(torch.nn.Module):
    """{network.n_in} numbers a row in, {network.n_out} outputs a row out."""

    def __init__(self):
        super().__init__()
{_joined("        " + line for line in arrays)}
    def logits(self, x):
        """Return what the output is made of: what a loss of PyTorch takes."""
{_joined("        " + line for line in lines[:at])}        return {logits}

    def forward(self, x):
        {logits} = self.logits(x)
{_joined("        " + line for line in lines[at:])}        return p


if __name__ == "__main__":
    model = Model()
    for line in sys.stdin:
        x = torch.tensor([[float(word) for word in line.split(",")]], dtype=torch.float64)
        with torch.no_grad():
            print(*model(x)[0].tolist(), sep=",")
'''
    return _without_unused(text)


# what makes a script of a network
SCRIPTS: dict[str, Callable[[Network, Parameters, list[Stage]], str]] = {
    "numpy": _numpy_script,
    "torch": _torch_script,
}


def _title(network: Network) -> str:
    sizes = "-".join(map(str, network.sizes))
    return f"A network {sizes}, {network.loss_name}, written by deltaprop {__version__}."


def _arrays(parameters: Parameters) -> list[tuple[str, Array]]:
    """Return the arrays by the names that stages have for them."""
    return [
        (f"{name}{number}", array)
        for number, layer in enumerate(parameters.layers, 1)
        for name, array in layer.items()
    ]


def _literal(array: Array, library: str) -> str:
    made = "np.array({})" if library == "np" else "torch.tensor({}, dtype=torch.float64)"
    if array.size <= _WRITTEN_OUT:
        rows = array.tolist() if array.ndim > 1 else [array.tolist()]
        text = ",\n    ".join(map(repr, rows))
        return made.format(f"[\n    {text},\n]" if array.ndim > 1 else text)
    packed = base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()
    given = f'base64.b64decode("{packed}")'
    if library == "np":
        return f'np.frombuffer({given}, "<f8").reshape{array.shape}'
    return f"torch.frombuffer(bytearray({given}), dtype=torch.float64).reshape{array.shape}"


def _lines(stages: list[Stage], dialect: _Dialect) -> list[str]:
    lines = []
    for stage in stages:
        parts = [_written(part.tree, dialect, 0) for part in stage.parts]
        whole = parts[0] if len(parts) == 1 else dialect.joined.format(", ".join(parts))
        lines.append(f"{stage.name} = {whole}")
    return lines


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _without_unused(text: str) -> str:
    """Leave out imports and functions that nothing of a script uses."""
    for name in ("normal_cdf", "maximum"):
        if text.count(f"{name}(") == 1:
            text = re.sub(rf"def {name}\(.*\n    return .*\n\n\n", "", text)
    for module in ("base64", "math"):
        if f"{module}." not in text.replace(f"import {module}", ""):
            text = text.replace(f"import {module}\n", "")
    return text


def _written(tree: Expression, dialect: _Dialect, around: int) -> str:
    """Return a tree as Python, in parentheses where what stands around it binds more strongly."""

    def part(inner: Expression, binding: int) -> str:
        return _written(inner, dialect, binding)

    match tree:
        case Number(text=text):
            return text
        case Call() if not matrices(tree):
            return repr(evaluate(tree))
        case Matrix():
            return _placed(tree)
        case Sum(terms=terms, signs=signs):
            first, *others = zip(terms, signs, strict=True)
            text = ("-" if first[1] < 0 else "") + part(
                first[0], _MULTIPLIED if first[1] < 0 else _ADDED
            )
            for term, sign in others:
                text += f" {'+' if sign > 0 else '-'} {part(term, _MULTIPLIED)}"
            return f"({text})" if around > 0 else text
        case Product(factors=factors):
            text = " * ".join(
                [part(factors[0], _MULTIPLIED), *(part(f, _RAISED) for f in factors[1:])]
            )
            return f"({text})" if around >= _RAISED else text
        case Quotient(above=above, below=below):
            text = f"{part(above, _MULTIPLIED)} / {part(below, _RAISED)}"
            return f"({text})" if around >= _RAISED else text
        case MatrixProduct(left=left, right=right):
            text = f"{part(left, _MULTIPLIED)} @ {part(right, _RAISED)}"
            return f"({text})" if around >= _RAISED else text
        case Power(base=base, exponent=exponent):
            text = f"{part(base, _RAISED)} ** {part(exponent, _RAISED)}"
            return f"({text})" if around >= _RAISED else text
        case Comparison(left=left, relation=relation, right=right):
            return f"(1.0 * ({part(left, _ADDED)} {relation} {part(right, _ADDED)}))"
        case Call(name="max", arguments=(first, *more)):
            text = part(first, 0)
            for argument in more:
                text = f"{dialect.functions['max']}({text}, {part(argument, 0)})"
            return text
        case Call(name=name, arguments=arguments):
            return f"{dialect.functions[name]}({', '.join(part(a, 0) for a in arguments)})"
        case Transposed(of=inner):
            return dialect.transposed.format(part(inner, _RAISED))
        case Reduced(name=name, of=inner):
            return dialect.reductions[name].format(part(inner, _RAISED))
        case _:
            raise TypeError(f"{tree!r} is in no formula of arrays.")


def _placed(matrix: Matrix) -> str:
    """Return an array, or some of its columns or rows."""
    return matrix.id if not matrix.part else f"{matrix.id}[{matrix.part}]"
