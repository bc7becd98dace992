"""No command overwrites what it reads, or one output by another."""

import os
import shutil
import sys
from pathlib import Path

import pytest

TRAIN = ("--target", "kind", "--epochs", "1", "--members", "1", "--ranges", "0")


@pytest.fixture
def unharmed(folder, call):
    """Run a command, which must refuse with these words and leave every file as it was."""

    def run(*words, says):
        before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        answer = call(*words)
        assert answer.status == 2, answer.err
        assert says in " ".join(answer.err.split()), answer.err
        after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        assert after == before

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("train", "flowers.csv", *TRAIN, "--model", "flowers.csv"),
        ("train", "flowers.csv", *TRAIN, "--report", "./flowers.csv"),
        ("train", "flow*.csv", *TRAIN, "--model", "flowers.csv"),
        ("train", "flowers.csv", *TRAIN, "--val", "v.csv", "--model", "v.csv"),
        ("train", "flowers.csv", *TRAIN, "--test", "v.csv", "--report", "v.csv"),
        ("train", "flowers.csv", *TRAIN, "--model", "x", "--report", "x"),
        ("train", "flowers.csv", *TRAIN, "--model", "x", "--report", "sub/../x"),
        ("predict", "kinds.safetensors", "flowers.csv", "--out", "flowers.csv"),
        ("predict", "model.csv", "flowers.csv", "--out", "model.csv"),
        ("explain", "kinds.safetensors", "--data", "flowers.csv", "--out", "kinds.safetensors"),
        ("explain", "kinds.safetensors", "--data", "flowers.csv", "--out", "flowers.csv"),
        ("explain", "softmax", "--model", "kinds.safetensors", "--out", "kinds.safetensors"),
        ("practice", "--format", "html", "--out", "a.html", "--key", "./a.html"),
        ("practice", "--seed", "1", "--answers", "v.csv", "--key", "v.csv"),
    ],
    ids=" ".join,
)
def test_an_input_or_another_output_is_not_overwritten(folder, unharmed, words):
    (folder / "sub").mkdir()
    shutil.copy("flowers.csv", "v.csv")
    shutil.copy("kinds.safetensors", "model.csv")
    unharmed(*words, says="are the same file, which would be overwritten")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_is_the_file_it_leads_to(unharmed, link):
    link("flowers.csv", "other")
    says = "are the same file"
    unharmed("train", "flowers.csv", *TRAIN, "--model", "other", says=says)
    unharmed("train", "other", *TRAIN, "--model", "flowers.csv", says=says)
    Path("dangling").symlink_to("nothing")
    unharmed("train", "other", *TRAIN, "--model", "dangling", "--report", "nothing", says=says)


@pytest.mark.parametrize(
    "name",
    ["m.checkpoint", "m.checkpoint.1", "m.checkpoint.plan", "m.checkpoint.target2",
     "m.checkpoint.target1.plan"],
)  # fmt: skip
def test_data_with_the_name_of_a_checkpoint_is_not_removed(unharmed, name):
    shutil.copy("flowers.csv", name)
    says = "has the name of a checkpoint of"
    unharmed("train", name, *TRAIN, "--model", "m", says=says)
    unharmed("train", "flowers.csv", *TRAIN, "--val", name, "--model", "./m", says=says)
    unharmed("train", "flowers.csv", *TRAIN, "--report", name, "--model", "m", says=says)


def test_labels_in_a_file_of_their_own_are_not_overwritten(put, unharmed):
    import numpy as np

    np.save("x.npy", np.arange(40.0).reshape(20, 2))
    np.save("y.npy", np.arange(20) % 2)
    words = ("x.npy", "--target", "y.npy", "--epochs", "1", "--members", "1")
    unharmed("train", *words, "--model", "y.npy", says="are the same file")


def test_the_report_of_one_of_several_targets_is_written_over_nothing(folder, unharmed):
    header = Path("flowers.csv").read_text().partition("\n")[0].split(",")
    other = next(name for name in header if name != "kind")
    shutil.copy("flowers.csv", f"r-{other}.csv")
    words = ("--target", f"kind,{other}", "--epochs", "1", "--members", "1", "--report", "r.csv")
    unharmed("train", f"r-{other}.csv", *words, says="are the same file")


def test_a_column_may_be_called_like_the_model(folder, call):
    for _ in range(2):  # the second time there is a file of that name
        assert call("train", "flowers.csv", *TRAIN, "--model", "kind").status == 0
    assert call("predict", "kind", "flowers.csv", "--out", "new.csv").status == 0
    assert call("predict", "kind", "flowers.csv", "--out", "new.csv").status == 0


def test_devices_may_be_written_to_twice(folder, call):
    words = ("train", "flowers.csv", *TRAIN, "--model", os.devnull, "--report", os.devnull)
    assert call(*words).status == 0


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colors_are_for_terminals_that_have_them_and_people_who_want_them(
    monkeypatch, variables, colored
):
    from deltaprop.cli import show

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert show.in_color() is colored


@pytest.mark.parametrize("columns", [20, 33, 80])
def test_tables_of_chinese_names_stand_in_columns_and_fit(capsys, monkeypatch, columns):
    from deltaprop.cli import show
    from deltaprop.widths import text_width

    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [("金额", "numeric", "1"), ("a", "category 一二三四五六", "22")]
    show.print_table(("column", "kind", "n"), rows, result=True, right=(2,))
    show.say_wrapped("data        ", "订单表.csv：一千二百行，目标是复购")
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert all(text_width(line) <= max(columns, 33) for line in lines + printed.err.splitlines())
    ends = {text_width(line) for line in lines if line[-1:].isdigit() or line.endswith(" n")}
    assert len(ends) == 1
