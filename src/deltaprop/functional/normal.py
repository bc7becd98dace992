"""The normal distribution function, to the last digits and without SciPy."""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt

__all__ = ["erfc_series", "gaussian_cdf"]

Array = npt.NDArray[np.float64]

# log(erfc(x) exp(x^2) / t) as a Chebyshev series in 2t - 1 with t = 2 / (2 + x), x >= 0:
# fitted for this file at 80 nodes in 50-digit arithmetic; relative error of erfc below 1e-14
# for x < 6. The tests compare it with mpmath.
_ERFC_SERIES = np.array(
    [
        -0.6513268598908547171, 0.6419697923564902603, 0.01947647320418583631,
        -0.009561514786808631642, -0.0009465953444820368663, 0.0003668394978527614519,
        4.252332480690777164e-5, -2.027857811253424315e-5, -1.624290004647025513e-6,
        1.303655835580523202e-6, 1.562644172206614318e-8, -8.523809591492654253e-8,
        6.529054439098851496e-9, 5.059343495551468942e-9, -9.913641564930330867e-10,
        -2.273651222931835856e-10, 9.646791102015526802e-11, 2.394038083039114745e-12,
        -6.886027526497553398e-12, 8.944879273090725717e-13, 3.130921399342958078e-13,
        -1.127082236136725237e-13, 3.810905255189232055e-16, 7.106097613609236988e-15,
        -1.523028201457104304e-15, -9.457494571291234e-17, 1.210237189224278992e-16,
        -2.816663087747176972e-17, 5.003005559445901654e-20, 2.328104257952925288e-18,
    ]
)  # fmt: skip


def erfc_series() -> list[float]:
    """Return the coefficients of log(erfc(x) exp(x^2) / t), for whoever works out Phi elsewhere."""
    return [float(coefficient) for coefficient in _ERFC_SERIES]


def gaussian_cdf(z: Array) -> Array:
    """Return the standard normal distribution function, 1/2 erfc(-z / sqrt(2))."""
    x = np.abs(z) / sqrt(2.0)
    t = 2.0 / (2.0 + x)
    series = np.polynomial.chebyshev.chebval(2.0 * t - 1.0, _ERFC_SERIES)
    tail = 0.5 * t * np.exp(series - np.minimum(x, 1e3) ** 2)  # erfc underflows from x = 27 on
    cdf: Array = np.where(z < 0, tail, 1.0 - tail).astype(x.dtype)  # the series is float64
    return cdf
