"""``deltaprop mark``: the numbers somebody claims, judged one by one."""

from __future__ import annotations

from typing import Annotated

import typer

from deltaprop.cli.options import switch
from deltaprop.cli.show import in_color, print_json, say, terminal_width

__all__ = ["EXAMPLE", "mark"]

EXAMPLE = "Example: deltaprop mark homework.json"


def mark(
    worked: Annotated[
        str,
        typer.Argument(
            metavar="WORKED",
            help="A worked example with claims, JSON or YAML; or a built-in one, such as mazur.",
        ),
    ],
    json: Annotated[bool, switch("--json", "Print the result as JSON.")] = False,
) -> int:
    """Judge the numbers somebody claims, and name the mistakes.

    A number is right, right but rounded, follows from an earlier slip, or is wrong. The exit
    status is 0 when all are right, 1 when one is wrong.
    """
    from pathlib import Path

    from deltaprop.errors import DataError
    from deltaprop.explaining import EXAMPLES, built_in_example
    from deltaprop.practice import mark as mark_working

    if Path(worked).is_file():
        marking = mark_working(worked)
    elif worked in EXAMPLES:
        marking = mark_working(built_in_example(worked))
    else:
        raise DataError(_no_file(worked))
    if json:
        print_json(marking.to_dict())
    else:
        text = marking.to_terminal(width=terminal_width(), color=in_color())
        say(text.rstrip("\n"), result=True)
    return 0 if marking.ok else 1


def _no_file(worked: str) -> str:
    from pathlib import Path

    from deltaprop.errors import nearest_name
    from deltaprop.explaining import EXAMPLES
    from deltaprop.model.files import nearest_file

    expected = "expected a worked example with claims, JSON or YAML, or a built-in one"
    if Path(worked).is_dir():
        return f"{worked} is a folder; {expected}: {', '.join(EXAMPLES)}."
    near = nearest_file(worked) or nearest_name(worked, EXAMPLES)
    hint = f" Did you mean {near!r}?" if near else ""
    return f"{worked} does not exist; {expected}: {', '.join(EXAMPLES)}.{hint}"
