"""Random small networks of every kind, and the arithmetic of a step done once more."""

import dataclasses
import json
import math
from dataclasses import dataclass

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.document.tokens import Close, Constant, Entries, Joint, Open
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.functional.expressions import Number, Operand, leaves
from deltaprop.notation.write import Notation, write
from helpers.in_browser import resize

LOSSES = tuple(dp.LOSSES)
ACTIVATIONS = tuple(dp.ACTIVATIONS)
ROOTS = (
    "x[", "targets[", "W.", "b.", "learning_rate", "label_smoothing", "share[", "m_", "v_", "s_",
    "beta_", "epsilon", "momentum", "decay", "weight_decay", "mask.", "s.", "alpha.", "omega.",
    "phi.", "V.", "v.", "E.", "g.",
)  # fmt: skip
NTK = {"parametrization": "ntk", "bias_learning_rate_factor": 0.1}
KINDS = {
    "scaling": (3, [dp.Scaling(6.0), dp.Dense(2)]),
    "ntk": (3, [dp.Dense(2, "tanh", **NTK), dp.Dense(2, **NTK)]),
    "missing biases": (
        2, [dp.Dense(3, "tanh", bias=[True, False, True]), dp.Dense(2, bias=[False, True])]
    ),
    "parametric": (2, [dp.Dense(3), dp.ParametricActivation("selu", 0.1), dp.Dense(2)]),
    "periodic": (2, [dp.PeriodicEmbedding(1, n_waves=2, n_mixtures=2), dp.Dense(2)]),
    "waves": (1, [dp.PeriodicEmbedding(1, n_waves=16, n_mixtures=1), dp.Dense(2)]),
    "categories": (4, [dp.CategoryEmbedding((1, 2), 2, learning_rate_factor=2), dp.Dense(2)]),
    "many categories": (12, [dp.CategoryEmbedding((12,), dimension=1), dp.Dense(2)]),
    "normalized": (
        2,
        [dp.Dense(3), dp.LayerNorm("tanh", 0.1, 6.0), dp.Dropout(0.4), dp.Dense(2, "relu"),
         dp.LayerNorm(), dp.Dense(2)],
    ),
    "real": (
        2,
        [
            dp.Scaling(6.0), dp.Dense(2, **NTK), dp.ParametricActivation("mish", 0.1),
            dp.Dense(2, **NTK), dp.ParametricActivation("mish", 0.1), dp.Dense(2, **NTK),
        ],
    ),
    "deep": (
        2,
        [
            dp.Dense(4, "tanh"), dp.CategoryEmbedding((2,), dimension=1),
            dp.PeriodicEmbedding(2, n_waves=2, n_mixtures=1), dp.Dropout(0.4), dp.Scaling(),
            dp.Dense(2),
        ],
    ),
}  # fmt: skip


def pytest_generate_tests(metafunc):
    """Where a test takes an activation and a loss: all pairs, two of each activation not slow.

    Among the quick ones every activation and every loss comes at least twice, and test_steps has
    all pairs at any time: what a renderer does is asked of an activation or a loss, not of both.
    """
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if {"activation", "loss"} <= set(metafunc.fixturenames) and not any(
        "activation" in names for names in given
    ):
        pairs = [
            pytest.param(a, loss, marks=[] if (i + j) % len(LOSSES) in (0, 3) else pytest.mark.slow)
            for i, a in enumerate(ACTIVATIONS)
            for j, loss in enumerate(LOSSES)
        ]
        metafunc.parametrize(("activation", "loss"), pairs)


@dataclass(frozen=True)
class Setting:
    """What a random explanation was made of."""

    network: object
    parameters: object
    x: np.ndarray
    targets: np.ndarray
    explanation: object


def draw_explanation(rng, activation="tanh", loss="cross_entropy", **fixed):
    """Return the explanation of a random step; ``fixed`` overrides what is drawn."""
    depth = fixed.pop("depth", int(rng.integers(0, 4)))
    n = fixed.pop("n", int(rng.integers(1, 4)))
    n_out = fixed.pop("n_out", int(rng.integers(1, 4)))
    row = dp.LOSSES[loss]
    network = dp.Network(
        [int(rng.integers(1, 5)), *(int(k) for k in rng.integers(1, 5, size=depth)), n_out],
        hidden=activation,
        loss=loss,
        bias=fixed.pop("bias", bool(rng.integers(2))),
        l2=fixed.pop("l2", float(rng.choice([0.0, 0.3]))),
        l1=fixed.pop("l1", float(rng.choice([0.0, 0.2]))),
        label_smoothing=fixed.pop(
            "label_smoothing", float(rng.choice([0.0, 0.1])) if row.smooth else 0.0
        ),
    )
    parameters = network.init(rng)
    parameters.flat[:] += rng.normal(scale=0.3, size=parameters.flat.size)
    x = rng.normal(size=(n, network.n_in))
    targets = {
        "distribution": lambda: rng.dirichlet(np.ones(n_out), size=n),
        "unit": lambda: rng.random((n, n_out)),
        "real": lambda: rng.normal(scale=2.0, size=(n, n_out)),
        "count": lambda: rng.poisson(2.0, size=(n, n_out)).astype(float),
    }[row.targets]()
    explanation = dp.explain(network, parameters, x, targets, **fixed)
    return Setting(network, parameters, x, targets, explanation)


def draw_kind(rng, kind, n=2, penalties=True, **fixed):
    """Return the explanation of a step of a network that has layers of some kind."""
    n_in, layers = KINDS[kind]
    l2, l1 = (0.3, 0.2) if penalties else (0.0, 0.0)
    network = dp.Network.from_layers(n_in, layers, l2=l2, l1=l1)
    parameters = network.init(rng)
    parameters.flat[:] += rng.normal(scale=0.3, size=parameters.flat.size)
    parameters.flat[network.layout.absent] = 0.0
    x, targets = rng.normal(size=(n, n_in)), np.eye(2)[np.arange(n) % 2]
    if kind == "many categories":
        x = np.eye(n_in)[rng.integers(n_in, size=n)]
    drops = rng if any(isinstance(layer, dp.Dropout) for layer in layers) else None
    explanation = dp.explain(network, parameters, x, targets, rng=drops, **fixed)
    return Setting(network, parameters, x, targets, explanation)


def evaluate(step, values):
    """Return what a step's arithmetic comes to, operands looked up in ``values`` by their id.

    The arithmetic is written down in plain text and read by Python itself, so that the library's
    own evaluation is not the judge of itself.
    """
    operands = [leaf for leaf in leaves(step.expression) if isinstance(leaf, Operand)]
    short = {operand.id: f"v{k}" for k, operand in enumerate(operands)}
    if list(short) == [step.id]:
        return step.value  # no formula tells it

    def named(leaf):
        if isinstance(leaf, Operand):
            return short[leaf.id]
        return leaf.text if isinstance(leaf, Number) else repr(leaf.value)

    text = write(step.expression, Notation(named))
    known = {**FUNCTIONS, **{name: values[operand] for operand, name in short.items()}}
    return eval(text, {"__builtins__": {}}, known)


FUNCTIONS = {
    "exp": math.exp, "log": math.log, "tanh": math.tanh, "max": max, "sqrt": math.sqrt,
    "abs": abs, "erf": math.erf, "cos": math.cos, "sin": math.sin,
}  # fmt: skip


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ARRAY_FUNCTIONS = {
    "cos": np.cos, "sin": np.sin, "sqrt": np.sqrt, "": lambda a: a,
    "sum": lambda a: np.sum(a, axis=0, keepdims=True),
    "mean": lambda a: np.mean(a, axis=1, keepdims=True),
}  # fmt: skip


def shown_numbers(cells):
    """Return the numbers of a displayed matrix; 0 where there is none."""
    return np.array([[text.replace("–", "0") for text in row] for row in cells.texts], dtype=float)


def right_hand_side(equation, network):
    """Return what a matrix equation's displayed right-hand side comes to, read with NumPy alone.

    None where it is not shown whole, or is no equation of matrices.
    """
    entries = [token for token in equation.right if isinstance(token, Entries)]
    if not entries or any(max(matrix.cells.shape) > 6 for matrix in entries):
        return None
    names = {f"m{k}": shown_numbers(m.cells) for k, m in enumerate(entries)}
    text, number, unfenced = "", 0, False
    for token, before in zip(equation.right, (None, *equation.right), strict=False):
        match token:
            case Entries(applied=name, is_argument=True):
                of_loss = equation.left.layer == len(network.computing_layers)
                f = network.loss.predict if of_loss else dp.ACTIVATIONS[name].f
                names[f"m{number}"] = f(names[f"m{number}"])
                text, number = f"{text}m{number}", number + 1
            case Entries():
                text, number = f"{text}m{number}", number + 1
            case Constant(line=line):
                text += f"({write(line.step.expression, Notation(line.text))})"
            case Joint(sign=sign):  # a constant in front of matrices is no matrix
                times = "*" if isinstance(before, Constant) else "@"
                text += f" {sign or times} "
            case Open(function=name, fenced=fenced):
                text, unfenced = f"{text}f['{name}'](", not fenced
            case Close(raised=raised):
                text += ")" + {"": "", "T": ".T"}.get(raised, f"**{raised}")
        if unfenced and isinstance(token, Entries):
            text, unfenced = f"{text})", False
    return eval(text, {**FUNCTIONS, "f": ARRAY_FUNCTIONS}, names)


def root_values(setting):
    """Return the value of every root, taken from what went in and not from the steps."""
    network, explanation = setting.network, setting.explanation
    rule = explanation.update.rule
    values = {
        **{f.name: getattr(rule, f.name) for f in dataclasses.fields(rule)},
        "t": 1,
        "learning_rate": explanation.update.learning_rate,
        "l2": network.l2,
        "l1": network.l1,
        "label_smoothing": network.label_smoothing,
    }
    for name, array in (("x", setting.x), ("targets", setting.targets)):
        for s, j in np.ndindex(array.shape):
            values[f"{name}[{s},{j}]"] = float(array[s, j])
    for layer, arrays in enumerate(setting.parameters.layers):
        for name, array in arrays.items():
            for index in np.ndindex(array.shape):
                where = ",".join(map(str, index))
                values[f"{name}.{layer + 1}[{where}]"] = float(array[index])
    for layer, mask in enumerate(explanation.trace.masks):
        if mask is not None:
            for s, j in np.ndindex(mask.shape):
                values[f"mask.{layer + 1}[{s},{j}]"] = float(mask[s, j])
    return values


@pytest.fixture
def draw(rng):
    def draw_one(activation="tanh", loss="cross_entropy", **fixed):
        return draw_explanation(rng, activation, loss, **fixed)

    return draw_one


@pytest.fixture
def draw_layers(rng):
    return lambda kind, **fixed: draw_kind(rng, kind, **fixed)


@pytest.fixture(scope="session")
def arithmetic():
    return evaluate


@pytest.fixture(scope="session")
def roots_of():
    return root_values


@pytest.fixture(scope="session")
def is_root():
    exact = {"l2", "l1", "t"}
    return lambda name: name in exact or (name.startswith(ROOTS) and ".after" not in name)


@pytest.fixture(scope="session")
def worked_out():
    return right_hand_side


@pytest.fixture
def wrong_slope(monkeypatch):
    """The name of an activation whose slope is wrong, and said to be so by its formula, too."""
    row = dp.Activation(
        "bent", np.tanh, lambda z, a: 1.0 - a, ("", ""), "no proof was asked for",
        arithmetic=("tanh(z)", "1 - a"),
    )  # fmt: skip
    monkeypatch.setattr(dp.ACTIVATIONS, "_rows", {**dp.ACTIVATIONS._rows, "bent": row})
    return "bent"


@pytest.fixture
def page(browser, tmp_path):
    for kind in ("performance", "browser"):
        browser.get_log(kind)  # what tests of other pages asked for, whichever came before

    def visit(explained, *, width=1280, height=900, script=True, theme="light", **style):
        resize(browser, width, height)
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        media = {
            "prefers-color-scheme": theme,
            "prefers-reduced-motion": "reduce",  # colours are there at once
        }
        features = [{"name": name, "value": value} for name, value in media.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        path = tmp_path / "page.html"
        path.write_text(explained.to_html(**style), encoding="utf-8")
        browser.get("about:blank")
        browser.get(path.as_uri())
        return browser

    yield visit
    # whatever a test did: nothing was asked for but the file, and nothing was complained about
    requests = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            requests.append(message["params"]["request"]["url"].partition("#")[0])
    assert set(requests) <= {(tmp_path / "page.html").as_uri(), "about:blank", "data:,"}
    complaints = [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
    assert complaints == []
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.get("about:blank")


@pytest.fixture(scope="module")
def tutorial():
    worked = built_in_example("tutorial")
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets,
        optimizer=worked.optimizer, names=Names(worked.title),
    )  # fmt: skip


@pytest.fixture(scope="module")
def iris():
    rng = np.random.default_rng(7)
    network = dp.Network([4, 5, 3], "tanh")
    names = Names(
        "Three flowers",
        ("sepal length", "sepal width", "petal length", "petal width"),
        ("setosa", "versicolor", "virginica"),
    )
    x = rng.normal(size=(3, 4)).round(1)
    return dp.explain(network, network.init(rng), x, [0, 1, 2], names=names)


@pytest.fixture(scope="module")
def digit():
    rng = np.random.default_rng(9)
    network = dp.Network([784, 128, 10], "relu")
    x = np.where(rng.random((1, 784)) < 0.2, rng.random((1, 784)), 0)
    return dp.explain(network, network.init(rng), x, [3], names=Names(image=(28, 28)))


@pytest.fixture(scope="module")
def beside():
    return SoftmaxBesideSigmoid((2.0, 1.0, -0.5), ("cat", "dog", "bird"), 0)


@pytest.fixture(scope="module")
def repeated():
    return built_in_example("iamtrask").repeat(60)


@pytest.fixture(scope="module")
def deep():
    rng = np.random.default_rng(8)
    network = dp.Network([2, 3, 3, 3, 3, 2], "relu", loss="half_squared_error")
    return dp.explain(network, network.init(rng), [[0.5, -1.2]], [[1.0, 0.0]])
