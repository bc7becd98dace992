"""What numbers are called on paper; a renderer only chooses how a symbol is written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deltaprop.model.layers import ARRAYS, INTERMEDIATES
from deltaprop.notation.ids import PER_SAMPLE, Ref, array_of
from deltaprop.notation.naming import STANDARD, Naming

__all__ = ["PI", "Letter", "Symbol", "symbol"]

PI = "3.141592653589793"  # as formulas write it


@dataclass(frozen=True)
class Letter:
    r"""A letter, and what belongs to it however it is indexed.

    Attributes
    ----------
    text : str
        In Unicode: "δ".
    latex : str
        In LaTeX, where it is not the same: "\delta".
    below : str
        An index of its own: the 2 of λ₂.
    """

    text: str
    latex: str = ""
    below: str = ""


@dataclass(frozen=True)
class Symbol:
    """A number's symbol, in parts.

    Attributes
    ----------
    letter : Letter
        W, δ, λ₂.
    layer : str
        What stands above it: "1", or "(0,1)" between layers; "" for nothing.
    index : tuple of str
        Its index, counted from 1.
    prime : bool
        Whether it is meant after the update.
    derivative_of : Letter, optional
        Of what, where the number is the derivative by the letter.
    both : bool
        Whether the index belongs to what is derived, too.
    state : str
        What an optimizer keeps for the letter: "m", "v"; "" for nothing.
    summed : bool
        Whether it is the sum over the index.
    """

    letter: Letter
    layer: str = ""
    index: tuple[str, ...] = ()
    prime: bool = False
    derivative_of: Letter | None = None
    both: bool = False
    state: str = ""
    summed: bool = False

    @property
    def places(self) -> str:
        """Return the index as it is written: "12", or "1,12" where a number has several digits."""
        return ("," if any(len(place) > 1 for place in self.index) else "").join(self.index)


_LETTERS = {
    "delta": Letter("δ", r"\delta"),
    "targets": Letter("t"),
    "smoothed_targets": Letter("t̃", r"\tilde{t}"),
    "jacobian": Letter("J"),
    "kept": Letter("ã", r"\tilde{a}"),
    "mask": Letter("m"),
    "alpha": Letter("α", r"\alpha"),
    "omega": Letter("ω", r"\omega"),
    "phi": Letter("φ", r"\varphi"),
    "share": Letter("w"),
    "learning_rate": Letter("η", r"\eta"),
    "loss": Letter("L"),
    "objective": Letter("L"),  # as the z of a layer of its own
    "l2": Letter("λ", r"\lambda", "2"),
    "l1": Letter("λ", r"\lambda", "1"),
    "l2_penalty": Letter("P", below="2"),
    "l1_penalty": Letter("P", below="1"),
    "label_smoothing": Letter("e"),
    "momentum": Letter("μ", r"\mu"),
    "decay": Letter("ρ", r"\rho"),
    "epsilon": Letter("ε", r"\varepsilon"),
    "beta_1": Letter("β", r"\beta", "1"),
    "beta_2": Letter("β", r"\beta", "2"),
    "weight_decay": Letter("λ", r"\lambda"),
    **{name: Letter(i.text, i.latex) for name, i in INTERMEDIATES.items()},
    # softmax beside sigmoid
    "softmax": Letter("p"),
    "sigmoid": Letter("s"),
    "softmax_of_difference": Letter("p"),
}
_LOSS_OF_A_SAMPLE = Letter("ℓ", r"\ell")
_LOSS, _DATA_LOSS = Letter("L"), Letter("Lᵈ", r"L_{\mathrm{data}}")
_ERROR, _DATA_ERROR = Letter("E"), Letter("Eᵈ", r"E_{\mathrm{data}}")
_DERIVATIVES = {
    "first_delta": (_LOSS, _LOSS),
    "dx": (_LOSS, Letter("x")),
    "upstream": (_LOSS_OF_A_SAMPLE, Letter("a")),
    "sample_delta": (_LOSS_OF_A_SAMPLE, Letter("z")),
    "softmax_upstream": (_LOSS, Letter("p")),
    "softmax_delta": (_LOSS, Letter("z")),
    "cancelled_delta": (_LOSS, Letter("z")),
    "squared_upstream": (_LOSS, Letter("p")),
    "squared_delta": (_LOSS, Letter("z")),
    "sigmoid_slope": (Letter("s"), Letter("z")),
}


# by what these are derivatives, where a single number has a letter of its own
_DERIVED_BY = {"dx": "x", "upstream": "a", "sample_delta": "z", "delta": "z"}


def symbol(ref: Ref, n_samples: int, naming: Naming = STANDARD) -> Symbol:
    """Return how a number is called on paper, counted from 1: W.1[0,2] as W¹₁₃.

    Parameters
    ----------
    ref : Ref
        What to name; without an index, the whole array.
    n_samples : int
        Where there is only one, its number is left out.
    naming : Naming
        The notation.

    Returns
    -------
    Symbol
        The loss of a sample is ℓ, the whole loss L.
    """
    ref = naming.joined(ref)
    return _of_single(ref, n_samples, naming) or _usual(ref, n_samples, naming)


def _of_single(ref: Ref, n_samples: int, naming: Naming) -> Symbol | None:
    """Return the symbol of a number that has a letter of its own, or comes of one that has."""
    base, above, state = _based_on(ref, naming)
    found = naming.of_single(base)
    if found is None:
        return None
    letter, layer, index = found
    if base.quantity in PER_SAMPLE and n_samples == 1:
        index = index[1:]
    if base.quantity in PER_SAMPLE and base.quantity in naming.turned:
        index = index[::-1]
    own = _by_itself(ref, naming)
    if own:
        letter, above = f"d{letter}", None
    places = tuple(str(i + 1) for i in index)
    return Symbol(Letter(letter), layer, places, ref.after, above, state=state)


def _based_on(ref: Ref, naming: Naming) -> tuple[Ref, Letter | None, str]:
    """Return the number whose letter it has, what is derived by that, and an optimizer's state."""
    array, (state, _, of) = array_of(ref.quantity), ref.quantity.rpartition("_")
    if ref.quantity in _DERIVED_BY and ref.quantity not in naming.plain:
        above = _DERIVATIVES.get(ref.quantity, (_LOSS,))[0]
        base = replace(ref, quantity=_DERIVED_BY[ref.quantity])
        return base, _ERROR if above is _LOSS else above, ""
    if array:
        above = _DATA_ERROR if ref.quantity.startswith("data_") else _ERROR
        return replace(ref, quantity=array), above, ""
    return (replace(ref, quantity=of), None, state) if state and of in ARRAYS else (ref, None, "")


def _usual(ref: Ref, n_samples: int, naming: Naming) -> Symbol:
    index = tuple(str(i + 1) for i in ref.index)
    if ref.quantity in PER_SAMPLE and n_samples == 1:
        index = index[1:]
    if ref.quantity in INTERMEDIATES and INTERMEDIATES[ref.quantity].per_row:
        index = index[:-1]
    state, _, of = ref.quantity.rpartition("_")
    array = array_of(ref.quantity)
    if {ref.quantity, f"d{array}" if array else "", of} & naming.turned:
        index = index[::-1]
    above: Letter | None = None
    if ref.quantity in _DERIVATIVES:
        above, letter = _DERIVATIVES[ref.quantity]
        state = ""
    elif array_of(ref.quantity):
        above = _DATA_LOSS if ref.quantity.startswith("data_") else _LOSS
        letter, state = _letter(array_of(ref.quantity)), ""
        if _by_itself(ref, naming):
            hat = "\u0302" if above is _DATA_LOSS else ""  # without the penalty's part
            hatted = rf"\hat{{{letter.text}}}" if hat else letter.latex or letter.text
            above, letter = None, Letter(f"d{letter.text}{hat}", rf"\mathrm{{d}}{hatted}")
    elif ref.quantity in _LETTERS:
        letter, state = _LETTERS[ref.quantity], ""
        if ref.quantity == "loss" and ref.index:
            letter = _LOSS_OF_A_SAMPLE
    elif state and of in ARRAYS:
        letter = _letter(of)  # an optimizer keeps m and v for each parameter
    elif state and of == "sum":
        return Symbol(_LETTERS[state], summed=True)
    else:
        letter, state = Letter(ref.quantity), ""
    has_layer = ref.layer or (naming.joins_linear and ref.quantity == "z")
    layer = naming.layer(ref.layer) if has_layer else ""
    if layer and naming.between and (letter.text == "W" or array == "W"):
        layer = f"({naming.layer(ref.layer - 1)},{layer})"
    both = ref.quantity == "sigmoid_slope"
    return Symbol(letter, layer, index, ref.after, above, both, state)


def _by_itself(ref: Ref, naming: Naming) -> bool:
    """Return whether a gradient, as it is written, is no derivative of the loss."""
    array = array_of(ref.quantity)
    return bool(array) and ("db" if array == "b" else "dW") in naming.plain


def _letter(array: str) -> Letter:
    return _LETTERS.get(array, Letter(array))
