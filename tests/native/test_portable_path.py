"""No function compiled for a newer processor is ever run on an older one.

A function that several files define (a template, an inline function) is linked once, from whichever
file comes first. One compiled for AVX-512 and taken by the portable path would stop the process on
a machine without it; so whatever these files share stands in a namespace of its own.
"""

import functools
import re
import shutil
import subprocess

import pytest

# objects that only newer processors run: each has the name of its namespace
NEWER = ("avx2", "avx512", "avx512bf16")
# what comes before AVX has no instruction that begins with v but these
VEX = re.compile(r"\t(v(?!err|erw|mcall|mread|mwrite)[a-z0-9]+)\b")
HEADER = re.compile(r"^[0-9a-f]+ <(.+)>:$")

pytestmark = pytest.mark.skipif(
    shutil.which("objdump") is None or shutil.which("nm") is None, reason="needs nm and objdump"
)


def told(*command):
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=300
    ).stdout.splitlines()


@pytest.fixture(scope="module")
def for_newer(objects):
    """The objects that the module was linked from, by name."""
    if "avx2" not in objects:
        pytest.skip("there are no kernels for newer processors here")
    return objects


def shared_functions(path):
    """Return the defined symbols of an object that may be taken from another object instead."""
    lines = (line.split(maxsplit=2) for line in told("nm", "--defined-only", path))
    return sorted({name for _, kind, name in lines if kind in "WVu"})


@functools.cache
def newer_instructions(path):
    """Return the functions of an object that use AVX, with one instruction each."""
    found, name = {}, ""
    for line in told("objdump", "-d", "--no-show-raw-insn", path):
        if header := HEADER.match(line):
            name = header[1]
        elif used := VEX.search(line):
            found.setdefault(name, used[1])
    return found


@pytest.mark.parametrize("build", NEWER)
@pytest.mark.one_in(2)
def test_what_newer_kernels_share_is_in_their_own_namespace(for_newer, build):
    path = for_newer[build]
    newer = newer_instructions(path)
    mine = f"{len(build)}{build}"  # the namespace, as the linker writes it
    strangers = [
        f"{name} uses {newer[name]}"
        for name in shared_functions(path)
        if mine not in name and name in newer
    ]
    assert strangers == []


def test_everything_else_has_no_newer_instruction(for_newer):
    others = {name: path for name, path in for_newer.items() if name not in NEWER}
    assert "portable" in others
    assert {name: newer_instructions(path) for name, path in others.items()} == {
        name: {} for name in others
    }


@pytest.mark.parametrize("build", NEWER)
def test_the_newer_kernels_are_really_newer(for_newer, build):
    """Else the tests above would see nothing."""
    assert len(newer_instructions(for_newer[build])) > 10
