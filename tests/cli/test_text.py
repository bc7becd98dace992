"""The commands on tables with text: the two examples, and the script that shows them."""

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUICK = ["--epochs", "8", "--hidden", "16"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of stars, and what was said while it was trained."""
    from deltaprop.cli.main import main

    folder = tmp_path_factory.mktemp("stars")
    path = folder / "stars.safetensors"
    table = str(EXAMPLES / "data" / "film_stars.csv")
    assert main(["train", table, "--target", "stars", "--model", str(path), *QUICK]) == 0
    return path


def test_train_says_what_became_of_the_text(call, tmp_path):
    said = call("train", EXAMPLES / "data" / "book_shelf.csv", "--target", "shelf", *QUICK)
    assert said.status == 0
    assert re.search(r"title +text +TF-IDF of \d+ words", said.err)
    assert re.search(r"blurb +text +TF-IDF of [\d,]+ words", said.err)
    assert max(map(len, said.err.splitlines())) <= 80


def test_evaluate_is_better_than_chance(call, trained):
    figures = call("evaluate", trained, EXAMPLES / "data" / "film_stars.csv", "--json").json
    assert figures["figures"]["accuracy"] > 0.5 > figures["figures"]["majority"]


def test_predict_reads_sentences_it_has_never_seen(call, trained, tmp_path):
    (tmp_path / "new.csv").write_text(
        'review\n"Wonderful, a masterpiece, I loved it."\n"Boring, the worst."\n""\n很好\n',
        encoding="utf-8",
    )
    answered = call("predict", trained, tmp_path / "new.csv", "--proba")
    assert (answered.status, answered.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(answered.out)))
    assert len(rows) == 4
    high, low = (float(row["P(5)"]) + float(row["P(4)"]) for row in rows[:2])
    assert high > low
    assert rows[2] == rows[3]  # nothing known is said in either


def test_explain_names_words_of_the_row_in_80_columns(call, trained):
    path = EXAMPLES / "data" / "film_stars.csv"
    with path.open(encoding="utf-8") as file:
        review = " ".join(re.findall(r"[\w']+", next(csv.DictReader(file))["review"].lower()))
    told = call("explain", trained, "--data", path, "--row", "1")
    assert (told.status, told.err) == (0, "")
    assert max(map(len, told.out.splitlines())) <= 80
    words = re.findall(r'review: "([\w\' ]+)"', told.out)
    assert words
    assert all(word in review for word in words)
    assert len(told.out.splitlines()) < 300


@pytest.mark.rest
def test_a_model_of_text_passes_its_gradient_check(call, trained):
    path = EXAMPLES / "data" / "film_stars.csv"
    assert call("check", trained, "--data", path, "--row", "2").status == 0


@pytest.mark.rest
def test_the_example_script_ends_well_in_80_columns(tmp_path):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "text_tables.py")],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    right = [int(percent) for percent in re.findall(r"right on (\d+)% of the rows", done.stdout)]
    assert len(right) == 2
    assert right[0] > 50  # of six shelves
    assert right[1] > 35  # of five numbers of stars
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "rows"), [("book_shelf", 180), ("film_stars", 250)])
def test_the_example_tables_are_what_their_description_says(name, rows):
    with (EXAMPLES / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    assert len(table) == rows + 1
    assert len({tuple(row[:-1]) for row in table}) == rows + 1  # no sentence twice
    assert f"`{name}.csv` | {rows} |" in (EXAMPLES / "data" / "README.md").read_text("utf-8")
