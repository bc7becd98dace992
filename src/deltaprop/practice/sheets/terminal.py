"""Exercises and keys as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from deltaprop.notation.ids import Ref, read_ref
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets.content import (
    Content,
    Given,
    answers,
    given_numbers,
    heading,
    helping_numbers,
    reproduction,
    rules,
)
from deltaprop.practice.wording import wording_of
from deltaprop.widths import cells, pad, wrap

__all__ = ["formula_lines", "render", "render_key"]

_GAP = 3  # columns between matrices
_LEAST_WIDTH = 40


def render(sheet: Content, width: int) -> str:
    """Return the exercises, one below the other."""
    width = max(width, _LEAST_WIDTH)
    blocks = []
    for number, task in enumerate(sheet.exercises):
        words = wording_of(task.language)
        lines = _headed(heading(sheet, number), width)
        lines += ["", *_network(task), ""]
        for sentence in rules(task):
            lines += wrap(sentence.replace("`", ""), width)
        lines += ["", words["given"], *_arrays(task, given_numbers(task), width)]
        if task.helps:
            lines += ["", words["described"], *_arrays(task, helping_numbers(task), width)]
        lines += ["", words["wanted"], *_wanted(task, width)]
        lines += ["", *wrap(words["exact" if task.has_exact_answers else "rounded"], width)]
        lines += wrap(reproduction(task), width)
        blocks.append("\n".join(line.rstrip() for line in lines))
    return "\n\n\n".join(blocks) + "\n"


def render_key(sheet: Content, width: int) -> str:
    """Return the answers with their lines, one exercise below the other."""
    width = max(width, _LEAST_WIDTH)
    blocks = []
    for number, task in enumerate(sheet.exercises):
        words = wording_of(task.language)
        lines = _headed(words["answers"].format(heading=heading(sheet, number)), width)
        for title, of_phase in answers(task):
            lines += ["", title]
            for line in of_phase:
                lines += [f"  {text}" for text in formula_lines(task.lines.parts(line), width - 2)]
        lines += ["", *wrap(reproduction(task), width)]
        blocks.append("\n".join(line.rstrip() for line in lines))
    return "\n\n\n".join(blocks) + "\n"


def formula_lines(parts: list[str], width: int) -> list[str]:
    """Return symbol = symbols = numbers = result on one line, or each part on its own."""
    if cells(" ".join(parts)) <= width:
        return [" ".join(parts)]
    symbol, *rest = parts
    indent = " " * (cells(symbol) + 1)
    lines: list[str] = []
    for part in rest:
        first, *more = wrap(part, width - len(indent) - 2)
        lines += [indent + first, *(f"{indent}  {text}" for text in more)]
    return [symbol + lines[0][cells(symbol) :], *lines[1:]]


def _headed(title: str, width: int) -> list[str]:
    return [*wrap(title, width), "─" * min(cells(title), width)]


def _network(task: Task) -> list[str]:
    """Return the network in columns: inputs, neurons, loss."""
    words, network = wording_of(task.language), task.step.network
    names = [row.name for row in network.activations]
    last = len(network.sizes) - 1
    columns = [[words["inputs"], *(f"x{_place(i)}" for i in range(network.sizes[0]))]]
    for layer in range(1, last + 1):
        if layer < last:
            title = words["layer"].format(number=layer, activation=names[layer - 1])
        else:
            title = words["output"].format(activation=network.loss.output)
        neurons = range(network.sizes[layer])
        columns.append([title, *(_neuron(task, layer, j) for j in neurons)])
    columns.append([words["loss column"], "L"])
    height = max(map(len, columns))
    lines = []
    for row in range(height):
        joint = " → " if row == 0 else "   "
        texts = [pad(c[row] if row < len(c) else "", max(map(cells, c))) for c in columns]
        lines.append(joint.join(texts))
    return lines


def _place(index: int) -> str:
    return chr(ord("₁") + index)


def _neuron(task: Task, layer: int, j: int) -> str:
    z, a = (task.lines.symbol(Ref(name, layer)) + _place(j) for name in ("z", "a"))
    return f"{z}, {a}"


def _arrays(task: Task, given: list[Given], width: int) -> Iterator[str]:
    """Yield matrices beside each other, as many as there is room for."""
    blocks = [_block(task.lines.symbol(ref), rows) for ref, rows in given]
    row: list[list[str]] = []
    for block in blocks:
        wide = sum(cells(b[0]) + _GAP for b in row) + cells(block[0])
        if row and wide > width - 2:
            yield from _beside(row)
            row = []
        row.append(block)
    yield from _beside(row)


def _block(symbol: str, rows: list[list[str]]) -> list[str]:
    if len(rows) == len(rows[0]) == 1:
        return [f"{symbol} = {rows[0][0]}"]
    wide = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    texts = ["  ".join(t.rjust(w) for t, w in zip(row, wide, strict=True)) for row in rows]
    indent = " " * (cells(symbol) + 3)
    return [f"{symbol} = [ {texts[0]} ]", *(f"{indent}[ {text} ]" for text in texts[1:])]


def _beside(blocks: list[list[str]]) -> Iterator[str]:
    for row in range(max(map(len, blocks))):
        texts = [pad(b[row] if row < len(b) else "", cells(b[0])) for b in blocks]
        yield "  " + (" " * _GAP).join(texts)


def _wanted(task: Task, width: int) -> Iterator[str]:
    """Yield the symbols of what is asked, a quantity on a line."""
    for key in task.asked:
        names = [name for item in task.items if item.key == key for name in item.ids]
        symbols = wording_of(task.language)["separator"].join(
            task.lines.symbol(read_ref(name)) for name in names
        )
        for line in wrap(symbols, width - 2):
            yield f"  {line}"
