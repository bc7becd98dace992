"""A class's papers: the table, and a page of feedback each, whatever the files are called."""

import json
import os
import re
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.practice import mark_class
from deltaprop.practice.classroom.papers import Paper, page_names
from deltaprop.widths import text_width
from helpers.pages import HOSTILE

TASK = dp.exercise(1, 1)
RIGHT = TASK.key


def paper(title="homework", **wrong):
    claims = {**RIGHT, **{key.replace("_", "."): value for key, value in wrong.items()}}
    return json.dumps({**TASK.given, "title": title, "claims": claims})


FROZEN = {"db_1": ["0"]}
SIGN = {
    "layers": [{"W": [[2.0]]}], "loss": "half_squared_error", "x": [[3.0]], "targets": [[5.0]],
    "claims": {"z.1": [[6.0]], "delta.1": [[-1.0]]},
}  # fmt: skip
YAML = """
layers: [{W: [[2.0]]}]
loss: half_squared_error
x: [[3.0]]
targets: [[5.0]]
claims: {z.1: [[6.0]], delta.1: [[-1.0]]}
"""


@pytest.fixture
def papers(tmp_path):
    def write(files):
        for name, content in files.items():
            path = tmp_path / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "class"

    return write


CLASS = {
    "anna.json": paper(),
    "bert.json": json.dumps(SIGN),
    "group 2/chen.yaml": YAML,  # the same sign
    "group 2/dora.json": paper(**FROZEN),
    "emil.docx": b"PK\x03\x04",
    "finn.json": b"{'layers': ",
    "gao.json": json.dumps(TASK.given),
    ".DS_Store": b"\x00",
    "__MACOSX/anna.json": b"\x00",
}


def test_the_commonest_mistake_comes_first_and_what_cannot_be_read_stops_nobody(papers):
    marked = mark_class(papers(CLASS))
    found = {name: [paper.name for paper in of] for name, of in marked.mistakes.items()}
    assert list(found.items()) == [
        ("sign", ["bert.json", "group 2/chen.yaml"]),
        ("bias_frozen", ["group 2/dora.json"]),
    ]
    assert marked.counts == {"right": 1, "wrong": 3, "unreadable": 3}
    assert marked.status == 2
    reasons = {paper.name: paper.reason for paper in marked.papers if paper.reason}
    assert list(reasons) == ["emil.docx", "finn.json", "gao.json"]
    assert "no JSON or YAML" in reasons["emil.docx"]
    assert "finn.json is not valid JSON" in reasons["finn.json"]
    assert "claims is nothing" in reasons["gao.json"]
    told = marked.to_terminal()
    assert told.index("(sign)") < told.index("(bias_frozen)") < told.index("anna.json")
    assert max(map(text_width, told.splitlines())) <= 80


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_says_what_was_wrong_and_the_line_that_works_it_out(papers, language):
    marked = mark_class(papers(CLASS), language)
    pages = marked.pages()
    assert list(pages)[:3] == ["anna.html", "bert.html", "emil.html"]
    for page in pages.values():
        ET.fromstring(page.partition("\n")[2])
        assert not re.search(r"https?://(?!www\.w3\.org)|<script|src=", page)
    bert = pages["bert.html"]
    assert "(sign)" in bert or "（sign）" in bert
    assert ("梯度上升" in bert) == (language == "zh")
    assert 'lang="zh-Hans"' in bert or language == "en"
    wrong = {"en": "finn.json is not valid JSON", "zh": "finn.json 不是有效的 JSON：第 1 行"}
    assert wrong[language] in pages["finn.html"]


def test_nothing_of_one_paper_is_on_anothers_page(papers):
    names = ["Ann", "Béla", "陈晨", "Dirk"]
    folder = papers(
        {
            f"{name}.json": paper(title=f"by {name}", z_1=[[f"{i}{i}7.25"]])
            for i, name in enumerate(names, 3)
        }
        | {"Zoltan.json": b"{Zoltan"}
    )  # fmt: skip
    pages = mark_class(folder).pages()
    secrets = {f"{name}.html": [name, f"{i}{i}7.25"] for i, name in enumerate(names, 3)}
    secrets["Zoltan.html"] = ["Zoltan"]
    assert pages.keys() == secrets.keys()
    for name, page in pages.items():
        for other, words in secrets.items():
            assert all((word in page) == (name == other) for word in words), (name, other)
        assert str(folder) not in page
        assert "class" not in re.sub(r"class=|<style>.*</style>", "", page, flags=re.DOTALL)


def test_a_title_and_a_claim_are_no_markup(papers):
    folder = papers({"a.json": paper(title=HOSTILE, z_1=[["6." + "0" * 300]])})
    (page,) = mark_class(folder).pages().values()
    root = ET.fromstring(page.partition("\n")[2])
    assert not list(root.iter("img"))
    assert "\x1b" not in page


NAMES = {
    "blanks": ["my paper.json"],
    "Chinese": ["陈晨 作业.json"],
    "control characters": ["a\x1b[31m\nb.json"],
    "dots": ["a...json", "-rf.json"],
    "devices": ["con.json", "aux.b.json"],
    "capitals": ["Anna.json", "anna.json"],
    "two folders": ["1/anna.json", "2/anna.json", "1-anna.json"],
    "two kinds": ["anna.json", "anna.yaml"],
    "punctuation": ["a?b.json", "a*b.json", 'a"b.json', "a<b.json"],
    "long": [f"{'学' * 80}.json", f"{'学' * 79}生.json"],
    "two spellings of one letter": ["e\u0301.json", "\u00e9.json"],
    "nothing left": ["?.json", "__.json"],
}


@pytest.mark.parametrize("case", NAMES)
def test_names_as_students_give_them_are_safe(papers, tmp_path, case):
    folder = papers({name: json.dumps(SIGN) for name in NAMES[case]})
    marked = mark_class(folder)
    assert len(marked.papers) == len(NAMES[case])
    written = marked.write_pages(tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in written)
    assert len(written) == len(NAMES[case])
    told = marked.to_terminal()
    assert told.isprintable() or set(told) - set("\n") == {c for c in told if c.isprintable()}
    json.dumps(marked.to_dict(), allow_nan=False).encode("ascii")


def test_a_name_that_is_no_text_is_safe(papers, tmp_path):
    folder = papers({"a.json": paper()})
    (folder / os.fsdecode(b"b\xff.json")).write_text(json.dumps(SIGN))
    marked = mark_class(folder)
    marked.write_pages(tmp_path / "out")
    assert "b\\udcff.json" in marked.to_terminal()
    marked.to_terminal().encode()


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=40),
        max_size=8,
        unique=True,
    )
)
def test_any_names_give_pages_that_differ_on_every_file_system(names):
    found = page_names([Paper(Path(name.strip("/") or "x")) for name in dict.fromkeys(names)])
    paths = {Path(name.strip("/") or "x") for name in names}
    assert len({name.casefold() for name in found}) >= len(paths)
    for name in found:
        assert re.fullmatch(r"[\w][\w.-]*\.html", name), name
        assert len(name.encode("utf-8")) <= 200


def test_what_is_no_page_is_not_written_over(papers, tmp_path):
    marked = mark_class(papers({"a.json": paper(), "b.json": paper()}))
    out = tmp_path / "out"
    marked.write_pages(out)
    marked.write_pages(out)  # its own pages are
    (out / "b.html").write_text("<h1>my thesis</h1>")
    (out / "a.html").unlink()
    with pytest.raises(dp.errors.OutputError, match="no page of feedback"):
        marked.write_pages(out)
    assert [path.name for path in out.iterdir()] == ["b.html"]
    (tmp_path / "file").write_text("")
    with pytest.raises(dp.errors.OutputError, match="cannot be made a folder"):
        marked.write_pages(tmp_path / "file")


def test_a_paper_that_is_no_file_or_nested_without_end(papers):
    folder = papers(
        {"deep.json": "[" * 100_000, "deeper.json": '{"layers":' * 480 + "1" + "}" * 480}
    )
    os.mkfifo(folder / "pipe.json")
    (folder / "lost.json").symlink_to("nowhere.json")
    marked = mark_class(folder)
    assert marked.counts["unreadable"] == 4
    assert all(paper.reason.endswith(".") for paper in marked.papers)


def test_a_folder_that_cannot_be_looked_into_is_told(papers, monkeypatch):
    folder = papers({"a.json": paper(), "closed/b.json": paper()})
    scandir = os.scandir

    def refusing(path):
        if os.fspath(path) in refused:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)
    refused = [str(folder / "closed")]
    marked = mark_class(folder)
    assert [(p.name, p.status) for p in marked.papers] == [("a.json", 0), ("closed", 2)]
    assert "cannot be looked into" in marked.to_terminal()
    refused.append(str(folder))
    with pytest.raises(dp.errors.DataError, match="cannot be looked into: Permission denied"):
        mark_class(folder)


def test_folders_without_papers(tmp_path):
    with pytest.raises(dp.errors.DataError, match="is no folder"):
        mark_class(tmp_path / "nowhere")
    with pytest.raises(dp.errors.DataError, match="holds no file"):
        mark_class(tmp_path)


def test_every_named_mistake_and_every_slip_is_described():
    from deltaprop.checking.mistakes import MISTAKES
    from deltaprop.practice.wording import slip_described

    for name in (*MISTAKES, "arithmetic", "systematic"):
        assert slip_described(name, "en") != slip_described(name, "zh")


STEPS = {
    "layers": [{"W": [[2.0]]}], "loss": "half_squared_error", "x": [[3.0]], "targets": [[5.0]],
    "learning_rate": 0.1,
    "steps": [{"claims": {"z.1": [["6.0"]], "delta.1": [["1.0"]]}}, {"claims": {"z.1": [["9.1"]]}}],
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_several_steps_and_what_is_worth_knowing_are_told_on_the_page(papers, language):
    out_of_reach = {**SIGN, "loss": "half_squared_error_sigmoid", "claims": {"z.1": [["6.0"]]}}
    folder = papers({"steps.json": json.dumps(STEPS), "reach.json": json.dumps(out_of_reach)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = mark_class(folder, language).pages()
    assert {"en": "step 2: <math>", "zh": "第 2 步：<math>"}[language] in pages["steps.html"]
    reach = {"en": "never reach them", "zh": "永远达不到它"}[language]
    assert reach in pages["reach.html"]
    assert reach not in pages["steps.html"]


def test_no_published_working_breaks_the_page(shared):
    marked = mark_class(shared / "worked_examples" / "claims")
    assert marked.counts["unreadable"] == 0
    for page in marked.pages().values():
        ET.fromstring(page.partition("\n")[2])
