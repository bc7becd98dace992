"""``deltaprop train --report``: one page beside the model, from the command line to the file."""

import re
import shlex

import pytest

from deltaprop.cli.report import repeating

QUICK = ["--epochs", "3", "--hidden", "4"]


@pytest.mark.parametrize("target", ["kind", "petals", "height,width"])
def test_a_report_is_written_and_told(folder, call, target):
    answer = call("train", "flowers.csv", "--target", target, "--report", "r.html", *QUICK)
    assert answer.status == 0
    assert re.search(r"^report +r\.html$", answer.out, re.MULTILINE)
    html = (folder / "r.html").read_text(encoding="utf-8")
    assert "flowers.csv: 60 rows" in answer.err
    assert f"deltaprop train flowers.csv --target {target} --report r.html" in html
    assert not list(folder.glob(".r.html*"))


def test_it_speaks_chinese_and_json_names_it(folder, call):
    answer = call(
        "train", "flowers.csv", "--target", "kind", "--report", "r.html", "--language", "zh",
        "--json", *QUICK,
    )  # fmt: skip
    assert answer.json["report"] == "r.html"
    assert "学习曲线" in (folder / "r.html").read_text(encoding="utf-8")


def test_the_command_on_the_page_repeats_the_run(folder, call):
    (folder / "my flowers.csv").write_text((folder / "flowers.csv").read_text())
    words = [
        "train", "my flowers.csv", "--target", "kind", "--report", "a.html", "--seed", "7",
        "--val", "flowers.csv", "--model", "a.safetensors", *QUICK,
    ]  # fmt: skip
    assert call(*words).status == 0
    first, model = (folder / "a.html").read_text(), (folder / "a.safetensors").read_bytes()
    command = re.search(r"<pre><code>(deltaprop .*?)</code></pre>", first)[1].replace("&#x27;", "'")
    program, *repeated = shlex.split(command.replace("&quot;", '"').replace("&#39;", "'"))
    assert (program, repeated) == ("deltaprop", words)
    (folder / "a.safetensors").unlink()
    assert call(*repeated).status == 0
    again = (folder / "a.html").read_text()
    untimed = re.compile(r"\d+\.\d s")
    assert untimed.sub("", again) == untimed.sub("", first)
    assert len((folder / "a.safetensors").read_bytes()) == pytest.approx(len(model), abs=500)


def test_going_on_is_not_part_of_repeating():
    words = ("train", "t.csv", "--target", "y", "--resume", "--model", "m.safetensors")
    expected = "deltaprop train t.csv --target y --model m.safetensors"
    assert repeating(words) == expected


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("--report no/r.html", ["no/r.html", "folder does not exist"]),
        ("--report . ", [".", "folder"]),
        ("--report r.html --language fr", ["language", "'fr'", "en, zh"]),
    ],
)
def test_what_cannot_be_written_is_refused_before_training(refused, more, says):
    refused(f"train flowers.csv --target kind {more}".split(), {}, says)


def test_help_shows_how(call):
    answer = call("train", "--help")
    assert "--report" in answer.out
    assert "deltaprop train penguins.csv --target species --report report.html" in answer.out
