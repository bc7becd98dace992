"""Saved models of Keras, read without Keras: the same outputs, and no file is trusted."""

import io
import json
import os
import warnings
import zipfile

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DeltapropError, MissingExtraError, ModelFileError, SettingError

h5py = pytest.importorskip("h5py")


def of_keras(test):
    """Mark what needs Keras itself, which takes seconds to be imported and warns of much."""
    for mark in (pytest.mark.rest, pytest.mark.filterwarnings("ignore")):
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


def shaken(model, seed=0):
    """Return a model whose weights are no longer those of a new one."""
    rng = np.random.default_rng(seed)
    model.set_weights([
        w + rng.uniform(0.05, 0.5, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w
        for w in model.get_weights()
    ])  # fmt: skip
    return model


def every(k):
    """Return layers of every kind that is read."""
    L = k.layers
    return [
        [L.Dense(3)],
        [L.Dense(5, "relu"), L.Dense(3, "softmax")],
        [L.Dense(5, "tanh", use_bias=False), L.Dense(1, "sigmoid")],
        [L.Normalization(), L.Dense(5), L.BatchNormalization(), L.ReLU(), L.Dropout(0.2),
         L.Dense(6, "gelu"), L.BatchNormalization(scale=False), L.Dense(3, use_bias=False),
         L.BatchNormalization(center=False)],
        [L.Rescaling(1 / 7, -0.5), L.Flatten(), L.Dense(5), L.LayerNormalization(),
         L.Activation("swish"), L.Dense(4, "mish"), L.Dense(3), L.Softmax()],
        [L.Dense(5), L.LeakyReLU(0.01), L.Dense(4), L.ELU(), L.Dense(4), L.PReLU(), L.Identity(),
         L.Dense(2, "exponential")],
        [L.Dense(4, "selu", name="zzz"), L.Dense(4, "softplus", name="aaa"),
         L.Dense(4, "softsign", name="dense_7"), L.Dense(3, "log_softmax", name="dense")],
        [L.Normalization(mean=[1.0, 2, 3, 4], variance=[2.0, 3, 4, 5]), L.Dense(3, "celu"),
         L.Dense(2, "elu")],
    ]  # fmt: skip


def of_layers(k, layers, *, functional):
    if not functional:
        return k.Sequential([k.Input((4,)), *layers])
    first = out = k.Input((4,))
    for layer in layers:
        out = layer(out)
    return k.Model(first, out)


@of_keras
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("functional", [False, True])
def test_every_layer_is_read_as_it_predicts(keras, functional, ending, tmp_path, rng):
    for number, layers in enumerate(every(keras)):
        model = shaken(of_layers(keras, layers, functional=functional), number)
        path = tmp_path / f"{number}.{ending}"
        model.save(path)
        network, parameters = dp.from_keras(path)
        x = rng.normal(size=(9, 4)).astype(np.float32)
        given = keras.ops.convert_to_numpy(model(x, training=False))
        if "log_softmax" in str(model.to_json()):
            given = np.exp(given)
        p = dp.predict(network, parameters, x)
        np.testing.assert_allclose(p, given, rtol=2e-5, atol=1e-6, err_msg=f"{number}")


@of_keras
def test_pictures_are_rows_once_they_are_flat(keras, tmp_path, rng):
    L = keras.layers
    model = shaken(keras.Sequential(
        [keras.Input((3, 2)), L.Rescaling(0.1), L.Flatten(), L.Dense(4, "relu"), L.Dense(2)]
    ))  # fmt: skip
    model.save(tmp_path / "a.keras")
    x = rng.normal(size=(5, 3, 2))
    p = dp.predict(*dp.from_keras(tmp_path / "a.keras"), x.reshape(5, 6))
    np.testing.assert_allclose(p, keras.ops.convert_to_numpy(model(x)), rtol=1e-5, atol=1e-6)


@of_keras
def test_numbers_are_read_to_the_last_bit_and_the_loss_may_be_given(keras, tmp_path):
    model = of_layers(keras, [keras.layers.Dense(5, "relu"), keras.layers.Dense(3)],
                      functional=False)  # fmt: skip
    model.save(tmp_path / "a.keras")
    network, parameters = dp.from_keras(str(tmp_path / "a.keras"), "cross_entropy")
    assert network == dp.Network([4, 5, 3], "relu")
    for ours, theirs in zip(
        (parameters.W[0], parameters.b[0], parameters.W[1], parameters.b[1]), model.get_weights(),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(SettingError, match="No loss is called"):
        dp.from_keras(tmp_path / "a.keras", "msle")


def refused(k):
    L = k.layers
    one, other = k.Input((4,)), k.Input((4,))
    hidden = L.Dense(4, name="hidden")(one)
    shared = L.Dense(4, name="shared")
    return {
        r"'conv1d\w*' \(Conv1D\)": k.Sequential(
            [k.Input((4, 2)), L.Conv1D(2, 2), L.Flatten(), L.Dense(2)]
        ),
        r"\(Add\)|one chain|several": k.Model(one, L.Dense(2)(L.Add()([one, hidden]))),
        "'shared'.*used twice": k.Model(one, shared(shared(one))),
        "inputs|several|Concat": k.Model([one, other], L.Dense(2)(L.Concatenate()([one, other]))),
        r"\(Lambda\)": k.Sequential([k.Input((4,)), L.Lambda(lambda x: x * 2), L.Dense(2)]),
        r"\(Sequential\)": k.Sequential([k.Input((4,)), k.Sequential([L.Dense(3)]), L.Dense(2)]),
        r"'leaky\w*' \(LeakyReLU\).*negative_slope = 0.2": k.Sequential(
            [k.Input((4,)), L.Dense(3), L.LeakyReLU(0.2), L.Dense(2)]
        ),
        "'hard_sigmoid' as Keras": k.Sequential(
            [k.Input((4,)), L.Dense(3, "hard_sigmoid"), L.Dense(2)]
        ),
        "max_value is 6": k.Sequential([k.Input((4,)), L.Dense(3), L.ReLU(6), L.Dense(2)]),
        "row is of shape": k.Sequential([k.Input((3, 4)), L.Dense(2)]),
        "center is False": k.Sequential(
            [k.Input((4,)), L.Dense(3), L.LayerNormalization(center=False), L.Dense(2)]
        ),
        r"\(GaussianNoise\)": k.Sequential([k.Input((4,)), L.GaussianNoise(0.1), L.Dense(2)]),
        r"\(Embedding\)": k.Sequential([k.Input((4,)), L.Embedding(5, 2), L.Flatten(), L.Dense(2)]),
        "end of a network": k.Sequential([k.Input((4,)), L.Dense(3, "softmax"), L.Dense(2)]),
        "no layer follows it": k.Sequential([k.Input((4,)), L.Dense(3), L.Dropout(0.2)]),
    }


@of_keras
def test_what_no_network_is_is_refused_by_the_layer(keras, tmp_path):
    for number, (why, model) in enumerate(refused(keras).items()):
        path = tmp_path / f"{number}.keras"
        model.save(path)
        with pytest.raises(SettingError, match=why):
            dp.from_keras(path)


# files that Keras did not write, made without it

DENSE = {
    "class_name": "Dense", "module": "keras.layers", "registered_name": None,
    "config": {"name": "d", "units": 2, "activation": "linear", "use_bias": True},
}  # fmt: skip
INPUT = {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 3]}}


def model_of(*layers, **more):
    return {"class_name": "Sequential", "config": {"layers": [INPUT, *layers]}, **more}


def written(path, config=None, weights=None, *, text=None, compression=zipfile.ZIP_STORED):
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        (weights or usual)(file)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("config.json", text or json.dumps(config or model_of(DENSE)))
        archive.writestr("model.weights.h5", data.getvalue())
    return path


def usual(file):
    file["layers/dense/vars/0"] = np.ones((3, 2), np.float32)
    file["layers/dense/vars/1"] = np.zeros(2, np.float32)


def test_a_file_made_by_hand_is_read(tmp_path):
    network, parameters = dp.from_keras(written(tmp_path / "a.keras"))
    assert network.sizes == (3, 2)
    assert parameters.flat.sum() == 6

    def as_keras_2(file):
        file["_layer_checkpoint_dependencies/dense/vars/0"] = np.ones((3, 2), np.float32)
        file["_layer_checkpoint_dependencies/dense/vars/1"] = np.zeros(2, np.float32)

    assert dp.from_keras(written(tmp_path / "b.keras", weights=as_keras_2))[0].sizes == (3, 2)


def external(file):
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "x")
    file["layers/dense/vars/1"] = np.zeros(2, np.float32)


def soft(file):
    file["layers/other/vars/0"] = np.ones((3, 2), np.float32)
    file["layers/dense"] = h5py.SoftLink("/layers/other")


def outside(file):
    group = file.create_group("layers/dense/vars")
    group.create_dataset("0", (3, 2), "f4", external=[("/etc/hostname", 0, 24)])


def virtual(file):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (3, 2))
    file.create_group("layers/dense/vars").create_virtual_dataset("0", layout)


def bomb(file):
    file.create_group("layers/dense/vars").create_dataset(
        "0", (10**6, 10**6), "f4", chunks=(1000, 1000), compression="gzip"
    )


def empty(file):
    file.create_group("layers/dense/vars").create_dataset("0", (10**5, 10**5), "f4")


def strings(file):
    file["layers/dense/vars/0"] = np.array([b"x"], dtype=object)


def misshaped(file):
    file["layers/dense/vars/0"] = np.ones((2, 3), np.float32)
    file["layers/dense/vars/1"] = np.zeros(2, np.float32)


def infinite(file):
    file["layers/dense/vars/0"] = np.full((3, 2), np.inf, np.float32)
    file["layers/dense/vars/1"] = np.zeros(2, np.float32)


HOSTILE = {
    **{f.__name__: {"weights": f} for f in
       (external, soft, outside, virtual, bomb, empty, strings, misshaped, infinite)},
    "no numbers": {"weights": lambda file: None},
    "a class of one's own": {
        "config": model_of({**DENSE, "module": "mine", "registered_name": "mine>Dense"})
    },
    "a module to import": {"config": model_of({**DENSE, "module": "os"})},
    "a function": {
        "config": model_of({**DENSE, "config": {**DENSE["config"], "activation": {
            "module": "builtins", "class_name": "function", "config": "system"}}})
    },
    "no JSON": {"text": "{"},
    "deep": {"text": "[" * 100_000},
    "a list": {"text": "[]"},
    "no layers": {"config": {"class_name": "Sequential", "config": {"layers": 3}}},
    "layers of numbers": {"config": {"class_name": "Sequential", "config": {"layers": [3]}}},
    "units of text": {
        "config": model_of({**DENSE, "config": {**DENSE["config"], "units": "2; import os"}})
    },
    "units without end": {
        "config": model_of({**DENSE, "config": {**DENSE["config"], "units": 10**30}})
    },
    "a shape of text": {"config": {"class_name": "Sequential", "config": {"layers": [
        {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": "abc"}}, DENSE]}}},
    "control characters": {
        "config": model_of({"class_name": "X\x1b[2J\n", "config": {"name": "\x1b[31m\ny"}})
    },
    "another model": {"config": {"class_name": "Pickle", "config": {}}},
    "a circle": {"config": {"class_name": "Functional", "config": {
        "layers": [{**DENSE, "inbound_nodes": [[["d", 0, 0, {}]]]}],
        "output_layers": [["d", 0, 0]]}}},
    "dtype": {"config": model_of({**DENSE, "config": {**DENSE["config"], "dtype": {
        "class_name": "DTypePolicy", "config": "float32"}}})},
}  # fmt: skip


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_end_in_one_sentence(made, tmp_path):
    path = written(tmp_path / "a.keras", **made)
    with pytest.raises((ModelFileError, SettingError)) as refusal:
        dp.from_keras(path)
    assert isinstance(refusal.value, DeltapropError)
    assert str(refusal.value).isprintable(), refusal.value
    assert len(str(refusal.value)) < 600


def never_written(file):
    group = file.create_group("layers/dense/vars")
    group.create_dataset("0", (3, 2), "f4")  # says so, and holds nothing
    group["1"] = np.zeros(2, np.float32)


def packed(file):
    group = file.create_group("layers/dense/vars")
    group.create_dataset("0", data=np.ones((3, 2), np.float32), chunks=(3, 2), compression="gzip")
    group["1"] = np.zeros(2, np.float32)


@pytest.mark.parametrize("made", [never_written, packed])
def test_arrays_are_no_larger_than_what_is_stored(made, tmp_path):
    with pytest.raises(ModelFileError, match="not written as Keras writes them"):
        dp.from_keras(written(tmp_path / "a.keras", weights=made))


def test_numbers_of_another_file_are_not_read(tmp_path):
    other = tmp_path / "secret"
    other.write_bytes(np.ones(6, "f4").tobytes())

    def lent(file):
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", (3, 2), "f4", external=[(str(other), 0, 24)])
        group["1"] = np.zeros(2, np.float32)

    def linked(file):
        file["layers/dense/vars/0"] = h5py.ExternalLink(str(tmp_path / "b.h5"), "x")
        file["layers/dense/vars/1"] = np.zeros(2, np.float32)

    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["x"] = np.ones((3, 2), np.float32)
    with pytest.raises(ModelFileError, match="not written as Keras writes them"):
        dp.from_keras(written(tmp_path / "a.keras", weights=lent))
    with pytest.raises(ModelFileError, match="it points elsewhere"):
        dp.from_keras(written(tmp_path / "a.keras", weights=linked))


def test_what_would_become_very_large_is_not_unpacked(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", " " * (15 * 2**20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(ModelFileError, match=r"config.json would become 15,728,640 bytes"):
        dp.from_keras(path)


def test_other_files_are_said_to_be_others(tmp_path, monkeypatch):
    with pytest.raises(ModelFileError, match="There is no file"):
        dp.from_keras(tmp_path / "none.keras")
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(ModelFileError, match=r"neither a .keras nor a .h5"):
        dp.from_keras(tmp_path / "a.txt")
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ModelFileError, match=r"no intact file of Keras.*model.weights.h5"):
        dp.from_keras(tmp_path / "b.keras")
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["x"] = [1.0]
    with pytest.raises(ModelFileError, match="weights alone; save the whole model"):
        dp.from_keras(tmp_path / "c.h5")
    whole = written(tmp_path / "d.keras").read_bytes()
    for cut in (len(whole) // 3, len(whole) // 2, len(whole) - 30):
        (tmp_path / "e.keras").write_bytes(whole[:cut])
        with pytest.raises(ModelFileError):
            dp.from_keras(tmp_path / "e.keras")
    monkeypatch.setattr("deltaprop.interop.keras_files.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"deltaprop\[keras\]"):
        dp.from_keras(tmp_path / "d.keras")


def drawn_layers(k, rng):
    """Return a random chain of what is read."""
    L, layers = k.layers, []
    names = ["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "softplus", "mish", None]
    for _ in range(rng.integers(0, 4)):
        width, function = int(rng.integers(2, 8)), names[rng.integers(len(names))]
        kind = rng.integers(4)
        layers.append(L.Dense(width, function if kind == 0 else None, use_bias=rng.random() < 0.7))
        if kind == 1:
            layers += [L.BatchNormalization(), L.Activation(function or "linear")]
        if kind == 2:
            layers += [L.LayerNormalization(), L.Activation(function or "linear")]
        if kind == 3:
            layers += [L.ReLU(), L.BatchNormalization()]
        if rng.random() < 0.3:
            layers.append(L.Dropout(0.25))
    return [*layers, L.Dense(3, ["softmax", "sigmoid", None, "tanh"][rng.integers(4)])]


@of_keras
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_random_models_are_read_as_they_predict(keras, seed, tmp_path):
    rng = np.random.default_rng(seed)
    functional = bool(seed % 2)
    model = shaken(of_layers(keras, drawn_layers(keras, rng), functional=functional), seed)
    path = tmp_path / ("a.h5" if seed % 3 else "a.keras")
    model.save(path)
    x = rng.normal(size=(9, 4)).astype(np.float32)
    p = dp.predict(*dp.from_keras(path), x)
    given = keras.ops.convert_to_numpy(model(x, training=False))
    np.testing.assert_allclose(p, given, rtol=1e-4, atol=1e-5)
