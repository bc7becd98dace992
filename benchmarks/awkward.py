"""Ten tables as awkward as real ones are, invented from a seed: what people export and send.

Each is a function of a generator and a number of rows that returns the rows; ``write`` puts them
into a file in the notation and encoding in which such tables come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

Rows = dict[str, list[Any]]
Writer = Callable[[Rows, Path], None]


@dataclass(frozen=True)
class Awkward:
    """An invented table: how its rows come about, and in which form they are handed on."""

    name: str
    target: str
    make: Callable[[np.random.Generator, int], Rows]
    write: Writer
    suffix: str = ".csv"
    n_train: int = 1200
    n_test: int = 400


def text(
    separator: str = ",",
    encoding: str = "utf-8",
    quoted: Sequence[str] = (),
    ending: str = "\n",
    before: str = "",
) -> Writer:
    """Return what writes delimited text; None becomes an empty cell."""

    def write(rows: Rows, path: Path) -> None:
        lines = [separator.join(rows)]
        for row in zip(*rows.values(), strict=True):
            cells = zip(rows, row, strict=True)
            lines.append(separator.join(_cell(v, separator, name in quoted) for name, v in cells))
        path.write_bytes((before + ending.join(lines) + ending).encode(encoding))

    return write


def _cell(value: object, separator: str, quoted: bool) -> str:
    cell = "" if value is None else str(value)
    if quoted or any(mark in cell for mark in (separator, '"', "\n")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def parquet(rows: Rows, path: Path) -> None:
    """Write Parquet with the types of the columns: dates, decimals, categories, nothing at all."""
    import polars as pl

    frame = pl.DataFrame(rows, strict=False)
    frame.with_columns(
        pl.col("region").cast(pl.Categorical), pl.col("amount").cast(pl.Decimal(12, 2))
    ).write_parquet(path)


def _some(rng: np.random.Generator, values: Iterable[Any], share: float, other: Any) -> list[Any]:
    """Return the values, a share of them replaced."""
    return [other if rng.random() < share else value for value in values]


def _pick(rng: np.random.Generator, n: int, values: Sequence[Any], p: Any = None) -> list[Any]:
    return [values[i] for i in rng.choice(len(values), n, p=p)]


def chinese_orders(rng: np.random.Generator, n: int) -> Rows:
    """A sheet saved by Chinese Excel: GBK, dates in characters, amounts in yuan."""
    amount = np.round(np.exp(rng.normal(6, 1, n)), 2)
    city = _pick(rng, n, ["北京", "上海", "广州", "深圳", "成都", "西安"])
    day = [date(2022, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 365, n)]
    member = rng.random(n) < 0.4
    score = (
        np.log(amount) - 6 + 1.5 * member + np.isin(city, ["北京", "上海"]) + rng.normal(0, 0.6, n)
    )
    return {
        "订单号": [str(6_217_000_000_000_000_000 + int(i)) for i in rng.integers(0, 10**15, n)],
        "城市": city,
        "下单日期": [f"{d.year}年{d.month}月{d.day}日" for d in day],
        "金额": [f"{a:,.2f}元" for a in amount],
        "会员": ["是" if m else "否" for m in member],
        "复购": ["是" if s > 0.9 else "否" for s in score],
    }


def german_invoices(rng: np.random.Generator, n: int) -> Rows:
    """Semicolons, decimal commas, Windows-1252; the target is an amount in euros."""
    hours = np.round(rng.gamma(3, 6, n), 1)
    kind = _pick(rng, n, ["Beratung", "Prüfung", "Schulung", "Übersetzung"])
    rate = np.array(
        [{"Beratung": 120, "Prüfung": 95, "Schulung": 80, "Übersetzung": 60}[k] for k in kind]
    )
    discount = rng.choice([0, 5, 10, 20], n)
    total = hours * rate * (1 - discount / 100) * np.exp(rng.normal(0, 0.03, n))
    day = [date(2021, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 700, n)]
    return {
        "Kunde": [f"Kunde {i:04d}" for i in rng.integers(0, 300, n)],
        "Datum": [f"{d:%d.%m.%Y}" for d in day],
        "Art": _some(rng, kind, 0.02, None),
        "Stunden": [str(h).replace(".", ",") for h in hours],
        "Rabatt": [f"{d} %" for d in discount],
        "Betrag": [_european(t) + " €" for t in total],
    }


def _european(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def survey(rng: np.random.Generator, n: int) -> Rows:
    """Sixty questions, most of them unanswered, in every spelling of yes, no and nothing."""
    happy = rng.normal(size=n)
    yes, no = ["yes", "Yes", "YES", "y"], ["no", "No", "NO", "n"]
    likert = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]
    rows: Rows = {}
    for q in range(60):
        weight = rng.normal() * (q < 12)
        answer = weight * happy + rng.normal(size=n)
        if q % 3 == 0:
            cells: list[Any] = [rng.choice(yes if a > 0 else no) for a in answer]
        elif q % 3 == 1:
            cells = [likert[int(np.clip(a * 1.2 + 2.5, 0, 4))] for a in answer]
        else:
            cells = [int(np.clip(a * 2 + 5, 0, 10)) for a in answer]
        nothing = str(rng.choice(["NA", "n/a", "-", ""]))
        rows[f"Q{q + 1}"] = _some(rng, cells, 0.1 if q < 12 else 0.7, nothing)
    rows["would recommend"] = _some(
        rng, ["Yes" if h + rng.normal(0, 0.5) > -0.3 else "No" for h in happy], 0.2, "yes"
    )
    rows["would recommend"] = [
        str(v).lower() if rng.random() < 0.3 else v for v in rows["would recommend"]
    ]
    return rows


def codes(rng: np.random.Generator, n: int) -> Rows:
    """Post codes with leading zeros, 19-digit numbers, telephone numbers, a constant column."""
    zone = rng.integers(0, 10, n)
    account = np.array([1_600_000_000_000_000_001 + k for k in range(6)])[rng.integers(0, 6, n)]
    late = (zone < 3) ^ (account % 2 == 0) ^ (rng.random(n) < 0.05)
    return {
        "zip": [f"{z}{rng.integers(0, 4)}1{rng.integers(0, 3)}0" for z in zone],
        "account": [str(a) for a in account],
        "telephone": [
            f"+1 212 {rng.integers(200, 999)} {rng.integers(1000, 9999)}" for _ in range(n)
        ],
        "country": _some(rng, ["US"] * n, 0.0, "US"),
        "version": _pick(rng, n, ["1.2.3", "1.10.0", "2.0.1"]),
        "outcome": ["007" if flag else "012" for flag in late],
    }


def sensors(rng: np.random.Generator, n: int) -> Rows:
    """Stamps with a zone, words among numbers, scales from 1e-9 to 1e12, rows that came twice."""
    hour = rng.uniform(0, 24, n)
    start = datetime(2023, 3, 1)
    stamps = [
        start + timedelta(days=int(d), hours=float(h))
        for d, h in zip(rng.integers(0, 60, n), hour, strict=True)
    ]
    load = 5 + 3 * np.sin((hour - 6) / 24 * 2 * np.pi) + rng.normal(0, 0.3, n)
    current = load * 1e-9 * np.exp(rng.normal(0, 0.05, n))
    rows: Rows = {
        "time": [f"{t:%Y-%m-%dT%H:%M:%S}+01:00" for t in stamps],
        "current [A]": _some(rng, [f"{c:.4e}" for c in current], 0.01, "err"),
        "counter": [int(1e12 + 1e6 * k) for k in rng.integers(0, 10**6, n)],
        "state": _pick(rng, n, ["0", "1", "OFF", "ON"]),
        "flat": [f"{v:g}" for v in np.where(rng.random(n) < 0.004, 7.5, 0.0)],
        "power": [f"{p:.1f}" for p in load**2 * 100],
    }
    again = rng.integers(n // 4, n // 2, n // 20)
    for cells in rows.values():
        for k, i in enumerate(again):
            cells[k] = cells[int(i)]
    return rows


def fraud(rng: np.random.Generator, n: int) -> Rows:
    """Three positives in a hundred, a thousand merchants, amounts over six orders of magnitude."""
    amount = np.exp(rng.normal(3.5, 1.6, n))
    merchant = rng.zipf(1.4, n) % 1000
    night = rng.random(n) < 0.25
    odds = -6.2 + 0.7 * np.log(amount) + 1.8 * night + 1.5 * (merchant % 7 == 0)
    return {
        "merchant": [f"M{m:05d}" for m in merchant],
        "amount": [f"${a:,.2f}" for a in amount],
        "balance": [f"({a:,.0f})" if rng.random() < 0.2 else f"{a * 3:,.0f}" for a in amount],
        "when": [f"{'02' if x else '14'}:{rng.integers(0, 60):02d}" for x in night],
        "fraud": [int(rng.random() < 1 / (1 + np.exp(-o))) for o in odds],
    }


def reviews(rng: np.random.Generator, n: int) -> Rows:
    """Sentences with commas, quotes and line breaks, all different; the target counts stars."""
    good = ["lovely", "quick", "solid", "a joy", "well made", "quiet"]
    bad = ["broken", "slow", "loud", "a pity", "cheap", "late"]
    things = ["kettle", "lamp", "chair", "radio", "bag", "clock"]
    stars = rng.integers(1, 6, n)
    texts = []
    for s in stars:
        words = [str(rng.choice(good if rng.random() < (s - 0.5) / 5 else bad)) for _ in range(4)]
        mark = str(rng.choice([".", "!", "...", "\nWould I buy it again?"]))
        texts.append(
            f'This {rng.choice(things)}, no. {rng.integers(10**6)}, is {words[0]}, "{words[1]}", '
            f"{words[2]} and {words[3]}{mark}"
        )
    return {
        "id": list(range(1, n + 1)),
        "review": texts,
        "words": [len(t) for t in texts],
        "stars": stars.tolist(),
    }


def genes(rng: np.random.Generator, n: int) -> Rows:
    """Two thousand numbers and a hundred rows."""
    kind = rng.integers(0, 3, n)
    expression = rng.lognormal(2, 1, (n, 2000))
    expression[:, :30] *= np.where(kind[:, None] == np.arange(30)[None] % 3, 3.0, 1.0)
    rows: Rows = {f"ENSG{j:011d}": [f"{v:.3f}" for v in expression[:, j]] for j in range(2000)}
    rows["subtype"] = [f"type {'ABC'[k]}" for k in kind]
    return rows


def houses(rng: np.random.Generator, n: int) -> Rows:
    """American listings: prices, areas and shares with their signs; a price is the target."""
    area = np.round(rng.normal(1900, 600, n).clip(400))
    beds = np.clip(np.round(area / 700 + rng.normal(0, 0.5, n)), 1, 6).astype(int)
    age = rng.integers(0, 90, n)
    place = _pick(rng, n, ["Hill", "Lake", "Mill", "Old Town", "N/A"])
    factor = np.array(
        [{"Hill": 1.3, "Lake": 1.6, "Mill": 0.8, "Old Town": 1.1, "N/A": 1}[p] for p in place]
    )
    price = 150 * area * factor * np.exp(-age / 200 + rng.normal(0, 0.08, n))
    return {
        "address": [
            f"{rng.integers(1, 9999)} {rng.choice(['Oak', 'Elm', 'Pine'])} St" for _ in range(n)
        ],
        "area": [f"{a:,.0f} sqft" for a in area],
        "beds": [f"{b} bd" for b in beds],
        "tax": [f"{t:.2f}%" for t in rng.uniform(0.8, 2.2, n)],
        "built": [2022 - int(a) for a in age],
        "listed": [f"{rng.integers(1, 13)}/{rng.integers(1, 29)}/22" for _ in range(n)],
        "place": place,
        "price": [f"${p:,.0f}" for p in price],
    }


def warehouse(rng: np.random.Generator, n: int) -> Rows:
    """Parquet as a database exports it: dates, decimals, categories, truth values, no values."""
    amount = np.round(rng.gamma(2, 40, n), 2)
    region = _pick(rng, n, ["north", "south", "east", "west"])
    express = rng.random(n) < 0.3
    days = 2 + amount / 60 + 2.0 * np.isin(region, ["north", "west"]) - 1.5 * express
    day = [date(2020, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 900, n)]
    return {
        "id": [2**60 + int(i) for i in rng.permutation(n)],
        "ordered": _some(rng, day, 0.03, None),
        "amount": [None if rng.random() < 0.02 else float(a) for a in amount],
        "region": region,
        "express": express.tolist(),
        "note": [None] * n,
        "days": (days + rng.normal(0, 0.4, n)).tolist(),
    }


TABLES = (
    Awkward("chinese_orders", "复购", chinese_orders, text(encoding="gb18030", ending="\r\n")),
    Awkward("german_invoices", "Betrag", german_invoices, text(";", "cp1252", ending="\r\n")),
    Awkward("survey", "would recommend", survey, text("\t", "utf-16"), ".tsv"),
    Awkward("codes", "outcome", codes, text(quoted=("country",))),
    Awkward("sensors", "power", sensors, text()),
    Awkward("fraud", "fraud", fraud, text("|"), n_train=6000, n_test=2000),
    Awkward("reviews", "stars", reviews, text(before="\ufeff")),
    Awkward("genes", "subtype", genes, text(), n_train=120, n_test=60),
    Awkward("houses", "price", houses, text()),
    Awkward("warehouse", "days", warehouse, parquet, ".parquet"),
)


def write(table: Awkward, folder: Path) -> tuple[Path, Path]:
    """Write the rows to learn from and those to judge by; the same ones each time."""
    rng = np.random.default_rng([ord(letter) for letter in table.name])
    rows = table.make(rng, table.n_train + table.n_test)
    paths = []
    for part, chosen in (("train", slice(table.n_train)), ("test", slice(table.n_train, None))):
        paths.append(folder / f"{table.name}-{part}{table.suffix}")
        table.write({name: cells[chosen] for name, cells in rows.items()}, paths[-1])
    return paths[0], paths[1]
