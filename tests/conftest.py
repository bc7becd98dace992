"""What every test may use: the shared data, a generator of its own, and the hypothesis profiles."""

import importlib.util
import os
import signal
import zlib
from pathlib import Path

import hypothesis
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_collection_modifyitems(items):
    """Skip what needs PyTorch where there is none; whatever speaks of it is worth a repeat."""
    has_torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if "torch" in item.nodeid.lower():
            item.add_marker(pytest.mark.smoke)
        if item.get_closest_marker("torch") and not has_torch:
            item.add_marker(pytest.mark.skip(reason="needs PyTorch: make test TORCH=1"))


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_arrives():
    """A shell that starts the tests in the background has them ignore Ctrl-C, which some press."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def shared():
    """The folder of shared data sets and worked examples, beside the repository."""
    folder = Path(os.environ.get("DELTAPROP_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; DELTAPROP_SHARED names another place")
    return folder


@pytest.fixture
def rng(request):
    """A generator seeded by the test's own name: other numbers in each test, the same each time."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))
