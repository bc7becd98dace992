"""Check the wheel and the sdist of a folder, and try the wheel where there is nothing else.

Usage: check_wheel.py dist. The wheel has its licence, a tag that an index would take, and no path
of the machine that built it; in an empty environment and an empty folder it explains the tutorial,
and learns and predicts the example's table, also by the estimators of the extra.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "examples" / "data" / "penguins.csv"
ESTIMATOR = """
import polars, deltaprop
rows = polars.read_csv("penguins.csv", null_values=["NA", ""])
X, y = rows.drop("species"), rows["species"]
fitted = deltaprop.MLPClassifier(preset="fast", max_iter=2).fit(X, y)
assert len(fitted.predict(X)) == len(rows)
assert "site-packages" in deltaprop.__file__, deltaprop.__file__
"""


def contents(path: Path) -> dict[str, bytes]:
    """Return the files of a wheel or an sdist."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(path) as tar:
        files = [(member.name, tar.extractfile(member)) for member in tar if member.isfile()]
        return {name: opened.read() for name, opened in files if opened is not None}


def problems(path: Path, machine: list[str]) -> Iterator[str]:
    """Yield what is wrong with a distribution; `machine`: paths that are this machine's."""
    files = contents(path)
    if not any(Path(name).name == "LICENSE" for name in files):
        yield f"{path.name} has no LICENSE"
    for name, data in files.items():
        for here in machine:
            if here.encode() in data:
                yield f"{path.name}: {name} has the machine's path {here}"
    if path.suffix == ".whl":
        if "-linux_" in path.name:
            yield f"{path.name} is tagged for one Linux machine; no index takes that"
        if not any(name.startswith("deltaprop/_native.") for name in files):
            yield f"{path.name} has no compiled module"
        if not any(name == "deltaprop/py.typed" for name in files):
            yield f"{path.name} has no py.typed"
        if not any(name == "deltaprop/studio/page/engine.wasm" for name in files):
            yield f"{path.name} has no engine for the page of the studio: make wasm"
    elif not any(name.endswith("native/math/simd.hpp") for name in files):
        yield f"{path.name} has no native sources"


def try_out(wheel: Path) -> None:
    """Install the wheel with its extra into an empty environment, and use it in an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        bin_folder = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        python, work = bin_folder / "python", folder / "work"
        work.mkdir()
        shutil.copy(TABLE, work)
        model = ["penguins.safetensors", "penguins.csv"]
        for command in (
            [python, "-m", "pip", "install", "--quiet", f"{wheel.resolve()}[sklearn]"],
            [bin_folder / "deltaprop", "--version"],
            [bin_folder / "deltaprop", "explain", "tutorial"],
            [
                bin_folder / "deltaprop",
                "train",
                model[1],
                "--target",
                "species",
                "--model",
                model[0],
            ],
            [bin_folder / "deltaprop", "predict", *model],
            [python, "-c", ESTIMATOR],
        ):
            ran = subprocess.run(
                [str(word) for word in command],
                cwd=work,
                capture_output=True,
                text=True,
                check=False,
            )
            if ran.returncode != 0:
                raise SystemExit(f"{' '.join(map(str, command))}:\n{ran.stdout}{ran.stderr}")


def main(folder: Path) -> int:
    """Check every distribution of the folder; say what is wrong."""
    distributions = [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]
    if {path.suffix for path in distributions} != {".whl", ".gz"}:
        raise SystemExit(f"{folder} has to hold a wheel and an sdist; it holds {distributions}")
    machine = sorted({str(ROOT), sys.prefix, sys.base_prefix, f"{Path.home()}/"} - {"/usr", "//"})
    found = [problem for path in distributions for problem in problems(path, machine)]
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        for wheel in folder.glob("*.whl"):
            try_out(wheel)
            print(f"{wheel.name}: installed, explained, trained, predicted")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
