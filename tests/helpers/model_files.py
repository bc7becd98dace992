"""What stands in a model file, and the file with something changed."""

import hashlib
import json
import struct

import numpy as np
from safetensors.numpy import load_file, save_file


def header_of(content):
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length])


def everything_of(model):
    return (
        model.network, model.parameters.flat.tobytes(), model.table, model.training,
        model.versions, {k: (v.shape, v.dtype, v.tobytes()) for k, v in model.arrays.items()},
    )  # fmt: skip


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
