"""Fitted estimators are copied, sent to other processes, and asked by many threads."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest

import deltaprop as dp
from deltaprop import errors

RNG = np.random.default_rng(0)
N = 60
X = pd.DataFrame(
    {
        "number": RNG.normal(size=N),
        "word": RNG.choice(["red", "green", "blue"], N),
        "gaps": np.where(np.arange(N) % 9 == 0, np.nan, RNG.normal(size=N)),
    }
)
Y = np.where(X["number"] > 0, "yes", "no")


@pytest.fixture(scope="module", params=[None, "fast", "best"])
def model(request):
    settings = {} if request.param == "best" else {"hidden_layer_sizes": (6,)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = dp.MLPClassifier(preset=request.param, max_iter=2, random_state=0, **settings)
        return kind.fit(X, Y)


def answer(model):
    return model.predict_proba(X).tobytes()


def test_copies_predict_the_same(model):
    for again in (copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):
        assert answer(again) == answer(model)


def test_cloudpickle_keeps_it(model):
    cloudpickle = pytest.importorskip("cloudpickle")
    assert answer(pickle.loads(cloudpickle.dumps(model))) == answer(model)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
@pytest.mark.one_in(5)
def test_joblib_predicts_with_every_backend(model, backend):
    if model.preset == "best" and backend == "loky":
        pytest.skip("its processes take long to start; two presets are enough")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        found = joblib.Parallel(n_jobs=2, backend=backend)(
            joblib.delayed(answer)(model) for _ in range(3)
        )
    assert set(found) == {answer(model)}


def test_eight_threads_predict_at_once(model):
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: answer(model), range(24)))
    assert found == {answer(model)}


@pytest.mark.slow
@pytest.mark.usefixtures("search_in_full")  # as in those processes
def test_a_grid_search_in_two_processes():
    from sklearn.model_selection import GridSearchCV

    kind = dp.MLPClassifier((6,), preset="fast", max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        searches = [
            GridSearchCV(kind, {"learning_rate_init": [1e-3, 1e-2]}, cv=2, n_jobs=n).fit(X, Y)
            for n in (1, 2)
        ]
    one, two = (search.cv_results_["mean_test_score"].tolist() for search in searches)
    assert one == two


def kinds_of(error):
    yield error
    for kind in error.__subclasses__():
        yield from kinds_of(kind)


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownNameError("activation", "rleu", ["relu"]),
        errors.MissingExtraError("PyTorch", "torch"),
        *(
            kind("what is wrong")
            for kind in kinds_of(errors.DeltapropError)
            if kind not in (errors.UnknownNameError, errors.MissingExtraError)
            and "__init__" not in vars(kind)
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_reach_another_process(error):
    """A pool of processes hangs on an error that cannot be copied."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
