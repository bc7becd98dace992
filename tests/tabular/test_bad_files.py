"""What cannot be read is refused in one paragraph that says what, where, and what to do."""

import gzip
import io
import os

import numpy as np
import pytest

from deltaprop.errors import ColumnError, DataError
from deltaprop.tabular import load_features


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


GZ = gzip.compress(bytes(np.random.default_rng(0).integers(48, 57, 5000, dtype=np.uint8)))
RAGGED = "a,b,c\n1,2,3\n4,5\n6,7,8\n"
BAD = {
    "a short row": (RAGGED, ["2 cells", "line 3", "expected 3"]),
    "a long row": ("a,b\n1,2\n3,4\n5,6,7\n", ["3 cells", "line 4", "expected 2"]),
    "a short row after quotes": ('a,b,c\n"x\ny",2,3\n4,5\n', ["2 cells", "line 4", "expected 3"]),
    "a short row after blank lines": ("a,b\n\n\n1,2\n\n3\n", ["1 cell ", "line 6", "expected 2"]),
    "a short row among messy quotes": ('a,b\n5" x,1\n7\n', ["1 cell ", "line 3", "expected 2"]),
    "a short row between blanks": ("1 2 3\n4 5 6\n7 8\n9 1 2\n", ["2 cells", "line 3"]),
    "a title line": ("My table\na,b\n1,2\n3,4\n", ["1 cell ", "line 1", "most rows", "delete"]),
    "a doubled name": ("a,b, a\n1,2,3\n", ["'a'", "columns 1, 3", "Rename"]),
    "a doubled name over words": ("k,k\nx,y\nz,y\n", ["'k'", "columns 1, 2"]),
    "nothing": ("", ["is empty"]),
    "blank lines": ("\n \n\n", ["is empty"]),
    "an empty gzip file": (gzip.compress(b"", mtime=0), ["is empty"]),
    "only a header": ("a,b,c\n", ["header line", "'a, b, c'", "no rows"]),
    "an open quote": ('a,b\n1,"x\n2,y\n', ["double quote", "line 2", "not closed"]),
    "a quote closed too late": ('a,b\n1,"x\n2,"y"\n3,z\n', ["double quote", "line 2"]),
    "a NUL byte": (b"a,b\n1,\x00\n", ["NUL", "line 2", "byte 6", "UTF-8"]),
    "broken UTF-16": (b"\xff\xfea\x00b", ["UTF-16", "save the file again"]),
    "damaged UTF-8": ("ä,b\nöü,1\nMü".encode() + b"\xff,1\n", ["0xff", "line 3", "Mü", "iconv"]),
    "binary garbage": (bytes(range(1, 256)) * 9, ["binary file", "CSV"]),
    "a PNG image": (b"\x89PNG\r\n\x1a\n" + b"x" * 50, ["PNG image"]),
    "an Excel workbook": (b"PK\x03\x04" + b"[Content_Types].xml", ["Excel workbook", "CSV"]),
    "another archive": (b"PK\x03\x04" + b"hello.txt", ["zip archive", "Unpack"]),
    "a pickle": (b"\x80\x04\x95\x00\x00", ["pickle", "never loaded"]),
    "a bzip2 archive": (b"BZh91AY&SY", ["bzip2", "Decompress"]),
    "truncated gzip": (GZ[:-100], ["truncated", "gzip"]),
    "corrupt gzip": (GZ[:200] + bytes(50) + GZ[250:], ["gzip"]),
    "corrupt Parquet": (b"PAR1" + b"x" * 50 + b"PAR1", ["Parquet", "again"]),
    "truncated IDX": (b"\0\0\x08\x03" + b"\0\0\0\2" * 3 + b"abc", ["truncated", "2 x 2 x 2", "19"]),
    "overlong IDX": (b"\0\0\x08\x01\0\0\0\2abcd", ["too long", "10 bytes", "12"]),
    "half an IDX header": (b"\0\0\x08\x03\0\0", ["IDX header", "16 bytes"]),
    "labels as features": (b"\0\0\x08\x01\0\0\0\2ab", ["rows x columns", "target"]),
    "an object array": (npy(np.array([{}], dtype=object)), ["Python objects", "run code"]),
    "complex numbers": (npy(np.zeros((2, 2), dtype=complex)), ["complex128", "numbers"]),
    "truncated .npy": (npy(np.zeros((9, 9)))[:-8], ["not an intact NumPy file"]),
    "a damaged .npz": (b"PK\x03\x04" + b"a.npy" + b"x" * 40, ["not an intact NumPy file"]),
    "too many columns": (",".join(["1"] * 1_000_000), ["1,000,000 cells", "line 1", "100,000"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_the_place_and_a_way_out(tmp_path, case):
    content, parts = BAD[case]
    path = tmp_path / "bad.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        load_features(path)
    message = str(caught.value)
    for part in ["bad.csv", *parts]:
        assert part in message
    assert "\n" not in message
    assert len(message) < 800


def test_a_doubled_name_is_an_error_of_columns(tmp_path):
    (tmp_path / "bad.csv").write_text("a,a\n1,2\n")
    with pytest.raises(ColumnError):
        load_features(tmp_path / "bad.csv")


def test_a_missing_file_suggests_the_nearest(tmp_path):
    (tmp_path / "penguins.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"no file .*pengiuns\.csv.*Did you mean .*penguins\.csv"):
        load_features(tmp_path / "pengiuns.csv")


def test_a_missing_file_without_a_near_one_lists_the_folder(tmp_path):
    (tmp_path / "penguins.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"holds penguins\.csv"):
        load_features(tmp_path / "zzz")


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(DataError, match=r"folder .*nowhere.* does not exist"):
        load_features(tmp_path / "nowhere" / "x.csv")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match=r"is a folder.*\*\.csv"):
        load_features(tmp_path)


def test_a_glob_without_a_match_is_said(tmp_path):
    with pytest.raises(DataError, match=r"No file matches .*\*\.csv"):
        load_features(tmp_path / "*.csv")


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_a_file_that_may_not_be_read_is_said(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match=r"secret\.csv may not be read.*chmod"):
        load_features(tmp_path / "secret.csv")


@pytest.mark.parametrize("source", ["", "a\0b"])
def test_a_name_that_cannot_be_is_refused(source):
    with pytest.raises(DataError, match="data source"):
        load_features(source)
