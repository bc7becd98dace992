"""Tables as they come: read rightly, with a word about what was done, or refused in one paragraph.

Rows are made by rule, so that the right reading is known: a number ``x`` above 0 means "yes".
"""

import numpy as np
import pytest

from deltaprop.cli.main import main

N = 60
X = np.random.default_rng(0).normal(size=N).round(3)
B = np.random.default_rng(1).integers(1, 9, N)
Y = np.where(X > 0, "yes", "no")


def table(header, *columns, sep=",", end="\n", encoding="utf-8"):
    lines = [sep.join(header), *(sep.join(map(str, row)) for row in zip(*columns, strict=True))]
    return (end.join(lines) + end).encode(encoding)


def every(n, odd, column):
    """Return a column with something else in every n-th cell."""
    return [odd if i % n == 0 else cell for i, cell in enumerate(column)]


def turn(*choices):
    return [choices[i % len(choices)] for i in range(N)]


def commas(column, form="{}"):
    return [form.format(cell).replace(".", ",") for cell in column]


DAYS = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(N)]
SLASHED = [f"{1 + i % 28:02}/{1 + i % 12:02}/2024" for i in range(N)]
NUMERIC, WORDS = "numeric", "category"
# name: table, target, exit status, what must be said, what must not
# issues name where it was asked about; the numbers here are made up
CASES = {
    # https://github.com/scikit-learn/scikit-learn/issues/19889
    "labels with blanks and capitals": (
        table("xbt", X, B, [f" {y.upper() if i % 3 else y} " for i, y in enumerate(Y)]),
        0, ["2 classes (NO, YES)", "'no' counts as 'NO'"], [],
    ),
    "labels TRUE, true, True": (
        table("xt", X, [turn("TRUE", "true", "True")[i] if x > 0 else
                        turn("FALSE", "false", "False")[i] for i, x in enumerate(X)]),
        0, ["2 classes (false, true)"], [],
    ),
    "labels as 1.0 and 2.0": (
        table("xt", X, np.where(X > 0, "1.0", "2.0")), 0, ["2 classes (1, 2)"], ["a number"],
    ),
    "stars": (table("xt", X, np.clip(3 + 2 * X, 1, 5).astype(int)), 0, ["5 classes"], []),
    # https://github.com/nocodb/nocodb/issues/80
    "numbers beyond 2^53": (
        table(["id", "x", "t"], [9007199254740993 + i for i in range(N)], X, Y),
        0, ["9007199254740993"], ["every cell is"],
    ),
    "codes beyond 2^53 that return": (
        table(["shop", "x", "t"], turn(1600000000000000001, 1600000000000000003), X, Y),
        0, ["codes, for they return"], ["every cell is"],
    ),
    "postal codes with zeros in front": (
        table(["zip", "x", "t"], turn("00501", "02139", "90210", "07030"), X, Y),
        0, ["codes, for some begin with a zero"], [],
    ),
    # https://github.com/mljar/mljar-supervised/issues/329
    "dollars": (table("pt", [f'"${1000 + 500 * x:,.2f}"' for x in X], Y), 0, [NUMERIC], [WORDS]),
    "euros behind, decimal commas": (
        table("xt", X, commas(50 + 10 * X, "{:.2f} €"), sep=";"), 0, ["a number", "in €"], [],
    ),
    "percents as the target": (
        table("xt", X, [f"{50 + 10 * x:.1f}%" for x in X]), 0, ["a number", "in %"], ["classes"],
    ),
    "kilograms": (table("wt", [f"{5 + x:.3f} kg" for x in X], Y), 0, [NUMERIC], []),
    "kilograms among grams": (
        table("wxt", [f"{5 + x:.1f} kg" if i % 2 else f"{5000 + i} g" for i, x in enumerate(X)],
              X, Y),
        0, ["different", "units (g, kg)"], [],
    ),
    "thousands": (table("pt", [f'"{9000 + 500 * x:,.1f}"' for x in X], Y), 0, [NUMERIC], [WORDS]),
    "decimal commas": (
        table("xbt", commas(X), B, Y, sep=";"), 0, ["is read as", NUMERIC], [WORDS],
    ),
    "decimal commas as the target": (
        table("xt", commas(X), commas(2 * X + 1, "{:.2f}"), sep=";"), 0, ["a number"], ["classes"],
    ),
    "negative in brackets": (
        table("mt", [f"({-x})" if x < 0 else x for x in X], Y), 0, ["is read as -", NUMERIC], [],
    ),
    "typographic minus": (
        table("mt", [str(x).replace("-", "−") for x in X], Y), 0, [NUMERIC], [WORDS],
    ),
    # https://github.com/wireservice/csvkit/issues/806
    "NA is Namibia": (
        table("cxt", turn("NA", "US", "DE"), X, Y),
        0, ["'NA' in row 1", "keeps 'NA' as a word"], [],
    ),
    "NA in double quotes is Namibia": (
        table("cxt", turn('"NA"', "US", "DE"), X, Y), 0, ["3 categories"], ["missing;"],
    ),
    "question marks": (table("xt", every(5, "?", X), Y), 0, [NUMERIC, "missing"], [WORDS]),
    "errors of a sheet": (
        table("xbt", every(5, "#N/A", X), every(7, "#DIV/0!", B), Y),
        0, ["missing marked in a column"], [WORDS],
    ),
    "an error of a sheet as a label": (
        table("xt", X, every(9, "#REF!", Y)), 2, ["target 't' is missing", "row 1, 10"], [],
    ),
    "a slip of the keyboard": (
        table("xbt", every(60, "1.2.3", X), B, Y), 0, ["1 of its 60 cells is not", "'1.2.3'"], [],
    ),
    "dates": (table("dxt", SLASHED, X, Y), 0, ["written as day/month/year"], []),
    "dates in two notations": (
        table("dxt", [DAYS[i] if i % 2 else SLASHED[i] for i in range(N)], X, Y),
        0, ["looks like dates, but they are written in several ways", "'2024-02-02'"], [],
    ),
    "a constant column": (
        table("kxt", turn("same"), X, Y), 0, ["left out: every cell is 'same'"], [],
    ),
    "numbers of rows": (table(["", "x", "t"], range(N), X, Y), 0, ["numbers the rows"], []),
    "two columns of a name": (
        table("xxt", X, B, Y), 2, ["several columns called 'x' (columns 1, 2)"], [],
    ),
    "a separator behind each row": (
        table(["x", "b", "t", ""], X, B, Y, [""] * N), 0, ["ends with a separator"], [],
    ),
    "a row too short": (
        table("xbt", X, B, Y).replace(f"{B[7]},{Y[7]}\n".encode(), f"{B[7]}\n".encode(), 1),
        2, ["has 2 cells on line"], [],
    ),
    "a byte order mark": (
        b"\xef\xbb\xbf" + table("tx", Y, X), 0, ["2 classes (no, yes)"], [],
    ),
    "quotes, separators and lines in cells": (
        table(["note", "x", "t"], turn('"a, ""b""\nc"', '"d"', "e"), X, Y),
        0, ["60 rows", "3 categories"], [],
    ),
    "sep= of Excel": (
        b"sep=;\r\n" + table("xbt", X, B, Y, sep=";", end="\r\n"), 0, ["60 rows"], [],
    ),
    "Unicode text of Excel": (
        table("xbt", X, B, Y, sep="\t", end="\r\n", encoding="utf-16"), 0, ["60 rows"], [],
    ),
    # https://github.com/objectstack-ai/objectui/issues/2556
    "Chinese of Excel": (
        table(["价", "t"], X, np.where(X > 0, "是", "否"), encoding="gbk"),
        0, ["GB18030", "2 classes (否, 是)"], ["WINDOWS"],
    ),
    "Japanese of Excel": (
        table(["値", "t"], X, np.where(X > 0, "はい", "いいえ"), encoding="shift_jis"),
        0, ["Shift-JIS"], [],
    ),
    "line ends of old Macs": (table("xbt", X, B, Y, end="\r"), 0, ["60 rows"], []),
    "pipes": (table("xbt", X, B, Y, sep="|"), 0, ["60 rows"], []),
    "blanks around names": (
        table([" x (cm) ", " t "], X, Y), 0, ["x (cm)", "2 classes"], [],
    ),
    "labels missing": (
        table("xt", X, every(9, "", Y)), 2, ["row 1, 10, 19 and 4 more: target 't' is missing"], [],
    ),
    "one class": (table("xt", X, turn("yes")), 2, ["single class 'yes'"], []),
    "names for labels": (
        table("xt", X, [f"id{i}" for i in range(N)]), 2, ["60 different words in 60 rows"], [],
    ),
    "another case of the target's name": (table("xbT", X, B, Y), 2, ["Did you mean 'T'?"], []),
    "a header only": (b"x,b,t\n", 2, ["and no rows"], []),
    "nothing": (b"", 2, ["is empty"], []),
    "a NUL byte": (table("xt", X, Y).replace(b"yes", b"y\0s", 1), 2, ["NUL byte on line"], []),
    "a page that says log in": (
        b"<!DOCTYPE html>\n<html><body>log in</body></html>", 2, ["is an HTML page"], [],
    ),
    "lines of JSON": (
        b"".join(b'{"x": %f, "t": "%s"}\n' % (x, y.encode()) for x, y in zip(X, Y, strict=True)),
        2, ["is JSON", "Write it as CSV"], [],
    ),
    "ARFF": (
        b"@relation r\n@attribute x numeric\n@attribute t {yes,no}\n@data\n" + table("xt", X, Y),
        2, ["is an ARFF file"], [],
    ),
}  # fmt: skip


@pytest.mark.one_in(6)
@pytest.mark.parametrize("case", CASES)
def test_a_table_is_read_as_it_is_meant(case, tmp_path, monkeypatch, capfd):
    content, status, said, unsaid = CASES[case]
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "t.csv").write_bytes(content)
    command = ["train", str(tmp_path / "t.csv"), "--target", "t", "--preset", "plain"]
    found = main([*command, "--epochs", "1"])
    out, err = capfd.readouterr()
    text = " ".join(f"{out} {err}".split())
    assert found == status, text
    for words in said:
        assert words in text
    for words in unsaid:
        assert words not in text
    if status:
        assert len(err.strip().splitlines()) == 1
