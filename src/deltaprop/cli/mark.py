"""``deltaprop mark``: the numbers somebody claims, judged one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.language import language_of
from deltaprop.cli.options import LanguageOption, option, switch
from deltaprop.cli.show import count, in_color, plain, print_json, say, terminal_width
from deltaprop.cli.source import no_file
from deltaprop.languages import told

__all__ = ["EXAMPLE", "mark"]

EXAMPLE = "Example: deltaprop mark homework.json"


def mark(
    worked: Annotated[
        str | None,
        typer.Argument(
            metavar="WORKED",
            help="A worked example with claims, JSON or YAML; or a built-in one, such as mazur.",
        ),
    ] = None,
    papers: Annotated[
        str | None,
        option(
            "FOLDER", "Mark every paper in a folder, and tell the commonest mistakes.", "--class"
        ),
    ] = None,
    out: Annotated[
        str | None, option("FOLDER", "With --class: write a page of feedback for each paper.")
    ] = None,
    language: LanguageOption = None,
    json: Annotated[bool, switch("--json", "Print the result as JSON.")] = False,
) -> int:
    """Judge the numbers somebody claims, and name the mistakes.

    A number is right, perhaps rounded or in another convention, follows from an earlier slip, or
    is wrong. The exit status is 0 when all are right, 1 when one is wrong; with --class also 2
    when a paper cannot be read.
    """
    from deltaprop.errors import SettingError, nearest_name
    from deltaprop.explaining import EXAMPLES, built_in_example
    from deltaprop.practice import mark as mark_working

    if (worked is None) == (papers is None):
        raise SettingError(
            "mark takes one worked example, or --class FOLDER with one for each paper of a class. "
            "See: deltaprop mark --help"
        )
    if papers is not None:
        return _marked_class(papers, out, language_of(language, machine=json and out is None), json)
    if out is not None:
        raise SettingError("--out is the folder for the pages of --class; give both, or neither.")
    assert worked is not None
    is_file = Path(worked).is_file()
    if not is_file and worked not in EXAMPLES:
        expected = "a worked example with claims, JSON or YAML, or a built-in one"
        raise no_file(worked, expected, nearest_name(worked, EXAMPLES))
    marking = mark_working(worked if is_file else built_in_example(worked))
    if json:
        print_json(marking.to_dict())
    else:
        text = marking.to_terminal(
            width=terminal_width(), color=in_color(), language=language_of(language)
        )
        say(text.rstrip("\n"), result=True)
    return 0 if marking.ok else 1


def _marked_class(papers: str, out: str | None, language: str, json: bool) -> int:
    """Mark a class's papers, write their pages; return the exit status."""
    from deltaprop.errors import SettingError
    from deltaprop.practice import mark_class

    if out is not None and Path(out).resolve().is_relative_to(Path(papers).resolve()):
        raise SettingError(
            f"--out {out} is inside the folder of the papers, and the pages would be taken for "
            "papers the next time. Give a folder beside it."
        )
    marked = mark_class(papers, language)
    pages = () if out is None else marked.write_pages(out)
    if json:
        print_json(marked.to_dict())
    else:
        say(marked.to_terminal(width=terminal_width()).rstrip("\n"), result=True)
    if out is not None:
        say(told(f"{count(len(pages), 'page')} written to {plain(out)}"))
    return marked.status
