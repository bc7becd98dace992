"""skops writes an estimator and reads it, once its types are trusted."""

import pytest

import deltaprop as dp

io = pytest.importorskip("skops.io")


@pytest.mark.parametrize("kind", [dp.MLPClassifier, dp.MLPRegressor])
@pytest.mark.parametrize("table", ["numbers", "words"])
def test_an_estimator_comes_back(make, request, kind, table, tmp_path, trusted):
    X, y = request.getfixturevalue(table)
    y = y if kind is dp.MLPClassifier else X["height"]
    model = make(kind).fit(X, y)
    io.dump(model, tmp_path / "model.skops")
    unknown = io.get_untrusted_types(file=tmp_path / "model.skops")
    assert set(unknown) <= set(trusted), set(unknown) - set(trusted)
    again = io.load(tmp_path / "model.skops", trusted=trusted)
    assert again.predict(X).tobytes() == model.predict(X).tobytes()
