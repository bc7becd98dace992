"""A folder of papers as thirty people hand them in: each is judged, or its reason is told."""

import json
import re

import pytest

from deltaprop.practice import mark_class

EXAMPLE = """\
layers:
  - {W: [[2.0]]}
loss: half_squared_error
x: [[3.0]]
targets: [[5.0]]
learning_rate: 0.1
claims:
"""
GOOD = EXAMPLE + "  z.1: [[6.0]]\n  loss: 0.5\n  delta.1: [[1.0]]\n  W.1.after: [[1.7]]\n"
UPHILL = GOOD.replace("1.7", "2.3")
RIGHT, SIGN = "right", ("sign",)
# name of the file: content, and what comes of it
PAPERS = {
    "ada.yaml": (GOOD, RIGHT),
    "王小明.yaml": (UPHILL, SIGN),
    "Bob O'Neil (2).yml": (UPHILL, SIGN),
    "week 2/ada.yaml": (UPHILL, SIGN),
    "notepad.yaml": (GOOD.encode("utf-16"), RIGHT),
    "mark.yaml": (b"\xef\xbb\xbf" + GOOD.encode(), RIGHT),
    "windows.yaml": (GOOD.replace("\n", "\r\n"), RIGHT),
    "gbk.yaml": (("title: 第一次作业，反向传播\n" + GOOD).encode("gbk"), RIGHT),
    "full width.yaml": (GOOD.replace("[[6.0]]", "[[６．０]]"), RIGHT),
    "curled.yaml": (GOOD.replace("[[6.0]]", "[[“6.0”]]"), RIGHT),
    "comma.yaml": (GOOD.replace("[[6.0]]", '[["6,0"]]'), RIGHT),
    "tab.yaml": (GOOD.replace("  z.1", "\tz.1"), "line 8 .*Indent with blanks"),
    "colon.yaml": (GOOD.replace("loss: 0.5", "loss： 0.5"), "line 9 .*full-width"),
    "twice.yaml": (GOOD + "  z.1: [[7]]\n", "'z.1' stands twice"),
    "twice.json": ('{"x": [[1]], "x": [[2]]}', "'x' stands twice"),
    "comma.json": ('{"layers": [],}', "not valid JSON"),
    "list.json": (json.dumps([1, 2]), "holds no worked example"),
    "empty.yaml": ("", "holds no worked example"),
    "word.yaml": (b"PK\x03\x04" + bytes(range(256)), "it is no text, or a damaged one"),
    "photo.jpg": (b"\xff\xd8\xff", "no JSON or YAML file"),
    "open.yaml": (EXAMPLE + "  z.1: null\n", "claims holds no number"),
    "latex.yaml": (GOOD.replace("0.5", "$\\frac{1}{2}$"), "expected a number"),
    ".DS_Store": (b"\0", None),
    "Thumbs.db": (b"\0", None),
    "~$homework.yaml": (b"\0", None),
}


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    (folder / "week 2").mkdir()
    for name, (content, _) in PAPERS.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
    (folder / "again").symlink_to(folder)
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    return mark_class(folder)


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_judged_or_its_reason_told(marked, name):
    found = {paper.path.as_posix(): paper for paper in marked.papers}.get(name)
    expected = PAPERS[name][1]
    if expected is None:
        assert found is None
    elif expected is RIGHT:
        assert found.marking is not None, found.reason
        assert found.marking.ok
    elif isinstance(expected, tuple):
        assert found.marking.mistakes == expected
    else:
        assert found.marking is None
        assert re.search(expected, found.reason), found.reason


def test_the_class_is_told_what_is_commonest_and_no_link_leads_round(marked):
    assert [*marked.mistakes] == ["sign"]
    assert {paper.path.as_posix() for paper in marked.mistakes["sign"]} == {
        name for name, (_, expected) in PAPERS.items() if expected == SIGN
    }
    names = [paper.path.as_posix() for paper in marked.papers]
    assert len(names) == len({*names}) == 1 + sum(e is not None for _, e in PAPERS.values())
