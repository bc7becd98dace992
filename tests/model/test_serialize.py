"""Model files: every bit comes back, and a file that is not intact is refused, never believed."""

import hashlib
import json
import resource
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import deltaprop as dp
from deltaprop.errors import DataError, ModelFileError, OutputError, SettingError
from deltaprop.functional.activations import ACTIVATIONS, Activation, register_activation
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.losses import LOSSES
from deltaprop.model import serialize
from deltaprop.model.layers import Dense, Dropout
from deltaprop.model.serialize import FORMAT, load_model, save_model
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
    "no bias": Network([3, 4, 2], bias=False),
    "one number": Network([1, 1], loss="half_squared_error", bias=False),
    "deep": Network([2] * 40),
}


def random_parameters(network, rng):
    parameters = network.init(rng)
    parameters.flat[:] = rng.normal(size=parameters.flat.size) * 10.0 ** rng.integers(
        -300, 300, size=parameters.flat.size
    )
    return parameters


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


def header_of(content):
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length])


def everything_of(model):
    return (
        model.network, model.parameters.flat.tobytes(), model.table, model.training,
        model.versions, {k: (v.shape, v.dtype, v.tobytes()) for k, v in model.arrays.items()},
    )  # fmt: skip


class TestDamage:
    def test_a_file_cut_off_anywhere_is_refused(self, saved):
        content = saved.read_bytes()
        lengths = {
            *range(40),
            *range(0, len(content), 13),
            *range(len(content) - 40, len(content)),
        }
        for length in sorted(lengths):
            saved.write_bytes(content[:length])
            with pytest.raises(ModelFileError):
                load_model(saved)

    @pytest.mark.parametrize("mask", [0x01, 0x02, 0x20, 0x80, 0xFF])
    def test_a_changed_byte_is_refused_or_changes_nothing(self, saved, mask, rng):
        content = saved.read_bytes()
        before = everything_of(load_model(saved))
        (length,) = struct.unpack("<Q", content[:8])
        places = {*range(60), *rng.integers(len(content), size=150).tolist()}
        places |= {*range(8 + length, len(content), 5)}
        harmless = 0
        for place in sorted(places):
            damaged = bytearray(content)
            damaged[place] ^= mask
            saved.write_bytes(bytes(damaged))
            try:
                model = load_model(saved)
            except ModelFileError:
                continue
            assert everything_of(model) == before, place
            harmless += 1
        assert harmless < len(places) / 4

    def test_every_single_byte_of_the_numbers_is_guarded(self, saved):
        content = saved.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        for place in range(8 + length, len(content)):
            damaged = bytearray(content)
            damaged[place] ^= 0x10
            saved.write_bytes(bytes(damaged))
            with pytest.raises(ModelFileError, match="checksum"):
                load_model(saved)

    def test_one_flipped_bit_does_not_turn_relu_into_selu(self, tmp_path, rng):
        network = Network([2, 2, 2], "relu")
        path = tmp_path / "m"
        save_model(path, network, network.init(rng))
        content = path.read_bytes()
        place = content.index(b"relu")
        assert content.count(b"relu") == 1
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert b"selu" in path.read_bytes()
        with pytest.raises(ModelFileError, match="checksum"):
            load_model(path)

    def test_something_appended_is_refused(self, saved):
        saved.write_bytes(saved.read_bytes() + b"\0")
        with pytest.raises(ModelFileError):
            load_model(saved)


class TestForeignFiles:
    @pytest.mark.parametrize(
        "content",
        [
            b"", b"\0", b"\0" * 100, b"hello world", b"PK\x03\x04" + b"\0" * 60,
            b"\x93NUMPY\x01\x00" + b"\0" * 60, b"\xff" * 64, b"{}", b"\x80\x04\x95" + b"\0" * 40,
            struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 2**62) + b"{}",
            struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 4) + b"null",
        ],
    )  # fmt: skip
    def test_any_other_file_is_refused(self, tmp_path, content):
        (tmp_path / "m").write_bytes(content)
        with pytest.raises(ModelFileError, match=r"expected .*saved by deltaprop"):
            load_model(tmp_path / "m")

    def test_a_safetensors_file_of_another_program_is_named_as_such(self, tmp_path):
        save_file({"weight": np.zeros(3)}, tmp_path / "m", metadata={"format": "pt"})
        with pytest.raises(ModelFileError, match="safetensors file of another program"):
            load_model(tmp_path / "m")

    def test_no_file_and_a_folder_are_told_apart(self, tmp_path):
        with pytest.raises(ModelFileError, match="does not exist"):
            load_model(tmp_path / "absent")
        with pytest.raises(ModelFileError, match="is a folder"):
            load_model(tmp_path)

    def test_a_file_of_a_later_format_says_who_wrote_it(self, saved):
        later = {"format": "deltaprop-model/2", "versions": {"deltaprop": "9.1"}}
        rewrite(saved, lambda facts: facts | later)
        with pytest.raises(ModelFileError, match=r"'deltaprop-model/2', written by deltaprop 9\.1"):
            load_model(saved)


def rewrite(path, change, text=None, tensors=None):
    """Write the file again with another description and a checksum that fits it."""
    content = path.read_bytes()
    facts = json.loads(header_of(content)["__metadata__"]["deltaprop"])
    assert facts.pop("sha256")
    text = json.dumps(change(facts)) if text is None else text
    tensors = load_file(path) if tensors is None else tensors
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(tensors.items()):
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    sealed = f'{{"sha256": "{digest.hexdigest()}", {text[1:]}'
    save_file(tensors, path, metadata={"deltaprop": sealed})


def in_network(**changes):
    return lambda facts: facts | {"network": facts["network"] | changes}


class TestHostileFiles:
    """Whoever writes a checksum that fits may still not bring the reader down."""

    def test_a_rewritten_file_without_changes_is_still_read(self, saved):
        before = everything_of(load_model(saved))
        rewrite(saved, lambda facts: facts)
        assert everything_of(load_model(saved)) == before

    @pytest.mark.parametrize(
        "change",
        [
            in_network(n_in=10**15),
            in_network(n_in=10**400),
            in_network(n_in=-1),
            in_network(n_in=2.0),
            in_network(n_in=None),
            in_network(layers=[{"kind": "dense", "n_out": 10**12}] * 3),
            in_network(layers=[{"kind": "dense", "n_out": 2}] * 5000),
            in_network(layers=[]),
            in_network(layers=None),
            in_network(layers="dense"),
            in_network(layers=[1]),
            in_network(layers=[{}]),
            in_network(layers=[{"kind": ["dense"], "n_out": 2}]),
            in_network(layers=[{"kind": "conv", "n_out": 2}]),
            in_network(layers=[{"kind": "dense", "n_out": 2, "evil": 1}]),
            in_network(layers=[{"kind": "dense", "n_out": 2, "activation": ["tanh"]}]),
            in_network(layers=[{"kind": "dense", "n_out": 2, "bias": "yes"}]),
            in_network(layers=[{"kind": "dropout", "drop_probability": 2}]),
            in_network(loss=["cross_entropy"]),
            in_network(loss=None),
            in_network(l2=10**400),
            in_network(l2="much"),
            in_network(l2=float("inf")),
            in_network(l1=None),
            in_network(label_smoothing={}),
            in_network(label_smoothing=-1),
            lambda facts: facts | {"network": None},
            lambda facts: facts | {"network": [1]},
            lambda facts: {k: v for k, v in facts.items() if k != "network"},
            lambda facts: {k: v for k, v in facts.items() if k != "table"},
            lambda facts: facts | {"table": "text"},
            lambda facts: facts | {"training": None},
            lambda facts: facts | {"versions": []},
            lambda facts: facts | {"format": None},
            lambda facts: facts | {"format": ["deltaprop-model/1"]},
            lambda _: {},
        ],
    )
    def test_an_impossible_description_is_refused(self, saved, change):
        rewrite(saved, change)
        with pytest.raises(ModelFileError) as caught:
            load_model(saved)
        assert str(saved) in str(caught.value)

    def test_gigantic_sizes_allocate_nothing(self, saved):
        rewrite(saved, in_network(n_in=10**9, layers=[{"kind": "dense", "n_out": 10**9}] * 2))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(ModelFileError):
            load_model(saved)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB

    @pytest.mark.parametrize(
        "text",
        ["{" + "[" * 100_000, '{"format":' * 50_000, '{"a": ' + "1" * 10_000 + "}", "{", "{}", ""],
    )
    def test_a_description_that_is_no_description_is_refused(self, saved, text):
        rewrite(saved, None, text=text)
        with pytest.raises(ModelFileError):
            load_model(saved)

    @pytest.mark.parametrize(
        "numbers",
        [np.zeros(16), np.zeros((17, 1)), np.zeros(17, np.float32), np.zeros(17, np.int64), None],
    )
    def test_parameters_of_another_size_or_type_are_refused(self, saved, numbers):
        rewrite(saved, lambda f: f, tensors={} if numbers is None else {"parameters": numbers})
        with pytest.raises(ModelFileError):
            load_model(saved)

    @pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2", "F16", "U8", "XX", "BOOL"])
    def test_tensors_of_a_type_numpy_does_not_know_are_refused(self, saved, dtype):
        content = saved.read_bytes()
        header = header_of(content)
        header["parameters"]["dtype"] = dtype
        text = json.dumps(header).encode()
        (length,) = struct.unpack("<Q", content[:8])
        saved.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
        with pytest.raises(ModelFileError):
            load_model(saved)

    def test_a_file_without_checksum_is_refused(self, saved):
        facts = json.loads(header_of(saved.read_bytes())["__metadata__"]["deltaprop"])
        del facts["sha256"]
        save_file(load_file(saved), saved, metadata={"deltaprop": json.dumps(facts)})
        with pytest.raises(ModelFileError, match="checksum"):
            load_model(saved)


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
