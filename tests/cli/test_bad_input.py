"""Bad tables, bad options, bad places: each is refused in one paragraph, and nothing is left behind.

One table of cases, one set of properties (``refused`` in conftest.py). A case is a command, the
files it finds, and what the paragraph must say: where, what was found, what to do.
"""

# ruff: noqa: E501 - a case is a line, so that the cases can be compared

import gzip
import io
import os

import numpy as np
import polars as pl
import pytest

TRAIN = "train x.csv --target kind --model out.safetensors"
GOOD = "train flowers.csv --target kind --model out.safetensors"
PREDICT = "predict kinds.safetensors x.csv --out answers.csv"
EVALUATE = "evaluate kinds.safetensors x.csv"
HEADER = "height,width,colour,petals,kind\n"
ROWS = "1,2,red,3,aster\n2,1,blue,4,borage\n"


def flowers(change):
    """Return a maker of a file: flowers.csv, its text changed."""
    return lambda folder: change((folder / "flowers.csv").read_text())


def parquet(frame=None):
    buffer = io.BytesIO()
    (pl.DataFrame({"a": list(range(500))}) if frame is None else frame).write_parquet(buffer)
    return buffer.getvalue()


def idx(array):
    array = np.asarray(array, dtype=np.uint8)
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def rows(column, value, n=30):
    """Return a maker of flowers.csv with one column's cells replaced."""

    def change(text):
        names, *cells = [line.split(",") for line in text.splitlines()]
        for i, row in enumerate(cells[:n]):
            row[names.index(column)] = value(i) if callable(value) else value
        return "\n".join(",".join(row) for row in [names, *cells[:n]]) + "\n"

    return flowers(change)


def without(column):
    def change(text):
        table = [line.split(",") for line in text.splitlines()]
        at = table[0].index(column)
        return "\n".join(",".join(row[:at] + row[at + 1 :]) for row in table) + "\n"

    return flowers(change)


IMAGES, LABELS = np.arange(20 * 3 * 2).reshape(20, 3, 2) % 250, np.arange(20) % 2
BIG = "x" * 1_000_000
GZ = gzip.compress(
    np.random.default_rng(0).integers(48, 57, 5000, dtype=np.uint8).tobytes(), mtime=0
)

# name: (command, files, [where, what was found, what to do])
FILES = {
    "no such file": ("train flwers.csv --target kind --model out.safetensors", {}, ["'flwers.csv'", "no file", "Did you mean 'flowers.csv'"]),
    "no such folder": ("train no/x.csv --target kind --model out.safetensors", {}, ["'no/x.csv'", "folder 'no' does not exist"]),
    "a folder as data": ("train d --target kind --model out.safetensors", {"d/": None}, ["d is a folder", "expected a file", "'d/*.csv'"]),
    "an empty file": (TRAIN, {"x.csv": ""}, ["x.csv", "is empty", "expected a table", "Check"]),
    "an empty name": (["train", "", "--target", "kind"], {}, ["data source is ''", "expected a CSV"]),
    "only a header": (TRAIN, {"x.csv": HEADER}, ["x.csv", "no rows"]),
    "one row": (TRAIN, {"x.csv": HEADER + "1,2,red,3,aster\n"}, ["x.csv", "single class 'aster'", "Check"]),
    "a target that is missing": ("train flowers.csv --target weight", {}, ["flowers.csv", "no target column 'weight'", "The columns are 'height'"]),
    "a target misspelt": ("train flowers.csv --target knid", {}, ["flowers.csv", "'knid'", "Did you mean 'kind'?"]),
    "two targets, one misspelt": ("train flowers.csv --target height,widht", {}, ["flowers.csv", "'widht'", "Did you mean 'width'?"]),
    "one class": (TRAIN, {"x.csv": rows("kind", "aster")}, ["x.csv", "single class 'aster'", "at least two classes", "Check"]),
    "a target without any value": (TRAIN, {"x.csv": rows("kind", "")}, ["x.csv", "'kind' is missing", "remove these rows"]),
    "a target missing in a row": (TRAIN, {"x.csv": rows("kind", lambda i: "" if i == 6 else "ab"[i % 2])}, ["x.csv", "row 7", "'kind' is missing"]),
    "a target of NaN in a row": ("train x.csv --target petals", {"x.csv": rows("petals", lambda i: "NaN" if i == 4 else f"{i}.5")}, ["x.csv", "row 5", "'petals' is missing"]),
    "an infinite target": ("train x.csv --target petals", {"x.csv": rows("petals", lambda i: "inf" if i == 4 else f"{i}.5")}, ["x.csv", "'petals'", "infinite in row 5", "leave out"]),
    "a number target with a word": ("train x.csv --target petals", {"x.csv": rows("petals", lambda i: "many" if i == 4 else f"{i}.5")}, ["x.csv", "row 5", "'many'", "correct or remove"]),
    "words as numbers": ("train flowers.csv --target kind --task regression", {}, ["flowers.csv", "'aster'", "row 1", "regression"]),
    "a target of dates": ("train x.parquet --target when", {"x.parquet": parquet(pl.DataFrame({"a": [1, 2], "when": [0, 1]}).with_columns(pl.col("when").cast(pl.Date)))}, ["x.parquet", "'when' is of type Date", "expected numbers"]),
    "nothing but constants": (TRAIN, {"x.csv": "a,b,kind\n" + "1,x,p\n1,x,q\n" * 15}, ["x.csv", "'a' is left out: every cell is 1", "no column to learn from", "Check"]),
    "features all missing": (TRAIN, {"x.csv": "a,b,kind\n" + ",,p\n,,q\n" * 15}, ["x.csv", "'a' is left out: no cell has a value", "no column to learn from", "Check"]),
    "no column beside the target": (TRAIN, {"x.csv": "kind\n" + "p\nq\n" * 15}, ["x.csv", "'kind'", "separator"]),
    "a damaged text": (TRAIN, {"x.csv": (HEADER + "1,2,grün,3,äster\n").encode() + b"1,2,\xff,3,a\n"}, ["x.csv", "line 3", "0xff", "UTF-8", "iconv"]),
    "another encoding than was said": (TRAIN + " --encoding big5", {"x.csv": b"\xff" + (HEADER + ROWS).encode()}, ["x.csv", "line 1", "BIG5", "--encoding"]),
    "an encoding that is none": (TRAIN + " --encoding gkb", {"x.csv": HEADER + ROWS}, ["'gkb'", "GB18030"]),
    "binary garbage": (TRAIN, {"x.csv": bytes(range(1, 256)) * 9}, ["x.csv", "binary file", "CSV"]),
    "a NUL byte": (TRAIN, {"x.csv": (HEADER + ROWS).encode() + b"1,\0,red,1,aster\n"}, ["x.csv", "NUL byte on line 4", "save it"]),
    "a ragged row": (TRAIN, {"x.csv": HEADER + ROWS + "1,2,red\n" + ROWS}, ["x.csv", "3 cells on line 4", "expected 5", "Look there"]),
    "a doubled column": (TRAIN, {"x.csv": "a,b,a,kind\n1,2,3,p\n4,5,6,q\n"}, ["x.csv", "several columns called 'a'", "1, 3", "Rename"]),
    "an open quote": (TRAIN, {"x.csv": HEADER + '1,2,"red,3,aster\n' + ROWS}, ["x.csv", "line 2", "quote"]),
    "an HTML page": (TRAIN, {"x.csv": "<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n"}, ["x.csv is an HTML page", "Open it in a browser"]),
    "truncated gzip": ("train x.csv.gz --target kind", {"x.csv.gz": GZ[:-100]}, ["x.csv.gz", "truncated", "again"]),
    "corrupt gzip": ("train x.csv.gz --target kind", {"x.csv.gz": GZ[:200] + bytes(50) + GZ[250:]}, ["x.csv.gz", "gzip", "again"]),
    "truncated Parquet": ("train x.parquet --target a", {"x.parquet": parquet()[:-40]}, ["x.parquet", "Parquet", "again"]),
    "a million columns": (TRAIN, {"x.csv": ",".join(["1"] * 1_000_000) + "\n"}, ["x.csv", "1,000,000 cells", "at most 100,000"]),
    "a glob without a match": ("train *.tsv --target kind", {}, ["'*.tsv'", "No file matches", "Check"]),
    "a glob of differing columns": ("train x*.csv --target kind", {"x1.csv": HEADER + ROWS, "x2.csv": "a,kind\n1,aster\n"}, ["x2.csv", "lacks 'height'", "x1.csv", "same header"]),
    "standard input, empty": ("train - --target kind", {}, ["standard input", "is empty"]),
    "truncated IDX": ("train i --target l", {"i": idx(IMAGES)[:-5], "l": idx(LABELS)}, ["i is truncated", "20 x 3 x 2", "136 bytes", "again"]),
    "labels of another length": ("train i --target l", {"i": idx(IMAGES), "l": idx(LABELS[:-3])}, ["20 images", "l has 17 labels", "Check"]),
    "no label file": ("train i --target k", {"i": idx(IMAGES)}, ["'k'", "no file"]),
    "a table as labels": ("train i --target flowers.csv", {"i": idx(IMAGES)}, ["flowers.csv", "not an IDX", "labels of i"]),
    "images and labels confused": ("train l --target i", {"i": idx(IMAGES), "l": idx(LABELS)}, ["20 x 3 x 2", "wrong way round"]),
    "an .npz with objects": ("train x.npz --target y", {"x.npz": npz(x=np.array([{}, {}], dtype=object), y=np.arange(2))}, ["x.npz", "Python objects", "convert"]),
    "an .npz without the key": ("train x.npz --target labels", {"x.npz": npz(x=np.ones((4, 2)), label=np.arange(4))}, ["x.npz", "'labels'", "Did you mean 'label'?"]),
    "an .npy of NaN": ("train x.npz --target y", {"x.npz": npz(x=np.full((20, 3, 2), np.nan), y=LABELS)}, ["x.npz", "nan in image 1", "Correct"]),
    "another target in --val": ("train flowers.csv --target kind --val x.csv", {"x.csv": without("kind")}, ["x.csv", "'kind'"]),
    "a column lacking in --val": ("train flowers.csv --target kind --val x.csv", {"x.csv": without("width")}, ["x.csv", "'width'", "Its columns are"]),
    "a column lacking in --test": (GOOD + " --epochs 1 --test x.csv", {"x.csv": without("width")}, ["x.csv", "'width'"]),
    "a class only in --test": (GOOD + " --epochs 1 --test x.csv", {"x.csv": rows("kind", "tulip")}, ["x.csv", "'tulip'", "row 1"]),
    "a file of --test that is missing": (GOOD + " --test flowers2.csv", {}, ["'flowers2.csv'", "Did you mean"]),
    # predict, evaluate, explain
    "no such rows": ("predict kinds.safetensors flower.csv", {}, ["'flower.csv'", "Did you mean 'flowers.csv'"]),
    "a column lacking": (PREDICT, {"x.csv": without("colour")}, ["x.csv", "'colour'"]),
    "a word among numbers": (PREDICT, {"x.csv": rows("height", lambda i: "tall" if i % 7 == 2 else "1")}, ["x.csv", "'height'", "row 3", "'tall'"]),
    "words for numbers": (PREDICT, {"x.csv": rows("height", "tall")}, ["x.csv", "'height'", "row 1", "'tall'"]),
    "an infinite cell": (PREDICT, {"x.csv": rows("height", lambda i: "inf" if i == 2 else "1")}, ["x.csv", "'height'", "row 3", "inf"]),
    "no rows to predict": (PREDICT, {"x.csv": HEADER}, ["x.csv", "no rows"]),
    "standard input, nothing to predict": ("predict kinds.safetensors -", {}, ["standard input", "is empty"]),
    "images for a table's model": ("predict kinds.safetensors i", {"i": idx(IMAGES)}, ["i"]),
    "a class that was not learnt": (EVALUATE, {"x.csv": rows("kind", lambda i: "tulip" if i == 8 else "aster")}, ["x.csv", "'tulip'", "row 9"]),
    "evaluation without the target": (EVALUATE, {"x.csv": without("kind")}, ["x.csv", "'kind'", "The columns are"]),
    "evaluation with a missing target": (EVALUATE, {"x.csv": rows("kind", lambda i: "" if i == 8 else "aster")}, ["x.csv", "row 9", "'kind' is missing"]),
    "--proba on numbers": ("predict petals.safetensors flowers.csv --proba --out answers.csv", {}, ["--proba", "petals.safetensors predicts numbers"]),
    "a row beyond the end": ("explain kinds.safetensors --data flowers.csv --row 61", {}, ["--row is 61", "rows 1 to 60"]),
    "row zero": ("explain kinds.safetensors --data flowers.csv --row 0", {}, ["--row is 0", "rows 1 to 60"]),
    "a row of a table that is missing": ("check kinds.safetensors --data flower.csv", {}, ["'flower.csv'", "Did you mean"]),
}  # fmt: skip

OPTIONS = {
    "no argument": ("train", {}, ["DATA", "Missing argument", "deltaprop train --help"]),
    "no target": ("train flowers.csv", {}, ["--target", "Missing option", "--help"]),
    "no model": ("predict", {}, ["MODEL", "Missing argument", "--help"]),
    "an unknown command": ("tarin flowers.csv", {}, ["tarin", "No such command", "Did you mean 'train'"]),
    "an unknown option": (GOOD + " --sed 3", {}, ["--sed", "No such option", "--seed"]),
    "one argument too many": ("train a.csv b.csv --target kind", {}, ["b.csv", "--help"]),
    "widths that are words": (GOOD + " --hidden many", {}, ["hidden layers are 'many'", "64,32"]),
    "a negative width": (GOOD + " --hidden 64,-3", {}, ["hidden layers are '64,-3'", "64,32"]),
    "a width of 0": (GOOD + " --hidden 64,0,3", {}, ["hidden layers are '64,0,3'", "64,32"]),
    "a gigantic width": (GOOD + " --hidden 123456789012", {}, ["hidden layers", "9,999,999"]),
    "more than the memory holds": (GOOD + " --hidden 9999999,9999999", {}, ["memory"]),
    "a negative seed": (GOOD + " --seed -1", {}, ["seed is -1", "whole number from 0"]),
    "a seed that is a word": (GOOD + " --seed lucky", {}, ["--seed", "'lucky'", "whole number"]),
    "no epochs": (GOOD + " --epochs 0", {}, ["epochs is 0", "at least 1"]),
    "epochs below 0": (GOOD + " --epochs -1", {}, ["epochs is -1", "at least 1"]),
    "epochs that are a word": (GOOD + " --epochs abc", {}, ["--epochs", "'abc'", "whole number"]),
    "half an epoch": (GOOD + " --epochs 1.5", {}, ["--epochs", "'1.5'", "whole number"]),
    "no patience": (GOOD + " --patience 0", {}, ["patience is 0", "at least 1"]),
    "no batch": (GOOD + " --batch-size 0", {}, ["batch_size is 0", "at least 1"]),
    "dropout of 2": (GOOD + " --dropout 2", {}, ["dropout is 2", "below 1"]),
    "dropout of NaN": (GOOD + " --dropout nan", {}, ["--dropout", "'nan'", "number"]),
    "dropout that is a word": (GOOD + " --dropout some", {}, ["--dropout", "'some'", "number"]),
    "a learning rate of 0": (GOOD + " --learning-rate 0", {}, ["learning_rate is 0", "> 0"]),
    "an infinite learning rate": (GOOD + " --learning-rate inf", {}, ["--learning-rate", "'inf'", "number"]),
    "a negative penalty": (GOOD + " --l2 -1", {}, ["l2 is -1"]),
    "a time budget of bananas": (GOOD + " --time-budget banana", {}, ["time budget is 'banana'", "like 30s"]),
    "a time budget of 0": (GOOD + " --time-budget 0s", {}, ["time budget is '0s'", "like 30s"]),
    "an unknown activation": (GOOD + " --activation rellu", {}, ["activation", "'rellu'", "Did you mean 'relu'"]),
    "an unknown engine": (GOOD + " --engine refernce", {}, ["engine", "'refernce'", "Did you mean 'reference'"]),
    "an unknown task": (GOOD + " --task clasification", {}, ["task", "'clasification'", "Did you mean 'classification'"]),
    "--resume without --model": ("train flowers.csv --target kind --resume", {}, ["--resume", "--model"]),
    "--out of another kind": ("predict kinds.safetensors flowers.csv --out answers.xlsx", {}, ["--out", "'answers.xlsx'", ".csv or .parquet"]),
    "--data with an example": ("explain tutorial --data flowers.csv", {}, ["--data", "tutorial", "brings its own row"]),
    "--row with an example": ("explain tutorial --row 2 --target y", {}, ["--row and --target belong", "tutorial", "brings its own row"]),
    "--row without --data": ("check kinds.safetensors --row 2", {}, ["--row", "--data"]),
    "a model without its rows": ("explain kinds.safetensors", {}, ["kinds.safetensors", "--data and --row"]),
    "an unknown example": ("explain tutoral", {}, ["'tutoral'", "Did you mean 'tutorial'"]),
    "an unknown detail": ("explain tutorial --detail neuron", {}, ["detail", "'neuron'", "neurons"]),
    "an unknown format": ("explain tutorial --format jsn", {}, ["format", "'jsn'", "Did you mean 'json'", "notebook"]),
    "an unknown language": ("explain tutorial --language fr", {}, ["language", "'fr'", "en, zh"]),
    "an unknown notation": ("explain tutorial --notation own", {}, ["notation", "'own'", "tutorial"]),
    "a number there is not": ("explain tutorial --only W9[0,0]", {}, ["dW.9[0,0]", "2 -> 2 identity"]),
    "a number that is given": ("explain tutorial --only x[0,0]", {}, ["x[0,0]", "given", "dW.1[0,0]"]),
    "a number misspelt": ("explain tutorial --only W1(0,0)", {}, ["W1(0,0)", "quantity, layer and index"]),
    "softmax of nothing": ("explain softmax", {}, ["--scores 2,1,0.1", "--model"]),
    "softmax of words": ("explain softmax --scores a,b", {}, ["'a,b'", "2,1,0.1"]),
    "softmax of infinity": ("explain softmax --scores 1,inf", {}, ["inf", "finite numbers"]),
    "softmax of a regression": ("explain softmax --model petals.safetensors --data flowers.csv", {}, ["petals.safetensors", "needs a classifier"]),
    "scores for a network": ("explain tutorial --scores 1,2", {}, ["--scores", "explain softmax"]),
    "no digits": ("explain tutorial --digits 0", {}, ["digits is 0", "from 1 to 17"]),
    "a row that is a word": ("explain kinds.safetensors --data flowers.csv --row first", {}, ["--row", "'first'", "whole number"]),
    "a tolerance of 0": ("check tutorial --tolerance 0", {}, ["tolerance is 0", "> 0"]),
    "a misspelt file": ("check kinds.safetensor", {}, ["kinds.safetensor does not exist", "Did you mean 'kinds.safetensors'"]),
}  # fmt: skip

PLACES = {
    "a folder that does not exist": ("no/out.safetensors", ["no/out.safetensors", "folder does not exist", "Create"]),
    "a path below a file": ("flowers.csv/out", ["flowers.csv/out", "folder does not exist", "another path"]),
    "a folder": ("d", ["d could not be written", "it is a folder", "Give the path of a file"]),
    "a name too long": ("m" * 300, ["too long", "shorter"]),
    "a place for no files": ("/proc/out.safetensors", ["/proc/out.safetensors", "another path"]),
}  # fmt: skip


@pytest.mark.one_in(6)
@pytest.mark.parametrize("old", [None, b"the old model"], ids=["new", "over an old one"])
@pytest.mark.parametrize("case", FILES)
def test_bad_data_is_refused_in_one_paragraph(refused, case, old):
    command, files, says = FILES[case]
    refused(command, files, says, old=old)


@pytest.mark.parametrize("case", OPTIONS)
def test_a_bad_option_is_refused_in_one_paragraph(refused, case):
    refused(*OPTIONS[case], old=b"the old model")


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.parametrize(
    "command",
    ["train flowers.csv --target kind --model", "predict kinds.safetensors flowers.csv --out"],
    ids=["train", "predict"],
)
def test_a_bad_place_is_refused_before_any_work(refused, command, case):
    path, says = PLACES[case]
    if command.startswith("predict"):
        path, says = f"{path}.csv", [text.removesuffix(".safetensors") for text in says[-1:]]
    refused(f"{command} {path}", {"d/": None, "d.csv/": None}, says)


def test_extra_columns_are_left_out_with_a_note(folder, put, call):
    put({"x.csv": "mood," + (folder / "flowers.csv").read_text().replace("\n", "\ngood,")[:-5]})
    answer = call("predict", "kinds.safetensors", "x.csv")
    assert answer.status == 0
    assert "note: " in answer.err
    assert "'mood'" in answer.err
    assert answer.out == call("predict", "kinds.safetensors", "flowers.csv").out


def test_a_cell_of_a_million_characters_is_no_trouble(folder, put, call):
    put({"x.csv": f"{HEADER}1,2,{BIG},3,aster\n{ROWS}"})
    answer = call("predict", "kinds.safetensors", "x.csv")
    assert (answer.status, answer.out.count("\n")) == (0, 4)
    assert len(answer.err) < 2000


def test_a_word_of_a_million_characters_is_named_in_short(refused):
    refused(
        "predict kinds.safetensors x.csv",
        {"x.csv": f"{HEADER}{BIG},2,red,3,aster\n{ROWS}"},
        ["'height'", "row 1", "xxx"],
    )


ESCAPE = "\x1b[31m\x07"


@pytest.mark.parametrize(
    "command",
    [
        f"train x.csv --target {ESCAPE}kind",
        "train x.csv --target knd",
        f"evaluate kinds.safetensors x.csv --target {ESCAPE}k",
        f"tr{ESCAPE}",
        f"predict {ESCAPE} x.csv",
        f"explain {ESCAPE}",
        f"explain ./{ESCAPE}.json",
        f"train flowers.csv --target kind --activation {ESCAPE}",
        f"train flowers.csv --target kind --model no/{ESCAPE}",
    ],
)  # fmt: skip
def test_control_characters_do_not_reach_the_terminal(refused, command):
    table = flowers(lambda text: text.replace("kind", f"k{ESCAPE}ind").replace("red", ESCAPE))
    refused(command, {"x.csv": table}, ["x1b"])


@pytest.mark.parametrize("old", [None, b"the old model"], ids=["new", "over an old one"])
@pytest.mark.parametrize(
    "command", [GOOD + " --epochs 2", "predict kinds.safetensors flowers.csv --out answers.csv"]
)
def test_a_full_disk_leaves_the_old_file_whole(refused, monkeypatch, command, old):
    fsync = os.fsync

    def full(handle):
        fsync(handle)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    says = ["could not be written", "disk is full", "Free some space"]
    refused(command, {}, says, old=old, late=command.startswith("train"))
