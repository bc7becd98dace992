"""The measurements of benchmarks/accuracy.py: each in a fork of a process that has imported.

    echo '{"learner": "LightGBM", "table": "zoo", "seed": 0, "split": 0, "threads": 2}' |
        python benchmarks/accuracy_learners.py LightGBM

Each line of the standard input is a job. After the line ``{}``, which says that it is ready, it
answers each with one line of JSON: the error on the test rows, the seconds of fit + predict, from
the table in memory to the answers, and those of all cores. Reading the file and importing the
library are not counted.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

DATA = Path(os.environ.get("DELTAPROP_SHARED", "../shared")).resolve() / "data"
MOST_ROWS = 8_000  # of training, and of test


@dataclass(frozen=True)
class Table:
    """A table of INDEX.md: what is predicted, and the columns that are left out."""

    name: str
    target: str
    regression: bool = False
    without: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """Return what deltaprop calls it."""
        return "regression" if self.regression else "classification"


TABLES = (
    Table("letter", "lettr"),
    Table("pendigits", "class"),
    Table("shuttle", "Class"),
    Table("covtype20k", "Cover_Type"),
    Table("adult", "income"),
    Table("credit_data", "Status"),
    Table("wa_churn", "churn"),
    Table("house_votes84", "Class"),
    Table("penguins", "species"),
    Table("income_marketing", "INCOME"),
    Table("avila", "Class"),
    Table("vowel", "Class", without=("V1",)),  # the number of the speaker
    Table("sonar", "Class"),
    Table("vehicle", "Class"),
    Table("breast_cancer_w", "Class"),
    Table("zoo", "type"),
    Table("mammography", "class"),
    Table("spam", "type"),
    Table("cells", "class"),
    Table("phoneme", "class"),
    Table("credit_g", "class"),
    Table("california_housing", "median_house_value", regression=True),
    Table("abalone", "rings", regression=True),
    Table("auto_mpg", "mpg", regression=True),
    Table("concrete", "compressive_strength", regression=True),
    # one of the three targets, since not every learner takes several
    Table("meats_multi", "fat", regression=True, without=("water", "protein")),
    Table("sacramento", "price", regression=True),
    Table("beijing_pm25", "pm2.5", regression=True),
)


def table_named(name: str) -> Table:
    """Return the table called so."""
    for table in TABLES:
        if table.name == name:
            return table
    raise SystemExit(f"No table is called {name!r}. Known: {', '.join(t.name for t in TABLES)}.")


Rows = npt.NDArray[np.int64]


def split_rows(n: int, split: int) -> tuple[Rows, Rows]:
    """Return the rows that are learnt from and those that judge.

    They are shuffled by the number of the split; the first 75 %, at most 8,000, are learnt from
    and the next ones, at most 8,000, judge. This generator gives, for split 0, the very rows that
    the figures of the specification (tabular.md) were measured on.
    """
    order = np.random.RandomState(split).permutation(n)
    n_train = min(MOST_ROWS, n * 3 // 4)
    return order[:n_train], order[n_train : n_train + MOST_ROWS]


def error_of(table: Table, truth: npt.NDArray[Any], answers: npt.NDArray[Any]) -> float:
    """Return 1 - accuracy, or 1 - R^2."""
    if len(truth) != len(answers):
        raise ValueError(f"{len(answers)} answers to {len(truth)} rows")
    if not table.regression:
        return float(np.mean(truth.astype(str) != answers.astype(str)))
    truth, answers = truth.astype(np.float64), answers.astype(np.float64)
    return float(np.sum((truth - answers) ** 2) / np.sum((truth - truth.mean()) ** 2))


@dataclass(frozen=True)
class Job:
    """One measurement."""

    learner: str
    table: str
    seed: int
    split: int
    threads: int


def presets() -> tuple[str, ...]:
    """Return the entries that are deltaprop's."""
    from deltaprop.table_models import Recipe

    known = {field.name for field in fields(Recipe)}
    return ("fast", "best") if "preset" in known else ("today",)


def deltaprop_recipe(name: str, seed: int) -> Any:
    """Return the recipe of an entry: the one place that knows how a preset is asked for."""
    from deltaprop.table_models import Recipe

    settings: dict[str, Any] = {} if name == "today" else {"preset": name}
    return Recipe(seed=seed, **settings)


def run_deltaprop(job: Job) -> dict[str, Any]:
    """Measure ``TableModel.fit`` on the table as ``deltaprop train`` reads it."""
    from deltaprop.table_models import TableModel
    from deltaprop.tabular import load_dataset

    table = table_named(job.table)
    recipe = deltaprop_recipe(job.learner, job.seed)
    dataset = load_dataset(DATA / f"{table.name}.csv.gz", table.target, task=table.task)  # type: ignore[arg-type]
    features: Any = dataset.features
    features = features.drop(list(table.without))
    train, test = split_rows(dataset.n_rows, job.split)
    X, X_test = features[train.tolist(), :], features[test.tolist(), :]

    def fit_and_predict() -> npt.NDArray[Any]:
        model = TableModel.fit(X, dataset.target[train], task=table.task, recipe=recipe)
        return model.predict(X_test)

    return _measured(fit_and_predict, table, dataset.target[train], dataset.target[test])


@dataclass(frozen=True)
class PandasRows:
    """A table as users of pandas have it: text columns are categories, empty cells are missing."""

    X: Any
    y: npt.NDArray[Any]
    X_test: Any
    y_test: npt.NDArray[Any]

    @property
    def categories(self) -> list[str]:
        """Return the columns that are not numbers."""
        return [name for name in self.X.columns if self.X[name].dtype == "category"]

    @property
    def numbers(self) -> list[str]:
        """Return the others."""
        return [name for name in self.X.columns if self.X[name].dtype != "category"]


def read_pandas(table: Table, split: int) -> PandasRows:
    """Read a table for the peers; categories are those of the training rows."""
    import pandas as pd

    labels = {} if table.regression else {table.target: str}
    frame = pd.read_csv(
        DATA / f"{table.name}.csv.gz", keep_default_na=False, na_values=[""], dtype=labels
    )
    y = frame[table.target].to_numpy(dtype=np.float64 if table.regression else object)
    X = frame.drop(columns=[table.target, *table.without])
    train, test = split_rows(len(frame), split)
    X, X_test = X.iloc[train].reset_index(drop=True), X.iloc[test].reset_index(drop=True)
    for name in X.columns:
        if not pd.api.types.is_numeric_dtype(X[name]) or X[name].dtype == bool:
            column = X[name].astype("category")
            X[name], X_test[name] = column, X_test[name].astype(column.dtype)
    return PandasRows(X, y[train], X_test, y[test])


def run_peer(job: Job) -> dict[str, Any]:
    """Measure another library."""
    table = table_named(job.table)
    peer = PEERS[job.learner]
    for package in peer.imports:
        importlib.import_module(package)
    rows = read_pandas(table, job.split)

    def fit_and_predict() -> npt.NDArray[Any]:
        return peer.fit_and_predict(rows, table, job)

    return _measured(fit_and_predict, table, rows.y, rows.y_test)


def _measured(
    fit_and_predict: Callable[[], npt.NDArray[Any]],
    table: Table,
    y: npt.NDArray[Any],
    y_test: npt.NDArray[Any],
) -> dict[str, Any]:
    began = time.perf_counter()
    answers = fit_and_predict()
    seconds = time.perf_counter() - began
    error = error_of(table, y_test, answers)
    return {"error": error, "seconds": seconds, "n_train": len(y), "n_test": len(y_test)}


def sklearn_mlp(rows: PandasRows, table: Table, job: Job) -> npt.NDArray[Any]:
    """Run scikit-learn's network behind the usual pipeline, with its default settings."""
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = ColumnTransformer(
        [("numbers", numbers, rows.numbers), ("categories", categories, rows.categories)]
    )
    network = (MLPRegressor if table.regression else MLPClassifier)(random_state=job.seed)
    model: Any = make_pipeline(columns, network)
    if table.regression:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    as_text = dict.fromkeys(rows.categories, object)
    model.fit(rows.X.astype(as_text), rows.y)
    return np.asarray(model.predict(rows.X_test.astype(as_text)))


def lightgbm(rows: PandasRows, table: Table, job: Job) -> npt.NDArray[Any]:
    """Run LightGBM, which takes pandas categories and missing cells as they are."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMRegressor if table.regression else LGBMClassifier
    model = kind(random_state=job.seed, n_jobs=job.threads, verbosity=-1)
    return np.asarray(model.fit(rows.X, rows.y).predict(rows.X_test))


def catboost(rows: PandasRows, table: Table, job: Job) -> npt.NDArray[Any]:
    """Run CatBoost, whose categories are text without missing cells."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    def as_text(frame: Any) -> Any:
        filled = {
            name: frame[name].astype(object).where(frame[name].notna(), "missing").astype(str)
            for name in rows.categories
        }
        return frame.assign(**filled)

    kind = CatBoostRegressor if table.regression else CatBoostClassifier
    model = kind(
        random_seed=job.seed, thread_count=job.threads, cat_features=rows.categories,
        verbose=False, allow_writing_files=False,
    )  # fmt: skip
    model.fit(as_text(rows.X), rows.y)
    return np.asarray(model.predict(as_text(rows.X_test))).ravel()


def realmlp(kind: str) -> Callable[[PandasRows, Table, Job], npt.NDArray[Any]]:
    """Return what runs pytabkit's RealMLP, which takes no missing numbers, so they are imputed."""

    def run(rows: PandasRows, table: Table, job: Job) -> npt.NDArray[Any]:
        from pytabkit.models.sklearn import sklearn_interfaces
        from sklearn.impute import SimpleImputer

        X, X_test, holes = rows.X, rows.X_test, rows.numbers
        if X[holes].isna().any(axis=None) or X_test[holes].isna().any(axis=None):
            imputer = SimpleImputer(strategy="median").set_output(transform="pandas")
            X = X.assign(**imputer.fit_transform(X[holes]))
            X_test = X_test.assign(**imputer.transform(X_test[holes]))
        name = f"{kind}_{'Regressor' if table.regression else 'Classifier'}"
        model = getattr(sklearn_interfaces, name)(
            device="cpu", random_state=job.seed, n_threads=job.threads, verbosity=0
        )
        return np.asarray(model.fit(X, rows.y).predict(X_test)).ravel()

    return run


@dataclass(frozen=True)
class Peer:
    """Another library: the packages whose versions count, and what is imported untimed."""

    packages: tuple[str, ...]
    imports: tuple[str, ...]
    fit_and_predict: Callable[[PandasRows, Table, Job], npt.NDArray[Any]]


_PYTABKIT = ("pytabkit", "torch"), ("pytabkit.models.sklearn.sklearn_interfaces", "sklearn.impute")
_SKLEARN = (
    "sklearn.compose", "sklearn.impute", "sklearn.neural_network", "sklearn.pipeline",
    "sklearn.preprocessing",
)  # fmt: skip

# Those that take longer come later, so that an interrupted run has whole columns.
PEERS = {
    "LightGBM": Peer(("lightgbm",), ("lightgbm",), lightgbm),
    "scikit-learn": Peer(("scikit-learn",), _SKLEARN, sklearn_mlp),
    "CatBoost": Peer(("catboost",), ("catboost",), catboost),
    "RealMLP-TD-S": Peer(*_PYTABKIT, realmlp("RealMLP_TD_S")),
    "RealMLP-TD": Peer(*_PYTABKIT, realmlp("RealMLP_TD")),
}


def run(job: Job) -> dict[str, Any]:
    """Measure, or say in one line why it could not be."""
    try:
        return run_peer(job) if job.learner in PEERS else run_deltaprop(job)
    except Exception as error:  # noqa: BLE001 - other people's code, and its failure is an answer
        return {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:300]}


def run_in_a_fork(job: Job) -> dict[str, Any]:
    """Measure in a process that is thrown away; add the seconds its cores worked."""
    ours, its = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        with os.fdopen(its, "w", encoding="utf-8") as answer:
            answer.write(json.dumps(run(job)))
        os._exit(0)
    os.close(its)
    with os.fdopen(ours, encoding="utf-8") as answer:
        said = answer.read()
    _, status, used = os.wait4(child, 0)
    try:
        result: dict[str, Any] = json.loads(said)
    except ValueError:
        ended = os.waitstatus_to_exitcode(status)
        result = {"failed": f"its process ended with status {ended}"}
    return {**result, "cpu": round(used.ru_utime + used.ru_stime, 3)}


def serve(learner: str, jobs: Iterable[str], answers: IO[str]) -> None:
    """Import what a learner needs, then answer one job after another.

    Nothing is imported for deltaprop: it takes half a second, and a library with threads of its
    own must not be forked.
    """
    if learner in PEERS:
        for package in PEERS[learner].imports:
            # what cannot be imported is the answer to each job
            with contextlib.suppress(ImportError):
                importlib.import_module(package)
    print("{}", file=answers, flush=True)
    for line in jobs:
        print(json.dumps(run_in_a_fork(Job(**json.loads(line)))), file=answers, flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    # a library that prints must not be taken for an answer
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as own:
        os.dup2(2, 1)
        serve(sys.argv[1], sys.stdin, own)
