"""Descriptions of networks, their parameters, and every setting that is refused."""

import pickle

import numpy as np
import pytest

from deltaprop.errors import SettingError, ShapeError, UnknownNameError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.model.layers import Dense, Dropout
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network


def test_the_constructor_and_from_layers_describe_the_same_network():
    short = Network(
        [4, 5, 3, 2], ["relu", "tanh"], "binary_cross_entropy", False,
        dropout=0.25, label_smoothing=0.1, l2=0.2, l1=0.3,
    )  # fmt: skip
    long = Network.from_layers(
        4,
        [Dense(5, "relu", bias=False), Dropout(0.25), Dense(3, "tanh", bias=False), Dropout(0.25),
         Dense(2, bias=False)],
        "binary_cross_entropy", label_smoothing=0.1, l2=0.2, l1=0.3,
    )  # fmt: skip
    assert short == long
    assert hash(short) == hash(long)
    assert short.layout == long.layout


def test_one_activation_is_for_all_hidden_layers():
    assert Network([4, 5, 3, 2], "tanh") == Network([4, 5, 3, 2], ["tanh", "tanh"])


@pytest.mark.parametrize("change", [
    {"sizes": [4, 5, 4]}, {"hidden": "tanh"}, {"loss": "half_squared_error"}, {"bias": False},
    {"dropout": 0.1}, {"label_smoothing": 0.1}, {"l2": 0.1}, {"l1": 0.1},
], ids=str)  # fmt: skip
def test_networks_that_differ_in_a_setting_are_not_equal(change):
    assert Network(**{"sizes": [4, 5, 3], **change}) != Network([4, 5, 3])


def test_a_network_is_frozen_and_survives_pickling():
    network = Network([4, 5, 3], dropout=0.5, l2=0.1)
    with pytest.raises(AttributeError):
        network.l2 = 0.0
    again = pickle.loads(pickle.dumps(network))
    assert again == network
    assert again.layout == network.layout


def test_sizes_counts_and_rows_are_at_hand():
    network = Network([4, 16, 8, 3], ["relu", "tanh"])
    assert network.sizes == (4, 16, 8, 3)
    assert (network.n_in, network.n_out) == (4, 3)
    assert network.n_parameters == 4 * 16 + 16 + 16 * 8 + 8 + 8 * 3 + 3
    assert network.activations == (ACTIVATIONS["relu"], ACTIVATIONS["tanh"])
    assert network.loss.name == "cross_entropy"
    assert network.describe() == (
        "4 -> 16 relu -> 8 tanh -> 3 softmax, cross_entropy, 243 parameters"
    )


def test_two_sizes_make_a_regression():
    network = Network([3, 1], loss="half_squared_error")
    assert (network.n_parameters, network.activations) == (4, ())
    assert network.describe() == "3 -> 1 identity, half_squared_error, 4 parameters"


def test_sizes_may_be_numpy_integers():
    assert Network(np.array([4, 5, 3])) == Network((4, 5, 3)) == Network([4, 5, 3])


@pytest.mark.parametrize(("last", "loss"), [
    (None, "cross_entropy"), ("identity", "cross_entropy"), ("sigmoid", "binary_cross_entropy"),
    ("identity", "half_squared_error"), ("sigmoid", "half_squared_error_sigmoid"),
])  # fmt: skip
def test_the_last_layer_may_name_the_output_its_loss_brings(last, loss):
    assert Network.from_layers(2, [Dense(3, last)], loss).n_out == 3


REFUSED_SETTINGS = {
    "no sizes": ({"sizes": []}, "sizes"),
    "one size": ({"sizes": [4]}, "sizes"),
    "sizes as text": ({"sizes": "4,3"}, "sizes"),
    "sizes as a number": ({"sizes": 4}, "sizes"),
    "no inputs": ({"sizes": [0, 3]}, "number of inputs is 0"),
    "no outputs": ({"sizes": [4, 0]}, "width of a Dense layer is 0"),
    "negative width": ({"sizes": [4, -2, 3]}, "width of a Dense layer is -2"),
    "broken width": ({"sizes": [4, 2.5, 3]}, "width of a Dense layer is 2.5"),
    "true as a width": ({"sizes": [4, True, 3]}, "width of a Dense layer is True"),
    "unknown activation": ({"sizes": [4, 5, 3], "hidden": "rleu"}, "Did you mean 'relu'"),
    "too many activations": ({"hidden": ["relu"]}, "hidden names 1"),
    "too few activations": ({"sizes": [4, 5, 5, 3], "hidden": ["relu"]}, "hidden names 1"),
    "no activations": ({"sizes": [4, 5, 3], "hidden": None}, "hidden"),
    "a number as activation": ({"sizes": [4, 5, 3], "hidden": 3}, "hidden"),
    "unknown loss": ({"loss": "mse"}, "No loss is called 'mse'"),
    "loss of another type": ({"loss": None}, "No loss is called None"),
    "bias that is no truth value": ({"bias": "no"}, "bias is 'no'"),
    "dropout of everything": ({"sizes": [4, 5, 3], "dropout": 1.0}, "drop_probability is 1.0"),
    "negative dropout": ({"sizes": [4, 5, 3], "dropout": -0.1}, "drop_probability is -0.1"),
    "NaN dropout": ({"sizes": [4, 5, 3], "dropout": np.nan}, "drop_probability is nan"),
    "dropout as text": ({"sizes": [4, 5, 3], "dropout": "0.1"}, "drop_probability is '0.1'"),
    "label smoothing of all": ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
    "negative label smoothing": ({"label_smoothing": -0.1}, "label_smoothing is -0.1"),
    "NaN label smoothing": ({"label_smoothing": np.nan}, "label_smoothing is nan"),
    "label smoothing as text": ({"label_smoothing": "0.1"}, "label_smoothing is '0.1'"),
    "label smoothing of a regression": (
        {"loss": "huber", "label_smoothing": 0.1}, "no meaning for huber",
    ),
    "negative l2": ({"l2": -1.0}, "l2 is -1.0"),
    "infinite l2": ({"l2": np.inf}, "l2 is inf"),
    "NaN l2": ({"l2": np.nan}, "l2 is nan"),
    "l2 as text": ({"l2": "0.1"}, "l2 is '0.1'"),
    "no l2": ({"l2": None}, "l2 is None"),
    "negative l1": ({"l1": -1.0}, "l1 is -1.0"),
    "NaN l1": ({"l1": np.nan}, "l1 is nan"),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "reason"), REFUSED_SETTINGS.values(), ids=REFUSED_SETTINGS)
def test_a_bad_setting_is_refused_by_name(settings, reason):
    with pytest.raises(SettingError, match=reason):
        Network(**{"sizes": [4, 3], **settings})


REFUSED_LAYERS = {
    "no layers": ([], "ends in a Dense layer"),
    "dropout alone": ([Dropout(0.5)], "ends in a Dense layer"),
    "dropout last": ([Dense(3), Dropout(0.5)], "ends in a Dense layer"),
    "two dropouts": ([Dropout(0.5), Dropout(0.5), Dense(3)], "in a row"),
    "a number": ([5, Dense(3)], "no layer"),
    "another output": ([Dense(3, "relu")], "brings its own output, softmax"),
    "sigmoid before softmax": ([Dense(3, "sigmoid")], "brings its own output, softmax"),
}


@pytest.mark.parametrize(("layers", "reason"), REFUSED_LAYERS.values(), ids=REFUSED_LAYERS.keys())
def test_layers_that_make_no_network_are_refused(layers, reason):
    with pytest.raises(SettingError, match=reason):
        Network.from_layers(4, layers)


def test_an_unknown_initializer_is_refused():
    with pytest.raises(UnknownNameError, match="initializer"):
        Dense(3, initializer="he_norml")


def test_the_same_seed_gives_the_same_parameters_and_another_seed_others():
    network = Network([4, 5, 3])
    one, same, other = (network.init(np.random.default_rng(seed)).flat for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("not_a_generator", [None, 0, np.random.RandomState(0)], ids=str)
def test_init_takes_a_generator_and_nothing_else(not_a_generator):
    with pytest.raises(SettingError, match="default_rng"):
        Network([2, 1]).init(not_a_generator)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_weights_are_drawn_by_the_activations_own_initializer(activation):
    network = Network([6, 5, 3], activation)
    parameters = network.init(np.random.default_rng(4))
    rng = np.random.default_rng(4)
    first = INITIALIZERS[ACTIVATIONS[activation].initializer].draw(rng, 6, 5)
    last = INITIALIZERS["lecun_normal"].draw(rng, 5, 3)
    np.testing.assert_array_equal(parameters.W[0], first)
    np.testing.assert_array_equal(parameters.W[1], last)
    assert all((b == 0).all() for b in parameters.b)


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_a_layer_may_choose_its_initializer(initializer):
    network = Network.from_layers(6, [Dense(5, initializer=initializer)], "huber")
    parameters = network.init(np.random.default_rng(4))
    drawn = INITIALIZERS[initializer].draw(np.random.default_rng(4), 6, 5)
    np.testing.assert_array_equal(parameters.W[0], drawn)


class TestParameters:
    network = Network([2, 3, 1], loss="half_squared_error")

    def test_all_numbers_stand_in_one_contiguous_vector(self, rng):
        parameters = self.network.init(rng)
        assert parameters.flat.shape == (13,)
        assert parameters.flat.flags.c_contiguous
        assert parameters.flat.dtype == np.float64
        assert len(parameters) == 2
        in_order = [parameters.W[0], parameters.b[0], parameters.W[1], parameters.b[1]]
        np.testing.assert_array_equal(
            parameters.flat, np.concatenate([array.ravel() for array in in_order])
        )

    def test_writing_to_an_array_shows_in_the_vector_and_the_reverse(self, rng):
        parameters = self.network.init(rng)
        parameters.W[0][1, 2] = 42.0
        assert parameters.flat[5] == 42.0
        parameters.flat[8] = -1.0
        assert parameters.b[0][2] == -1.0
        parameters.flat[:] = 0.0
        assert not any(array.any() for layer in parameters.layers for array in layer.values())

    def test_every_flat_position_has_the_name_of_its_entry(self, rng):
        parameters = self.network.init(rng)
        for position in range(13):
            parameters.flat[:] = 0.0
            parameters.flat[position] = 1.0
            name, where = self.network.layout.entry(position)[:-1].split("[")
            array, layer = name.split(".")
            index = tuple(int(i) for i in where.split(","))
            assert getattr(parameters, array)[int(layer) - 1][index] == 1.0

    def test_weights_are_penalized_and_biases_are_not(self):
        expected = [True] * 6 + [False] * 3 + [True] * 3 + [False]
        assert self.network.layout.penalized().tolist() == expected

    def test_without_bias_there_is_no_b(self, rng):
        parameters = Network([2, 3, 1], loss="huber", bias=False).init(rng)
        assert parameters.b == (None, None)
        assert parameters.flat.shape == (9,)

    def test_a_copy_is_independent_and_a_frozen_copy_refuses_writing(self, rng):
        parameters = self.network.init(rng)
        copy, frozen = parameters.copy(), parameters.frozen_copy()
        parameters.W[0][0, 0] += 1.0
        assert copy.W[0][0, 0] == frozen.W[0][0, 0] == parameters.W[0][0, 0] - 1.0
        copy.flat[0] = 5.0
        for array in (frozen.flat, frozen.W[0], frozen.b[1]):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 5.0

    def test_given_numbers_are_copied_to_their_places(self):
        W, b = [np.arange(6.0).reshape(2, 3), [[1], [2], [3]]], [[7, 8, 9], None]
        parameters = self.network.parameters(W, b)
        assert parameters.flat.tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 1, 2, 3, 0]
        W[0][0, 0] = 99.0
        assert parameters.flat[0] == 0.0
        assert not self.network.parameters(W).b[0].any()

    @pytest.mark.parametrize(("W", "b", "reason"), [
        ([np.zeros((2, 3))], None, "W has 1 arrays"),
        ([np.zeros((2, 3)), np.zeros((3, 1))], [np.zeros(3)], "b has 1 arrays"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], None, r"W of layer 1 has shape \(3, 2\)"),
        ([np.zeros((2, 3)), np.zeros(3)], None, r"W of layer 2 has shape \(3,\)"),
        ([np.zeros((2, 3)), np.zeros((3, 1))], [np.zeros(2), None], "b of layer 1 has shape"),
        ([None, np.zeros((3, 1))], None, "W of layer 1 is missing"),
    ])  # fmt: skip
    def test_numbers_that_do_not_fit_are_refused(self, W, b, reason):
        with pytest.raises(ShapeError, match=reason):
            self.network.parameters(W, b)

    def test_a_bias_for_a_layer_without_one_is_refused(self):
        network = Network([2, 1], loss="huber", bias=False)
        with pytest.raises(ShapeError, match="Layer 1 has no b"):
            network.parameters([np.zeros((2, 1))], [np.zeros(1)])

    def test_a_vector_of_another_length_is_refused(self):
        with pytest.raises(ShapeError, match=r"\(13,\) was expected"):
            Parameters(self.network.layout, np.zeros(12))


def test_a_copy_by_pickle_holds_the_registry_s_own_activations():
    network = Network([2, 3, 1], "tanh", "half_squared_error")
    assert network.activations[0] is ACTIVATIONS["tanh"]
    copied = pickle.loads(pickle.dumps(network))
    assert copied == network
    assert copied.activations[0] is ACTIVATIONS["tanh"]


def test_layers_among_sizes_are_answered_with_from_layers():
    with pytest.raises(SettingError, match=r"Network\.from_layers\(3, \[\.\.\.\]\)"):
        Network([3, Dense(4), 3])
