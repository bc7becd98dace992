"""Modules of PyTorch in and out: the same numbers, the same gradients, the same names."""

import pickle

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import MissingExtraError, SettingError, ShapeError
from helpers.networks_out import EVERY, drawn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from helpers.modules import FOLDED, ODD, READABLE, drawn_module  # noqa: E402 - it needs PyTorch


def given_by(module, x):
    with torch.no_grad():
        p = module(torch.tensor(x, dtype=next(module.parameters()).dtype))
    return p.double().numpy().reshape(len(x), -1)


def outputs(network, parameters, x):
    return np.asarray(dp.predict(network, parameters, x, engine="reference"))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
def test_every_network_is_a_module_and_that_module_the_network(network, rng):
    parameters, x, p = drawn(network, rng)
    module = dp.to_torch(network, parameters, output=True)
    np.testing.assert_allclose(given_by(module, x), p, rtol=1e-12, atol=1e-13)
    again, numbers = dp.from_torch(module, network.loss_name)
    assert again.sizes == network.sizes
    assert again.n_parameters == network.n_parameters
    np.testing.assert_allclose(numbers.flat, parameters.flat, rtol=1e-15)
    np.testing.assert_allclose(outputs(again, numbers, x), p, rtol=1e-12, atol=1e-13)
    logits = given_by(dp.to_torch(network, parameters), x)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(network.loss.predict(logits), p, rtol=1e-12, atol=1e-13)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
def test_it_has_our_gradients(network, rng):
    parameters, x, _ = drawn(network, rng)
    module = dp.to_torch(network, parameters)
    z = module(torch.tensor(x))
    # any delta: the pass backward is that of a loss with targets p - delta
    targets = outputs(network, parameters, x)
    if network.loss.targets == "distribution":
        targets = np.roll(np.eye(network.n_out)[targets.argmax(1)], 1, axis=1)
    elif network.loss.targets == "count":
        targets = np.full_like(targets, 2.0)
    else:
        targets = np.full_like(targets, 0.5)
    delta = network.loss.delta(z.detach().numpy(), targets)
    z.backward(torch.tensor(delta))
    gradients = dp.backpropagate(network, parameters, x, targets).gradients
    for number, (layer, arrays) in enumerate(
        zip(network.computing_layers, gradients.layers, strict=True), 1
    ):
        own = module.get_submodule(f"layer{number}")
        for name, gradient in arrays.items():
            found = getattr(own, {"W": "weight", "b": "bias", "g": "weight"}.get(name, name), None)
            found = getattr(own, name) if found is None else found
            grad = found.grad.numpy()
            if name == "W" and isinstance(own, torch.nn.Linear):
                grad = grad.T
            np.testing.assert_allclose(grad, gradient, rtol=1e-9, atol=1e-11, err_msg=f"{layer}")


@pytest.mark.parametrize("make", [*READABLE.values(), *FOLDED.values()], ids=[*READABLE, *FOLDED])
def test_a_module_is_read_as_it_is(make, rng):
    torch.manual_seed(5)
    module = make().double().eval()
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network, parameters = dp.from_torch(module)
    x = rng.normal(size=(9, network.n_in))
    p, given = outputs(network, parameters, x), given_by(module, x)
    if given.min() < 0 and network.loss_name == "cross_entropy":  # log_softmax
        given = np.exp(given)
    np.testing.assert_allclose(p, given, rtol=1e-12, atol=1e-13)
    assert set(vars(module)) == set(vars(make())), "reading leaves nothing behind"
    assert all(torch.equal(state[name], tensor) for name, tensor in module.state_dict().items())


@pytest.mark.one_in(2)
@pytest.mark.parametrize("make", READABLE.values(), ids=READABLE)
def test_on_the_way_back_the_names_are_those_it_had(make, rng):
    torch.manual_seed(6)
    module = make().eval()
    network, parameters = dp.from_torch(module)
    other = parameters.like(parameters.flat + rng.normal(size=parameters.flat.size))
    back = dp.to_torch(network, other, like=module)
    fresh = make()
    fresh.load_state_dict(back.state_dict(), strict=True)
    x = rng.normal(size=(5, network.n_in))
    given = given_by(fresh.eval(), x)
    if given.min() < 0 and network.loss_name == "cross_entropy":
        given = np.exp(given)
    np.testing.assert_allclose(outputs(network, other, x), given, rtol=2e-5, atol=2e-6)
    same = dp.to_torch(network, parameters, like=module).state_dict()
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(same[name], tensor, rtol=1e-6, atol=1e-7)
        assert same[name].dtype == tensor.dtype


def test_numbers_that_were_folded_are_not_put_back():
    module = FOLDED["batch normalization behind"]()
    network, parameters = dp.from_torch(module)
    with pytest.raises(SettingError, match=r"W of layer 1 is made of several .* Leave like= out"):
        dp.to_torch(network, parameters, like=module)
    assert dp.to_torch(network, parameters).layer1.bias is not None


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("make", "named"), ODD.values(), ids=ODD)
def test_what_no_network_is_gets_refused_by_its_node(make, named):
    torch.manual_seed(0)
    with pytest.raises(SettingError, match=named) as refusal:
        dp.from_torch(make())
    assert "\n" not in str(refusal.value)


def round_trip(seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    module = drawn_module(rng)
    network, parameters = dp.from_torch(module)
    x = rng.normal(size=(6, network.n_in))
    torch.testing.assert_close(
        torch.tensor(given_by(module.eval(), x)), torch.tensor(outputs(network, parameters, x)),
        rtol=1e-5, atol=1e-5,
    )  # fmt: skip
    exact = module.double()
    np.testing.assert_allclose(
        given_by(exact, x), outputs(network, parameters, x), rtol=1e-10, atol=1e-12
    )
    # softplus of PyTorch is z beyond 20
    back = dp.to_torch(network, parameters, like=exact)
    assert all(torch.equal(t, back.state_dict()[name]) for name, t in exact.state_dict().items())
    again, numbers = dp.from_torch(dp.to_torch(network, parameters))
    assert again == network
    np.testing.assert_array_equal(numbers.flat, parameters.flat)
    # its gradients are PyTorch's
    targets = rng.normal(size=(6, network.n_out))
    loss = 0.5 * (exact(torch.tensor(x)) - torch.tensor(targets)).square().sum(1).mean()
    loss.backward()
    trace = dp.backpropagate(network, parameters, x, targets)
    assert trace.loss == pytest.approx(loss.item(), rel=1e-9)
    ours = dp.to_torch(network, trace.gradients, like=exact)
    for (_, tensor), gradient in zip(exact.named_parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(tensor.grad, gradient.detach(), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_random_modules_go_there_and_back(seed):
    round_trip(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 206))
def test_two_hundred_random_modules_go_there_and_back(seed):
    round_trip(seed)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_numbers_of_every_type_are_read_as_they_are(dtype):
    module = READABLE["sequential"]().to(dtype)
    network, parameters = dp.from_torch(module, "cross_entropy")
    np.testing.assert_array_equal(parameters.W[0].T, module[0].weight.detach().double().numpy())
    back = dp.to_torch(network, parameters, like=module)
    assert all(
        torch.equal(a, b) for a, b in zip(module.parameters(), back.parameters(), strict=True)
    )
    assert back[0].weight.dtype == dtype


def test_what_it_ends_in_chooses_the_loss():
    body = [torch.nn.Linear(4, 3)]
    for end, loss in (
        ([], "half_squared_error"), ([torch.nn.Softmax(1)], "cross_entropy"),
        ([torch.nn.LogSoftmax(1)], "cross_entropy"), ([torch.nn.Sigmoid()], "binary_cross_entropy"),
        ([torch.nn.Tanh()], "half_squared_error_tanh"),
    ):  # fmt: skip
        assert dp.from_torch(torch.nn.Sequential(*body, *end))[0].loss_name == loss
    assert dp.from_torch(body[0], "huber")[0].loss_name == "huber"
    squared = "half_squared_error_softmax"
    module = torch.nn.Sequential(*body, torch.nn.Softmax(1))
    assert dp.from_torch(module, squared)[0].loss_name == squared
    with pytest.raises(SettingError, match=r"Node 'softmax'.* poisson has exp for its output"):
        dp.from_torch(module, "poisson")
    with pytest.raises(SettingError, match="No loss is called 'msle'"):
        dp.from_torch(module, "msle")


def test_a_module_can_be_trained_copied_and_saved(tmp_path):
    network = EVERY["1.7159 tanh(2/3 z)"]
    parameters = network.init(np.random.default_rng(0))
    module = pickle.loads(pickle.dumps(dp.to_torch(network, parameters)))
    x, labels = torch.randn(32, 4, dtype=torch.float64), torch.randint(3, (32,))
    optimizer = torch.optim.Adam(module.train().parameters(), 0.05)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    again, numbers = dp.from_torch(module, "cross_entropy")
    assert dp.backpropagate(again, numbers, x.numpy(), labels.numpy()).loss < losses[-1] + 1e-9
    assert list(module.state_dict()) == [
        f"layer{k}.{name}" for k in (1, 2, 3) for name in ("weight", "bias")
    ]


def test_dropout_comes_along():
    network = dp.Network([4, 50, 2], dropout=0.5)
    module = dp.to_torch(network, network.init(np.random.default_rng(0)))
    x = torch.ones(1, 4, dtype=torch.float64)
    assert torch.equal(module(x), module(x))
    module.train()
    assert not torch.equal(module(x), module(x))
    assert dp.from_torch(module, "cross_entropy")[0] == network
    assert module.training


def test_what_it_cannot_be_is_said(monkeypatch):
    network = dp.Network([4, 8, 3])
    parameters = network.init(np.random.default_rng(0))
    module = READABLE["sequential"]()
    with pytest.raises(ShapeError, match="do not belong to this network"):
        dp.to_torch(dp.Network([4, 7, 3]), parameters)
    with pytest.raises(SettingError, match=r"like= is a module of the sizes \(4, 2\)"):
        dp.to_torch(network, parameters, like=torch.nn.Linear(4, 2))
    with pytest.raises(SettingError, match="Layer 1 of like= is Dense"):
        dp.to_torch(dp.Network([4, 8, 3], "tanh"), parameters, like=module)
    with pytest.raises(SettingError, match=r"no torch.nn.Module. Of a file of weights alone"):
        dp.from_torch("model.pt")
    monkeypatch.setattr("deltaprop.interop.pytorch.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"from_torch needs PyTorch.*deltaprop.torch"):
        dp.from_torch(module)


def test_what_has_no_formula_is_named(monkeypatch):
    monkeypatch.setattr(dp.ACTIVATIONS, "_rows", dict(dp.ACTIVATIONS._rows))
    dp.register_activation(
        dp.Activation("bent", lambda z: z + z**3 / 9, lambda z, _a: 1 + z**2 / 3, ("", ""), "")
    )
    network = dp.Network([2, 3, 2], "bent")
    with pytest.raises(SettingError, match="The activation 'bent' of layer 1 has no formula"):
        dp.to_torch(network, network.init(np.random.default_rng(0)))
