"""The pages about the worked-example format name every key there is, and their examples run."""

import re
import shlex
from pathlib import Path

import pytest

import deltaprop as dp
from deltaprop.checking.conventions import _OF_THE_HOUSE, CONVENTIONS
from deltaprop.cli.main import main
from deltaprop.explaining import built_in_example, read_worked_example
from deltaprop.explaining.as_example import with_claims
from deltaprop.explaining.example_files import SUFFIXES
from deltaprop.explaining.example_keys import KEYS, LAYER_KEYS
from deltaprop.practice.marking.judge import VERDICTS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("worked-examples.md", "worked-examples.zh-CN.md")


def section(text, level, number):
    """Return what stands under one of the headings of a level."""
    return re.split(rf"^{'#' * level} .*$", text, flags=re.MULTILINE)[number]


def first_column(text):
    """Return the names in the first column of tables."""
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


@pytest.fixture(params=PAGES)
def page(request):
    return (DOCS / request.param).read_text("utf-8")


def test_every_key_has_a_row_and_no_row_is_of_another(page):
    keys, layer, _ = re.split(r"^### .*$", section(page, 2, 2), flags=re.MULTILINE)
    assert sorted(first_column(keys)) == sorted(KEYS)
    assert first_column(layer) == list(LAYER_KEYS)


def test_conventions_verdicts_and_suffixes(page):
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page.rpartition("## ")[2], re.MULTILINE))
    assert set(rows) == {convention.about for convention in CONVENTIONS}
    for about, row in rows.items():
        choices = [c.choice for c in CONVENTIONS if c.about == about]
        usual = [*_OF_THE_HOUSE.get(about, ("loss_reduction",))]
        assert re.findall(r"`(\w+)`", row) == usual + choices
    for name in (*VERDICTS, *SUFFIXES):
        assert f"`{name}`" in page


def test_every_claim_of_a_working_is_told(page):
    data = with_claims(built_in_example("han_kamber").with_(t=0.5))
    claims = {re.sub(r"\d+", "1", key) for key in data["claims"]}
    assert len(claims) == 9
    assert claims <= set(first_column(page))


def test_its_examples_are_explained_and_marked(page, tmp_path):
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 3
    for number, text in enumerate(examples):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text, encoding="utf-8")
        worked = read_worked_example(path)
        assert worked.explain().verify()
        if "claims" in text or "steps" in text:
            assert dp.mark(worked).ok


@pytest.mark.parametrize("name", [*PAGES, "explaining.md"])
@pytest.mark.one_in(3)
def test_its_commands_run(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (DOCS / name).read_text("utf-8")
    commands = re.findall(r"^\$ deltaprop (.*)$", page, re.MULTILINE)
    assert len(commands) >= 6
    for command in commands:
        assert main(shlex.split(command, comments=True)) == 0, command
    capsys.readouterr()


def test_the_two_pages_say_the_same():
    codes = [
        re.sub(r" --language zh", "", "\n".join(re.findall(r"`([^`\n]+)`", text)))
        for text in ((DOCS / name).read_text("utf-8").replace("```", "") for name in PAGES)
    ]
    assert sorted(codes[0].split("\n")) == sorted(codes[1].split("\n"))
