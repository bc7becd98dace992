"""The compiled module is there, and what it says about itself and the machine is true."""

import platform
import re
from pathlib import Path

import pytest

from deltaprop import _native

pytestmark = pytest.mark.smoke

CPUINFO = Path("/proc/cpuinfo")
# Linux spells two of them with an underscore.
LINUX_NAMES = {"sse4.2": "sse4_2", "avx512vnni": "avx512_vnni", "avx512bf16": "avx512_bf16"}
KNOWN = {
    "sse4.2", "avx", "avx2", "fma", "bmi2",
    "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx512bf16",
}  # fmt: skip


def test_build_info_names_every_fact_as_text():
    info = _native.build_info()
    assert list(info) == [
        "compiler",
        "compiler_version",
        "cxx_standard",
        "build_type",
        "architecture",
    ]
    assert all(type(value) is str and value for value in info.values())


def test_the_compiler_is_known_by_name_and_version():
    info = _native.build_info()
    assert info["compiler"] in {"gcc", "clang", "apple-clang"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", info["compiler_version"])


def test_it_was_compiled_as_cxx_20():
    # gcc 10 and clang 9 still announce a number below 202002.
    assert int(_native.build_info()["cxx_standard"]) > 201703


def test_users_get_an_optimised_build():
    assert _native.build_info()["build_type"] == "Release"


def test_it_was_compiled_for_this_machine():
    machine = platform.machine().lower()
    spelling = {"amd64": "x86_64", "arm64": "aarch64"}
    assert _native.build_info()["architecture"] == spelling.get(machine, machine)


def test_cpu_features_are_known_names_without_repeats():
    features = _native.cpu_features()
    assert set(features) <= KNOWN
    assert len(set(features)) == len(features)


@pytest.mark.skipif(not CPUINFO.exists(), reason="no /proc/cpuinfo on this system")
def test_cpu_features_are_those_linux_reports():
    flags = re.search(r"^flags\s*:(.*)$", CPUINFO.read_text(), re.MULTILINE)
    reported = set(flags[1].split()) if flags else set()
    expected = {name for name in KNOWN if LINUX_NAMES.get(name, name) in reported}
    assert set(_native.cpu_features()) == expected


def test_a_wrong_call_is_a_type_error_not_a_crash():
    with pytest.raises(TypeError):
        _native.cpu_features("avx2")
