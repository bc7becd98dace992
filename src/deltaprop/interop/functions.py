"""What other libraries call activations, with their settings, as rows of the registry."""

from __future__ import annotations

from deltaprop.functional.activations import ACTIVATIONS

__all__ = ["OF_TORCH", "PLAIN", "SETTINGS", "named"]

# functions without a setting, by what others call them
PLAIN = {
    "linear": "identity", "identity": "identity", "relu": "relu", "tanh": "tanh",
    "sigmoid": "sigmoid", "logistic": "sigmoid", "expit": "sigmoid", "softsign": "softsign",
    "selu": "selu", "silu": "silu", "swish": "silu", "mish": "mish",
}  # fmt: skip

# settings of the others, as functions of PyTorch have them behind z
SETTINGS = {
    "leaky_relu": ("negative_slope",), "elu": ("alpha", "scale", "input_scale"),
    "celu": ("alpha",), "gelu": ("approximate",), "softplus": ("beta", "threshold"),
}  # fmt: skip
# modules of PyTorch that are rows of the registry to the last digits, and their settings
OF_TORCH: dict[str, tuple[str, dict[str, float]]] = {
    "identity": ("Identity", {}), "sigmoid": ("Sigmoid", {}), "tanh": ("Tanh", {}),
    "softsign": ("Softsign", {}), "relu": ("ReLU", {}), "leaky_relu": ("LeakyReLU", {}),
    "elu": ("ELU", {}), "selu": ("SELU", {}), "gelu": ("GELU", {}), "silu": ("SiLU", {}),
    "softplus": ("Softplus", {"threshold": 50.0}),  # z itself beyond it: e^-50 is no digit
    "mish": ("Mish", {}),
}  # fmt: skip


def named(name: str, **settings: object) -> str | None:
    """Return the registry's name of a function with these settings, or None where it has none.

    Parameters
    ----------
    name : str
        A key of ``PLAIN`` or of ``SETTINGS``.
    **settings : object
        Those of it that are given; the rest are as PyTorch has them.
    """
    if name in PLAIN:
        return PLAIN[name]
    match name:
        case "leaky_relu" if settings.get("negative_slope", 0.01) == 0.01:
            return name
        case "elu" if all(settings.get(gain, 1.0) == 1.0 for gain in SETTINGS[name]):
            return name
        case "celu":
            return _with_gain("elu", settings.get("alpha", 1.0), inverse=True)
        case "gelu" if settings.get("approximate", "none") in ("none", False):
            return name
        # from threshold on PyTorch takes z for softplus(z): less than 2.1e-9 away
        case "softplus" if float(str(settings.get("threshold", 20.0))) >= 20.0:
            return _with_gain(name, settings.get("beta", 1.0))
        case _:
            return None


def _with_gain(name: str, gain: object, *, inverse: bool = False) -> str | None:
    """Return f(gain z) / gain, or gain f(z / gain), where its decimals are exactly these."""
    slope = float(str(gain))
    if slope == 1.0:
        return name
    if not 1e-4 < slope < 1e4:
        return None
    scale, within = (slope, 1.0 / slope) if inverse else (1.0 / slope, slope)
    called = f"{scale!r} {name}({within!r} z)"
    return called if called in ACTIVATIONS else None
