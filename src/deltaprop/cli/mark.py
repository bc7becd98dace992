"""``deltaprop mark``: the numbers somebody claims, judged one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.options import switch
from deltaprop.cli.show import in_color, print_json, say, terminal_width
from deltaprop.cli.source import no_file

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

    A number is right, perhaps rounded or in another convention, follows from an earlier slip, or
    is wrong. The exit status is 0 when all are right, 1 when one is wrong.
    """
    from deltaprop.errors import nearest_name
    from deltaprop.explaining import EXAMPLES, built_in_example
    from deltaprop.practice import mark as mark_working

    is_file = Path(worked).is_file()
    if not is_file and worked not in EXAMPLES:
        expected = "a worked example with claims, JSON or YAML, or a built-in one"
        raise no_file(worked, expected, nearest_name(worked, EXAMPLES))
    marking = mark_working(worked if is_file else built_in_example(worked))
    if json:
        print_json(marking.to_dict())
    else:
        text = marking.to_terminal(width=terminal_width(), color=in_color())
        say(text.rstrip("\n"), result=True)
    return 0 if marking.ok else 1
