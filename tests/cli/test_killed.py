"""Commands that are killed, interrupted, or whose reader goes away, in processes of their own."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deltaprop.estimators.loading import load

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX"),
    pytest.mark.usefixtures("search_in_full"),  # as in the process that was stopped
]

TRAIN = (
    "train flowers.csv --target kind --model m.safetensors --hidden 8 --patience 9999999 "
    "--members 1"
)
LONG = f"{TRAIN} --epochs 9999999"


@pytest.fixture
def start(folder, environment):
    """Start a command in the folder; what is still running at the end is killed."""
    running = []

    def begin(command, **options):
        process = subprocess.Popen(
            [sys.executable, "-m", "deltaprop", *command.split()],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def wait_for_checkpoint(path, process, times=2):
    """Wait until a checkpoint has been written again, or the command is at its end."""
    seen, deadline = set(), time.monotonic() + 30
    while len(seen) < times and process.poll() is None:
        assert time.monotonic() < deadline
        if path.exists():
            seen.add(path.stat().st_mtime_ns)
        time.sleep(0.002)


def stopped_on_its_way(start, path, command, how):
    """Stop a command before its end; return its words and its status.

    On a busy machine a run may end before the signal comes: it is run again with more epochs.
    """
    for epochs in (2_000, 15_000, 300_000):
        words = f"{command} --epochs {epochs}"
        process = start(words)
        wait_for_checkpoint(path, process)
        process.send_signal(how)
        process.communicate(timeout=20)
        if process.returncode:
            return words, process.returncode
        (path.parent / "m.safetensors").unlink()
    raise AssertionError("the command ends before it can be stopped")


@pytest.mark.rest
def test_a_killed_run_leaves_the_old_model(start, folder, models):
    path = folder / "m.safetensors"
    path.write_bytes(models["kinds.safetensors"])
    process = start(LONG)
    wait_for_checkpoint(Path("m.safetensors.checkpoint"), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert path.read_bytes() == models["kinds.safetensors"]


@pytest.mark.slow
def test_an_interrupted_run_ends_at_once_with_the_best_so_far(start, folder):
    process = start(LONG)
    wait_for_checkpoint(folder / "m.safetensors.checkpoint", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "Interrupted in epoch" in err
    assert "Interrupted; the same command with --resume goes on from m.safetensors.check" in err
    assert "Traceback" not in err
    assert "m.safetensors" in out
    fitted = load("m.safetensors")
    assert fitted.history.stopped_because == "interrupted"
    assert f"Epoch {fitted.history.best_epoch + 1} was best and was kept" in err
    left = {path.name for path in folder.iterdir()}
    others = {"flowers.csv", "kinds.safetensors", "petals.safetensors"}
    kept = {"m.safetensors", "m.safetensors.checkpoint", "m.safetensors.checkpoint.plan"}
    assert left - {"m.safetensors.checkpoint.before"} == others | kept


# of one network the killed run below tells it, too
@pytest.mark.parametrize("members", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_an_interrupted_run_goes_on_to_the_same_bits(start, folder, call, members):
    first = folder / ("m.safetensors.checkpoint" + ("" if members == "1" else ".1"))
    command = f"{TRAIN} --members {members}"
    words, status = stopped_on_its_way(start, first, command, signal.SIGINT)
    assert status == 130
    assert call(*f"{words} --resume".split()).status == 0
    assert call(*words.replace("m.safe", "whole.safe").split()).status == 0
    resumed, whole = load("m.safetensors"), load("whole.safetensors")
    for one, other in zip(resumed.members, whole.members, strict=True):
        assert one.flat.tobytes() == other.flat.tobytes()
    assert not list(folder.glob("*.checkpoint*"))


def test_an_interruption_while_modules_are_imported_is_said(environment):
    script = "import deltaprop.cli; raise KeyboardInterrupt"
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "deltaprop: Interrupted.\n")


def test_an_interruption_before_training_is_said(start, folder):
    process = start("train - --target kind", stdin=subprocess.PIPE)
    process.stdin.write("a,kind\n" * 100_000)  # more than a pipe holds: the command is reading
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert err == "deltaprop: Interrupted.\n"


@pytest.mark.slow
def test_a_killed_run_leaves_no_half_model_and_is_resumed_to_the_same_bits(
    start, folder, call, refused
):
    checkpoint, command = folder / "m.safetensors.checkpoint", f"{TRAIN} --dropout 0.2 --seed 5"
    words, _ = stopped_on_its_way(start, checkpoint, command, signal.SIGKILL)
    assert not (folder / "m.safetensors").exists()
    says = ["m.safetensors.checkpoint", "differs in seed", "settings it was begun with"]
    refused(f"{words} --resume --seed 3", {}, says, late=True)
    resumed = call(*f"{words} --resume".split())
    assert resumed.status == 0, resumed.err
    assert not (folder / "m.safetensors.checkpoint").exists()
    whole = call(*words.replace("m.safetensors", "whole.safetensors").split())
    assert whole.status == 0
    first, second = load("m.safetensors"), load("whole.safetensors")
    assert first.parameters.flat.tobytes() == second.parameters.flat.tobytes()
    assert first.history.loss == second.history.loss
    np.testing.assert_array_equal(first.history.val_loss, second.history.val_loss)


def test_what_becomes_of_a_checkpoint_is_said(folder, put, call):
    begin = f"{TRAIN} --epochs 2".split()
    put({"m.safetensors.checkpoint": b"of an earlier run"})
    answer = call(*begin)
    assert answer.status == 0
    assert answer.err.startswith("note: m.safetensors.checkpoint of an unfinished run is replaced")
    assert not (folder / "m.safetensors.checkpoint").exists()
    answer = call(*begin, "--resume")
    assert answer.status == 0
    assert answer.err.startswith("note: There is no m.safetensors.checkpoint to resume from")


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["predict kinds.safetensors big.csv", "predict kinds.safetensors big.csv --json"],
)
def test_a_reader_that_leaves_is_no_error(start, folder, command):
    header, row, *_ = (folder / "flowers.csv").read_text().splitlines()
    (folder / "big.csv").write_text("\n".join([header, *[row] * 30_000]))
    process = start(command)
    process.stdout.read(5)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=10) == 0


@pytest.mark.rest
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["predict kinds.safetensors flowers.csv", "--version"])
def test_an_answer_that_cannot_be_written_is_an_error(folder, environment, command):
    words = [sys.executable, "-m", "deltaprop", *command.split()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            words, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == (
        "deltaprop: Standard input or output cannot be used: No space left on device.\n"
    )


def test_remarks_that_nobody_reads_are_no_error(folder, environment):
    command = f'"{sys.executable}" -m deltaprop predict kinds.safetensors flowers.csv 2>&-'
    done = subprocess.run(
        command, shell=True, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("kind\n")
