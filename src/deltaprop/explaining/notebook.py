"""The explanation as a Jupyter notebook, and as a piece of HTML for ``_repr_html_``.

The notebook's markdown cells say what the other renderers say; its code cells work the step out
again with deltaprop and compare every displayed number. Both are read without a kernel.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import zlib
from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.explaining import markdown
from deltaprop.explaining.digits import Line, line_of
from deltaprop.explaining.latex import equation_rows, line_rows
from deltaprop.explaining.outline import Outline
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["render", "to_html_fragment"]

Array = npt.NDArray[np.float64]

_MOST_WRITTEN = 600  # numbers of an array that are written out; more are packed
_ROOM = 52.0  # em of a row in a notebook
_WIDE = 96  # columns of a line of code
_CHECK = '''\
def check(step, shown):
    """Compare displayed numbers with what deltaprop works out, to a unit in the last digit."""
    for name, text in shown.items():
        value = step.derivation.known(read_ref(name)).value
        digits, _, exponent = text.partition("e")
        places = len(digits.partition(".")[2]) - int(exponent or 0)
        same = str(value) == text or abs(value - float(text)) <= 1.001 * 10.0**-places
        assert same, f"{name} is {value!r}, but {text} is displayed."
    print(f"{len(shown)} numbers hold.")'''


def render(
    explanation: Explanation,
    digits: int = 6,
    language: str = "en",
    notation: str = "standard",
    detail: str | None = None,
) -> str:
    """Return the explanation as an .ipynb file, nbformat 4.5.

    Parameters
    ----------
    explanation : Explanation
        What to write down. An optimizer that is not deltaprop's own cannot be written into code:
        the new parameters are then given as numbers.
    digits : int
        Significant digits; a line whose rounding would break it shows more.
    language : {"en", "zh"}
        Of the words.
    notation : {"standard", "tutorial"}
        W of layer l with one number, or with the layers on both sides.
    detail : {"overview", "layers", "neurons"}, optional
        One altitude; all that fit when left out.

    Returns
    -------
    str
        JSON: cells without outputs, for a Python 3 kernel with deltaprop and NumPy.
    """
    book = _Book(Outline(explanation, digits, language, notation, detail))
    cells = []
    for number, (kind, text) in enumerate(book.cells()):
        name = hashlib.sha256(f"{number} {text}".encode()).hexdigest()[:12]
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": name,
            "metadata": {},
            "source": text.splitlines(keepends=True),
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    data = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "deltaprop": {"version": __version__},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


class _Book:
    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.explanation = outline.explanation
        self.words = outline.words

    def cells(self) -> Iterator[tuple[str, str]]:
        """Yield the cells: their kind and their text."""
        outline, words = self.outline, self.words
        page = markdown.Page(outline)
        sentences = [f"- {markdown.plain(sentence)}" for sentence in outline.conventions()]
        title = f"# {markdown.escaped(outline.title)}"
        yield "markdown", "\n".join([title, "", *sentences, "", words["notebook"]])
        yield "markdown", f"## {words['notebook given']}"
        yield "code", "\n".join(self._setup())
        yield "code", "\n".join(self._step())
        yield "code", _CHECK
        for name in outline.sections():
            yield "markdown", f"## {words[name]}"
            if name == "overview":
                yield "markdown", "\n".join(page.overview()).rstrip()
            elif name == "layers":
                yield from self._layers()
            else:
                yield from self._neurons()
        if outline.left_out:
            yield "markdown", outline.left_out
        promise = list(page.promise())
        if promise:
            yield "markdown", "\n".join(promise).rstrip()
            yield "code", "step.predicted_change, step.actual_change"

    def _setup(self) -> Iterator[str]:
        trace, network = self.explanation.trace, self.explanation.trace.network
        yield "import base64"
        yield "import zlib"
        yield ""
        yield "import numpy as np"
        yield "import deltaprop as dp"
        yield "from deltaprop.explaining.names import read_ref"
        yield ""
        yield "net = dp.Network.from_layers("
        yield f"    {network.n_in},"
        yield "    ["
        for layer in network.layers:
            if isinstance(layer, Dense):
                settings = f"{layer.n_out}, activation={layer.activation!r}, bias={layer.bias!r}"
                yield f"        dp.Dense({settings}),"
            else:
                yield f"        dp.Dropout({layer.drop_probability!r}),"
        yield "    ],"
        yield f"    loss={network.loss_name!r},"
        for setting in ("label_smoothing", "l2", "l1"):
            if getattr(network, setting):
                yield f"    {setting}={getattr(network, setting)!r},"
        yield ")"
        yield from self._parameters("params", trace.parameters.flat)
        yield f"x = {_array(trace.a[0])}"
        yield f"targets = {_array(trace.targets)}"

    def _parameters(self, name: str, flat: Array) -> Iterator[str]:
        """Yield code that makes parameters: W and b written out, or packed where they are many."""
        if flat.size > _MOST_WRITTEN or not np.all(np.isfinite(flat)):
            yield f"{name} = net.init(np.random.default_rng(0))"
            yield f"{name}.flat[:] = {_array(flat)}"
            return
        layers = Parameters(self.explanation.trace.network.layout, flat).layers
        yield f"{name} = net.parameters("
        for key in ("W", "b"):
            if any(key in arrays for arrays in layers):
                yield f"    {key}=["
                for arrays in layers:
                    yield f"        {arrays[key].tolist() if key in arrays else None},"
                yield "    ],"
        yield ")"

    def _step(self) -> Iterator[str]:
        update, reduction = self.explanation.update, self.explanation.reduction
        yield f"trace = dp.backpropagate(net, params, x, targets, reduction={reduction!r})"
        if self._is_known_rule():
            settings = [f"learning_rate={update.learning_rate!r}"]
            settings += [
                f"{item.name}={getattr(update.rule, item.name)!r}"
                for item in fields(update.rule)  # type: ignore[arg-type]
                if item.name != "learning_rate"
            ]
            rule = f"dp.{type(update.rule).__name__}({', '.join(settings)})"
        else:
            yield from ("", "", f"# {self.words['own rule']}")
            yield from self._parameters("after", update.after.parameters.flat)
            yield from _GIVEN_STEP.format(rate=repr(update.learning_rate)).splitlines()
            rule = "GivenStep()"
        yield "step = dp.explain("
        yield "    net,"
        yield "    params,"
        yield "    x,"
        yield "    targets,"
        yield f"    optimizer={rule},"
        yield f"    train_biases={update.train_biases!r},"
        yield f"    reduction={reduction!r},"
        yield ")"
        yield "trace.loss"

    def _is_known_rule(self) -> bool:
        return type(self.explanation.update.rule).__module__.partition(".")[0] == "deltaprop"

    def _layers(self) -> Iterator[tuple[str, str]]:
        for phase, group in self.outline.equations():
            formulas = _display(
                [equation_rows(equation, self.outline, _ROOM) for equation in group]
            )
            yield "markdown", f"### {markdown.plain(self.words[phase])}\n\n{formulas}"
            yield "code", _ARRAYS[phase]

    def _neurons(self) -> Iterator[tuple[str, str]]:
        outline = self.outline
        if outline.selected:
            yield "markdown", outline.selected
        for phase, lines in outline.lines():
            groups = groupby(lines, key=lambda line: (line.step.quantity, line.step.ref.layer))
            formulas = "\n\n".join(
                _display([line_rows(line, outline, room=_ROOM) for line in group])
                for _, group in groups
            )
            yield "markdown", f"### {markdown.plain(self.words[phase])}\n\n{formulas}"
            yield "code", "\n".join(self._check(lines))

    def _check(self, lines: list[Line]) -> Iterator[str]:
        yield "check("
        yield "    step,"
        yield "    {"
        for line in lines:
            if _is_its_value(line) and (self._is_known_rule() or not _is_state(line)):
                yield f'        "{line.step.id}": "{line.shown}",'
        yield "    },"
        yield ")"


def _is_its_value(line: Line) -> bool:
    """Return whether the line shows its number; where all cancels, it shows what is left."""
    if not np.isfinite(line.step.value):
        return True
    mantissa, _, exponent = line.shown.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(line.shown) - line.step.value) <= unit


def _is_state(line: Line) -> bool:
    """Return whether it is a number that an optimizer keeps for a weight."""
    return line.step.phase == "update" and line.step.quantity not in ("W", "b")


def _display(groups: list[list[str]]) -> str:
    rows = " \\\\\n".join(row for group in groups for row in group)
    return f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n$$"


def _array(values: Array) -> str:
    """Return code that makes an array: its numbers, or packed bytes where they are many."""
    if values.size <= _MOST_WRITTEN and np.all(np.isfinite(values)):
        return f"np.array({values.tolist()})"
    short = values.astype("<f4")
    kind = "<f4" if np.array_equal(short, values) else "<f8"
    packed = base64.b64encode(zlib.compress(values.astype(kind).tobytes(), 9)).decode()
    rows = "\n".join(f'    "{packed[at : at + _WIDE]}"' for at in range(0, len(packed), _WIDE))
    unpacked = f"zlib.decompress(base64.b64decode(\n{rows}\n))"
    return f"np.frombuffer({unpacked}, {kind!r}).astype(float).reshape({values.shape})"


_GIVEN_STEP = """

class GivenStep:
    name = "given"
    learning_rate = {rate}

    def init(self, n):
        return {{}}

    def step(self, state, flat, gradient, eta, decayed):
        flat[:] = after.flat

"""
_ARRAYS = {
    "forward": "trace.z, trace.a",
    "backward": "trace.delta",
    "gradient": "trace.gradients.layers",
    "update": "step.update.after.parameters.layers",
}


def to_html_fragment(
    explanation: Explanation,
    digits: int = 6,
    language: str = "en",
    notation: str = "standard",
) -> str:
    """Return the explanation as a small piece of HTML, for ``_repr_html_``.

    Parameters
    ----------
    explanation : Explanation
        What to show.
    digits : int
        Significant digits; a line whose rounding would break it shows more.
    language : {"en", "zh"}
        Of the words.
    notation : {"standard", "tutorial"}
        W of layer l with one number, or with the layers on both sides.

    Returns
    -------
    str
        One ``<div>``: a folded table of lines for each phase. No script, no style sheet.
    """
    outline = Outline(explanation, digits, language, notation, None)
    return "\n".join(_fragment(outline))


_MOST_ROWS = 60  # of a phase
_CELL = 'style="text-align:left;padding:1px 8px;vertical-align:top"'


def _fragment(outline: Outline) -> Iterator[str]:
    words, escape = outline.words, html.escape
    yield f'<div class="deltaprop-explanation" lang="{outline.language}">'
    yield f"<p><strong>{escape(outline.title)}</strong></p>"
    yield f"<p>{'<br>'.join(escape(sentence) for sentence in outline.conventions())}</p>"
    if outline.selected:
        yield f"<p>{escape(outline.selected)}</p>"
    heads = [words[key] for key in ("number", "formula", "with numbers", "result")]
    for phase, group in groupby(outline.explanation.steps, key=lambda step: step.phase):
        steps = list(group)
        yield f"<details><summary>{escape(words[phase])} ({len(steps):,})</summary>"
        yield "<table><thead><tr>"
        yield "".join(f"<th {_CELL}>{escape(head)}</th>" for head in heads)
        yield "</tr></thead><tbody>"
        for step in steps[:_MOST_ROWS]:
            cells = _row(line_of(step, outline.digits), outline)
            yield f"<tr>{''.join(f'<td {_CELL}>{escape(cell)}</td>' for cell in cells)}</tr>"
        if len(steps) > _MOST_ROWS:
            more = escape(words["more"].format(count=f"{len(steps) - _MOST_ROWS:,}"))
            yield f'<tr><td colspan="4" {_CELL}>{more}</td></tr>'
        yield "</tbody></table></details>"
    facts = outline.promise()
    if facts:
        yield f"<p>{escape(words['promise'])}</p><table><tbody>"
        for fact in facts:
            label = f"{fact.label} ({fact.note})" if fact.note else fact.label
            row = "".join(f"<td {_CELL}>{escape(text)}</td>" for text in (label, fact.value))
            yield f"<tr>{row}</tr>"
        yield "</tbody></table>"
    yield "</div>"


def _row(line: Line, outline: Outline) -> list[str]:
    """Return a line as symbol, formula, numbers and result."""
    left, formula, numbers, relation = markdown.line_parts(line, outline)
    return [left, formula, numbers, f"{relation} {line.shown}"]
