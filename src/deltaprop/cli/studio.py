"""``deltaprop studio``: a page where a network learns and every number can be touched."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated

import typer

from deltaprop.cli.language import language_of
from deltaprop.cli.options import (
    EncodingOption,
    LanguageOption,
    MissingOption,
    option,
    parse_missing,
    switch,
    whole,
)
from deltaprop.cli.own_numbers import ForceOption, refuse_to_overwrite
from deltaprop.cli.show import remark, say

__all__ = ["EXAMPLE", "studio"]

EXAMPLE = """\b
Example:
  deltaprop studio
  deltaprop studio penguins.csv --target species
  deltaprop studio penguins.csv --export page.html"""


def studio(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="A table that it opens: CSV (also .gz, .tsv), Parquet; of images (IDX, .npz) "
            "--target names the labels.",
        ),
    ] = None,
    target: Annotated[
        str | None, option("COL", "The column to predict; the last one when left out.")
    ] = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    port: Annotated[int, whole("N", "Where it is served; 0 takes a free one.")] = 0,
    no_browser: Annotated[bool, switch("--no-browser", "Do not open a browser.")] = False,
    export: Annotated[
        str | None,
        option("PAGE.html", "Write the page to a file, with the engine in it; serve nothing."),
    ] = None,
    language: LanguageOption = None,
    force: ForceOption = False,
) -> int:
    """Open a page where a network learns before your eyes.

    It is served to this computer alone, until Ctrl-C. With --export it is one file that opens
    anywhere: from a disk, on a phone, without a network. A table can be dropped on either.
    """
    from deltaprop.errors import SettingError
    from deltaprop.model.files import write_atomically
    from deltaprop.studio.page import studio_page

    language = language_of(language)
    if not 0 <= port < 2**16:
        raise SettingError(f"--port is {port}; it is a number from 0 to 65535.")
    if data is None and target is not None:
        raise SettingError("--target is a column of DATA, which is missing.")
    table = None
    if data is not None:
        from deltaprop.studio.tables import opened_file

        table = opened_file(data, target or "", parse_missing(missing), encoding)
        if target is not None:
            table.check_target(target)
    if export is not None:
        from deltaprop.cli.outputs import check_outputs

        check_outputs({"--export": export}, {"DATA": data})
        refuse_to_overwrite(export, force=force)
        page = studio_page(language, table=table).encode()
        write_atomically(export, page)
        say(f"{export} holds the studio ({len(page) / 1000:.0f} kB). Open it in any browser.")
        return 0
    from deltaprop.studio.server import serve

    def opened(address: str) -> None:
        say(address, result=True)
        sys.stdout.flush()  # whoever reads it through a pipe waits for it
        remark("The studio is open at this address, to this computer alone. Ctrl-C ends it.")
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    try:
        serve(port, language, opened, table=table, token=_given_token())
    except KeyboardInterrupt:
        return 0  # that is how it ends
    except OSError as error:
        raise SettingError(
            f"Port {port} cannot be had ({error.strerror}). Leave --port out, or give another."
        ) from error
    return 0


def _given_token() -> str | None:
    """Return the token of the address where one is given, so that a page finds its server again."""
    from deltaprop.errors import SettingError

    token = os.environ.get("DELTAPROP_STUDIO_TOKEN")
    if token and not re.fullmatch(r"[A-Za-z0-9_-]{16,}", token):
        raise SettingError(
            "The environment variable DELTAPROP_STUDIO_TOKEN holds no token: expected 16 or more "
            "letters and digits, that nobody guesses."
        )
    return token or None
