"""Where an optimizer is expected: its name, its class or anything else gets what to write."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError

NETWORK = dp.Network([2, 2])
GIVEN = (NETWORK, NETWORK.init(np.random.default_rng(0)), np.eye(2), [0, 1])
WAYS = {
    "train": lambda optimizer: dp.train(*GIVEN, optimizer=optimizer, epochs=1),
    "explain": lambda optimizer: dp.explain(*GIVEN, optimizer=optimizer),
    "estimator": lambda optimizer: dp.MLPClassifier(optimizer=optimizer).fit(*GIVEN[2:]),
}


@pytest.mark.parametrize("way", ["train", "explain"])
@pytest.mark.parametrize(
    ("given", "meant"),
    [("adam", "Adam"), ("SGD", "GradientDescent"), ("adamw", "AdamW"), ("rms_prop", "RMSProp"),
     ("gradient descent", "GradientDescent"), ("momentun", "Momentum"), ("best", "Adam"),
     (dp.RMSProp, "RMSProp"), ({"name": "adam"}, "Adam"), (0.1, "Adam")],
)  # fmt: skip
def test_the_sentence_says_what_to_write(way, given, meant):
    with pytest.raises(SettingError) as told:
        WAYS[way](given)
    call = str(told.value).partition("such as optimizer=")[2].removesuffix(".")
    assert type(eval(call, {"deltaprop": dp})).__name__ == meant


def test_an_estimator_takes_names_but_no_classes():
    with pytest.raises(SettingError, match=r"optimizer=deltaprop\.Adam"):
        WAYS["estimator"](dp.Adam)
