"""What was saved opens, and is the same: random tables, presets and settings.

Whatever can be fitted is written, read again, and predicts the same bits. A class that gets a
field, or a column a further kind, is in here as soon as a random table leads to it.
"""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.recipe import Recipe
from deltaprop.tabular import TableEncoder, TargetEncoder, encoder_from_dict
from helpers.random_settings import settings_of
from helpers.random_tables import (
    COLUMNS,
    MANY,
    SOME,
    TABLES,
    TARGETS,
    again,
    as_frame,
    fitted,
    says,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved")


def table_model_comes_back(folder, columns, target, how):
    frame = as_frame(columns)
    ask = {"hidden": (2,), "epochs": 1, "members": how.get("members", 1)} | how
    task = ask.pop("task", None)
    model = fitted(lambda: TableModel.fit(frame, target, task=task, recipe=Recipe(**ask)))
    loaded = again(model, folder)
    assert says(loaded, frame) == says(model, frame)
    assert json.dumps(loaded.contents()["table"]) == json.dumps(model.contents()["table"])


CHOICES = {
    "members": st.integers(1, 2), "ranges": st.sampled_from([0, 2, 3, 16, 200]),
    "activation": st.sampled_from(sorted(ACTIVATIONS)), "dropout": st.floats(0, 0.9),
    "l2": st.floats(0, 1), "learning_rate": st.floats(1e-9, 1), "batch_size": st.integers(1, 50),
    "patience": st.integers(1, 9),
    "validation_share": st.floats(0, 0.9), "seed": st.integers(0, 2**64 - 1),
    "engine": st.sampled_from(["auto", "native", "reference"]),
    "time_budget": st.floats(20, 100), "calibrate": st.booleans(),
    "task": st.sampled_from(["classification", "regression", "multilabel"]),
    "label_smoothing": st.floats(0, 0.9), "class_weight": st.just("balanced"),
    "metric": st.sampled_from(["log_loss", "f1", "mae", lambda p, y: float(p.mean())]),
    "loss": st.sampled_from(["half_squared_error", "huber", "poisson"]),
    "remember_rows": st.booleans(),
}  # fmt: skip


RECIPES = st.builds(
    lambda preset, some: {"preset": preset} | some,
    st.sampled_from(["fast", "best", "plain"]),
    settings_of(CHOICES),
)


def test_no_choice_of_a_recipe_was_forgotten():
    every = {item.name for item in dataclasses.fields(Recipe)}
    assert every == {*CHOICES, "preset", "hidden", "epochs"} - {"task"}


@pytest.mark.slow
@SOME
@given(columns=TABLES, target=TARGETS, how=RECIPES)
def test_a_model_of_a_random_table_comes_back(folder, columns, target, how):
    table_model_comes_back(folder, columns, target, how)


@pytest.mark.slow
@MANY
@given(columns=TABLES, target=TARGETS, how=RECIPES)
def test_very_many_of_them_come_back(folder, columns, target, how):
    table_model_comes_back(folder, columns, target, how)


@pytest.mark.rest
@settings(SOME, max_examples=60)
@given(columns=TABLES, most=st.sampled_from([0, 2, 16, 256]))
def test_an_encoder_of_a_random_table_comes_back(columns, most):
    frame = as_frame(columns)
    encoder = fitted(lambda: TableEncoder.fit(frame).with_ranges(frame, most))
    stored = json.loads(json.dumps(encoder.to_dict(), allow_nan=False))
    assert encoder_from_dict(stored) == encoder
    assert encoder_from_dict(stored).to_dict() == encoder.to_dict()


@settings(SOME, max_examples=60)
@given(
    target=st.one_of(TARGETS, COLUMNS), task=st.sampled_from([None, "classification", "regression"])
)
def test_an_encoder_of_a_random_target_comes_back(target, task):
    column = target if isinstance(target, np.ndarray) else as_frame({"y": target})
    encoder = fitted(TargetEncoder.fit, column, task)
    stored = json.loads(json.dumps(encoder.to_dict(), allow_nan=False))
    again = encoder_from_dict(stored)
    assert again.to_dict() == encoder.to_dict()
    assert again.classes.dtype == encoder.classes.dtype
