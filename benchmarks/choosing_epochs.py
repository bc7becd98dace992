"""Which figure of the held-out rows chooses the epoch best: errors, a loss, or the order of rows.

    python benchmarks/choosing_epochs.py [--seeds 6] [--rows 4000] [--preset fast] [NAME ...]

Every member's numbers are kept after every epoch of one training; then each rule chooses among
them. So the rules differ in nothing but the choice, and a seed is a pair for each of them. The rows
held out by no member, a third of the table, judge: AUC, log-loss of the calibrated mean of the
members, accuracy and balanced accuracy. Printed is the mean over the seeds of the difference from
"errors" (fewest errors, the last of equals), with its standard error, in thousandths. Tables are
those of DELTAPROP_SHARED (default ../shared), the rarer class thinned out where the name says how
much of it is left, and synthetic ones like those of staff who leave (16 %) and of fraud (1 %).
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from deltaprop.functional.outputs import softmax
from deltaprop.table_models.budget import Budget
from deltaprop.table_models.calibration import fit_temperature
from deltaprop.table_models.learning import learn, starts
from deltaprop.table_models.parts import Job
from deltaprop.table_models.prepare import prepare
from deltaprop.table_models.recipe import Recipe
from deltaprop.tabular import as_frame
from deltaprop.training.metrics import METRICS
from deltaprop.training.predict import logits
from deltaprop.training.run import TrainingState

DATA = Path(os.environ.get("DELTAPROP_SHARED", Path(__file__).parents[2] / "shared")) / "data"
SYNTHETIC = {"leavers": (1470, 0.16), "fraud": (6000, 0.01)}
TABLES = {
    "mammography": "class", "adult": "income", "credit_data": "Status", "wa_churn": "churn",
    "credit_g": "class", "phoneme": "class", "spam": "type", "wa_churn/5": "churn",
    "adult/5": "income", "phoneme/8": "class", "leavers": "y", "fraud": "y",
}  # fmt: skip
JUDGES = ("auc", "log_loss", "accuracy", "balanced_accuracy")
RULES = ("errors", "smoothed loss", "log_loss", "auc", "last")
Figures = dict[str, float]


def rows_of(name: str, target: str, rng: np.random.Generator) -> tuple[pl.DataFrame, Any]:
    """Return a table's features and its classes."""
    if name in SYNTHETIC:
        n, share = SYNTHETIC[name]
        x = rng.normal(size=(n, 12))
        score = x[:, 0] + x[:, 1] * x[:, 2] + (x[:, 3] > 1) + 1.5 * rng.normal(size=n)
        return pl.DataFrame(x), np.where(score > np.quantile(score, 1 - share), "yes", "no")
    whole, _, part = name.partition("/")
    table = pl.read_csv(DATA / f"{whole}.csv.gz", infer_schema_length=None)
    column = target if target in table.columns else table.columns[-1]
    table = table.drop_nulls(column)
    y = table[column].cast(pl.String).to_numpy()
    kept = np.ones(len(y), dtype=bool)
    if part:
        names, counts = np.unique(y, return_counts=True)
        kept = (y != names[counts.argmin()]) | (rng.random(len(y)) < 1 / int(part))
    return table.drop(column).filter(pl.Series(kept)), y[kept]


def one_seed(
    name: str, target: str, seed: int, most: int, preset: str
) -> tuple[float, dict[str, Figures]]:
    """Return the commonest class's share, and by rule and judge what was reached."""
    rng = np.random.default_rng(seed)
    features, y = rows_of(name, target, rng)
    order = rng.permutation(len(y))
    n_test = min(len(y) // 3, 10_000)
    test, kept = order[:n_test], order[n_test : n_test + most]
    recipe = Recipe(preset=preset, seed=seed, ranges=0)
    job = Job(
        recipe, as_frame(features[kept.tolist()]), y[kept], Budget(None, 0.0), ("y",),
        task="classification", n_threads=1,
    )  # fmt: skip
    prepared = prepare(job)
    X, y_learnt = prepared.learnt.x, prepared.learnt.y
    members = starts(prepared.network, recipe.seeds(prepared.plan.members), prepared.learnt)
    place = {id(member): i for i, member in enumerate(members)}
    folds = prepared.folds
    assert folds is not None
    seen: list[list[Any]] = [[] for _ in members]

    def keep(state: TrainingState) -> None:
        seen[place[id(state.parameters)]].append(state.parameters.flat.astype(np.float32))

    histories = learn(prepared, replace(job, callbacks=[keep]), members)
    X_test = prepared.inputs.transform(as_frame(features[test.tolist()]))
    y_test = prepared.target.encode(y[test])
    chosen: dict[str, list[int]] = {rule: [] for rule in RULES}
    for i, flats in enumerate(seen):
        held = folds == i
        scores: dict[str, list[float]] = {"log_loss": [], "auc": []}
        for flat in flats:
            z = logits(prepared.network, members[i].like(flat.astype(np.float64)), X[held])
            for figure, found in scores.items():
                found.append(METRICS[figure].of(softmax(z), y_learnt[held], None))
        errors = np.array(histories[i].val_metric)
        chosen["errors"].append(len(errors) - 1 - int(errors[::-1].argmax()))
        chosen["smoothed loss"].append(int(np.argmin(histories[i].val_loss)))
        chosen["log_loss"].append(int(np.argmin(scores["log_loss"])))
        chosen["auc"].append(int(np.argmax(scores["auc"])))
        chosen["last"].append(len(flats) - 1)
    results = {}
    for rule, epochs in chosen.items():
        z_held = np.empty((len(y_learnt), 2))
        z_test = []
        for i, epoch in enumerate(epochs):
            member = members[i].like(seen[i][epoch].astype(np.float64))
            z_held[folds == i] = logits(prepared.network, member, X[folds == i])
            z_test.append(logits(prepared.network, member, X_test))
        temperature = fit_temperature(z_held, y_learnt)
        p = np.mean([softmax(z / temperature) for z in z_test], axis=0)
        results[rule] = {judge: METRICS[judge].of(p, y_test, None) for judge in JUDGES}
    counts = np.bincount(y_learnt)
    return float(counts.max() / counts.sum()), results


def table_of(name: str, target: str, seeds: int, most: int, preset: str) -> Iterator[str]:
    """Yield a line for each rule."""
    runs = [one_seed(name, target, seed, most, preset) for seed in range(seeds)]
    share = np.mean([share for share, _ in runs])
    for rule in RULES:
        cells = []
        for judge in JUDGES:
            value: Callable[[Any, str], float] = lambda run, r, j=judge: run[1][r][j]  # noqa: E731
            found = np.array([value(run, rule) for run in runs])
            if rule == RULES[0]:
                cells.append(f"{found.mean():.4f}")
                continue
            gain = 1000 * (found - np.array([value(run, RULES[0]) for run in runs]))
            cells.append(f"{gain.mean():+.1f} ± {gain.std(ddof=1) / np.sqrt(seeds):.1f}")
        first = f"{name} ({share:.3f})" if rule == RULES[0] else ""
        yield f"| {first} | {rule.replace('_', '-')} | {' | '.join(cells)} |"


def main() -> None:
    """Measure the tables that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--preset", default="fast")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"| table (commonest) | rule | {' | '.join(JUDGES).replace('_', '-')} |")
    print(f"|---|---|{'---|' * len(JUDGES)}")
    for name in given.names or TABLES:
        for line in table_of(name, TABLES[name], given.seeds, given.rows, given.preset):
            print(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
