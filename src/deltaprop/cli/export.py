"""``deltaprop export``: a model as a program of another world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deltaprop.cli.options import LanguageOption, option, whole
from deltaprop.cli.own_numbers import ForceOption, refuse_to_overwrite
from deltaprop.cli.show import plain, remark, say
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.languages import told

if TYPE_CHECKING:
    from deltaprop.model.parameters import Parameters
    from deltaprop.model.spec import Network
    from deltaprop.table_models import TableModel

__all__ = ["EXAMPLE", "export"]

EXAMPLE = "Example: deltaprop export penguins.safetensors --to sql --table penguins --key id"
FORMATS = ("sql", "onnx", "c", "numpy", "torch")
_MOST_NAMED = 6


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A file saved by train, or by save in Python.")
    ],
    to: Annotated[str, option("FORMAT", f"One of {', '.join(FORMATS)}.", "--to")],
    out: Annotated[str | None, option("FILE", "Where to write it; printed when left out.")] = None,
    dialect: Annotated[str, option("NAME", "Of sql: sqlite, duckdb or postgres.")] = "sqlite",
    table: Annotated[str, option("NAME", "Of sql: the table with the rows.")] = "t",
    key: Annotated[str, option("COL", "Of sql: the column that tells rows apart.")] = "id",
    name: Annotated[str, option("NAME", "Of c: what its functions begin with.")] = "model",
    dtype: Annotated[str, option("TYPE", "Of c: float32 or int8.")] = "float32",
    target: Annotated[str | None, option("COL", "Of several models: that of a target.")] = None,
    member: Annotated[
        int | None,
        whole("N", "The network of member N alone, from 1, without what encodes the columns."),
    ] = None,
    language: LanguageOption = None,
    force: ForceOption = False,
) -> int:
    """Write a model as a program that needs no deltaprop.

    sql is a query over a table with the columns of the training, and onnx a graph with an input for
    each of them; both have everything in it. The others are of a network alone.
    """
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.exporting.onnx_out import to_onnx
    from deltaprop.exporting.sql import to_sql
    from deltaprop.interop.c import to_c
    from deltaprop.interop.scripts import to_code
    from deltaprop.model.files import write_atomically

    if to not in FORMATS:
        raise UnknownNameError("format", to, list(FORMATS))
    if to == "onnx" and out is None:
        raise SettingError("An ONNX graph is no text; say where it is written: --out model.onnx.")
    check_outputs({"--out": out}, {"MODEL": model})
    refuse_to_overwrite(out, force=force)
    found = _read(model, target)
    if not isinstance(found, tuple) and (to not in ("sql", "onnx") or member is not None):
        found = _network_of(found, model, 1 if member is None else member, asked=member is not None)
    if to == "onnx" and out is not None:
        network, parameters = found if isinstance(found, tuple) else (found, None)
        to_onnx(network, out, parameters)
        say(told(f"written to {plain(out)}"))
        return 0
    if not isinstance(found, tuple):
        text = to_sql(found, dialect=dialect, table=table, key=key)
    elif to == "sql":
        text = to_sql(*found, dialect=dialect, table=table, key=key)
    elif to == "c":
        text = to_c(*found, name, dtype)
    else:
        text = to_code(*found, to)
    if out is None:
        say(text.rstrip("\n"), result=True)
        return 0
    write_atomically(out, text.encode("utf-8"))
    say(told(f"written to {plain(out)}"))
    return 0


def _read(path: str, target: str | None) -> TableModel | tuple[Network, Parameters]:
    """Return the model of a file; an estimator's or a bare network as it is."""
    from deltaprop.estimators.plain import KEY
    from deltaprop.model.serialize import load_model
    from deltaprop.table_models import TableModel
    from deltaprop.table_models.several_targets import SEVERAL

    saved = load_model(path)
    if saved.table is None and SEVERAL not in saved.training and KEY not in saved.training:
        return saved.network, saved.parameters
    from deltaprop.cli.model_file import open_model

    model = open_model(path).one(target)
    if isinstance(model, TableModel):
        return model
    if model.inputs is not None:
        raise SettingError(
            f"{path} holds an estimator that encodes its columns; what is exported are networks, "
            "and models of 'deltaprop train'. Train it there."
        )
    return model.network, model.parameters


def _network_of(
    model: TableModel, path: str, member: int, *, asked: bool
) -> tuple[Network, Parameters]:
    """Return the network of a member alone, and say what its inputs are."""
    k = len(model.members)
    if not asked:
        raise SettingError(
            f"{path} encodes its columns before its {k} networks see them; such a program would "
            "lack that. Export it --to sql or onnx, or one network alone with --member 1."
        )
    if not 1 <= member <= k:
        raise SettingError(f"--member is {member}; {path} has {k} networks, counted from 1.")
    names = [plain(name) for name in model.inputs.output_names]
    shown = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    remark(
        f"Its inputs are the {len(names)} numbers that the columns become, scaled as in training: "
        f"{shown}."
    )
    return model.network, model.members[member - 1]
