"""A table model as an ONNX graph: from raw columns to its answers, as it gives them itself."""

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.table_models import Recipe
from helpers.tables_out import random_table, strange

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def answers(model, rows, path, dtype=None):
    """Return what onnxruntime says of rows, by the name of the output."""
    dp.to_onnx(model, path, dtype=dtype)
    onnx.checker.check_model(path, full_check=True)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {}
    for each in session.get_inputs():
        column = rows[each.name]
        if "string" in each.type:
            text = column.cast(pl.String).fill_null("").str.strip_chars()
            cells = np.array(text.to_list(), dtype=object)
        else:
            assert each.type == "tensor(double)"
            cells = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        given[each.name] = cells.reshape(-1, 1)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, given), strict=True))


def compare(found, model, rows):
    said = model.predict(rows)
    if model.task == "regression":
        assert list(found) == ["prediction"]
        np.testing.assert_allclose(found["prediction"][:, 0], said, rtol=1e-6)
        return
    assert list(found) == ["probabilities", "label"]
    p = model.predict_proba(rows)
    np.testing.assert_allclose(found["probabilities"], p, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(found["label"]).astype(said.dtype), said)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["classes", "two", "numbers", "labels"])
@pytest.mark.parametrize("preset", ["plain", "best"])
@pytest.mark.one_in(2)
def test_its_answers_are_the_models(task, preset, rng, tmp_path):
    more = {"members": 2, "hidden": (8, 6)} if preset == "best" else {}
    table, target = random_table(rng, 160, task)
    model = dp.TableModel.fit(table, target, recipe=Recipe(preset=preset, epochs=6, **more))
    for rows in (table[:40], strange(table[:40], rng)):
        compare(answers(model, rows, tmp_path / "m.onnx"), model, rows)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(200))
def test_two_hundred_random_tables(seed, tmp_path):
    rng = np.random.default_rng(seed)
    task = ["classes", "two", "numbers", "labels"][seed % 4]
    table, target = random_table(rng, int(rng.integers(60, 200)), task)
    model = dp.TableModel.fit(table, target, recipe=Recipe("plain", epochs=8))
    for rows in (table[:50], strange(table[:50], rng)):
        compare(answers(model, rows, tmp_path / "m.onnx"), model, rows)


@pytest.mark.filterwarnings("ignore")
def test_in_float32_too_and_with_inputs_that_are_called_as_tensors_are(rng, tmp_path):
    n = 90
    table = pl.DataFrame(
        {
            "x": rng.normal(size=n), "z1": rng.integers(0, 9, n), "p": rng.choice(["a", "b"], n),
            "label": rng.choice(["u", "v", "w"], n), "classes": rng.random(n) < 0.5,
            "W1": rng.normal(size=n),
        }
    )  # fmt: skip
    target = np.where(table["x"].to_numpy() > 0, "up", "down")
    model = dp.TableModel.fit(table, target, recipe=Recipe("plain", epochs=5))
    found = answers(model, table, tmp_path / "m.onnx", "float32")
    p = model.predict_proba(table)
    assert found["probabilities"].dtype == np.float32
    np.testing.assert_allclose(found["probabilities"], p, atol=1e-5)
    (label,) = set(found) - {"probabilities"}
    assert found[label].tolist() == model.predict(table).tolist()


@pytest.mark.filterwarnings("ignore")
def test_a_column_that_onnx_cannot_say_is_named(rng, tmp_path):
    n = 80
    table = pl.DataFrame(
        {"when": [f"2024-01-{1 + k % 28:02d}" for k in range(n)], "x": rng.normal(size=n)}
    )
    model = dp.TableModel.fit(table, rng.integers(2, size=n), recipe=Recipe("plain", epochs=1))
    with pytest.raises(SettingError, match="Column 'when' is a date; ONNX has no way"):
        dp.to_onnx(model, tmp_path / "m.onnx")
    table = table.with_columns(when=pl.Series([f"{k} kg" for k in rng.integers(99, size=n)]))
    model = dp.TableModel.fit(table, rng.integers(2, size=n), recipe=Recipe("plain", epochs=1))
    with pytest.raises(SettingError, match="numbers of column 'when' were written in a way"):
        dp.to_onnx(model, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.filterwarnings("ignore")
def test_what_it_cannot_be_is_said(rng, tmp_path):
    table, target = random_table(rng, 60, "two")
    model = dp.TableModel.fit(table, target, recipe=Recipe("plain", epochs=1))
    path = tmp_path / "m.onnx"
    with pytest.raises(SettingError, match="has its own parameters"):
        dp.to_onnx(model, path, model.parameters)
    with pytest.raises(SettingError, match="A network needs its parameters"):
        dp.to_onnx(dp.Network([2, 2]), path)
    with pytest.raises(SettingError, match="dict cannot be written as ONNX"):
        dp.to_onnx({}, path)
    with pytest.raises(SettingError, match="dtype is 'int8'"):
        dp.to_onnx(model, path, dtype="int8")
