"""The commands, and what happens when one of them cannot go on."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from deltaprop._version import __version__
from deltaprop.cli import (
    bench,
    check,
    evaluate,
    explain,
    export,
    mark,
    new,
    practice,
    predict,
    studio,
    train,
)
from deltaprop.cli.aborted import saying_when_aborted
from deltaprop.cli.began import begin
from deltaprop.cli.help import Command, Commands
from deltaprop.cli.language import choose_language
from deltaprop.cli.options import LanguageOption
from deltaprop.cli.show import complain, remark, say

__all__ = ["app", "main"]

# typer carries its own copy of click; its exceptions are reached through the one it exports
_UsageError = typer.BadParameter.__mro__[1]
_ClickException = _UsageError.__mro__[1]

_USAGE, _INTERRUPTED = 2, 130

app = typer.Typer(
    name="deltaprop",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train feed-forward networks by back-propagation, and see where every number comes from.",
    epilog=train.EXAMPLE,
)
for each in (train, predict, evaluate, explain, check, mark, practice, studio, export, new, bench):
    name = each.__name__.rpartition(".")[2]
    app.command(name, cls=Command, epilog=each.EXAMPLE)(getattr(each, name))


@cache
def _command() -> Any:
    """Return what typer makes of all the commands, made once in a process."""
    return get_command(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deltaprop {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
    language: LanguageOption = None,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; ``sys.argv`` when left out.

    Returns
    -------
    int
        0 done, 1 the answer is no, 2 bad usage or input, 130 interrupted.
    """
    if sys.stderr is None:  # closed by the caller: whatever is said there is lost
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        complain("Standard output is closed. Redirect it to a file, or to /dev/null.")
        return _USAGE
    begin(with_process=arguments is None)
    given = list(sys.argv[1:] if arguments is None else arguments)
    dashes = given.index("--") if "--" in given else len(given)
    debug = "--debug" in given[:dashes]
    rest = [word for word in given[:dashes] if word != "--debug"] + given[dashes:]
    try:
        choose_language(given[:dashes])
        with saying_when_aborted(_USAGE), _warnings_as_remarks(debug):
            # what was typed, for those who tell how to repeat it
            status = _command()(rest, prog_name="deltaprop", standalone_mode=False, obj=tuple(rest))
        if status == _INTERRUPTED:  # typer's answer to Ctrl-C
            raise KeyboardInterrupt
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as error:
        # typer makes an exit of status 1 of a broken pipe
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        # whoever reads our output has seen enough, as in `deltaprop ... | head`
        _let_output_go()
        return 0
    except KeyboardInterrupt:
        complain("Interrupted.")
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place where nothing may pass
        if debug:
            traceback.print_exc()
        try:
            sys.stdout.flush()
        except OSError:  # what is left could not be written when the process ends, either
            _let_output_go()
        return _report(error)
    return status if isinstance(status, int) else 0


def _let_output_go() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception) -> int:
    from deltaprop.errors import DeltapropError

    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, DeltapropError):
        complain(str(error))
    elif isinstance(error, _UsageError):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "deltaprop"
        message = getattr(error, "format_message", lambda: str(error))()
        if type(error).__name__ == "NoArgsIsHelpError":  # the message is the help
            say(message)
        elif message:
            stop = "" if message.endswith((".", "?")) else "."
            see = f"See: {command} --help"
            complain(f"{message}{stop} {see}")
    elif isinstance(error, _ClickException):
        complain(str(getattr(error, "message", error)))
    elif isinstance(error, typer.Abort):
        complain("Interrupted.")
        return _INTERRUPTED
    else:
        _report_unforeseen(error)
    return _USAGE


def _missing_part(error: Exception) -> str:
    """Return the file or module of deltaprop itself that was not found; "" where it is no such."""
    if isinstance(error, ModuleNotFoundError):
        return error.name if error.name and error.name.startswith("deltaprop.") else ""
    if isinstance(error, FileNotFoundError):
        path = Path(str(error.filename))
        return str(path) if path.is_relative_to(Path(__file__).parents[1]) else ""
    return ""


def _report_unforeseen(error: Exception) -> None:
    from deltaprop.memory import is_for_want_of_memory, not_enough

    if is_for_want_of_memory(error):
        complain(not_enough())
    elif part := _missing_part(error):
        complain(
            f"{part} is a part of deltaprop and is not there: what is installed is another version "
            "or checkout. Install this one again, in an environment of its own."
        )
    elif isinstance(error, OSError):
        where = error.filename or "Standard input or output"
        complain(f"{where} cannot be used: {error.strerror or error}.")
    else:
        complain(
            f"This is a mistake in deltaprop, not in your input ({type(error).__name__}: {error}). "
            "Please report it; the same command with --debug shows where it happened."
        )


@contextmanager
def _warnings_as_remarks(debug: bool) -> Iterator[None]:
    """Print our own warnings as one line each, and everybody else's only with --debug."""

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if category.__module__.split(".")[0] == "deltaprop":
            remark(str(message))
        elif debug:
            remark(f"{category.__name__}: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


if __name__ == "__main__":
    sys.exit(main())
