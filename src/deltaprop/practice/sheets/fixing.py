"""A run that does not learn, and what came of each change, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.practice.wording import wording_of
from deltaprop.widths import table_lines, text_width, wrap

if TYPE_CHECKING:
    from deltaprop.practice.exercises.fixing import FixTask
    from deltaprop.practice.exercises.runs import Run

__all__ = ["facts_of", "key", "sheet"]

_EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 300)
_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 60  # of the curve
_PICTURE = (33, 11)  # columns and rows of the picture of the classes


def sheet(task: FixTask, width: int) -> str:
    """Return the data, the set-up, how the loss went, and the changes to choose from."""
    words = wording_of(task.language)
    heading = words["fix heading"]
    lines = [heading, "─" * text_width(heading), "", *_picture(task), ""]
    for text in facts_of(task.run, task.language):
        lines += wrap(text, width)
    lines += ["", words["fix losses"], *_losses(task), "", *wrap(words["fix wanted"], width)]
    for place, fix in enumerate(task.choices):
        first, *more = wrap(fix.names[task.language], width - 6)
        lines += [f"   {chr(ord('a') + place)}  {first}", *(f"      {text}" for text in more)]
    return "\n".join([*lines, "", *_again(task, width)]) + "\n"


def key(task: FixTask, width: int) -> str:
    """Return what kept it from learning, and the loss at the end with each change."""
    words = wording_of(task.language)
    lines = wrap(words["fix answer"].format(fault=task.fault.names[task.language]), width)
    header = [words[f"fix {name}"] for name in ("change", "loss", "outcome")]
    rows = [["–", _number(task.run.loss), ""]]
    for place, fix in enumerate(task.choices):
        told = words["fix helps" if fix.name in task.helping else "fix is no help"]
        label = f"{chr(ord('a') + place)}  {fix.names[task.language]}"
        rows.append([label, _number(task.outcomes[fix.name]), told])
    lines += ["", *table_lines(header, rows, width, right=(1,))]
    return "\n".join([*lines, "", *_again(task, width)]) + "\n"


def _again(task: FixTask, width: int) -> list[str]:
    words = wording_of(task.language)
    made_by = words["made by"].format(version=__version__)
    return wrap(f"{words['fix again'].format(seed=task.seed)} ({made_by})", width)


def facts_of(run: Run, language: str) -> Iterator[str]:
    """Yield what is set up, and what can be seen before the first step."""
    words = wording_of(language)
    setup, first, start = run.setup, run.first, run.start()
    key = "fix network" if setup.hidden else "fix network without hidden"
    yield words[key].format(n=setup.hidden, f=setup.activation)
    yield words["fix settings"].format(rate=_number(setup.learning_rate), epochs=setup.epochs)
    yield words["fix inputs"].format(range=_range(run.rows[0], language))
    for layer, arrays in enumerate(start.layers, start=1):
        gradients = first.gradients.layers[layer - 1]
        facts = {
            "layer": layer,
            "W": _range(arrays["W"], language),
            "b": _range(arrays["b"], language),
            "a": _range(first.a[layer], language),
            "g": _number(float(np.abs(gradients["W"]).max())),
        }
        yield words["fix layer"].format(**facts)


def _range(values: npt.NDArray[np.float64], language: str) -> str:
    low, high = _number(float(values.min())), _number(float(values.max()))
    return low if low == high else wording_of(language)["fix range"].format(low=low, high=high)


def _number(value: float) -> str:
    return f"{value + 0.0:.3g}" if np.isfinite(value) else "∞"


def _losses(task: FixTask) -> Iterator[str]:
    """Yield the loss at some epochs, a small curve, and how many rows are right at the end."""
    words, losses = wording_of(task.language), task.run.trained[0]
    shown = [epoch for epoch in _EPOCHS if epoch < len(losses)]
    texts = [(str(epoch), _number(losses[epoch])) for epoch in shown]
    wide = [max(map(len, pair)) for pair in texts]
    for row, name in enumerate(("fix epoch", "fix L")):
        cells = (pair[row].rjust(w) for pair, w in zip(texts, wide, strict=True))
        label = words[name]
        yield f"  {label}{' ' * (8 - text_width(label))}{'  '.join(cells)}".rstrip()
    finite = np.nan_to_num(np.array(losses), posinf=max(v for v in losses if np.isfinite(v)))
    at = np.linspace(0, len(finite) - 1, min(_COLUMNS, len(finite))).round().astype(int)
    top = float(finite.max()) or 1.0
    places = np.minimum(finite[at] / top * len(_BARS), len(_BARS) - 1).astype(int)
    yield f"  {''.join(_BARS[place] for place in places)}"
    yield f"  {words['fix rows right'].format(right=task.run.n_right, count=len(task.run.rows[1]))}"


def _picture(task: FixTask) -> list[str]:
    """Return the classes as o and x, where their inputs lie."""
    (x, t), (columns, rows) = task.run.rows, _PICTURE
    low, high = x.min(axis=0), x.max(axis=0)
    at = ((x - low) / (high - low) * (np.array([columns, rows]) - 1)).round().astype(int)
    cells = [["·"] * columns for _ in range(rows)]
    for (column, row), target in zip(at, t[:, 0], strict=True):
        cells[rows - 1 - row][column] = "x" if target > 0.5 else "o"
    return ["  " + "".join(line) for line in cells]
