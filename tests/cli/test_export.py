"""``deltaprop export``: a model as a program of another world, from the command line."""

import sqlite3
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.table_models import Recipe
from deltaprop.tabular import load_dataset

PENGUINS = Path(__file__).resolve().parents[2] / "examples" / "data" / "penguins.csv"


@pytest.fixture(scope="module")
def penguins(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "penguins.safetensors"
    data = load_dataset(PENGUINS, "species")
    recipe = Recipe("plain", epochs=20)
    names = {"target_names": data.target_names, "recipe": recipe}
    dp.TableModel.fit(data.features, data.target, **names).save(path)
    return path


def test_a_model_as_a_query_answers_as_it_does(call, penguins, tmp_path):
    out = tmp_path / "penguins.sql"
    done = call("export", str(penguins), "--to", "sql", "--table", "penguins", "--key", "row",
                "--out", str(out))  # fmt: skip
    assert done.status == 0, done.err
    rows = pl.read_csv(PENGUINS, null_values=["NA", ""]).with_row_index("row")
    connection = sqlite3.connect(":memory:")
    names = ", ".join(f'"{name}"' for name in rows.columns)
    connection.execute(f"CREATE TABLE penguins ({names})")
    marks = ", ".join("?" * rows.width)
    connection.executemany(f"INSERT INTO penguins VALUES ({marks})", rows.rows())
    found = sorted(connection.execute(out.read_text("utf-8")).fetchall())
    said = dp.load(penguins).predict(rows.drop("row", "species"))
    assert [row[1] for row in found] == said.tolist()


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (["--to", "c", "--name", "birds"], "/* A network"), (["--to", "numpy"], '"""A network'),
        (["--to", "torch"], '"""A network'), (["--to", "sql"], "WITH x AS MATERIALIZED"),
    ],
)  # fmt: skip
def test_one_network_alone_is_printed_and_its_inputs_are_told(call, penguins, words, begins):
    done = call("export", str(penguins), "--member", "1", *words)
    assert done.status == 0
    assert done.out.startswith(begins)
    assert "Its inputs are the 12 numbers" in done.err


def test_a_network_that_python_saved(call, tmp_path):
    network = dp.Network([2, 3, 2])
    dp.save(tmp_path / "net", network, network.init(np.random.default_rng(0)))
    done = call("export", str(tmp_path / "net"), "--to", "numpy")
    names = {"__name__": "script"}
    exec(done.out, names)
    assert names["predict"]([[0.5, 1.0]]).shape == (1, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "cobol"], "No format is called 'cobol'"),
        (["--to", "onnx", "--member", "1"], "An ONNX graph is no text"),
        (["--to", "c"], "encodes its columns before its 1 networks see them"),
        (["--to", "c", "--member", "2"], "--member is 2"),
        (["--to", "sql", "--dialect", "oracle"], "no dialect 'oracle'"),
        (["--to", "c", "--member", "1", "--name", "a b"], "name is 'a b'"),
    ],
)
def test_what_it_cannot_be_is_said_in_a_sentence(call, penguins, words, said):
    done = call("export", str(penguins), *words)
    assert done.status == 2
    assert said in " ".join(done.err.split())


def test_no_file_is_lost(call, penguins, tmp_path):
    out = tmp_path / "there.sql"
    out.write_text("mine", "utf-8")
    words = ["export", str(penguins), "--to", "sql", "--out", str(out)]
    assert call(*words).status == 2
    assert out.read_text("utf-8") == "mine"
    assert call(*words, "--force").status == 0
    assert call("export", str(penguins), "--to", "sql", "--out", str(penguins)).status == 2


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_estimator_is_exported_as_its_network(call, tmp_path, rng):
    pytest.importorskip("sklearn")
    X, y = rng.normal(size=(60, 3)), rng.integers(2, size=60)
    model = dp.MLPClassifier((4,), max_iter=3).fit(X, y)
    model.save(tmp_path / "estimator")
    done = call("export", str(tmp_path / "estimator"), "--to", "numpy")
    assert done.status == 0, done.err
    names = {"__name__": "script"}
    exec(done.out, names)
    p = names["predict"](X)
    found = p[:, -1]
    np.testing.assert_allclose(found, model.predict_proba(X)[:, 1], atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_model_as_a_graph_answers_as_it_does(call, penguins, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    out = tmp_path / "penguins.onnx"
    done = call("export", str(penguins), "--to", "onnx", "--out", str(out))
    assert done.status == 0, done.err
    rows = pl.read_csv(PENGUINS, null_values=["NA", ""]).drop("species")
    session = runtime.InferenceSession(out, providers=["CPUExecutionProvider"])
    given = {}
    for each in session.get_inputs():
        cells = rows[each.name]
        is_text = "string" in each.type
        filled = cells.cast(pl.String).fill_null("") if is_text else cells.cast(pl.Float64)
        array = np.array(filled.to_list(), dtype=object if is_text else float)
        given[each.name] = array.reshape(-1, 1)
    (label,) = session.run(["label"], given)
    assert label.tolist() == dp.load(penguins).predict(rows).tolist()
