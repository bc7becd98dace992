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
from helpers.piles import BUILDS, N_IN, PILE, PILES, RULES, network_of


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
