"""``deltaprop mark``: the numbers somebody claims, judged one by one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from deltaprop.cli.show import print_json, say, terminal_width

__all__ = ["EXAMPLE", "mark"]

EXAMPLE = "Example: deltaprop mark homework.json"


def mark(
    worked: Annotated[
        str, typer.Argument(metavar="WORKED", help="A worked example with claims, JSON or YAML.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> int:
    """Judge the numbers somebody claims, and name the mistakes.

    A number is right, right but rounded, follows from an earlier slip, or is wrong. The exit
    status is 0 when all are right, 1 when one is wrong.
    """
    from pathlib import Path

    from deltaprop.errors import DataError
    from deltaprop.practice import mark as mark_working

    if not Path(worked).is_file():
        raise DataError(_no_file(worked))
    marking = mark_working(worked)
    if json:
        print_json(marking.to_dict())
    else:
        text = marking.to_terminal(width=terminal_width(), color=sys.stdout.isatty())
        say(text.rstrip("\n"), result=True)
    return 0 if marking.ok else 1


def _no_file(worked: str) -> str:
    from pathlib import Path

    from deltaprop.model.files import nearest_file

    if Path(worked).is_dir():
        return f"{worked} is a folder; expected a worked example with claims, JSON or YAML."
    near = nearest_file(worked)
    hint = f" Did you mean {near!r}?" if near else ""
    return f"{worked} does not exist; expected a worked example with claims, JSON or YAML.{hint}"
