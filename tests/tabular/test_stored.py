"""What comes out of a model file is believed only as far as it is checked."""

import copy
import json

import numpy as np
import pytest

from deltaprop.errors import DataError
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
