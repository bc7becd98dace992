"""A table becomes the same numbers in both doors, and everything else is refused in a sentence."""

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from deltaprop.errors import DeltapropError
from deltaprop.studio.frames import unpacked
from deltaprop.studio.session import Session
from deltaprop.studio.tables import Choice, mixed_order, opened_bytes, opened_file, principal_axes
from deltaprop.studio.typed_columns import BUILT_IN, built_in_table, packed_table, rules
from helpers.studio_modules import answer_of_modules

PENGUINS = "examples/data/penguins.csv"
# a table in the page: from the bytes of a file, or from columns as a page holds them
CHOSEN = """
const cells = await of("cells");
const { chosen } = await of("tables");
const floats = (all) =>
  Object.fromEntries(
    Object.entries(all).map(([k, v]) => [k, Float64Array.from(v, (x) => x ?? NaN)]));
const table = given.bytes
  ? cells.tableOfBytes(Uint8Array.from(given.bytes), given.name, given.bytes.length, given.rules)
  : cells.tableOfColumns(given.told, floats(given.arrays));
const answers = given.choices.map((choice) => {
  try {
    const { told, training, held } = chosen(table, choice, given.rules);
    const part = (each) => each && { x: Array.from(each.x), answers: Array.from(each.answers) };
    return { told, training: part(training), held: part(held) };
  } catch (error) {
    return error.said ?? String(error.stack);
  }
});
console.log(JSON.stringify(answers));
"""


def choice(target="", task="", without=(), held=0.25, seed=1):
    return {
        "target": target, "task": task, "without": list(without), "held": held, "seed": seed
    }  # fmt: skip


def in_the_page(choices, **given):
    return answer_of_modules(CHOSEN, rules=rules(), choices=choices, **given)


def at_the_server(opened, wish):
    return opened.choose(Choice(**{**wish, "without": frozenset(wish["without"])}))


def assert_same(page, server):
    told = server.told
    for name in ("rows", "taken", "target", "task", "targets", "classes"):
        assert page["told"][name] == told[name], name
    assert page["told"]["inputs"] == [list(each) for each in told["inputs"]]
    assert (page["told"]["picture"] or None) == (told["picture"] and list(told["picture"]))
    assert [c["missing"] for c in page["told"]["columns"]] == [
        c["missing"] for c in told["columns"]
    ]
    for own, others in (("training", server.training), ("held", server.held)):
        if others is None:
            assert page[own] is None
            continue
        x = np.array(page[own]["x"]).reshape(others.x.shape)
        np.testing.assert_allclose(x, others.x, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(page[own]["answers"], others.t.reshape(-1), atol=1e-12)


WISHES = [
    choice(),
    choice(without=["island", "sex"], held=0, seed=7),
    choice("body_mass_g", held=0.5),
    choice("sex"),
    choice("flipper_length_mm", "classes", held=0.1),
]


@pytest.mark.parametrize("how", ["bytes", "columns"])
def test_both_doors_make_the_same_numbers_of_penguins(how):
    content = Path(PENGUINS).read_bytes()
    opened = opened_file(PENGUINS)
    if how == "bytes":
        given = {"bytes": list(content), "name": "penguins.csv"}
    else:
        told, arrays = unpacked(gzip.decompress(base64.b64decode(packed_table(opened))))
        floats = {k: [None if x != x else float(x) for x in v] for k, v in arrays.items()}
        given = {"told": told, "arrays": floats}
    for page, wish in zip(in_the_page(WISHES, **given), WISHES, strict=True):
        assert_same(page, at_the_server(opened, wish))


def made(rng, n=200):
    """Return a table with everything that both doors read."""
    words = rng.choice(["red", "green", "blue", "NA", ""], n)
    rare = rng.choice([f"w{i}" for i in range(60)], n)
    rows = ["number,same,sames,two,truth,word,rare,name,count,code,target"]
    for i in range(n):
        number = "" if rng.random() < 0.1 else f"{rng.normal() * 1e3:.5g}"
        rows.append(
            f"{number},7,{'x' if i % 3 else ''},{'ab'[i % 2]},{['True', 'false'][i % 5 == 0]},"
            f"{words[i]},{rare[i]},name {i},{rng.integers(4)},0{rng.integers(10, 20)},"
            f"{rng.integers(3)}"
        )
    return "\n".join(rows).encode()


def test_both_doors_make_the_same_of_every_kind_of_column(rng):
    content = made(rng)
    opened = opened_bytes(content, "made.csv")
    wishes = [choice(seed=seed) for seed in range(3)]
    pages = in_the_page(wishes, bytes=list(content), name="made.csv")
    for page, wish in zip(pages, wishes, strict=True):
        assert_same(page, at_the_server(opened, wish))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", BUILT_IN)
def test_what_comes_with_the_package_is_the_same_in_both_doors(name):
    opened = built_in_table(name)
    told, arrays = unpacked(gzip.decompress(base64.b64decode(packed_table(opened))))
    floats = {k: [None if x != x else float(x) for x in v] for k, v in arrays.items()}
    (page,) = in_the_page([choice()], told=told, arrays=floats)
    server = at_the_server(opened, choice())
    assert_same(page, server)
    assert server.told["picture"] == ((8, 8) if name == "digits" else None)


def test_what_is_fitted_is_fitted_to_the_rows_that_are_learnt_from():
    opened = opened_file(PENGUINS)
    chosen = at_the_server(opened, choice(without=["sex", "island"], held=0.5))
    place = [name for name, _ in chosen.told["inputs"]].index("body_mass_g")
    assert np.median(chosen.training.x[:, place]) == pytest.approx(0)


@pytest.mark.one_in(9)
@pytest.mark.parametrize("n", [1, 2, 77, 5000])
def test_both_doors_mix_rows_alike(n):
    script = """
const { mixedOrder } = await of("random");
console.log(JSON.stringify(Array.from(mixedOrder(given.n, given.seed))))"""
    for seed in (0, 1, 2**32 - 1):
        found = answer_of_modules(script, n=n, seed=seed)
        assert found == mixed_order(n, seed).tolist()
        assert sorted(found) == list(range(n))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("shape", [(40, 1), (30, 2), (300, 12), (60, 200)])
def test_principal_axes_are_those_of_numpy(shape, rng):
    x = rng.normal(size=shape) * 1.1 ** -np.arange(shape[1])
    script = """
const { principalAxes } = await of("axes");
const { mean, axes } = principalAxes(Float64Array.from(given.x), given.width, 400000);
console.log(JSON.stringify([Array.from(mean), Array.from(axes)]))"""
    mean, axes = answer_of_modules(script, x=x.ravel().tolist(), width=shape[1])
    expected_mean, expected = principal_axes(x)
    np.testing.assert_allclose(mean, expected_mean, atol=1e-12)
    np.testing.assert_allclose(np.reshape(axes, (2, -1)), expected, atol=1e-5)
    _, _, directions = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    n = min(2, shape[1])
    np.testing.assert_allclose(np.abs(expected[:n] @ directions[:n].T), np.eye(n), atol=1e-9)


BAD = {
    "table binary": b"\x89PNG\r\n\x00\x00\x01",
    "table empty": b"  \n\n",
    "table only header": b"a,b,c\n",
    "table one column": b"a\n1\n2\n",
    "table ragged": b"a,b\n1,2\n3\n4,5\n",
    "table name twice": b"a,a\n1,2\n3,4\n",
    "target constant": b"a,b\n1,2\n3,2\n5,2\n",
}


@pytest.mark.rest
@pytest.mark.parametrize("key", BAD)
def test_what_is_no_table_is_refused_in_both_doors(key):
    script = CHOSEN.replace("const table =", "let table; try { table =").replace(
        "const answers =",
        "} catch (error) { console.log(JSON.stringify([error.said])); process.exit(); }\n"
        "const answers =",
    )  # fmt: skip
    (said,) = answer_of_modules(
        script, rules=rules(), choices=[choice()], bytes=list(BAD[key]), name="t.csv"
    )
    assert said["key"] in (key, "no column says anything") or key == "target constant"
    with pytest.raises(DeltapropError):
        at_the_server(opened_bytes(BAD[key], "t.csv"), choice())


@pytest.mark.parametrize(
    ("asked", "arrays"),
    [
        ({"form": "file", "name": "x.csv"}, {}),
        ({"form": "file", "name": "/etc/passwd"}, {}),
        ({"form": "built in", "name": "../penguins"}, {}),
        ({"form": "own", "name": "own"}, {}),
        ({"form": "file", "name": "x"}, {"file": np.frombuffer(b"\x80\x05\x95cos", np.uint8)}),
    ],
)
def test_a_page_opens_nothing_but_what_it_sends(asked, arrays):
    session = Session()
    with pytest.raises(DeltapropError):
        session.answer("openTable", asked, arrays)
    with pytest.raises(DeltapropError):
        session.answer("choose", choice(), {})


def test_a_server_trains_on_the_rows_of_a_table():
    session = Session("zh", opened_file(PENGUINS))
    session.answer("openTable", {"form": "own", "name": "own"}, {})
    told, sample = session.answer("choose", choice(), {})
    assert told["why"] == "目标是文字"
    n_in = len(told["inputs"])
    plan = {
        "sizes": [n_in, 3], "activations": [], "loss": "cross_entropy", "l2": 0.0, "l1": 0.0,
        "optimizer": {"name": "gradient_descent"}, "learningRate": 0.1, "batchSize": 16, "seed": 1,
    }  # fmt: skip
    flat = np.zeros(3 * (n_in + 1))
    session.answer("begin", {"plan": plan, "table": True}, {"parameters": flat})
    session.answer("go", {"steps": 400}, {})
    asked = {"since": -1, "plane": None, "parameters": True, "outputs": False}
    answer, _ = session.answer("frame", asked, {})
    assert answer["figures"]["heldRight"] > 0.95
    _, arrays = session.answer("trace", {}, {})
    assert arrays["x"].size == 16 * n_in or arrays["x"].size % n_in == 0
    assert sample["x"].size == 258 * n_in


def test_a_table_that_is_large_comes_to_the_page_in_part():
    content = b"a,b,y\n" + b"".join(b"%d,%d,%d\n" % (i, i % 7, i % 2) for i in range(300_000))
    packed = packed_table(opened_bytes(content, "large.csv"))
    assert len(packed) < 3_000_000
    told, arrays = unpacked(gzip.decompress(base64.b64decode(packed)))
    assert told["notes"] == [["note sampled", {"rows": 300_000, "taken": 250_000}]]
    assert len(arrays["c0"]) == 250_000
    assert json.dumps(told)
