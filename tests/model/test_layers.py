"""Every kind of layer: its gradient, and its equations beside its forward and backward pass."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import SettingError, ShapeError
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.arrays import element, shape, values
from deltaprop.functional.expressions import Applied, Matrix
from deltaprop.model.backprop import backpropagate
from deltaprop.model.layers import INTERMEDIATES, Part
from deltaprop.model.serialize import network_from_dict, network_to_dict

N_IN = 7
KINDS = {
    "dense": dp.Dense(4, "tanh"),
    "dense, NTK": dp.Dense(4, "tanh", parametrization="ntk", bias_initializer="standard_normal"),
    "dense, no bias": dp.Dense(4, "tanh", bias=False),
    "scaling": dp.Scaling(),
    "layer normalization": dp.LayerNorm(),
    "layer normalization, tanh": dp.LayerNorm("tanh", epsilon=0.1),
    "parametric activation": dp.ParametricActivation("selu"),
    "parametric mish": dp.ParametricActivation("mish"),
    "periodic": dp.PeriodicEmbedding(3, n_waves=4, n_mixtures=2),
    "periodic, every column": dp.PeriodicEmbedding(N_IN, n_waves=2, n_mixtures=1),
    "categories": dp.CategoryEmbedding((2, 3), dimension=2),
    "categories alone": dp.CategoryEmbedding((N_IN,), dimension=3),
}
KIND = pytest.mark.parametrize("layer", KINDS.values(), ids=KINDS)


def network_of(*layers, **settings):
    return dp.Network.from_layers(N_IN, [*layers, dp.Dense(3)], **settings)


def drawn(network, rng):
    parameters = network.init(rng)
    parameters.flat[:] += rng.normal(scale=0.3, size=parameters.flat.size)
    return parameters


@KIND
@pytest.mark.one_in(3)
def test_the_gradient_agrees_with_central_differences(layer, rng):
    network = network_of(dp.Dense(N_IN, "sigmoid"), layer, l2=0.1)
    report = dp.check_gradients(
        network, drawn(network, rng), rng.normal(size=(5, N_IN)), rng.integers(3, size=5),
        max_entries=None,
    )  # fmt: skip
    assert report.ok, report


@KIND
def test_the_gradient_by_the_inputs_agrees_with_central_differences(layer, rng):
    network = network_of(layer)
    parameters, x, labels = drawn(network, rng), rng.normal(size=(3, N_IN)), [0, 1, 2]
    dx, h = backpropagate(network, parameters, x, labels).dx, 1e-5
    for place in np.ndindex(x.shape):
        moved = [x.copy(), x.copy()]
        moved[0][place] += h
        moved[1][place] -= h
        right, left = (backpropagate(network, parameters, m, labels).loss for m in moved)
        assert dx[place] == pytest.approx((right - left) / (2 * h), rel=1e-5, abs=1e-9)


def tree_of(equation, arrays):
    """Return an equation's right-hand side with arrays put in, without the explaining room."""
    names = {}
    for name, part in {**{n: Part(n, 0, 0) for n in arrays}, **equation.parts}.items():
        whole, (start, stop) = arrays[part.array], (part.start, part.stop)
        if part.array in ("a", "delta"):
            values = whole[:, start:stop] if stop else whole
        elif whole.ndim == 3:
            values = whole[start]
        else:
            values = np.atleast_2d(whole)[start : stop or None]
        names[name] = Matrix(name, values)
    functions = {}
    for name, function in equation.functions.items():
        row = dp.ACTIVATIONS[function]
        of = functools.partial(Applied, name, row.arithmetic[:1], row.f)
        functions[name] = lambda z, of=of: of({"z": z})
        functions[f"{name}'"] = lambda z, of=of, row=row: Applied(
            "f'", row.arithmetic[1:], row.f_prime, {"z": z, "a": of({"z": z})}
        )
    return parse(equation.formula, names, functions)


def as_matrix(array, start, stop):
    """Return some rows of an array, or the first index of one of three."""
    if array.ndim == 1:
        return array[None]
    return array[start] if array.ndim == 3 else array[start:stop]


@KIND
def test_the_equations_are_what_forward_and_backward_do(layer, rng):
    """As arrays and entry by entry; every column and row has exactly one equation."""
    arrays = dict(drawn(network_of(layer), rng).layers[0])
    a, delta = rng.normal(size=(3, N_IN)), rng.normal(size=(3, layer.width(N_IN)))
    below, gradients = layer.backward(arrays, a, delta)
    right = {"z": layer.forward(arrays, a), "below": below, **gradients}
    given, told = {"a": a, "delta": delta, **arrays}, {name: [] for name in right}
    for equation in layer.equations(N_IN):
        if equation.left in INTERMEDIATES:
            given[equation.left] = values(tree_of(equation, given))
            columns = 1 if INTERMEDIATES[equation.left].per_row else N_IN
            assert given[equation.left].shape == (len(a), columns)
            continue
        known = right[equation.left]
        columns = equation.left in ("z", "below")
        n = known.shape[1] if columns else len(known) if known.ndim > 1 else 1
        start, stop = equation.start, n if equation.stop is None else equation.stop
        told[equation.left] += range(start, stop)
        wanted = known[:, start:stop] if columns else as_matrix(known, start, stop)
        tree = tree_of(equation, given)
        found = values(tree)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
        assert shape(tree) == wanted.shape == found.shape
        for i, j in np.ndindex(wanted.shape):
            assert evaluate(element(tree, i, j)) == pytest.approx(wanted[i, j], rel=1e-12)
    for name, places in told.items():
        known = right[name]
        n = known.shape[1] if name in ("z", "below") else len(known) if known.ndim > 1 else 1
        assert places == list(range(n)), name


@KIND
def test_a_description_survives_a_file(layer):
    network = network_of(layer, dp.Dropout(0.2))
    again = network_from_dict(network_to_dict(network))
    assert again == network
    assert again.layout == network.layout


@KIND
def test_ten_steps_of_training_lower_the_loss(layer, rng):
    network = network_of(layer)
    X, y = rng.normal(size=(60, N_IN)), rng.integers(3, size=60)
    history = dp.train(
        network, network.init(rng), X, y, optimizer=dp.Adam(0.02), epochs=10, batch_size=20,
        engine="reference",
    )  # fmt: skip
    assert history.loss[-1] < history.loss[0]


def test_ntk_is_the_standard_form_with_smaller_weights(rng):
    standard, ntk = network_of(), dp.Network.from_layers(N_IN, [dp.Dense(3, parametrization="ntk")])
    parameters = drawn(ntk, rng)
    same = standard.parameters([parameters.W[0] / np.sqrt(N_IN)], [parameters.b[0]])
    x = rng.normal(size=(4, N_IN))
    np.testing.assert_allclose(
        backpropagate(ntk, parameters, x, [0, 1, 2, 0]).a[-1],
        backpropagate(standard, same, x, [0, 1, 2, 0]).a[-1],
        rtol=1e-12,
    )


def test_a_parametric_activation_begins_as_the_activation(rng):
    layer, a = dp.ParametricActivation("mish"), rng.normal(size=(3, N_IN))
    arrays = layer.initialize(rng, N_IN)
    np.testing.assert_allclose(
        layer.forward(arrays, a), dp.ACTIVATIONS["mish"].f(a), rtol=1e-12, atol=1e-12
    )
    arrays["alpha"][:] = 0.0
    np.testing.assert_array_equal(layer.forward(arrays, a), a)


def test_a_one_hot_row_picks_its_category_and_an_empty_one_gives_zeros(rng):
    layer = dp.CategoryEmbedding((3, 2), dimension=4)
    arrays = layer.initialize(rng, 6)
    z = layer.forward(arrays, np.array([[9.0, 0, 1, 0, 0, 1], [9.0, 0, 0, 0, 0, 0]]))
    np.testing.assert_array_equal(z[0], [9.0, *arrays["E"][1], *arrays["E"][4]])
    np.testing.assert_array_equal(z[1], [9.0, *np.zeros(8)])


@pytest.mark.parametrize("rule", dp.OPTIMIZERS.values(), ids=dp.OPTIMIZERS)
def test_a_learning_rate_factor_multiplies_the_learning_rate_of_its_array(rule, rng):
    X, y = rng.normal(size=(8, N_IN)), rng.integers(3, size=8)

    def step(eta, **factors):
        network = dp.Network.from_layers(N_IN, [dp.Scaling(**factors), dp.Dense(3)])
        parameters = network.init(np.random.default_rng(0))
        dp.train(network, parameters, X, y, optimizer=rule(eta), epochs=1, engine="reference")
        return parameters.layers

    plain, fast, both = step(0.01), step(0.06), step(0.01, learning_rate_factor=6.0)
    np.testing.assert_allclose(both[0]["s"], fast[0]["s"], rtol=1e-12)
    np.testing.assert_array_equal(both[1]["W"], plain[1]["W"])


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_factor_of_0_leaves_a_layer_as_it_is(rng, engine):
    frozen = dp.Dense(4, "tanh", learning_rate_factor=0, bias_learning_rate_factor=0)
    network = dp.Network.from_layers(N_IN, [frozen, dp.Dense(3)], l2=0.01)
    parameters = network.init(rng)
    before = parameters.copy()
    X, y = rng.normal(size=(8, N_IN)), rng.integers(3, size=8)
    more = {"optimizer": dp.Adam(0.1), "epochs": 2, "engine": engine, "dtype": "float64"}
    dp.train(network, parameters, X, y, **more)
    np.testing.assert_array_equal(parameters.W[0], before.W[0])
    np.testing.assert_array_equal(parameters.b[0], before.b[0])
    assert (parameters.W[1] != before.W[1]).all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: dp.Scaling(0), "learning_rate_factor is 0"),
        (lambda: dp.LayerNorm(epsilon=0), "epsilon is 0"),
        (lambda: dp.LayerNorm("rleu"), "relu"),
        (lambda: dp.Network.from_layers(1, [dp.LayerNorm(), dp.Dense(1)]), "acts on 2 columns"),
        (lambda: dp.Dense(3, parametrization="mup"), "parametrization is 'mup'"),
        (lambda: dp.Dense(3, bias_initializer="ones"), "bias_initializer is 'ones'"),
        (lambda: dp.ParametricActivation("rleu"), "relu"),
        (lambda: dp.PeriodicEmbedding(0), "n_columns is 0"),
        (lambda: dp.PeriodicEmbedding(2, n_mixtures=0), "n_mixtures is 0"),
        (lambda: dp.CategoryEmbedding(()), "sizes is ()"),
        (lambda: dp.CategoryEmbedding((2, 0)), "number of categories is 0"),
        (lambda: network_of(dp.PeriodicEmbedding(8)), "acts on 8 columns"),
        (lambda: network_of(dp.CategoryEmbedding((4, 4))), "acts on 8 one-hot columns"),
        (lambda: dp.Network.from_layers(2, [dp.Dense(2), dp.Scaling()]), "ends in a Dense layer"),
        (lambda: dp.Network.from_layers(2, ["dense"]), "is no layer"),
    ],
)
def test_a_wrong_setting_is_named(make, said):
    with pytest.raises(SettingError, match=said.replace("(", r"\(").replace(")", r"\)")):
        make()


def test_given_arrays_go_by_name():
    network = dp.Network.from_layers(2, [dp.Scaling(), dp.Dense(1)])
    parameters = network.parameters([None, [[1.0], [2.0]]], s=[[3.0, 4.0], None])
    np.testing.assert_array_equal(parameters.flat, [3, 4, 1, 2, 0])
    with pytest.raises(ShapeError, match="s of layer 1 is missing"):
        network.parameters([None, [[1.0], [2.0]]])
    with pytest.raises(ShapeError, match="Layer 2 has no s"):
        network.parameters([None, [[1.0], [2.0]]], s=[[3.0, 4.0], [1.0]])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_pile_of_layers_has_the_right_gradient(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    width, layers = data.draw(st.integers(1, 6)), []
    n_in = width
    for kind in data.draw(st.lists(st.sampled_from("dspwcn"), max_size=5)):
        if kind == "d":
            form = data.draw(st.sampled_from(["standard", "ntk"]))
            layers.append(dp.Dense(data.draw(st.integers(1, 5)), "tanh", parametrization=form))
        elif kind == "s":
            layers.append(dp.Scaling())
        elif kind == "n":
            layers.append(dp.LayerNorm("tanh", epsilon=0.1) if width > 1 else dp.Scaling())
        elif kind == "p":
            layers.append(dp.ParametricActivation("softplus"))
        elif kind == "w":
            columns = data.draw(st.integers(1, width))
            layers.append(dp.PeriodicEmbedding(columns, n_waves=2, n_mixtures=2))
        else:
            first = data.draw(st.integers(1, width))
            sizes = (first, width - first) if width > first else (first,)
            layers.append(dp.CategoryEmbedding(sizes, dimension=2))
        width = layers[-1].width(width)
    network = dp.Network.from_layers(n_in, [*layers, dp.Dense(2)], "half_squared_error")
    report = dp.check_gradients(
        network, drawn(network, rng), rng.normal(size=(3, n_in)), rng.normal(size=(3, 2)),
        max_entries=40,
    )  # fmt: skip
    assert report.ok, report


def test_a_layer_norm_gives_rows_of_mean_0_and_deviation_1(rng):
    layer, a = dp.LayerNorm(epsilon=1e-12), rng.normal(3.0, 5.0, size=(4, N_IN))
    z = layer.forward(layer.initialize(rng, N_IN), a)
    np.testing.assert_allclose(z.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=1), 1.0, rtol=1e-12)
    # a row by itself: others in the batch, a shift and a scale change nothing
    np.testing.assert_array_equal(layer.forward(layer.initialize(rng, N_IN), a[:1]), z[:1])
    moved = layer.forward(layer.initialize(rng, N_IN), 10.0 * a + 7.0)
    np.testing.assert_allclose(moved, z, rtol=1e-9)


def test_a_layer_norm_of_equal_numbers_gives_its_shift(rng):
    layer = dp.LayerNorm()
    z = layer.forward({"g": np.ones(N_IN), "b": np.arange(7.0)}, np.full((1, N_IN), 3.0))
    np.testing.assert_array_equal(z, [np.arange(7.0)])
