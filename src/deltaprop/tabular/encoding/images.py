"""Images as they come from IDX files or arrays: scaled to [0, 1], shape kept."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from deltaprop.errors import DataError, ShapeError, of
from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.column import Wording
from deltaprop.tabular.encoding.encoder import Encoder, ReportRow
from deltaprop.tabular.encoding.surprises import Surprises

__all__ = ["ImageEncoder"]

_MOST_PIXELS = 1 << 28


@dataclass(frozen=True, slots=True)
class ImageEncoder(Encoder):
    """Encodes arrays of images of one shape: x / largest."""

    format = "deltaprop-image-encoder/1"
    described = "image encoder"
    kind: ClassVar[str] = "image"
    kind_names = ("image", "图像")
    in_chinese: ClassVar[Wording] = ((r"divided by (\S+)", r"除以 \1"),)

    shape: tuple[int, ...]  # of one image: height x width, or height x width x channels
    largest: float  # 255 for uint8; else the largest absolute value at training, at least 1
    n_rows: int
    warnings: tuple[str, ...] = ()

    @classmethod
    def fit(cls, images: object, *, where: str = "") -> ImageEncoder:
        """Take the shape and the scale from an array of finite numbers, images first."""
        array = _checked(images, where)
        if 0 in array.shape:
            raise ShapeError(
                f"The images{of(where)} have the shape {_times(array.shape)}: expected at least "
                "one image with at least one pixel."
            )
        largest = 255.0 if array.dtype == np.uint8 else max(1.0, float(np.abs(array).max()))
        return cls(tuple(int(n) for n in array.shape[1:]), largest, len(array))

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(f"pixel[{','.join(map(str, index))}]" for index in np.ndindex(*self.shape))

    @property
    def n_outputs(self) -> int:
        return math.prod(self.shape)

    @property
    def n_kept(self) -> int:
        return self.n_outputs

    def _encoded(
        self, features: object, where: str, ignore: Collection[str], dtype: DTypeLike, *, few: bool
    ) -> tuple[NDArray[Any], Surprises]:
        array = self._fitting(features, where)
        scaled = np.empty(array.shape, dtype=dtype)
        np.divide(array, self.largest, out=scaled, dtype=np.float64, casting="same_kind")
        return scaled, Surprises()

    def check(self, features: object, *, where: str = "") -> None:
        self._fitting(features, where)

    def _fitting(self, images: object, where: str) -> NDArray[Any]:
        array = _checked(images, where)
        if array.shape[1:] != self.shape:
            raise ShapeError(
                f"The images{of(where)} are {_times(array.shape[1:])} pixels: expected "
                f"{_times(self.shape)}, as in training. Rescale them."
            )
        return array

    def report(self) -> list[ReportRow]:
        done = f"divided by {self.largest:g}"
        return [ReportRow(f"{_times(self.shape)} pixels", self.kind, done, 0)]

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "shape": list(self.shape),
            "largest": self.largest,
            "n_rows": self.n_rows,
        }

    @classmethod
    def _from_stored(cls, stored: Stored) -> Self:
        shape = stored.counts("shape", 1)
        if not 2 <= len(shape) <= 7 or math.prod(shape) > _MOST_PIXELS:
            stored.refuse("shape", list(shape[:8]), "height x width, perhaps x channels")
        return cls(shape, stored.number("largest", positive=True), stored.count("n_rows", 1))


def _checked(images: object, where: str) -> NDArray[Any]:
    if not isinstance(images, np.ndarray):
        raise ShapeError(
            f"The images{of(where)} are {type(images).__name__}: expected an array of at least 3 "
            "axes (images x height x width), as in training. A table needs a model trained on a "
            "table."
        )
    if images.ndim < 3:
        advice = "One image is array[None]; rows of pixels are array.reshape(-1, height, width)."
        raise ShapeError(
            f"The images{of(where)} are an array of shape {_times(images.shape) or 'a number'}: "
            f"expected at least 3 axes, images x height x width. {advice}"
        )
    if images.dtype.kind not in "biuf":
        raise DataError(
            f"The images{of(where)} are of type {images.dtype}: expected real numbers. "
            "Convert them first."
        )
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        first = np.argwhere(~np.isfinite(images))[0]
        raise DataError(
            f"The images{of(where)} have {images[tuple(first)]} in image {first[0] + 1}, pixel "
            f"[{','.join(map(str, first[1:]))}]: expected finite numbers. Correct that image."
        )
    return images


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
