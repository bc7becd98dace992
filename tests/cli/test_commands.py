"""Every command: its help, its version, its errors, how it is started; check."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import deltaprop
from deltaprop.functional.activations import ACTIVATIONS

COMMANDS = ["train", "predict", "evaluate", "explain", "check"]


def test_check_says_yes_for_what_is_right(folder, call):
    answer = call("check", "tutorial")
    assert answer.status == 0
    assert answer.out.startswith("6 of 6 gradients agree with central differences")
    facts = call("check", "tutorial", "--json").json
    assert facts["ok"] is True
    assert (facts["checked"], facts["parameters"], facts["wrong"]) == (6, 6, [])
    assert call("check", "kinds.safetensors").status == 0
    assert call("check", "petals.safetensors").status == 0
    row = ["--data", "flowers.csv", "--row", "7"]
    assert call("check", "kinds.safetensors", *row, "--json").json["ok"] is True


def test_check_says_no_and_names_what_is_wrong(folder, call, monkeypatch):
    model = deltaprop.load("kinds.safetensors")
    row = vars(ACTIVATIONS["tanh"])
    monkeypatch.setitem(row, "f_prime", lambda z, a: 1 - a)
    refused = call("check", "kinds.safetensors", "--data", "flowers.csv")
    assert refused.status == 2
    assert "tanh" in refused.err  # it was saved when f' was another one
    model.save("wrong.safetensors")
    answer = call("check", "wrong.safetensors", "--data", "flowers.csv")
    assert (answer.status, answer.err) == (1, "")
    assert re.search(r"^dL/dW\.2\[\d,\d\] +-?\d", answer.out, re.MULTILINE)
    assert "dL/dW.3" not in answer.out
    facts = call("check", "wrong.safetensors", "--data", "flowers.csv", "--json")
    assert facts.status == 1
    assert facts.json["ok"] is False
    assert facts.json["worst"].startswith(("s.1", "W.2", "b.2"))


# around the commands


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_an_example_and_fits(call, command):
    answer = call(*command.split(), "--help")
    assert (answer.status, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= 80
    example = re.search(r"deltaprop .*", answer.out[answer.out.index("Example:") :])[0]
    assert re.match(rf"deltaprop {command or 'train'} \S", example)
    assert not re.search(r"\w\.\.\.", answer.out)  # no explanation is cut off


def test_nothing_asked_for_is_answered_with_the_help(call):
    answer = call()
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == call("--help").out


def test_the_version_is_said(call):
    assert call("--version").out == f"deltaprop {deltaprop.__version__}\n"


def test_debug_shows_the_traceback_anywhere_in_the_line(folder, call):
    for words in (["--debug", "predict", "no", "x"], ["predict", "no", "x", "--debug"]):
        answer = call(*words)
        assert answer.status == 2
        assert "Traceback" in answer.err
        assert answer.err.splitlines()[-1].startswith("deltaprop: no does not exist")


def test_the_installed_command_and_the_module_are_the_same(folder, environment):
    script = f"{sys.exec_prefix}/bin/deltaprop"
    answers = [
        subprocess.run([*words, "--version"], env=environment, capture_output=True, check=True)
        for words in ([script], [sys.executable, "-m", "deltaprop"])
    ]
    assert answers[0].stdout == answers[1].stdout


@pytest.mark.parametrize("command", ["--help", "train --help", "--version", "check"])
@pytest.mark.one_in(3)
def test_what_needs_no_numbers_imports_no_numbers(environment, command):
    code = (
        "import sys; from deltaprop.cli.main import main; main(sys.argv[1:])\n"
        "heavy = {'numpy', 'polars', 'pandas', 'narwhals', 'scipy', 'torch'} & sys.modules.keys()\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("error", "is_ours"),
    [
        (
            FileNotFoundError(2, "No such file", str(Path(deltaprop.__file__).parent / "new.css")),
            True,
        ),
        (ModuleNotFoundError("no", name="deltaprop.explaining.new"), True),
        (FileNotFoundError(2, "No such file", "flowers.csv"), False),
        (ModuleNotFoundError("no", name="pandas"), False),
    ],
)
def test_a_part_that_the_installation_lacks_is_told_so(call, monkeypatch, error, is_ours):
    def explain(*_, **__):
        raise error

    monkeypatch.setattr("deltaprop.explaining.explanation.Explanation.to", explain)
    called = call("explain", "tutorial")
    assert called.status == 2
    assert ("is a part of deltaprop and is not there" in called.err) == is_ours
    missing = getattr(error, "filename", None) or error.name
    assert not is_ours or missing in called.err
