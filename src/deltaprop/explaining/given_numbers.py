"""The numbers that a worked example gives, by any of the names that people have for them."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deltaprop.errors import SettingError, UnknownNameError, nearest_name, shown
from deltaprop.notation.ids import Ref, grid, no_such_bias, read_ref
from deltaprop.notation.naming import NOTATIONS
from deltaprop.notation.unicode import plain_symbol, symbol_of

__all__ = ["Given", "places_of", "span", "symbols_of", "watched"]

_BATCH = {"x": "x", "t": "targets", "target": "targets", "targets": "targets"}
_ENTRY = re.compile(r"(x|t|targets?)\.?(\d{1,6})")
_ARRAY = re.compile(r"([Wb])\.?(\d{1,6})")
_MOST_SYMBOLS = 4000


def places_of(data: Mapping[str, Any], name: str) -> list[Ref]:
    """Return the parameters that a name stands for: "w1", "W1", "W1[0,2]", "b.2[0]", "W¹₁₁".

    Raises
    ------
    UnknownNameError
        When there is none; the message offers the nearest.
    """
    given = Given(data)
    found = [ref for ref in given.resolve(name) if ref.quantity in ("W", "b")]
    if not found:
        raise SettingError(f"{shown(name)} is no parameter; expected one such as W1[0,2] or b2[1].")
    for ref in found:
        if ref.index and not given.has(ref):
            raise no_such_bias(ref)
    return [each for ref in found for each in given.entries(ref)]


def watched(data: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, Ref]]:
    """Return parameters by any of their names, with what they are called; "" for their symbol."""
    own = symbols_of(data)
    refs = [ref for name in names for ref in places_of(data, name)]
    return [(own.get(ref.id, ""), ref) for ref in dict.fromkeys(refs)]


def symbols_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what an example calls its parameters, by id: {"W.1[0,0]": "w1"}."""
    symbols = data.get("symbols")
    if not isinstance(symbols, Mapping):
        return {}
    return {each: str(name) for name, each in symbols.items() if isinstance(each, str)}


class Given:
    """What a worked example gives: its batch and its parameters.

    Parameters
    ----------
    data : mapping
        In the worked-example format; its layers may change later.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    @property
    def layers(self) -> list[dict[str, Any]]:
        """Return the layers, W, b and activation of each."""
        layers: list[dict[str, Any]] = self.data["layers"]
        return layers

    def resolve(self, name: str) -> list[Ref]:
        """Return what a name stands for: entries of the batch, parameters, or whole arrays."""
        plain = unicodedata.normalize("NFC", name).strip()
        symbols = self.data.get("symbols")
        if isinstance(symbols, Mapping) and plain in symbols:
            own = symbols[plain]
            several = own if isinstance(own, list) else [own]
            return [self.place(str(each), f"{name} (in symbols: {each})") for each in several]
        return [self.place(plain, plain)]

    def place(self, plain: str, name: str) -> Ref:
        """Return the entry or whole array that is called so, whatever the example's symbols."""
        if plain in _BATCH:
            return Ref(_BATCH[plain])
        if found := _ENTRY.fullmatch(plain):
            return self.only_row(found[1], int(found[2]), name)
        if found := _ARRAY.fullmatch(plain):
            return self.within(Ref(found[1], int(found[2])), name)
        try:
            ref = read_ref(plain)
        except SettingError:
            ref = Ref("")
        quantity = _BATCH.get(ref.quantity, ref.quantity)
        if quantity in ("x", "targets", "W", "b") and ref.index and not ref.after:
            return self.within(Ref(quantity, ref.layer, ref.index), name)
        typed = plain_symbol(plain) if "^" in plain else plain
        for each, printed in self.printed():
            if typed in (printed, plain_symbol(printed) if "^" in plain else printed):
                return each
        letters = ref.quantity.rstrip("0123456789")
        if Ref(letters).phase or ref.after:
            raise SettingError(
                f"{name} is worked out and cannot be set; given are {', '.join(self.known())}."
            )
        known = self.known()
        alike = [each for each in known if each[0].casefold() == plain[:1].casefold()]
        near = nearest_name(plain, known) or min(alike, key=lambda e: _far(e, plain), default=None)
        raise UnknownNameError("number", name, known, near)

    def known(self) -> list[str]:
        """Return what is given, by name."""
        symbols = self.data.get("symbols")
        own = list(symbols) if isinstance(symbols, Mapping) else []
        arrays = [f"{a}{k}" for k in range(1, len(self.layers) + 1) for a in ("W", "b")]
        return [*own, "x", "t", *arrays, "W1[0,0]", "learning_rate", "l2", "l1"]

    def printed(self) -> Iterator[tuple[Ref, str]]:
        """Yield every given number with its symbol, as explanations print it."""
        n = len(self.rows("x"))
        refs = [Ref(q) for q in ("x", "targets")]
        refs += [Ref(name, k) for k in range(1, len(self.layers) + 1) for name in ("W", "b")]
        widths = [self.shape(Ref("b", k))[0] for k in range(1, len(self.layers) + 1)]
        shapes = [
            (ref.quantity, ref.layer, self.shape(ref), self.lacks(ref))
            for ref in refs[2:]
            if self.has(ref)
        ]
        namings = [each.of_shapes(shapes, len(widths), widths[-1]) for each in NOTATIONS.values()]
        arrays = [ref for ref in refs[2:] if self.has(ref)]
        entries = itertools.chain(arrays, *map(self.entries, refs))
        for ref in itertools.islice(entries, _MOST_SYMBOLS):
            for naming in namings:
                yield ref, symbol_of(ref, n, naming)

    def only_row(self, quantity: str, place: int, name: str) -> Ref:
        """Return an entry of the only sample."""
        key = _BATCH[quantity]
        if len(self.rows(key)) > 1:
            raise SettingError(
                f"{name} may be of any of {len(self.rows(key))} samples; write sample and place, "
                f"counted from 0, such as {quantity}[0,{max(0, place - 1)}]."
            )
        return self.within(Ref(key, 0, (0, place - 1)), name)

    def shape(self, ref: Ref) -> tuple[int, ...]:
        """Return the shape of the array that a number belongs to."""
        if ref.quantity in ("x", "targets"):
            rows = self.rows(ref.quantity)
            return len(rows), len(rows[0])
        n_in, n_out = np.shape(self.layers[ref.layer - 1]["W"])
        return (n_in, n_out) if ref.quantity == "W" else (n_out,)

    def entries(self, ref: Ref) -> Iterator[Ref]:
        """Yield a number, or every number of an array."""
        if ref.index:
            yield ref
        elif self.has(ref):
            yield from grid(ref.quantity, ref.layer, self.shape(ref), absent=self.lacks(ref))

    def has(self, ref: Ref) -> bool:
        """Return whether there is such an array, or number: a neuron may have no bias."""
        lacking = self.lacks(ref)
        return ref.index[-1] not in lacking if ref.index else len(lacking) < self.shape(ref)[-1]

    def lacks(self, ref: Ref) -> tuple[int, ...]:
        """Return which entries of the array of a number there are not."""
        if ref.quantity != "b":
            return ()
        b = self.layers[ref.layer - 1].get("b") or [None] * self.shape(ref)[0]
        return tuple(j for j, each in enumerate(b) if each is None)

    def within(self, ref: Ref, name: str) -> Ref:
        """Return what was asked for, or raise SettingError where there is no such place."""
        if ref.quantity in ("W", "b") and not 1 <= ref.layer <= len(self.layers):
            raise SettingError(
                f"{name}: there is no such layer; they are {span(len(self.layers))}."
            )
        shape = self.shape(ref)
        fits = len(ref.index) == len(shape) and all(
            0 <= i < n for i, n in zip(ref.index, shape, strict=True)
        )
        if ref.index and not fits:
            size = " x ".join(map(str, shape))
            first, last = ",".join("0" * len(shape)), ",".join(str(n - 1) for n in shape)
            array = Ref(ref.quantity, ref.layer).id
            raise SettingError(
                f"{name} is outside {array}, which has {size} numbers: [{first}] to [{last}]."
            )
        return ref

    def labels(self) -> bool:
        """Return whether the targets are numbers of classes."""
        return not isinstance(self.data["targets"][0], list)

    def rows(self, key: str) -> list[list[float]]:
        """Return inputs or targets as rows; those of one sample may be written as one list."""
        values = self.data[key]
        if values and isinstance(values[0], list):
            return [list(row) for row in values]
        one_row = key == "x" or (len(self.rows("x")) == 1 and len(values) != 1)
        return [list(values)] if one_row else [[value] for value in values]


def span(n: int) -> str:
    """Return how layers are counted: "1 to 3"."""
    return f"1 to {n}" if n > 1 else "1" if n else "none"


def _far(one: str, other: str) -> tuple[int, int]:
    """Return how far two names are that begin alike: in length, then in their numbers."""
    numbers = [int("".join(filter(str.isdecimal, name))[:9] or 0) for name in (one, other)]
    return abs(len(one) - len(other)), abs(numbers[0] - numbers[1])
