"""A worked example in which most conventions make a difference."""

from deltaprop.functional.losses import LOSSES

TARGETS = {"real": [[1.5, -0.25], [0.5, 2], [0.25, 1]], "unit": [[0.25, 1], [0, 1], [1, 0.5]],
           "count": [[2, 0], [1, 3], [0, 1]], "distribution": [[1, 0], [0, 1], [1, 0]]}  # fmt: skip


def example(loss="half_squared_error", activation="tanh", n=3, bias=True, **others):
    layers = [
        {"W": [[0.5, -0.25, 1.0], [0.75, 0.5, -0.5]], "b": [0.1, -0.2, 0.3]},
        {"W": [[1.0, -0.5], [0.25, 0.75], [-0.5, 0.5]], "b": [0.2, -0.1]},
    ]
    layers[0]["activation"] = activation
    for layer in layers if not bias else ():
        layer.pop("b")
    x = [[1.0, 0.5], [-0.5, 0.25], [0.75, -1.0]][:n]
    targets = TARGETS[LOSSES[loss].targets][:n]
    return {"layers": layers, "loss": loss, "x": x, "targets": targets, "learning_rate": 0.5,
            **others}  # fmt: skip
