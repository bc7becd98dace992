"""Commands that read a file in parts say what they say of the whole."""

import numpy as np
import polars as pl
import pytest

from deltaprop.cli.main import main
from deltaprop.tabular.reading import parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    rng = np.random.default_rng(0)
    n = 150
    a = rng.normal(size=n).round(3)
    table = pl.DataFrame(
        {
            "a": a,
            "kind": [f"v{i}" for i in rng.integers(0, 25, n)],
            "y": np.where(a + rng.normal(size=n) / 2 > 0, "NA", "=yes"),
            "z": (3 * a + rng.normal(size=n)).round(2),
        }
    )
    table.write_csv(folder / "t.csv", quote_style="non_numeric")
    later = table.with_columns(
        kind=pl.when(pl.int_range(n) % 97 == 3).then(pl.lit("new")).otherwise("kind"),
        more=pl.lit(1),
    )
    later.write_csv(folder / "later.csv", quote_style="non_numeric")
    later.write_parquet(folder / "later.parquet")
    text = (folder / "later.csv").read_text()
    (folder / "broken.csv").write_text(text + '1,"v1","NA",2,1,8,9\n')
    few = ("--epochs", "2", "--members", "1", "--hidden", "8")
    for target in ("y", "z", "y,z"):
        assert main(["train", str(folder / "t.csv"), "--target", target, "--model",
                     str(folder / f"{target}.st"), *few]) == 0  # fmt: skip
    return folder


WORDS = {
    "classes": ["predict", "y.st", "later.csv"],
    "probabilities": ["predict", "y.st", "later.csv", "--proba"],
    "first rows": ["predict", "y.st", "later.csv", "--first", "130"],
    "JSON": ["predict", "y.st", "later.csv", "--json"],
    "numbers": ["predict", "z.st", "later.csv"],
    "two targets": ["predict", "y,z.st", "later.csv", "--proba"],
    "Parquet": ["predict", "y.st", "later.parquet"],
    "a row too long": ["predict", "y.st", "broken.csv"],
    "judged": ["evaluate", "y.st", "later.csv"],
    "judged numbers": ["evaluate", "z.st", "later.csv", "--json"],
    "judged by two targets": ["evaluate", "y,z.st", "later.csv"],
    "judged by new rows": ["evaluate", "y.st", "later.csv", "--unseen"],
    "nothing new": ["evaluate", "y.st", "t.csv", "--unseen"],
    "judged Parquet": ["evaluate", "y.st", "later.parquet"],
    "a judge's row too long": ["evaluate", "y.st", "broken.csv"],
}


CASES = [
    pytest.param(words, out, id=f"{name} {out or ''}")
    for name, words in WORDS.items()
    for out in (None, "out.csv", "out.parquet")
    if out is None or (words[0] == "predict" and "--json" not in words)
]


@pytest.mark.parametrize(("words", "out"), CASES)
@pytest.mark.one_in(5)
def test_it_says_what_it_says_of_the_whole(folder, words, out, monkeypatch, capfd, tmp_path):
    if out is not None:
        words = [*words, "--out", str(tmp_path / out)]
    monkeypatch.chdir(folder)

    n_parts = []
    typed = parts.typed

    def counted(*given):
        n_parts.append(given)
        return typed(*given)

    monkeypatch.setattr(parts, "typed", counted)

    def told(at_once):
        monkeypatch.setattr(parts, "_AT_ONCE", at_once)
        monkeypatch.setattr("deltaprop.tabular.reading.parquet._CELLS_AT_ONCE", 5 * at_once)
        status = main(words)
        written = None
        if out is not None and status == 0:
            written = pl.read_parquet(tmp_path / out) if "parquet" in out else (
                tmp_path / out).read_text()  # fmt: skip
            written = written.to_dicts() if "parquet" in out else written
            (tmp_path / out).unlink()
        return status, capfd.readouterr(), written

    whole = told(1 << 40)
    assert n_parts == []
    in_parts = told(500)
    assert in_parts == whole
    assert len(n_parts) > 5 or "later.parquet" in words
    assert list(tmp_path.iterdir()) == []
