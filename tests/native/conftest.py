"""The objects that the compiled module was linked from."""

import subprocess
from pathlib import Path

import pytest

from deltaprop import _native

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
    """Return the objects that the module was linked from, by name."""
    beside = Path(_native.__file__).parent / "libdeltaprop_kernels.a"
    archives = [beside, *REPOSITORY.glob("build/cp*/libdeltaprop_kernels.a")]
    archive = next((path for path in archives if path.exists()), None)
    if archive is None:
        pytest.skip("the module was installed without what it was built from")
    folder = tmp_path_factory.mktemp("objects")
    subprocess.run(["ar", "x", archive.resolve()], cwd=folder, check=True, timeout=60)
    return {path.name.split(".")[0]: path for path in folder.iterdir()}
