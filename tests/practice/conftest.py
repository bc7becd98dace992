"""Workings made up by chance: right ones, and ones with a single mistake in them."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from deltaprop.checking.rules import RIGHT, work_step
from deltaprop.functional.losses import LOSSES, sample_shares
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.model.layers import Dense
from deltaprop.model.spec import Network

HIDDEN = ["sigmoid", "tanh", "relu", "identity", "softplus", "leaky_relu"]


def random_example(rng, loss=None, depth=None):
    """Return a worked example without claims: depth 1 to 4, with tidy numbers."""
    depth = int(rng.integers(1, 5)) if depth is None else depth
    loss = str(rng.choice(list(LOSSES))) if loss is None else loss
    one = 1 if LOSSES[loss].targets == "distribution" else 0
    sizes = [*rng.integers(1, 4, size=depth), int(rng.integers(1 + one, 4))]
    bias, n = bool(rng.random() < 0.7), int(rng.integers(1, 4))
    layers = []
    for below, width in pairwise(sizes):
        layer = {"W": np.round(rng.normal(scale=0.8, size=(below, width)), 2).tolist()}
        if bias:
            layer["b"] = np.round(rng.normal(scale=0.5, size=width), 2).tolist()
        layers.append(layer | {"activation": str(rng.choice(HIDDEN))})
    layers[-1].pop("activation")
    return {
        "layers": layers,
        "loss": loss,
        "loss_reduction": str(rng.choice(["mean", "mean", "sum"])),
        "x": np.round(rng.normal(size=(n, sizes[0])), 2).tolist(),
        "targets": targets(rng, LOSSES[loss].targets, n, sizes[-1]),
        "learning_rate": float(rng.choice([0.05, 0.1, 0.3, 0.5])),
        "l2": float(rng.choice([0, 0, 0.1])),
    }


def targets(rng, kind, n, k):
    if kind == "distribution":
        return np.eye(k)[rng.integers(0, k, n)].tolist()
    if kind == "unit":
        return rng.integers(0, 2, (n, k)).astype(float).tolist()
    if kind == "count":
        return rng.integers(0, 4, (n, k)).astype(float).tolist()
    return np.round(rng.normal(size=(n, k)), 1).tolist()


def parts(example):
    layers = example["layers"]
    dense = [Dense(len(layer["W"][0]), layer.get("activation"), "b" in layer) for layer in layers]
    network = Network.from_layers(
        len(layers[0]["W"]), dense, example["loss"], l2=example["l2"]
    )  # fmt: skip
    parameters = network.parameters(
        [layer["W"] for layer in layers], [layer.get("b") for layer in layers]
    )
    return network, parameters


def quantities(example, rules=RIGHT):
    """Return every number of a full step by the given rules, from the model's own mutants."""
    network, parameters = parts(example)
    x, t = np.array(example["x"]), np.array(example["targets"])
    more = {
        "learning_rate": example["learning_rate"],
        "shares": sample_shares(len(x), reduction=example["loss_reduction"]),
    }
    with np.errstate(all="ignore"):
        w = work_step(rules, network, parameters, x, t, **more)
        again = work_step(rules, network, w.after, x, t, **more)
    found = {"loss": np.array(w.loss), "loss.after": np.array(again.loss)}
    for i in range(len(w.z)):
        found |= {f"z.{i + 1}": w.z[i], f"a.{i + 1}": w.a[i + 1], f"delta.{i + 1}": w.delta[i]}
        found |= {f"z.{i + 1}.after": again.z[i], f"a.{i + 1}.after": again.a[i + 1]}
        for name in w.gradients.layers[i]:
            found[f"d{name}.{i + 1}"] = w.gradients.layers[i][name]
            found[f"{name}.{i + 1}.after"] = w.after.layers[i][name]
    return found


def rounded(value, digits):
    return f"{value:#.{digits}g}"


def cut_off(value, digits):
    """Write a decimal number with so many digits, the rest cut off."""
    text = f"{Decimal(f'{value:.13g}'):.{digits + 12}e}"
    mantissa, exponent = text.split("e")
    places = digits + 1 + mantissa.startswith("-")
    return f"{mantissa[:places]}e{exponent}"


def short(value, digits):
    """Write a number as a program prints it: no zeros at the end."""
    return float(f"{value:.{digits}g}")


WRITERS = {"rounded": rounded, "cut off": cut_off, "short": short}


def written(array, digits, how="rounded"):
    if np.ndim(array):
        return [written(part, digits, how) for part in array]
    value = float(array)
    return WRITERS[how](value, digits) if np.isfinite(value) else None  # nobody writes NaN


class Workings:
    """What the tests need to make up workings."""

    random_example = staticmethod(random_example)
    quantities = staticmethod(quantities)
    written = staticmethod(written)
    writers = tuple(WRITERS)
    outputs = OUTPUTS

    @staticmethod
    def claims(found, digits, how="rounded"):
        return {key: written(array, digits, how) for key, array in found.items()}

    @staticmethod
    def finite(found):
        return all(np.isfinite(array).all() for array in found.values())


@pytest.fixture(scope="session")
def workings():
    return Workings
