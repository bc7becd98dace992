"""x * c, x / c, x + c, x - c: columns scaled and shifted, by numbers or by what is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import fx, nn

from deltaprop.interop.chain import Columns, Own, Step, unreadable
from deltaprop.interop.modules.nodes import Constant, operation
from deltaprop.model.layers import Scaling

__all__ = ["ARITHMETIC", "columns"]

Array = npt.NDArray[np.float64]
_ADDED = {"add": 1.0, "iadd": 1.0, "sub": -1.0, "isub": -1.0}
_MULTIPLIED = {"mul", "imul", "multiply"}
_DIVIDED = {"truediv", "div", "itruediv", "divide"}
ARITHMETIC = {*_ADDED, *_MULTIPLIED, *_DIVIDED}


def columns(
    node: fx.Node,
    where: str,
    current: fx.Node,
    constants: Mapping[fx.Node, Constant],
    *,
    one_wide: bool,
) -> Step:
    """Return what a node does to the columns of ``current``.

    ``one_wide`` says that there is one column.

    Raises
    ------
    SettingError
        When it is nothing that a network has.
    """
    name, (left, right) = operation(node), _operands(node, where)
    first = left is current
    other = right if first else left
    constant = constants.get(other) if isinstance(other, fx.Node) else None
    given: Any = other if constant is None else constant.array
    if constant is None and not isinstance(given, int | float):
        raise unreadable(where, f"{other} is no number and no tensor of the module")
    value = np.squeeze(np.asarray(given, dtype=np.float64))
    if value.ndim > 1:
        raise unreadable(where, "it combines rows with a matrix, entry by entry")
    learnt = constant is not None and isinstance(constant.tensor, nn.Parameter)
    if learnt and value.ndim == 0 and not one_wide:
        raise unreadable(where, "several columns share the one number that it learns")
    if name in _DIVIDED:
        if not first or learnt or not value.all():
            raise unreadable(where, "it divides by 0, or by what it learns or reads")
        return Columns(where, 1.0 / value, 0.0)
    if name in _MULTIPLIED:
        if not learnt:
            return Columns(where, value, 0.0)
        assert constant is not None
        s = np.atleast_1d(value)
        return Own(where, Scaling(), {"s": s}, {"s": constant.source}, len(s))
    sign = _ADDED[name]
    if not learnt:
        return Columns(where, 1.0, sign * value) if first else Columns(where, sign, value)
    if sign < 0:
        raise unreadable(where, "it takes off what it learns")
    assert constant is not None
    return Columns(where, 1.0, np.atleast_1d(value), constant.source)


def _operands(node: fx.Node, where: str) -> tuple[Any, Any]:
    if node.kwargs or len(node.args) != 2:
        raise unreadable(where, "it has further settings")
    left, right = node.args
    if left is right:
        raise unreadable(where, "it takes the same numbers twice")
    return left, right
