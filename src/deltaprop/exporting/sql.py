"""to_sql: a network, or a table model from its raw columns to its answers, as one SELECT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deltaprop.errors import SettingError
from deltaprop.exporting.written import answers_of, mean_of, of_numbers, of_words, selected
from deltaprop.interop import sql
from deltaprop.interop.forward import forward
from deltaprop.interop.sql import MOST_PARAMETERS, quoted
from deltaprop.interop.written.query import Dialect, network_query, select_of
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.tabular.encoding.column import Column

if TYPE_CHECKING:
    from deltaprop.table_models import TableModel

__all__ = ["cooled", "to_sql"]


def to_sql(
    model: Network | TableModel,
    parameters: Parameters | None = None,
    dialect: str = "sqlite",
    table: str = "t",
    key: str = "id",
    columns: Sequence[str] | None = None,
) -> str:
    """Return one SELECT that works out what a model says of every row of a table.

    Each stage x, z1, a1, ..., p is a common table expression with a column for each neuron, sums
    are balanced trees, and numbers have all their digits. Of a table model x is made of its raw
    columns, numbers and words and truth values as the database has them.

    Parameters
    ----------
    model : Network or TableModel
        What is to be computed.
    parameters : Parameters, optional
        The network's; a table model has its own.
    dialect : {"sqlite", "duckdb", "postgres"}
        Whose SQL.
    table, key : str
        Where the rows are, and the column that tells them apart: the result has it, too.
    columns : sequence of str, optional
        Of a network: the columns that are x, in order; x0, x1, ... when left out.

    Returns
    -------
    str
        A query whose result has the key and, of a network, p_0, p_1, ...; of a table model
        ``prediction`` and, of classes, a probability for each: "p(setosa)". Of several targets a
        prediction for each, by its name.

    Raises
    ------
    SettingError
        When there is no such dialect, the model is too large for it, or a column or a function of
        it cannot be said in SQL.
    """
    from deltaprop.table_models import TableModel

    if isinstance(model, Network):
        if parameters is None:
            raise SettingError("A network needs its parameters: to_sql(network, parameters).")
        return sql.to_sql(model, parameters, dialect, table, key, columns)
    if not isinstance(model, TableModel):
        raise SettingError(
            f"{type(model).__name__} cannot be written as SQL; expected a Network with its "
            "parameters, or a TableModel."
        )
    if columns is not None or parameters is not None:
        raise SettingError("A table model has its own columns and parameters; leave them out.")
    return _table_query(model, sql.dialect_named(dialect), quoted(table), quoted(key))


def _table_query(model: TableModel, dialect: Dialect, table: str, key: str) -> str:
    encoded = getattr(model.inputs, "columns", None)
    if encoded is None:
        raise SettingError("The model reads images; their pixels are no columns of a database.")
    n = model.network.n_parameters * len(model.members)
    if n > MOST_PARAMETERS:
        raise SettingError(
            f"The model has {n:,} parameters in {len(model.members)} networks; a query may have "
            f"{MOST_PARAMETERS:,}. Train with preset='plain', or with fewer members."
        )
    x = list(_inputs_of(encoded, dialect))
    parts: list[tuple[str, str]] = []
    ends = []
    for member, parameters in enumerate(model.members, 1):
        stages = forward(model.network, cooled(model, parameters))
        sql.refuse_wide(model.network, stages, dialect)
        of_member = list(network_query(stages, dialect, table, key, x, prefix=f"m{member}_"))
        ends.append(of_member[-1][0])
        parts += of_member if member == 1 else of_member[1:]
    parts.append(("answer", mean_of(model, ends, key)))
    return select_of(parts, selected(key, list(answers_of(model))))


def cooled(model: TableModel, parameters: Parameters) -> Parameters:
    """Return parameters whose logits are divided by the temperature of the calibration."""
    if model.calibration is None:
        return parameters
    cold = parameters.copy()
    last = cold.layers[-1]
    for array in (last[name] for name in ("W", "b") if name in last):
        array /= model.calibration.temperature
    return cold


def _inputs_of(columns: Sequence[Column], dialect: Dialect) -> Iterator[str]:
    """Yield an expression for each input of the network, of the columns of a table."""
    for column in columns:
        if not column.n_outputs:
            continue
        if column.plain_cells_are == "number":
            yield from of_numbers(column, dialect)
        elif column.plain_cells_are == "word":
            yield from of_words(column)
        elif column.takes_ranges:
            raise SettingError(
                f"The numbers of column {column.name!r} were written in a way of their own in "
                f"training ({column.note}); in SQL they have to be plain. Convert them, and train "
                "again."
            )
        else:
            raise SettingError(
                f"Column {column.name!r} is a {column.kind_names[0]}; SQL has no way to make its "
                "inputs. Train without it, or predict with deltaprop."
            )
