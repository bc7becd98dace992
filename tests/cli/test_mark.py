"""``deltaprop mark``: verdicts on the terminal, as JSON and as exit status."""

import json

import pytest

EXAMPLE = {
    "title": "homework",
    "layers": [
        {"W": [[0.5, 2.3], [1.5, 3.0]], "activation": "identity"},
        {"W": [[1.0], [1.0]], "activation": "identity"},
    ],
    "loss": "half_squared_error",
    "x": [[1.0, 0.5]],
    "targets": [[4.0]],
    "learning_rate": 0.1,
}
YAML = """
layers:                                   # W[in][out]; z = x W + b; b may be absent
  - {W: [[0.5, 2.3], [1.5, 3.0]], activation: identity}
  - {W: [[1.0], [1.0]], activation: identity}
loss: half_squared_error                  # loss_reduction: mean (default) | sum, over samples
x: [[1, 0.5]]
targets: [[4]]
learning_rate: 0.1
optimizer: gradient_descent
l2: 0
train_biases: true
claims:                                   # what somebody says the numbers are; all optional
  z.1: [[1.25, 3.8]]                      # quantity.layer, layers counted from 1
  a.2: [[5.05]]
  loss: 0.55125
  delta.2: [[1.05]]
  dW.2: [[1.3125], [3.99]]
  W.2.after: [[0.86875], [0.601]]
  loss.after: 0.3388
"""


@pytest.fixture
def put(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    return write


def claiming(**claims):
    return {**EXAMPLE, "claims": {key.replace("_", "."): value for key, value in claims.items()}}


def test_a_right_working_ends_with_status_0(put, call):
    called = call("mark", put("page.yaml", YAML))
    assert called.status == 0
    assert called.err == ""
    assert "10 numbers: 10 right" in called.out
    assert "wrong" not in called.out


def test_a_wrong_one_is_named_and_ends_with_status_1(put, call):
    called = call("mark", put("x.json", claiming(delta_2=[[-1.05]], dW_2=[[-1.3125], [-3.99]])))
    assert called.status == 1
    assert called.err == ""
    assert "wrong: sign" in called.out
    assert "homework" in called.out
    assert max(map(len, called.out.splitlines())) <= 80
    assert "\033" not in called.out


def test_json_holds_every_verdict(put, call):
    wrong = claiming(delta_2=[[-1.05]], loss_after=0.34) | {"conventions": "house"}
    called = call("mark", put("x.json", wrong), "--json")
    assert called.status == 1
    facts = called.json
    assert (facts["ok"], facts["mistakes"]) == (False, ["sign"])
    assert {m["claim"]: m["verdict"] for m in facts["marks"]} == {
        "delta.2": "wrong",
        "loss.after": "right, rounded",
    }
    assert call("mark", put("y.json", claiming(loss=0.55125)), "--json").json["ok"] is True


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("mazur_2015", 1, "wrong: updated_weights"),
        ("prakash_jay_relu_sigmoid_softmax_original", 1, "wrong: softmax_without_exp"),
        ("hmkcode_linear_2_2_1", 0, "right, rounded"),
        ("tutorial", 0, "15 right"),
    ],
)
def test_published_workings(shared, call, name, status, words):
    called = call("mark", shared / "worked_examples" / "claims" / f"{name}.json")
    assert called.status == status
    assert words in called.out
    assert max(map(len, called.out.splitlines())) <= 80


def test_the_help_has_an_example_and_fits(call):
    called = call("mark", "--help")
    assert called.status == 0
    assert "Example: deltaprop mark" in called.out
    assert max(map(len, called.out.splitlines())) <= 80
    assert "mark" in call("--help").out


ESCAPE = "\033[31mred"
BAD = {
    "no file": ("nowhere.json", None, ["nowhere.json", "does not exist", "JSON or YAML"]),
    "a misspelt file": ("good.jsno", None, ["does not exist", "Did you mean 'good.json'"]),
    "a folder": (".", None, ["is a folder"]),
    "an empty file": ("x.json", "", ["x.json", "not valid JSON"]),
    "broken JSON": ("x.json", '{"layers": [', ["x.json", "not valid JSON"]),
    "broken YAML": ("x.yaml", "layers: [", ["x.yaml", "not valid YAML"]),
    "a YAML tag": ("x.yaml", "!!python/object/apply:os.system ['true']", ["not valid YAML"]),
    "binary": ("x.json", bytes(range(256)), ["x.json", "cannot be read"]),
    "a list": ("x.json", "[1, 2]", ["x.json", "no worked example"]),
    "deep nesting": ("x.json", "[" * 100_000, ["x.json", "not valid JSON"]),
    "a long integer": ("x.json", "1" * 5000, ["x.json", "not valid JSON"]),
    "no claims": ("x.json", EXAMPLE, ["x.json", "claims is nothing"]),
    "an unknown claim": ("x.json", claiming(zz_1=[[1.0]]), ["x.json", "'zz.1'", "Did you mean"]),
    "a claim of another shape": ("x.json", claiming(z_1=[[1.0]]), ["z.1", "expected 1 row of 2"]),
    "a claimed word": ("x.json", claiming(loss=ESCAPE), ["loss", "expected a number"]),
    "a claimed NaN": ("x.json", claiming(loss=float("nan")), ["loss", "expected a number"]),
    "a claimed 1e999": ("x.yaml", YAML.replace("0.55125", "1e999"), ["loss", "expected a number"]),
    "an unknown optimizer": ("x.json", {**claiming(loss=1), "optimizer": "adm"}, ["'adam'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_paragraph_and_status_2(put, call, case):
    name, content, words = BAD[case]
    put("good.json", claiming(loss=0.55))
    if content is not None:
        put(name, content)
    called = call("mark", name)
    assert called.status == 2
    assert called.out == ""
    assert called.err.startswith("deltaprop: ")
    assert len(called.err.strip().splitlines()) == 1
    assert "mistake in deltaprop" not in called.err
    assert "\033" not in called.err
    for word in words:
        assert word in called.err


def test_a_misspelt_option_is_a_usage_error(put, call):
    called = call("mark", put("x.json", claiming(loss=0.5)), "--jsn")
    assert called.status == 2
    assert "--jsn" in called.err


def test_a_class_has_a_table_pages_and_a_status(put, call, tmp_path):
    (tmp_path / "class" / "b").mkdir(parents=True)
    put("class/anna.yaml", YAML)
    right = call("mark", "--class", "class", "--out", "pages")
    assert (right.status, right.err) == (0, "1 page written to pages\n")
    assert "papers: 1. All right: 1" in right.out
    put("class/b/bob.json", claiming(delta_2=[["-1.05"]]))
    wrong = call("mark", "--class", "class", "--json")
    assert wrong.status == 1
    assert wrong.json["mistakes"] == [
        {
            "mistake": "sign",
            "description": "gradient ascent, or t - y used as the gradient",
            "count": 1,
            "papers": ["b/bob.json"],
        }
    ]
    assert [paper["page"] for paper in wrong.json["papers"]] == ["anna.html", "b-bob.html"]
    put("class/cy.json", "no JSON")
    chinese = call("mark", "--class", "class", "--out", "pages", "--language", "zh")
    assert chinese.status == 2
    assert "做成了梯度上升" in chinese.out
    assert {path.name for path in (tmp_path / "pages").iterdir()} == {
        "anna.html", "b-bob.html", "cy.html",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "one worked example, or --class"),
        (["mazur", "--class", "."], "one worked example, or --class"),
        (["mazur", "--out", "x"], "--out is the folder for the pages of --class"),
        (["--class", "nowhere"], "nowhere is no folder"),
        (["--class", ".", "--out", "pages"], "inside the folder of the papers"),
        (["--class", ".", "--language", "fr"], "No language is called 'fr'"),
    ],
)
def test_what_no_class_is_marked_by(put, call, words, says):
    put("a.yaml", YAML)
    called = call("mark", *words)
    assert (called.status, called.out) == (2, "")
    assert says in called.err
    assert called.err.count("\n") == 1
