"""The files of claims, in the format of spec/interface.md: every claim gets its verdict."""

import json

import numpy as np
import pytest

from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.rules import work_step
from deltaprop.functional.activations import sigmoid
from deltaprop.functional.losses import LOSSES
from deltaprop.model.spec import Network
from helpers.worked_examples import Example, exactly, numbers

# ---- the claims files: the format of spec/interface.md

CLAIMS = [
    "generation5_xor_2_2_1", "han_kamber_3_2_1", "hmkcode_linear_2_2_1", "mazur_2015",
    "prakash_jay_relu_sigmoid_softmax_corrected", "prakash_jay_relu_sigmoid_softmax_original",
    "tutorial",
]  # fmt: skip


def test_every_file_of_claims_is_tested(shared):
    folder = shared / "worked_examples" / "claims"
    assert sorted(path.stem for path in folder.glob("*.json")) == CLAIMS


@pytest.fixture(params=CLAIMS)
def claims(request, shared):
    path = shared / "worked_examples" / "claims" / f"{request.param}.json"
    # parse_float keeps the digits a number was written with
    return json.loads(path.read_text(encoding="utf-8"), parse_float=str, parse_int=str)


def described(claims):
    layers = claims["layers"]
    bias = "b" in layers[0] and layers[0]["b"] is not None
    network = Network(
        [len(layers[0]["W"]), *(len(layer["W"][0]) for layer in layers)],
        [layer["activation"] for layer in layers[:-1]], claims["loss"], bias,
        l2=float(claims.get("l2", 0)),
    )  # fmt: skip
    return Example(
        network,
        network.parameters(
            [numbers(layer["W"]) for layer in layers],
            [numbers(layer["b"]) for layer in layers] if bias else None,
        ),
        np.array(numbers(claims["x"])), np.array(numbers(claims["targets"])),
        learning_rate=float(claims["learning_rate"]),
        reduction=claims.get("loss_reduction", "mean"),
        train_biases=claims.get("train_biases", True),
    )  # fmt: skip


def look_up(quantity, trace, after, again):
    """Return what the library has under an id such as "dW.2", "W.1.after" or "loss"."""
    name, *rest = quantity.split(".")
    later = rest[-1:] == ["after"]
    run = again if later else trace
    if name == "loss":
        return np.asarray(run.loss)
    layer = int(rest[0]) - 1
    if name in ("W", "b"):
        return getattr(after if later else trace.parameters, name)[layer]
    if name in ("dW", "db"):
        return getattr(run.gradients, name[1])[layer]
    return {"z": run.z, "a": run.a[1:], "delta": run.delta}[name][layer]


def agrees(claim, value):
    """Compare each number at the precision it is written with, one unit of its last place."""
    if isinstance(claim, list):
        assert len(claim) == len(value)
        return all(agrees(c, v) for c, v in zip(claim, value, strict=True))
    if claim is None:
        return True
    unit = 10.0 ** -len(claim.partition(".")[2])
    return abs(float(claim) - float(value)) <= unit * (1 + 1e-9)


def test_every_claim_gets_the_verdict_expected_of_it(claims):
    e = described(claims)
    wrong = {c for c, v in claims["expected"].items() if v["verdict"] == "wrong"}
    found = {
        quantity
        for quantity, claim in claims["claims"].items()
        if not agrees(claim, look_up(quantity, e.trace, e.after, e.again))
    }
    assert found == wrong


def test_a_wrong_claim_is_what_the_named_mistake_gives(claims):
    e = described(claims)
    for quantity, verdict in claims["expected"].items():
        if verdict["verdict"] != "wrong" or verdict["mistake"] not in MISTAKES:
            continue
        mistake = MISTAKES[verdict["mistake"]]
        assert mistake.applies(e.network)
        working = work_step(
            mistake.variants[0], e.network, e.before, e.x, e.targets,
            learning_rate=e.learning_rate, shares=e.trace.shares,
        )  # fmt: skip
        after = e.step(e.before, working.gradients.flat)
        value = look_up(quantity, working, after, e.run(after))
        claim = np.array(numbers(claims["claims"][quantity]))
        # Mazur prints nine digits of an exact number, Prakash Jay four of one rounded on the way
        np.testing.assert_allclose(value, claim, rtol=0, atol=6e-10 if claim.ndim == 0 else 2e-4)


def test_the_tutorials_claims_are_exact_but_for_the_two_numbers_rounded_to_four_places(shared):
    path = shared / "worked_examples" / "claims" / "tutorial.json"
    claims = json.loads(path.read_text(encoding="utf-8"))
    e = described(claims)
    rounded = {"a.2.after", "loss.after"}
    for quantity, claim in claims["claims"].items():
        value = look_up(quantity, e.trace, e.after, e.again)
        exactly(np.round(value, 4) if quantity in rounded else value, claim, 1e-14)


def test_sigmoid_outputs_of_the_examples_are_the_librarys_sigmoid(examples):
    for name in ("mazur_2015", "victorzhou_2_2_1", "negnevitsky_xor_2_2_1"):
        trace = examples[name].trace
        np.testing.assert_array_equal(trace.a[-1], sigmoid(trace.z[-1]))
        assert LOSSES[trace.network.loss_name].output == "sigmoid"
