"""Print the requirements of parts of pyproject.toml, one a line, for pip.

Usage: requirements.py PART ...    PART is build, backend, runtime or the name of an extra. "build"
is what pyproject.toml names, "backend" is what the build backend asks for beyond that (CMake and
Ninja, where the machine has none).
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(part: str) -> list[str]:
    """Look up the requirements of a part."""
    tables = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    if part == "build":
        return list(tables["build-system"]["requires"])
    if part == "backend":
        from scikit_build_core.build import get_requires_for_build_editable

        return list(get_requires_for_build_editable())
    if part == "runtime":
        return list(tables["project"]["dependencies"])
    return list(tables["project"]["optional-dependencies"][part])


if __name__ == "__main__":
    print("\n".join(each for part in sys.argv[1:] for each in requirements(part)))
