"""Whatever the bytes, a reader gives a table or one of our own errors, and stays within bounds."""

import gzip
import io
import os
import random
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deltaprop.errors import DeltapropError
from deltaprop.tabular import libraries
from deltaprop.tabular.reading.delimited import Reading
from deltaprop.tabular.reading.npy import read_arrays
from deltaprop.tabular.reading.parquet import read_parquet
from deltaprop.tabular.reading.read import table_of
from deltaprop.tabular.reading.source import blob_of

TABLE = {"a": [1, 2, None, 4] * 5, "b": ["x", "y", None, "NA"] * 5, "c": [1.5, None, 2.5, 3.0] * 5,
         "d": [True, False, None, True] * 5}  # fmt: skip
TEXTS = [
    "a,b,c\n1,x,2.5\n2,y,3.5\n3,x,4.5\n4,NA,1e9\n",
    'n;"name";date\r\n1,5;"x; y";2024-01-02\r\n2,5;"NA";2024-02-03\r\n',
    "1\t2\t3\n4\t5\t6\n7\t8\t9\n",
    "1 2  3\n4 5 6\n 7 8 9\n",
    "sep=|\na|b\n\"q \"\"x\"\" y\"|1\n5\" pipe|2\n",
    "长度,颜色\n1.5,红\n2.5,绿\n",
    "price,date\n$1.50,05-Mar-22\n$2.50,06-Mar-22\n",
]  # fmt: skip
BITS = (0, 1, 0x7F, 0x80, 0xFF, 0xFE, 0x22, 0x2C, 0x0A, 0x0D)


def parquet(**options):
    buffer = io.BytesIO()
    pl.DataFrame(TABLE).write_parquet(buffer, **options)
    return buffer.getvalue()


def arrow_of(table, **options):
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(compression=zipfile.ZIP_DEFLATED, **arrays):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", npy(array))
    return buffer.getvalue()


def idx(code, shape, content):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + content


ARRAYS = [np.arange(12.0).reshape(3, 4), np.array([["a", "bb"], ["c", "é"]]), np.array([[b"x"]]),
          np.arange(24, dtype=">i2").reshape(2, 3, 4), np.array([[True, False]])]  # fmt: skip
CORPUS = {
    "text": [text.encode(code) for text in TEXTS for code in ("utf-8", "utf-16", "gb18030")],
    "gzip": [gzip.compress(text.encode(), mtime=0) for text in TEXTS],
    "parquet": [
        *(parquet(compression=name) for name in ("uncompressed", "snappy", "zstd", "gzip")),
        arrow_of(pa.table(TABLE), data_page_version="2.0"),
        arrow_of(pa.table(TABLE), use_dictionary=False, compression="NONE"),
    ],
    "idx": [idx(8, (2, 2, 3), bytes(12)), idx(13, (3, 2), bytes(24)), idx(11, (0, 2, 2), b"")],
    "npy": [npy(array) for array in ARRAYS],
    "npz": [npz(kind, x=ARRAYS[0], y=ARRAYS[0][:, 0])
            for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)]
    + [npz(x=array) for array in ARRAYS],
}  # fmt: skip


def mutated(content, rng):
    """Return bytes that differ in a few places, or are cut or repeated in one."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(changed) + 1)
        way = rng.random()
        if way < 0.6 and at < len(changed):
            old = changed[at]
            changed[at] = rng.choice((rng.randrange(256), rng.choice(BITS), old ^ 1 << at % 8))
        elif way < 0.75:
            del changed[at : at + rng.randrange(1, 9)]
        elif way < 0.9:
            changed[at:at] = bytes(rng.choice(BITS) for _ in range(rng.randrange(1, 9)))
        elif way < 0.95:
            changed[at:at] = changed[at : at + rng.randrange(1, 40)]
        else:
            del changed[at:]
    return bytes(changed)


def fuzz(reader, seed, n):
    """Read ``n`` mutations; only our own errors, of one paragraph, may leave the reader."""
    rng = random.Random(f"{reader} {seed}")
    for i in range(n):
        content = mutated(rng.choice(CORPUS[reader]), rng)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                said = read(content)
        except BaseException as error:
            raise AssertionError((reader, seed, i, content)) from error
        assert "\n" not in said, (reader, seed, i, content)


def read(content):
    """Return what is said instead of a table, or nothing."""
    try:
        table_of([blob_of(content, "x")], "x", Reading())
    except DeltapropError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("reader", CORPUS)
@pytest.mark.one_in(3)
def test_a_changed_file_is_read_or_refused(reader):
    assert sum(read(content) == "" for content in CORPUS[reader]) >= 2
    fuzz(reader, "quick", 150)


SQUARE = npy(np.zeros((2, 2)))
FOUND = [
    b"*,m,c\n1,x,",
    b'""\x0b',
    b"a,b\n1,\x00\n",
    SQUARE.replace(b"(2, 2)", b"(2,\n2)"),
    SQUARE.replace(b"(2, 2)", b"(\r, 4)"),
    SQUARE.replace(b"'<f8'", b"'a\n1'"),
    SQUARE.replace(b"'<f8'", b"'|a8'"),
    SQUARE.replace(b"'fortran_order'", b"'fortran_order('"),
    SQUARE[:9],
    npz(x=ARRAYS[0]).replace(b"\x08\x00", b"\x63\x00"),
    npz(x=ARRAYS[0]).replace(b"PK\x01\x02", b"PK\x01\x03"),
    b"PK\x03\x04" + b"x.npy" * 9,
]


@pytest.mark.parametrize("content", FOUND)
def test_what_fuzzing_has_found_stays_mended(content):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "\n" not in read(content)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("reader", CORPUS)
def test_many_changed_files_are_read_or_refused(reader, seed):
    # In a process of its own: a reader that takes the whole process with it fails its test only.
    code = f"from test_fuzz import fuzz; fuzz({reader!r}, {seed}, 10_000)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=Path(__file__).parent, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def zeros():
    """Files of a few kilobytes that hold more than 10 MB of zeros."""
    many = np.zeros(2 << 20)
    return {
        "gzip": gzip.compress(b"a,b\n" + b"1,2\n" * (3 << 20), mtime=0),
        "npz": npz(x=many.reshape(-1, 4)),
        "parquet": arrow_of(pa.table({"a": many})),
    }


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", ["gzip", "npz", "parquet"])
def test_a_small_file_that_becomes_a_large_one_is_refused_unless_it_is_allowed(kind, monkeypatch):
    content = zeros()[kind]
    monkeypatch.setenv("DELTAPROP_MAX_UNPACKED", "1e7")
    said = read(content)
    for part in ("x", f"{len(content):,} bytes", "more than 10,000,000", "DELTAPROP_MAX_UNPACKED"):
        assert part in said
    monkeypatch.setenv("DELTAPROP_MAX_UNPACKED", "1e8")
    assert read(content) == ""


def test_a_limit_that_is_no_number_is_refused(monkeypatch):
    monkeypatch.setenv("DELTAPROP_MAX_UNPACKED", "8 GB")
    assert "'8 GB'" in read(gzip.compress(b"a,b\n1,2\n", mtime=0))


@pytest.mark.parametrize(
    "content",
    [
        npy(np.zeros((2, 2))).replace(b"(2, 2)", b"(2, 9876543210123)"),
        npy(np.zeros((2, 2))).replace(b"(2, 2)", b"(0, 99999999999999999999)"),
        npy(np.zeros((2, 2))).replace(b"'<f8'", b"'<U999999999'"),
        idx(8, (0xFFFFFFFF,) * 8, b"abc"),
        idx(8, (0,) + (0xFFFFFFFF,) * 7, b""),
        b"\0\0\x08\x08" + b"\xff" * 32,
    ],
)
def test_what_a_header_announces_takes_no_memory(content):
    tracemalloc.start()
    said = read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said.startswith("x ")
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("reader", "content"), [("read_csv", b"a,b\n1,2\n"), ("read_parquet", CORPUS["parquet"][0])]
)
def test_a_panic_of_polars_is_an_error_of_ours(reader, content, monkeypatch, capfd):
    def panic(*_, **__):
        os.write(2, b"thread panicked")
        raise pl.exceptions.PanicException("called unwrap on None")

    monkeypatch.setattr(libraries.pl, reader, panic)
    assert "called unwrap on None" in read(content)
    if reader == "read_parquet":
        assert capfd.readouterr().err == ""


def test_what_is_written_to_standard_error_while_reading_is_not_lost(monkeypatch, capfd):
    original = pl.read_parquet

    def reading(*args, **options):
        os.write(2, b"somebody else's words")
        return original(*args, **options)

    monkeypatch.setattr(libraries.pl, "read_parquet", reading)
    assert read(CORPUS["parquet"][0]) == ""
    assert capfd.readouterr().err == "somebody else's words"


@pytest.mark.parametrize("codec", ["NONE", "SNAPPY", "GZIP", "ZSTD", "LZ4", "BROTLI"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_parquet_of_other_programs_passes_the_checks(codec, version):
    whole = pa.table({**TABLE, "l": [[1, 2]] * 20, "s": [{"a": 1, "b": "x"}] * 20})
    for options in (
        {"row_group_size": 7, "write_page_index": True},
        {"use_dictionary": False, "write_statistics": False, "data_page_size": 50},
    ):
        content = arrow_of(whole, compression=codec, data_page_version=version, **options)
        assert read_parquet(blob_of(content, "x")).height == 20


@pytest.mark.parametrize(
    "content",
    [
        npz(x=np.zeros((2, 2)), n=np.zeros(3)).replace(b"n.npy", b"m.npx"),
        npy(np.zeros((2, 2))).replace(b"'descr': '<f8'", b"'descr': f8'<x"),
        npy(np.array([["a"]])).replace(b"a\0\0\0", b"\xff\xff\xff\xff"),
        npy(np.array([[b"\xff"]])),
        npy(np.zeros((2, 2), dtype="c8")),
        npy(np.zeros((2, 2), dtype="M8[s]")),
        npy(np.zeros(2, dtype=[("a", "i4")])),
        npz(zipfile.ZIP_STORED, x=np.zeros((2, 2))).replace(b"NUMPY", b"NUMPX"),
    ],
)
def test_a_damaged_array_is_refused(content):
    assert read(content)


def test_text_and_numbers_of_every_kind_are_read():
    assert table_of([blob_of(npy(np.array([[b"caf\xc3\xa9"]])), "x")], "x", Reading()).features[
        "x0"
    ].to_list() == ["café"]
    for kind in ("?", "<i1", ">u2", "<f2", ">f8", "<g", "<U3"):
        for order in "CF":
            array = np.array([[0, 1, 1], [1, 1, 0]]).astype(kind)
            found = read_arrays(blob_of(npy(np.asarray(array, order=order)), "x"))[""]
            np.testing.assert_array_equal(found, array)
