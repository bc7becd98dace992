"""Showing the work: from a trace to steps, from steps to a terminal."""

from __future__ import annotations

import sys
from inspect import Signature, signature
from types import ModuleType

from deltaprop.explain.examples import (
    EXAMPLES,
    WorkedExample,
    built_in_example,
    read_worked_example,
)
from deltaprop.explain.explanation import Explanation, Names, explain

__all__ = [
    "EXAMPLES",
    "Explanation",
    "Names",
    "WorkedExample",
    "built_in_example",
    "explain",
    "read_worked_example",
]


class _Room(ModuleType):
    """The package, callable as its function.

    Importing a subpackage binds its name in the parent. Whoever comes here by way of another
    room finds this package under ``dp.explain``, where the function was promised.
    """

    __call__ = staticmethod(explain)

    @property
    def __signature__(self) -> Signature:
        return signature(explain)


sys.modules[__name__].__class__ = _Room
