"""Exercises and keys as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deltaprop.notation.ids import Ref, read_ref
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets import content
from deltaprop.widths import pad, text_width, wrap

__all__ = ["formula", "given", "render"]

_GAP = 3  # columns between matrices
_LEAST_WIDTH = 40


def render(tasks: Sequence[Task], width: int, *, key: bool = False) -> str:
    """Return the exercises, or their answers with the lines, one below the other."""
    width = max(width, _LEAST_WIDTH)
    lines_of = _answers if key else _exercise
    blocks = []
    for number, task in enumerate(tasks):
        lines = lines_of(task, content.heading(tasks, number), width)
        blocks.append("\n".join(line.rstrip() for line in lines))
    return "\n\n\n".join(blocks) + "\n"


def given(task: Task, heading: str, width: int) -> Iterator[str]:
    """Yield what an exercise gives: the network, the rules, the numbers."""
    yield from _headed(heading, width)
    yield from ("", *_network(task, width), "")
    for sentence in content.rules(task):
        yield from wrap(sentence.replace("`", ""), width)
    (title, numbers), *_ = content.numbers(task)
    yield from ("", *wrap(title, width), *_arrays(task, numbers, width))


def _exercise(task: Task, heading: str, width: int) -> Iterator[str]:
    yield from given(task, heading, width)
    _, *told = content.numbers(task)
    for title, numbers in told:
        yield from ("", *wrap(title, width), *_arrays(task, numbers, width))
    yield from ("", *wrap(task.words["wanted"], width), *_wanted(task, width))
    yield from ("", *wrap(content.precision(task), width))
    yield from wrap(content.reproduction(task), width)


def _answers(task: Task, heading: str, width: int) -> Iterator[str]:
    yield from _headed(task.words["answers"].format(heading=heading), width)
    for title, lines in content.answers(task):
        yield from ("", *wrap(title, width))
        for line in lines:
            yield from (f"  {text}" for text in formula(task.lines.parts(line), width - 2))
    yield from ("", *wrap(content.reproduction(task), width))


def formula(parts: list[str], width: int) -> list[str]:
    """Return symbol = symbols = numbers = result on one line, or each part on its own."""
    if text_width(" ".join(parts)) <= width:
        return [" ".join(parts)]
    symbol, *rest = parts
    indent = " " * (text_width(symbol) + 1)
    lines: list[str] = []
    for part in rest:
        first, *more = wrap(part, width - len(indent) - 2)
        lines += [indent + first, *(f"{indent}  {text}" for text in more)]
    return [symbol + lines[0][text_width(symbol) :], *lines[1:]]


def _headed(title: str, width: int) -> list[str]:
    return [*wrap(title, width), "─" * min(text_width(title), width)]


def _network(task: Task, width: int) -> list[str]:
    """Return the network in columns: inputs, neurons, loss; in rows where there is no room."""
    sizes = task.step.network.sizes
    inputs, *titles, loss = content.columns(task)
    columns = [[inputs, *(f"x{_place(i)}" for i in range(sizes[0]))]]
    for layer, title in enumerate(titles, start=1):
        columns.append([title, *(_neuron(task, layer, j) for j in range(sizes[layer]))])
    columns.append([loss, "L"])
    height = max(map(len, columns))
    lines = []
    for row in range(height):
        joint = " → " if row == 0 else "   "
        texts = [pad(c[row] if row < len(c) else "", max(map(text_width, c))) for c in columns]
        lines.append(joint.join(texts))
    if max(map(text_width, lines)) <= width:
        return lines
    return [
        f"{'  ' if part else joint}{text}"
        for joint, column in zip(("", *("→ ",) * len(columns)), columns, strict=False)
        for part, cell in enumerate((column[0], ";  ".join(column[1:])))
        for text in wrap(cell, width - 2)
    ]


def _place(index: int) -> str:
    return chr(ord("₁") + index)


def _neuron(task: Task, layer: int, j: int) -> str:
    z, a = (task.lines.symbol(Ref(name, layer)) + _place(j) for name in ("z", "a"))
    return f"{z}, {a}"


def _arrays(task: Task, numbers: list[content.Given], width: int) -> Iterator[str]:
    """Yield matrices beside each other, as many as there is room for."""
    blocks = [_block(task.lines.symbol(ref), rows) for ref, rows in numbers]
    row: list[list[str]] = []
    for block in blocks:
        wide = sum(text_width(b[0]) + _GAP for b in row) + text_width(block[0])
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
    indent = " " * (text_width(symbol) + 3)
    return [f"{symbol} = [ {texts[0]} ]", *(f"{indent}[ {text} ]" for text in texts[1:])]


def _beside(blocks: list[list[str]]) -> Iterator[str]:
    for row in range(max(map(len, blocks))):
        texts = [pad(b[row] if row < len(b) else "", text_width(b[0])) for b in blocks]
        yield "  " + (" " * _GAP).join(texts)


def _wanted(task: Task, width: int) -> Iterator[str]:
    """Yield the symbols of what is asked, a quantity on a line."""
    for quantity in task.asked:
        names = [name for item in task.items if item.quantity == quantity for name in item.ids]
        symbols = task.words["separator"].join(task.lines.symbol(read_ref(name)) for name in names)
        for line in wrap(symbols, width - 2):
            yield f"  {line}"
