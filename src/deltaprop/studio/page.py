"""The studio as one page that needs nothing else: views, words, and kernels where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from deltaprop.explaining.examples import built_in_example
from deltaprop.explaining.language import words_of
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.languages.names import NAMES
from deltaprop.notation.html_page import html_page, json_in_html
from deltaprop.notation.page_script import one_script
from deltaprop.studio.away import what_files_need
from deltaprop.studio.engine import packed_engine
from deltaprop.studio.language import wording
from deltaprop.studio.mathematics import mathematics
from deltaprop.studio.mending import mending
from deltaprop.studio.mistakes import mistakes
from deltaprop.studio.tables import OpenTable
from deltaprop.studio.typed_columns import BUILT_IN, packed_built_in, packed_table, rules
from deltaprop.training.optimizers import OPTIMIZERS, hyperparameters

__all__ = ["studio_page"]

_PAGE = files("deltaprop").joinpath("studio", "page")
_STYLES = ("vendored/uplot.css", "studio.css")


def studio_page(
    language: str = "en",
    server: str | None = None,
    in_notebook: Mapping[str, Any] | None = None,
    table: OpenTable | None = None,
) -> str:
    """Return the page.

    Parameters
    ----------
    language : {"en", "zh"}
        Of its words.
    server : str, optional
        The address of the WebSocket that it asks; without it the page has the kernels in it and
        trains by itself.
    in_notebook : mapping, optional
        The run that it opens with in a notebook (``KeptRun`` of facts.js); it tells the frame
        around it where it stands.
    table : OpenTable, optional
        One that it opens; without a server it stands in the page, of a large one some rows.

    Raises
    ------
    SettingError
        No server, and kernels that were not built.
    """
    words = wording(language)
    blocks = {"facts": json_in_html(_facts(language, server, table))}
    if in_notebook is not None:
        blocks["run"] = json_in_html({**in_notebook, "inNotebook": True})
    if server is None:
        packed = {name: packed_built_in(name) for name in BUILT_IN}
        if table is not None:
            packed["own"] = packed_table(table)
        blocks["tables"] = json_in_html(packed)
        blocks["kernels"] = packed_engine()
        blocks["worker"] = _script_in_html(one_script(files("deltaprop"), "studio/page/worker"))
    style = "\n".join(_PAGE.joinpath(name).read_text(encoding="utf-8") for name in _STYLES)
    kinds = dict.fromkeys(("facts", "run", "tables"), "application/json")
    door = "engine in page" if server is None else "engine at server"
    body = [
        f"<header><h1>{escape(words['title'])}</h1><p>{escape(words['subtitle'])}</p>",
        f'<p class="door">{escape(words[door])}</p><p id="header-tools"></p></header>',
        f'<main id="studio"><noscript>{escape(words["needs scripts"])}</noscript></main>',
        *(
            f'<script type="{kinds.get(name, "text/plain")}" id="{name}">{text}</script>'
            for name, text in blocks.items()
        ),
    ]
    asks = "worker-src blob:; connect-src 'none'; " if server is None else "connect-src 'self'; "
    script = one_script(files("deltaprop"), "studio/page/studio", "studio.open();")
    return html_page(
        words["title"], body, language=language, style=style, kind="studio",
        script=_script_in_html(script),
        scripts_may="'wasm-unsafe-eval'" if server is None else "",
        policy=f"img-src data:; {asks}",
    )  # fmt: skip


def _facts(language: str, server: str | None, table: OpenTable | None) -> dict[str, Any]:
    kinds = ("activation", "loss", "optimizer")
    flat = {name: cls for name, cls in OPTIMIZERS.items() if not hasattr(cls, "step_on")}
    return {
        "language": language,
        "words": {"terms left out": words_of(language)["terms left out"], **wording(language)},
        "names": {kind: NAMES[kind] if language == "zh" else {} for kind in kinds},
        "activations": list(ACTIVATIONS),
        "losses": {name: row.targets for name, row in LOSSES.items()},
        "optimizers": {
            name: {
                setting: value
                for setting, value in hyperparameters(cls(1.0)).items()
                if setting != "learning_rate" and not isinstance(value, bool)
            }
            for name, cls in flat.items()
        },
        "server": server,
        "own": None if table is None else Path(table.table.source).name,
        "columnRules": rules(),
        "mathematics": mathematics(),
        "tutorial": _tutorial(),
        "mistakes": mistakes(language),
        "mend": mending(language),
        **what_files_need(),
    }


def _tutorial() -> dict[str, Any]:
    """Return the example of the tutorial that the project grew out of."""
    example = built_in_example("tutorial")
    network, optimizer = example.network, example.optimizer
    hidden = zip(network.sizes[1:-1], network.activations, strict=True)
    return {
        "x": example.x, "targets": example.targets, "loss": network.loss.name,
        "weights": example.parameters.flat.tolist(),
        "hidden": [{"n": n, "activation": activation.name} for n, activation in hidden],
        "learningRate": optimizer.learning_rate, "optimizer": optimizer.name,
    }  # fmt: skip


def _script_in_html(text: str) -> str:
    """Return a script that may stand in HTML: nothing in it ends the element."""
    assert "</script" not in text.lower()
    return text
