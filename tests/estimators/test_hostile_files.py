"""Files that somebody changed: opened or refused with a sentence, in bounded time; nothing else.

Every mutation is a number, from which alone it is drawn; what once led somewhere it should not is
kept in `FOUND` and tried each time.
"""

import contextlib
import copy
import difflib
import functools
import importlib.util
import json
import random
import resource
import signal
import struct
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

import deltaprop as dp
from deltaprop.errors import DeltapropError, ModelFileError
from deltaprop.model import sealed
from deltaprop.model.serialize import SavedModel

_SPEC = importlib.util.spec_from_file_location(
    "make_models", Path(__file__).parents[1] / "fixtures" / "make_models.py"
)
make_models = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_models)

FOLDER = max(make_models.HERE.glob("models-*"))
SAYS = json.loads((FOLDER / "predictions.json").read_text("utf-8"))["says"]
KNOWN = {
    f"{prefix} {name}": (fit, name)
    for prefix, known, fit in (
        ("table", make_models.MODELS, make_models.table_model),
        ("mlp", make_models.ESTIMATORS, make_models.fitted_estimator),
    )
    for name in known
}
SOME = {f"{prefix} {name}" for prefix in ("table", "mlp")
        for name in ("fast words", "best words", "every setting", "fast labels")}  # fmt: skip
# files of the kinds that the last version did not write yet, and of some that it did
NEWER = [f"{name} now" for name in KNOWN if name not in SAYS or name in SOME]
RUNS = [name for name in SAYS if name.startswith("run ")]
MODELS = [name for name in [*SAYS, *NEWER] if name not in RUNS]


@functools.cache
def content_of(name):
    """Return a file of the last version, or one made now."""
    if name in SAYS:
        return (FOLDER / make_models.file_name(name)).read_bytes()
    fit, known = KNOWN[name.removesuffix(" now")]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(known).save(f"{folder}/m")
        return Path(folder, "m").read_bytes()


@functools.cache
def name_by_content():
    return {content_of(name): name for name in [*SAYS, *NEWER]}


dp.MLPClassifier()  # scikit-learn is imported before anybody looks at the clock
FOUND = [  # changes that once ended in anything but a sentence: file, entry, what stands there
    ("mlp best numbers", ("training", "history", "val_metric"), []),
    ("mlp fast words", ("training", "estimator", "facts", "_places"), {"optimizer": []}),
    ("table fast words", ("network", "loss"), ["cross_entropy"]),
    ("mlp matrix numbers", ("training", "estimator", "settings", "loss"), ["huber"]),
    ("mlp matrix words", ("training", "estimator", "arrays", "classes_", "dtype"), "<U999999999"),
    ("mlp fast labels now", ("training", "estimator", "arrays"), {}),
    ("mlp fast words", ("training", "estimator", "facts", "n_features_in_"), 10**18),
    ("mlp matrix words", ("training", "estimator", "facts", "n_features_in_"), 10**18),
    ("mlp fast words", ("training", "estimator", "arrays"), {}),
    ("mlp matrix words", ("training", "estimator", "arrays"), {}),
    ("table fast words", ("training", "recipe", "dropout"), "0.1"),
    ("table fast words", ("network", "layers", 0, "learning_rate_factor"), 10**400),
]
LONGEST = 20  # seconds of the processor for a file: hundreds of times what any takes
DEEP = json.loads("[" * 300 + "]" * 300)
ODD = (
    None, True, False, "", "x", "adam", "relu", "huber", "cross_entropy", "sigmoid", "text",
    "category", "regression", "classification", "O", "<U9", "<f8", "best", "native", "ü\n\x1b[31m",
    -1, 0, 1, 2, 3, 7, 255, 256, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**18,
    10**400, 0.0, -0.0, 0.5, 1.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"),
    [], {}, [[]], [None], [1, 2, 3], ["a", "b"], ["b", "a"], [0.5, 0.25], {"a": 1}, {"": {}},
    {"float": "nan"}, {"tuple": []}, {"pairs": [[1, 2]]}, {"optimizer": {"name": "adam"}},
    {"schedule": {"name": "warmup", "then": 0.1, "steps": 3}}, DEEP, "x" * 200_000, ["a"] * 5000,
)  # fmt: skip


@functools.cache
def parts_of(name):
    """Return the description and the tensors of a file."""
    content = content_of(name)
    (size,) = struct.unpack("<Q", content[:8])
    facts = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["deltaprop"])
    del facts["sha256"]
    return facts, load(content)


def places_of(facts):
    """Return every place in a description: the container and the key of each entry."""
    found, waiting = [], [facts]
    for container in waiting:
        keys = container if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], (dict, list)):
                waiting.append(container[key])
    return found


def change_facts(facts, rng):
    """Change one entry of a description; what leads to many entries is chosen as often as any."""
    places = places_of(facts)
    container, key = rng.choice(places)
    what = rng.randrange(8)
    if what < 4:
        container[key] = copy.deepcopy(rng.choice(ODD))
    elif what == 4:
        del container[key]
    elif what == 5:
        other, place = rng.choice(places)
        container[key] = copy.deepcopy(other[place])
    elif isinstance(container, dict):
        container[rng.choice(["name", "kind", "extra", f"{key} ", "__class__"])] = container.pop(
            key
        )
    elif what == 6:
        container.insert(key, copy.deepcopy(container[key]))
    else:
        container[key] = [container[key]] * rng.choice([2, 100])


@np.errstate(all="ignore")  # a number that fits no other kind of number is what is wanted
def change_tensors(tensors, rng):
    """Change one of the arrays."""
    name = rng.choice(sorted(tensors))
    array = tensors[name]
    what = rng.randrange(7)
    if what == 0:
        del tensors[name]
    elif what == 1:
        tensors[rng.choice(["running", "limits", "member.2", "member.9", "optimizer.m", "x"])] = (
            array
        )
    elif what == 2:
        tensors[name] = array.astype(rng.choice([np.float32, np.int64, np.uint8, np.bool_]))
    elif what == 3:
        tensors[name] = array.reshape(-1)[: rng.randrange(array.size + 1)]
    elif what == 4:
        tensors[name] = array[None]
    elif what == 5:
        tensors[name] = np.concatenate([array.reshape(-1), np.zeros(rng.choice([1, 1000]))])
    elif array.size and array.dtype.kind == "f":
        changed = array.copy()
        value = rng.choice([np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-320])
        changed.reshape(-1)[rng.randrange(array.size)] = value
        tensors[name] = changed


def change_bytes(content, rng):
    """Change some bytes: flipped, cut off, left out, doubled, of another file."""
    content = bytearray(content)
    place = rng.choice([rng.randrange(len(content)), rng.randrange(80)])
    what = rng.randrange(6)
    if what == 0:
        content[place] ^= 1 << rng.randrange(8)
    elif what == 1:
        del content[place:]
    elif what == 2:
        del content[place : place + rng.choice([1, 8, 100])]
    elif what == 3:
        content[place:place] = content[place : place + rng.choice([1, 8, 100])]
    elif what == 4:
        content[place : place + 4] = rng.choice([b"null", b"1e99", b"\xff\xff\xff\xff", b"[[[["])
    else:
        content[place:] = content_of(rng.choice(MODELS))[place:]
    return bytes(content)


def mutated(name, rng):
    """Return a file changed in one place or in some, most often with a checksum that fits."""
    if rng.randrange(5) == 0:
        return change_bytes(content_of(name), rng)
    facts, tensors = parts_of(name)
    facts, tensors = copy.deepcopy(facts), dict(tensors)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if rng.randrange(6) == 0 and tensors:
            change_tensors(tensors, rng)
        elif facts:
            change_facts(facts, rng)
    return packed(facts, {key: np.ascontiguousarray(array) for key, array in tensors.items()})


def packed(facts, tensors):
    """Return a file with a checksum that fits."""
    return save(tensors, metadata={"deltaprop": sealed.seal(json.dumps(facts), tensors)})


@contextlib.contextmanager
def bounded(number):
    """Fail where a file takes far longer than any should; quietly otherwise."""

    def late(*_):
        raise AssertionError(f"mutation {number} takes more than {LONGEST} s of the processor")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def use(model, name, thoroughly):
    """Do with a model that was opened whatever one does with a model."""
    if model is None:
        return
    if isinstance(model, SavedModel):
        network, parameters, X = model.network, model.parameters, np.ones((2, model.network.n_in))
        dp.predict(network, parameters, X)
        if thoroughly:
            dp.explain(
                network, parameters, X[:1], np.full((1, network.n_out), 1 / network.n_out)
            ).to_json()
        return
    kind = make_models.frame_of if name.startswith("mlp ") else make_models.rows_of
    rows, answers = kind(ROWS[name]), ANSWERS[name]
    for ask in ("predict", "predict_proba"):
        if hasattr(model, ask):
            with contextlib.suppress(DeltapropError):
                getattr(model, ask)(rows)
    if hasattr(model, "evaluate"):
        with contextlib.suppress(DeltapropError):
            model.evaluate(rows, answers)
    if thoroughly:
        one = (
            {key: cells[:1] for key, cells in rows.items()} if isinstance(rows, dict) else rows[:1]
        )
        explanation = model.explain(one, answers[:1])
        explanation.to_terminal()
        explanation.verify()


ROWS, ANSWERS = {}, {}
for _name in MODELS:
    _kind, _, _rest = _name.removesuffix(" now").partition(" ")
    _of = {"table": make_models.MODELS, "mlp": make_models.ESTIMATORS}.get(_kind, {}).get(_rest)
    ROWS[_name] = "matrix" if _of is None else _of[0]
    ANSWERS[_name] = None if _of is None else make_models.TARGETS[_of[1]]


def opens_or_is_refused(number, path):
    rng = random.Random(number)
    name = rng.choice(MODELS)
    content = mutated(name, rng)
    path.write_bytes(content)
    name = name_by_content().get(
        content, name
    )  # what became another file is asked about that one's rows
    model = None
    with bounded(number):
        with contextlib.suppress(ModelFileError):
            model = dp.load(path)
        with contextlib.suppress(DeltapropError):
            use(model, name, number % 10 == 0)


def resumes_or_is_refused(number, path):
    rng = random.Random(number)
    name = rng.choice(RUNS)
    path.write_bytes(mutated(name, rng))
    with bounded(number), contextlib.suppress(DeltapropError):
        make_models.continued(name, path, resume=True)


def numbers(count, of):
    """Return so many mutations, other ones for models and for checkpoints."""
    return range(of * 10**9, of * 10**9 + count)


@pytest.mark.parametrize(("name", "entry", "value"), FOUND)
def test_what_was_found_before_is_opened_or_refused(name, entry, value, tmp_path):
    facts, tensors = copy.deepcopy(parts_of(name))
    at = facts
    for key in entry[:-1]:
        at = at[key]
    assert at[entry[-1]] != value
    at[entry[-1]] = value
    (tmp_path / "m").write_bytes(packed(facts, tensors))
    with bounded(entry), contextlib.suppress(DeltapropError):
        use(dp.load(tmp_path / "m"), name, thoroughly=True)


@pytest.mark.parametrize(
    "name", ["table fast words", "mlp fast words", "mlp optimizer", "run adamw"]
)
@pytest.mark.one_in(3)
def test_a_very_long_text_costs_no_more_than_reading_it(name, monkeypatch, tmp_path):
    """What compares texts takes the square of their length: it is asked about short ones only."""
    asked, compare = [], difflib.get_close_matches

    def guarded(word, known, **settings):
        asked.extend([word, *known])
        return compare(word, known, **settings)

    monkeypatch.setattr(difflib, "get_close_matches", guarded)
    facts, tensors = parts_of(name)
    n_texts = sum(isinstance(container[key], str) for container, key in places_of(facts))
    for i in range(0, n_texts, 3):
        changed = copy.deepcopy(facts)
        texts = [(c, k) for c, k in places_of(changed) if isinstance(c[k], str)]
        container, key = texts[i]
        container[key] = container[key] + " z" * 110_000
        (tmp_path / "m").write_bytes(packed(changed, tensors))
        with contextlib.suppress(ModelFileError):
            dp.load(tmp_path / "m")
    assert max(map(len, asked), default=0) <= 100


def test_very_many_layers_cost_no_more_than_reading_them(tmp_path):
    facts, tensors = copy.deepcopy(parts_of("network no bias"))
    facts["network"]["layers"] *= 20_000
    (tmp_path / "m").write_bytes(packed(facts, tensors))
    with pytest.raises(ModelFileError, match="20,000 layers, but 6 parameters"):
        dp.load(tmp_path / "m")


@pytest.mark.rest
def test_a_changed_model_is_opened_or_refused(tmp_path):
    for number in numbers(150, 1):
        opens_or_is_refused(number, tmp_path / "m")


def test_a_changed_checkpoint_is_resumed_or_refused(tmp_path):
    for number in numbers(60, 2):
        resumes_or_is_refused(number, tmp_path / "m")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
@pytest.mark.parametrize(("of", "check"), [(1, opens_or_is_refused), (2, resumes_or_is_refused)])
def test_a_hundred_thousand_of_each(part, of, check, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in numbers(100_000, of)[part::10]:
        check(number, tmp_path / "m")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB
