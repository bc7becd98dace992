"""The kernels only compute: no memory, exception or thread of their own, as in WebAssembly."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
KERNELS = [
    path
    for folder in ("math", "panels", "lanes", "builds")
    for path in sorted((NATIVE / folder).rglob("*.[ch]pp"))
]
BUILDS = sorted((NATIVE / "builds").glob("*.cpp"))
# what a build may ask of others when it is linked
ASKED = {"cos", "sin", "memcpy", "memmove", "memset", "memcmp", "bcmp"}
INCLUDED = {
    "algorithm", "bit", "cmath", "cstddef", "cstdint", "cstring", "limits", "new", "type_traits",
    "utility", "immintrin.h", "plan.hpp", "steps.hpp", "philox.hpp", "names.def",
}  # fmt: skip
# an object put into memory that is there already is "::new (where)"
FORBIDDEN = re.compile(
    r"\b(?:throw|try|catch|malloc|calloc|realloc|\w*aligned_alloc|free|delete)\b|(?<!::)\bnew\b"
    r"|std::(?:thread|mutex|async|vector|string|unique_ptr|shared_ptr|function)\b"
)


def code_of(path):
    return re.sub(r"//.*", "", path.read_text("utf-8"))


def found_in(text):
    includes = set(re.findall(r'#include [<"]([^>"]+)[>"]', text))
    own = {name for name in includes if (NATIVE / name) in KERNELS}
    words = FORBIDDEN.findall(re.sub(r"#include.*", "", text))
    return sorted(includes - own - INCLUDED), words


def test_there_are_kernels():
    assert len(KERNELS) > 25
    assert {path.stem for path in BUILDS} == {"avx2", "avx512", "avx512bf16", "portable"}


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: str(path.relative_to(NATIVE)))
def test_no_kernel_says_a_word_of_memory_exceptions_or_threads(path):
    assert found_in(code_of(path)) == ([], [])


@pytest.mark.parametrize(
    "line",
    [
        "auto p = new float[3];", "throw 1;", "std::free(p);", "std::vector<int> v;",
        "std::thread t(f);", "#include <atomic>", '#include "team.hpp"', "aligned_alloc(64, n);",
    ],
)  # fmt: skip
def test_the_words_would_be_found(line):
    assert found_in(line) != ([], [])


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm")
def test_a_build_asks_nothing_of_others_but_memory_copied_and_two_functions(objects):
    for build in BUILDS:
        if build.stem not in objects:
            continue
        lines = subprocess.run(
            ["nm", "-u", objects[build.stem]], capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        asked = {line.split()[-1].lstrip("_").split("@")[0] for line in lines if line.strip()}
        # the tables of a class's own name, for type_info; and where code finds its data
        strangers = {name for name in asked - ASKED if "cxxabiv1" not in name}
        assert strangers <= {"GLOBAL_OFFSET_TABLE_"}, build


def for_webassembly():
    """Return a compiler for WebAssembly, as a command, or None."""
    if shutil.which("em++"):
        return ["em++", "-msimd128"]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "c++", "-target", "wasm32-wasi", "-msimd128"]
    return None


@pytest.mark.slow
@pytest.mark.skipif(for_webassembly() is None, reason="needs em++, or Python's ziglang")
def test_the_portable_build_compiles_to_webassembly(tmp_path):
    target = tmp_path / "portable.o"
    command = [*for_webassembly(), "-c", "-O1", "-std=c++20", "-fno-exceptions", "-fno-rtti"]
    source = NATIVE / "builds" / "portable.cpp"
    subprocess.run([*command, f"-I{NATIVE}", source, "-o", target], check=True, timeout=300)
    assert target.read_bytes().startswith(b"\0asm")
