"""The keys of a worked example, and the numbers under them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from deltaprop.errors import DataError, UnknownNameError, nearest_name
from deltaprop.explaining import typed_numbers
from deltaprop.training.optimizers import OPTIMIZERS

__all__ = [
    "KEYS",
    "LAYER_KEYS",
    "number_of",
    "numbers_of",
    "refuse_unknown_keys",
    "rows_of",
    "shown_kind",
    "with_numbers",
    "without_bias_rows",
]

KEYS = (
    "title", "titles", "source", "changed", "layers", "bias_row", "loss", "loss_reduction", "l2",
    "l1", "label_smoothing", "x", "targets", "learning_rate", "optimizer", "train_biases", "claims",
    "steps", "conventions", "digits", "symbols", "notation", "expected",
)  # fmt: skip
_OF_EXERCISES = ("format", "practice", "told", "choices")  # beside the keys of an example
LAYER_KEYS = ("W", "b", "w0", "activation", "learning_rate", "bias_learning_rate")
_BIAS_ROWS = {"first": 0, "last": -1}
_ARRAYS = ("x", "targets", "W", "b", "w0")
_SINGLE = ("learning_rate", "bias_learning_rate", "l2", "l1", "label_smoothing")


def refuse_unknown_keys(data: Mapping[str, Any]) -> None:
    """Raise DataError for a key that is misspelt, or stands in the wrong place.

    A text under a name of its own is somebody's remark.
    """
    for key, value in data.items():
        if key not in (*KEYS, *_OF_EXERCISES) and not _is_remark(key, value, KEYS):
            raise DataError(_no_such_key(str(key), KEYS, "a worked example"))
    layers = data["layers"]
    for index, layer in enumerate(layers if isinstance(layers, list) else (), start=1):
        for key, value in layer.items() if isinstance(layer, Mapping) else ():
            if key not in LAYER_KEYS and not _is_remark(key, value, LAYER_KEYS):
                raise DataError(_no_such_key(str(key), LAYER_KEYS, f"layer {index}"))


def _is_remark(key: object, value: object, known: tuple[str, ...]) -> bool:
    name = str(key)
    is_misplaced = any(name in place for place in (KEYS, LAYER_KEYS, _options()))
    return isinstance(value, str) and not is_misplaced and nearest_name(name, known) is None


def _options() -> dict[str, str]:
    """Return the options of optimizers, each with one that has it."""
    return {
        option.name: name
        for name, rule in reversed(OPTIMIZERS.items())  # the simplest one stays
        for option in fields(rule)
        if option.name != "learning_rate"
    }


def _no_such_key(key: str, known: tuple[str, ...], where: str) -> str:
    options = _options()
    if key in options:
        place = f"optimizer: {{name: {options[key]}, {key}: ...}}"
        return f"{where} has no key {key!r}: it is an option of an optimizer. Write {place}."
    if key in LAYER_KEYS:
        return f"{where} has no key {key!r}: it belongs to a layer, beside its W."
    if key in KEYS:
        return f"{where} has no key {key!r}: it stands beside layers, not in one."
    near = nearest_name(key, known)
    hint = f" Did you mean {near!r}?" if near else ""
    return f"{where} has no key {key!r}.{hint} Known: {', '.join(known)}."


def with_numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the example with its numbers as numbers, where they are written as text: "1/3".

    An array may be text as a whole, "1, 0.5; 0, 1", or a single number without brackets. What is
    no number stays as it is, and is refused where it is read.
    """
    layers, optimizer = data["layers"], data.get("optimizer")
    found = _numbers_in(data)
    if isinstance(layers, list):
        found["layers"] = [_numbers_in(x) if isinstance(x, Mapping) else x for x in layers]
    if isinstance(optimizer, Mapping):
        options = {k: _cell(v) for k, v in optimizer.items() if k not in ("name", "state")}
        found["optimizer"] = {**optimizer, **options}
    if isinstance(data.get("steps"), list):
        found["steps"] = [
            {**x, **_numbers_in({k: x[k] for k in ("x", "targets") if k in x})}
            if isinstance(x, Mapping) else x for x in data["steps"]
        ]  # fmt: skip
    return found


def _numbers_in(given: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(given)
    found |= {name: _array(given[name], name) for name in _ARRAYS if name in given}
    found |= {name: _cell(given[name]) for name in _SINGLE if name in given}
    return found


def _array(value: Any, name: str) -> Any:
    if isinstance(value, str):
        one = typed_numbers.cell_of(value) if "," not in value else None
        if one is not None:
            return _array(one, name)
        return typed_numbers.rows_of(value, name, may_lack=name in ("b", "w0"))
    if isinstance(value, list):
        return [_array(one, name) if isinstance(one, list) else _cell(one) for one in value]
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if plain and name not in ("b", "w0"):
        return [[value]] if name == "W" else [value]
    return value


def _cell(value: Any) -> Any:
    number = typed_numbers.cell_of(value) if isinstance(value, str) else None
    return value if number is None else number


def number_of(value: object, what: str) -> float:
    """Return a number as a float; raise ValueError where it is something else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} is {shown_kind(value)}; expected a finite number")
    return float(value)


def without_bias_rows(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the example with b apart, where each W has a row for a further input that is 1."""
    where = data["bias_row"]
    if where not in _BIAS_ROWS:
        raise UnknownNameError("bias_row", where, _BIAS_ROWS)
    place = _BIAS_ROWS[where]

    def parted(rows: list[Any]) -> tuple[list[Any], Any]:
        rest = list(rows)
        return rest, rest.pop(place)

    layers = []
    for index, layer in enumerate(data["layers"], start=1):
        rest, b = parted(numbers_of(layer["W"], f"W of layer {index}", may_lack=True))
        layers.append({**layer, "W": rest, "b": b})
    n_in = len(layers[0]["W"])
    x = rows_of(data["x"], "x", n_in + (len(data["x"]) == n_in + 1))
    if len(x[0]) == n_in + 1:
        parted_rows = [parted(row) for row in x]
        if any(one != 1 for _, one in parted_rows):
            raise DataError(f"bias_row is {where}, but x has not a 1 there in every row.")
        x = [rest for rest, _ in parted_rows]
    claims: dict[str, Any] = {}
    for key, value in (data.get("claims") or {}).items():
        kind, _, rest_of_key = str(key).partition(".")
        layer = rest_of_key.partition(".")[0]
        tall = layer.isdecimal() and 0 < int(layer) <= len(layers) and isinstance(value, list)
        if kind in ("W", "dW") and tall and len(value) == len(layers[int(layer) - 1]["W"]) + 1:
            claims[key], claims[f"{kind[:-1]}b.{rest_of_key}"] = parted(value)
        else:
            claims[key] = value
    plain = {key: value for key, value in data.items() if key != "bias_row"}
    return {**plain, "layers": layers, "x": x, "claims": claims or data.get("claims")}


def rows_of(values: object, what: str, width: int) -> list[list[Any]]:
    """Return rows of numbers; a single row may be written without its outer brackets."""
    numbers = numbers_of(values, what)
    if all(isinstance(row, list) for row in numbers):
        return numbers
    return [numbers] if len(numbers) == width else [[number] for number in numbers]


def numbers_of(values: object, what: str, *, may_lack: bool = False) -> list[Any]:
    """Return a list of finite numbers, or of rows of them, as it is; raises on anything else.

    ``may_lack`` is whether null may stand in the place of a number, such as a missing bias.
    """
    if not isinstance(values, list):
        raise TypeError(f"{what} is {shown_kind(values)}; expected rows of numbers, [[...], ...]")
    rows = [values] if not any(isinstance(row, list) for row in values) else values
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(rows[0]):
            raise ValueError(f"{what} is ragged in row {number}; expected rows of one length")
        for cell in row:
            plain = isinstance(cell, (int, float)) and not isinstance(cell, bool)
            if may_lack and cell is None:
                continue
            if not plain or not math.isfinite(cell):
                raise ValueError(
                    f"{what} holds {shown_kind(cell)} in row {number}; expected a finite number"
                )
    return values


def shown_kind(value: object) -> str:
    """Return what a value is, for a message."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return "null" if value is None else repr(value)[:60]
