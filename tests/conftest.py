"""What every test may use: the shared data, a generator of its own, and the hypothesis profiles."""

import gc
import importlib.util
import math
import os
import shutil
import signal
import subprocess
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models import encoder_search

pytest.register_assert_rewrite("helpers")

# Most tests read what is said in English, wherever they run; those of Chinese ask for it.
for _name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
    os.environ.pop(_name, None)
os.environ["LANG"] = "C.UTF-8"

REPOSITORY = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_sessionstart():
    """Whatever is collected stays to the end: nobody looks through it for what is left over."""
    gc.disable()


def pytest_collection_finish():
    """Leave the thousands of tests out of each search for what is left over by one of them."""
    gc.freeze()
    gc.enable()


_MORE_IN_CI = 4  # times as many cases of a test as are quick


def pytest_collection_modifyitems(items):
    """Skip what needs PyTorch where there is none; whatever speaks of it is worth a repeat.

    Of a test marked ``one_in(n)`` one case in n is quick, chosen by its name; of the others CI runs
    three times as many, which are its ``rest``, and what is left, its twins, is slow alone. Of two
    cases marked ``either`` one is quick, and the other a twin.
    """
    cases = defaultdict(list)
    for item in items:
        marked = item.get_closest_marker("one_in") or item.get_closest_marker("either")
        if marked and not item.get_closest_marker("slow"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for of_one_test in cases.values():
        marker = of_one_test[0].get_closest_marker("one_in")
        (n,) = (2,) if marker is None else marker.args
        of_one_test.sort(key=lambda item: zlib.crc32(item.nodeid.encode()))
        quick = math.ceil(len(of_one_test) / n)
        in_ci = quick if marker is None else _MORE_IN_CI * quick
        for place, item in enumerate(of_one_test[quick:], quick):
            item.add_marker(pytest.mark.rest if place < in_ci else pytest.mark.twin)
    has_torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if item.get_closest_marker("rest") or item.get_closest_marker("twin"):
            item.add_marker(pytest.mark.slow)
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


_OF_THE_SEARCH = {
    "_FEWEST_EPOCHS": 1, "_SHARE_OF_EPOCHS": 0.0, "_SMALL": {"hidden": (8,), "members": 6}
}  # fmt: skip


def _search(values):
    for name, value in values.items():
        setattr(encoder_search, name, value)


@pytest.fixture(scope="session", autouse=True)
def _encoders_are_searched_briefly(pytestconfig):
    """Six sevenths of a small fit are the search for its encoder, which is its own tests' affair.

    It is done all the same, with both encoders and all folds, for an epoch; in a process of its
    own, with ``make slow`` and where ``search_in_full`` is asked for, as long as for anybody.
    """
    whole = {name: getattr(encoder_search, name) for name in _OF_THE_SEARCH}
    if pytestconfig.getoption("markexpr") != "slow":
        _search(_OF_THE_SEARCH)
    yield whole
    _search(whole)


@pytest.fixture
def search_in_full(_encoders_are_searched_briefly):
    """Search for encoders as long as for anybody."""
    before = {name: getattr(encoder_search, name) for name in _OF_THE_SEARCH}
    _search(_encoders_are_searched_briefly)
    yield
    _search(before)


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


@pytest.fixture(autouse=True)
def _no_luck(request):
    """Whoever fits without a random_state draws from NumPy's own generator: seeded likewise."""
    np.random.seed(zlib.crc32(request.node.nodeid.encode()))  # noqa: NPY002
    before = signal.getsignal(signal.SIGTERM)
    yield
    # a handler that is left over is inherited by every process that a later test forks
    assert signal.signal(signal.SIGTERM, before) is before, "a test left its handler of SIGTERM"


# Small networks away from every kink, and derivatives measured without the library's help.

MARGIN = 0.01  # how far z, residuals and (with L1) weights stay from where a derivative jumps


@dataclass(frozen=True, eq=False)
class Problem:
    network: Network
    parameters: Parameters
    x: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None

    def objective(self, flats):
        """The whole loss for every row of ``flats``, written down once more, without the library.

        Only f and the loss of one sample come from the registries.
        """
        flats = np.atleast_2d(flats)
        network, n = self.network, len(self.x)
        a, penalty, start = self.x, np.zeros(len(flats)), 0
        for index, (n_in, n_out) in enumerate(zip(network.sizes, network.sizes[1:], strict=False)):
            W = flats[:, start : start + n_in * n_out].reshape(-1, n_in, n_out)
            start += n_in * n_out
            penalty += network.l2 / 2 * (W**2).sum(axis=(1, 2)) + network.l1 * abs(W).sum((1, 2))
            z = a @ W
            if network.computing_layers[index].bias:
                z = z + flats[:, None, start : start + n_out]
                start += n_out
            if index < len(network.computing_layers) - 1:
                a = ACTIVATIONS[network.computing_layers[index].activation or "identity"].f(z)
        assert start == flats.shape[1]
        per_sample = LOSSES[network.loss_name].per_sample(
            z.reshape(-1, network.n_out), np.tile(self.targets, (len(flats), 1))
        )
        return np.average(per_sample.reshape(-1, n), axis=1, weights=self.weights) + penalty

    def measured_gradient(self, h=1e-4):
        """Fourth-order central differences, all entries in one batch."""
        flat = self.parameters.flat
        steps = h * np.eye(len(flat))
        right, left, far_right, far_left = (
            self.objective(flat + k * steps) for k in (1.0, -1.0, 2.0, -2.0)
        )
        return (8 * (right - left) - (far_right - far_left)) / (12 * h)


def draw_targets(kind, shape, rng):
    if kind == "distribution":
        return rng.dirichlet(np.ones(shape[1]), shape[0])
    if kind == "unit":
        return rng.uniform(size=shape)
    if kind == "count":
        return rng.poisson(2.0, size=shape).astype(float)
    return rng.normal(scale=2.0, size=shape)


def stands_clear(problem):
    """Return whether nothing is near a kink and the gradient reaches the first layer."""
    network, a = problem.network, problem.x
    for index, arrays in enumerate(problem.parameters.layers):
        if network.l1 and np.abs(arrays["W"]).min() < MARGIN:
            return False
        z = a @ arrays["W"] + arrays.get("b", 0.0)
        if index < len(network.activations):
            row = network.activations[index]
            if any(np.abs(z - kink).min() < MARGIN for kink in row.kinks):
                return False
            a = row.f(z)
    residuals = z - problem.targets
    if any(np.abs(residuals - kink).min() < MARGIN for kink in network.loss.kinks):
        return False
    if network.loss_name == "poisson" and z.max() > 4.0:
        return False  # a loss of e^4 would drown the digits the differences need
    one_class = network.n_out == 1 and network.loss.targets == "distribution"
    first = network.layout.slots[0].stop
    return one_class or np.abs(problem.measured_gradient()[:first]).max() > 1e-4


def draw_problem(
    rng, hidden="tanh", loss="cross_entropy", sizes=(2, 3, 2), *, bias=True, l2=0.0, l1=0.0,
    weighted=False, n=3, label_smoothing=0.0, anywhere=False,
):  # fmt: skip
    """Return a problem away from all kinks, whose first layer receives a gradient."""
    network = Network(
        list(sizes), hidden, loss, bias, l2=l2, l1=l1, label_smoothing=label_smoothing
    )
    slots = network.layout.slots
    for _ in range(2000):
        flat = np.concatenate(
            [
                rng.normal(scale=1.5 / np.sqrt(slot.shape[0]), size=slot.shape).ravel()
                if slot.penalized
                else rng.normal(scale=0.5, size=slot.shape)
                for slot in slots
            ]
        )
        x = rng.normal(size=(n, sizes[0]))
        targets = draw_targets(network.loss.targets, (n, sizes[-1]), rng)
        weights = None
        if weighted:
            weights = rng.integers(1, 4, size=n).astype(float)
            weights[rng.integers(n)] = 0.0 if n > 2 else 0.5
        problem = Problem(network, Parameters(network.layout, flat), x, targets, weights)
        if anywhere or stands_clear(problem):
            return problem
    raise AssertionError(f"no problem away from the kinks for {network.describe()}")


@pytest.fixture(scope="session")
def make_problem():
    return draw_problem


@pytest.fixture(scope="session")
def make_targets():
    return draw_targets


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--hide-scrollbars",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("no chromium with its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    with webdriver.Chrome(options=options, service=service) as started:
        started.set_script_timeout(300)  # axe reads a large page for 20 s where nothing else runs
        started.execute_cdp_cmd("Network.enable", {})
        nowhere = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        started.execute_cdp_cmd("Network.emulateNetworkConditions", nowhere)
        yield started


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Return a function that has npm fetch a package, and skips where it cannot."""
    folder = tmp_path_factory.mktemp("npm")

    def install(package):
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm")
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder]
        try:
            subprocess.run([*command, package], check=True, capture_output=True, timeout=90)
        except (subprocess.SubprocessError, OSError):
            pytest.skip(f"npm cannot install {package} here")
        return folder / "node_modules"

    return install


@pytest.fixture(scope="session")
def axe(installed):
    """The program of axe-core, which looks for what keeps people from using a page."""
    return (installed("axe-core@4") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


# Databases that queries are tried in.


@pytest.fixture(scope="session")
def postgres():
    from helpers.postgres import a_postgres

    with a_postgres() as connection:
        yield connection


@pytest.fixture(params=["sqlite", "duckdb", "postgres"])
def database(request):
    from helpers.databases import Duckdb, Postgres, Sqlite

    if request.param == "postgres":
        return Postgres(request.getfixturevalue("postgres"))
    return {"sqlite": Sqlite, "duckdb": Duckdb}[request.param]()
