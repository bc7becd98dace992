"""Databases that a query is tried in: a table is made of columns, and a query asked."""

import sqlite3

import pytest


class Sqlite:
    number = "REAL"

    def __init__(self):
        self.connection = sqlite3.connect(":memory:")

    def run(self, query, rows=()):
        if rows:
            self.connection.executemany(query, rows)
            return []
        return self.connection.execute(query).fetchall()


class Duckdb(Sqlite):
    number = "DOUBLE"

    def __init__(self):
        self.connection = pytest.importorskip("duckdb").connect()


class Postgres(Sqlite):
    number = "DOUBLE PRECISION"

    def __init__(self, connection):
        self.connection = connection.cursor()

    def run(self, query, rows=()):
        if rows:
            self.connection.executemany(query.replace("?", "%s"), rows)
            return []
        self.connection.execute(query)
        return self.connection.fetchall() if self.connection.description else []
