"""Files that earlier versions wrote are opened, and what is in them predicts what it did."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import deltaprop as dp
from deltaprop.model.serialize import SavedModel, load_model

_SPEC = importlib.util.spec_from_file_location(
    "make_models", Path(__file__).parents[1] / "fixtures" / "make_models.py"
)
make_models = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_models)

FOLDERS = sorted(make_models.HERE.glob("models-*"))
WRITTEN = {
    folder: json.loads((folder / "predictions.json").read_text("utf-8")) for folder in FOLDERS
}
FILES = [
    pytest.param(folder, name, id=f"{folder.name}: {name}")
    for folder, facts in WRITTEN.items()
    for name in facts["says"]
]


def assert_same(name, now, then):
    """Compare digits: kernels may round elsewhere than they did, on another machine or later.

    Models of tables were still asked in float64 when these files were written.
    """
    if isinstance(then[0], str | bool):
        assert now == then
    elif name.startswith(("table ", "mlp fast", "mlp best", "mlp float32")):
        np.testing.assert_allclose(now, then, rtol=1e-6, atol=1e-6)
    else:
        np.testing.assert_allclose(now, then, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("folder", "name"), FILES)
def test_it_is_opened_and_says_the_same(folder, name, tmp_path):
    says = dict(WRITTEN[folder]["says"][name])
    file = folder / make_models.file_name(name)
    if name.startswith("run "):
        copy = tmp_path / "checkpoint"
        copy.write_bytes(file.read_bytes())
        now = make_models.continued(name, copy, resume=True)
    elif name.startswith("network "):
        saved = dp.load(file)
        assert isinstance(saved, SavedModel)
        assert saved.network == make_models.NETWORKS[name.removeprefix("network ")]
        now = make_models.answers_of_network(saved.network, saved.parameters)
    else:
        model, rows = dp.load(file), says.pop("rows")
        now = make_models.answers_of(
            model, (make_models.frame_of if name.startswith("mlp ") else make_models.rows_of)(rows)
        )
    assert now.keys() == says.keys()
    for key, then in says.items():
        assert_same(name, now[key], then)


@pytest.mark.parametrize(("folder", "name"), FILES)
def test_its_numbers_come_back_to_the_bit(folder, name):
    file = folder / make_models.file_name(name)
    stored = load_file(file)
    saved = load_model(file)
    assert saved.parameters.flat.tobytes() == stored.pop("parameters").tobytes()
    assert {k: a.tobytes() for k, a in saved.arrays.items()} == {
        k: a.tobytes() for k, a in stored.items()
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_file_is_left_out(folder):
    known = {make_models.file_name(name) for name in WRITTEN[folder]["says"]}
    assert {file.name for file in folder.iterdir()} == known | {"predictions.json"}


def test_the_last_version_has_its_files():
    assert any(folder.name == f"models-{dp.__version__}" for folder in FOLDERS)
