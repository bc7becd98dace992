"""Everything that is registered has its name in Chinese, and is called so where it is told of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.explaining.examples import worked_example
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.losses import LOSSES
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.languages.names import NAMES, called, name_and_term
from deltaprop.model.layers import LAYERS
from deltaprop.reporting.language import words_of
from deltaprop.table_models.presets import PRESETS
from deltaprop.training.metrics import METRICS
from deltaprop.training.optimizers import OPTIMIZERS
from deltaprop.training.schedules import SCHEDULES

REGISTRIES = {
    "activation": ACTIVATIONS, "output": OUTPUTS, "loss": LOSSES, "initializer": INITIALIZERS,
    "layer": LAYERS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES, "metric": METRICS,
    "preset": PRESETS,
}  # fmt: skip
OF_TWO_NEURONS = {
    "layers": [{"W": [[0.5, -0.4], [0.3, 0.7]], "b": [0.1, 0.2]}, {"W": [[0.6], [0.2]]}],
    "x": [[1.0, 0.5]],
    "learning_rate": 0.1,
}


def is_chinese(text):
    return any("一" <= c <= "鿿" for c in text)


@pytest.mark.parametrize("kind", REGISTRIES)
def test_each_row_has_a_chinese_name_of_its_own(kind):
    assert set(NAMES[kind]) == set(REGISTRIES[kind])
    names = list(NAMES[kind].values())
    assert all(map(is_chinese, names))
    assert len(set(names)) == len(names)


def test_layers_and_metrics_are_called_alike_everywhere():
    for name, layer in LAYERS.items():
        if getattr(layer, "names", None) and "{" not in layer.names["zh"]:
            assert layer.names["zh"] == NAMES["layer"][name]
    for name in METRICS:
        assert name in words_of("zh")


@given(st.text(min_size=1).filter(lambda name: not any(name in row for row in NAMES.values())))
def test_ones_own_name_stays_as_it_is(name):
    for kind in NAMES:
        for language in ("en", "zh"):
            assert called(kind, name, language) == name.replace("_", " ")
            assert name_and_term(kind, name, language) == name.replace("_", " ")


def targets_of(loss):
    if LOSSES[loss].targets == "distribution":
        return [[0.4, 0.6]]
    return [[0.5]]


def worked(**more):
    return {**OF_TWO_NEURONS, "loss": "half_squared_error", "targets": [[0.5]], **more}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_is_told_by_both_names(activation):
    first, last = OF_TWO_NEURONS["layers"]
    data = worked(layers=[{**first, "activation": activation}, last])
    for form in ("terminal", "markdown", "html", "latex", "spoken"):
        said = worked_example(data).explain().to(form, language="zh", detail="overview")
        assert NAMES["activation"][activation] in said.replace("\n", ""), form
        assert activation.split("_")[0] in said


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.one_in(3)
def test_a_loss_is_told_by_both_names_and_marked_by_them(loss):
    last = {"W": [[0.6, 0.1], [0.2, 0.3]]} if loss == "cross_entropy" else {"W": [[0.6], [0.2]]}
    if loss == "half_squared_error_softmax":
        last = {"W": [[0.6, 0.1], [0.2, 0.3]]}
    layers = [OF_TWO_NEURONS["layers"][0], last]
    data = worked(loss=loss, targets=targets_of(loss), layers=layers)
    whole = f"{NAMES['loss'][loss]}（{loss.replace('_', ' ')}）"
    assert whole in worked_example(data).explain().to_terminal(
        language="zh", width=200, detail="overview"
    )
    marking = dp.mark({**data, "claims": {"loss": 123.456}})
    assert f"{NAMES['loss'][loss]}（{loss}）" in marking.to_terminal(language="zh", width=200)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_optimizer_is_told_by_both_names(optimizer):
    said = (
        worked_example(worked(optimizer=optimizer)).explain().to_terminal(language="zh", width=200)
    )
    assert f"更新规则：{NAMES['optimizer'][optimizer]}（{optimizer.replace('_', ' ')}）" in said


def test_practice_names_its_functions_and_its_loss():
    sheets = [dp.exercise(level, 3, "zh").to_terminal(width=200) for level in (1, 2, 3, 5)]
    told = "\n".join(sheets)
    for kind, name in (
        ("activation", "sigmoid"), ("output", "softmax"), ("loss", "cross_entropy"),
        ("loss", "half_squared_error"),
    ):  # fmt: skip
        assert f"{NAMES[kind][name]}（{name.replace('_', ' ')}）" in told
    assert "恒等函数" in told
