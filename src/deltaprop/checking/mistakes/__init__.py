"""The named mistakes people make, each a mutant of the one right step.

A mistake replaces one or two of the ``RIGHT`` rules of ``checking.rules``. Each may come in several
variants. The referee must reject every one of them and name it, and marking must give a wrong
working its name.
"""

from deltaprop.checking.mistakes.common import COMMON
from deltaprop.checking.mistakes.entries import OF_ENTRIES
from deltaprop.checking.mistakes.further import FURTHER
from deltaprop.checking.mistakes.mistake import Mistake
from deltaprop.checking.mistakes.of_layers import OF_LAYERS
from deltaprop.checking.mistakes.of_steps import OF_STEPS
from deltaprop.checking.mistakes.operands import OF_OPERANDS
from deltaprop.functional.registry import Registry

__all__ = ["MISTAKES", "Mistake"]

MISTAKES: Registry[Mistake] = Registry(
    "mistake", (*COMMON, *FURTHER, *OF_LAYERS, *OF_OPERANDS, *OF_STEPS, *OF_ENTRIES)
)
