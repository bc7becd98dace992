"""A network as a query: SQLite, DuckDB and PostgreSQL come to the same numbers."""

import re
import time

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from helpers.databases import Sqlite
from helpers.networks_out import EVERY, drawn


def answered(database, network, parameters, x, table="t", key="id", columns=None):
    """Return what the query gives for rows in the order of their keys."""
    dialect = type(database).__name__.lower()
    names = [f"x{i}" for i in range(network.n_in)] if columns is None else columns
    own = [f'"{name.replace(chr(34), 2 * chr(34))}" {database.number}' for name in names]
    quoted = table.replace('"', '""')
    database.run(f'DROP TABLE IF EXISTS "{quoted}"')
    database.run(f'CREATE TABLE "{quoted}" ("{key}" INTEGER, {", ".join(own)})')
    marks = ", ".join("?" * (network.n_in + 1))
    database.run(
        f'INSERT INTO "{quoted}" VALUES ({marks})',
        [[i, *row] for i, row in enumerate(x.tolist())],
    )
    query = dp.to_sql(network, parameters, dialect=dialect, table=table, key=key, columns=columns)
    found = np.array(sorted(database.run(query)), dtype=float)
    np.testing.assert_array_equal(found[:, 0], np.arange(len(x)))
    return found[:, 1:]


@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
@pytest.mark.one_in(2)
def test_every_network_gives_the_same_numbers(database, network, rng):
    parameters, x, p = drawn(network, rng)
    found = answered(database, network, parameters, x)
    np.testing.assert_allclose(found, p, rtol=1e-9, atol=1e-12)


def test_far_out_nothing_overflows(database, rng):
    network = dp.Network([3, 8, 3], "sigmoid")
    parameters, x, p = drawn(network, rng, far=2000.0)
    np.testing.assert_allclose(answered(database, network, parameters, x), p, atol=1e-12)


def test_whatever_tables_and_columns_are_called(database, rng):
    network = dp.Network([3, 2])
    parameters, x, p = drawn(network, rng)
    odd = ['a"b', "x_0; DROP TABLE t", "select"]
    found = answered(database, network, parameters, x, table='ta ble\'s "own"', columns=odd)
    np.testing.assert_allclose(found, p, atol=1e-12)


def test_whole_numbers_are_no_whole_division(database):
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    parameters = network.parameters(W=[[[0.5]]])
    database.number = "INTEGER"
    x = np.array([[1.0], [3.0]])
    found = answered(database, network, parameters, x)
    np.testing.assert_array_equal(found, [[0.5], [1.5]])


def test_a_network_of_usual_size_is_short_and_quick(rng):
    network, database = dp.Network([20, 64, 64, 3], "relu"), Sqlite()
    parameters, x, p = drawn(network, rng, n=200)
    began = time.process_time()
    np.testing.assert_allclose(answered(database, network, parameters, x), p, atol=1e-12)
    assert time.process_time() - began < 30  # without MATERIALIZED it does not end
    query = dp.to_sql(network, parameters)
    assert len(query) < 40 * network.n_parameters
    assert deepest(query) < 100


def deepest(query):
    depth = most = 0
    for character in query:
        depth += {"(": 1, ")": -1}.get(character, 0)
        most = max(most, depth)
    return most


def test_a_neuron_has_a_column_with_its_name(rng):
    network = dp.Network([2, 3, 2], "tanh")
    query = dp.to_sql(network, network.init(rng))
    assert re.findall(r"^(\w+) AS MATERIALIZED|^WITH (\w+) AS", query, re.MULTILINE)
    for name in ("x_1", "z1_2", "a1_2", "z2_1", "p_1"):
        assert f"AS {name}" in query


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"dialect": "oracle"}, "no dialect 'oracle'; it is one of sqlite, duckdb, postgres"),
        ({"columns": ["a"]}, "columns has 1 names; the network has 2 inputs"),
        ({"table": ""}, "cannot name a table or a column"),
        ({"key": "a\0b"}, "cannot name a table or a column"),
    ],
)
def test_what_it_cannot_be_is_said(told, match):
    network = dp.Network([2, 2])
    with pytest.raises(SettingError, match=match):
        dp.to_sql(network, network.init(np.random.default_rng(0)), **told)


@pytest.mark.parametrize(
    ("sizes", "match"),
    [([500, 600, 2], "301,802 parameters; a query may have 250,000"), ([2, 2000, 2], "of 2,000")],
)
def test_what_is_too_large_is_refused(sizes, match):
    network = dp.Network(sizes)
    with pytest.raises(SettingError, match=match):
        dp.to_sql(network, network.init(np.random.default_rng(0)))
