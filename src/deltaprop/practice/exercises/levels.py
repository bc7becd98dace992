"""The levels of practice: what network an exercise has, and which of its numbers are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deltaprop.errors import SettingError

__all__ = ["LEVELS", "Level", "level_of"]


@dataclass(frozen=True)
class Level:
    """What the exercises of one level have in common.

    Attributes
    ----------
    number : int
        From 1, the easiest.
    names : mapping
        What an exercise is about, by language.
    sizes : tuple of int
        The widths, inputs first.
    asked : tuple of str
        The quantities to find, as keys of ``claims``, in the order they are worked out.
    told : tuple of str
        Quantities that are worked out but given, as a help or to check oneself by.
    hidden : tuple of str
        The activations of hidden layers that an exercise chooses one from.
    losses : tuple of str
        The losses that it chooses one from.
    bias : bool
        Whether neurons have biases.
    n_samples : int
        Rows of the batch.
    l2 : bool
        Whether weights are penalized.
    least_digits : int
        Significant digits that an answer needs.
    drawn_as : int
        The number that its exercises are drawn by, its own when 0: a level that finds another place
        among the levels keeps its exercises.
    """

    number: int
    names: Mapping[str, str] = field(hash=False)
    sizes: tuple[int, ...]
    asked: tuple[str, ...]
    told: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ("identity",)
    losses: tuple[str, ...] = ("half_squared_error",)
    bias: bool = True
    n_samples: int = 1
    l2: bool = False
    least_digits: int = 3
    drawn_as: int = 0


def _level(
    number: int, en: str, zh: str, sizes: tuple[int, ...], asked: str, told: str = "", **how: Any
) -> Level:
    names = {"en": en, "zh": zh}
    return Level(number, names, sizes, tuple(asked.split()), tuple(told.split()), **how)


# each asks more numbers than the one before
_ROWS = (
    _level(
        1, "one linear neuron", "一个线性神经元", (2, 1),
        "z.1 loss delta.1 dW.1 db.1 W.1.after b.1.after", "loss.after"),
    _level(
        2, "one sigmoid neuron", "一个 sigmoid 神经元", (2, 1),
        "z.1 a.1 loss delta.1 dW.1 db.1 W.1.after b.1.after", "loss.after",
        losses=("half_squared_error_sigmoid", "binary_cross_entropy"),
    ),
    _level(
        3, "two linear layers", "两个线性层", (2, 2, 1),
        "z.1 z.2 loss delta.2 dW.2 delta.1 dW.1 W.2.after W.1.after", "loss.after",
        bias=False,
    ),
    _level(
        4, "a curved hidden layer", "带非线性激活的隐藏层", (2, 2, 1),
        "a.1 z.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.1.after b.1.after", "z.1",
        hidden=("relu", "tanh", "sigmoid"),
    ),
    _level(
        5, "softmax of three scores", "三个得分的 softmax", (2, 3),
        "z.1 a.1 loss delta.1 dW.1 db.1 W.1.after", "b.1.after loss.after",
        losses=("cross_entropy",),
    ),
    _level(
        6, "a penalty on the weights", "对权重的惩罚项", (2, 2, 1),
        "z.1 a.1 z.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.2.after W.1.after b.1.after",
        hidden=("relu", "tanh"), l2=True, drawn_as=8,
    ),
    _level(
        7, "a batch of two samples", "一批两个样本", (2, 2, 1),
        "z.1 a.1 z.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.1.after b.1.after",
        hidden=("relu",), n_samples=2,
    ),
    _level(
        8, "a hidden layer and softmax", "一个隐藏层加 softmax", (2, 2, 3),
        "z.1 a.1 z.2 a.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.1.after", "loss.after",
        hidden=("relu", "tanh"), losses=("cross_entropy",), drawn_as=6,
    ),
    _level(
        9, "two hidden layers and softmax", "两个隐藏层加 softmax", (2, 2, 2, 3),
        "z.1 a.1 z.2 a.2 z.3 a.3 loss delta.3 dW.3 db.3 delta.2 dW.2 db.2 delta.1 dW.1 db.1 "
        "W.3.after W.2.after W.1.after b.1.after", "loss.after",
        hidden=("relu", "tanh", "sigmoid"), losses=("cross_entropy",),
    ),
)  # fmt: skip

LEVELS: dict[int, Level] = {row.number: row for row in _ROWS}


def level_of(number: object) -> Level:
    """Return the level with a number.

    Raises
    ------
    SettingError
        When there is none.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number not in LEVELS:
        raise SettingError(f"level is {number!r}; it is from {min(LEVELS)} to {max(LEVELS)}.")
    return LEVELS[number]
