"""Run a command of pip's and show how far it is: what it fetches, and which file is being compiled.

Usage: showing.py COMMAND ...    The command is shown line by line as far as it matters; all of it,
where it fails. On a terminal a clock runs on in the last line, for the C++ files take their time.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable

COMPILED = re.compile(r"\[(\d+)/(\d+)\] (Building|Linking) CXX \S+(?: \S+)* (\S+)$")
WHEEL = re.compile(r"^([^-]+-[^-]+)-\S+\.whl")
STEP = re.compile(r"(Collecting|Downloading|Using cached|Installing collected packages:) *(.*)")


def told(line: str) -> str | None:
    """Return what is shown of a line of pip's, CMake's or Ninja's; None for nothing.

    >>> told("  [3/10] Building CXX object CMakeFiles/k.dir/native/builds/avx2.cpp.o")
    '  [3/10] compiled native/builds/avx2.cpp'
    >>> told("Collecting numpy>=1.26")
    '  Collecting numpy>=1.26'
    """
    line = line.strip()
    if found := COMPILED.search(line):
        done, of, what, target = found.groups()
        name = re.sub(r"^CMakeFiles/([^/]*)\.dir/", "", target).removesuffix(".o")
        if "Unity/" in name:
            name = "the small files of " + re.sub(r".*CMakeFiles/([^/]*)\.dir/.*", r"\1", target)
        return f"  [{done}/{of}] {'compiled' if what == 'Building' else 'linked'} {name}"
    if found := STEP.match(line):
        what, of = found.groups()
        of = of.split(" (from")[0].split(";")[0].split("/")[-1]
        # of a wheel the tags say nothing to who waits
        name = WHEEL.sub(r"\1", of)
        return "  " + textwrap.shorten(f"{what} {name}", 98, placeholder=" ...")
    return "  configuring" if line.startswith("*** Configuring CMake") else None


class Clock:
    """The seconds since the last line, on a terminal."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._over = threading.Event()
        self._shown = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if sys.stdout.isatty():
            self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(1.0):
            with self._shown:
                print(f"\r  ... {time.monotonic() - self._since:.0f} s", end="", flush=True)

    def say(self, line: str) -> None:
        """Put a line in place of the clock."""
        with self._shown:
            print(("\r\033[K" if sys.stdout.isatty() else "") + line, flush=True)
            self._since = time.monotonic()

    def stop(self) -> None:
        """Clear the clock."""
        self._over.set()
        if sys.stdout.isatty():
            self._thread.join()
            print("\r\033[K", end="", flush=True)


def run(command: list[str], say: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run the command, say what matters; return its exit status and all its lines."""
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if (shown := told(line)) is not None:
                say(shown)
    return process.returncode, lines


def main(command: list[str]) -> int:
    """Run it; say everything where it fails."""
    clock = Clock()
    try:
        status, lines = run(command, clock.say)
    finally:
        clock.stop()
    if status != 0:
        sys.stderr.writelines(lines)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
