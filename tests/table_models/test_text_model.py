"""Tables with a column of text, from the sentences to the answer and its explanation."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import deltaprop as dp
from deltaprop.errors import ColumnError, OutputError
from deltaprop.tabular import SparseRows, TableEncoder, TableWarning

QUICK = dp.Recipe(epochs=12, hidden=(8,), dropout=0.0)
GOOD = ["wonderful", "lovely", "moving", "brilliant", "funny"]
BAD = ["dull", "noisy", "clumsy", "tired", "boring"]
N = 120


@pytest.fixture(scope="module")
def table():
    """Reviews whose adjective tells the answer, with a number and a category beside them."""
    rng = np.random.default_rng(5)
    answers = ["good" if i % 2 else "bad" for i in range(N)]
    things = ["film", "plot", "cast", "music", "ending", "dog", "song", "hero"]
    openings = ["The {} in it was so {}.", "We found the {} rather {} indeed.",
                "What a {} that is, how {}!", "I must say, the {} seemed {} to me."]  # fmt: skip
    reviews: list[str | None] = [
        rng.choice(openings).format(rng.choice(things), rng.choice(GOOD if a == "good" else BAD))
        + f" Seen on day {i}."
        for i, a in enumerate(answers)
    ]
    reviews[7] = None
    return {
        "price": rng.normal(size=N).tolist(),
        "review": reviews,
        "cinema": rng.choice(["north", "south", "west"], size=N).tolist(),
    }, answers


@pytest.fixture(scope="module")
def model(table):
    return dp.TableModel.fit(*table, target_names=["verdict"], recipe=QUICK)


NEW = {
    "price": [0.0, 0.0],
    "review": ["A brilliant and lovely evening.", "So tired, so boring."],
    "cinema": ["north", "south"],
}


def test_the_words_are_learnt(model):
    assert model.inputs.columns[1].kind == "text"
    assert model.predict(NEW).tolist() == ["good", "bad"]
    assert (model.predict_proba(NEW).max(axis=1) > 0.6).all()


def test_held_out_rows_do_not_choose_the_vocabulary(table):
    features, answers = table
    rows = features["review"][:100] + [f"{r} xylophone xylophone" for r in features["review"][100:]]
    split = {name: cells[:100] for name, cells in features.items()}
    held = {name: cells[100:] for name, cells in features.items()} | {"review": rows[100:]}
    fitted = dp.TableModel.fit(split, answers[:100], validation=(held, answers[100:]), recipe=QUICK)
    assert not any("xylophone" in name for name in fitted.inputs.output_names)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_sparse_and_dense_rows_give_the_same_model(table, task, monkeypatch):
    features, answers = table
    target = answers if task == "classification" else [float(len(a)) + i / N for i, a in
                                                       enumerate(answers)]  # fmt: skip
    recipe = dp.Recipe(epochs=4, hidden=(8,), dropout=0.0, engine="reference")
    sparse = dp.TableModel.fit(features, target, recipe=recipe)
    assert isinstance(sparse.encode(features), SparseRows)
    transform = TableEncoder.transform
    monkeypatch.setattr(
        TableEncoder, "transform", lambda self, *a, **k: transform(self, *a, **k).toarray()
    )
    dense = dp.TableModel.fit(features, target, recipe=recipe)
    np.testing.assert_array_equal(dense.parameters.flat, sparse.parameters.flat)
    p = dense.predict(NEW)
    monkeypatch.undo()
    again = sparse.predict(NEW)
    if task == "classification":
        assert again.tolist() == p.tolist()
    else:
        np.testing.assert_allclose(again, p, rtol=1e-6)


def test_the_engines_agree_on_sparse_rows(table):
    flats = [
        dp.TableModel.fit(
            *table, recipe=dp.Recipe(epochs=3, hidden=(8,), dropout=0.0, engine=engine)
        ).parameters.flat
        for engine in ("native", "reference")
    ]
    np.testing.assert_allclose(*flats, rtol=1e-3, atol=1e-4)


FRAMES = [pd.DataFrame, pl.DataFrame, pa.table, dict, lambda c: pl.DataFrame(c).to_dicts()]


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars", "pyarrow", "dict", "records"])
def test_every_kind_of_table_holds_text(table, model, frame):
    np.testing.assert_array_equal(
        model.predict_proba(frame(table[0])), model.predict_proba(table[0])
    )


def test_a_column_of_text_is_enough(table):
    features, answers = table
    alone = {"review": features["review"]}
    fitted = dp.TableModel.fit(alone, answers, recipe=QUICK)
    assert fitted.predict({"review": NEW["review"]}).tolist() == ["good", "bad"]
    assert fitted.evaluate(alone, answers).figures["accuracy"] > 0.9


def test_cells_without_a_known_word_are_answered(model):
    cells = [None, "", "?!", "qqfpt", "😀" * 10, "\x00\u202e", "很好看", "x" * 100_000]
    n = len(cells)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TableWarning)
        p = model.predict_proba({"price": [0.0] * n, "review": cells, "cinema": ["north"] * n})
    np.testing.assert_allclose(p, np.tile(p[0], (n, 1)), rtol=1e-12)


def test_a_missing_text_column_is_named(model):
    with pytest.raises(ColumnError, match="lacks column 'review'"):
        model.predict({"price": [1.0], "cinema": ["north"]})


def test_chinese_sentences_are_learnt():
    good, bad = ["好看", "好听", "感人", "温暖"], ["难看", "吵闹", "无聊", "失望"]
    answers = [i % 2 for i in range(80)]
    cells = [
        f"第{i}次看这部电影，觉得非常{(good if a else bad)[i // 2 % 4]}，下次再说。"
        for i, a in enumerate(answers)
    ]
    fitted = dp.TableModel.fit({"评论": cells}, answers, recipe=QUICK)
    assert fitted.predict({"评论": ["真感人，很好听", "太吵闹了，无聊"]}).tolist() == [1, 0]
    assert '评论: "好看"' in fitted.inputs.output_names


# kept


def test_a_saved_model_answers_alike(model, table, tmp_path):
    path = tmp_path / "text.safetensors"
    model.save(path)
    again = dp.load(path)
    assert again.inputs == model.inputs
    np.testing.assert_array_equal(again.predict_proba(table[0]), model.predict_proba(table[0]))


SCRIPT = """
import json, sys
import deltaprop as dp
model = dp.load(sys.argv[1])
print(json.dumps(model.predict_proba(json.load(sys.stdin)).tolist()))
"""


@pytest.mark.rest
def test_another_process_answers_alike(model, tmp_path):
    path = tmp_path / "text.safetensors"
    model.save(path)
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path)], input=json.dumps(NEW), text=True,
            capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert json.loads(done.stdout) == model.predict_proba(NEW).tolist()


def test_a_vocabulary_that_does_not_fit_the_network_is_not_written(model, tmp_path, monkeypatch):
    path = tmp_path / "text.safetensors"
    to_dict = TableEncoder.to_dict

    def without_a_word(self):
        values = to_dict(self)
        vocabulary = values["columns"][1]["vocabulary"]
        del vocabulary["words"][0], vocabulary["word_cells"][0]
        return values

    monkeypatch.setattr(TableEncoder, "to_dict", without_a_word)
    with pytest.raises(OutputError, match="its table does not fit its network"):
        model.save(path)
    assert not path.exists()


def test_best_is_the_mean_of_several(table, tmp_path):
    recipe = dp.Recipe(preset="best", epochs=12, hidden=(8,), dropout=0.0)
    model = dp.TableModel.fit(*table, recipe=recipe)
    assert len(model.members) == 6
    assert model.n_val == N  # every row is judged by a network that has not seen it
    assert model.predict(NEW).tolist() == ["good", "bad"]
    path = tmp_path / "text.safetensors"
    model.save(path)
    np.testing.assert_array_equal(dp.load(path).predict_proba(NEW), model.predict_proba(NEW))


def test_a_run_goes_on_from_its_checkpoint(table, tmp_path):
    class KilledError(Exception):
        pass

    def stop(state):
        if state.epoch == 4:
            raise KilledError

    path = tmp_path / "run.checkpoint"
    whole = dp.TableModel.fit(*table, recipe=QUICK)
    with pytest.raises(KilledError):
        dp.TableModel.fit(*table, recipe=QUICK, checkpoint=path, callbacks=[stop])
    resumed = dp.TableModel.fit(*table, recipe=QUICK, checkpoint=path, resume=True)
    np.testing.assert_array_equal(resumed.parameters.flat, whole.parameters.flat)


# explained


def row(table, i):
    return {name: cells[i : i + 1] for name, cells in table[0].items()}


def test_an_explanation_names_the_words_of_the_row_and_no_others(table, model):
    i = 3
    told = model.explain(row(table, i), [table[1][i]])
    x = told.trace.a[0][0]
    names = model.inputs.output_names
    for text in (told.to_terminal(detail="overview"), told.to_svg(), told.to_markdown()):
        absent = [n for n, v in zip(names, x, strict=True) if not v and n.startswith("review: ")]
        assert absent
        assert not any(name in text for name in absent)
    shown = told.to_terminal(detail="overview")
    strongest = [names[j] for j in np.argsort(-np.abs(x))[:5]]
    assert all(name[:20] in shown for name in strongest)  # longer ones are clipped
    assert max(map(len, shown.splitlines())) <= 80


def test_the_numbers_of_an_explanation_are_made_of_words_that_are_there(table, model):
    told = model.explain(row(table, 3), [table[1][3]])
    x = told.trace.a[0][0]
    steps = told.only("z.1[0,2]").steps
    used = {name for step in steps for name in step.operands if name.startswith("x[0,")}
    assert used
    assert all(x[int(name[4:-1])] != 0 for name in used)
    (z,) = (step for step in steps if step.id == "z.1[0,2]")
    assert z.value == pytest.approx(told.trace.z[0][0, 2])
    assert told.only("dW.1[0,0]", "z.1[0,2]", "loss").proof["loss"].verdict == "right"


def test_a_row_without_a_known_word_is_explained():
    animals = ["dog", "cat", "fox", "cow", "pig", "hen", "owl", "ant", "bee", "bat", "ram"]
    cells = [f"This is the {age} {animal} we saw." for age in ("old", "new") for animal in animals]
    fitted = dp.TableModel.fit(
        {"c": cells},
        [i % 2 for i in range(22)],
        recipe=dp.Recipe(preset="plain", epochs=2, hidden=(8,)),
    )
    told = fitted.explain({"c": ["?"]}, [1])
    assert not told.trace.a[0].any()
    assert "more)" in told.to_terminal(detail="overview")
    assert told.only("z.1[0,0]").steps[0].value == fitted.parameters.b[0][0]
