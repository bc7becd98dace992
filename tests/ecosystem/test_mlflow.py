"""MLflow logs by hand and by itself, and gives back what it was given."""

import numpy as np
import pytest

mlflow = pytest.importorskip("mlflow")

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_experiment("tables")
    yield
    mlflow.sklearn.autolog(disable=True)


@pytest.mark.parametrize("form", ["skops", "cloudpickle"])
def test_a_model_comes_back(make, words, form, trusted):
    X, y = words
    model = make().fit(X, y)
    extra = {"skops_trusted_types": trusted} if form == "skops" else {}
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            model, name="model", serialization_format=form, input_example=X[:3], **extra
        )
    again = mlflow.sklearn.load_model(info.model_uri)
    assert again.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()
    served = mlflow.pyfunc.load_model(info.model_uri)
    assert np.array_equal(served.predict(X), model.predict(X))


def test_it_logs_by_itself_inside_a_pipeline(make, words):
    from sklearn.pipeline import make_pipeline

    X, y = words
    mlflow.sklearn.autolog(log_models=False)
    with mlflow.start_run() as run:
        model = make_pipeline(make()).fit(X, y)
    data = mlflow.get_run(run.info.run_id).data
    assert data.params["mlpclassifier__preset"] == model[-1].preset
    assert data.metrics["training_accuracy_score"] == pytest.approx(model.score(X, y))
