"""An mkdocs hook: lists every registry on the page that asks for it, from the rows themselves."""

from __future__ import annotations

from typing import Any

from deltaprop import ACTIVATIONS, INITIALIZERS, LOSSES, MISTAKES, OPTIMIZERS
from deltaprop.model.layers import LAYERS
from deltaprop.table_models.presets import presets_in_words
from deltaprop.training.schedules import SCHEDULES

MARK = "<!-- registries -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the mark by the tables."""
    return markdown.replace(MARK, registries()) if MARK in markdown else markdown


def on_page_content(html: str, **_: Any) -> str:
    """Say what the presets are where a docstring asks for it."""
    return html.replace("{presets}", presets_in_words())


def registries() -> str:
    """Return one Markdown table per registry."""
    parts = [
        _table(
            "Activations",
            ("name", "f(z)", "f'(z)", "", "initializer"),
            [(r.name, *map(_code, r.latex), r.doc, r.initializer) for r in ACTIVATIONS.values()],
        ),
        _table(
            "Losses",
            ("name", "output", "per sample", "delta times n", ""),
            [(r.name, r.output, *map(_code, r.latex), r.doc) for r in LOSSES.values()],
        ),
        _table(
            "Layers",
            ("name", "z", "arrays", ""),
            [
                (cls.__name__, _code(cls.latex), ", ".join(getattr(cls, "arrays", ())), cls.doc)
                for cls in LAYERS.values()
            ],
        ),
        _table(
            "Initializers",
            ("name", "W", ""),
            [(r.name, _code(r.latex), r.doc) for r in INITIALIZERS.values()],
        ),
        _table(
            "Optimizers",
            ("name", "step", ""),
            [(name, _code(cls.latex), cls.doc) for name, cls in OPTIMIZERS.items()],
        ),
        _table(
            "Schedules",
            ("name", "learning rate"),
            [(name, (cls.__doc__ or "").splitlines()[0]) for name, cls in SCHEDULES.items()],
        ),
        _table(
            "Named mistakes",
            ("name", "what goes wrong"),
            [(r.name, r.doc) for r in MISTAKES.values()],
        ),
    ]
    return "\n\n".join(parts)


def _table(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"## {title}", "", _row(header), _row(tuple("---" for _ in header))]
    lines += [_row((f"`{name}`", *rest)) for name, *rest in rows]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(latex: str) -> str:
    return "`" + latex.replace("|", r"\|") + "`"
