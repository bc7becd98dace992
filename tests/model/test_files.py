"""Files appear whole or not at all; what stood there before survives every failure."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deltaprop.errors import OutputError
from deltaprop.model import files
from deltaprop.model.files import check_writable, write_atomically, writing_atomically

FAILURES = {
    "ENOSPC": "the disk is full",
    "EDQUOT": "the disk is full",
    "EIO": "Input/output error",
    "EACCES": "no permission",
    "EROFS": "no permission",
    "EFBIG": "exceed the size allowed",
}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    return path


def test_the_content_is_what_was_given(tmp_path):
    content = os.urandom(100_000)
    write_atomically(tmp_path / "new", content)
    assert (tmp_path / "new").read_bytes() == content
    assert names_in(tmp_path) == ["new"]


@pytest.mark.parametrize("as_path", [str, Path, lambda p: p])
def test_an_existing_file_is_replaced(target, as_path):
    write_atomically(as_path(target), b"new")
    assert target.read_bytes() == b"new"
    assert names_in(target.parent) == ["model"]


def fail(monkeypatch, where, code):
    def refuse(*_args, **_kwargs):
        raise OSError(getattr(errno, code), os.strerror(getattr(errno, code)))

    if where == "write":
        real = os.fdopen

        class Full:
            def __init__(self, file):
                self.file = file

            def __enter__(self):
                return self

            def __exit__(self, *_):
                self.file.close()

            write = staticmethod(refuse)

        monkeypatch.setattr(os, "fdopen", lambda *a, **k: Full(real(*a, **k)))
    elif where == "chmod":
        monkeypatch.setattr(Path, "chmod", refuse)
    elif where == "replace":
        monkeypatch.setattr(Path, "replace", refuse)
    elif where == "open":
        monkeypatch.setattr(os, "open", refuse)
    else:
        monkeypatch.setattr(os, where, refuse)


@pytest.mark.parametrize("code", FAILURES)
@pytest.mark.parametrize("where", ["open", "write", "fsync", "chmod", "replace"])
def test_the_old_content_survives_a_failure_at_any_point(target, monkeypatch, where, code):
    fail(monkeypatch, where, code)
    with pytest.raises(OutputError, match=f"model could not be written: .*{FAILURES[code]}"):
        write_atomically(target, b"new content")
    assert target.read_bytes() == b"old"
    assert names_in(target.parent) == ["model"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_ctrl_c_leaves_nothing_behind_either(target, monkeypatch, where):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(*((os, "fsync") if where == "fsync" else (Path, "replace")), interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert names_in(target.parent) == ["model"]


def test_the_content_is_on_disk_before_it_gets_the_name(target, monkeypatch):
    order = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("sync"), sync(fd))[1])
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (order.append("replace"), replace(self, to))[1]
    )
    write_atomically(target, b"new")
    assert order == ["sync", "replace", "sync"]  # the content, and then its name in the folder


def test_what_a_killed_process_began_to_write_is_removed(target):
    script = (
        "import os, signal, sys; from deltaprop.model import files;"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL);"
        "files.write_atomically(sys.argv[1], b'half')"
    )
    other = target.with_name(target.name + "2")
    for path in (target, target, other):
        subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert len(names_in(target.parent)) == 4
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    living = target.with_name(f"{files._prefix(target)}{process.pid}-00.part")
    living.touch()
    write_atomically(target, b"new")
    assert {target.name, living.name} < set(names_in(target.parent))
    assert len(names_in(target.parent)) == 3  # and what is left of the other file
    process.communicate(b"\n")
    write_atomically(target, b"new")
    assert not living.exists()


def test_the_umask_of_other_threads_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", lambda _: pytest.fail("it is changed for a moment"))
    write_atomically(tmp_path / "new", b"content")


def test_a_real_full_disk_is_reported():
    with pytest.raises(OutputError, match="/dev/full could not be written: the disk is full"):
        write_atomically("/dev/full", b"x" * 100_000)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_the_permissions_of_a_replaced_file_stay(target, mode):
    target.chmod(mode)
    write_atomically(target, b"new")
    assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_the_umask_leaves(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "new", b"content")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~mask


def test_behind_a_link_the_target_is_replaced_and_the_link_stays(tmp_path, target):
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link"
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert not target.is_symlink()
    assert names_in(link.parent) == ["link"]


def test_a_link_to_nothing_yet_is_filled(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "later")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "later").read_bytes() == b"new"


def test_devices_are_written_to_and_stay_devices():
    write_atomically("/dev/null", b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, b"through the pipe")
    reader.join(10)
    assert read == [b"through the pipe"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names_in(tmp_path) == ["pipe"]


def test_a_pipe_without_a_name_is_written_to():
    """As the shell's ``>(gzip > x)`` passes one."""
    code = (
        "from deltaprop.model.files import check_writable, write_atomically as w;"
        "check_writable('/dev/stdout'); w('/dev/stdout', b'through')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"through", b"")


@pytest.mark.parametrize("function", [check_writable, lambda path: write_atomically(path, b"new")])
class TestRefusals:
    def test_a_folder(self, tmp_path, function):
        with pytest.raises(OutputError, match=r"it is a folder. Give the path of a file"):
            function(tmp_path)
        assert names_in(tmp_path) == []

    def test_a_missing_folder(self, tmp_path, function):
        with pytest.raises(OutputError, match="folder does not exist"):
            function(tmp_path / "absent" / "model")

    def test_a_file_where_a_folder_should_be(self, target, function):
        with pytest.raises(OutputError, match="folder does not exist"):
            function(target / "model")
        assert target.read_bytes() == b"old"

    def test_a_file_that_must_not_be_written(self, target, monkeypatch, function):
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(OutputError, match="no permission"):
            function(target)
        assert target.read_bytes() == b"old"


def test_a_name_too_long_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="its name is too long"):
        write_atomically(tmp_path / ("n" * 300), b"new")
    assert names_in(tmp_path) == []


def test_asking_whether_a_file_can_be_written_changes_nothing(target, tmp_path):
    check_writable(target)
    check_writable(tmp_path / "new")
    check_writable("/dev/null")
    assert names_in(tmp_path) == ["model"]
    assert target.read_bytes() == b"old"


def test_the_error_is_one_of_the_operating_system_too(tmp_path):
    with pytest.raises(OSError, match="could not be written"):
        write_atomically(tmp_path, b"")


def write_half(path):
    with writing_atomically(path) as file:
        file.write(b"half of it")
        raise ValueError("in the middle")


def test_of_a_write_that_failed_nothing_came_through_the_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="in the middle"):
        write_half(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with writing_atomically(pipe) as file:
        file.write(b"all ")
        file.write(b"of it")
    reader.join(10)
    assert read == [b"all of it"]


@pytest.mark.parametrize("there", [True, False])
def test_of_a_file_written_in_parts_there_is_all_or_what_was_there(tmp_path, there):
    path = tmp_path / "f"
    if there:
        path.write_bytes(b"before")
    with pytest.raises(ValueError, match="in the middle"):
        write_half(path)
    assert [p.name for p in tmp_path.iterdir()] == ["f"] * there
    assert not there or path.read_bytes() == b"before"
    with writing_atomically(path) as file:
        file.write(b"all of it")
    assert path.read_bytes() == b"all of it"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
