"""Published workings: every verdict their claims must get, and the mistakes their authors made."""

import json

import pytest

import deltaprop as dp
from deltaprop.practice import VERDICTS, mark

FILES = [
    "generation5_xor_2_2_1", "han_kamber_3_2_1", "hmkcode_linear_2_2_1", "mazur_2015",
    "prakash_jay_relu_sigmoid_softmax_corrected", "prakash_jay_relu_sigmoid_softmax_original",
    "tutorial",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "worked_examples" / "claims"


def test_every_published_working_is_marked(folder):
    assert sorted(path.stem for path in folder.glob("*.json")) == FILES


@pytest.mark.parametrize("name", FILES)
def test_every_published_verdict_is_reached(folder, name):
    path = folder / f"{name}.json"
    file = json.loads(path.read_text(encoding="utf-8"))
    marking = mark(path)
    assert set(marking.claims) == set(file["claims"])
    for key, found in marking.claims.items():
        expected = file["expected"].get(key, file["expected"].get("*"))
        verdict, _, remark = expected["verdict"].partition("; ")
        assert verdict in VERDICTS
        assert (found.verdict, found.mistake) == (verdict, expected.get("mistake")), key
        assert expected.get("because", "") in found.because
        if remark:
            assert remark.split()[-1] in found.because
    wrong = {e.get("mistake") for e in file["expected"].values()} - {None}
    assert set(marking.mistakes) == wrong
    assert marking.ok == (not wrong)


def test_the_rounded_entry_is_the_last_one_and_no_other(folder):
    marking = mark(folder / "hmkcode_linear_2_2_1.json")
    assert [m.id for m in marking.marks if m.verdict == "right, rounded"] == ["W.1.after[1,1]"]


def test_a_published_working_says_what_its_author_did(folder):
    (only,) = mark(folder / "mazur_2015.json").wrong
    assert only.id == "loss.after"
    assert only.candidates == ("updated_weights",)
    assert only.right == pytest.approx(0.2910277736937107, rel=1e-12)
    assert "already updated W" in only.because
    (first, *_) = mark(folder / "prakash_jay_relu_sigmoid_softmax_original.json").wrong
    assert "z / sum(z)" in first.because
    assert "0.938, 0.94, 0.98" in first.because


@pytest.mark.rest
def test_the_published_claims_read_by_json_get_the_same_verdicts(folder):
    """From a dict the text of a number is its repr, which is enough here."""
    for name in FILES:
        file = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        by_dict, by_path = dp.mark(file), dp.mark(folder / f"{name}.json")
        assert [m.verdict for m in by_dict.marks] == [m.verdict for m in by_path.marks]
