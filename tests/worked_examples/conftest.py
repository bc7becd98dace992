"""The files of published calculations, and the examples they describe."""

import json

import pytest

from helpers.worked_examples import NETWORKS, example


@pytest.fixture(scope="module")
def load(shared):
    def read(name):
        path = shared / "worked_examples" / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="module")
def examples(load):
    return {name: example(load(name)["spec"]) for name in NETWORKS}
