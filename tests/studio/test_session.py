"""What a page asks of its server is answered with the reference's numbers, or refused."""

import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DeltapropError
from deltaprop.model.backprop import propagate
from deltaprop.studio.session import Session

PLAN = {
    "sizes": [2, 4, 3], "activations": ["tanh"], "loss": "cross_entropy", "l2": 0.0, "l1": 0.0,
    "optimizer": {"name": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    "learningRate": 0.05, "batchSize": 8, "seed": 1,
}  # fmt: skip
PLANE = {
    "x": [-1.0, 1.0], "y": [-2.0, 2.0], "columns": 5, "rows": 4, "inputs": [0, 1],
    "allNeurons": True,
}  # fmt: skip
FRAME = {"since": -1, "plane": PLANE, "parameters": True, "outputs": True}
BASE = {"base": np.zeros(2)}


@pytest.fixture
def begun():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 2))
    labels = rng.integers(3, size=30).astype(np.int32)
    network = dp.Network([2, 4, 3], "tanh")
    flat = network.init(rng).flat
    session = Session()
    arrays = {"x": x.reshape(-1), "labels": labels, "parameters": flat}
    session.answer("begin", {"plan": PLAN}, arrays)
    yield session, network, x
    session.close()


def frame(session):
    return session.answer("frame", FRAME, BASE)


def test_a_frame_has_the_numbers_of_the_network(begun):
    session, network, x = begun
    session.answer("go", {"steps": 20}, {})
    answer, arrays = frame(session)
    assert (answer["step"], answer["epoch"], answer["stepsPerEpoch"]) == (20, 5, 4)
    parameters = dp.Parameters(network.layout, arrays["parameters"])
    across, down = np.meshgrid([-0.8, -0.4, 0, 0.4, 0.8], [1.5, 0.5, -0.5, -1.5])
    _, a, _ = propagate(network, parameters, np.column_stack([across.ravel(), down.ravel()]))
    expected = np.concatenate([layer.T.ravel() for layer in a[1:]])
    np.testing.assert_allclose(arrays["field"], expected, rtol=1e-6, atol=1e-7)
    _, a, _ = propagate(network, parameters, x)
    np.testing.assert_allclose(arrays["outputs"].reshape(-1, 3), a[-1], rtol=1e-12)


def test_it_plays_until_it_is_paused_and_goes_back(begun):
    session, *_ = begun
    session.answer("play", {"rate": None}, {})
    until = time.monotonic() + 30
    while frame(session)[0]["step"] < 50 and time.monotonic() < until:
        time.sleep(0.01)
    session.answer("pause", {}, {})
    session.answer("goTo", {"step": 7}, {})
    answer, arrays = frame(session)
    assert answer["step"] == 7
    assert not answer["running"]
    session.answer("goTo", {"step": 0}, {})
    session.answer("go", {"steps": 7}, {})
    np.testing.assert_array_equal(frame(session)[1]["parameters"], arrays["parameters"])


def test_what_was_changed_by_hand_is_kept_and_begun_with(begun):
    session, network, x = begun
    begins = frame(session)[1]["parameters"]
    assert session.answer("edits", {}, {})[0] == {"edits": [], "changes": []}
    for step in (3, 5):
        session.answer("goTo", {"step": step}, {})
        flat = frame(session)[1]["parameters"] + step
        session.answer("setParameters", {}, {"parameters": flat})
    session.answer("setRow", {"row": [2, 0.5, -1]}, {})
    session.answer("setLearningRate", {"learningRate": 0.4}, {})
    told = frame(session)[0]
    assert (told["learningRate"], told["rows"]) == (0.4, [[2, 0.5, -1.0]])
    session.answer("go", {"steps": 4}, {})
    expected = frame(session)[1]["parameters"]
    answer, arrays = session.answer("edits", {}, {})
    change = {"step": 5, "learningRate": 0.4, "rows": [[2, 0.5, -1.0]]}
    assert answer == {"edits": [3, 5], "changes": [change]}
    session.answer("goTo", {"step": 4}, {})
    assert frame(session)[0]["rows"] == []
    labels = session._its().rows.t.astype(np.int32)
    given = {"x": x.reshape(-1), "labels": labels, "parameters": begins, **arrays}
    with pytest.raises(DeltapropError, match="parameters"):
        session.answer("begin", {"plan": PLAN, **answer}, {**given, "edits": arrays["edits"][:-1]})
    again = Session()
    again.answer("begin", {"plan": PLAN, **answer}, given)
    again.answer("go", {"steps": 9}, {})
    np.testing.assert_array_equal(frame(again)[1]["parameters"], expected)
    assert network.n_parameters == expected.size


def test_it_plays_as_slowly_as_is_asked(begun):
    session, *_ = begun
    session.answer("play", {"rate": 20}, {})
    time.sleep(0.5)
    session.answer("pause", {}, {})
    assert 1 <= frame(session)[0]["step"] <= 20


def test_the_step_that_comes_is_told_whole(begun):
    session, network, _ = begun
    session.answer("go", {"steps": 3}, {})
    answer, arrays = session.answer("trace", {}, {})
    assert answer["step"] == 3
    assert len(answer["rows"]) == 6  # the last batch of 30 by 8
    assert arrays["state_0"].shape == arrays["parameters"].shape == (network.n_parameters,)


def test_more_steps_than_can_be_waited_for_are_refused(begun):
    session, *_ = begun
    for kind, asked in (("go", {"steps": 10**9}), ("goTo", {"step": 10**9})):
        with pytest.raises(DeltapropError, match="100,000 steps"):
            session.answer(kind, asked, {})


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*PLAN, *PLANE, "plan", "plane", "steps"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(
        [
            "begin",
            "go",
            "goTo",
            "play",
            "setParameters",
            "setRow",
            "setLearningRate",
            "edits",
            "frame",
            "trace",
            "x",
            3,
        ]
    ),
    asked=st.dictionaries(
        st.sampled_from(
            [
                "plan",
                "step",
                "steps",
                "rate",
                "since",
                "plane",
                "row",
                "learningRate",
                "changes",
            ]
        ),
        odd,
    )
    | odd,
    name=st.sampled_from(["x", "labels", "parameters", "base"]),
    array=st.lists(st.floats(), max_size=5).map(np.array),
)
def test_whatever_else_is_asked_is_refused_in_a_sentence(begun, kind, asked, name, array):
    session, *_ = begun
    with suppress(DeltapropError):
        session.answer(kind, asked, {name: array})
    session.answer("pause", {}, {})


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "1", True, 1e300])
def test_no_rate_ends_the_thread_that_plays(begun, rate):
    session, *_ = begun
    with pytest.raises(DeltapropError, match="rate"):
        session.answer("play", {"rate": rate}, {})
    assert not frame(session)[0]["running"]


@pytest.mark.parametrize("place", PLAN)
@pytest.mark.parametrize("value", [None, "x", -1, 2**60, [], {}, True, float("nan")])
@pytest.mark.one_in(4)
def test_a_plan_with_something_odd_is_refused_or_taken(begun, place, value):
    session, *_ = begun
    arrays = {"x": np.ones(8), "labels": np.zeros(4, np.int32), "parameters": np.zeros(27)}
    with suppress(DeltapropError):
        session.answer("begin", {"plan": {**PLAN, place: value}}, arrays)
        frame(session)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("setRow", {"row": [30, 0.0, 0.0]}), ("setRow", {"row": [0, 0.0]}), ("setRow", {"row": 3}),
        ("setRow", {"row": [-1, 0.0, 0.0]}), ("setRow", {"row": [0, 0.0, float("inf")]}),
        ("setRow", {"row": [0, 0.0, 0.0, 1.0]}), ("setLearningRate", {"learningRate": 0}),
        ("setLearningRate", {"learningRate": float("nan")}), ("setLearningRate", {}),
    ],
)  # fmt: skip
def test_no_change_is_made_that_cannot_be(begun, kind, asked):
    session, *_ = begun
    with pytest.raises(DeltapropError):
        session.answer(kind, asked, {})
    assert session.answer("edits", {}, {})[0] == {"edits": [], "changes": []}
