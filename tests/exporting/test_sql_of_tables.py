"""A table model as a query: from raw columns to its answers, as it gives them itself."""

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.table_models import Recipe
from helpers.databases import Sqlite
from helpers.tables_out import random_table, strange

TYPES = {
    pl.Float64: {"sqlite": "REAL", "duckdb": "DOUBLE", "postgres": "DOUBLE PRECISION"},
    pl.Int64: {"sqlite": "INTEGER", "duckdb": "BIGINT", "postgres": "BIGINT"},
    pl.String: {"sqlite": "TEXT", "duckdb": "TEXT", "postgres": "TEXT"},
    pl.Boolean: {"sqlite": "BOOLEAN", "duckdb": "BOOLEAN", "postgres": "BOOLEAN"},
}


def asked(database, model, rows):
    """Return the columns of the answer by name, for rows in the order of their keys."""
    dialect = type(database).__name__.lower()
    kept = rows.with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))
    columns = [
        '"{}" {}'.format(name.replace('"', '""'), TYPES[type(kind)][dialect])
        for name, kind in kept.schema.items()
    ]
    database.run('DROP TABLE IF EXISTS "rows of it"')
    database.run(f'CREATE TABLE "rows of it" ({", ".join(columns)})')
    marks = ", ".join("?" * len(columns))
    database.run(f'INSERT INTO "rows of it" VALUES ({marks})', [list(r) for r in kept.rows()])
    query = dp.to_sql(model, dialect=dialect, table="rows of it", key="id")
    return sorted(database.run(query))


def fitted(rng, task, n=160, **chosen):
    table, target = random_table(rng, n, task)
    recipe = Recipe(preset="plain", epochs=8, **chosen)
    return dp.TableModel.fit(table, target, recipe=recipe), table


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["classes", "two", "numbers", "labels"])
@pytest.mark.parametrize("preset", ["plain", "best"])
@pytest.mark.one_in(4)
def test_its_answers_are_the_models(database, task, preset, rng):
    more = {"members": 2, "hidden": (8, 6)} if preset == "best" else {}
    table, target = random_table(rng, 160, task)
    recipe = Recipe(preset=preset, epochs=6, **more)
    model = dp.TableModel.fit(table, target, recipe=recipe)
    for rows in (table[:40], strange(table[:40], rng)):
        compare(asked(database, model, rows), model, rows)


def compare(found, model, rows):
    own = [list(row[1:]) for row in found]
    said = model.predict(rows)
    if model.task == "regression":
        numbers = np.array(own, dtype=float)[:, 0]
        np.testing.assert_allclose(numbers, said, rtol=1e-6)
        return
    p = model.predict_proba(rows)
    if model.task == "multilabel":
        np.testing.assert_allclose(np.array([r[1::2] for r in own], dtype=float), p, atol=1e-6)
        truths = np.array([r[0::2] for r in own]).astype(bool)
        np.testing.assert_array_equal(truths, said.astype(bool))
        return
    np.testing.assert_allclose(np.array([r[1:] for r in own], dtype=float), p, atol=1e-6)
    assert [row[0] for row in own] == said.tolist()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(200))
def test_two_hundred_random_tables(seed):
    rng = np.random.default_rng(seed)
    task = ["classes", "two", "numbers", "labels"][seed % 4]
    model, table = fitted(rng, task, n=int(rng.integers(60, 200)))
    for rows in (table[:50], strange(table[:50], rng)):
        compare(asked(Sqlite(), model, rows), model, rows)


def test_a_column_that_sql_cannot_say_is_named(rng):
    n = 80
    table = pl.DataFrame(
        {"when": [f"2024-01-{1 + k % 28:02d}" for k in range(n)], "x": rng.normal(size=n)}
    )
    model = dp.TableModel.fit(table, rng.integers(2, size=n), recipe=Recipe("plain", epochs=1))
    with pytest.raises(SettingError, match="Column 'when' is a date"):
        dp.to_sql(model)
    table = table.with_columns(when=pl.Series([f"{k} kg" for k in rng.integers(99, size=n)]))
    model = dp.TableModel.fit(table, rng.integers(2, size=n), recipe=Recipe("plain", epochs=1))
    with pytest.raises(SettingError, match="numbers of column 'when' were written in a way"):
        dp.to_sql(model)


def test_what_it_cannot_be_is_said(rng):
    model, _ = fitted(rng, "two")
    with pytest.raises(SettingError, match="has its own columns and parameters"):
        dp.to_sql(model, columns=["a"])
    with pytest.raises(SettingError, match="A network needs its parameters"):
        dp.to_sql(dp.Network([2, 2]))
    with pytest.raises(SettingError, match="dict cannot be written as SQL"):
        dp.to_sql({})
    with pytest.raises(SettingError, match="no dialect 'oracle'"):
        dp.to_sql(model, dialect="oracle")
