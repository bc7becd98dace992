"""The native engine takes the reference's steps: every combination, every build, any shape."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop import _native
from deltaprop.engines.kernels import NativeRun
from deltaprop.errors import SettingError
from helpers.piles import ACTIVATIONS, BUILDS, DIGITS, KERNELS, LOSSES, PRECISIONS, RULES, SMOOTH

VARIANTS = {
    "plain": {},
    "l2": {"l2": 0.1},
    "l1": {"l1": 0.05},
    "l2 and l1": {"l2": 0.1, "l1": 0.05},
    "label smoothing": {"label_smoothing": 0.2},
    "dropout": {"dropout": 0.4},
    "no bias": {"bias": False},
    "weights": {},
    "everything": {
        "l2": 0.1, "l1": 0.05, "label_smoothing": 0.2, "dropout": 0.4, "bias": False,
    },
}  # fmt: skip


class TestOneStep:
    """From a state that is not zero, where no step is a quotient of two roundings."""

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    @pytest.mark.parametrize("rules_each", [1, pytest.param(len(RULES), marks=pytest.mark.slow)])
    @pytest.mark.one_in(5)
    def test_every_combination(self, of_engines, rng, activation, loss, rules_each):
        """The slow one is the full product; with one rule for each variant every three meet."""
        first = list(LOSSES).index(loss) + list(ACTIVATIONS).index(activation)
        for number, (variant, chosen) in enumerate(VARIANTS.items(), first):
            if "label_smoothing" in chosen and not LOSSES[loss].smooth:
                chosen = {k: v for k, v in chosen.items() if k != "label_smoothing"}
            network = dp.Network([5, 18, 7, 3], activation, loss, **chosen)
            problem, start = of_engines.problem(network, rng, n=13), of_engines.begin(network, rng)
            if variant in ("weights", "everything"):
                weights = rng.integers(0, 4, size=13).astype(float)
                problem = replace(problem, weights=weights / weights.mean())
            for k in range(number, number + rules_each):
                rule, optimizer = list(RULES.items())[k % len(RULES)]
                state = of_engines.warm(optimizer, start.flat.size, rng)
                same = {"state": state, "eta": 0.5}
                asked = replace(problem, optimizer=optimizer)
                expected = of_engines.epochs(asked, start, build="reference", **same)
                for build in KERNELS:
                    for dtype, digits in DIGITS.items():
                        given = replace(asked, dtype=dtype)
                        found = of_engines.epochs(given, start, build=build, **same)
                        note = f"{variant}, {rule}, {build}, {dtype}"
                        of_engines.agree(network, start, found.flat, expected.flat, digits, note)
                        assert found.loss == pytest.approx(expected.loss, rel=digits), note

    def test_another_formula_is_not_said_to_be_a_rounding(self, of_engines, rng):
        network = dp.Network([5, 4, 3])
        start, step = of_engines.begin(network, rng), rng.normal(size=network.n_parameters)
        for off, said in ((1e-9, r"times the bound\s"), (0.1, "no rounding: see native/math/act")):
            with pytest.raises(AssertionError, match=said):
                of_engines.agree(
                    network, start, start.flat + step * (1 + off), start.flat + step, 1e-11
                )

    @pytest.mark.parametrize("build", KERNELS)
    @pytest.mark.parametrize("rule", RULES)
    def test_the_state_afterwards(self, of_engines, rng, rule, build):
        network, optimizer = dp.Network([5, 18, 3], "tanh"), RULES[rule]
        problem = of_engines.problem(network, rng, optimizer=optimizer)
        start = of_engines.begin(network, rng)
        for state in (None, of_engines.warm(optimizer, start.flat.size, rng)):
            expected = of_engines.epochs(problem, start, build="reference", state=state).state
            for dtype, digits in DIGITS.items():
                given = replace(problem, dtype=dtype)
                found = of_engines.epochs(given, start, build=build, state=state).state
                assert found.keys() == expected.keys()
                for name in found:
                    scale = np.abs(expected[name]).max()
                    np.testing.assert_allclose(
                        found[name], expected[name], rtol=digits, atol=digits * scale
                    )

    @pytest.mark.parametrize("rule", RULES)
    def test_a_state_comes_back_as_it_was_given(self, of_engines, rng, rule):
        network, optimizer = dp.Network([5, 18, 3]), RULES[rule]
        start = of_engines.begin(network, rng)
        problem = of_engines.problem(network, rng, optimizer=optimizer)
        state = of_engines.warm(optimizer, start.flat.size, rng)
        run = NativeRun(problem, start)
        run.state = state
        assert run.state.keys() == state.keys()
        for name in state:
            np.testing.assert_array_equal(run.state[name], state[name])

    @pytest.mark.parametrize("rule", RULES)
    def test_a_first_step_from_nothing(self, of_engines, rng, rule):
        network = dp.Network([6, 20, 3], "gelu")
        problem = of_engines.problem(network, rng, n=40, optimizer=RULES[rule])
        start = of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference")
        found = of_engines.epochs(problem, start)
        np.testing.assert_allclose(found.flat, expected.flat, rtol=1e-9, atol=1e-11)


@st.composite
def networks(draw, activations):
    sizes = draw(st.lists(st.integers(1, 300), min_size=2, max_size=4))
    loss = draw(st.sampled_from(list(LOSSES)))
    if LOSSES[loss].output == "softmax":
        sizes[-1] = max(sizes[-1], 2)
    chosen = {"bias": draw(st.booleans()), "dropout": draw(st.sampled_from([0.0, 0.3]))}
    return dp.Network(sizes, draw(st.sampled_from(activations)), loss, **chosen)


def lost_in_float32(network, parameters, problem):
    """Return what float32 may lose: of the loss, and which share of the deltas.

    The loss moves by its slope times the rounding of z^L. Where all units are saturated f' is
    small, but its rounding is that of the 1 it came from, as in 1 - a^2.
    """
    rng = np.random.default_rng(0)
    trace = dp.backpropagate(network, parameters, problem.X, problem.targets, rng=rng)
    loss = 2e-6 * np.abs(trace.delta[-1]).sum() * max(1.0, np.abs(trace.z[-1]).max())
    share = sum(
        2.0**-22 * np.abs(upstream).max() / max(np.abs(delta).max(), 1e-300)
        for upstream, delta in zip(trace.upstream, trace.delta, strict=True)
        if upstream is not None
    )
    return loss, share


class TestShapes:
    @settings(max_examples=60, deadline=None)
    @given(
        network=networks(list(ACTIVATIONS)),
        n=st.integers(1, 300),
        build=st.sampled_from(KERNELS),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_one_step_in_float64(self, of_engines, network, n, build, seed):
        rng = np.random.default_rng(seed)
        problem, start = of_engines.problem(network, rng, n=n), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference")
        found = of_engines.epochs(problem, start, build=build)
        # sums of a few hundred terms of either sign: a little above 1e-12 of the largest
        np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-12)
        for layer, (ours, theirs) in enumerate(
            zip(start.like(found.flat).W, start.like(expected.flat).W, strict=True)
        ):
            step = np.abs(theirs - start.W[layer]).max()
            scale = 1e-12 * max(step, 1e-3)
            np.testing.assert_allclose(ours, theirs, rtol=1e-15, atol=scale + 1e-15)

    @settings(max_examples=60, deadline=None)
    @given(
        network=networks(SMOOTH),
        n=st.integers(1, 300),
        build=st.sampled_from(KERNELS),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_one_step_in_float32(self, of_engines, network, n, build, seed):
        rng = np.random.default_rng(seed)
        problem, start = of_engines.problem(network, rng, n=n), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference")
        found = of_engines.epochs(replace(problem, dtype="float32"), start, build=build)
        loss_lost, share_lost = lost_in_float32(network, start, problem)
        np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-5, atol=loss_lost)
        for layer, (ours, theirs) in enumerate(
            zip(start.like(found.flat).W, start.like(expected.flat).W, strict=True)
        ):
            # where a layer stands far from its data the steps themselves all but cancel
            step = np.abs(theirs - start.W[layer]).max()
            bound = (2e-5 + share_lost) * max(step, 1e-2)
            np.testing.assert_allclose(ours, theirs, rtol=2e-7, atol=bound)

    @settings(max_examples=60, deadline=None)
    @given(
        sizes=st.lists(st.integers(1, 40), min_size=2, max_size=4),
        n=st.integers(1, 70),
        batch_size=st.integers(1, 70),
        dropout=st.sampled_from([0.0, 0.5]),
        build=st.sampled_from(KERNELS),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_batches_that_do_not_divide(
        self, of_engines, sizes, n, batch_size, dropout, build, seed
    ):
        rng = np.random.default_rng(seed)
        network = dp.Network(sizes, "tanh", "half_squared_error", dropout=dropout, l2=0.01)
        problem = of_engines.problem(network, rng, n=n, batch_size=min(batch_size, n))
        start = of_engines.begin(network, rng)
        same = {"epochs": 2, "eta": 0.02, "seed": seed}
        expected = of_engines.epochs(problem, start, build="reference", **same)
        found = of_engines.epochs(problem, start, build=build, **same)
        assert found.n_steps == expected.n_steps
        np.testing.assert_allclose(found.flat, expected.flat, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-11)

    @pytest.mark.parametrize("build", KERNELS)
    @pytest.mark.one_in(3)
    def test_more_classes_than_a_panel_and_more_rows_than_a_chunk(self, of_engines, rng, build):
        network = dp.Network([300, 150, 100], "softplus", label_smoothing=0.1)
        problem = of_engines.problem(network, rng, n=1100, batch_size=700)
        start = of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference")
        found = of_engines.epochs(problem, start, build=build)
        np.testing.assert_allclose(found.flat, expected.flat, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-12)

    @pytest.mark.parametrize("build", KERNELS)
    def test_deep_networks(self, of_engines, rng, build):
        network = dp.Network([4, *[9] * 30, 2], "tanh")
        problem, start = of_engines.problem(network, rng), of_engines.begin(network, rng)
        expected = of_engines.epochs(problem, start, build="reference", epochs=3)
        found = of_engines.epochs(problem, start, build=build, epochs=3)
        np.testing.assert_allclose(found.flat, expected.flat, rtol=1e-9, atol=1e-11)


class TestBuilds:
    def test_the_fastest_comes_first_and_the_portable_one_is_always_there(self):
        assert BUILDS[-1] == "portable"
        assert [name for name in ("avx512", "avx2", "portable") if name in BUILDS] == BUILDS

    def test_a_build_offers_no_more_than_the_processor(self):
        features = set(_native.cpu_features())
        needed = {"avx512": {"avx512f", "avx512bw", "avx512vl", "fma"}, "avx2": {"avx2", "fma"}}
        for build in BUILDS[:-1]:
            assert needed[build] <= features

    @pytest.mark.parametrize(
        ("named", "known"),
        [
            ({"build": "sse9"}, ", ".join(["fastest", *BUILDS])),
            ({"layout": "rows"}, "automatic, lanes, panels"),
            ({"lost_share": "half"}, "which is not a number"),
            ({"threads_from": "1 million"}, "which is not a number"),
        ],
    )
    def test_a_word_of_the_environment_that_means_nothing_is_refused(
        self, of_engines, rng, named, known
    ):
        network, ((name, value),) = dp.Network([3, 2]), named.items()
        with pytest.raises(SettingError, match=f"DELTAPROP_{name.upper()}='{value}'.*{known}"):
            of_engines.native(of_engines.problem(network, rng), network.init(rng), **named)

    @pytest.mark.parametrize(
        ("sizes", "dropout", "layout"),
        [
            ([64, 32, 10], 0.0, "lanes"),
            ([64, 32, 10], 0.5, "panels"),
            ([200, 60, 10], 0.0, "panels"),
        ],
    )
    def test_small_networks_without_dropout_lie_in_lanes(
        self, of_engines, rng, sizes, dropout, layout
    ):
        network = dp.Network(sizes, dropout=dropout)
        problem = of_engines.problem(network, rng, n=300, dtype="float32")
        start = of_engines.begin(network, rng)
        chosen, lanes, panels = (
            of_engines.epochs(problem, start, build=f"/{asked}").flat.tobytes()
            for asked in ("", "lanes", "panels")
        )
        assert chosen == (lanes if layout == "lanes" else panels)
        assert lanes != panels or dropout  # which is never in lanes

    def test_dropout_cannot_lie_in_lanes(self, of_engines, rng):
        network = dp.Network([3, 2, 2], dropout=0.5)
        with pytest.raises(ValueError, match="in panels, not in lanes"):
            of_engines.native(of_engines.problem(network, rng), network.init(rng), layout="lanes")

    def test_without_a_name_it_is_the_fastest(self, of_engines, rng):
        network = dp.Network([7, 40, 3], "gelu")
        problem = of_engines.problem(network, rng, dtype="float32")
        start = of_engines.begin(network, rng)
        a, b = (of_engines.epochs(problem, start, build=build) for build in ("", BUILDS[0]))
        assert a.flat.tobytes() == b.flat.tobytes()


class TestPredictions:
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    @pytest.mark.parametrize("sizes", [[3, 2], [17, 33, 5], [40, 70, 65, 33]])
    def test_they_are_the_references(self, rng, activation, sizes):
        network = dp.Network(sizes, activation)
        parameters, X = network.init(rng), rng.normal(size=(700, sizes[0]))
        reference = dp.predict(network, parameters, X, engine="reference")
        found = dp.predict(network, parameters, X, engine="native")
        np.testing.assert_allclose(found, reference, rtol=1e-12, atol=1e-15)

    @pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 1024, 5000])
    @pytest.mark.parametrize("dtype", PRECISIONS)
    def test_any_number_of_rows(self, rng, n, dtype):
        network = dp.Network([9, 30, 4], "sigmoid")
        parameters, X = network.init(rng), rng.normal(size=(n, 9))
        from deltaprop.engines import ENGINES

        reference = ENGINES["reference"].logits(network, parameters, X)
        found = ENGINES["native"].logits(network, parameters, X, dtype)
        np.testing.assert_allclose(found, reference, rtol=DIGITS[dtype], atol=DIGITS[dtype])
        assert found.dtype == np.float64

    @settings(max_examples=40, deadline=None)
    @given(
        sizes=st.lists(st.integers(1, 300), min_size=2, max_size=4),
        n=st.integers(1, 300),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_any_shape(self, sizes, n, seed):
        rng = np.random.default_rng(seed)
        network = dp.Network(sizes, "softplus", "half_squared_error")
        parameters, X = network.init(rng), rng.normal(size=(n, sizes[0]))
        reference = dp.predict(network, parameters, X, engine="reference")
        found = dp.predict(network, parameters, X, engine="native")
        np.testing.assert_allclose(found, reference, rtol=1e-11, atol=1e-12)
