"""Pictures as PNG, which every notebook and browser shows; a few hundred bytes each."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

from deltaprop.notation.image import Image

__all__ = ["data_uri"]

_LONGEST_SIDE = 224  # pixels of the screen; a larger picture stays as large as it is
_MARGIN = 1  # screen pixels of a grey frame
# safe for colour-blind readers
_INK = {False: np.array([0, 0, 0]), True: np.array([0, 90, 181])}
_OTHER_INK = np.array([220, 90, 20])
_FRAME = 160


def data_uri(image: Image) -> str:
    """Return a picture as a ``data:`` address: black ink; where signed, blue + and orange -."""
    return "data:image/png;base64," + base64.b64encode(_png(_pixels(image))).decode()


def _pixels(image: Image) -> npt.NDArray[np.uint8]:
    values = np.clip(image.values, -1.0, 1.0)[:, :, None]
    ink = np.where(values < 0, _OTHER_INK, _INK[image.signed])
    colours = np.rint(255 + np.abs(values) * (ink - 255.0)).astype(np.uint8)
    times = max(1, _LONGEST_SIDE // max(image.values.shape))
    larger = colours.repeat(times, axis=0).repeat(times, axis=1)
    width = ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0))
    framed: npt.NDArray[np.uint8] = np.pad(larger, width, constant_values=_FRAME)
    return framed


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
