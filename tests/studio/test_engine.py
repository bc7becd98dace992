"""The engine of the page takes the reference's steps, and is as good as its word."""

import json

import numpy as np
import pytest

import deltaprop as dp
from deltaprop import _native
from deltaprop.engines.base import EpochPlan
from deltaprop.engines.kernels import NativeRun
from deltaprop.engines.reference import ReferenceRun
from deltaprop.errors import SettingError
from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import draw_masks, trace_step
from deltaprop.model.targets import dense_targets
from deltaprop.studio import engine
from deltaprop.studio.engine import description
from deltaprop.training.batches import dropout_generator, epoch_order
from helpers.page_engine import BATCH, SEED, N, case, targets_for, then
from helpers.piles import ACTIVATIONS, LOSSES, PILES, RULES, network_of

EPOCHS = 10
CLOSE = 1e-12


def run_of(kind, one):
    """Return the loss of each epoch, the parameters and the optimizer's state, as arrays."""
    parameters = one.parameters.copy()
    run, n = kind(one.problem, parameters), len(one.problem.X)
    rates = np.full(-(-n // BATCH), one.eta)
    losses = []
    for epoch in range(EPOCHS):
        masks = dropout_generator(SEED, epoch)
        plan = EpochPlan(epoch_order(SEED, epoch, n, True), masks, rates, lambda _: False)
        losses.append(run.epoch(plan).loss)
    states = [value for value in run.state.values() if isinstance(value, np.ndarray)]
    return [np.array(losses), parameters.flat, *states]


def all_cases():
    """Every activation with every loss, optimizers and settings in turn; and every pile."""
    more = [{}, {"l2": 0.1, "l1": 0.05}, {"dropout": 0.4}, {"bias": False}]
    for a, activation in enumerate(ACTIVATIONS):
        for i, (loss, row) in enumerate(LOSSES.items()):
            chosen = dict(more[(a + i) % len(more)])
            if row.smooth and a % 3 == 0:
                chosen["label_smoothing"] = 0.2
            name, rule = list(RULES.items())[(a + 2 * i) % len(RULES)]
            weights = np.random.default_rng(a).integers(0, 4, size=N).astype(float)
            weighted = {"weights": weights / weights.mean()} if i % 2 else {}
            network = dp.Network([5, 9, 7, 3], activation, loss, **chosen)
            yield f"{activation}, {loss}, {name}, {chosen}", case(network, rule, **weighted)
    for i, (name, layers) in enumerate(PILES.items()):
        rule, optimizer = list(RULES.items())[i % len(RULES)]
        yield f"{name}, {rule}", case(network_of(layers, l2=0.01), optimizer)


@pytest.fixture(scope="module")
def cases():
    return dict(all_cases())


@pytest.fixture(scope="module")
def learnt(ask, cases):
    """What the engine says of each case after ten epochs."""
    calls = [["run", EPOCHS * -(-N // BATCH)], ["parameters"], ["state", 0], ["state", 1]]
    answers = ask([then(one, *calls) for one in cases.values()])
    return {name: answer[-4:] for name, answer in zip(cases, answers, strict=True)}


@pytest.mark.rest
def test_ten_epochs_are_the_references(cases, learnt):
    off = {}
    for name, one in cases.items():
        ran, flat, first, second = learnt[name]
        losses, parameters, *states = run_of(ReferenceRun, one)
        found = [ran["epochLosses"], flat, *[first, second][: len(states)]]
        assert ran["diverged"] is None
        for ours, theirs in zip(found, [losses, parameters, *states], strict=True):
            worst = np.abs(np.array(ours) - theirs).max() / max(1.0, np.abs(theirs).max())
            off[name] = max(worst, off.get(name, 0.0))
    assert {name: worst for name, worst in off.items() if not worst <= CLOSE} == {}


def test_with_the_same_seed_it_learns_what_train_does(ask):
    network, weights = dp.Network([5, 9, 3], "tanh", dropout=0.2), np.arange(1.0, N + 1)
    one = case(network, dp.Adam(), weights)
    calls = [["run", EPOCHS * -(-N // BATCH)], ["parameters"], ["position"]]
    ((*_, ran, flat, position),) = ask([then(one, *calls)])
    parameters, problem = one.parameters.copy(), one.problem
    history = dp.train(
        network, parameters, problem.X, problem.targets, sample_weight=weights, epochs=EPOCHS,
        batch_size=BATCH, optimizer=dp.Adam(one.eta), seed=SEED, engine="reference",
    )  # fmt: skip
    np.testing.assert_allclose(ran["epochLosses"], history.loss, rtol=CLOSE)
    np.testing.assert_allclose(flat, parameters.flat, rtol=CLOSE, atol=CLOSE)
    assert position["epoch"] == history.n_epochs


@pytest.mark.skipif(not _native.cpu_features(), reason="others fuse products and sums")
def test_it_has_the_bits_of_the_native_engine(cases, learnt, monkeypatch):
    """Of its build for any machine, in panels: the same sources, every sum in the same order."""
    monkeypatch.setenv("DELTAPROP_BUILD", "portable")
    monkeypatch.setenv("DELTAPROP_LAYOUT", "panels")
    off = []
    for name, one in cases.items():
        ran, flat, *_ = learnt[name]
        losses, parameters, *_ = run_of(NativeRun, one)
        off += [name] * ([ran["epochLosses"], flat] != [losses.tolist(), parameters.tolist()])
    assert off == []


def test_every_name_that_it_offers_is_in_a_case(ask, cases):
    assert len(ACTIVATIONS) * len(LOSSES) + len(PILES) == len(cases)
    told = [json.dumps(one.told["description"]) for one in cases.values()]
    kinds = {layer["kind"] for one in cases.values() for layer in one.told["description"]["layers"]}
    (answer,) = ask([{"description": case(dp.Network([2, 2])).told["description"], "calls": []}])
    assert answer == []
    assert kinds == {"dense", *(layer.kind for pile in PILES.values() for layer in pile)} - {
        "dropout"
    }
    for name in RULES:
        assert any(f'"name": "{name}"' in text for text in told)


def is_close(found, expected):
    return np.allclose(np.ravel(found), np.ravel(expected), rtol=1e-12, atol=1e-13)


def test_a_trace_is_that_of_the_reference(ask, cases):
    """Of the second batch of the first epoch, with its masks; every number of it."""
    answers = ask([then(one, ["run", 1], ["parameters"], ["trace"]) for one in cases.values()])
    wrong = []
    for (name, one), (*_, flat, trace) in zip(cases.items(), answers, strict=True):
        problem = one.problem
        network, rng = problem.network, dropout_generator(SEED, 0)
        order = epoch_order(SEED, 0, N, True)
        draw_masks(network, BATCH, rng)
        rows = order[BATCH : 2 * BATCH]
        weights = None if problem.weights is None else problem.weights[rows]
        expected = trace_step(
            network, one.parameters.like(np.array(flat)), problem.X[rows],
            dense_targets(problem.targets[rows], network.n_out),
            sample_shares(len(rows), weights, total=len(rows)), draw_masks(network, BATCH, rng),
        )  # fmt: skip
        same = {
            "rows": trace["rows"] == rows.tolist(),
            "parameters": trace["parameters"] == flat,
            "loss": is_close(trace["loss"], expected.loss),
            "data loss": is_close(trace["dataLoss"], expected.data_loss),
            "l2": is_close(trace["l2Penalty"], expected.l2_penalty),
            "l1": is_close(trace["l1Penalty"], expected.l1_penalty),
            "losses": is_close(trace["losses"], expected.loss_per_sample),
            "outputs": is_close(trace["outputs"]["values"], expected.a[-1]),
            "gradient": is_close(trace["gradient"], expected.gradients.flat),
            "data gradient": is_close(trace["dataGradient"], expected.data_gradients.flat),
        }
        kept = {
            "z": expected.z, "a": expected.a[1:], "inputs": expected.inputs,
            "delta": expected.delta,
        }  # fmt: skip
        for key, arrays in kept.items():
            for layer, (found, array) in enumerate(zip(trace[key], arrays, strict=True)):
                same[f"{key} {layer}"] = is_close(found["values"], array)
                assert (found["rows"], found["columns"]) == array.shape
        wrong += [f"{name}: {key}" for key, good in same.items() if not good]
    assert wrong == []


def test_what_is_shown_is_the_step_that_is_taken(ask):
    """Bit for bit: w - eta g, g of the trace, are the weights after the step."""
    network = dp.Network([5, 18, 7, 3], "gelu", l2=0.1)
    one = case(network, eta=0.1)
    phases = [["phase"]] * 4
    (answer,) = ask([then(one, ["run", 5], *phases, ["parameters"], ["position"])])
    *_, forward, loss, backward, update, flat, position = answer
    seen = [forward, loss, backward, update]
    assert [each["phase"] for each in seen] == ["forward", "loss", "backward", "update"]
    trace = update["trace"]
    assert forward["trace"] == {name: part for name, part in trace.items() if name != "after"}
    stepped = np.array(trace["parameters"]) - 0.1 * np.array(trace["gradient"])
    assert stepped.tolist() == trace["after"] == flat
    assert position["stepsDone"] == 6
    assert position["batchLoss"] == pytest.approx(trace["loss"], rel=1e-15)


def test_the_gradient_is_the_slope_of_the_loss(ask):
    """Central differences by the engine itself, through masks and weights; nothing is changed."""
    network = dp.Network([3, 4, 3], "tanh", dropout=0.3, l2=0.1, label_smoothing=0.1)
    weights = np.linspace(0.5, 1.5, N)
    one, h = case(network, weights=weights), 1e-5
    begin = [*one.told["calls"], ["run", 2], ["trace"]]
    (answer,) = ask([{**one.told, "calls": begin}])
    trace, w = answer[-1], np.array(answer[-1]["parameters"])
    moved = [w + sign * step for step in h * np.eye(len(w)) for sign in (1, -1)]
    calls = [*begin, *(["lossAt", each.tolist()] for each in (*moved, w)), ["trace"]]
    (answer,) = ask([{**one.told, "calls": calls}])
    *costs, here, after = answer[len(begin) :]
    losses = np.reshape([cost["loss"] for cost in costs], (-1, 2))
    slopes = (losses[:, 0] - losses[:, 1]) / (2 * h)
    np.testing.assert_allclose(slopes, trace["gradient"], rtol=1e-7, atol=1e-9)
    assert here["loss"] == trace["loss"]
    assert after == trace


def test_phases_are_steps(ask):
    one = case(dp.Network([5, 9, 3], "tanh", dropout=0.3), dp.Adam())
    by_phases = then(one, *[["phase"]] * 28, ["snapshot"])
    by_steps = then(one, ["run", 7], ["snapshot"])
    stopped = then(one, ["phase"], ["phase"], ["run", 3], *[["phase"]] * 16, ["snapshot"])
    a, b, c = (answer[-1] for answer in ask([by_phases, by_steps, stopped]))
    assert a == b == c


@pytest.mark.parametrize("rule", ["adam", "nesterov", "gradient_descent"])
def test_back_again_has_the_same_bits(ask, rule):
    """From the middle of an epoch, over several; also by a network made anew."""
    one = case(dp.Network([5, 9, 3], "selu", dropout=0.3, l1=0.01), RULES[rule])
    again = [["restore", {"back": 4}], ["run", 57], ["snapshot"]]
    calls = [["run", 10], ["snapshot"], ["run", 57], ["snapshot"], *again]
    anew = [["create again"], *one.told["calls"][1:], *again]
    *_, (*_, start, first, end, _, second, back, _, _, _, _, third, end_anew) = ask(
        [then(one, *calls, *anew)]
    )
    assert start != end
    assert end == back == end_anew
    assert first == second == third
    assert len(first["epochLosses"]) == 14


def test_a_loss_over_rows_is_that_of_the_reference(ask):
    rng = np.random.default_rng(4)
    sizes, smoothed = [5, 9, 3], {"label_smoothing": 0.1}
    network, plain = (dp.Network(sizes, "tanh", **smoothed, **more) for more in ({"l2": 0.1}, {}))
    one, X, y = case(network), rng.normal(size=(301, 5)), rng.integers(0, 3, size=301)
    held = {"x": X.tolist(), "labels": y.tolist(), "weights": (y + 0.5).tolist()}
    calls = [["setRows", "validation", held], ["evaluate", "validation"], ["evaluate", "training"]]
    (*_, by_held, by_training), = ask([then(one, *calls)])  # fmt: skip
    for found, rows, targets, weights in (
        (by_held, X, y, y + 0.5), (by_training, one.problem.X, one.problem.targets, None)
    ):  # fmt: skip
        trace = dp.backpropagate(plain, one.parameters, rows, targets, sample_weight=weights)
        assert found["loss"] == pytest.approx(trace.loss, rel=1e-13)
        assert is_close(found["outputs"]["values"], trace.a[-1])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_field_is_what_a_prediction_says(ask, loss):
    """For every neuron, at the points of a plane; and the outputs are those of the loss."""
    network = dp.Network([4, 7, 3], "mish", loss)
    one, rng = case(network), np.random.default_rng(2)
    origin, across, down = rng.normal(size=(3, 4))
    plane = {"origin": origin.tolist(), "across": across.tolist(), "down": down.tolist()}
    points = [origin + i * across + j * down for j in range(11) for i in range(17)]
    calls = [
        ["field", {**plane, "columns": 17, "rows": 11}, 0, 1],
        ["predict", np.array(points).tolist()],
        ["predict", np.array(points).tolist(), 0, "z"],
    ]
    (*_, (hidden, outputs), predicted, z), = ask([then(one, *calls)])  # fmt: skip
    parameters = one.parameters
    expected = dp.backpropagate(
        network, parameters, np.array(points), targets_for(network, rng, len(points))
    )
    assert is_close(predicted["values"], expected.a[-1])
    assert is_close(z["values"], expected.z[0])
    np.testing.assert_allclose(np.array(outputs).T, expected.a[-1], rtol=1e-6)
    np.testing.assert_allclose(np.array(hidden).T, expected.a[1], rtol=1e-5, atol=1e-7)


def test_a_picture_has_the_cells_of_two_inputs_seen_from_above(ask):
    one = case(dp.Network([3, 2]))
    picture = {
        "x": [-1, 3],
        "y": [0, 6],
        "columns": 4,
        "rows": 3,
        "base": [9, 0.5, 9],
        "inputs": [2, 0],
    }
    cells = [[y, 0.5, x] for y in (5, 3, 1) for x in (-0.5, 0.5, 1.5, 2.5)]
    ((*_, ((first, second),), predicted),) = ask(
        [then(one, ["field", picture], ["predict", cells])]
    )
    np.testing.assert_allclose(
        np.array([first, second]).T, np.reshape(predicted["values"], (-1, 2)), rtol=1e-6
    )


def test_the_slots_of_the_parameters_are_those_of_the_reference(ask, cases):
    answers = ask([{**one.told, "calls": [["slots"]]} for one in cases.values()])
    for (name, one), (slots,) in zip(cases.items(), answers, strict=True):
        assert [
            (s["layer"], s["name"], tuple(s["shape"]), s["start"], s["stop"]) for s in slots
        ] == [
            (s.layer, s.name, s.shape, s.start, s.stop) for s in one.problem.network.layout.slots
        ], name


def test_rows_may_change_while_it_learns(ask):
    """As many as before: it goes on where it stood. More: the epoch begins anew."""
    one = case(dp.Network([5, 4, 3], "tanh"))
    rows = one.told["calls"][2][2]
    moved = {**rows, "x": [[v + 0.5 for v in row] for row in rows["x"]]}
    more = {"x": [*rows["x"], rows["x"][0]], "labels": [*rows["labels"], 0]}
    calls = [
        ["run", 6], ["position"], ["setRows", "training", moved], ["position"], ["trace"],
        ["setRows", "training", more], ["position"], ["run", 8], ["position"],
    ]  # fmt: skip
    (*_, before, _, after, trace, _, anew, _, end), = ask([then(one, *calls)])  # fmt: skip
    assert (before["epoch"], before["step"], before["stepsOfEpoch"]) == (1, 2, 4)
    assert after == before
    np.testing.assert_array_equal(
        np.reshape(trace["inputs"][0]["values"], (-1, 5)), np.array(moved["x"])[trace["rows"]]
    )
    assert (anew["epoch"], anew["step"], anew["epochLoss"]) == (1, 0, 0)
    assert (end["epoch"], end["step"], end["stepsDone"]) == (3, 0, 14)


def test_chromium_and_node_have_the_same_bits(ask, cases):
    """In a page of one file, under the studio's policy, in a worker; waves have sines."""
    chosen = [one for name, one in cases.items() if "waves" in name or "gelu" in name]
    asked = [then(one, ["run", 9], ["trace"], ["snapshot"]) for one in chosen]
    assert ask(asked, "chromium") == ask(asked, "node")


def test_where_it_was_not_built_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "files", lambda package: tmp_path)
    assert engine.engine_bytes() is None
    with pytest.raises(SettingError, match=r"make wasm builds it.*the server computes"):
        engine.packed_engine()


def test_what_the_kernels_lack_is_said():
    said = "The engine of the page has no optimizer Muon; the server computes"
    with pytest.raises(SettingError, match=said):
        description(dp.Network([2, 2, 2]), dp.Muon(), batch_size=2)
