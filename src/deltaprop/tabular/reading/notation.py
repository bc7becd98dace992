"""How a column writes its numbers: ``$1,234.50``, ``1 234,50 €``, ``(12) %``, ``4.5 kg``."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from deltaprop.model.stored import Stored
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.units import is_currency, is_unit, key_of

__all__ = ["GROUPS", "POINTS", "Notation", "fits", "parts_of"]

POINTS = (".", ",")
GROUPS = ("", ",", ".", " ", "'")

# What is written in several ways is brought to one of them first.
_SAME = {
    **dict.fromkeys("\u00a0\u202f\u2009\u2007\u2008\u2002\u2003\u3000\t", " "),
    **dict.fromkeys("\u2019\u02bc\u2032\u00b4`\uff07", "'"),
    **dict.fromkeys("\u2212\u2013\ufe63\uff0d\u2010\u2011", "-"),
    **dict(zip("０１２３４５６７８９．，（）＋％", "0123456789.,()+%", strict=True)),
}
_BEFORE = r"[\p{L}\p{Sc}]{1,4}\.?"
_BODY = r"(?:\d(?:[\d.,' ]*\d)?[.,]?|[.,]\d+)(?:[eE][+-]?\d+)?"
_AFTER = r"[\p{L}\p{Sc}%‰°+][\p{L}\p{M}\p{Sc}./²³°^%‰·*µ ]{0,24}?[23]?"
_CELL = (
    rf"^(?P<open>\()? ?(?P<sign>[-+])? ?(?P<before>{_BEFORE})? ?(?P<open2>\()? ?(?P<sign2>[-+])? ?"
    rf"(?P<body>{_BODY})(?P<minus>-)?(?P<close>\))?(?P<blank> *)(?P<after>{_AFTER})?"
    r" ?(?P<minus2>-)?(?P<close2>\))?$"
)
_SIGNS = ("sign", "sign2", "minus", "minus2")
_LONGEST_UNIT = 40


@dataclass(frozen=True, slots=True)
class Notation:
    """How the numbers of one column are written."""

    point: str = "."  # the decimal mark, or a comma
    group: str = ""  # what stands between groups of thousands; see GROUPS
    before: str = ""  # the currency or unit before every number, as it is written most often
    after: str = ""  # and behind it

    @property
    def unit(self) -> str:
        """What the numbers count: ``€``, ``kg``, ``%``; empty where nothing is written."""
        return " ".join(filter(None, (self.before, self.after)))

    def read(self, text: pl.Series) -> pl.Series:
        """Return the cells as Float64, null where they are missing or written otherwise.

        A minus may stand in front or behind, and parentheses are one; the unit may be left out.
        """
        different = text.unique().drop_nulls()
        if different.len() < text.len() / 2:
            values = self._read(different)
            return text.replace_strict(different, values, default=None, return_dtype=pl.Float64)
        return self._read(text)

    def _read(self, text: pl.Series) -> pl.Series:
        parts = parts_of(text)
        known = fits(parts, self.point, self.group)
        for name, own in (("before", self.before), ("after", self.after)):
            written = parts[name].unique().to_list()
            same = [unit for unit in written if not unit or key_of(unit) == key_of(own)]
            known &= parts[name].is_in(same)
        body = parts["body"]
        if self.group:
            body = body.str.replace_all(self.group, "", literal=True)
        if self.point != ".":
            body = body.str.replace(self.point, ".", literal=True)
        values = body.cast(pl.Float64, strict=False)
        value = pl.when(pl.col("negative")).then(-pl.col("value")).otherwise(pl.col("value"))
        read = parts.with_columns(values.alias("value"), known.alias("known"))
        return read.select(pl.when(pl.col("known")).then(value)).to_series().alias(text.name)

    def is_plain(self, text: pl.Series) -> bool:
        """Tell whether the cells it reads are numbers as programs write them."""
        if self != Notation():
            return False
        return text.cast(pl.Float64, strict=False).null_count() <= self.read(text).null_count()

    def described(self, text: pl.Series) -> str:
        """Say with the first telling cell how it is read: ``'$1,234.50' is 1234.5 $``."""
        cells = text.drop_nulls()
        strange = cells.filter(cells.cast(pl.Float64, strict=False).is_null())
        grouped = cells.filter(cells.str.contains(".", literal=True))
        telling = next((some for some in (strange, grouped) if some.len()), cells).head(1)
        cell, value = telling[0], self.read(telling)[0]
        shown = "missing" if value is None else _digits(value)
        unit = f" {self.unit}" if self.unit else ""
        return f"{cell!r} is read as {shown}{unit}"

    def to_dict(self) -> dict[str, str]:
        """Return the notation as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, place: str, values: object) -> Notation:
        """Return the notation that `to_dict` described; ``place`` names it in messages."""
        stored = Stored(values, place)
        point, group = stored.text("point", POINTS), stored.text("group", GROUPS)
        if point == group:
            stored.refuse("group", group, "another mark than the decimal one")
        unit = stored.text("before"), stored.text("after")
        if max(map(len, unit)) > _LONGEST_UNIT:
            stored.refuse("before", unit[0], f"a unit of up to {_LONGEST_UNIT} characters")
        return cls(point, group, *unit)


def parts_of(text: pl.Series) -> pl.DataFrame:
    """Take cells apart: what stands before and after the number, its digits, and its sign."""
    cell = pl.col("cell")
    if not text.is_empty() and text.str.contains(r"[^\x20-\x7E]").any():
        cell = cell.str.replace_many(list(_SAME), list(_SAME.values()))
    found = (
        text.alias("cell").to_frame().select(cell.str.extract_groups(_CELL).alias("c")).unnest("c")
    )
    given = {name: pl.col(name).is_not_null() for name in found.columns}
    inside = given["open"] | given["open2"]
    closed = given["close"] | given["close2"]
    minus = [pl.col(name) == "-" for name in _SIGNS]
    signs = pl.sum_horizontal(inside.cast(pl.Int8), *(given[name].cast(pl.Int8) for name in _SIGNS))
    twice = (given["open"] & given["open2"]) | (given["close"] & given["close2"])
    odd = pl.col("body").is_null() | (inside != closed) | (signs > 1) | twice
    parts = found.select(
        pl.col("before").fill_null(""),
        pl.col("body"),
        pl.col("blank"),
        pl.col("after").fill_null("").str.strip_chars(),
        pl.any_horizontal(inside, *(m.fill_null(False) for m in minus)).alias("negative"),
        odd.alias("odd"),
        ((pl.col("sign") == "+") | (pl.col("sign2") == "+")).fill_null(False).alias("plus"),
        pl.any_horizontal(inside, given["minus"], given["minus2"]).alias("accounting"),
        (pl.col("blank") != "").fill_null(False).alias("apart"),
    )
    return _without_strange_units(parts)


def _without_strange_units(parts: pl.DataFrame) -> pl.DataFrame:
    """Mark as odd what has words beside its number that are no unit."""
    different = parts.select("before", "after", "apart").unique()
    strange = [
        bool((before and not is_currency(before)) or (after and not is_unit(after, apart=apart)))
        for before, after, apart in different.iter_rows()
    ]
    if not any(strange):
        return parts
    known = different.with_columns(pl.Series("strange", strange))
    parts = parts.join(known, on=["before", "after", "apart"], how="left", maintain_order="left")
    return parts.with_columns(pl.col("odd") | pl.col("strange"))


def _grammar(point: str, group: str) -> str:
    mark, between = re.escape(point), re.escape(group)
    whole = r"\d+"
    if group:
        whole = rf"(?:[1-9]\d{{0,2}}(?:{between}\d{{3}})+|\d+)"
    if group == ",":  # in India, the groups above the first are of two digits
        whole = r"(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})*,\d{3}|\d+)"
    return rf"^(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?$"


def fits(parts: pl.DataFrame, point: str, group: str) -> pl.Series:
    """Tell which cells, taken apart, are numbers with these marks."""
    return parts["body"].str.contains(_grammar(point, group)) & ~parts["odd"]


def _digits(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
