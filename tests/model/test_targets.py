"""What may be passed as x and y, and the message for everything else."""

import numpy as np
import pytest

from deltaprop.errors import DataError, ShapeError, TargetWarning
from deltaprop.functional.losses import LOSSES
from deltaprop.model.backprop import backpropagate
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets, prepare_inputs, prepare_targets

LABELS = [0, 2, 1, 2]
X = np.arange(8.0).reshape(4, 2) / 8

AS_LABELS = {
    "list": LABELS,
    "int32": np.array(LABELS, dtype=np.int32),
    "uint8": np.array(LABELS, dtype=np.uint8),
    "float": np.array(LABELS, dtype=float),
    "one-hot": np.eye(3)[LABELS],
    "one-hot int": np.eye(3, dtype=int)[LABELS],
    "one-hot bool": np.eye(3, dtype=bool)[LABELS],
}


@pytest.mark.parametrize("loss", [
    "cross_entropy", "binary_cross_entropy", "half_squared_error_softmax",
    "half_squared_error_sigmoid",
])  # fmt: skip
@pytest.mark.parametrize("targets", AS_LABELS.values(), ids=AS_LABELS.keys())
def test_labels_and_one_hot_rows_mean_the_same(loss, targets):
    network = Network([2, 3], loss=loss)
    parameters = network.init(np.random.default_rng(0))
    trace = backpropagate(network, parameters, X, targets)
    np.testing.assert_array_equal(trace.targets, np.eye(3)[LABELS])
    by_rows = backpropagate(network, parameters, X, np.eye(3)[LABELS])
    np.testing.assert_array_equal(trace.gradients.flat, by_rows.gradients.flat)


@pytest.mark.parametrize(
    "loss", [name for name, row in LOSSES.items() if row.targets != "distribution"]
)
def test_with_one_output_a_flat_y_is_a_column(loss):
    network = Network([2, 1], loss=loss)
    parameters = network.init(np.random.default_rng(0))
    flat = backpropagate(network, parameters, X, [0, 1, 1, 0])
    column = backpropagate(network, parameters, X, [[0], [1], [1], [0]])
    np.testing.assert_array_equal(flat.targets, [[0], [1], [1], [0]])
    np.testing.assert_array_equal(flat.gradients.flat, column.gradients.flat)


def test_yes_and_no_may_be_booleans():
    network = Network([2, 1], loss="binary_cross_entropy")
    assert prepare_targets(network, [True, False], 2).tolist() == [[1.0], [0.0]]


def test_a_single_class_has_label_zero():
    network = Network([2, 1], loss="cross_entropy")
    trace = backpropagate(network, network.init(np.random.default_rng(0)), X, [0, 0, 0, 0])
    assert trace.loss == 0.0
    assert not trace.gradients.flat.any()


def test_dense_targets_are_float_rows():
    np.testing.assert_array_equal(dense_targets(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    assert dense_targets(np.ones((2, 1), dtype=np.float32), 1).dtype == np.float64


LABELS_REFUSED = {
    "too large": ([0, 1, 3], DataError, "row 2 is 3; with 3 outputs labels run from 0 to 2"),
    "negative": ([0, -1, 2], DataError, "label of row 1 is -1"),
    "broken": ([0.0, 1.0, 1.5], DataError, "row 2 is 1.5"),
    "NaN": ([0.0, np.nan, 1.0], DataError, "row 1 is nan"),
    "infinite": ([0.0, 1.0, np.inf], DataError, "row 2 is inf"),
    "beyond integers": ([0.0, 1e300, 1.0], DataError, r"row 1 is 1e\+300"),
    "too few": ([0, 1], ShapeError, r"shape \(2,\) but x has 3 rows"),
    "text": (["a", "b", "c"], DataError, "dtype <U1"),
    "none": ([None, 0, 1], DataError, "dtype object"),
    "complex": ([1j, 0, 1], DataError, "dtype complex128"),
    "a scalar": (1, ShapeError, r"shape \(\)"),
    "three dimensions": (np.zeros((3, 3, 1)), ShapeError, "shape"),
    "too few columns": (np.eye(3)[:, :2], ShapeError, "2 columns but the network has 3 outputs"),
    "a column of labels": ([[0], [1], [2]], ShapeError, "1 columns but the network has 3 outputs"),
    "not summing to one": (np.full((3, 3), 0.5), DataError, "row 0 are"),
    "negative share": ([[1, 0, 0], [0, 1, 0], [2, -1, 0]], DataError, "row 2 are"),
    "NaN share": ([[1, 0, 0], [0, np.nan, 0], [1, 0, 0]], DataError, "row 1, column 1"),
}  # fmt: skip


@pytest.mark.parametrize(("y", "error", "reason"), LABELS_REFUSED.values(), ids=LABELS_REFUSED)
def test_targets_that_name_no_class_are_refused_with_their_row(y, error, reason):
    with pytest.raises(error, match=reason):
        prepare_targets(Network([2, 3]), y, 3)


OUTSIDE = {
    "distribution": [[0.2, 0.2], [0.7, 0.7]],
    "unit": [[1.2, 0.0], [-0.1, 0.0]],
    "real": [[np.inf, 0.0], [np.nan, 0.0]],
    "count": [[-1.0, 2.0], [np.inf, 0.0]],
}
INSIDE = {
    "distribution": [[0.2, 0.8], [1.0, 0.0]],
    "unit": [[0.3, 1.0], [0.0, 1.0]],
    "real": [[-7.0, 1e6]],
    "count": [[0.0, 2.5]],
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
def test_every_loss_takes_what_it_can_learn_from_and_nothing_else(loss):
    network, inside = Network([2, 2], loss=loss.name), INSIDE[loss.targets]
    assert prepare_targets(network, inside, len(inside)).tolist() == inside
    for row in OUTSIDE[loss.targets]:
        if loss.takes_any:
            with pytest.warns(TargetWarning, match="row 0"):
                assert prepare_targets(network, [row], 1).tolist() == [row]
            continue
        with pytest.raises(DataError, match="row 0"):
            prepare_targets(network, [row], 1)


INPUTS_REFUSED = {
    "one dimension": ([1.0, 2.0], ShapeError, r"x\[None, :\]"),
    "too many columns": (np.zeros((3, 3)), ShapeError, r"shape \(3, 3\).*2 inputs"),
    "no rows": (np.zeros((0, 2)), DataError, "no rows"),
    "NaN": ([[1, 2], [3, np.nan]], DataError, "nan in row 1, column 1"),
    "infinite": ([[np.inf, 2], [3, 4]], DataError, "inf in row 0, column 0"),
    "text": ([["a", "b"]], DataError, "not a number"),
    "ragged": ([[1.0], [1.0, 2.0]], DataError, "not a number"),
    "a scalar": (3.0, ShapeError, r"shape \(\)"),
}


@pytest.mark.parametrize(("x", "error", "reason"), INPUTS_REFUSED.values(), ids=INPUTS_REFUSED)
def test_inputs_that_do_not_fit_are_refused_with_their_place(x, error, reason):
    with pytest.raises(error, match=reason):
        prepare_inputs(Network([2, 1], loss="huber"), x)


def test_inputs_of_other_number_types_become_float64():
    network = Network([2, 1], loss="huber")
    for x in ([[1, 2]], np.array([[1, 2]], dtype=np.float32), np.array([[True, False]])):
        prepared = prepare_inputs(network, x)
        assert prepared.dtype == np.float64
        np.testing.assert_array_equal(prepared, np.asarray(x, dtype=float))
