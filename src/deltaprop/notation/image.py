"""A picture of numbers, such as a row that is an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Image"]


@dataclass(frozen=True)
class Image:
    """Numbers drawn as a picture.

    Attributes
    ----------
    title : str
        What they are.
    values : ndarray of shape (height, width)
        From 0 (paper) to 1 (ink); or, where signed, from -1 to 1.
    signed : bool
        Whether there are two inks, one for each sign.
    """

    title: str
    values: npt.NDArray[np.float64]
    signed: bool = False
