"""How much memory is left, by whatever limits it, and what is said where that is not enough."""

import warnings

import pytest

from deltaprop import memory
from deltaprop.errors import DataError, MemoryWarning, OutOfMemoryError
from deltaprop.memory import Room, check_memory, memory_left, saying_when_memory_ends

GB = 1e9


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system whose files a test writes; the process has no limit of its own."""
    monkeypatch.setattr(memory, "_SYSTEM", tmp_path)
    monkeypatch.setattr(memory, "_of_process", Room)

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    write("proc/meminfo", "MemTotal: 99 kB\nMemAvailable:  8000000 kB\nSwapFree: 1000000 kB\n")
    return write


def test_the_machine_leaves_what_is_available_and_its_swap(system):
    assert memory_left().n_bytes == 9_000_000 * 1024


def test_a_container_leaves_less_and_caches_are_given_back(system):
    system("proc/self/cgroup", "0::/a/b\n")
    system("sys/fs/cgroup/a/memory.max", "3000000000\n")
    system("sys/fs/cgroup/a/memory.current", "2500000000\n")
    system("sys/fs/cgroup/a/memory.stat", "anon 7\ninactive_file 1500000000\n")
    system("sys/fs/cgroup/a/b/memory.max", "max\n")
    system("sys/fs/cgroup/a/b/memory.current", "2000000000\n")
    assert memory_left().n_bytes == 2 * GB
    assert "container" in memory_left().why


def test_control_groups_of_the_first_version_are_read_too(system):
    system("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/elsewhere\n0::/\n")
    system("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n")
    system("sys/fs/cgroup/memory/memory.usage_in_bytes", "500000000\n")
    system("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 0\n")
    assert memory_left().n_bytes == 1.5 * GB


def test_where_nothing_is_known_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_SYSTEM", tmp_path)
    monkeypatch.setattr(memory, "_of_process", Room)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_memory(1e15, "Everything", "Take less.")


@pytest.mark.parametrize(("needed", "said"), [(0.5, None), (0.9, MemoryWarning), (1.1, DataError)])
def test_what_fits_is_not_spoken_of_and_what_does_not_is_refused(needed, said, monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: Room(2 * GB, "a small machine"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if said is None:
            check_memory(needed * 2 * GB, "Learning", "Take less.")
            return
        with pytest.raises(said) as told:
            check_memory(needed * 2 * GB, "Learning", "Take less.")
    assert f"takes about {needed * 2:.1f} GB" in str(told.value)
    assert "there is 2.0 GB (a small machine)" in str(told.value)
    assert str(told.value).endswith("Take less.")


def test_a_limit_on_addresses_counts_what_is_taken_of_it(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (50 * 10**9, 50 * 10**9))
    left = memory._of_process()
    assert 20 * GB < left.n_bytes < 50 * GB - memory._ADDRESSES
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10**9, 10**9))
    assert memory._of_process().n_bytes == 0
    assert "ulimit -v" in memory._of_process().why


@pytest.mark.parametrize(
    "error",
    [MemoryError("Unable to allocate 5.00 GiB"), RuntimeError("can't start new thread"),
     RuntimeError("Resource temporarily unavailable")],
)  # fmt: skip
def test_memory_that_ends_says_so_whatever_library_asked_for_it(error):
    with (
        pytest.raises(OutOfMemoryError, match=r"not enough memory.*fewer rows") as raised,
        saying_when_memory_ends(),
    ):
        raise error
    assert isinstance(raised.value, MemoryError)
    assert str(error) not in str(raised.value)
    with pytest.raises(RuntimeError, match="another"), saying_when_memory_ends():
        raise RuntimeError("another")
    with pytest.raises(OutOfMemoryError, match="as it was"), saying_when_memory_ends():
        raise OutOfMemoryError("as it was")
