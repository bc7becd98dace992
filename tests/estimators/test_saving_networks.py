"""Whatever an optimizer, its schedule or a network may be: it comes back from a file."""

import json

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.losses import LOSSES
from deltaprop.model import layers as kinds
from deltaprop.model.serialize import network_from_dict, network_to_dict
from deltaprop.training.optimizers import optimizer_from_dict, optimizer_to_dict
from helpers.random_settings import OPTIMIZER, SHARES


@given(OPTIMIZER)
def test_an_optimizer_comes_back(rule):
    assert optimizer_from_dict(json.loads(json.dumps(optimizer_to_dict(rule)))) == rule


WIDTHS = st.one_of(st.integers(1, 5), st.integers(1, 5).map(np.int64))


FACTORS = st.floats(1e-9, 1e9)


LAYER = {
    "dense": st.builds(
        kinds.Dense, WIDTHS, st.sampled_from([None, *ACTIVATIONS]),
        st.sampled_from([True, False, np.True_]), st.sampled_from([None, *INITIALIZERS]),
        st.sampled_from(["standard", "ntk"]),
        st.sampled_from(["zeros", "standard_normal"]), FACTORS, FACTORS,
    ),
    "dropout": st.builds(kinds.Dropout, SHARES),
    "scaling": st.builds(kinds.Scaling, FACTORS),
    "layer_norm": st.builds(
        kinds.LayerNorm, st.sampled_from([None, *ACTIVATIONS]), FACTORS, FACTORS
    ),
    "parametric_activation": st.builds(
        kinds.ParametricActivation, st.sampled_from(list(ACTIVATIONS)), FACTORS
    ),
    "periodic_embedding": st.builds(
        kinds.PeriodicEmbedding, st.integers(1, 2), WIDTHS, WIDTHS, st.floats(0, 9), FACTORS
    ),
    "category_embedding": st.builds(
        kinds.CategoryEmbedding, st.lists(WIDTHS, min_size=1, max_size=3), WIDTHS, FACTORS
    ),
}  # fmt: skip


@given(
    st.lists(st.one_of(*LAYER.values()), max_size=4), st.integers(1, 9), st.integers(1, 3),
    st.sampled_from(list(LOSSES)), SHARES, st.floats(0, 1e300),
)  # fmt: skip
def test_a_network_comes_back(inner, n_in, n_out, loss, smoothing, penalty):
    assert set(LAYER) == set(kinds.LAYERS)
    try:
        network = dp.Network.from_layers(
            n_in, [*inner, kinds.Dense(n_out)], loss, label_smoothing=smoothing, l2=penalty
        )
    except SettingError:
        assume(False)
    text = json.dumps(network_to_dict(network), default=lambda value: value.tolist())
    assert network_from_dict(json.loads(text), network.n_parameters) == network
