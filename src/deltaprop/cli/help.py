"""The help of the commands, in the language that was chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from deltaprop.languages import current_language, told
from deltaprop.widths import pad, text_width, wrap

__all__ = ["Command", "Commands"]

_WIDEST = 80
_REGISTERED = re.compile("{(presets|levels|kinds)}")
_BRACKETS = re.compile(r"(.*?)(?:  \[([^\]]*)\])?", re.DOTALL)  # what is required, the default
# typer carries its own copy of click
_click_command: Any = TyperCommand.__mro__[1]
_Formatter: Any = _click_command.context_class.formatter_class


class _Chinese(_Formatter):  # type: ignore[misc]
    """Help whose headings are Chinese, and whose lines are as wide as they look."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        args = " ".join(told(word) for word in re.split(r" (?!\[ARGS)", args))
        super().write_usage(prog, args, told("Usage: "))

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        self.write(f"{told(heading)}：\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; one that begins with a backspace keeps its lines."""
        indent = " " * self.current_indent
        blocks = []
        for block in re.split(r"\n\s*\n", text):
            if block.startswith("\b"):
                lines = [told(line) for line in block.splitlines()[1:]]
            else:
                lines = wrap(told(" ".join(block.split())), self.width - len(indent))
            blocks.append("".join(f"{indent}{line}\n" for line in lines))
        self.write("\n".join(blocks))

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write what there is, and beside it what it is for."""
        indent = " " * self.current_indent
        first = min(max(text_width(name) for name, _ in rows), col_max) + col_spacing
        for name, text in rows:
            room = max(self.width - len(indent) - first, 20)
            lines = wrap(_told_of(text), room) or [""]
            if text_width(name) > first - col_spacing:
                self.write(f"{indent}{name}\n")
                name = ""
            for line in lines:
                self.write(f"{indent}{pad(name, first)}{line}".rstrip() + "\n")
                name = ""


def _told_of(text: str) -> str:
    """Return what an option is for, with its default."""
    found = _BRACKETS.fullmatch(text)
    assert found is not None
    further = [told(part) for part in (found[2] or "").split("; ") if part]
    return told(found[1]) + (f"[{'；'.join(further)}]" if further else "")


def _help_of(command: Any, context: Any) -> str:
    formatter = context.make_formatter()
    if current_language() == "zh":
        formatter = _Chinese(width=context.terminal_width, max_width=context.max_content_width)
    command.format_help(context, formatter)
    return str(formatter.getvalue()).rstrip("\n")


class Command(TyperCommand):
    """A command whose help says what is registered: looked up when somebody asks for the help."""

    def get_help(self, ctx: Any) -> str:
        """Return the help."""
        return _help_of(self, ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with what is registered where it says ``{presets}``, for instance."""
        shown = copy(self)
        shown.params = [copy(each) for each in self.params]
        for each in (shown, *shown.params):
            if isinstance(each, TyperCommand | TyperOption):
                each.help = _filled(each.help or "") or None
        super(Command, shown).format_help(ctx, formatter)


class Commands(TyperGroup):
    """All the commands."""

    def get_help(self, ctx: Any) -> str:
        """Return the help."""
        return _help_of(self, ctx)


def _filled(text: str) -> str:
    """Return a help with what is registered where it names that."""
    if not _REGISTERED.search(text):
        return text
    paragraphs = (told(" ".join(each.split())) for each in re.split(r"\n\s*\n", text))
    return "\n\n".join(_REGISTERED.sub(_registered, each) for each in paragraphs)


def _registered(word: re.Match[str]) -> str:
    if word[1] == "presets":  # whoever asks for these need not wait for the exercises
        from deltaprop.table_models.presets import PRESETS

        return _listed({preset.name: preset.doc for preset in PRESETS.values()})
    if word[1] == "kinds":
        from deltaprop.practice.exercises.kinds import KINDS

        return _listed({name: kind.doc for name, kind in KINDS.items()})
    from deltaprop.practice.exercises.levels import LEVELS

    names = (f"{number} {level.names[current_language()]}" for number, level in LEVELS.items())
    return told("; ").join(names)


def _listed(docs: dict[str, str]) -> str:
    return told("; ").join(f"{name}{told(': ')}{told(doc)}" for name, doc in docs.items())
