"""Damaged, foreign and hostile models and worked examples: refused, and nothing in them is run.

The properties are those of ``refused`` in conftest.py.
"""

# ruff: noqa: E501 - a case is a line, so that the cases can be compared

import gzip
import json
import pickle
import struct

import numpy as np
import pytest
from safetensors.numpy import load, save

from deltaprop.model import sealed

PREDICT = "predict bad.safetensors flowers.csv --out answers.csv"


def changed(change, model="kinds.safetensors"):
    """Return a maker of a model file whose bytes were changed."""
    return lambda folder: bytes(change(bytearray((folder / model).read_bytes())))


def flipped(place):
    """Return a maker of a model file with one bit flipped, at a share of its length."""

    def change(content):
        content[int(place * (len(content) - 1))] ^= 4
        return content

    return changed(change)


def read(folder, model="kinds.safetensors"):
    """Return the description in a model file, and its tensors."""
    saved = (folder / model).read_bytes()
    (size,) = struct.unpack("<Q", saved[:8])
    facts = json.loads(json.loads(saved[8 : 8 + size])["__metadata__"]["deltaprop"])
    facts.pop("sha256", None)
    return facts, load(saved)


def described(change=None, text=None):
    """Return a maker of a model whose description lies, with a checksum that fits the lie."""

    def make(folder):
        facts, tensors = read(folder)
        if change is not None:
            change(facts)
        said = json.dumps(facts) if text is None else text
        if said.startswith('{"'):
            said = sealed.seal(said, tensors)
        return save(tensors, metadata={"deltaprop": said})

    return make


def put(value, *path):
    """Return a description in which the entry at ``path`` is ``value``."""

    def change(facts):
        for key in path[:-1]:
            facts = facts[key]
        facts[path[-1]] = value

    return described(change)


def entry(value, *path):
    """As ``put``, for one value spliced into the text: what json.dumps would not write."""

    def make(folder):
        facts, _ = read(folder)
        at = facts
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = "HERE"
        return described(text=json.dumps(facts).replace('"HERE"', value))(folder)

    return make


def numbered(value):
    """Return a maker of a model whose first weight is another, with a checksum that fits."""

    def make(folder):
        facts, tensors = read(folder)
        flat = tensors["parameters"].copy()
        flat[0] = value
        tensors["parameters"] = flat
        said = sealed.seal(json.dumps(facts), tensors)
        return save(tensors, metadata={"deltaprop": said})

    return make


class Bomb:
    def __reduce__(self):
        return (open, ("exploded", "w"))


FOREIGN = save({"weight": np.zeros((2, 2), dtype=np.float32)}, metadata={"format": "pt"})
HEADER = struct.pack("<Q", 1 << 62)

# name: (content of bad.safetensors, what the paragraph says)
MODELS = {
    "empty": (b"", ["no intact model file", "expected"]),
    "a text file": ("height,width\n1,2\n", ["no intact model file", "something else"]),
    "a pickle": (pickle.dumps(Bomb()), ["no intact model file", "something else"]),
    "a gzipped model": (lambda folder: gzip.compress((folder / "kinds.safetensors").read_bytes(), mtime=0), ["no intact model file"]),
    "of another program": (FOREIGN, ["safetensors file of another program", "expected one saved by deltaprop"]),
    "cut off in the numbers": (changed(lambda c: c[:-9]), ["no intact model file", "cut off"]),
    "cut off in the description": (changed(lambda c: c[:300]), ["no intact model file", "cut off"]),
    "cut off after four bytes": (changed(lambda c: c[:4]), ["no intact model file", "cut off"]),
    "too long": (changed(lambda c: c + b"more"), ["no intact model file"]),
    "a header of 4 exabytes": (HEADER + b"{}", ["no intact model file"]),
    "a bit of its length": (flipped(0), []),
    "a bit of the description": (flipped(0.3), []),
    "a bit of the numbers": (flipped(0.99), ["checksum"]),
    "the last bit": (flipped(1), ["checksum"]),
    "of a later format": (put("deltaprop-model/7", "format"), ["'deltaprop-model/7'", "which reads 'deltaprop-model/1'", "Use the version that wrote it"]),
    "without a format": (described(text="{}"), ["its description has no format"]),
    "a list for a description": (described(text="[]"), ["its description has no format"]),
    "no JSON": (described(text="{"), ["its description cannot be read"]),
    "nested 100,000 deep": (described(text="[" * 100_000), ["its description cannot be read"]),
    "a number of 100,000 digits": (described(text="9" * 100_000), ["its description cannot be read"]),
    "NaN for a penalty": (entry("NaN", "network", "l2"), ["l2"]),
    "infinity for a width": (entry("1e999", "network", "layers", 0, "n_out"), []),
    "a gigantic network": (put(10**15, "network", "n_in"), ["parameters"]),
    "a number of inputs of 1,000 digits": (entry("9" * 1000, "network", "n_in"), ["Fetch it again"]),
    "a negative width": (put(-4, "network", "layers", 0, "n_out"), []),
    "a width in words": (put("four", "network", "layers", 0, "n_out"), []),
    "no layers": (put([], "network", "layers"), []),
    "layers in a mapping": (put({}, "network", "layers"), []),
    "an unknown kind of layer": (put("convolution", "network", "layers", 0, "kind"), ["'convolution'"]),
    "an unknown activation": (put("sigmod", "network", "layers", 1, "activation"), ["'sigmod'"]),
    "a list for an activation": (put(["tanh"], "network", "layers", 0, "activation"), []),
    "a loss that is code": (put("__import__('os').system('touch exploded')", "network", "loss"), []),
    "no network": (described(lambda facts: facts.pop("network")), ["network"]),
    "a table of another network": (lambda folder: put(read(folder, "petals.safetensors")[0]["table"], "table")(folder), ["does not fit"]),
    "a table that is a list": (put([1], "table"), []),
    "a table without inputs": (put({}, "table"), ["inputs"]),
    "inputs and target mixed up": (described(lambda facts: facts["table"].update(inputs=facts["table"]["target"])), ["mixed up"]),
    "columns in words": (put("height", "table", "inputs", "columns"), []),
    "a column without facts": (put([{}], "table", "inputs", "columns"), []),
    "classes that are numbers": (put([1, 2, 3], "table", "target", "classes"), []),
    "a single class": (put(["aster"], "table", "target", "classes"), []),
    "NaN for a weight": (numbered(np.nan), ["parameters are not finite", "s.1[0] is nan"]),
    "infinity for a weight": (numbered(-np.inf), ["parameters are not finite", "s.1[0] is -inf"]),
    "a class of three million letters": (put(["aster", "iris", "x" * 3_000_000], "table", "target", "classes"), ["classes[2]", "at most 200,000"]),
    "a loss of numbers": (described(lambda facts: facts["network"].update(loss="half_squared_error", label_smoothing=0.0)), ["its loss is half_squared_error", "classification"]),
    "no recipe": (described(lambda facts: facts["training"].pop("recipe")), ["recipe"]),
    "a recipe that is unheard of": (put({"hidden": [4], "magic": 1}, "training", "recipe"), ["magic"]),
    "no history": (put(None, "training", "history"), []),
    "the wrong types of history": (put({"loss": "low"}, "training", "history"), []),
}  # fmt: skip

COMMANDS = {
    "a model that is missing": ("predict kinds.safetensor flowers.csv", ["kinds.safetensor does not exist", "Did you mean 'kinds.safetensors'"]),
    "a folder as a model": ("predict d flowers.csv", ["d is a folder", "expected a model file"]),
    "model and data the wrong way round": ("predict flowers.csv kinds.safetensors", ["flowers.csv is no intact model file"]),
    "a model with a name too long": ("evaluate " + "m" * 300 + " flowers.csv", ["too long"]),
    "a table to explain": ("explain flowers.csv", ["flowers.csv"]),
    "a folder to explain": ("explain ./d", ["./d is a folder"]),
    "an empty name": (["explain", ""], ["''", "tutorial"]),
    "numbers to explain": ("check no.safetensors", ["no.safetensors does not exist", "expected a saved model"]),
}  # fmt: skip

X = {"x": [[1, 0.5]], "targets": [[4]], "loss": "half_squared_error"}
GOOD = {**X, "layers": [{"W": [[1.0], [2.0]]}]}


def worked(**more):
    return json.dumps({**GOOD, **more})


BOMB_OF_ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

# name: (file name, content, what the paragraph says)
WORKED = {
    "empty": ("w.json", "", ["not valid JSON"]),
    "invalid JSON": ("w.json", '{"x": [1,}', ["not valid JSON", "line 1"]),
    "nested 100,000 deep": ("w.json", "[" * 100_000, ["not valid JSON"]),
    "invalid YAML": ("w.yaml", "x: [1, 2\ny: }", ["not valid YAML", "line 2"]),
    "YAML nested 3,000 deep": ("w.yaml", "[" * 3_000, ["w.yaml"]),
    "a YAML list": ("w.yaml", "- 1\n- 2\n", ["no worked example", "layers, loss, x, targets"]),
    "an empty YAML file": ("w.yaml", "", ["no worked example", "layers, loss, x, targets"]),
    "Latin-1": ("w.yaml", b"title: M\xfcller\n", ["lacks layers"]),
    "NUL bytes": ("w.yaml", b"title: \0\n", ["w.yaml"]),
    "YAML that would run code": ("w.yaml", "!!python/object/apply:os.system ['touch exploded']", ["not valid YAML", "python/object"]),
    "a bomb of aliases": ("w.yaml", BOMB_OF_ALIASES, ["more than 2,000,000 values", "aliases"]),
    "a bomb of aliases as weights": ("w.yaml", BOMB_OF_ALIASES + "layers: [{W: *i}]\nloss: half_squared_error\nx: *i\ntargets: [[1]]\n", ["w.yaml"]),
    "a key missing": ("w.json", json.dumps(X), ["lacks layers"]),
    "no layers": ("w.json", worked(layers=[]), ["layers is empty"]),
    "layers in words": ("w.json", worked(layers="two"), ["layers"]),
    "a layer without W": ("w.json", worked(layers=[{"b": [1]}]), ["W"]),
    "a layer that is a number": ("w.json", worked(layers=[3]), ["w.json"]),
    "an empty W": ("w.json", worked(layers=[{"W": []}]), ["w.json"]),
    "a ragged W": ("w.json", worked(layers=[{"W": [[1, 2], [3]]}]), ["w.json", "W"]),
    "words in W": ("w.json", worked(layers=[{"W": [["one"], ["two"]]}]), ["w.json", "W"]),
    "NaN in W": ("w.json", worked(layers=[{"W": [[float("nan")], [2]]}]), ["w.json", "nan"]),
    "infinity in W": ("w.yaml", "layers: [{W: [[.inf], [2]]}]\nloss: half_squared_error\nx: [[1, 2]]\ntargets: [[1]]\n", ["w.yaml", "inf"]),
    "layers that do not fit": ("w.json", worked(layers=[{"W": [[1], [2]]}, {"W": [[1], [2]]}]), ["w.json", "W"]),
    "x that does not fit": ("w.json", worked(x=[[1, 2, 3]]), ["w.json"]),
    "x in words": ("w.json", worked(x="one"), ["w.json"]),
    "NaN in x": ("w.json", worked(x=[[float("nan"), 1]]), ["w.json"]),
    "targets that do not fit": ("w.json", worked(targets=[[1, 2]]), ["w.json"]),
    "a target of null": ("w.json", worked(targets=None), ["w.json"]),
    "more targets than rows": ("w.json", worked(targets=[[1], [2]]), ["w.json"]),
    "an unknown loss": ("w.json", worked(loss="half_square_error"), ["w.json", "Did you mean 'half_squared_error'"]),
    "an unknown activation": ("w.json", worked(layers=[{"W": [[1], [2]], "activation": "rellu"}, {"W": [[1]]}]), ["w.json", "Did you mean 'relu'"]),
    "an activation the loss does not bring": ("w.json", worked(loss="poisson", layers=[{"W": [[1], [2]], "activation": "relu"}]), ["w.json", "'relu'", "exp"]),
    "an unknown optimizer": ("w.json", worked(optimizer="adma"), ["w.json", "Did you mean 'adam'"]),
    "a list for an optimizer": ("w.json", worked(optimizer=["adam"]), ["w.json"]),
    "a learning rate in words": ("w.json", worked(learning_rate="slow"), ["w.json", "slow"]),
    "a learning rate below 0": ("w.json", worked(learning_rate=-1), ["w.json", "learning_rate is -1"]),
    "a reduction that is none": ("w.json", worked(loss_reduction="median"), ["w.json", "median"]),
    "a penalty below 0": ("w.json", worked(l2=-1), ["w.json", "l2 is -1"]),
    "a file of 20 MB": ("w.json", " " * 20_000_000, ["w.json is larger than any worked example"]),
}  # fmt: skip


@pytest.mark.parametrize("case", MODELS)
def test_a_model_that_cannot_be_trusted_is_refused(refused, case, folder):
    content, says = MODELS[case]
    refused(PREDICT, {"bad.safetensors": content}, ["bad.safetensors", *says])
    assert not (folder / "exploded").exists()


@pytest.mark.parametrize("command", ["evaluate {} flowers.csv", "explain {}", "check {}"])
@pytest.mark.parametrize("case", ["empty", "a bit of the numbers", "of a later format"])
def test_every_command_refuses_it(refused, case, command):
    content, says = MODELS[case]
    refused(command.format("bad.safetensors"), {"bad.safetensors": content}, says)


@pytest.mark.parametrize("case", COMMANDS)
def test_a_source_of_another_kind_is_refused(refused, case):
    command, says = COMMANDS[case]
    refused(command, {"d/": None}, says)


@pytest.mark.rest
@pytest.mark.parametrize("command", ["explain", "check"])
@pytest.mark.parametrize("case", WORKED)
def test_a_bad_worked_example_is_refused(refused, case, command, folder):
    name, content, says = WORKED[case]
    refused(f"{command} {name}", {name: content}, [name, *says])
    assert not (folder / "exploded").exists()
