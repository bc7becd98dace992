"""``deltaprop practice``: asked on a terminal or through a pipe, on sheets, and as JSON."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

import deltaprop as dp
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.widths import text_width

FIRST = ["practice", "--level", "1", "--seed", "1"]
RIGHT = b"6\n2\n2\n-4, -1\n2\n-2.1, -2.9\n-0.7\n"


def test_right_answers_through_a_pipe(call):
    called = call(*FIRST, stdin=RIGHT)
    assert called.status == 0
    assert called.err == ""
    assert "9 of 9 numbers right, 9 at once" in called.out
    assert "[4/7] ∂L/∂W¹₁₁, ∂L/∂W¹₂₁ = -4, -1\nRight." in called.out
    assert max(map(text_width, called.out.splitlines())) <= 80


def test_a_wrong_answer_is_named_and_ends_with_status_1(call):
    called = call(*FIRST, stdin=b"6\n2\n-2\nskip\nquit\n")
    assert called.status == 1
    assert "(sign)" in called.out
    assert "2 of 9 numbers right" in called.out


def test_without_input_the_exercise_is_printed(call):
    called = call(*FIRST)
    assert called.status == 0
    assert called.out.rstrip("\n") == dp.exercise(1, 1).to_terminal().rstrip("\n")


def test_several_exercises_follow_each_other(call):
    called = call(*FIRST, "--count", "2", stdin=RIGHT + b"quit\n")
    assert called.status == 1
    assert "--seed 1" in called.out
    assert "--seed 2" in called.out
    assert call(*FIRST, "--count", "3").out.count("Wanted") == 3


def test_without_a_seed_every_call_has_another_exercise(call):
    told = {re.search(r"--seed (\d+)", call("practice").out)[1] for _ in range(6)}
    assert len(told) > 1


def test_chinese(call):
    called = call(*FIRST, "--language", "zh", stdin=b"6\n?\n2\n")
    assert called.status == 1
    assert "正确。" in called.out
    assert "9 个数中答对 2 个" in called.out


def test_what_is_no_text_is_refused(call):
    called = call(*FIRST, stdin=b"\xff\xfe\x00\n")
    assert (called.status, called.out) == (2, "")
    assert "no text" in called.err


@pytest.mark.parametrize("form", ["terminal", "latex", "html"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.one_in(5)
def test_sheet_and_key_are_two_files(call, tmp_path, form, language):
    sheet, key = tmp_path / "sheet", tmp_path / "key"
    words = ["practice", "--level", "5", "--seed", "3", "--count", "2", "--format", form]
    called = call(*words, "--out", sheet, "--key", key, "--language", language)
    assert (called.status, called.out) == (0, "")
    assert called.err.count("written to" if language == "en" else "已写入") == 2
    answer = dp.exercise(5, 3).key["a.1"][0][0]
    assert answer not in sheet.read_text("utf-8")
    assert answer in key.read_text("utf-8")
    if form == "html":
        ET.fromstring(sheet.read_text("utf-8").partition("\n")[2])


def test_a_sheet_goes_to_standard_output(call):
    called = call(*FIRST, "--format", "latex")
    assert called.out.rstrip("\n") == dp.exercise(1, 1).to_latex().rstrip("\n")


def test_json_is_filled_in_and_marked(call, tmp_path):
    facts = call(*FIRST, "--json").json
    assert facts["practice"] == {"level": 1, "seed": 1, "version": dp.__version__}
    assert facts["claims"]["dW.1"] == [[None], [None]]
    assert "W.1.after" in facts["claims"]
    path = tmp_path / "mine.json"

    def marked(claims, *more):
        path.write_text(json.dumps({**facts, "claims": claims}))
        return call(*FIRST, "--answers", path, *more)

    right = dp.exercise(1, 1).key
    assert marked(right).status == 0
    path.write_text(json.dumps({**facts, "claims": right}))
    assert call("mark", path).status == 0  # it is a worked example like any other
    part = marked({"z.1": [[6]]})
    assert part.status == 1
    assert "1 of 9 numbers are there." in part.out
    wrong = marked({**right, "delta.1": [[-2]]}, "--json")
    assert wrong.status == 1
    assert wrong.json["mistakes"] == ["sign"]
    assert wrong.json["asked"] == 9
    chinese = marked({"z.1": [[6]], "delta.1": [[-2]]}, "--language", "zh").out
    assert "δ¹₁ = -2 错误：做成了梯度上升，或把 t - y 当作梯度（sign）。应为 2。" in chinese
    assert "共 9 个数，作答了 2 个。" in chinese
    other = call("practice", "--level", "1", "--seed", "2", "--answers", path)
    assert other.status == 2
    assert "other numbers than level 1, seed 2" in other.err
    several = call("practice", "--count", "2", "--json").json
    assert [task["practice"]["level"] for task in several] == [1, 1]


@pytest.mark.slow
def test_a_quiz_for_moodle(call, tmp_path):
    words = ["practice", "--format", "moodle", "--level", "2", "--seed", "4", "-n", "8"]
    called = call(*words, "--out", tmp_path / "quiz.xml")
    assert (called.status, called.out) == (0, "")
    quiz = ET.parse(tmp_path / "quiz.xml").getroot()
    kinds = [question.get("type") for question in quiz.findall("question")]
    assert kinds.count("category") == 1
    assert kinds.count("numerical") + kinds.count("cloze") == 8
    assert {"numerical", "cloze"} < {*kinds}
    assert call(*words).out == (tmp_path / "quiz.xml").read_text("utf-8")
    assert "(missing_f_prime)" in call(*words, "--count", "40").out


def test_it_goes_on_and_tells_the_mistakes(call, tmp_path):
    path = tmp_path / "r.json"
    called = call(
        "practice", "--level", "1", "--record", path, stdin=b"?\nskip\n" * 7 + b"\nquit\n"
    )
    assert called.status == 1
    assert "Enter goes on: level 1" in called.out
    (done,) = call("practice", "--record", path, "--summary", "--json").json["exercises"]
    assert (done["kind"], done["level"], done["hints"]) == ("working", 1, 7)
    assert "Exercises since" in call("practice", "--record", path, "--summary").out
    empty = call("practice", "--record", tmp_path / "none.json", "--summary")
    assert (empty.status, empty.out) == (0, "Nothing is noted yet.\n")
    path.write_text("{")
    again = call("practice", "--record", path, stdin=b"quit\n")
    assert again.err.startswith("note: ")
    assert "no intact record" in again.err
    assert (tmp_path / "r.json.damaged1").read_text() == "{"
    refused = call("practice", "--record", tmp_path / "r.json.damaged1", "--summary")
    assert (refused.status, refused.err.count("\n")) == (2, 1)


def test_the_mistake_in_a_working_is_to_be_found(call, tmp_path):
    words = ["practice", "--kind", "find", "--level", "2", "--seed", "5"]
    shown = call(*words, "--key", tmp_path / "key")
    assert shown.status == 0
    assert "Somebody's working, line by line" in shown.out
    key = (tmp_path / "key").read_text("utf-8")
    line, name = re.search(r"Line (\d+): .*\((\w+)\)\. It should", " ".join(key.split())).groups()
    assert f"({name})" not in shown.out
    assert call(*words, stdin=f"{line}\n{name}\n".encode()).status == 0
    assert call(*words, stdin=b"1\n2\n3\nquit\n").status == 1
    path = tmp_path / "working.json"
    path.write_text(json.dumps({**call(*words, "--json").json, "conventions": "house"}))
    assert name in call("mark", path).out
    record = tmp_path / "r.json"
    call("practice", "--kind", "find", "--level", "1", "--record", record, stdin=b"1\nquit\n")
    assert [one["kind"] for one in json.loads(record.read_text())["exercises"]] == ["find"]
    call(*words, "--out", tmp_path / "sheet", "-n", "2")
    assert (tmp_path / "sheet").read_text("utf-8").count("Find the mistake.") == 2


@pytest.mark.slow
def test_the_fix_that_helps_is_to_be_chosen(call, tmp_path):
    words = ["practice", "--kind", "fix", "--seed", "3"]
    shown = call(*words, "--key", tmp_path / "key")
    assert "This run does not learn:" in shown.out
    helping = re.findall(r"^(\w)  .* helps$", (tmp_path / "key").read_text("utf-8"), re.MULTILINE)
    assert call(*words, stdin=f"{helping[0]}\n".encode()).status == 0
    assert call(*words, stdin=b"skip\n").status == 1
    assert call(*words, "--json").json["format"] == "deltaprop-fix/1"


def test_digits(call, tmp_path):
    call("practice", "--level", "5", "--seed", "3", "--digits", "8", "--key", tmp_path / "key")
    assert dp.exercise(5, 3, digits=8).key["a.1"][0][0] in (tmp_path / "key").read_text("utf-8")


def test_the_help_tells_the_levels_and_fits(call):
    called = call("practice", "--help")
    assert called.status == 0
    assert "Example: deltaprop practice" in called.out
    told = " ".join(called.out.split())
    assert all(f"{n} {level.names['en']}" in told for n, level in LEVELS.items())
    assert max(map(len, called.out.splitlines())) <= 80
    assert "practice" in call("--help").out


BAD = {
    "level 0": (["--level", "0"], ["level is 0", "from 1", "to 9"]),
    "level ten": (["--level", "ten"], ["'ten' is no whole number"]),
    "a negative seed": (["--seed", "-4"], ["seed is -4"]),
    "a language": (["--language", "fr"], ["'fr'", "en", "zh"]),
    "a format": (["--format", "pdf"], ["'pdf'", "latex"]),
    "digits": (["--digits", "1"], ["digits is 1"]),
    "no exercise": (["--count", "0"], ["--count is 0"]),
    "too many": (["--count", "1000"], ["--count is 1000"]),
    "answers without a seed": (["--answers", "x.json"], ["--seed"]),
    "answers that are nowhere": (["--seed", "1", "--answers", "no.json"], ["no.json"]),
    "one file for both": (["--out", "x.txt", "--key", "x.txt"], ["another file"]),
    "JSON as HTML": (["--json", "--format", "html"], ["--json"]),
    "a record of one": (["--record", "x", "--seed", "1"], ["--record is for"]),
    "a kind that is none": (["--kind", "fnid"], ["'fnid'", "Did you mean 'find'"]),
    "a kind in LaTeX": (["--kind", "fix", "--format", "latex"], ["--kind fix takes no --answers"]),
    "a key beside a quiz": (["--format", "moodle", "--key", "x"], ["holds its answers"]),
    "a folder that is not there": (["--out", "nowhere/x.txt"], ["nowhere"]),
    "a misspelt option": (["--levle", "1"], ["--levle"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_paragraph_and_status_2(call, case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, told = BAD[case]
    called = call("practice", *words)
    assert called.status == 2
    assert called.out == ""
    assert called.err.startswith("deltaprop: ")
    assert len(called.err.strip().splitlines()) == 1
    assert "mistake in deltaprop" not in called.err
    assert not list(tmp_path.iterdir())
    for word in told:
        assert word in called.err


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, words, environment):
        self.main, side = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deltaprop", *words],
            stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True,
            # a worker of pytest-xdist ignores Ctrl-C, and its children would too
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.close(side)
        self.text = ""

    def wait_for(self, words, seconds=60):
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self.main], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.main, 65536).decode("utf-8", "replace")
                except OSError:  # the other side is closed
                    assert words in self.text, self.text

    def type(self, data):
        os.write(self.main, data)

    def status(self):
        return self.process.wait(60)


@pytest.fixture
def terminal(environment):
    started = []

    def start(*words):
        started.append(Terminal(words, {**environment, "TERM": "dumb", "PYTHONUTF8": "1"}))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        os.close(one.main)


@pytest.mark.rest
def test_a_dialogue_on_a_terminal(terminal):
    one = terminal(*FIRST)
    one.wait_for("[1/7]")
    one.type(b"?\n")
    one.wait_for("The line in symbols")
    answers = [b"6", b"2", b"-2", b"2", b"-4, -1", b"2", b"-2.1 -2.9", b"-0.7"]
    for number, answer in zip([1, 2, 3, 3, 4, 5, 6, 7], answers, strict=True):
        one.wait_for(f"[{number}/7]")
        one.type(answer + b"\n")
        if answer == b"-2":
            one.wait_for("(sign)")
            one.text = one.text.partition("(sign)")[2]
    one.wait_for("9 of 9 numbers right")
    assert one.status() == 0


@pytest.mark.rest
def test_a_terminal_goes_on_and_once_stops(environment, terminal, tmp_path):
    environment["XDG_DATA_HOME"] = str(tmp_path)
    one = terminal("practice", "--once")
    one.wait_for("[1/7]")
    one.type(b"6\nquit\n")
    one.wait_for("Once more")
    assert one.status() == 1
    assert not list(tmp_path.iterdir())
    two = terminal("practice", "--level", "2")
    two.wait_for("[1/8]")
    two.type(b"6\n" + b"skip\n" * 8)
    two.wait_for("Enter goes on: level 1")
    two.type(b"quit\n")
    two.wait_for("Exercises since")
    assert two.status() == 1
    assert (tmp_path / "deltaprop" / "practice.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ctrl-d", "ctrl-c"])
def test_leaving_a_terminal_is_polite(terminal, how):
    one = terminal(*FIRST)
    one.wait_for("[1/7]")
    one.type(b"6\n")
    one.wait_for("[2/7]")
    if how == "ctrl-d":
        one.type(b"\x04")
    else:
        time.sleep(0.5)  # readline has not begun to wait yet, and would not see the signal
        os.kill(one.process.pid, signal.SIGINT)
        time.sleep(0.5)
        one.type(b"\n")
    one.wait_for("1 of 9 numbers right")
    assert "You left off here." in one.text
    assert "Traceback" not in one.text
    assert one.status() == 1
