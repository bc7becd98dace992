"""Layers of every kind on the native engine: the reference's steps, whatever they are piled on."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop import _native
from deltaprop.engines import ENGINES, kernels
from deltaprop.engines.kernels import NativeRun
from deltaprop.engines.native import NativeEngine
from deltaprop.errors import EngineWarning

BUILDS = _native.instruction_sets()
PRECISIONS = ("float64", "float32")
RULES = {
    "gradient descent": dp.GradientDescent(),
    "momentum": dp.Momentum(),
    "nesterov": dp.Momentum(nesterov=True),
    "rmsprop": dp.RMSProp(),
    "adam": dp.Adam(),
    "adamw": dp.AdamW(weight_decay=0.3),
}
N_IN = 11


def ntk(n_out, activation=None, **chosen):
    return dp.Dense(
        n_out, activation, parametrization="ntk", bias_initializer="standard_normal", **chosen
    )


# what stands below a Dense(3)
PILES = {
    "factors": [dp.Dense(18, "tanh", learning_rate_factor=3.0, bias_learning_rate_factor=0.1)],
    "NTK": [
        ntk(18, "tanh"), ntk(7, "gelu", bias=False), ntk(20, "sigmoid", learning_rate_factor=2),
    ],
    "scaling": [dp.Scaling(6.0), dp.Dense(18, "tanh")],
    "scaling of hidden layers": [
        dp.Dense(18, "tanh"), dp.Scaling(), dp.Dense(40, "silu"), dp.Scaling(0.5), dp.Scaling(2.0)
    ],
    "bent": [dp.Dense(18), dp.ParametricActivation("selu", 0.1)],
    "bent at once": [dp.ParametricActivation("softplus"), dp.Dense(9, "softplus")],
    "bent twice": [
        dp.Dense(35, "sigmoid"), dp.ParametricActivation("mish", 3.0),
        dp.ParametricActivation("tanh"),
    ],
    "as RealMLP has them": [
        dp.Scaling(6.0), ntk(34, bias_learning_rate_factor=0.1),
        dp.ParametricActivation("selu", 0.1), ntk(17), dp.ParametricActivation("mish", 0.1),
    ],
    "normalized": [dp.Dense(18), dp.LayerNorm("relu"), dp.Dense(40), dp.LayerNorm("gelu")],
    "normalized at once": [dp.LayerNorm(epsilon=0.1), dp.Dense(9, "tanh"), dp.LayerNorm("sigmoid")],
    "normalized in many panels": [
        dp.Dense(133, "softsign"), dp.LayerNorm("softplus", learning_rate_factor=0.3), ntk(35),
        dp.LayerNorm(), dp.ParametricActivation("softsign"),
    ],
    "normalized and dropped": [
        dp.Dropout(0.3), dp.LayerNorm(), dp.Dropout(0.3), dp.Dense(20), dp.LayerNorm("silu"),
        dp.Dropout(0.2), dp.Dense(17), dp.LayerNorm("tanh"), dp.Dropout(0.2),
    ],
    "waves": [dp.PeriodicEmbedding(4, 5, 2, deviation=0.3), dp.Dense(18, "tanh")],
    "many waves": [dp.PeriodicEmbedding(N_IN, 37, 6, learning_rate_factor=0.3), ntk(9, "selu")],
    "waves of hidden layers": [
        dp.Dense(19, "silu"), dp.PeriodicEmbedding(17, 3, 1), dp.Dense(18, "tanh"),
        dp.PeriodicEmbedding(1, 1, 3),
    ],
    "categories": [dp.CategoryEmbedding((2, 3, 4), 5, 2.0), dp.Dense(18, "tanh")],
    "nothing but categories": [dp.CategoryEmbedding((10, 1), 35)],
    "categories of hidden layers": [
        dp.Dense(70, "gelu"), dp.CategoryEmbedding((33, 18, 1), 3), dp.Dense(7, "sigmoid"),
        dp.CategoryEmbedding((7,), 20),
    ],
    "categories, then waves": [
        dp.CategoryEmbedding((4, 2), 3), dp.PeriodicEmbedding(5, 16, 3), dp.Scaling(6.0),
        ntk(33), dp.ParametricActivation("selu", 0.1), ntk(16, "mish"),
    ],
    "waves, then categories": [
        dp.PeriodicEmbedding(3, 16, 3), dp.CategoryEmbedding((4, 2), 3), dp.Scaling(6.0),
        ntk(33, "selu"),
    ],
    "dropped": [
        dp.Dropout(0.3), dp.Scaling(), dp.Dropout(0.4), ntk(18, "gelu"), dp.Dropout(0.2),
        dp.ParametricActivation("gelu"), dp.Dropout(0.2), dp.Scaling(), dp.Dense(5, "relu"),
        dp.Dropout(0.2),
    ],
    "waves dropped": [
        dp.Dropout(0.3), dp.PeriodicEmbedding(5, 4, 2), dp.Dropout(0.3), dp.Dense(20, "tanh"),
        dp.Dropout(0.2), dp.PeriodicEmbedding(9, 2, 1), dp.Dropout(0.2),
    ],
    "categories dropped": [
        dp.Dropout(0.3), dp.CategoryEmbedding((4, 2), 3), dp.Dropout(0.3), dp.Dense(20, "mish"),
        dp.Dropout(0.2), dp.CategoryEmbedding((4, 9), 3),
    ],
}  # fmt: skip
PILE = pytest.mark.parametrize("pile", PILES.values(), ids=PILES)


def network_of(layers, n_in=N_IN, loss="cross_entropy", n_out=3, **chosen):
    return dp.Network.from_layers(n_in, [*layers, dp.Dense(n_out)], loss, **chosen)


def warm(optimizer, n, rng):
    """Return the state of an optimizer that has seen some steps."""
    state = optimizer.init(n)
    for name in state:
        if name == "t":
            state[name] = 12
        elif name == "s" or (name == "v" and "m" in state):
            state[name] = 0.1 + rng.random(n)  # a mean of squares
        else:
            state[name] = 0.1 * rng.normal(size=n)
    return state


def assert_steps_agree(network, before, found, expected, relative, note=""):
    """Compare what was moved, array by array, with the largest movement of the array."""
    precision = 2.0**-23 if relative > 1e-10 else 2.0**-51
    for slot in network.layout.slots:
        part = slice(slot.start, slot.stop)
        start, ours, theirs = before.flat[part], found[part], expected[part]
        # the new value itself is rounded, however exact the step was
        size = np.abs(theirs - start).max()
        bound = relative * size + precision * (np.abs(start) + np.abs(theirs))
        worst = (np.abs(ours - theirs) / np.maximum(bound, 1e-300)).max()
        what = f"{note}: {slot.name}{slot.layer + 1}"
        assert worst <= 1.0, f"{what} is off {worst:.3g} times the bound"


class TestOneStep:
    @PILE
    def test_by_every_rule_in_every_build(self, of_engines, rng, pile):
        network = network_of(pile, l2=0.1, l1=0.05, label_smoothing=0.1)
        problem, start = of_engines.problem(network, rng, n=37), of_engines.begin(network, rng)
        weights = rng.integers(0, 4, size=37).astype(float)
        problem = replace(problem, weights=weights / weights.mean())
        for rule, optimizer in RULES.items():
            same = {"state": warm(optimizer, start.flat.size, rng), "eta": 0.5}
            asked = replace(problem, optimizer=optimizer)
            expected = of_engines.epochs(asked, start, build="reference", **same)
            for build in BUILDS:
                for dtype, digits in (("float64", 1e-12), ("float32", 1e-5)):
                    found = of_engines.epochs(
                        replace(asked, dtype=dtype), start, build=build, **same
                    )
                    note = f"{rule}, {build}, {dtype}"
                    assert_steps_agree(network, start, found.flat, expected.flat, digits, note)
                    assert found.loss == pytest.approx(expected.loss, rel=digits), note
                    assert found.state.keys() == expected.state.keys()
                    for name in found.state:
                        scale = np.abs(expected.state[name]).max()
                        np.testing.assert_allclose(
                            found.state[name],
                            expected.state[name],
                            rtol=digits,
                            atol=digits * scale,
                        )

    @PILE
    @pytest.mark.parametrize("build", BUILDS)
    def test_the_gradient_alone(self, of_engines, rng, pile, build):
        """A step of gradient descent from nothing, without a penalty: each array by its factor."""
        network = network_of(pile)
        problem, start = of_engines.problem(network, rng, n=53), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference")
        for dtype, digits in (("float64", 1e-12), ("float32", 1e-5)):
            found = of_engines.epochs(replace(problem, dtype=dtype), start, build=build)
            assert_steps_agree(network, start, found.flat, expected.flat, digits, dtype)

    @pytest.mark.parametrize("loss", dp.LOSSES)
    def test_with_every_loss(self, of_engines, rng, loss):
        network = network_of(PILES["as RealMLP has them"], loss=loss, l2=0.01)
        problem, start = of_engines.problem(network, rng, n=29), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference", eta=0.01)
        found = of_engines.epochs(problem, start, eta=0.01)
        assert_steps_agree(network, start, found.flat, expected.flat, 1e-11)
        assert found.loss == pytest.approx(expected.loss, rel=1e-12)

    @pytest.mark.parametrize("activation", dp.ACTIVATIONS)
    def test_bending_every_activation(self, of_engines, rng, activation):
        bent = dp.ParametricActivation(activation, 0.5)
        network = network_of([bent, dp.Dense(21), bent, dp.Dense(9, activation), bent])
        problem, start = of_engines.problem(network, rng, n=29), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference")
        for build in BUILDS:
            for dtype, digits in (("float64", 1e-12), ("float32", 1e-5)):
                found = of_engines.epochs(replace(problem, dtype=dtype), start, build=build)
                assert_steps_agree(network, start, found.flat, expected.flat, digits, dtype)

    def test_a_state_comes_back_as_it_was_given(self, of_engines, rng):
        for pile in PILES.values():
            network, optimizer = network_of(pile), dp.Adam()
            start = of_engines.begin(network, rng)
            run = NativeRun(of_engines.problem(network, rng, optimizer=optimizer), start)
            run.state = state = warm(optimizer, start.flat.size, rng)
            for name in state:
                np.testing.assert_array_equal(run.state[name], state[name])


FACTOR = st.sampled_from([0.1, 1.0, 6.0])


@st.composite
def layers_of_any_kind(draw, width):
    """Return a layer that can read so many columns, and how many it gives."""
    kind = draw(st.sampled_from(["dense", "scaling", "norm", "bent", "waves", "categories"]))
    if kind == "dense":
        layer = dp.Dense(
            draw(st.integers(1, 100)),
            draw(st.sampled_from([None, *dp.ACTIVATIONS])),
            bias=draw(st.booleans()),
            parametrization=draw(st.sampled_from(["standard", "ntk"])),
            learning_rate_factor=draw(FACTOR),
            bias_learning_rate_factor=draw(FACTOR),
        )
    elif kind == "scaling":
        layer = dp.Scaling(draw(FACTOR))
    elif kind == "norm" and width > 1:
        function = draw(st.sampled_from([None, *dp.ACTIVATIONS]))
        layer = dp.LayerNorm(function, draw(st.sampled_from([1e-3, 1.0])), draw(FACTOR))
    elif kind == "waves":
        n_columns = draw(st.integers(1, min(width, 20)))
        waves, mixtures = draw(st.integers(1, 20)), draw(st.integers(1, 5))
        layer = dp.PeriodicEmbedding(n_columns, waves, mixtures, learning_rate_factor=draw(FACTOR))
    elif kind == "categories":
        sizes = [draw(st.integers(1, width))]
        while sum(sizes) < width and draw(st.booleans()):
            sizes.append(draw(st.integers(1, width - sum(sizes))))
        layer = dp.CategoryEmbedding(tuple(sizes), draw(st.integers(1, 20)), draw(FACTOR))
    else:
        layer = dp.ParametricActivation(draw(st.sampled_from(list(dp.ACTIVATIONS))), draw(FACTOR))
    return layer, layer.width(width)


@st.composite
def networks(draw):
    width = n_in = draw(st.integers(1, 100))
    layers = []
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.integers(0, 3)) == 0:
            layers.append(dp.Dropout(0.3))
        layer, width = draw(layers_of_any_kind(width))
        layers.append(layer)
    loss = draw(st.sampled_from(list(dp.LOSSES)))
    penalties = {"l2": 0.01, "l1": 0.002} if draw(st.booleans()) else {}
    return network_of(layers, n_in, loss, draw(st.integers(2, 40)), **penalties)


class TestShapes:
    @settings(max_examples=40, deadline=None)
    @given(
        network=networks(),
        n=st.integers(1, 150),
        batch_size=st.integers(1, 150),
        rule=st.sampled_from(list(RULES)),
        build=st.sampled_from(BUILDS),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_any_pile_in_batches_that_do_not_divide(
        self, of_engines, network, n, batch_size, rule, build, seed
    ):
        rng = np.random.default_rng(seed)
        problem = of_engines.problem(network, rng, n=n, batch_size=max(min(batch_size, n), n // 5))
        problem = replace(problem, optimizer=RULES[rule])
        start = of_engines.begin(network, rng)
        same = {"eta": 1e-3, "seed": seed, "state": warm(RULES[rule], start.flat.size, rng)}
        expected = of_engines.epochs(problem, start, build="reference", **same)
        found = of_engines.epochs(problem, start, build=build, **same)
        assert found.n_steps == expected.n_steps
        assert found.diverged == expected.diverged
        if expected.diverged is None:
            # nearly equal columns that are normalized enlarge every rounding, the reference's too
            start.flat[:] *= 1 + 2.0**-52 * rng.choice([-1, 1], size=start.flat.size)
            nearby = of_engines.epochs(problem, start, build="reference", **same)
            scale = np.maximum(np.abs(expected.flat), 1e-3 * np.abs(expected.flat).max())
            bound = 1e-9 * np.maximum(scale, 1e-3)
            bound += 1e3 * np.abs(nearby.flat - expected.flat).max()
            assert (np.abs(found.flat - expected.flat) / bound).max() < 1
            moved = 1e3 * abs(nearby.loss[0] - expected.loss[0])
            assert found.loss == pytest.approx(expected.loss, rel=1e-10, abs=moved)

    @settings(max_examples=50, deadline=None)
    @given(
        network=networks(), n=st.integers(1, 150), build=st.sampled_from(BUILDS),
        seed=st.integers(0, 2**32 - 1),
    )  # fmt: skip
    def test_predictions_of_any_pile(self, network, n, build, seed):
        rng = np.random.default_rng(seed)
        parameters, X = network.init(rng), rng.normal(size=(n, network.n_in))
        reference = ENGINES["reference"].logits(network, parameters, X)
        found = ENGINES["native"].logits(network, parameters, X)
        np.testing.assert_allclose(
            found, reference, rtol=1e-10, atol=1e-11 * max(np.abs(reference).max(), 1e-3)
        )

    @PILE
    @pytest.mark.parametrize("n", [1, 511, 513, 2100])
    def test_predictions_of_any_number_of_rows(self, of_engines, rng, pile, n):
        network, X = network_of(pile), rng.normal(size=(n, N_IN))
        parameters = of_engines.begin(network, rng)
        reference = ENGINES["reference"].logits(network, parameters, X)
        for dtype, digits in (("float64", 1e-12), ("float32", 2e-5)):
            for rows in (X, X.astype(np.float32), scipy.sparse.csr_array(X)):
                found = ENGINES["native"].logits(network, parameters, rows, dtype)
                wider = 1e-6 if rows.dtype == np.float32 else digits
                np.testing.assert_allclose(
                    found, reference, rtol=wider, atol=max(wider, digits) * 10
                )


def whole_rows(rng, n=40):
    return rng.integers(0, 9, size=(n, N_IN)) * (rng.random((n, N_IN)) < 0.4)


class TestRows:
    @PILE
    @pytest.mark.parametrize("dtype", PRECISIONS)
    def test_of_every_kind_are_the_same_numbers(self, of_engines, rng, pile, dtype):
        network, X = network_of(pile), whole_rows(rng)
        problem = of_engines.problem(network, rng, n=40, batch_size=16, dtype=dtype)
        start = of_engines.begin(network, rng)
        rows = [X.astype("float64"), X.astype("float32"), X.astype("uint8")]
        sparse = scipy.sparse.csr_array(X.astype("float64"))
        first, *others = (
            of_engines.epochs(replace(problem, X=each), start, eta=0.01).flat for each in rows
        )
        for other in others:
            np.testing.assert_array_equal(other, first)
        found = of_engines.epochs(replace(problem, X=sparse), start, eta=0.01).flat
        digits = 1e-10 if dtype == "float64" else 1e-4
        np.testing.assert_allclose(found, first, rtol=digits, atol=digits)


class TestBits:
    @PILE
    @pytest.mark.parametrize("build", BUILDS)
    @pytest.mark.parametrize("dtype", [*PRECISIONS, "bfloat16"])
    @pytest.mark.filterwarnings("ignore::deltaprop.errors.EngineWarning")
    def test_any_number_of_threads(self, of_engines, rng, monkeypatch, pile, build, dtype):
        monkeypatch.setattr(kernels, "available_cores", lambda: 64)
        monkeypatch.setenv("DELTAPROP_THREADS_FROM", "1")
        network = network_of(pile, l2=1e-3)
        problem = of_engines.problem(network, rng, n=333, batch_size=100, dtype=dtype)
        problem = replace(problem, optimizer=dp.Adam())
        start = of_engines.begin(network, rng)
        runs = [
            of_engines.epochs(
                replace(problem, n_threads=n), start, build=build, epochs=2, eta=0.01
            )
            for n in (1, 2, 3, 7, 1, 2)
        ]  # fmt: skip
        for run in runs[1:]:
            assert run.flat.tobytes() == runs[0].flat.tobytes()
            assert run.loss == runs[0].loss
            assert run.state["m"].tobytes() == runs[0].state["m"].tobytes()

    @PILE
    def test_predictions(self, of_engines, rng, monkeypatch, pile):
        monkeypatch.setenv("DELTAPROP_THREADS_FROM", "1")
        network, X = network_of(pile), rng.normal(size=(1500, N_IN))
        parameters, found = of_engines.begin(network, rng), []
        for n in (1, 2, 5):
            monkeypatch.setattr(kernels, "available_cores", lambda n=n: n)
            found.append(dp.predict(network, parameters, X).tobytes())
        assert found[0] == found[1] == found[2]


def fit(network, X, y, **settings):
    parameters = network.init(np.random.default_rng(7))
    history = dp.train(network, parameters, X, y, **({"batch_size": 32, "seed": 3} | settings))
    return parameters.flat, history


@pytest.fixture
def table(rng):
    X = rng.normal(size=(150, N_IN))
    return X, np.abs(X[:, :3]).argmax(axis=1)


class TestWholeRuns:
    @PILE
    @pytest.mark.parametrize("rule", ["momentum", "adam", "adamw"])
    def test_ten_epochs_are_the_references(self, table, pile, rule):
        network = network_of(pile, l2=1e-3)
        same = {"epochs": 10, "optimizer": replace(RULES[rule], learning_rate=0.005)}
        _, expected = fit(network, *table, engine="reference", **same)
        _, close = fit(network, *table, engine="native", dtype="float32", **same)
        flat, closer = fit(network, *table, dtype="float64", **same)
        assert closer.engine == "native"
        assert close.loss == pytest.approx(expected.loss, rel=2e-3)
        assert closer.loss == pytest.approx(expected.loss, rel=1e-8)
        assert np.isfinite(flat).all()

    def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(self, table, tmp_path):
        network, same = network_of(PILES["dropped"]), {"epochs": 6, "optimizer": dp.AdamW(0.01)}
        whole, history = fit(network, *table, **same)
        path = tmp_path / "run"
        fit(network, *table, checkpoint=path, callbacks=[lambda state: state.epoch == 2], **same)
        flat, resumed = fit(network, *table, checkpoint=path, resume=True, **same)
        assert flat.tobytes() == whole.tobytes()
        assert resumed.loss == history.loss

    @PILE
    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
    def test_what_is_not_finite_stops_at_the_same_step(self, of_engines, rng, pile, value):
        network = network_of(pile, loss="half_squared_error")
        problem = of_engines.problem(network, rng, n=20, batch_size=5)
        problem.X[12] = value
        start = of_engines.begin(network, rng)
        found = [
            of_engines.epochs(problem, start, build=build, shuffle=False, eta=1e-3)
            for build in ("reference", "")
        ]
        assert found[1].n_steps == found[0].n_steps
        assert (found[1].diverged is None) == (found[0].diverged is None)
        assert all(np.isfinite(outcome.flat).all() for outcome in found)

    def test_a_huge_factor_diverges_in_words(self, table):
        network = network_of([dp.Scaling(1e30), dp.Dense(9, "relu")], loss="half_squared_error")
        with pytest.warns(dp.errors.DivergedWarning):
            flat, _ = fit(network, table[0], np.eye(3)[table[1]], epochs=5, dtype="float32",
                          optimizer=dp.GradientDescent(1e10))  # fmt: skip
        assert np.isfinite(flat).all()


class TestHalfPrecision:
    pytestmark = pytest.mark.filterwarnings("ignore::deltaprop.errors.EngineWarning")

    @PILE
    def test_it_is_near_float32(self, of_engines, rng, pile):
        network = network_of(pile)
        problem = of_engines.problem(network, rng, n=64)
        start = of_engines.begin(network, rng)
        losses = [
            of_engines.epochs(replace(problem, dtype=dtype), start, epochs=5).loss
            for dtype in ("float32", "bfloat16")
        ]
        assert losses[1] == pytest.approx(losses[0], rel=0.03)

    def test_a_scaled_row_is_rounded_once(self, of_engines, rng):
        """The products read a s rounded to bfloat16, not the rounded a."""
        dense = dp.Dense(18, "tanh")
        with_scale, without = network_of([dp.Scaling(), dense]), network_of([dense])
        parameters = of_engines.begin(with_scale, rng)
        X = rng.normal(size=(70, N_IN)).astype(np.float32)
        s = parameters.layers[0]["s"].astype(np.float32)
        plain = without.init(rng)
        plain.flat[:] = parameters.flat[N_IN:]
        found = NativeEngine().logits(with_scale, parameters, X, "bfloat16")
        np.testing.assert_array_equal(
            found, NativeEngine().logits(without, plain, X * s, "bfloat16")
        )


class TestChoice:
    """Which networks the native engine takes, and how their numbers lie."""

    @PILE
    def test_it_takes_them_all(self, pile):
        assert NativeEngine().refusal(network_of(pile), dp.Adam()) is None

    @PILE
    def test_never_in_lanes(self, of_engines, rng, pile):
        network = network_of(pile)
        problem = of_engines.problem(network, rng)
        with pytest.raises(ValueError, match="in panels, not in lanes"):
            of_engines.native(problem, network.init(rng), layout="lanes")

    @pytest.fixture
    def registry(self, monkeypatch):
        monkeypatch.setattr(dp.ACTIVATIONS, "_rows", dict(dp.ACTIVATIONS._rows))
        return dp.ACTIVATIONS

    @pytest.mark.parametrize("name", ["mine", "tanh"])
    def test_a_users_own_function_is_bent_by_the_reference(self, table, registry, name):
        row = dp.Activation(name, lambda z: z**3, lambda z, a: 3 * z**2, ("z^3", "3z^2"), "cubed")
        registry.register(row, replace=True)
        network = network_of([ntk(5), dp.ParametricActivation(name)])
        message = f"native engine has no activation '{name}'; the reference"
        with pytest.warns(EngineWarning, match=message) as caught:
            a, history = fit(network, *table, epochs=2)
        assert len(caught) == 1
        assert "\n" not in str(caught[0].message)
        assert history.engine == "reference"
        b, _ = fit(network, *table, epochs=2, engine="reference")
        np.testing.assert_array_equal(a, b)

    def test_a_kind_of_layer_that_only_a_user_knows(self):
        class Mine(dp.Scaling):
            kind = "mine"

        network = network_of([Mine(), dp.Dense(5)])
        assert NativeEngine().refusal(network) == "layer of the kind 'mine'"
