"""ES modules as one script that needs no other: for pages that open from a disk.

A page may not import where it has no server, and its policy names the digest of what runs. So the
modules that an entry imports are written one after another, each in a function of its own.
"""

from __future__ import annotations

import re
from importlib.resources.abc import Traversable
from posixpath import basename, dirname, join, normpath

__all__ = ["one_script"]

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "(\.[^"]*)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|let|class) (\w+))", re.MULTILINE)


def one_script(folder: Traversable, entry: str, run: str = "") -> str:
    """Return a module of a folder, "app" or "views/app", with all it imports, as one script.

    ``run`` is what is done at the end, in which the entry is called by its own name.
    """
    written: dict[str, str] = {}
    _write(folder, entry, written)
    last = f"const {basename(entry)} = {_constant(entry)};\n{run}" if run else ""
    return "\n".join(("(() => {", '"use strict";', *written.values(), last, "})();\n"))


def _write(folder: Traversable, name: str, written: dict[str, str]) -> None:
    """Write a module behind those that it imports, each once."""
    if name in written:
        return
    text = folder.joinpath(f"{name}.js").read_text(encoding="utf-8")
    for _, path in _IMPORT.findall(text):
        _write(folder, _place(name, path), written)
    written[name] = _as_function(name, text)


def _place(name: str, path: str) -> str:
    return normpath(join(dirname(name), path))


def _constant(name: str) -> str:
    return "of_" + re.sub(r"\W", "_", name)  # no name that a module exports


def _as_function(name: str, text: str) -> str:
    """Return a module as a constant with what it exports; its comments stay in its file."""
    if "vendored/" not in name:
        text = re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)
        text = re.sub(r"^\s*//.*\n|^\s*\n|^ +", "", text, flags=re.MULTILINE)

    def constant(found: re.Match[str]) -> str:
        names = found[1].replace(" as ", ": ")
        return f"const {names} = {_constant(_place(name, found[2]))};"

    exported = ", ".join(_EXPORT.findall(text))
    text = _EXPORT.sub("", _IMPORT.sub(constant, text))
    return f"const {_constant(name)} = (() => {{\n{text.strip()}\nreturn {{ {exported} }};\n}})();"
