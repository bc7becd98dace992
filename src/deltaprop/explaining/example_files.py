"""Worked examples as files: YAML or JSON into data, and data into either."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from deltaprop.errors import DataError, SettingError, shown

__all__ = ["EXPLANATION", "SUFFIXES", "Written", "data_text", "read_data"]

EXPLANATION = "deltaprop-explanation/"  # what the format of an explanation in JSON begins with
SUFFIXES = (".yaml", ".yml", ".json")  # of files that are worked examples
_LARGEST_FILE = 10_000_000  # bytes; a worked example is a page of numbers
_MOST_VALUES = 2_000_000  # where aliases of YAML are written out
_WIDEST = 60  # columns of a mapping on one line
# a text of YAML that needs no quotes, and what it must not be
_PLAIN = re.compile(r"[A-Za-z][\w.]*(?: [\w.]+)*", re.ASCII)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


class Written(float):
    """A number as a file writes it: a float that keeps its text, trailing zeros included.

    Parameters
    ----------
    text : str
        A decimal number.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that ``text`` writes."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def read_data(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Return what a YAML or JSON file holds; of an explanation in JSON, the example it is of.

    Raises
    ------
    DataError
        When it cannot be read, or holds no mapping; the message says where.
    """
    name = os.fspath(path)
    try:
        if Path(path).stat().st_size > _LARGEST_FILE:
            raise DataError(f"{name} is larger than any worked example ({_LARGEST_FILE:,} bytes).")
        content = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{name} cannot be read as a worked example: {reason}.") from None
    data = _parse(name, _text_of(content, name))
    if str(data.get("format", "")).startswith(EXPLANATION):
        data = _of_explanation(data, name)
    return data


def _text_of(content: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, or in whatever encoding an editor has saved it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        from deltaprop.tabular.reading.decoding import to_utf8

        try:
            return to_utf8(content, name)[0].decode("utf-8")
        except DataError:
            raise DataError(
                f"{name} cannot be read as a worked example: it is no text, or a damaged one. Save "
                "it as plain text in UTF-8."
            ) from None


def _of_explanation(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the example that an explanation in JSON is of."""
    example = data.get("example")
    if not isinstance(example, Mapping):
        raise DataError(
            f"{name} is an explanation without the example that it is of: of softmax beside "
            "sigmoid, of a large network, or of layers that no worked example has."
        )
    return example


def _parse(name: str, text: str) -> Mapping[str, object]:
    try:
        if name.lower().endswith((".yaml", ".yml")):
            data = _parse_yaml(text)
        else:
            data = json.loads(text, parse_float=Written, object_pairs_hook=_each_once)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not valid JSON: {error}.") from None
    except Exception as error:
        if type(error).__module__.split(".")[0] != "yaml":
            raise
        where = _said_of_yaml(error, text)
        raise DataError(f"{name} is not valid YAML: {where}") from None
    if _n_values(data, {}) > _MOST_VALUES:
        raise DataError(
            f"{name} has more than {_MOST_VALUES:,} values where its aliases (*name) are written "
            "out; expected a page of numbers. Write out what the aliases stand for."
        )
    if not isinstance(data, Mapping):
        raise DataError(f"{name} holds no worked example: expected keys layers, loss, x, targets.")
    return data


def _each_once(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return a mapping; raise DataError where one of its keys would take another's place."""
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DataError(
                f"{shown(key)} stands twice, and the second would take the place of the first. "
                "Keep one of them."
            )
        found[key] = value
    return found


def _said_of_yaml(error: Any, text: str) -> str:
    """Return what is wrong, in which line, and what often is the reason."""
    is_key = str(getattr(error, "context", "")).endswith("key")
    mark = getattr(error, "context_mark" if is_key else "problem_mark", None)
    if mark is None:
        return f"{' '.join(str(error).split())}."
    lines = text.splitlines() or [""]
    at = min(mark.line, len(lines) - 1)  # the end of a text is behind its last line
    line = lines[at]
    found, problem = shown(line.strip()), error.problem
    where = f"line {at + 1} ({found}): {problem}."
    if line[: len(line) - len(line.lstrip())].count("\t"):
        return f"{where} Indent with blanks, not with a tab."
    if "：" in line:
        return f"{where} Its colon is a full-width one; write ':' and a blank."
    return where


def _n_values(data: object, known: dict[int, float]) -> float:
    """Return how many values there are when each alias is written out; infinity for a circle."""
    if not isinstance(data, (list, dict)):
        return 1
    if id(data) not in known:
        known[id(data)] = math.inf  # met again before it is counted, it stands within itself
        parts = [*data, *data.values()] if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(_n_values(part, known) for part in parts)
    return known[id(data)]


def _parse_yaml(text: str) -> object:
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads 1e-3 as the number it is; YAML 1.1 asks for 1.0e-3. No key stands twice."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            plain = (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
            _each_once((key, None) for key in plain if key != "<<")
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
        list("-+0123456789"),
    )
    Loader.add_constructor("tag:yaml.org,2002:float", _yaml_float)
    return yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader


def _yaml_float(loader: Any, node: Any) -> float:
    plain = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", node.value)
    return Written(node.value) if plain else float(loader.construct_yaml_float(node))


def data_text(
    path: str | os.PathLike[str], data: Mapping[str, Any], comments: Mapping[str, str] | None = None
) -> str:
    """Return data as the text of a file that is called so: YAML, or JSON without the comments.

    Parameters
    ----------
    path : path
        With a suffix of ``SUFFIXES``.
    data : mapping
        In the worked-example format.
    comments : mapping, optional
        What stands above each key; "" for the head of the file.

    Raises
    ------
    SettingError
        When the name has another suffix.
    """
    name = os.fspath(path).lower()
    if not name.endswith(SUFFIXES):
        raise SettingError(
            f"{os.fspath(path)} should be called .yaml or .json, so that it is read again as a "
            "worked example."
        )
    if name.endswith(".json"):
        return _json_text(data)
    said = comments or {}
    parts: list[str] = []
    for key in ("", *data):
        if text := said.get(key, ""):
            parts += ["\n" * bool(parts), *(f"# {row}".rstrip() + "\n" for row in text.split("\n"))]
        if key:
            parts += (f"{row}\n" for row in _yaml_lines(key, data[key]))
    return "".join(parts)


def _json_text(data: Mapping[str, Any]) -> str:
    """Return JSON with a key a line, and numbers as they were written."""
    rows = (f"  {_flow(key, True)}: {_flow(value, True)}" for key, value in data.items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _flow(value: Any, json_only: bool = False) -> str:
    """Return a value on one line; plain words of YAML without quotes unless it must be JSON."""
    match value:
        case Written():
            return value.text
        case Mapping():
            parts = (f"{_flow(k, json_only)}: {_flow(v, json_only)}" for k, v in value.items())
            return "{" + ", ".join(parts) + "}"
        case list() | tuple():
            return "[" + ", ".join(_flow(part, json_only) for part in value) + "]"
        case str() if not json_only and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # what a file of YAML may not hold as it is
    return text if json_only else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return f"\\U{ord(character):08x}"


def _yaml_lines(key: str, value: Any, indent: str = "") -> Iterator[str]:
    """Yield a key of YAML: mappings and layers below each other, arrays a row a line."""
    name = f"{indent}{_flow(key)}:"
    if isinstance(value, Mapping) and value and len(_flow(value)) > _WIDEST:
        yield name
        for inner, part in value.items():
            yield from _yaml_lines(str(inner), part, indent + "  ")
    elif isinstance(value, list) and value and all(isinstance(v, Mapping) and v for v in value):
        yield name
        for each in value:
            rows = [row for k, part in each.items() for row in _yaml_lines(str(k), part)]
            yield from (f"{indent}  {'  ' if n else '- '}{row}" for n, row in enumerate(rows))
    elif isinstance(value, list) and len(value) > 1 and isinstance(value[0], list):
        for n, row in enumerate(value):
            start = f"{name} [" if not n else " " * (len(name) + 2)
            yield f"{start}{_flow(row)}{']' if n == len(value) - 1 else ','}"
    else:
        yield f"{name} {_flow(value)}"
