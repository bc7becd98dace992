"""What is built and given away, and what is shown meanwhile."""

import importlib.util
import io
import re
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def script(name):
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GOOD = {
    "deltaprop/_native.abi3.so": b"\x7fELF",
    "deltaprop/py.typed": b"",
    "deltaprop/studio/page/engine.wasm": b"\0asm",
    "deltaprop-1.dist-info/licenses/LICENSE": b"MIT",
}


def wheel(folder, files, tag="manylinux_2_34_x86_64"):
    path = folder / f"deltaprop-1-cp312-abi3-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


class TestCheckingAWheel:
    def found(self, path):
        return list(script("check_wheel").problems(path, ["/home/somebody/", str(REPOSITORY)]))

    def test_a_good_one_passes(self, tmp_path):
        assert self.found(wheel(tmp_path, GOOD)) == []

    @pytest.mark.parametrize("without", GOOD)
    def test_nothing_may_be_missing(self, tmp_path, without):
        files = {name: data for name, data in GOOD.items() if name != without}
        assert len(self.found(wheel(tmp_path, files))) == 1

    def test_a_path_of_the_machine_is_found(self, tmp_path):
        files = {**GOOD, "deltaprop/_native.abi3.so": b"\0/home/somebody/native/team.hpp\0"}
        (problem,) = self.found(wheel(tmp_path, files))
        assert "_native.abi3.so has the machine's path /home/somebody/" in problem

    def test_a_tag_that_no_index_takes_is_found(self, tmp_path):
        (problem,) = self.found(wheel(tmp_path, GOOD, tag="linux_x86_64"))
        assert "tagged for one Linux machine" in problem

    def test_an_sdist_has_the_native_sources(self, tmp_path):
        path = tmp_path / "deltaprop-1.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("deltaprop-1/LICENSE")
            archive.addfile(member, io.BytesIO(b""))
        assert self.found(path) == ["deltaprop-1.tar.gz has no native sources"]


class TestShowing:
    @pytest.mark.parametrize(
        ("line", "shown"),
        [
            (
                "  [3/10] Building CXX object CMakeFiles/k.dir/native/builds/avx2.cpp.o",
                "  [3/10] compiled native/builds/avx2.cpp",
            ),
            (
                "[4/10] Building CXX object CMakeFiles/nanobind-static.dir/Unity/unity_0_cxx.cxx.o",
                "  [4/10] compiled the small files of nanobind-static",
            ),
            (
                "[9/10] Linking CXX shared module _native.abi3.so",
                "  [9/10] linked _native.abi3.so",
            ),
            ("Collecting numpy>=1.26 (from x)", "  Collecting numpy>=1.26"),
            (
                "  Downloading https://h/a/numpy-2.1-cp312-abi3-manylinux_2_17_x86_64.whl (16 MB)",
                "  Downloading numpy-2.1 (16 MB)",
            ),
            ("WARNING: something else", None),
        ],
    )
    def test_what_matters_of_a_line(self, line, shown):
        assert script("showing").told(line) == shown

    def test_all_is_told_of_a_command_that_fails(self, capfd):
        program = "import sys; print('Collecting a'); print('why'); sys.exit(3)"
        assert script("showing").main([sys.executable, "-c", program]) == 3
        told = capfd.readouterr()
        assert told.out == "  Collecting a\n"
        assert told.err == "Collecting a\nwhy\n"

    def test_nothing_but_that_of_one_that_does_not(self, capfd):
        program = "print('Collecting a'); print('noise')"
        assert script("showing").main([sys.executable, "-c", program]) == 0
        assert capfd.readouterr() == ("  Collecting a\n", "")


def test_a_bound_stands_once():
    """The extras and the tests ask for the same lowest version of a library."""
    project = PYPROJECT["project"]
    asked = {}
    for requirements in (project["dependencies"], *project["optional-dependencies"].values()):
        for requirement in requirements:
            name = re.split(r"[<>=\[; ]", requirement)[0]
            asked.setdefault(name, set()).add(requirement)
    assert [several for several in asked.values() if len(several) > 1] == []
