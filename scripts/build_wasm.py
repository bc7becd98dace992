"""Compile the kernels to WebAssembly, for the page of the studio.

Usage: build_wasm.py TARGET. The compiler is Zig's, from the Python package ziglang
(constraints/wasm.txt); what it makes is the same on every machine.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NATIVE = Path(__file__).resolve().parent.parent / "native"
SOURCES = [
    NATIVE / name
    for name in (
        "wasm/kernels.cpp", "wasm/network.cpp", "wasm/description.cpp", "wasm/table.cpp",
        "wasm/exports.cpp", "wasm/system.cpp", "permutation.cpp",
    )
]  # fmt: skip
ZIG = [sys.executable, "-m", "ziglang"]
TARGET = ["-target", "wasm32-wasi", "-O3"]
# as CMakeLists.txt compiles the kernels; nothing is thrown, and no class asked for its name
FLAGS = [
    *TARGET, "-msimd128", "-std=c++20", "-fno-exceptions", "-fno-rtti", f"-I{NATIVE}",
    "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
    "-Wall", "-Wextra", "-Werror", "-Wswitch-enum", "-Wno-psabi", "-Wno-pass-failed",
]  # fmt: skip
# the headers of the C++ library are enough: to build the rest of it takes minutes
LINKED = [
    *TARGET, "-mexec-model=reactor", "-nostdlib++", "-Wl,--no-entry", "-Wl,--strip-all",
    "-Wl,-z,stack-size=262144",
]  # fmt: skip


def run(*words: object) -> None:
    """Run Zig, and show what it says where it fails."""
    ran = subprocess.run([*ZIG, *map(str, words)], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise SystemExit(f"{ran.stderr or ran.stdout}\nZig could not make the kernels of the page.")


def main(target: Path) -> None:
    """Compile every source, link them, and put the result where it belongs."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        objects = [Path(folder, f"{source.stem}.o") for source in SOURCES]
        made = pool.map(
            lambda source, to: run("c++", *FLAGS, "-c", source, "-o", to), SOURCES, objects
        )
        list(made)
        linked = Path(folder, "engine.wasm")
        run("cc", *LINKED, *objects, "-o", linked)
        content = linked.read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    packed = len(gzip.compress(content, 9, mtime=0))
    print(f"{target.name}: {len(content) / 1000:.0f} kB, {packed / 1000:.0f} kB gzipped")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
