"""A registered row has proved itself; one that contradicts itself is refused with the reason."""

import re
from dataclasses import replace

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.explaining.renderers.registry import RENDERERS
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.initializers import INITIALIZERS, Initializer
from deltaprop.functional.losses import LOSSES, Loss, huber
from deltaprop.functional.outputs import OUTPUTS, Output
from deltaprop.model.layers import Dense
from deltaprop.model.spec import Network

REGISTRIES = (ACTIVATIONS, LOSSES, INITIALIZERS, OUTPUTS)
ROWS = [
    pytest.param(registry, row, id=f"{registry.kind} {row.name}")
    for registry in REGISTRIES
    for row in registry.values()
]


@pytest.fixture(autouse=True)
def registries_as_before(monkeypatch):
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "_rows", dict(registry._rows))


@pytest.mark.parametrize(("registry", "row"), ROWS)
def test_every_built_in_row_passes_its_own_check(registry, row):
    registry.check(row)
    assert registry[row.name] is row


def test_the_registries_hold_what_the_mathematics_names():
    assert {"identity", "sigmoid", "tanh", "relu", "gelu", "silu", "softplus"} <= set(ACTIVATIONS)
    assert {row.output for row in LOSSES.values()} == set(OUTPUTS)


@pytest.mark.parametrize("row", ACTIVATIONS.values(), ids=lambda row: row.name)
def test_every_activation_names_an_initializer_and_says_what_it_is(row):
    assert row.initializer in INITIALIZERS
    assert len(row.latex) == 2
    assert all(row.latex)
    assert row.doc


SINE = Activation("sine", np.sin, lambda z, a: np.cos(z), (r"\sin z", r"\cos z"), "a wave")
HALF = replace(LOSSES["half_squared_error"], name="my_loss")
WAVE = Output("wave", np.sin, r"\sin z_i", "sin(z)")

WRONG = {
    "activation with a wrong derivative": (
        ACTIVATIONS, replace(SINE, f_prime=lambda z, a: -np.cos(z)), "not the derivative",
    ),
    "activation wrong on one side only": (
        ACTIVATIONS, replace(SINE, f_prime=lambda z, a: np.where(z > -5, np.cos(z), 0.0)),
        "not the derivative",
    ),
    "activation with NaN as its derivative": (
        ACTIVATIONS, replace(SINE, f_prime=lambda z, a: np.full_like(z, np.nan)),
        "not the derivative",
    ),
    "activation with an unnamed kink": (
        ACTIVATIONS,
        replace(SINE, f=lambda z: np.abs(z - 0.5142), f_prime=lambda z, a: np.sign(z - 0.5142)),
        "kinks=",
    ),
    "activation that sums": (
        ACTIVATIONS, replace(SINE, f=lambda z: z.sum()), "not elementwise",
    ),
    "activation that looks at its neighbours": (
        ACTIVATIONS,
        replace(SINE, f=lambda z: z - z.mean(), f_prime=lambda z, a: np.zeros_like(z)),
        "not elementwise",
    ),
    "derivative that is a constant": (
        ACTIVATIONS, replace(SINE, f=np.copy, f_prime=lambda z, a: 1.0), "not elementwise",
    ),
    "activation that overflows on the way": (
        ACTIVATIONS,
        replace(ACTIVATIONS["softplus"], name="mine", f=lambda z: np.log(1 + np.exp(z))),
        "no right number at z = 750",
    ),
    "activation that is no number far out": (
        ACTIVATIONS, replace(ACTIVATIONS["sigmoid"], name="mine",
                             f=lambda z: np.exp(z) / (1 + np.exp(z))),
        "no right number at z = 750",
    ),
    "name that is no name": (ACTIVATIONS, replace(SINE, name="my wave"), "cannot name"),
    "empty name": (ACTIVATIONS, replace(SINE, name=""), "cannot name"),
    "taken name": (ACTIVATIONS, replace(SINE, name="relu"), "registered already"),
    "loss with the sign of its delta turned": (
        LOSSES, replace(HALF, delta_per_sample=lambda z, t: t - z), "not the derivative",
    ),
    "loss with the half in the value only": (
        LOSSES, replace(HALF, delta_per_sample=lambda z, t: 2 * (z - t)), "not the derivative",
    ),
    "loss whose stray 1/n_outputs hides behind one output": (
        LOSSES, replace(HALF, delta_per_sample=lambda z, t: (z - t) / z.shape[1]), "2 outputs",
    ),
    "loss with a delta of another shape": (
        LOSSES, replace(HALF, delta_per_sample=lambda z, t: (z - t).sum(axis=1)), "shape",
    ),
    "loss that takes the mean itself": (
        LOSSES, replace(HALF, per_sample=lambda z, t: 0.5 * np.mean((z - t) ** 2)), "shape",
    ),
    "loss whose short form forgets to smooth": (
        LOSSES,
        replace(
            LOSSES["cross_entropy"], name="my_loss",
            per_label=lambda z, y, e: LOSSES["cross_entropy"].per_label(z, y, 0.0),
        ),
        "per_label",
    ),
    "loss with an unknown output": (
        LOSSES, replace(HALF, output="sofmax"), "Did you mean 'softmax'",
    ),
    "loss with a further form of another": (
        LOSSES,
        replace(LOSSES["binary_cross_entropy"], name="my_loss", elsewhere=("max(0, z)",)),
        "none of the formulas of its value",
    ),
    "output of another shape": (
        OUTPUTS, replace(WAVE, f=lambda z: np.sin(z[:, :1])), r"shape \(7, 1\)",
    ),
    "output that joins its rows": (
        OUTPUTS, replace(WAVE, f=lambda z: z - z.mean(axis=0)), "row by row",
    ),
    "output that is not shift-invariant": (
        OUTPUTS, replace(WAVE, is_shift_invariant=True), "shift-invariant",
    ),
    "output with another formula": (OUTPUTS, replace(WAVE, arithmetic="cos(z)"), "formula"),
    "loss with unknown targets": (LOSSES, replace(HALF, targets="colours"), "targets='colours'"),
    "loss with a taken name": (LOSSES, huber(2.0), "registered already"),
    "initializer of the wrong shape": (
        INITIALIZERS, Initializer("turned", lambda rng, i, o: rng.normal(size=(o, i)), ""),
        "shape",
    ),
    "initializer that is not finite": (
        INITIALIZERS, Initializer("endless", lambda rng, i, o: np.full((i, o), np.inf), ""),
        "finite",
    ),
    "initializer with a taken name": (
        INITIALIZERS, replace(INITIALIZERS["zeros"], name="he_normal"), "registered already",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("registry", "row", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_row_that_contradicts_itself_is_refused_with_the_reason(registry, row, reason):
    before = dict(registry)
    with pytest.raises(SettingError, match=reason):
        registry.register(row)
    assert dict(registry) == before


@pytest.mark.parametrize(
    ("f", "f_prime"),
    [(np.exp, lambda z, a: a), (lambda z: z**3, lambda z, a: 3 * z**2),
     (np.sinh, lambda z, a: np.cosh(z)),
     (lambda z: z * np.exp(-(z**2)), lambda z, a: (1 - 2 * z**2) * np.exp(-(z**2)))],
)  # fmt: skip
def test_what_is_beyond_the_floats_is_no_reason_to_refuse_an_activation(f, f_prime):
    ACTIVATIONS.register(replace(SINE, f=f, f_prime=f_prime))


@pytest.mark.rest
def test_a_kink_of_a_loss_that_is_named_is_no_wrong_derivative():
    for threshold in np.linspace(0.05, 3, 400):
        LOSSES.register(huber(float(threshold), "mine"), replace=True)


def test_a_registered_activation_is_used_by_networks_and_passes_the_referee(rng):
    assert ACTIVATIONS.register(SINE) is SINE
    network = Network([3, 4, 4, 2], hidden="sine")
    parameters = network.init(rng)
    report = check_gradients(network, parameters, rng.normal(size=(5, 3)), rng.integers(0, 2, 5))
    assert report, report
    assert report.n_kinks == 0
    assert network.activations[0].f is np.sin


def test_a_registered_loss_is_used_by_networks_and_passes_the_referee(rng):
    log_cosh = Loss(
        "log_cosh", "identity", lambda z, t: np.log(np.cosh(z - t)).sum(axis=1),
        lambda z, t: np.tanh(z - t), "real", (r"\sum_j \ln\cosh(z_j - t_j)", r"\tanh"), "smooth",
    )  # fmt: skip
    LOSSES.register(log_cosh)
    network = Network([3, 4, 2], hidden="tanh", loss="log_cosh", l2=0.1)
    report = check_gradients(
        network, network.init(rng), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    )
    assert report, report


def test_a_huber_loss_with_another_threshold_is_a_row_of_its_own(rng):
    row = LOSSES.register(huber(2.5, "huber_wide"))
    z, t = np.array([[3.0], [2.0]]), np.zeros((2, 1))
    np.testing.assert_allclose(row.per_sample(z, t), [2.5 * (3.0 - 1.25), 2.0], rtol=1e-15)
    np.testing.assert_allclose(row.delta_per_sample(z, t), [[2.5], [2.0]], rtol=1e-15)


@pytest.mark.parametrize("threshold", [0.0, -1.0, np.inf, np.nan])
def test_a_huber_threshold_outside_its_range_is_refused(threshold):
    with pytest.raises(SettingError, match="threshold"):
        huber(threshold)


def test_a_registered_initializer_draws_the_weights_of_a_layer(rng):
    sevens = Initializer("sevens", lambda rng, i, o: np.full((i, o), 7.0), "all seven")
    INITIALIZERS.register(sevens)
    network = Network.from_layers(
        2, [Dense(3, "relu", initializer="sevens"), Dense(1)], "half_squared_error"
    )
    parameters = network.init(rng)
    assert (parameters.W[0] == 7.0).all()
    assert (parameters.W[1] != 7.0).all()


def test_replacing_a_row_is_possible_but_must_be_said():
    with pytest.raises(SettingError, match="replace=True"):
        ACTIVATIONS.register(replace(SINE, name="tanh"))
    ACTIVATIONS.register(replace(SINE, name="tanh"), replace=True)
    assert ACTIVATIONS["tanh"].f is np.sin


def test_replacing_a_row_does_not_excuse_it_from_its_check():
    wrong = replace(SINE, name="tanh", f_prime=lambda z, a: a)
    with pytest.raises(SettingError, match="not the derivative"):
        ACTIVATIONS.register(wrong, replace=True)
    assert ACTIVATIONS["tanh"].f is np.tanh


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
@pytest.mark.parametrize("name", ["no_such_thing", "", None, 3, ["relu"]])
def test_an_unknown_name_is_refused_with_the_known_ones(registry, name):
    assert name not in registry
    with pytest.raises(UnknownNameError) as refusal:
        registry[name]
    assert registry.kind in str(refusal.value)
    assert all(known in str(refusal.value) for known in registry)


def test_a_misspelt_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownNameError, match="Did you mean 'leaky_relu'"):
        ACTIVATIONS["leakyrelu"]
    with pytest.raises(UnknownNameError, match="Did you mean 'cross_entropy'"):
        LOSSES["crossentropy"]


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_a_registry_is_a_mapping_in_the_order_of_registration(registry):
    assert len(registry) == len(list(registry)) > 3
    assert [row.name for row in registry.values()] == list(registry)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("text", "Did you mean 'terminal'?"),  # described so; it is spelt like another one
        ("Picture", "Did you mean 'svg'?"),
        ("latx", "Did you mean 'latex'?"),
        ("page", "Did you mean 'html'?"),
        ("that", "No format is called 'that'. Known"),  # several are described with it
        ("needs nothing", "No format is called 'needs nothing'. Known"),
    ],
)
def test_a_name_is_guessed_from_what_a_row_is_described_as(name, hint):
    with pytest.raises(UnknownNameError, match=re.escape(hint)):
        RENDERERS[name]
