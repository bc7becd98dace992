"""Layers of every kind on the native engine: the reference's steps, whatever they are piled on."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.engines import ENGINES
from deltaprop.engines.kernels import NativeRun
from helpers.piles import (
    ACTIVATIONS,
    BUILDS,
    DIGITS,
    KNOWN,
    LOSSES,
    N_IN,
    PILE,
    PILES,
    RULES,
    ToldOf,
    network_of,
)


class TestOneStep:
    @PILE
    @pytest.mark.one_in(3)
    def test_by_every_rule_in_every_build(self, of_engines, rng, pile):
        network = network_of(pile, l2=0.1, l1=0.05, label_smoothing=0.1)
        problem, start = of_engines.problem(network, rng, n=37), of_engines.begin(network, rng)
        weights = rng.integers(0, 4, size=37).astype(float)
        problem = replace(problem, weights=weights / weights.mean())
        for rule, optimizer in RULES.items():
            same = {"state": of_engines.warm(optimizer, start.flat.size, rng), "eta": 0.5}
            asked = replace(problem, optimizer=optimizer)
            expected = of_engines.epochs(asked, start, build="reference", **same)
            for build in BUILDS:
                for dtype, digits in DIGITS.items():
                    found = of_engines.epochs(
                        replace(asked, dtype=dtype), start, build=build, **same
                    )
                    note = f"{rule}, {build}, {dtype}"
                    of_engines.agree(network, start, found.flat, expected.flat, digits, note)
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
        for dtype, digits in DIGITS.items():
            found = of_engines.epochs(replace(problem, dtype=dtype), start, build=build)
            of_engines.agree(network, start, found.flat, expected.flat, digits, dtype)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_with_every_loss(self, of_engines, rng, loss):
        network = network_of(PILES["as RealMLP has them"], loss=loss, l2=0.01)
        problem, start = of_engines.problem(network, rng, n=29), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference", eta=0.01)
        found = of_engines.epochs(problem, start, eta=0.01)
        of_engines.agree(network, start, found.flat, expected.flat, 1e-11)
        assert found.loss == pytest.approx(expected.loss, rel=1e-12)

    @pytest.mark.parametrize("activation", ACTIVATIONS)
    def test_bending_every_activation(self, of_engines, rng, activation):
        bent = dp.ParametricActivation(activation, 0.5)
        network = network_of([bent, dp.Dense(21), bent, dp.Dense(9, activation), bent])
        problem, start = of_engines.problem(network, rng, n=29), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference")
        for build in BUILDS:
            for dtype, digits in DIGITS.items():
                found = of_engines.epochs(replace(problem, dtype=dtype), start, build=build)
                of_engines.agree(network, start, found.flat, expected.flat, digits, dtype)

    def test_a_state_comes_back_as_it_was_given(self, of_engines, rng):
        for pile in PILES.values():
            network, optimizer = network_of(pile), dp.Adam()
            start = of_engines.begin(network, rng)
            run = NativeRun(of_engines.problem(network, rng, optimizer=optimizer), start)
            run.state = state = of_engines.warm(optimizer, start.flat.size, rng)
            for name in state:
                np.testing.assert_array_equal(run.state[name], state[name])


FACTOR = st.sampled_from([0.1, 1.0, 6.0])
FUNCTION = st.sampled_from([None, *ACTIVATIONS])


def dense(draw, _width):
    return dp.Dense(
        draw(st.integers(1, 100)), draw(FUNCTION), bias=draw(st.booleans()),
        parametrization=draw(st.sampled_from(["standard", "ntk"])),
        learning_rate_factor=draw(FACTOR), bias_learning_rate_factor=draw(FACTOR),
    )  # fmt: skip


def layer_norm(draw, width):
    if width == 1:
        return dp.Scaling()  # of one column nothing is left
    return dp.LayerNorm(draw(FUNCTION), draw(st.sampled_from([1e-3, 1.0])), draw(FACTOR))


def periodic_embedding(draw, width):
    n_columns = draw(st.integers(1, min(width, 20)))
    waves, mixtures = draw(st.integers(1, 20)), draw(st.integers(1, 5))
    return dp.PeriodicEmbedding(n_columns, waves, mixtures, learning_rate_factor=draw(FACTOR))


def category_embedding(draw, width):
    sizes = [draw(st.integers(1, width))]
    while sum(sizes) < width and draw(st.booleans()):
        sizes.append(draw(st.integers(1, width - sum(sizes))))
    return dp.CategoryEmbedding(tuple(sizes), draw(st.integers(1, 20)), draw(FACTOR))


def parametric_activation(draw, _width):
    return dp.ParametricActivation(draw(st.sampled_from([*ACTIVATIONS])), draw(FACTOR))


# draw(layer that reads so many columns), for each kind
LAYERS = ToldOf(
    "how to draw a layer of the kind", dense=dense, layer_norm=layer_norm,
    scaling=lambda draw, _width: dp.Scaling(draw(FACTOR)), periodic_embedding=periodic_embedding,
    category_embedding=category_embedding, parametric_activation=parametric_activation,
)  # fmt: skip


def test_a_pile_has_each_kind_of_layer():
    assert {layer.kind for pile in PILES.values() for layer in pile} >= {*KNOWN["layers"]}


@st.composite
def networks(draw):
    width = n_in = draw(st.integers(1, 100))
    layers = []
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.integers(0, 3)) == 0:
            layers.append(dp.Dropout(0.3))
        layer = LAYERS[draw(st.sampled_from([*KNOWN["layers"]]))](draw, width)
        layers.append(layer)
        width = layer.width(width)
    loss = draw(st.sampled_from(list(LOSSES)))
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
        same = {
            "eta": 1e-3,
            "seed": seed,
            "state": of_engines.warm(RULES[rule], start.flat.size, rng),
        }
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
    @pytest.mark.one_in(3)
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
