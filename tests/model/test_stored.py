"""What comes out of a model file is believed only as far as it is checked."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pytest

from deltaprop.errors import DataError
from deltaprop.model.stored import record
from deltaprop.tabular import ImageEncoder, TableEncoder, TargetEncoder, encoder_from_dict

TABLE = TableEncoder.fit(
    {"x": [1.0, 2.0, None], "c": ["a", "b", "c"], "d": ["2024-01-05", "2024-02-01", "2024-03-01"]}
)
ENCODERS = {
    "table": TABLE,
    "image": ImageEncoder.fit(np.zeros((2, 3, 4), dtype=np.uint8)),
    "classes": TargetEncoder.fit(["b", "a", "b"]),
    "numbers": TargetEncoder.fit([1, 2, 1, 2]),
    "truths": TargetEncoder.fit([True, False]),
    "regression": TargetEncoder.fit([0.1, 0.2, 0.7]),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_comes_back_from_json(name):
    stored = json.loads(json.dumps(ENCODERS[name].to_dict(), allow_nan=False))
    again = encoder_from_dict(stored)
    assert type(again) is type(ENCODERS[name])
    assert again.to_dict() == ENCODERS[name].to_dict()


def damage(values, path, value):
    values = copy.deepcopy(values)
    inner = values
    for key in path[:-1]:
        inner = inner[key]
    if value is KeyError:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return values


NONSENSE = [
    ("table", ["format"], "deltaprop-table-encoder/99"),
    ("table", ["columns"], KeyError),
    ("table", ["columns"], {"x": 1}),
    ("table", ["columns"], []),
    ("table", ["columns", 0], "x"),
    ("table", ["columns", 0, "name"], 3),
    ("table", ["columns", 0, "name"], "c"),
    ("table", ["columns", 0, "kind"], "exec"),
    ("table", ["columns", 0, "kind"], "category"),
    ("table", ["columns", 0, "missing"], -1),
    ("table", ["columns", 0, "missing"], True),
    ("table", ["columns", 0, "missing"], 10**30),
    ("table", ["columns", 0, "outputs", 0], ["value", 1.0]),
    ("table", ["columns", 0, "outputs", 0, 0], "other"),
    ("table", ["columns", 0, "outputs", 0, 1], float("nan")),
    ("table", ["columns", 0, "outputs", 0, 1], 10**400),
    ("table", ["columns", 0, "outputs", 0, 2], 0.0),
    ("table", ["columns", 0, "outputs", 0, 2], "1"),
    ("table", ["columns", 1, "categories"], ["a", "b"]),
    ("table", ["columns", 1, "categories"], ["a", "a", "b"]),
    ("table", ["columns", 1, "categories"], ["a", "b", None]),
    ("table", ["columns", 2, "date_format"], "%s"),
    ("table", ["n_rows"], 0),
    ("table", ["warnings"], "text"),
    ("image", ["shape"], [3]),
    ("image", ["shape"], [0, 4]),
    ("image", ["shape"], [10**9, 10**9]),
    ("image", ["largest"], 0),
    ("classes", ["task"], "regression"),
    ("classes", ["classes"], ["a"]),
    ("classes", ["classes"], ["b", "a"]),
    ("classes", ["class_type"], "int"),
    ("numbers", ["classes"], [1, 1]),
    ("numbers", ["classes"], [1, 2.5]),
    ("truths", ["classes"], [0, 1]),
    ("regression", ["std"], [0.0]),
    ("regression", ["std"], []),
    ("regression", ["mean"], [float("inf")]),
    ("regression", ["names"], []),
]


@pytest.mark.parametrize(("name", "path", "value"), NONSENSE)
def test_nonsense_is_refused_and_named(name, path, value):
    with pytest.raises(DataError, match="is damaged") as caught:
        encoder_from_dict(damage(ENCODERS[name].to_dict(), path, value))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("values", [None, 3, [], {}, {"format": None}])
def test_what_is_no_encoder_is_refused(values):
    with pytest.raises(DataError, match="stored encoder is damaged"):
        encoder_from_dict(values)


@dataclass(frozen=True)
class Inner:
    share: float


@dataclass(frozen=True)
class Kept:
    n: int
    name: str = "?"
    rate: float | None = None
    sizes: tuple[int, ...] = ()
    sure: bool = False
    choice: Mapping[Any, float] | str | None = None
    rule: Callable[[int], int] | None = None
    parts: tuple[Inner, ...] = ()


def test_a_dataclass_is_read_by_the_types_of_its_fields():
    kept = Kept(2**64 - 1, "x", 3.0, (1, 2), True, {"a": 0.5}, None, (Inner(1.0), Inner(0.5)))
    assert record(Kept, json.loads(json.dumps(asdict(kept))), "x") == kept
    assert record(Kept, {"n": 3, "rate": 2, "choice": "balanced"}, "x") == Kept(
        3, rate=2.0, choice="balanced"
    )


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("n", 3.0), ("n", True), ("n", "3"), ("n", 2**64), ("n", None), ("name", 3),
        ("name", "x" * 200_001), ("rate", "1"), ("rate", float("nan")), ("rate", 10**400),
        ("rate", False), ("sizes", 3), ("sizes", [1, "2"]), ("sizes", {"1": 2}), ("sure", 1),
        ("choice", 3), ("choice", {"a": None}), ("rule", "print"), ("rule", {}), ("parts", [{}]),
        ("parts", [{"share": 1, "more": 2}]), ("more", 1), ("__init__", 1),
    ],
)  # fmt: skip
def test_a_field_of_another_type_is_refused_and_named(entry, value):
    with pytest.raises(DataError, match=entry) as caught:
        record(Kept, {"n": 3, entry: value}, "thing")
    assert len(str(caught.value)) < 500


def test_a_field_without_default_must_be_there():
    with pytest.raises(DataError, match="n is absent"):
        record(Kept, {}, "thing")
