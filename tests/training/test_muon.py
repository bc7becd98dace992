"""Muon: what SVD says of its step, and the explanation of every product of it."""

import numpy as np
import pytest

from deltaprop import Network, explain
from deltaprop.engines.base import take_step
from deltaprop.functional.arithmetic import evaluate
from deltaprop.training.optimizers import AdamW, Muon


class TestMuon:
    @pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (1, 6), (6, 1)])
    def test_a_hidden_matrix_moves_by_a_matrix_whose_singular_values_are_near_one(self, rng, shape):
        """The polynomial acts on singular values: what SVD says, the rounds of products do."""
        network = Network([*shape, 2], hidden="tanh")
        layout, rule = network.layout, Muon(0.1, weight_decay=0.5, momentum=0.8)
        before, state = rng.normal(size=layout.size), rule.init(layout.size)
        state["m"][:] = rng.normal(size=layout.size)
        gradient, flat = rng.normal(size=layout.size), before.copy()
        momentum = 0.8 * state["m"] + gradient
        rest, rest_state = before.copy(), {n: np.copy(v) for n, v in state.items()}
        rest_state["t"] = 0
        take_step(rule, layout, state, flat, gradient, 0.1)
        AdamW(0.1, 0.5).step(rest_state, rest, gradient, 0.1, layout.penalized())
        size = layout.slots[0].stop
        direction = (gradient + 0.8 * momentum)[:size].reshape(shape)
        u, s, vt = np.linalg.svd(direction, full_matrices=False)
        s /= np.linalg.norm(s) + 1e-7
        for _ in range(5):
            s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
        moved = before[:size] * (1 - 0.1 * 0.5)
        moved -= 0.1 * 0.2 * np.sqrt(max(shape)) * ((u * s) @ vt).ravel()
        np.testing.assert_allclose(flat[:size], moved, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(state["m"][:size], momentum[:size], rtol=1e-14)
        np.testing.assert_array_equal(flat[size:], rest[size:])
        assert np.all(s < 1.3)
        assert s[0] > 0.5

    def test_the_last_layer_is_no_hidden_matrix(self):
        assert [s.layer for s in Muon().matrices(Network([4, 3, 3, 2]).layout)] == [0, 1]
        assert Muon().matrices(Network([4, 2]).layout) == ()

    def test_where_nothing_pulls_nothing_moves(self):
        network = Network([2, 3, 2], hidden="tanh")
        flat, rule = np.ones(network.layout.size), Muon(weight_decay=0.0)
        take_step(rule, network.layout, rule.init(flat.size), flat, np.zeros_like(flat), 0.1)
        np.testing.assert_array_equal(flat, np.ones_like(flat))

    @pytest.mark.parametrize("sizes", [[2, 3, 2], [3, 2, 2], [1, 1, 2], [2, 2]])
    @pytest.mark.one_in(2)
    def test_it_is_explained_product_by_product(self, rng, sizes):
        network = Network(sizes, hidden="tanh")
        explanation = explain(
            network, network.init(rng), rng.normal(size=(2, sizes[0])), [0, 1],
            optimizer=Muon(0.01), state=None,
        )  # fmt: skip
        for form in ("terminal", "html", "latex", "markdown", "json", "notebook", "spoken"):
            assert explanation.to(form, language="zh", detail="neurons")
        for step in explanation.steps:
            assert step.value == pytest.approx(evaluate(step.expression), rel=1e-9, abs=1e-12), step
        known = {step.quantity for step in explanation.steps}
        assert ({"n_W", "o_W", "X0_W", "A5_W", "B5_W", "X5_W"} <= known) == (len(sizes) > 2)
        if len(sizes) > 2:
            made_of = {step.quantity for step in explanation.only("W.1.after[0,0]").steps}
            assert {"dW", "m_W", "n_W", "o_W", "X4_W", "X5_W", "W"} <= made_of
