"""The front door: every name the interface promises, with the parameters it promises."""

import ast
import doctest
import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining.document.style import StyleSettings

# What shared/spec/interface.md writes down, as far as this version goes: the parameters, in the
# order they can be given by position, and those given by name.
SIGNATURES = {
    "Network": (["sizes", "hidden", "loss", "bias"], ["label_smoothing"]),
    "Network.from_layers": (["n_in", "layers", "loss"], ["label_smoothing"]),
    "Network.init": (["self", "rng"], []),
    "Network.parameters": (["self", "W", "b"], []),
    "Dense": (["n_out", "activation"], []),
    "Dropout": (["drop_probability"], []),
    "backpropagate": (
        ["network", "parameters", "x", "targets"], ["sample_weight", "class_weight"],
    ),
    "check_gradients": (["network", "parameters", "x", "targets"], []),
    "train": (
        ["network", "parameters", "X", "y"],
        ["optimizer", "batch_size", "epochs", "engine", "dtype", "seed", "shuffle", "X_val",
         "y_val",
         "patience", "time_budget", "checkpoint", "callbacks", "progress", "n_threads",
         "sample_weight", "class_weight"],
    ),
    "predict": (["network", "parameters", "X"], ["engine"]),
    "explain": (["network", "parameters", "x", "targets"], ["learning_rate", "optimizer"]),
    "mark": (["worked"], []),
    "Explanation.to_terminal": (["self"], ["detail", "digits", "width", "color"]),
    "Explanation.verify": (["self"], []),
    "load": (["path"], []),
    "report": (["model", "features", "target", "path"], ["language", "validation"]),
    "save": (["path", "network", "parameters"], []),
    "TableModel.fit": (["features", "target"], ["validation", "task", "recipe"]),
    "TableModel.predict": (["self", "features"], []),
    "TableModel.predict_proba": (["self", "features"], []),
    "TableModel.explain": (["self", "features", "target"], ["learning_rate"]),
    "TableModel.save": (["self", "path"], []),
    "MLPClassifier": (["hidden_layer_sizes", "activation"], ["class_weight", "optimizer"]),
    "MLPClassifier.fit": (["self", "X", "y", "sample_weight", "X_val", "y_val"], []),
    "MLPClassifier.predict_proba": (["self", "X"], []),
    "MLPClassifier.explain": (["self", "X", "y"], ["learning_rate"]),
    "MLPClassifier.save": (["self", "path"], []),
    "MLPRegressor": (["loss", "hidden_layer_sizes", "activation"], ["optimizer"]),
    "MLPRegressor.fit": (["self", "X", "y", "sample_weight", "X_val", "y_val"], []),
    "GradientDescent": (["learning_rate"], []),
    "Momentum": (["learning_rate"], ["nesterov"]),
    "RMSProp": (["learning_rate"], []),
    "Adam": (["learning_rate"], []),
    "AdamW": (["learning_rate"], ["weight_decay"]),
    "register_activation": (["row"], []),
    "register_loss": (["row"], []),
    "register_initializer": (["row"], []),
    "register_optimizer": (["cls"], []),
    "huber": (["threshold"], []),
}  # fmt: skip

DEFAULTS = {
    "Network": {"bias": True},
    "train": {
        "batch_size": 128, "epochs": 10, "engine": "auto", "dtype": "float32", "seed": 0,
        "shuffle": True, "X_val": None, "y_val": None, "patience": None, "time_budget": None,
        "checkpoint": None, "callbacks": (), "progress": False, "n_threads": None,
    },
    "explain": {"learning_rate": 0.1, "optimizer": None},
}  # fmt: skip

SOURCE = Path(dp.__file__).read_text(encoding="utf-8")


def found(name):
    value = dp
    for part in name.split("."):
        value = getattr(value, part)
    return value


class TestTheInterface:
    @pytest.mark.parametrize("name", SIGNATURES)
    def test_the_documented_parameters_can_be_given_as_documented(self, name):
        leading, by_name = SIGNATURES[name]
        parameters = inspect.signature(found(name)).parameters
        positional = [
            p.name for p in parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
        assert positional[: len(leading)] == leading
        for each in by_name:
            if each in StyleSettings.__annotations__ and "style" in parameters:
                continue  # any of them, as **style
            assert parameters[each].kind in (
                inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD,
            )  # fmt: skip

    @pytest.mark.parametrize("name", DEFAULTS)
    def test_the_documented_defaults_hold(self, name):
        parameters = inspect.signature(found(name)).parameters
        assert {key: parameters[key].default for key in DEFAULTS[name]} == DEFAULTS[name]

    def test_the_optimizer_left_out_is_adam_at_a_thousandth(self):
        network, runs = dp.Network([2, 2]), []
        for optimizer in (None, dp.Adam(1e-3)):
            parameters = network.init(np.random.default_rng(0))
            dp.train(network, parameters, [[1.0, 2.0]], [1], optimizer=optimizer)
            runs.append(parameters.flat)
        np.testing.assert_array_equal(*runs)

    def test_the_registries_hold_the_documented_names(self):
        assert set(dp.ACTIVATIONS) >= {
            "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu",
            "softplus", "mish",
        }  # fmt: skip
        assert set(dp.LOSSES) >= {
            "cross_entropy", "binary_cross_entropy", "half_squared_error",
            "half_squared_error_sigmoid", "half_squared_error_softmax", "huber", "poisson",
        }  # fmt: skip
        assert set(dp.OPTIMIZERS) >= {"gradient_descent", "momentum", "rmsprop", "adam", "adamw"}
        assert set(dp.schedules.SCHEDULES) >= {"constant", "step", "cosine", "one_cycle", "warmup"}
        assert "reference" in dp.ENGINES

    def test_the_page_runs_as_it_is_written(self):
        rng = np.random.default_rng(0)
        net = dp.Network([4, 16, 3], hidden="relu", loss="cross_entropy", bias=True)
        layered = dp.Network.from_layers(
            n_in=4,
            layers=[dp.Dense(16, activation="tanh"), dp.Dropout(0.1), dp.Dense(3)],
            loss="cross_entropy",
        )
        assert layered.sizes == net.sizes
        params = net.init(rng)
        assert params.flat.flags.c_contiguous
        assert (params.W[0].shape, params.b[0].shape) == ((4, 16), (16,))
        params.W[0][0, 0] = 7.0
        assert params.flat[0] == 7.0
        given = net.parameters(W=[W * 1 for W in params.W], b=[b * 1 for b in params.b])
        np.testing.assert_array_equal(given.flat, params.flat)

        x, targets = rng.normal(size=(5, 4)), [0, 1, 2, 1, 0]
        trace = dp.backpropagate(net, params, x, targets)
        np.testing.assert_array_equal(trace.a[0], x)
        assert len(trace.z) == len(trace.delta) == len(trace.gradients.W) == 2
        assert (trace.z[0].shape, trace.a[1].shape, trace.delta[0].shape) == ((5, 16),) * 3
        assert trace.gradients.flat.shape == params.flat.shape
        assert (trace.loss_per_sample.shape, trace.gradients.b[1].shape) == ((5,), (3,))
        assert dp.check_gradients(net, params, x, targets).worst.name

        history = dp.train(
            net, params, x, targets, optimizer=dp.Adam(1e-3), batch_size=128, epochs=10,
            engine="auto", dtype="float32", seed=0, shuffle=True, X_val=None, y_val=None,
            patience=None, time_budget=None, checkpoint=None, callbacks=(), progress=False,
            n_threads=None,
        )  # fmt: skip
        assert len(history.loss) == len(history.seconds) == 10
        assert (history.val_loss, history.val_metric, history.best_epoch) == ([], [], None)
        assert history.stopped_because == "epochs"

        explanation = dp.explain(net, params, x, targets, learning_rate=0.1, optimizer=None)
        assert explanation.verify()
        assert explanation.to_terminal()

    @pytest.mark.slow
    def test_whoever_came_first_explain_is_the_function(self):
        for first in (
            "dp.TableModel", "dp.load", "dp.Explanation", "dp.explain",
            "__import__('deltaprop.notation.steps')", "__import__('deltaprop.estimators')",
        ):  # fmt: skip
            code = (
                f"import inspect, deltaprop as dp; {first};"
                "net = dp.Network([1, 1], loss='half_squared_error');"
                "e = dp.explain(net, net.parameters([[[2.0]]]), [[1.0]], [[0.0]]);"
                "print(e.trace.loss, list(inspect.signature(dp.explain).parameters)[:4])"
            )
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=False
            )
            assert done.stdout == "2.0 ['network', 'parameters', 'x', 'targets']\n", done.stderr


class TestTheFrontDoor:
    @pytest.mark.parametrize("name", dp.__all__)
    def test_every_public_name_is_there(self, name):
        assert getattr(dp, name) is not None
        assert name in dir(dp)

    def test_star_brings_exactly_the_public_names(self):
        names = {}
        exec("from deltaprop import *", names)
        assert set(names) - {"__builtins__"} == set(dp.__all__)

    def test_the_names_are_sorted_and_none_comes_twice(self):
        assert len(set(dp.__all__)) == len(dp.__all__)

    @pytest.mark.parametrize("name", ["Adm", "mark_", "numpy", "_Loop"])
    def test_a_name_that_is_not_there_is_an_attribute_error(self, name):
        with pytest.raises(AttributeError, match=f"'deltaprop' has no attribute '{name}'"):
            getattr(dp, name)

    def test_what_the_type_checker_reads_is_what_the_interpreter_does(self):
        """The imports under TYPE_CHECKING, the homes, and __all__ are one list."""
        (block,) = [
            node for node in ast.parse(SOURCE).body
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        ]  # fmt: skip
        checked = {}
        for node in block.body:
            assert isinstance(node, ast.ImportFrom)
            for alias in node.names:
                public = alias.asname or alias.name
                assert public not in checked
                checked[public] = (node.module, alias.name)
        homes = {
            name: (f"deltaprop.{home}".rstrip("."), dp._RENAMED.get(name, name))
            for home, names in dp._HOMES.items() for name in names.split()
        }  # fmt: skip
        assert checked == homes
        assert {*checked, "__version__"} == set(dp.__all__)

    @pytest.mark.parametrize("name", [name for name in dp.__all__ if name != "__version__"])
    def test_each_name_is_the_object_of_its_home(self, name):
        module = importlib.import_module(f"deltaprop.{dp._HOME_OF[name]}".rstrip("."))
        home = getattr(module, dp._RENAMED.get(name, name))
        assert getattr(dp, name) is home or getattr(dp, name).__call__ is home

    @pytest.mark.parametrize("name", [n for n in dp.__all__ if n != "__version__"])
    def test_every_public_name_says_what_it_is(self, name):
        value = getattr(dp, name)
        if callable(value) or inspect.ismodule(value):
            assert (inspect.getdoc(value) or "").strip()


def loaded_by(code):
    """Return the modules a fresh interpreter has after running ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json; print(json.dumps(list(sys.modules)))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(json.loads(done.stdout))


class TestImports:
    HEAVY = ("numpy", "polars", "narwhals", "pandas", "safetensors", "rich", "typer", "torch",
             "sklearn", "scipy", "yaml", "threadpoolctl")  # fmt: skip

    def test_importing_the_package_imports_nothing_heavy(self):
        assert not loaded_by("import deltaprop") & set(self.HEAVY)

    def test_the_version_and_the_errors_cost_nothing_either(self):
        code = "import deltaprop as dp; dp.__version__; dp.errors.DataError; dir(dp)"
        assert not loaded_by(code) & set(self.HEAVY)

    def test_a_network_needs_numpy_and_no_more(self):
        code = "import deltaprop as dp; dp.Network([1, 1])"
        assert loaded_by(code) & set(self.HEAVY) == {"numpy"}

    def test_training_needs_no_data_frames(self):
        code = (
            "import deltaprop as dp, numpy as np\n"
            "net = dp.Network([1, 2]); p = net.init(np.random.default_rng(0))\n"
            "dp.train(net, p, [[1.0]], [1])"
        )
        unwanted = {"polars", "narwhals", "pandas", "torch", "sklearn", "typer", "scipy", "rich"}
        assert not loaded_by(code) & unwanted


@pytest.mark.parametrize("module", ["deltaprop", "deltaprop.model.spec"])
def test_the_examples_in_the_docstrings_run(module):
    results = doctest.testmod(importlib.import_module(module), extraglobs={"Network": dp.Network})
    assert results.attempted > 0
    assert results.failed == 0


def test_the_error_tree_has_one_root():
    errors = [
        value for name, value in vars(dp.errors).items()
        if inspect.isclass(value) and issubclass(value, Exception) and name in dp.errors.__all__
        and not issubclass(value, Warning)
    ]  # fmt: skip
    assert len(errors) > 5
    assert all(issubclass(error, dp.errors.DeltapropError) for error in errors)
