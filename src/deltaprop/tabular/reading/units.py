"""Currencies and units as people write them beside numbers."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["THREE_DECIMALS", "is_currency", "is_unit", "key_of"]

_CODES = """
    aed afn ars aud bdt bgn bhd bob brl btc cad chf clp cny cop crc czk dkk dop dzd egp etb eth eur
    gbp gel ghs hkd hrk huf idr ils inr iqd isk jmd jod jpy kes krw kwd kzt lbp lkr lyd mad mxn myr
    ngn nok ntd nzd omr pen php pkr pln qar rmb ron rsd rub rur sar sek sgd thb tnd try ttd twd tzs
    uah ugx usd uyu uzs vnd xaf xof zar
"""
# Abbreviations that stand before or after an amount.
_NAMES = (
    "rs re kr kč zł zl ft lei fr sfr руб р r$ us$ tl din lv euro dollar 元 円 圆 圓 원 块 万元 亿元"
)
_CURRENCIES = frozenset((_CODES + _NAMES).split())
_THREE_DECIMALS = "bhd iqd jod kwd lyd omr tnd"
THREE_DECIMALS = frozenset(_THREE_DECIMALS.split())

# What may follow a number without a blank; with one, any words that are the same in every cell.
_ATTACHED = """
    % ‰ + ° °c °f °k bp bps pp pt px em x k m mio mrd bn mn
    g kg mg µg ug t lb lbs oz st gr
    km cm mm µm um nm mi ft in yd ha m2 m3 m² m³ km2 km² cm2 cm² mm2 mm² cm3 cm³ ft2 ft² sqm sqft
    l ml cl dl hl µl ul gal
    s ms µs us ns min mins h hr hrs d w wk y yr yrs mo
    kb mb gb tb pb kib mib gib tib bit kbit mbit gbit kbps mbps gbps
    hz khz mhz ghz kw mw gw wh kwh mwh gwh v mv kv ma mah ah ω ohm
    kj mj cal kcal kn pa hpa kpa mpa bar mbar psi mol mmol
    km/h kmh kph mph m/s mpg rpm db cc hp bhp mp dpi fps
"""
_UNITS = frozenset(_ATTACHED.split())
_NONE = "am pm st nd rd th uhr o'clock"
_NO_UNITS = frozenset(_NONE.split())
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def key_of(written: str) -> str:
    """Return a unit in the form it is compared in: ``KG`` and ``kg``, ``years`` and ``Year``.

    Two letters or fewer keep their capitals, for mW and MW are not the same; but not currencies.
    """
    text = unicodedata.normalize("NFKC", written.replace("²", "2").replace("³", "3"))
    text = " ".join(text.split()).removesuffix(".")
    folded = text.casefold()
    if folded in _CURRENCIES or folded in ("kg", "kgs"):
        return folded.removesuffix("s") if folded != "rs" else folded
    return folded.removesuffix("s") if len(text) > 3 else text


def is_currency(written: str) -> bool:
    """Tell whether this names a currency: ``$``, ``US$``, ``CHF``, ``Rs.``."""
    key = key_of(written).casefold()
    return key in _CURRENCIES or unicodedata.category(key[-1:] or " ") == "Sc" or _leads(key)


def _leads(key: str) -> bool:
    return bool(key) and unicodedata.category(key[0]) == "Sc" and key[1:] in ("", *_CURRENCIES)


def is_unit(written: str, *, apart: bool) -> bool:
    """Tell whether this may follow a number as its unit; ``apart``, where a blank is between."""
    folded = written.casefold().removesuffix(".")
    if folded.replace(".", "") in _NO_UNITS:
        return False
    if apart or is_currency(written) or _UNSPACED.match(written):
        return True
    first = folded.split("/")[0].strip()
    return folded in _UNITS or first in _UNITS or (bool(first) and is_currency(first))
