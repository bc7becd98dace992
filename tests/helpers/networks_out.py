"""Networks of everything there is, for whoever takes one elsewhere."""

import numpy as np

import deltaprop as dp
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES

SCALED = ("1.7159 tanh(2/3 z)", "bipolar_sigmoid")
COMPOSED = ("half_squared_error_gelu", "huber_softplus")

EVERY = {
    **{name: dp.Network([4, 6, 5, 3], name) for name in (*ACTIVATIONS, *SCALED)},
    **{name: dp.Network([4, 6, 3], "tanh", name) for name in (*LOSSES, *COMPOSED)},
    "no biases": dp.Network([4, 6, 3], "tanh", bias=False),
    "linear": dp.Network([4, 1], loss="half_squared_error"),
    "some biases": dp.Network.from_layers(
        4, [dp.Dense(3, "relu", bias=[True, False, True]), dp.Dense(2)]
    ),
    "as RealMLP has them": dp.Network.from_layers(
        9,
        [
            dp.CategoryEmbedding((4, 2), 3), dp.PeriodicEmbedding(3, 5, 2), dp.Scaling(6.0),
            dp.Dense(7, parametrization="ntk"), dp.ParametricActivation("mish"), dp.Dropout(0.3),
            dp.LayerNorm("selu"), dp.Dense(3, parametrization="ntk"),
        ],
    ),
    "normalized": dp.Network.from_layers(
        5, [dp.LayerNorm(), dp.Dense(6), dp.LayerNorm("gelu"), dp.Dense(2)]
    ),
    "waves of hidden layers": dp.Network.from_layers(
        4, [dp.Dense(5, "silu"), dp.PeriodicEmbedding(2, 3, 1), dp.Dense(2)]
    ),
}  # fmt: skip


def drawn(network, rng, n=7, far=3.0):
    """Return random parameters, rows, and the outputs that the reference has for them."""
    parameters = network.init(rng)
    parameters.flat[:] += 0.1 * rng.normal(size=parameters.flat.size)
    parameters.flat[network.layout.absent] = 0.0
    x = far * rng.normal(size=(n, network.n_in))
    return parameters, x, np.asarray(dp.predict(network, parameters, x, engine="reference"))
