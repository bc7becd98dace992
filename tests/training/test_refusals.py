"""What train cannot work with is refused before anything changes, and the message names it."""

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.errors import DataError, SettingError, ShapeError, UnknownNameError

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0, 1, 2, 1])
WITH_NAN, WITH_INF = X.copy(), X.astype(np.float32)
WITH_NAN[2, 1], WITH_INF[3, 0] = np.nan, -np.inf
SPARSE_NAN = scipy.sparse.csr_array(WITH_NAN)
CLASSES = dp.Network([3, 4, 3], "tanh")
NUMBERS = dp.Network([3, 2], loss="half_squared_error")
YES_NO = dp.Network([3, 1], loss="binary_cross_entropy")
COUNTS = dp.Network([3, 1], loss="poisson")

CASES = {
    # X
    "one axis": ({"X": X[0]}, ShapeError, r"X has shape \(3,\).*\(n, 3\) was expected"),
    "three axes": ({"X": X[None]}, ShapeError, r"X has shape \(1, 4, 3\)"),
    "a number": ({"X": 3.0}, ShapeError, r"X has shape \(\)"),
    "too few columns": ({"X": X[:, :2]}, ShapeError, r"X has shape \(4, 2\); the network has 3"),
    "too many sparse columns": (
        {"X": scipy.sparse.csr_array(np.ones((4, 5)))}, ShapeError, r"X has shape \(4, 5\)",
    ),
    "no rows": ({"X": X[:0], "y": Y[:0]}, DataError, "X has no rows"),
    "NaN": ({"X": WITH_NAN}, DataError, "X holds nan in row 2, column 1"),
    "infinity": ({"X": WITH_INF}, DataError, "X holds -inf in row 3, column 0"),
    "sparse NaN": ({"X": SPARSE_NAN}, DataError, "X holds nan in row 2, column 1"),
    "text": ({"X": X.astype(str)}, DataError, "X has dtype <U.*TableModel"),
    "objects": ({"X": X.astype(object)}, DataError, "X has dtype object"),
    "complex": ({"X": X + 1j}, DataError, "X has dtype complex128"),
    "dates": ({"X": X.astype("datetime64[s]")}, DataError, "X has dtype datetime64"),
    "ragged": ({"X": [[1.0, 2.0, 3.0], [1.0]]}, ShapeError, "X is no matrix"),
    "nothing": ({"X": None}, DataError, "X has dtype object"),
    # y
    "a label too many": ({"y": Y[:3]}, ShapeError, r"\(3,\) but x has 4 rows"),
    "a label out of range": ({"y": [0, 1, 3, 1]}, DataError, "label of row 2 is 3.*from 0 to 2"),
    "a negative label": ({"y": [0, -1, 1, 1]}, DataError, "label of row 1 is -1"),
    "half a label": ({"y": [0, 1, 1.5, 1]}, DataError, "target of row 2 is 1.5.*whole-number"),
    "a missing label": ({"y": [0, np.nan, 1, 1]}, DataError, "target of row 1 is nan"),
    "words": ({"y": list("abca")}, DataError, "targets have dtype <U1.*expected numbers"),
    "too few one-hot columns": ({"y": np.eye(4)[:, :2]}, ShapeError, "2 columns.*3 outputs"),
    "three axes of targets": ({"y": np.zeros((4, 3, 1))}, ShapeError, r"shape \(4, 3, 1\)"),
    "no distribution": (
        {"y": np.full((4, 3), 0.5)}, DataError, "row 0 are.*0.5.*probabilities >= 0 that sum to 1",
    ),
    "a negative probability": (
        {"y": np.array([[0, 1, 0], [0, 1, 0], [-1, 1, 1], [0, 0, 1.0]])}, DataError, "row 2 are",
    ),
    "a number for two outputs": (
        {"network": NUMBERS, "y": np.zeros(4)}, ShapeError, "1 columns but the network has 2",
    ),
    "NaN among numbers": (
        {"network": NUMBERS, "y": [[0, 1], [2, 3], [4, np.nan], [0, 0]]}, DataError,
        "targets array holds nan in row 2, column 1",
    ),
    "two is no truth value": (
        {"network": YES_NO, "y": [0, 1, 2, 1]}, DataError, r"row 2 are \[2.0\].*from 0 to 1",
    ),
    "minus one is no count": (
        {"network": COUNTS, "y": [0, 1, 2, -1]}, DataError, r"row 3 are \[-1.0\].*numbers >= 0",
    ),
    # weights
    "a weight too many": ({"sample_weight": np.ones(5)}, DataError, r"sample_weight has shape \(5"),
    "a single weight": ({"sample_weight": 2.0}, DataError, r"sample_weight has shape \(\)"),
    "a single weight and classes": (
        {"sample_weight": 2.0, "class_weight": "balanced"}, DataError, r"sample_weight has shape",
    ),
    "weights as a column": (
        {"sample_weight": np.ones((4, 1)), "class_weight": [1, 1, 1]}, DataError,
        r"sample_weight has shape \(4, 1\)",
    ),
    "a negative weight": (
        {"sample_weight": [1, 1, -2, 1]}, DataError, "sample_weight of row 2 is -2",
    ),
    "a negative weight of a class that does not count": (
        {"sample_weight": [1, 1, -2, 1], "class_weight": {2: 0.0}}, DataError, "of row 2 is -2",
    ),
    "a weight that is missing": (
        {"sample_weight": [1, np.nan, 1, 1]}, DataError, "sample_weight of row 1 is nan",
    ),
    "no weight at all": ({"sample_weight": np.zeros(4)}, DataError, "All sample weights are zero"),
    "no weight by class": ({"class_weight": [0, 0, 0]}, DataError, "All sample weights are zero"),
    "weights in words": ({"sample_weight": list("abcd")}, DataError, "sample_weight holds some"),
    "an unknown class": ({"class_weight": {7: 1.0}}, SettingError, "class_weight names class 7"),
    "classes too few": ({"class_weight": [1.0, 2.0]}, SettingError, r"class_weight has shape \(2"),
    "a misspelt balance": ({"class_weight": "balance"}, SettingError, "class_weight is 'balance'"),
    "a negative class": ({"class_weight": {1: -1}}, SettingError, "class_weight of class 1 is -1"),
    "classes of numbers": (
        {"network": NUMBERS, "y": np.zeros((4, 2)), "class_weight": "balanced"}, SettingError,
        "class_weight has no meaning for half_squared_error",
    ),
    # validation
    "X_val alone": ({"X_val": X}, SettingError, "X_val and y_val belong together"),
    "y_val alone": ({"y_val": Y}, SettingError, "X_val and y_val belong together"),
    "X_val of another width": (
        {"X_val": X[:, :2], "y_val": Y}, ShapeError, r"validation rows: X_val has shape \(4, 2\)",
    ),
    "NaN in X_val": ({"X_val": WITH_NAN, "y_val": Y}, DataError, "X_val holds nan in row 2"),
    "a strange label in y_val": (
        {"X_val": X, "y_val": [0, 0, 0, 9]}, DataError, "validation rows: The label of row 3 is 9",
    ),
    "y_val of another length": (
        {"X_val": X, "y_val": Y[:2]}, ShapeError, r"validation rows: The targets have shape \(2,\)",
    ),
    # settings
    "no batch": ({"batch_size": 0}, SettingError, "batch_size is 0"),
    "half a batch": ({"batch_size": 2.5}, SettingError, "batch_size is 2.5"),
    "a true batch": ({"batch_size": True}, SettingError, "batch_size is True"),
    "no epoch": ({"epochs": 0}, SettingError, "epochs is 0"),
    "endless epochs": ({"epochs": None}, SettingError, "epochs is None"),
    "float epochs": ({"epochs": 3.0}, SettingError, "epochs is 3.0"),
    "no patience": ({"patience": 0}, SettingError, "patience is 0"),
    "no threads": ({"n_threads": 0}, SettingError, "n_threads is 0"),
    "negative improvement": ({"min_improvement": -1}, SettingError, "min_improvement is -1"),
    "NaN improvement": ({"min_improvement": np.nan}, SettingError, "min_improvement is nan"),
    "no time": ({"time_budget": 0}, SettingError, "time_budget is 0"),
    "time in words": ({"time_budget": "30s"}, SettingError, "time_budget is '30s'"),
    "half precision": ({"dtype": "float16"}, SettingError, "dtype is 'float16'"),
    "a seed below zero": ({"seed": -1}, SettingError, "seed is -1"),
    "a seed too large": ({"seed": 2**64}, SettingError, "seed is 18446744073709551616"),
    "a seed with a fraction": ({"seed": 1.5}, SettingError, "seed is 1.5"),
    "no seed": ({"seed": None}, SettingError, "seed is None"),
    "a true seed": ({"seed": True}, SettingError, "seed is True"),
    "a monitor nobody knows": ({"monitor": "accuracy"}, SettingError, "monitor is 'accuracy'"),
    "an engine of later": ({"engine": "quantum"}, UnknownNameError, "No engine is called 'quant"),
    "an engine misspelt": (
        {"engine": "referense"}, UnknownNameError, "Did you mean 'reference'.*auto, native, ref",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), CASES.values(), ids=CASES)
def test_it_is_refused_and_nothing_has_changed(change, error, message):
    settings = {"network": CLASSES, "X": X, "y": Y} | change
    network, rows, targets = (settings.pop(name) for name in ("network", "X", "y"))
    parameters = network.init(np.random.default_rng(0))
    before = parameters.flat.copy()
    with pytest.raises(error, match=message) as caught:
        dp.train(network, parameters, rows, targets, **settings)
    assert type(caught.value) is error
    assert isinstance(caught.value, ValueError)
    np.testing.assert_array_equal(parameters.flat, before)


def test_parameters_of_another_network_are_refused():
    parameters = NUMBERS.init(np.random.default_rng(0))
    with pytest.raises(ShapeError, match="do not belong to this network"):
        dp.train(CLASSES, parameters, X, Y)


def test_a_number_that_is_not_finite_is_found_in_a_table_of_many_rows():
    rows = np.zeros((150_000, 3), dtype=np.float32)
    rows[140_001, 2] = np.nan
    with pytest.raises(DataError, match="X holds nan in row 140001, column 2"):
        dp.train(CLASSES, CLASSES.init(np.random.default_rng(0)), rows, np.zeros(150_000, int))


@pytest.mark.parametrize("place", [(0, 0), (2, 1), (5, 2)])
def test_a_number_that_is_not_finite_is_found_in_sparse_rows_with_empty_ones_between(place):
    dense = np.zeros((6, 3))
    dense[[0, 2, 5]] = 1.0
    dense[place] = np.inf
    with pytest.raises(DataError, match=f"X holds inf in row {place[0]}, column {place[1]};"):
        dp.predict(CLASSES, CLASSES.init(np.random.default_rng(0)), scipy.sparse.csr_array(dense))
