"""to_sql: a network as one SELECT."""

from __future__ import annotations

from collections.abc import Sequence

from deltaprop.errors import SettingError
from deltaprop.interop.forward import Stage, forward
from deltaprop.interop.written.query import (
    DIALECTS,
    Dialect,
    network_query,
    outputs_of,
    select_of,
)
from deltaprop.model.backprop import require_fit
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["MOST_PARAMETERS", "dialect_named", "quoted", "refuse_wide", "to_sql"]

MOST_PARAMETERS = 250_000  # of a query; its text has some 25 characters for each


def to_sql(
    network: Network,
    parameters: Parameters,
    dialect: str = "sqlite",
    table: str = "t",
    key: str = "id",
    columns: Sequence[str] | None = None,
) -> str:
    """Return one SELECT that gives p for every row of a table.

    Each stage x, z1, a1, ..., p is a common table expression with a column for each neuron, sums
    are balanced trees, and numbers have all their digits.

    Parameters
    ----------
    network, parameters
        What is to be computed.
    dialect : {"sqlite", "duckdb", "postgres"}
        Whose SQL.
    table, key : str
        Where the rows are, and the column that tells them apart: the result has it, too.
    columns : sequence of str, optional
        The columns that are x, in order; x0, x1, ... when left out.

    Returns
    -------
    str
        A query whose result has the key and p_0, p_1, ...

    Raises
    ------
    SettingError
        When there is no such dialect, the network is too large for it, or a function of it has no
        formula.
    """
    row = dialect_named(dialect)
    names = [f"x{i}" for i in range(network.n_in)] if columns is None else list(columns)
    if len(names) != network.n_in:
        raise SettingError(
            f"columns has {len(names)} names; the network has {network.n_in} inputs."
        )
    stages = _stages(network, parameters, row)
    query = network_query(stages, row, quoted(table), quoted(key), list(map(quoted, names)))
    return select_of(list(query), outputs_of(quoted(key), network.n_out))


def dialect_named(name: str) -> Dialect:
    """Return a dialect; SettingError where there is none of this name."""
    if name not in DIALECTS:
        raise SettingError(f"There is no dialect {name!r}; it is one of {', '.join(DIALECTS)}.")
    return DIALECTS[name]


def quoted(name: str) -> str:
    """Return a name as an identifier, whatever characters it has."""
    if not name or "\0" in name:
        raise SettingError(f"{name!r} cannot name a table or a column in SQL.")
    return '"' + name.replace('"', '""') + '"'


def _stages(network: Network, parameters: Parameters, dialect: Dialect) -> list[Stage]:
    """Return what is to be written, unless it is too much for a database."""
    require_fit(network, parameters)
    if network.n_parameters > MOST_PARAMETERS:
        raise SettingError(
            f"The network has {network.n_parameters:,} parameters; a query may have "
            f"{MOST_PARAMETERS:,}, or databases take too long to read it. Export to onnx or C."
        )
    stages = forward(network, parameters)
    refuse_wide(network, stages, dialect)
    return stages


def refuse_wide(network: Network, stages: list[Stage], dialect: Dialect) -> None:
    """Raise SettingError where a stage has more columns than a result may have."""
    widest = max(network.n_in, *(stage.width for stage in stages))
    if widest + 1 > dialect.most_columns:
        raise SettingError(
            f"The network has a layer of {widest:,} numbers; a result of {dialect.name} has at "
            f"most {dialect.most_columns:,} columns."
        )
