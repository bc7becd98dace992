"""``deltaprop bench``: a table, its numbers as JSON, and what is missing told."""

import pytest

from deltaprop.benchmark import peers

TINY = "4-3-2@8x3"


def test_it_prints_a_table(call):
    called = call("bench", "--rows", TINY, "--against", "none")
    assert called.status == 0
    assert called.out.splitlines()[0].split() == ["row", "widths", "batch", "deltaprop", "GFLOP/s"]
    assert "4-3-2" in called.out
    assert "machine" in called.err
    assert max(map(len, called.out.splitlines())) <= 80


@pytest.mark.slow
def test_json_holds_times_ratios_and_machine(call):
    called = call("bench", "--rows", TINY, "--against", "sklearn", "--threads", "1", "--json")
    facts = called.json
    (row,) = facts["rows"]
    times = row["microseconds"]
    assert set(times) == {"deltaprop:1", "sklearn"}
    assert row["ratios"]["sklearn"] == pytest.approx(times["sklearn"] / times["deltaprop:1"])
    assert facts["geometric_mean"]["sklearn"] == pytest.approx(row["ratios"]["sklearn"])
    assert row["gflop"] == pytest.approx(2e-9 * 8 * (3 * (12 + 6) - 12))
    assert "scikit-learn" in facts["versions"]
    assert facts["machine"]["cores"] >= 1


def test_a_missing_library_is_told_and_is_no_failure(call, monkeypatch):
    real = peers.importlib.util.find_spec
    monkeypatch.setattr(
        peers.importlib.util, "find_spec",
        lambda name, *rest: None if name in ("sklearn", "torch", "jax") else real(name, *rest),
    )  # fmt: skip
    called = call("bench", "--rows", TINY)
    assert called.status == 0
    assert "4-3-2" in called.out
    for package in ("scikit-learn", "torch", "jax"):
        assert f"{package} is not installed" in " ".join(called.err.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rows", "Q"], "No row of the benchmark is called 'Q'"),
        (["--rows", ","], "--rows is empty"),
        (["--against", "keras"], "No library is called 'keras'"),
        (["--against", "sklear"], "Did you mean 'sklearn'?"),
        (["--threads", "0"], "--threads is 0"),
        (["--threads", "two"], "no whole number"),
    ],
)
def test_what_it_cannot_do_is_said_before_anything_is_measured(call, words, said):
    called = call("bench", *words)
    assert called.status == 2
    assert called.out == ""
    assert said in " ".join(called.err.split())


def test_help_shows_an_example(call):
    called = call("bench", "--help")
    assert called.status == 0
    assert "deltaprop bench --against sklearn,torch" in called.out
