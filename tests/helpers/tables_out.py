"""Random tables of every kind of column that other worlds know, for whoever takes a model there."""

import numpy as np
import polars as pl


def random_table(rng, n, task="classes"):
    """Return columns of every kind that SQL knows, with missing cells, and a target."""
    size = rng.lognormal(size=n) * 100
    colour = rng.choice(["red", "green", "it's blue", "ocre"], n, p=[0.4, 0.3, 0.2, 0.1])
    table = pl.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, size),
            'weight "kg"': rng.normal(size=n) * 1e6,
            "rooms": rng.integers(1, 9, n),
            "colour": colour,
            "code": rng.choice(["01", "02", "11", "7"], n),
            "answer": rng.choice(["Yes", "No"], n),
            "sold": rng.random(n) < 0.4,
            "level": rng.choice([1.5, 2.5, 4.0], n),
            "always": ["same"] * n,
        }
    ).with_columns(pl.col("size").fill_nan(None))
    for name in ("colour", "answer", "sold", "rooms"):
        gone = pl.Series(rng.random(n) < 0.08)
        table = table.with_columns(pl.when(gone).then(None).otherwise(pl.col(name)).alias(name))
    score = np.log(size) + (colour == "red") + 0.5 * rng.normal(size=n)
    if task == "numbers":
        return table, 1e4 + 300 * score
    if task == "labels":
        return table, np.column_stack([score > 5, rng.random(n) < 0.3])
    edges = np.quantile(score, [0.3, 0.7] if task == "classes" else [0.6])
    names = np.array(["low", "usual", "it's high"]) if task == "classes" else np.array([0, 1])
    return table, names[np.searchsorted(edges, score)]


def strange(rows, rng):
    """Return rows with words that training had not, spaces, and other spellings of truths."""
    return rows.with_columns(
        pl.Series("colour", rng.choice(["red ", "mauve", "", "NA", "green"], len(rows))),
        pl.Series("answer", rng.choice(["yes", "NO", "maybe", "Y"], len(rows))),
    )
