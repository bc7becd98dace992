"""What mark says, and what it refuses."""

import copy
import json
import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.mistakes.entries import exchanges, other_entries
from deltaprop.checking.mistakes.forms import FURTHER
from deltaprop.checking.step import lacking
from deltaprop.errors import DataError
from deltaprop.explaining import EXAMPLES, built_in_example, read_worked_example, worked_example
from deltaprop.practice import VERDICTS, Marking, mark
from deltaprop.practice.marking.step import step_of

TUTORIAL = {key: value for key, value in EXAMPLES["tutorial"].items() if key != "claims"}


def tutorial(**claims):
    renamed = {key.replace("_", "."): value for key, value in claims.items()}
    return {**copy.deepcopy(TUTORIAL), "claims": renamed}


RIGHT = {
    "z.1": [[1.25, 3.8]], "a.2": [[5.05]], "loss": 0.55125, "delta.2": [[1.05]],
    "dW.2": [[1.3125], [3.99]], "W.2.after": [[0.86875], [0.601]], "loss.after": 0.3388,
}  # fmt: skip


class TestVerdicts:
    def test_the_tutorial_as_it_is_written_down_is_right(self):
        marking = mark({**TUTORIAL, "claims": RIGHT})
        assert marking.ok
        assert marking
        assert marking.wrong == marking.mistakes == ()
        assert {m.verdict for m in marking.marks} == {"right"}
        assert [m.id for m in marking.marks][:3] == ["z.1[0,0]", "z.1[0,1]", "a.2[0,0]"]

    def test_two_digits_among_six_are_right_but_rounded(self):
        marking = mark({**TUTORIAL, "claims": {**RIGHT, "loss.after": 0.34}})
        assert marking.claims["loss.after"].verdict == "right, rounded"
        assert "0.338802" in marking.claims["loss.after"].because
        assert marking.ok

    def test_two_digits_that_stand_alone_are_right_but_rounded(self):
        assert mark(tutorial(loss_after=0.34)).claims["loss.after"].verdict == "right, rounded"

    def test_null_is_not_claimed(self):
        marking = mark(tutorial(z_1=[[None, 3.8]], dW_2=None, a_2=[None], loss=0.55125))
        assert [m.id for m in marking.marks] == ["z.1[0,1]", "loss"]

    def test_what_is_made_from_a_slip_follows_from_it_by_name(self):
        marking = mark(tutorial(a_2=[[5.5]], loss=1.125, delta_2=[[1.5]], dW_2=[[1.875], [5.7]]))
        assert {key: m.verdict for key, m in marking.claims.items()} == {
            "a.2": "wrong", "loss": "follows", "delta.2": "follows", "dW.2": "follows",
        }  # fmt: skip
        assert marking.mistakes == ("arithmetic",)
        assert "claimed delta.2 is taken as given" in marking.claims["dW.2"].because
        assert not marking.ok

    def test_a_right_number_after_a_slip_is_right(self):
        marking = mark(tutorial(delta_2=[[1.15]], dW_2=[[1.3125], [3.99]]))
        assert marking.claims["delta.2"].verdict == "wrong"
        assert marking.claims["dW.2"].verdict == "right"

    def test_two_mistakes_get_two_names(self):
        deltas, gradients = [[-1.05]], [[-1.3125], [-3.99]]
        after = [[2.3125], [4.99]]  # with the learning rate forgotten, from the wrong gradients
        marking = mark(tutorial(delta_2=deltas, dW_2=gradients, W_2_after=after))
        assert marking.mistakes == ("sign", "learning_rate")
        assert marking.claims["dW.2"].verdict == "follows"

    def test_a_mistake_in_the_weights_themselves_is_a_slip_of_copying(self):
        marking = mark(tutorial(W_1=[[0.5, 2.2], [1.5, 3.0]], z_1=[[1.25, 3.7]]))
        assert marking.claims["W.1"].mistake == "arithmetic"
        assert marking.claims["z.1"].verdict == "follows"

    def test_equal_candidates_are_all_told_and_the_commonest_is_named(self):
        (only,) = mark(tutorial(loss=0.55125, dW_1=[[2.10, None], [None, None]])).wrong
        assert only.mistake == only.candidates[0] == "half"
        assert "stale_gradients" in only.candidates
        assert "stale_gradients" in only.because

    @pytest.mark.parametrize(
        ("claims", "loss", "name"),
        [
            ({"loss": 1.1025, "delta.2": [[1.05]]}, "mean", "half"),
            ({"dW.1": [[0.912188, 0.63105], [0.456094, 0.315525]]}, "mean", "updated_weights"),
            ({"delta.2": [[-1.05]], "W.2.after": [[1.13125], [1.399]]}, "sum", "sign"),
        ],
    )
    def test_mistakes_worked_out_by_hand_in_the_tutorial(self, claims, loss, name):
        assert mark({**TUTORIAL, "loss_reduction": loss, "claims": claims}).mistakes == (name,)

    def test_a_missing_derivative_at_the_output_is_named(self):
        example = {
            "layers": [{"W": [[0.4], [0.3]], "b": [0.1]}], "loss": "half_squared_error_sigmoid",
            "x": [[1.0, 2.0]], "targets": [[1.0]],
        }  # fmt: skip
        p = 1 / (1 + np.exp(-1.1))
        marking = mark({**example, "claims": {"delta.1": [[round(p - 1, 6)]]}})
        assert marking.mistakes == ("missing_f_prime",)

    def test_a_mean_forgotten_everywhere_is_a_sum_and_forgotten_once_a_mistake(self):
        example = {
            "layers": [{"W": [[0.5]], "b": [0.0]}], "loss": "half_squared_error",
            "x": [[1.0], [2.0], [4.0]], "targets": [[1.0], [0.0], [1.0]], "learning_rate": 0.1,
        }  # fmt: skip
        claims = {"loss": 1.125, "delta.1": [[-0.5], [1.0], [1.0]], "dW.1": [[5.5]],
                  "W.1.after": [[-0.05]]}  # fmt: skip
        marking = mark({**example, "claims": claims})
        assert marking.ok
        assert marking.conventions == ("samples: sum",)
        assert marking.claims["dW.1"].verdict == "right, in another convention"
        marking = mark({**example, "claims": claims | {"loss": 0.375}})
        assert marking.mistakes == ("batch_mean",)
        assert marking.claims["dW.1"].verdict == "follows"
        assert mark({**example, "loss_reduction": "sum", "claims": claims}).ok

    def test_biases_that_are_not_trained_stay(self):
        example = {
            "layers": [{"W": [[2.0]], "b": [1.0]}], "loss": "half_squared_error",
            "x": [[1.0]], "targets": [[1.0]], "train_biases": False, "learning_rate": 0.1,
        }  # fmt: skip
        assert mark({**example, "claims": {"b.1.after": [1.0], "db.1": [2.0]}}).ok
        trained = mark({**example, "train_biases": True, "claims": {"b.1.after": ["1.00"]}})
        assert trained.mistakes == ("bias_frozen",)

    def test_a_few_digits_that_a_mistake_gives_by_chance_do_not_name_it(self):
        """W.1.after is right, so that the recursion cannot have gone through updated weights."""
        after = [[0.395, 2.195], [1.4475, 2.9475]]
        for digits, names in ((3, ("arithmetic",)), (6, ("updated_weights",))):
            wrong = round(0.30165318722722206, digits)  # what that mistake would make of the loss
            assert mark(tutorial(W_1_after=after, loss_after=wrong)).mistakes == names

    def test_the_further_forms_belong_to_named_mistakes(self):
        assert {name for name, _, _ in FURTHER} <= set(MISTAKES)


class TestMarking:
    @pytest.fixture
    def marking(self):
        return mark(tutorial(z_1=[[1.25, 3.8]], a_2=[[5.5]], delta_2=[[1.5]], loss_after=0.4))

    def test_it_is_found_at_the_front_door(self, marking):
        assert dp.mark is mark
        assert isinstance(marking, dp.Marking)

    def test_it_is_plain_data_fit_for_json(self, marking):
        facts = json.loads(json.dumps(marking.to_dict(), allow_nan=False))
        assert facts["format"] == "deltaprop-marking/1"
        assert facts["ok"] is False
        assert facts["mistakes"] == list(marking.mistakes)
        assert sum(facts["counts"].values()) == len(facts["marks"]) == len(marking.marks)
        assert list(facts["counts"]) == list(VERDICTS)
        assert facts["claims"]["a.2"]["mistake"] == "arithmetic"
        assert facts["marks"][2]["claimed"] == "5.5"

    def test_every_mark_has_one_sentence(self, marking):
        for each in marking.marks:
            assert each.because.endswith(".")
            assert each.because.startswith(each.id)

    @pytest.mark.parametrize("width", [60, 80, 120])
    @pytest.mark.one_in(3)
    def test_the_text_fits_the_terminal_and_names_the_mistake(self, marking, width):
        text = marking.to_terminal(width=width)
        assert max(map(len, text.splitlines())) <= width
        assert "wrong: arithmetic" in text
        assert "1 following from a slip" in text
        assert str(marking) == marking.to_terminal()
        assert not any(line.endswith(" ") for line in text.splitlines())

    def test_colour_adds_nothing_but_colour(self, marking):
        colored = marking.to_terminal(color=True)
        assert "\033[31m" in colored
        assert re.sub(r"\033\[\d+m", "", colored) == marking.to_terminal()

    def test_a_title_cannot_steer_the_terminal(self):
        example = {**tutorial(loss=1.0), "title": "a\033[2Jb" * 40}
        text = mark(example).to_terminal()
        assert "\033" not in text
        assert max(map(len, text.splitlines())) <= 80

    @pytest.mark.slow
    def test_a_wide_working_fits_80_columns_too(self):
        rng = np.random.default_rng(0)
        wide = rng.normal(size=(12, 11)).round(3).tolist()
        example = {
            "layers": [{"W": wide, "activation": "tanh"}, {"W": [[1.0, -0.5, 0.25]] * 11}],
            "loss": "cross_entropy", "x": rng.normal(size=(6, 12)).round(2).tolist(),
            "targets": [0, 1, 2, 0, 1, 2], "learning_rate": 0.1,
            "claims": {
                "z.1": [["0.12345678901234567"] * 11] * 6, "a.2": [[0.5, None, 0.1]] * 6,
                "dW.1": [[0.1] * 11] * 12, "delta.1": [[7.5] * 11] * 6, "loss.after": 123456789,
            },
        }  # fmt: skip
        text = mark(example).to_terminal()
        assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    "claims",
    [{"a.2": 5.05, "delta.2": 1.05}, {"a.2": [5.05]}, {"z.1": [1.25, 3.8]},
     {"dW.2": [1.3125, 3.99]},
     {"b.2": 0.0}, {"b.2": [[0.0]], "db.1": [[1.05, 1.05]]}, {"db.1": [[1.05], [1.05]]}],
)  # fmt: skip
def test_a_number_alone_and_a_row_of_biases_need_no_brackets(claims):
    layers = [{**layer, "b": [0.0] * len(layer["W"][0])} for layer in TUTORIAL["layers"]]
    assert mark({**TUTORIAL, "layers": layers, "claims": claims}).ok


class TestSources:
    def test_a_path_a_dict_and_a_worked_example_are_marked_alike(self, tmp_path):
        example = {**TUTORIAL, "claims": RIGHT}
        path = tmp_path / "worked.json"
        path.write_text(json.dumps(example), encoding="utf-8")
        found = [mark(path), mark(str(path)), mark(example), mark(read_worked_example(path))]
        assert len({json.dumps(m.to_dict()["marks"]) for m in found}) == 1
        assert all(isinstance(m, Marking) for m in found)

    def test_arrays_are_taken_for_claims(self):
        assert mark(tutorial(z_1=np.array([[1.25, 3.8]]), loss=np.float64(0.55125))).ok

    def test_nothing_given_is_changed(self):
        example = tutorial(a_2=[[5.5]], delta_2=[[1.5]])
        before = copy.deepcopy(example)
        mark(example)
        assert example == before


BAD = {
    "no claims": ({}, ["claims is nothing", "expected claimed numbers"]),
    "claims of a list": ({"claims": [1]}, ["claims is a list"]),
    "claims of null": ({"claims": None}, ["claims is nothing"]),
    "nothing but null": ({"claims": {"loss": None}}, ["no number"]),
    "a misspelt key": ({"claims": {"los": 1.0}}, ["'los'", "Did you mean 'loss'"]),
    "a layer too many": ({"claims": {"z.3": [[1.0]]}}, ["'z.3'", "layer from 1 to 2"]),
    "layer zero": ({"claims": {"a.0": [[1.0, 0.5]]}}, ["'a.0'"]),
    "a bias that is not there": ({"claims": {"b.1.after": [1.0, 2.0]}}, ["'b.1.after'", "bias"]),
    "delta after": ({"claims": {"delta.1.after": [[1.0, 2.0]]}}, ["'delta.1.after'"]),
    "a number as key": ({"claims": {1: 2.0}}, ["'1'"]),
    "a key of 10 kB": ({"claims": {"x" * 10000: 2.0}}, ["xxx"]),
    "a row too short": ({"claims": {"z.1": [[1.25]]}}, ["z.1 is 1 numbers in row 1", "1 row of 2"]),
    "a row too many": ({"claims": {"z.1": [[1, 2], [3, 4]]}}, ["2 rows", "1 row of 2"]),
    "a number for a matrix": ({"claims": {"z.1": 1.25}}, ["z.1 is 1.25", "1 row of 2"]),
    "a flat list": ({"claims": {"W.1": [1.25, 3.8]}}, ["W.1", "2 rows of 2"]),
    "too deep": ({"claims": {"z.1": [[[1.25], [3.8]]]}}, ["too deep"]),
    "a list for the loss": ({"claims": {"loss": [0.55]}}, ["loss is a list", "one number"]),
    "a word": ({"claims": {"z.1": [["much", 3.8]]}}, ["z.1[0,0] is 'much'", "a number"]),
    "a truth": ({"claims": {"loss": True}}, ["loss is True"]),
    "a mapping": ({"claims": {"z.1": [[{}, 3.8]]}}, ["z.1[0,0] is a mapping"]),
    "NaN": ({"claims": {"loss": float("nan")}}, ["loss is nan"]),
    "an infinity": ({"claims": {"loss": float("inf")}}, ["loss is inf"]),
    "a reduction of no name": ({"loss_reduction": "max", "claims": {"loss": 1}}, ["'max'"]),
    "targets that do not fit": ({"targets": [[1, 2]], "claims": {"loss": 1}}, ["targets"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_marked_is_refused_in_one_sentence(case):
    change, words = BAD[case]
    with pytest.raises(DataError) as found:
        mark({**copy.deepcopy(TUTORIAL), **change})
    message = str(found.value)
    assert "\n" not in message
    assert len(message) < 500
    for word in words:
        assert word in message


@pytest.mark.parametrize("value", [None, 3, [1], object()])
def test_what_is_no_worked_example_at_all_is_refused(value):
    with pytest.raises(DataError, match="expected the path of a worked example"):
        mark(value)


def test_an_example_without_claims_has_nothing_to_mark():
    with pytest.raises(DataError, match="claims is nothing"):
        mark(built_in_example("iamtrask"))


def test_a_built_in_example_is_marked_by_its_name():
    marking = mark("mazur")
    assert not marking
    assert "updated_weights" in marking.mistakes


@pytest.mark.filterwarnings("error")
def test_a_step_that_runs_away_is_marked_without_a_warning():
    example = {
        "layers": [{"W": [[1e200]], "activation": "identity"}, {"W": [[1e200]]}],
        "loss": "half_squared_error", "x": [[1.0]], "targets": [[0.0]], "learning_rate": 1.0,
        "claims": {"z.1": [[1e200]], "loss": 3.0, "loss.after": 1.0},
    }  # fmt: skip
    marking = mark(example)
    assert marking.claims["z.1"].verdict == "right"
    assert marking.claims["loss"].verdict == "wrong"
    json.dumps(marking.to_dict(), allow_nan=False)
    assert marking.to_terminal()


LINES = {
    "z.1": [[1.25, 3.8]], "a.2": [[5.05]], "delta.2": [[1.05]], "delta.1": [[2.2, 0.4]],
    "dW.1": [[2.2, 0.4], [1.1, 0.2]],
}  # fmt: skip


class TestWhere:
    """How far a wrong working is right, and where to look first."""

    def test_it_is_said_in_words_and_the_line_is_named(self):
        marking = mark({**TUTORIAL, "claims": LINES})
        assert marking.mistakes == ("systematic",)
        assert marking.where == "Right up to delta.2. Look at delta.1 first."
        assert marking.where in str(marking)
        assert marking.to_dict()["where"] == marking.where
        because = marking.claims["delta.1"].because
        assert "none of the known mistakes" in because
        assert because.endswith("made from delta.2, W.2, a.1 and z.1.")
        assert marking.claims["dW.1"].verdict == "follows"

    def test_the_first_line_may_be_the_wrong_one_and_a_right_working_needs_no_word(self):
        assert mark({**TUTORIAL, "claims": {"z.1": [[2.0, 3.8]]}}).where == "Look at z.1 first."
        right = {key: LINES[key] for key in ("z.1", "a.2", "delta.2")}
        assert mark({**TUTORIAL, "claims": right}).where == ""


ONE_BIAS = {
    "layers": [
        {"W": [[0.5, -0.3], [0.2, 0.4]], "b": [0.1, None], "activation": "tanh"},
        {"W": [[0.7], [-0.6]]},
    ],
    "loss": "half_squared_error", "x": [[1, 2]], "targets": [[0.5]], "learning_rate": 0.5,
}  # fmt: skip


class TestNeuronsWithoutBias:
    """``b: [0.1, null]``: in a working stands null in its place, 0, or nothing."""

    def judged(self, **claims):
        return mark({**ONE_BIAS, "claims": {k.replace("_", "."): v for k, v in claims.items()}})

    @pytest.fixture
    def numbers(self):
        trace = worked_example(ONE_BIAS).explain()
        return trace.trace.gradients.b[0][0], trace.update.after.parameters.b[0][0]

    @pytest.mark.parametrize(
        "written",
        [lambda b: [b, None], lambda b: [b, 0], lambda b: [b], lambda b: b, lambda b: [[b, None]]],
    )
    def test_right_however_it_is_written(self, numbers, written):
        db, after = numbers
        marking = self.judged(db_1=written(db), b_1_after=written(after))
        assert marking.ok
        assert [m.id for m in marking.marks] == ["db.1[0]", "b.1.after[0]"]

    def test_a_number_in_its_place_is_refused(self, numbers):
        said = r"db.1\[1\] is 0.05, but neuron 2 of layer 1 has no bias; write null there"
        with pytest.raises(DataError, match=said):
            self.judged(db_1=[numbers[0], 0.05])

    def test_a_slip_beside_it_is_told_with_the_terms_that_there_are(self, numbers):
        marking = self.judged(z_1=[[1.2, 0.6]], db_1=[numbers[0], None])
        reasons = [m.because for m in marking.wrong]
        assert "1 × (-0.3) + 2 × 0.4 = 0.5" in reasons[-1]

    @pytest.mark.parametrize("key", ["z.1", "b.1.after", "db.1"])
    def test_no_number_is_taken_for_that_of_a_neuron_without_one(self, key):
        wide = copy.deepcopy(ONE_BIAS)
        wide["layers"][0] = {"W": [[0.5, -0.3, 0.9], [0.2, 0.4, -0.7]], "b": [0.1, None, 0.35]}
        wide["layers"][1]["W"].append([0.3])
        step = step_of(worked_example(wide))
        shape, absent = step.right[key].shape, lacking(key, step.network.layout)
        swapped = [two for two, _ in exchanges(key, shape, absent)]
        others = [
            other.ids
            for at in np.ndindex(shape)
            for other in other_entries(step, key, at, shape)
            if other.operand[0] in "bd" and other.operand[1] in ".b" and at[-1] not in absent
        ]
        assert "b.1[1]" not in str(swapped + others)
        assert "b.1[2]" in str(swapped + others)
