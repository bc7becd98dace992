"""The arithmetic of the benchmarks, and that measuring works; no time decides anything here."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from deltaprop.benchmark import (
    PEERS,
    WORKLOADS,
    Comparison,
    Measurement,
    Results,
    Workload,
    geometric_mean,
    measure,
    peer_named,
    workload_named,
)
from deltaprop.benchmark.worker import serve
from deltaprop.errors import SettingError, UnknownNameError

TINY = Workload("tiny", (3, 4, 2), 4, 3)
OURS = PEERS["deltaprop"]
# a peer is measured by its name in another process, so those who fail are known there too
ABSENT = replace(PEERS["jax"], module="no_such_module_anywhere", package="nothing")


def comparison(times, works=(TINY,), names=("deltaprop", "a", "b"), peak=None):
    return Comparison(tuple(works), names, {name: name for name in names}, times, peak=peak)


def test_the_products_of_a_step_are_counted_from_the_shapes():
    forward = 4 * (3 * 4 + 4 * 2)
    gradients = forward
    delta = 4 * (4 * 2)
    assert TINY.flop == 2 * (forward + gradients + delta)
    assert Workload("one layer", (5, 3), 7, 1).flop == 2 * 2 * 7 * 15


@pytest.mark.parametrize(
    ("name", "at_233_gflops"), [("N", 275), ("R", 930), ("M", 550), ("L", 21_000), ("X", 134_000)]
)
def test_the_count_gives_the_limits_that_were_written_down(name, at_233_gflops):
    assert WORKLOADS[name].flop / 233e3 == pytest.approx(at_233_gflops, rel=0.03)


def test_rows_are_counted():
    assert TINY.rows == 12


def test_data_are_the_same_for_everybody_and_hold_every_class():
    X, labels = TINY.data()
    again = TINY.data()
    assert X.shape == (12, 3)
    assert X.dtype == np.float32
    assert set(labels.tolist()) == {0, 1}
    np.testing.assert_array_equal(X, again[0])
    np.testing.assert_array_equal(labels, again[1])


def test_a_shape_of_ones_own_can_be_asked_for():
    work = workload_named("64-32-10@16x7")
    assert (work.widths, work.batch, work.steps) == ((64, 32, 10), 16, 7)
    assert workload_named("64-32-10@16").steps >= 20
    assert workload_named(" sc ") is WORKLOADS["SC"]


@pytest.mark.parametrize(
    "text",
    ["Q", "", "64@8", "4-0-2@8", "4-3-1@8", "4-3-2@0", "9999999-2@9999999", "4-3-2", "4-2@x"],
)
def test_what_is_no_workload_is_refused(text):
    with pytest.raises(SettingError):
        workload_named(text)


def test_a_workload_survives_json():
    assert Workload.from_dict(json.loads(json.dumps(TINY.to_dict()))) == TINY


@pytest.mark.parametrize(
    ("values", "mean"), [([4.0], 4.0), ([1.0, 100.0], 10.0), ([2.0, 2.0, 2.0], 2.0), ([], None)]
)
def test_the_geometric_mean(values, mean):
    found = geometric_mean(values)
    assert found is None if mean is None else found == pytest.approx(mean)


def test_ratios_say_how_many_times_longer_the_others_take():
    other = replace(TINY, name="other")
    found = comparison(
        {
            ("tiny", "deltaprop"): 2.0, ("tiny", "a"): 8.0, ("tiny", "b"): 1.0,
            ("other", "deltaprop"): 10.0, ("other", "a"): 10.0,
        },
        works=(TINY, other),
    )  # fmt: skip
    assert found.ratio("tiny", "a") == 4.0
    assert found.ratio("tiny", "b") == 0.5
    assert found.ratio("other", "b") is None
    assert found.mean_ratio("a") == pytest.approx(2.0)
    assert found.mean_ratio("b") == pytest.approx(0.5)


def test_the_share_of_the_limit():
    work = Workload("w", (100, 100), 100, 1)  # 4 MFLOP
    found = comparison({("w", "deltaprop"): 1000.0}, works=(work,), names=("deltaprop",), peak=8.0)
    assert found.gflops(work, "deltaprop") == pytest.approx(4.0)
    assert found.share(work, "deltaprop") == pytest.approx(0.5)
    header, rows = found.table()
    assert dict(zip(header, rows[0], strict=True)) == {
        "row": "w", "widths": "100-100", "batch": "100", "limit": "500", "deltaprop": "1,000",
        "GFLOP/s": "4.00", "of limit": "50%",
    }  # fmt: skip


def test_a_table_shows_what_is_missing_as_a_dash():
    header, rows = comparison({("tiny", "deltaprop"): 2.0, ("tiny", "a"): 9.0}).table()
    cells = dict(zip(header, rows[0], strict=True))
    assert (cells["a"], cells["b"]) == ("9.00 (4.50x)", "-")
    assert rows[-1][0] == "mean"
    assert dict(zip(header, rows[-1], strict=True))["a"] == "(4.50x)"
    text = comparison({("tiny", "deltaprop"): 2.0}).to_markdown()
    assert len({line.count("|") for line in text.splitlines()}) == 1


def test_the_median_of_the_turns_counts():
    assert Measurement(TINY, OURS, (5.0, 1.0, 2.0, 90.0, 3.0), 0.1).microseconds == 3.0


def test_measuring_gives_every_turn():
    results = measure([TINY, replace(TINY, name="again")], [OURS], rounds=3, seconds=0.0)
    assert [m.work.name for m in results.measurements] == ["tiny", "again"]
    assert all(len(m.rounds) == 3 and min(m.rounds) > 0 for m in results.measurements)
    assert results.left_out == []


def test_what_is_not_installed_is_left_out_and_told():
    results = measure([TINY], [OURS, ABSENT], rounds=1, seconds=0.0)
    assert results.peers == [OURS]
    assert results.remarks == ["JAX scan is left out: nothing is not installed."]


def test_what_ends_unexpectedly_is_left_out_and_told():
    broken = replace(OURS, name="no such library", title="broken")
    results = measure([TINY, replace(TINY, name="b")], [broken, OURS], rounds=1, seconds=0.0)
    assert results.remarks == ["broken is left out in every row: its process ended with status 1."]
    assert len(results.measurements) == 2
    assert Comparison.of(results).names == ("deltaprop",)


def test_a_failure_inside_a_library_is_an_answer():
    answers = io.StringIO()
    order = json.dumps({"do": "start", "work": {**TINY.to_dict(), "widths": [3, 0, 2]}})
    serve("deltaprop", io.StringIO(order + "\n"), answers)
    assert "needs two widths" in json.loads(answers.getvalue())["error"]


@pytest.mark.rest
@pytest.mark.parametrize("name", ["sklearn", pytest.param("torch", marks=pytest.mark.torch)])
def test_others_can_be_measured(name):
    pytest.importorskip(name)
    results = measure([TINY], [peer_named(name)], rounds=1, seconds=0.0)
    assert results.remarks == []
    assert set(results.versions) == {PEERS[name].package}
    assert len(results.measurements) == 1


def test_options_of_deltaprop_are_part_of_its_name():
    assert peer_named("deltaprop:1").title == "deltaprop, 1 thread"
    assert peer_named("deltaprop:reference:float64").title == "deltaprop, reference, float64"
    for name in ("deltaprop:quick", "deltaprop:0", "sklearn:2", "keras", ""):
        with pytest.raises(UnknownNameError):
            peer_named(name)


def test_nothing_is_imported_to_find_out_what_is_installed():
    code = (
        "import sys; from deltaprop.benchmark import PEERS; [p.installed for p in PEERS.values()];"
        "print([m for m in ('torch', 'jax', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_results_remember_where_they_were_measured():
    machine = Results([TINY]).machine
    assert machine["cores"] >= 1
    assert machine["processor"]
    facts = {"processor", "cores", "load", "system", "kernels", "python", "deltaprop"}
    assert set(machine) == facts
    assert machine["kernels"].split(" by ")[0] in {"avx512", "avx2", "portable"}
