"""Networks of every kind, with random parameters."""

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.layers import Dense, Dropout
from deltaprop.model.spec import Network

NETWORKS = {
    **{f"activation {name}": Network([3, 4, 2], hidden=name) for name in ACTIVATIONS},
    **{f"loss {name}": Network([3, 2], loss=name) for name in LOSSES},
    **{
        f"initializer {name}": Network.from_layers(2, [Dense(2, initializer=name)])
        for name in INITIALIZERS
    },
    "dropout": Network([3, 5, 5, 2], dropout=0.3),
    "dropout of the inputs": Network.from_layers(3, [Dropout(0.1), Dense(2, bias=False)]),
    "penalties": Network([3, 2], l2=0.1 + 0.2, l1=1e-300, label_smoothing=1 / 3),
    "missing biases": Network.from_layers(
        3, [Dense(4, "relu", bias=[True, False, False, True]), Dense(2, bias=[False, True])]
    ),
    "no bias": Network([3, 4, 2], bias=False),
    "one number": Network([1, 1], loss="half_squared_error", bias=False),
    "deep": Network([2] * 40),
}


def random_parameters(network, rng):
    parameters = network.init(rng)
    parameters.flat[:] = rng.normal(size=parameters.flat.size) * 10.0 ** rng.integers(
        -300, 300, size=parameters.flat.size
    )
    parameters.flat[network.layout.absent] = 0.0
    return parameters
