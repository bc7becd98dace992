"""dask-ml predicts blocks of a large table, and learns from block after block."""

import numpy as np
import pytest

pytest.importorskip("dask_ml")
dd = pytest.importorskip("dask.dataframe")


def test_blocks_are_predicted(make, numbers):
    from dask_ml.wrappers import ParallelPostFit

    X, y = numbers
    model = ParallelPostFit(make(), predict_meta=np.array(["yes"])).fit(X, y)
    found = model.predict(dd.from_pandas(X, npartitions=3)).compute()
    assert np.array_equal(found, model.predict(X))


def test_blocks_are_learnt(numbers):
    import dask.array as da
    from dask_ml.wrappers import Incremental

    import deltaprop as dp

    X, y = numbers
    blocks = da.from_array(X.to_numpy(), chunks=(40, 3)), da.from_array(y, chunks=40)
    model = Incremental(dp.MLPClassifier((16,), learning_rate_init=0.05, random_state=0))
    for _ in range(15):
        model.partial_fit(*blocks, classes=["no", "yes"])
    assert np.mean(model.estimator_.predict(X.to_numpy()) == y) > 0.8
