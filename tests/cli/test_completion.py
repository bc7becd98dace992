"""Completion in the shell: the script that is offered is a shell's own, and it completes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "deltaprop"
pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")


def asked(shell, words, **more):
    """Return what the command answers a shell that completes."""
    environment = {
        **os.environ,
        "_DELTAPROP_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": words,
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        **more,
    }
    ran = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.one_in(3)
def test_a_command_and_an_option_are_completed(shell):
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert "train" in asked(shell, "deltaprop tra", **fish)
    assert "--preset" in asked(shell, "deltaprop train --pre", **fish)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_by_the_script_that_is_shown():
    script = (
        'eval "$(deltaprop --show-completion)"; COMP_WORDS=(deltaprop tra); COMP_CWORD=1; '
        "_deltaprop_completion deltaprop; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    path = os.pathsep.join([str(COMMAND.parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr) == ("train\n", "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_it_is_installed_where_the_shell_looks(tmp_path):
    path = os.pathsep.join([str(COMMAND.parent), os.environ["PATH"]])
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": path}
    ran = subprocess.run(
        ["bash", "--norc", "-c", "deltaprop --install-completion; true"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "completion installed" in ran.stdout
    assert "deltaprop" in (tmp_path / ".bashrc").read_text(encoding="utf-8")
