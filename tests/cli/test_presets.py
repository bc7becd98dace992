"""Presets and members on the command line: what is told, what is refused, what is left behind."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deltaprop.cli.train import _part_to_read
from deltaprop.errors import SettingError
from deltaprop.estimators.classifier import MLPClassifier
from deltaprop.estimators.loading import load
from deltaprop.table_models import Recipe
from deltaprop.table_models.plan import Facts
from deltaprop.table_models.presets import PRESETS, Preset
from deltaprop.table_models.resumed_plan import Begun

QUICK = ["--epochs", "3", "--hidden", "4"]


@pytest.fixture
def calm(monkeypatch):
    """A preset of one row more."""
    row = Preset("calm", "slow and steady", PRESETS["plain"].plan)
    PRESETS.check(row)
    monkeypatch.setitem(PRESETS._rows, "calm", row)


def test_a_preset_is_a_row_that_everything_reads(folder, call, calm):
    answer = call("train", "flowers.csv", "--target", "kind", "--preset", "clam")
    assert "it is one of fast, best, plain, calm. Did you mean 'calm'?" in answer.err
    assert "calm: slow and steady" in " ".join(call("train", "--help").out.split())
    words = ["--preset", "calm", "--model", "m.safetensors", *QUICK]
    assert call("train", "flowers.csv", "--target", "kind", *words).status == 0
    assert load("m.safetensors").recipe.preset == "calm"
    classifier = MLPClassifier(preset="calm", max_iter=2).fit([[0], [1], [2], [3]], list("aabb"))
    assert classifier.model_.recipe.preset == "calm"


def test_the_help_and_the_docstring_say_what_each_preset_is(call):
    for text in (call("train", "--help").out, Recipe.__doc__):
        for row in PRESETS.values():
            assert f"{row.name}: {row.doc}" in " ".join(text.split())


def test_a_preset_without_a_network_is_not_registered():
    def plan(facts):
        return replace(PRESETS["plain"].plan(facts), activation="reluu")

    with pytest.raises(SettingError, match="reluu"):
        PRESETS.register(Preset("odd", "", plan))
    assert "odd" not in PRESETS


@pytest.mark.parametrize("preset", ["fast", "best", "plain"])
@pytest.mark.parametrize("target", ["kind", "petals"])
@pytest.mark.one_in(5)
def test_every_preset_trains_and_says_so_in_80_columns(folder, call, preset, target):
    words = ["train", "flowers.csv", "--target", target, "--preset", preset, "--members", "3"]
    answer = call(*words, "--model", "m.safetensors", *QUICK)
    assert answer.status == 0, answer.err
    lines = [*answer.err.splitlines(), *answer.out.splitlines()]
    assert max(map(len, lines)) <= 80
    told = " ".join(" ".join(lines).split())
    assert "60 rows, 3 members, 3 epochs" in told
    assert "3 of 3 members ran all their epochs." in told
    assert "60 rows held out, each judged by the member that has not learnt it" in told
    assert len(load("m.safetensors").members) == 3
    evaluated = call("evaluate", "m.safetensors", "flowers.csv", "--json")
    assert evaluated.json["rows"] == 60


def test_a_single_network_says_nothing_of_members(folder, call):
    answer = call("train", "flowers.csv", "--target", "kind", "--members", "1", *QUICK)
    assert "member" not in answer.err + answer.out
    assert " 9 rows held out; they chose the epoch\n" in answer.out


def test_members_are_counted_for_machines(folder, call):
    answer = call("train", "flowers.csv", "--target", "kind", "--members", "2", "--json", *QUICK)
    assert answer.json["members"] == 2
    assert answer.json["rows"] == {"training": 60, "validation": 60}


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--preset", "bset"], "Did you mean 'best'"), (["--members", "0"], "members is 0"),
     (["--members", "two"], "whole number")],
)  # fmt: skip
def test_a_preset_that_is_none_is_refused(folder, call, words, says):
    answer = call("train", "flowers.csv", "--target", "kind", *words)
    assert (answer.status, answer.out) == (2, "")
    assert says in answer.err


@pytest.mark.parametrize("preset", ["fast", "best", "plain"])
@pytest.mark.one_in(3)
def test_rare_values_are_kept_so_that_they_can_be_read_again(folder, call, preset):
    """Of a column of zeros but for three cells a single range is found; it was not read again."""
    rare = {7: 10, 107: 20, 207: 30}
    rows = [f"{rare.get(i, 0)},{i % 7},{i % 2}" for i in range(1000)]
    Path("rare.csv").write_text("\n".join(["rare,x,y", *rows]))
    words = ["train", "rare.csv", "--target", "y", "--ranges", "16", "--preset", preset]
    assert call(*words, "--members", "1", "--model", "m.safetensors", *QUICK).status == 0
    assert len(load("m.safetensors").inputs.columns[0].edges) == 2
    for command in ("evaluate", "predict"):
        answer = call(command, "m.safetensors", "rare.csv")
        assert answer.status == 0, answer.err


def test_the_checkpoints_of_members_are_removed_or_gone_on_from(folder, call, monkeypatch):
    from deltaprop.training import members

    words = ["train", "flowers.csv", "--target", "kind", "--model", "m.safetensors", *QUICK,
             "--members", "2", "--seed", "3"]  # fmt: skip
    assert call(*words).status == 0
    expected = Path("m.safetensors").read_bytes()
    assert not list(folder.glob("*.checkpoint*"))

    end = members.TrainingRun.end

    def killed(run):
        if run.checkpointing.path is None:  # a short training that only chooses the inputs
            return end(run)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(members.TrainingRun, "end", killed)
        assert call(*words).status != 0
    assert [path.name for path in sorted(folder.glob("*.checkpoint*"))] == [
        "m.safetensors.checkpoint.1", "m.safetensors.checkpoint.1.before",
        "m.safetensors.checkpoint.2", "m.safetensors.checkpoint.2.before",
        "m.safetensors.checkpoint.plan",
    ]  # fmt: skip
    again = call(*words)
    assert "of an unfinished run is replaced; --resume would go on from it." in again.err
    with monkeypatch.context() as patch:
        patch.setattr(members.TrainingRun, "end", killed)
        call(*words)
    resumed = call(*words, "--resume")
    assert resumed.status == 0
    assert "note" not in resumed.err
    assert not list(folder.glob("*.checkpoint*"))
    one, other = load("m.safetensors"), expected
    Path("other.safetensors").write_bytes(other)
    for a, b in zip(one.members, load("other.safetensors").members, strict=True):
        np.testing.assert_array_equal(a.flat, b.flat)


def test_a_run_that_goes_on_reads_the_pieces_it_was_begun_with(tmp_path):
    recipe, model = Recipe(time_budget=5.0), str(tmp_path / "m")
    assert _part_to_read(Recipe(), None) == {}
    assert set(_part_to_read(recipe, model)) == {"seconds"}
    plan = recipe.plan(Facts(100, 2, 2, "classification"))
    Begun.write(plan, None, f"{model}.checkpoint", 7)
    assert _part_to_read(recipe, model) == {"pieces": 7}
    assert set(_part_to_read(recipe, None)) == {"seconds"}
