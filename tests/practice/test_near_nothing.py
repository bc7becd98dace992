"""Right workings whose numbers nearly vanish: rounding on the way is all that is left of them."""

from decimal import Decimal

import numpy as np
import pytest

from deltaprop.checking.kept import moved_by
from deltaprop.checking.step import Given, work_out
from deltaprop.explaining import worked_example
from deltaprop.functional.losses import LOSSES
from deltaprop.practice import mark
from deltaprop.practice.marking.step import step_of


class Rounding(Given):
    """Somebody who rounds every line to so many digits, or places, and goes on with that."""

    def __init__(self, digits, *, by_places):
        super().__init__()
        form = f".{digits}f" if by_places else f"#.{digits}g"
        object.__setattr__(self, "text", f"{{:{form}}}".format)

    def instead_of(self, key, computed):
        if key[0] in "Wb" and not key.endswith(".after"):
            return computed
        return np.vectorize(lambda v: float(self.text(v)), otypes=[float])(computed)


def near_its_target(workings, rng, loss):
    """Return an example of one sample whose output is nearly the target, to a few digits."""
    example = workings.random_example(rng, loss)
    x, layers = example["x"][:1], example["layers"]
    p = step_of(worked_example(example)).right[f"a.{len(layers)}"][0]
    kind = LOSSES[loss].targets
    near = [float(f"{v:.2g}") for v in p]
    if kind == "count":  # no count is near: the bias is what makes one
        counts = [int(rng.integers(1, 4)) for _ in p]
        shift = np.log(counts) - np.log(p)
        b = np.array(layers[-1].get("b", np.zeros(len(p)))) + shift
        for layer in layers:
            layer.setdefault("b", [0.0] * len(layer["W"][0]))
        layers[-1]["b"], near = np.round(b, 2).tolist(), counts
    elif kind == "distribution":
        near[-1] = float(1 - sum(Decimal(str(v)) for v in near[:-1]))
        if near[-1] < 0:
            return None
    return {**example, "x": x, "targets": [near]}


def sure_of_its_target(workings, rng, loss):
    """Return an example whose probabilities are nearly the one-hot targets."""
    example = workings.random_example(rng, loss)
    last = example["layers"][-1]
    for name in last.keys() & {"W", "b"}:
        last[name] = np.round(6 * np.array(last[name]), 2).tolist()
    p = step_of(worked_example(example)).right[f"a.{len(example['layers'])}"]
    sure = np.eye(p.shape[1])[p.argmax(axis=1)] if loss != "binary_cross_entropy" else np.round(p)
    return {**example, "targets": sure.tolist()}


def accused(example, rng, n, *, zeros):
    """Yield what is said of right workings of an example that are nevertheless called wrong.

    With ``zeros`` the last digits are written though they are zeros, as programs do not.
    """
    step = step_of(worked_example(example))
    for _ in range(n):
        rounding = Rounding(int(rng.integers(3, 6)), by_places=bool(rng.random() < 0.5))
        _, used = work_out(step, given=rounding)
        keys = [k for k in used if k[0] not in "Wb" or k.endswith(".after")]
        kept = [k for k in keys if rng.random() < 0.6]
        if kept and all(np.isfinite(used[k]).all() for k in keys):
            text = np.vectorize(rounding.text if zeros else float, otypes=[object])
            claims = {k: text(used[k]).tolist() for k in kept}
            yield [one.because for one in mark({**example, "claims": claims}).wrong]


CASES = [
    *((near_its_target, loss) for loss in LOSSES),
    *((sure_of_its_target, loss) for loss in ("cross_entropy", "binary_cross_entropy")),
]


@pytest.mark.parametrize("zeros", [True, False], ids=["zeros", "as a program prints"])
@pytest.mark.parametrize(("made", "loss"), CASES, ids=lambda of: getattr(of, "__name__", of))
@pytest.mark.parametrize("seeds", [5, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.one_in(3)
def test_a_right_working_that_nearly_vanishes_is_not_accused(workings, made, loss, seeds, zeros):
    checked, wrong = 0, []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, len(loss), 19])
        example = made(workings, rng, loss)
        for found in accused(example, rng, 2, zeros=zeros) if example else ():
            wrong += [found] if found else []
            checked += 1
    assert checked >= seeds
    # where 1 may be 1.00 or 1.000, it is not always seen which
    assert len(wrong) <= (0 if zeros else 0.01 * checked), wrong


def test_of_a_loss_near_nothing_the_square_of_what_is_unsure_is_left():
    """z = 0.7008 was rounded to 0.702 on the way; its square is far more than the slope allows."""
    example = {"layers": [{"W": [[-0.636], [0.434], [-0.511]], "b": [0.779]}],
               "loss": "half_squared_error", "x": [[-0.349, 0.0385, 0.625]], "targets": [[0.7]],
               "learning_rate": 0.3}  # fmt: skip
    more = {
        "delta.1": [["0.000784"]],
        "db.1": ["0.000784"],
        "dW.1": [["-0.000274"], [None], [None]],
    }
    assert mark({**example, "claims": {"loss": "0.000002"}})
    assert not mark({**example, "claims": {"z.1": [["0.701"]], "loss": "0.000002"}})
    assert not mark({**example, "claims": {**more, "loss": "0.002"}})


def test_what_is_left_out_was_rounded_as_its_convention_writes_it():
    """Three times 0.03753 has its sixth digit at another place: delta of each sample by itself."""
    example = {
        "layers": [{"W": [[-1.05, 0.82], [0.97, 1.75], [-0.44, -0.43]], "activation": "identity"},
                   {"W": [[0.09, 1.44, -0.8], [0.12, -0.99, -2.02]]}],
        "loss": "half_squared_error_sigmoid", "learning_rate": 0.5,
        "x": [[0.54, -0.12, -0.11], [0.26, 0.95, -0.31], [1.83, 1.08, -1.56]],
        "targets": [[0.66, 0.31, 0.04], [0.88, 0.2, 0.78], [0.72, 0.79, 0.94]],
    }  # fmt: skip
    claims = {
        "a.2": [["0.494116", "0.232955", "0.485554"], ["0.577305", "0.297621", "0.00913831"],
                ["0.615500", "0.0135091", "0.000317718"]],
        "dW.1": [["0.0843417", "-0.0221781", "-0.0299508"],
                 ["0.1062010", "-0.0202311", "-0.0161256"]],
        "W.1.after": [["-1.03594", "0.966304", "-0.444992"], ["0.837700", "1.74663", "-0.432688"]],
    }  # fmt: skip
    marking = mark({**example, "claims": claims})
    assert marking.ok, [one.because for one in marking.wrong]
    assert {"delta: per_sample_dW_summed", "error_signal: t_minus_y"} <= {*marking.conventions}


def test_two_numbers_of_two_decimals_are_of_a_working_of_two_decimals():
    """a = 0.59, (a - t) a (1 - a) = -0.0750 and so on: nothing says that there were three."""
    example = {"layers": [{"W": [[-0.28]], "b": [-0.01]}], "loss": "half_squared_error_sigmoid",
               "x": [[-1.27]], "targets": [[0.9]], "learning_rate": 0.3}  # fmt: skip
    assert mark({**example, "claims": {"delta.1": [["-0.07"]], "loss.after": "0.05"}})
    assert not mark({**example, "claims": {"delta.1": [["-0.06"]], "loss.after": "0.05"}})
    assert not mark({**example, "claims": {"delta.1": [["-0.07"]], "loss.after": "0.07"}})


def test_where_no_draw_makes_a_number_nothing_is_unsure():
    """As by z / sum(z) where the sum is 0: this is no warning on anybody's terminal."""
    unsure, most = moved_by([np.array([np.nan, 1.0, 2.0])] * 12, np.array([np.nan, 1.5, np.inf]))
    assert unsure.tolist() == [0.0, 1.25, 0.0]
    assert most.tolist() == [0.0, 0.5, 0.0]
