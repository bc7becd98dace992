"""What tests of the model share: networks of every kind, and one that was saved."""

import numpy as np
import pytest

from deltaprop.model.serialize import save_model
from deltaprop.model.spec import Network


@pytest.fixture
def saved(tmp_path, rng):
    """A small file with every part, what is in it, and its bytes."""
    network = Network([2, 3, 2], "tanh", l2=0.5, dropout=0.25)
    parameters = network.init(rng)
    path = tmp_path / "model.safetensors"
    save_model(
        path, network, parameters,
        table={"columns": ["a", "ü", "\U0001f600"], "scale": 0.1},
        training={"epochs": 3, "note": None},
        arrays={"m": rng.normal(size=(2, 3)), "t": np.array(7), "empty": np.empty((0, 4))},
    )  # fmt: skip
    return path
