"""Model files: every bit comes back, and a file that is not intact is refused, never believed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

import deltaprop as dp
from deltaprop.errors import DataError, ModelFileError, OutputError, SettingError
from deltaprop.functional.activations import ACTIVATIONS, Activation, register_activation
from deltaprop.functional.losses import LOSSES, huber
from deltaprop.model import serialize
from deltaprop.model.layers import Dense, LayerNorm, ParametricActivation
from deltaprop.model.serialize import FORMAT, load_model, save_model
from deltaprop.model.spec import Network
from helpers.model_files import everything_of, header_of, rewrite
from helpers.networks import NETWORKS, random_parameters


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_every_bit_comes_back(tmp_path, rng, network):
    parameters = random_parameters(network, rng)
    parameters.flat[0] = -0.0
    dp.save(tmp_path / "m", network, parameters)
    model = load_model(tmp_path / "m")
    assert model.network == network
    assert model.parameters.layout == network.layout
    assert model.parameters.flat.tobytes() == parameters.flat.tobytes()
    assert model.parameters.flat.dtype == np.float64


def test_not_even_special_numbers_change(tmp_path):
    network = Network([2, 2], bias=False)
    parameters = network.parameters([[[5e-324, -0.0], [-2.2e-308, 1.7976931348623157e308]]])
    save_model(tmp_path / "m", network, parameters)
    assert load_model(tmp_path / "m").parameters.flat.tobytes() == parameters.flat.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("name", "place"),
    [("parameters", r"W\.1\[1,2\]"), ("optimizer.m", r"W\.1\[1,2\]"), ("limits", "3")],
)
def test_numbers_that_are_not_finite_are_neither_saved_nor_loaded(saved, name, place, value):
    model = load_model(saved)
    flat, arrays = model.parameters.flat, {"limits": np.zeros((2, 3)), "optimizer.m": np.zeros(17)}
    {"parameters": flat, **arrays}[name].flat[5 if "W" in place else 2] = value
    says = rf"its {name} are not finite.* {place} is {value}"
    before = saved.read_bytes()
    with pytest.raises(DataError, match=says):
        save_model(saved, model.network, model.parameters, arrays=arrays)
    assert saved.read_bytes() == before
    rewrite(saved, lambda facts: facts, tensors={"parameters": flat, **arrays})
    with pytest.raises(ModelFileError, match=says):
        load_model(saved)


def test_what_was_put_beside_the_numbers_comes_back(saved):
    model = load_model(saved)
    assert model.table == {"columns": ["a", "ü", "\U0001f600"], "scale": 0.1}
    assert model.training == {"epochs": 3, "note": None}
    assert {name: array.shape for name, array in model.arrays.items()} == {
        "m": (2, 3), "t": (), "empty": (0, 4),
    }  # fmt: skip
    assert model.arrays["t"] == 7


def test_an_array_comes_back_whatever_its_order_in_memory(tmp_path, rng):
    network = Network([2, 2])
    matrix = np.asfortranarray(rng.normal(size=(3, 5)))
    save_model(
        tmp_path / "m", network, network.init(rng), arrays={"f": matrix, "s": matrix[::2, 1:]}
    )
    arrays = load_model(tmp_path / "m").arrays
    np.testing.assert_array_equal(arrays["f"], matrix)
    np.testing.assert_array_equal(arrays["s"], matrix[::2, 1:])


def test_parameters_that_are_a_view_are_saved_as_they_look(tmp_path, rng):
    network = Network([2, 2])
    own = rng.normal(size=(6, 2))
    parameters = network.init(rng).like(own[:, 0])
    save_model(tmp_path / "m", network, parameters)
    np.testing.assert_array_equal(load_model(tmp_path / "m").parameters.flat, own[:, 0])


def test_loaded_parameters_can_be_trained(saved):
    model = load_model(saved)
    before = model.parameters.flat.copy()
    dp.train(model.network, model.parameters, [[1.0, 2.0]], [1], epochs=1)
    assert (model.parameters.flat != before).any()
    assert model.parameters.W[0].base is not None
    np.testing.assert_array_equal(
        np.concatenate([a.ravel() for layer in model.parameters.layers for a in layer.values()]),
        model.parameters.flat,
    )


def test_the_same_model_gives_the_same_bytes(tmp_path, rng):
    network = Network([3, 2])
    parameters = network.init(rng)
    for name in ("a", "b"):
        save_model(tmp_path / name, network, parameters, training={"epochs": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_names_the_versions_that_wrote_it(saved):
    versions = load_model(saved).versions
    assert versions["deltaprop"] == dp.__version__
    assert versions["numpy"] == np.__version__
    assert set(versions) == {"deltaprop", "numpy", "python"}


def test_plain_safetensors_reads_the_numbers(saved):
    tensors = load_file(saved)
    np.testing.assert_array_equal(tensors["parameters"], load_model(saved).parameters.flat)


def test_the_description_is_json_that_anybody_can_read(saved):
    facts = header_of(saved.read_bytes())["__metadata__"]
    assert json.loads(facts["deltaprop"])["format"] == FORMAT


class TestOwnActivations:
    @pytest.fixture
    def bent(self):
        row = Activation(
            "bent", lambda z: z + np.tanh(z), lambda z, a: 2 - np.tanh(z) ** 2, ("", ""), "mine"
        )
        register_activation(row)
        yield row
        ACTIVATIONS._rows.pop("bent", None)

    def test_a_network_with_an_own_activation_is_loaded_where_it_is_registered(
        self, tmp_path, rng, bent
    ):
        network = Network([2, 3, 1], "bent", "half_squared_error")
        parameters = network.init(rng)
        save_model(tmp_path / "m", network, parameters)
        model = load_model(tmp_path / "m")
        assert model.network == network
        x = rng.normal(size=(4, 2))
        np.testing.assert_array_equal(
            dp.predict(model.network, model.parameters, x), dp.predict(network, parameters, x)
        )

    def test_where_it_is_not_registered_the_error_says_to_register_it(self, tmp_path, rng, bent):
        network = Network([2, 3, 1], "bent", "half_squared_error")
        save_model(tmp_path / "m", network, network.init(rng))
        del ACTIVATIONS._rows["bent"]
        with pytest.raises(ModelFileError, match=r"No activation is called 'bent'.*register it"):
            load_model(tmp_path / "m")


def test_what_json_cannot_hold_is_refused_before_anything_is_written(tmp_path, rng):
    network = Network([2, 2])
    for facts in ({"loss": float("nan")}, {"rule": print}, {("a", 1): 2}, {"x": 1j}):
        with pytest.raises(SettingError, match="no plain data for JSON"):
            save_model(tmp_path / "m", network, network.init(rng), training=facts)
    assert list(tmp_path.iterdir()) == []


def test_what_numpy_has_in_place_of_plain_data_is_written_as_such(tmp_path, rng):
    network = Network([2, 2])
    facts = {"n": np.int64(3), "x": np.float32(0.5), "yes": np.True_, "all": np.arange(3)}
    save_model(tmp_path / "m", network, network.init(rng), training=facts)
    assert load_model(tmp_path / "m").training == {"n": 3, "x": 0.5, "yes": True, "all": [0, 1, 2]}


class TestReadingBeforeWriting:
    """A file that could not be opened again is not written, and the one before it stays."""

    def test_what_makes_something_of_it_is_asked_first(self, saved):
        model, before = load_model(saved), saved.read_bytes()

        def restore(read):
            assert everything_of(read)[:2] == everything_of(model)[:2]
            raise DataError("it has two edges; expected three")

        with pytest.raises(OutputError, match=r"two edges.*mistake in deltaprop.*untouched"):
            save_model(saved, model.network, model.parameters, restore=restore)
        assert saved.read_bytes() == before

    @pytest.mark.parametrize("wrong", ["network", "numbers"])
    def test_a_writer_that_disagrees_with_the_reader_is_noticed(self, saved, monkeypatch, wrong):
        model, before = load_model(saved), saved.read_bytes()
        if wrong == "network":
            other = serialize.network_to_dict(Network([2, 3, 2], "relu"))
            monkeypatch.setattr(serialize, "network_to_dict", lambda _: other)
        else:
            assemble = serialize._assemble

            def changed(facts, tensors):
                read = assemble(facts, tensors)
                read.parameters.flat[3] += 1e-9
                return read

            monkeypatch.setattr(serialize, "_assemble", changed)
        with pytest.raises(OutputError, match=r"its (network|parameters) would be .*mistake in"):
            save_model(saved, model.network, model.parameters)
        assert saved.read_bytes() == before

    def test_a_name_that_nobody_could_read_again_is_told(self, tmp_path, rng):
        network = Network([2, 2])
        table = {"columns": ["a", {"kind": "x" * 300_000}]}
        with pytest.raises(OutputError, match=r"'xxx.*has 300,000 characters.*up to 200,000"):
            save_model(tmp_path / "m", network, network.init(rng), table=table)
        assert list(tmp_path.iterdir()) == []

    def test_a_description_beyond_what_the_format_holds_is_told(self, tmp_path, rng):
        network = Network([2, 2])
        table = {"columns": ["x" * 10**5] * 1000}
        with pytest.raises(OutputError, match=r"description .* takes 100 MB.*Leave out columns"):
            save_model(tmp_path / "m", network, network.init(rng), table=table)


@pytest.mark.rest
@given(one=st.floats(0.05, 50), other=st.floats(0.05, 50))
def test_a_loss_that_is_another_function_under_its_name_is_refused(tmp_path_factory, one, other):
    path, known = tmp_path_factory.mktemp("own") / "m.safetensors", dict(LOSSES._rows)
    try:
        LOSSES.register(huber(one, "own"), replace=True)
        network = Network([1, 1], loss="own")
        save_model(path, network, network.init(np.random.default_rng(0)))
        load_model(path)
        LOSSES.register(huber(other, "own"), replace=True)
        if abs(one - other) > 1e-6 * one:
            with pytest.raises(ModelFileError, match="another loss own"):
                load_model(path)
    finally:
        LOSSES._rows.clear()
        LOSSES._rows.update(known)


@pytest.mark.parametrize("layer", [Dense, ParametricActivation, LayerNorm])
def test_an_activation_that_is_another_function_is_refused(tmp_path, monkeypatch, layer):
    row = Activation("own", np.sin, lambda z, a: np.cos(z), ("", ""), "a wave")
    monkeypatch.setattr(ACTIVATIONS, "_rows", {**ACTIVATIONS._rows, "own": row})
    own = layer(2, "own") if layer is Dense else layer("own")
    network = Network.from_layers(2, [Dense(2), own, Dense(1)], "half_squared_error")
    save_model(tmp_path / "m", network, network.init(np.random.default_rng(0)))
    load_model(tmp_path / "m")
    ACTIVATIONS._rows["own"] = replace(row, f=np.cos, f_prime=lambda z, a: -np.sin(z))
    with pytest.raises(ModelFileError, match="another activation own"):
        load_model(tmp_path / "m")
