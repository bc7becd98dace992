"""Images keep their shape and are scaled to at most 1."""

import json

import numpy as np
import pytest

from deltaprop.errors import DataError, ShapeError
from deltaprop.tabular import ImageEncoder, load_dataset


def test_bytes_are_divided_by_255():
    images = np.array([[[0, 51], [102, 255]]], dtype=np.uint8)
    encoder = ImageEncoder.fit(images)
    np.testing.assert_array_equal(encoder.transform(images), images / 255)
    assert encoder.transform(images).dtype == np.float64
    assert encoder.transform(images, dtype=np.float32).dtype == np.float32


def test_every_pixel_has_a_name():
    encoder = ImageEncoder.fit(np.zeros((1, 2, 3), dtype=np.uint8))
    assert encoder.output_names[:4] == ("pixel[0,0]", "pixel[0,1]", "pixel[0,2]", "pixel[1,0]")
    assert encoder.n_outputs == len(encoder.output_names) == 6
    assert encoder.report()[0].column == "2 x 3 pixels"


def test_floats_within_one_stay_and_larger_are_scaled_by_the_training():
    assert ImageEncoder.fit(np.full((1, 2, 2), 0.5)).largest == 1
    assert (
        ImageEncoder.fit(np.full((1, 2, 2), -8.0)).transform(np.full((1, 2, 2), 4.0)).max() == 0.5
    )


@pytest.mark.parametrize(
    ("images", "error", "match"),
    [
        (
            np.zeros((4, 4), dtype=np.uint8),
            ShapeError,
            r"of x has|of x are an array of shape 4 x 4",
        ),
        (np.zeros((2, 4, 5), dtype=np.uint8), ShapeError, "4 x 5 pixels: expected 4 x 4"),
        (np.zeros((2, 4, 4, 1), dtype=np.uint8), ShapeError, "4 x 4 x 1 pixels: expected 4 x 4"),
        ({"a": [1]}, ShapeError, "dict: expected an array"),
        (np.full((1, 4, 4), np.nan), DataError, r"nan in image 1, pixel \[0,0\]"),
        (np.full((1, 4, 4), "a"), DataError, "real numbers"),
    ],
)
def test_other_shapes_and_values_are_refused(images, error, match):
    encoder = ImageEncoder.fit(np.zeros((3, 4, 4), dtype=np.uint8))
    with pytest.raises(error, match=match):
        encoder.transform(images, where="x")


def test_no_images_are_refused():
    with pytest.raises(ShapeError, match="0 x 4 x 4: expected at least one"):
        ImageEncoder.fit(np.zeros((0, 4, 4), dtype=np.uint8))


def test_the_encoder_comes_back_from_json():
    encoder = ImageEncoder.fit(np.full((3, 4, 4), 0.1 + 0.2) * 7)
    assert ImageEncoder.from_dict(json.loads(json.dumps(encoder.to_dict()))) == encoder


def test_fashion_mnist_is_encoded(shared):
    folder = shared / "data/fashion-mnist"
    data = load_dataset(folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz")
    x = ImageEncoder.fit(data.features).transform(data.features)
    assert x.shape == (10000, 28, 28)
    assert (x.min(), x.max()) == (0, 1)
