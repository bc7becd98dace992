"""A worked example to begin with: tidy numbers, and comments that explain its keys."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.languages.names import called
from deltaprop.notation.languages import wording_in
from deltaprop.widths import text_width

__all__ = ["COMMENTS", "MOST_ROWS", "comments_of", "template"]

_MOST_NUMBERS = 2000  # of a page that somebody fills in by hand
MOST_ROWS = 100

COMMENTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "": (
            "A worked example of back-propagation. Change any number, then:\n"
            "  deltaprop explain FILE    shows the step with every number\n"
            "  deltaprop mark FILE       judges the numbers under claims"
        ),
        "title": "What it is called.",
        "layers": (
            "From the inputs to the outputs. W has a row for each number that comes in and a\n"
            "column for each neuron, b a bias for each neuron (null for a neuron that has none;\n"
            "leave b out where no neuron has one).\n"
            "activation:\n{activations}.\n"
            "The last layer needs none: the loss brings its output."
        ),
        "loss": "One of:\n{losses}.",
        "x": "A row of inputs for each sample.",
        "targets": "For each sample what the outputs should have been.",
        "learning_rate": "eta: how far the step goes against the gradient.",
        "optimizer": "The rule of the step; plain gradient descent where it is left out.",
        "claims": (
            "Your own working: what you have worked out, in place of null; what you leave null\n"
            "is not judged. Layers are counted by their W, from 1. z: before the activation,\n"
            "a: after it; delta: dL/dz; dW, db: the gradients; .after: with the new weights."
        ),
        "filled claims": (
            "What it comes to. Put the numbers that you have worked out in their place, and\n"
            "deltaprop mark FILE judges them. Layers are counted by their W, from 1. z: before\n"
            "the activation, a: after it; delta: dL/dz; dW, db: the gradients; .after: with the\n"
            "new weights."
        ),
    },
    "zh": {
        "": (
            "一个反向传播的算例。可以改动任何一个数，然后：\n"
            "  deltaprop explain FILE    逐个数字展示这一步\n"
            "  deltaprop mark FILE       批改 claims 下的数字"
        ),
        "title": "标题。",
        "layers": (
            "从输入到输出的各层。W 每行对应一个输入，每列对应一个神经元；\n"
            "b 是每个神经元的偏置（某个神经元没有偏置就写 null，整层都没有就不写 b）。\n"
            "activation（激活函数）：\n{activations}。\n"
            "最后一层不必写：输出由损失函数决定。"
        ),
        "loss": "损失函数，可选：\n{losses}。",
        "x": "每个样本一行输入。",
        "targets": "每个样本的目标输出。",
        "learning_rate": "学习率 η：沿梯度的反方向走多远。",
        "optimizer": "更新规则；不写就是普通的梯度下降。",
        "claims": (
            "你自己的计算：把算出的数写在 null 的位置；留作 null 的不批改。\n"
            "层按 W 从 1 数起。z：激活之前，a：激活之后；delta：dL/dz；dW、db：梯度；\n"
            ".after：用新权重算出的数。"
        ),
        "filled claims": (
            "计算结果。把你自己算出的数写在这里，deltaprop mark FILE 就会批改。\n"
            "层按 W 从 1 数起。z：激活之前，a：激活之后；delta：dL/dz；dW、db：梯度；\n"
            ".after：用新权重算出的数。"
        ),
    },
}


def comments_of(data: Mapping[str, Any], language: str = "en") -> dict[str, str]:
    """Return what stands above each key of an example in a YAML file; "" for the head."""
    words = wording_in(language, COMMENTS)
    known = {
        "activations": _wrapped(_named("activation", ACTIVATIONS, language)),
        "losses": _wrapped(_named("loss", LOSSES, language)),
    }
    said = {
        key: text.format(**known) if key in ("layers", "loss") else text
        for key, text in words.items()
    }
    filled = said.pop("filled claims")
    if data.get("claims") and any(map(_has_number, data["claims"].values())):
        said["claims"] = filled
    return said


def _named(kind: str, names: Iterable[str], language: str) -> Iterator[str]:
    """Yield names as they are typed, in other languages with what they are called."""
    for name in names:
        said = called(kind, name, language)
        yield name if said == name.replace("_", " ") else f"{name}（{said}）"


def _wrapped(names: Iterable[str]) -> str:
    """Return names in rows that are no wider than a page."""
    rows = [""]
    for name in names:
        piece = f"{name}, "
        if text_width(rows[-1] + piece) > 78:
            rows.append("")
        rows[-1] += piece
    return "\n".join(row.rstrip() for row in rows).rstrip(",")


def _has_number(value: object) -> bool:
    return any(map(_has_number, value)) if isinstance(value, list) else value is not None


def template(
    sizes: Sequence[int],
    activation: str = "tanh",
    loss: str = "half_squared_error",
    learning_rate: float = 0.1,
    n_rows: int = 1,
    *,
    bias: bool = True,
    seed: int = 0,
    title: str = "",
) -> dict[str, Any]:
    """Return a worked example with tidy numbers and open claims.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, widths of hidden layers, outputs.
    activation : str
        Of the hidden layers.
    loss : str
        A registered loss.
    learning_rate : float
        eta.
    n_rows : int
        Samples.
    bias : bool
        Whether layers have biases.
    seed : int
        Another one gives other numbers.
    title : str
        "A 2-3-1 network" where it is left out.

    Returns
    -------
    dict
        In the worked-example format.

    Raises
    ------
    SettingError
        When it would be no page of numbers.
    """
    widths = [int(size) for size in sizes]
    shown = ",".join(map(str, widths))
    if len(widths) < 2 or min(widths) < 1:
        raise SettingError(
            f"The sizes are {shown or 'none'}; expected at least two, inputs and outputs, with the "
            "widths of hidden layers between them, such as 2,3,1."
        )
    n_weights = sum(a * b for a, b in itertools.pairwise(widths))
    if n_weights > _MOST_NUMBERS:
        raise SettingError(
            f"A {'-'.join(map(str, widths))} network has {n_weights:,} weights; a worked example "
            f"has at most {_MOST_NUMBERS:,}."
        )
    if not 1 <= n_rows <= MOST_ROWS:
        raise SettingError(f"The rows are {n_rows}; from 1 to {MOST_ROWS} fit on a page.")
    f, row = ACTIVATIONS[activation], LOSSES[loss]
    rng = np.random.default_rng(seed)
    layers: list[dict[str, Any]] = []
    for k, (n_in, n_out) in enumerate(itertools.pairwise(widths), 1):
        layer: dict[str, Any] = {"W": _tidy(rng, n_in, n_out)}
        if bias:
            layer["b"] = _tidy(rng, 1, n_out)[0]
        if k < len(widths) - 1:
            layer["activation"] = f.name
        layers.append(layer)
    return {
        "title": title or f"A {'-'.join(map(str, widths))} network",
        "layers": layers,
        "loss": row.name,
        "x": (rng.integers(1, 5, (n_rows, widths[0])) / 2).tolist(),
        "targets": _targets(row.targets, n_rows, widths[-1]),
        "learning_rate": learning_rate,
        "claims": dict(_open_claims(layers, n_rows)),
    }


def _tidy(rng: np.random.Generator, n_in: int, n_out: int) -> list[list[float]]:
    """Return numbers with one decimal, from -0.9 to 0.9, none of them 0."""
    tenths = rng.integers(1, 10, (n_in, n_out)) * rng.choice([-1, 1], (n_in, n_out))
    values: list[list[float]] = (tenths / 10).tolist()
    return values


def _targets(kind: str, n_rows: int, n_out: int) -> list[list[float]]:
    """Return targets that the loss takes: of each row another output is on."""
    if n_out == 1:
        return [[1 if kind == "distribution" or s % 2 == 0 else 0] for s in range(n_rows)]
    return [[int(j == s % n_out) for j in range(n_out)] for s in range(n_rows)]


def _open_claims(layers: Sequence[Mapping[str, Any]], n_rows: int) -> Any:
    """Yield what may be claimed, with nothing claimed yet."""
    numbered = list(enumerate(layers, 1))

    def nothing(n: int, m: int) -> list[list[None]]:
        return [[None] * m for _ in range(n)]

    for k, layer in numbered:
        for quantity in ("z", "a"):
            yield f"{quantity}.{k}", nothing(n_rows, len(layer["W"][0]))
    yield "loss", None
    for k, layer in reversed(numbered):
        yield f"delta.{k}", nothing(n_rows, len(layer["W"][0]))
    for suffix, before in (("", "d"), (".after", "")):
        for k, layer in reversed(numbered):
            yield f"{before}W.{k}{suffix}", nothing(len(layer["W"]), len(layer["W"][0]))
            if "b" in layer:
                yield f"{before}b.{k}{suffix}", [None] * len(layer["b"])
    yield "loss.after", None
