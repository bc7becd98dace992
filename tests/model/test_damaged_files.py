"""Files that are damaged, foreign or hostile are refused, each with its reason."""

import json
import resource
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from deltaprop.errors import ModelFileError
from deltaprop.model.serialize import load_model, save_model
from deltaprop.model.spec import Network
from helpers.model_files import everything_of, header_of, in_network, rewrite


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
    @pytest.mark.one_in(2)
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
