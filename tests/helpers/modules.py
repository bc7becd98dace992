"""Modules of PyTorch: as people write them, drawn at random, and such as no network is."""

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import nn


class Written(nn.Module):
    """Parts, and a forward pass that is given."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.given = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.given(self, x)


def parameter(*shape):
    return nn.Parameter(torch.randn(*shape))


def normalized(width):
    """Return a batch normalization that has seen something."""
    norm = nn.BatchNorm1d(width)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.3, 3.0)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm.eval()


def control(self, x):
    if x.sum() > 1e9:  # torch.fx cannot follow this
        return x
    return self.b(x)


def by_shape(self, x):
    if x.dim() == 2:  # nor this, but torch.export can
        x = x.reshape(x.shape[0], -1)
    return F.linear(F.silu(F.linear(x, self.a.weight, self.a.bias)), self.b.weight)


class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, n_out), nn.LayerNorm(n_out), nn.GELU())
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        return self.drop(self.body(x))


def mathematics(self, x):
    return torch.relu(x @ self.W + self.c) @ self.V.T


READABLE = {
    "sequential": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
    "without biases": lambda: nn.Sequential(
        nn.Linear(4, 8, bias=False), nn.Tanh(), nn.Linear(8, 3, bias=False)
    ),
    "nested": lambda: nn.Sequential(
        nn.Flatten(), nn.Sequential(Block(4, 6), nn.Identity(), Block(6, 5)), nn.Linear(5, 3)
    ),
    "one layer": lambda: nn.Linear(4, 2),
    "functions": lambda: Written(
        lambda s, x: F.log_softmax(s.b(F.leaky_relu(s.a(x.view(x.size(0), -1)))), dim=1),
        a=nn.Linear(4, 5), b=nn.Linear(5, 3),
    ),
    "dropout as a function": lambda: Written(
        lambda s, x: s.b(F.dropout(F.elu(s.a(x)), 0.3, training=s.training)),
        a=nn.Linear(4, 5), b=nn.Linear(5, 3),
    ),
    "as mathematics": lambda: Written(
        mathematics, W=parameter(4, 6), c=parameter(6), V=parameter(3, 6)
    ),
    "addmm": lambda: Written(
        lambda s, x: torch.addmm(s.c, torch.tanh(torch.addmm(s.b, x, s.W)), s.V.t()),
        W=parameter(4, 6), b=parameter(6), V=parameter(3, 6), c=parameter(3),
    ),
    "swish written out": lambda: Written(
        lambda s, x: s.b((h := s.a(x)) * torch.sigmoid(h)), a=nn.Linear(4, 5), b=nn.Linear(5, 3)
    ),
    "mish written out": lambda: Written(
        lambda s, x: s.b(torch.tanh(F.softplus(h := s.a(x))) * h),
        a=nn.Linear(4, 5), b=nn.Linear(5, 3),
    ),
    "clamped": lambda: Written(
        lambda s, x: s.b(s.a(x).clamp(min=0)), a=nn.Linear(4, 5), b=nn.Linear(5, 3)
    ),
    "one output": lambda: nn.Sequential(nn.Linear(4, 6), nn.Softplus(), nn.Linear(6, 1)),
    "squeezed": lambda: Written(
        lambda s, x: torch.sigmoid(s.b(F.selu(s.a(x))).squeeze(-1)),
        a=nn.Linear(4, 5), b=nn.Linear(5, 1),
    ),
    "a learnt slope each": lambda: nn.Sequential(
        nn.Linear(4, 5), nn.PReLU(5, 0.3), nn.Linear(5, 3)
    ),
    "learnt scales": lambda: Written(
        lambda s, x: s.b(torch.relu(s.a(x * s.scale))),
        scale=parameter(4), a=nn.Linear(4, 5), b=nn.Linear(5, 3),
    ),
    "gains": lambda: nn.Sequential(
        nn.Linear(4, 5), nn.Softplus(beta=2), nn.Linear(5, 4), nn.CELU(0.5), nn.Linear(4, 3)
    ),
    "softmax": lambda: nn.Sequential(nn.Linear(4, 5), nn.Mish(), nn.Linear(5, 3), nn.Softmax(-1)),
    "tanh at the end": lambda: nn.Sequential(
        nn.Linear(4, 5), nn.Softsign(), nn.Linear(5, 3), nn.Tanh()
    ),
    "dropout before relu": lambda: nn.Sequential(
        nn.Dropout(0.1), nn.Linear(4, 5), nn.Dropout(0.2), nn.Dropout(0.5), nn.ReLU(),
        nn.Linear(5, 3),
    ),
    "pictures as rows": lambda: Written(
        lambda s, x: torch.special.expit(s.a(x.view(-1, 4))), a=nn.Linear(4, 3)
    ),
    "its shape asked": lambda: Written(by_shape, a=nn.Linear(4, 5), b=nn.Linear(5, 3)),
}  # fmt: skip

FOLDED = {
    "batch normalization behind": lambda: nn.Sequential(
        nn.Linear(4, 6, bias=False), normalized(6), nn.ReLU(), nn.Linear(6, 3)
    ),
    "batch normalization in front": lambda: nn.Sequential(
        normalized(4), nn.Linear(4, 6), nn.ReLU(), normalized(6), nn.Dropout(0.1), nn.Linear(6, 3),
        normalized(3),
    ),
    "numbers": lambda: Written(
        lambda s, x: 2 - s.b(F.relu(s.a((x - 0.5) / 3.0) * 2 + 1)) / 4,
        a=nn.Linear(4, 5), b=nn.Linear(5, 3, bias=False),
    ),
}  # fmt: skip


def two():
    return {"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)}


def weight_normed():
    module = nn.Sequential(nn.Linear(4, 3))
    nn.utils.parametrizations.weight_norm(module[0])
    return module


def tied():
    module = Written(lambda s, x: s.b(torch.relu(s.a(x))), **two())
    module.b.weight = module.a.weight
    return module


def hooked():
    module = nn.Sequential(nn.Linear(4, 3))
    module[0].register_forward_hook(lambda _module, _given, result: 2 * result)
    return module


def in_double(module):
    return module.double()


# what is in the refusal: the node and what it calls
ODD = {
    "convolution": (lambda: nn.Sequential(nn.Conv1d(1, 2, 3), nn.Linear(4, 2)), "Node '0'.*Conv1d"),
    "recurrent": (lambda: nn.Sequential(nn.LSTM(4, 3)), "Node '0'.*LSTM"),
    "attention": (
        lambda: Written(lambda s, x: s.att(x, x, x)[0], att=nn.MultiheadAttention(4, 2)),
        "Node 'att'.*MultiheadAttention",
    ),
    "embedding": (lambda: nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 2)), "Node '0'.*Embed"),
    "residual": (
        lambda: Written(lambda s, x: s.b(x + s.a(x)), **two()), "Node 'add'.*residual",
    ),
    "branch": (
        lambda: Written(lambda s, x: torch.cat([s.a(x), s.b(x)], 1), **two()), "of b.*'x'",
    ),
    "twice": (lambda: Written(lambda s, x: s.a(torch.relu(s.a(x))), a=nn.Linear(4, 4)), "shares"),
    "tied": (tied, "shares"),
    "product": (lambda: Written(lambda s, x: s.b(x) * s.a(x), **two()), "Node 'linear_1'"),
    "square": (lambda: Written(lambda s, x: s.a(x) ** 2, **two()), "Node 'pow_1'"),
    "itself": (lambda: Written(lambda s, x: s.a(x) * s.a(x), **two()), "shares|takes"),
    "sine": (lambda: Written(lambda s, x: s.b(torch.sin(s.a(x))), **two()), "Node 'sin'"),
    "leaky": (lambda: nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.2), nn.Linear(3, 1)),
              "leaky_relu.*negative_slope = 0.2"),
    "elu": (lambda: nn.Sequential(nn.Linear(4, 3), nn.ELU(0.7), nn.Linear(3, 1)), "alpha = 0.7"),
    "gelu": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.GELU("tanh"), nn.Linear(3, 1)),
        "gelu.*approximate = tanh",
    ),
    "softplus": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Softplus(threshold=5), nn.Linear(3, 1)),
        "softplus.*threshold = 5",
    ),
    "shared slope": (lambda: nn.Sequential(nn.Linear(4, 3), nn.PReLU(), nn.Linear(3, 1)), "prelu"),
    "hardtanh": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Hardtanh()), "Node '1'.*Hardtanh"),
    "relu6": (lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU6()), "Node '1'.*ReLU6"),
    "clamped elsewhere": (
        lambda: Written(lambda s, x: s.a(x).clamp(min=-1), **two()), "Node 'clamp'",
    ),
    "softmax inside": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Softmax(1), nn.Linear(3, 2)),
        "Node 'softmax'.*end",
    ),
    "softmax over rows": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Softmax(0)), "Node 'softmax'.*columns",
    ),
    "activation first": (lambda: nn.Sequential(nn.ReLU(), nn.Linear(4, 3)), "Node 'relu'"),
    "two activations": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Tanh(), nn.Linear(3, 2)),
        "Node 'tanh'",
    ),
    "dropout last": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.3)), "Node 'dropout'"),
    "dropout always": (
        lambda: Written(lambda s, x: s.b(F.dropout(s.a(x), 0.3, training=True)), **two()),
        "Node 'dropout'.*evaluation",
    ),
    "dropout before tanh": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.3), nn.Tanh(), nn.Linear(3, 2)),
        "Node 'dropout'",
    ),
    "batch in training": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).train(), "Module '1'.*eval",
    ),
    "batch without statistics": (
        lambda: nn.Sequential(
            nn.Linear(4, 3), nn.BatchNorm1d(3, track_running_stats=False)
        ).eval(), "Node '1'",
    ),
    "batch before layer norm": (
        lambda: nn.Sequential(
            nn.Linear(4, 3), nn.Tanh(), normalized(3), nn.LayerNorm(3), nn.Linear(3, 1)
        ), "Node '2'",
    ),
    "layer norm last": (lambda: nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3)), "layer_norm"),
    "plain layer norm": (
        lambda: nn.Sequential(
            nn.Linear(4, 3), nn.LayerNorm(3, elementwise_affine=False), nn.Linear(3, 1)
        ), "layer_norm.*weight",
    ),
    "group norm": (lambda: nn.Sequential(nn.Linear(4, 4), nn.GroupNorm(2, 4)), "GroupNorm"),
    "weight norm": (weight_normed, "Node '0'.*ParametrizedLinear"),
    "hook": (hooked, "Module '0'.*hook"),
    "two inputs": (lambda: TwoInputs(), "Node 'y'"),
    "two outputs": (lambda: Written(lambda s, x: (s.a(x), x), **two()), "Node 'output'"),
    "control flow": (lambda: Written(control, **two()), "no chain"),
    "made of parameters": (
        lambda: Written(lambda s, x: x @ (s.W * 2), W=parameter(4, 3)), "Node 'mul'.*'W'",
    ),
    "bilinear": (lambda: nn.Sequential(nn.Bilinear(4, 4, 2)), "Node '0'.*Bilinear"),
    "no parameters": (lambda: nn.Sequential(nn.ReLU()), "no parameters"),
    "one column taken": (lambda: Written(lambda s, x: s.a(x)[:, 0], **two()), "Node 'getitem'"),
    "rows cut in two": (lambda: Written(lambda s, x: s.a(x).view(-1, 2), **two()), "Node 'view'"),
    "rows put together": (
        lambda: Written(lambda s, x: s.b(s.a(x).reshape(2, -1)), **two()), "reshape|hidden|rows",
    ),
    "half a gate": (
        lambda: Written(lambda s, x: s.b((h := s.a(x)) * torch.sigmoid(1.7 * h)), **two()),
        "Node 'mul_1'",
    ),
    "sum": (lambda: Written(lambda s, x: s.a(x).sum(1), **two()), r"Node 'sum_1'"),
    "cast": (lambda: Written(lambda s, x: s.a(x.half()), **two()), "Node 'half'"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(3)), "Lazy|Uninit|uninit|no chain"),
    "two biases": (
        lambda: Written(lambda s, x: s.a(x) + s.c, a=nn.Linear(4, 3), c=parameter(3)),
        "Node 'add'.*bias",
    ),
    "NaN": (lambda: with_nan(), "NaN"),
    "hidden": (lambda: Hidden(4, 3), "hidden|cannot|no chain"),
}  # fmt: skip


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 3)

    def forward(self, x, y):
        return self.a(x) + y


class Hidden(nn.Linear):
    """Does something in evaluation mode that no graph shows: it counts its calls."""

    calls = 0

    def forward(self, x):
        type(self).calls += 1
        return super().forward(x) * type(self).calls


def with_nan():
    module = nn.Linear(4, 3)
    with torch.no_grad():
        module.weight[0, 0] = torch.nan
    return module


ACTIVATIONS = (
    nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Softsign, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU,
    nn.Softplus, nn.Mish, nn.Identity, nn.CELU,
)  # fmt: skip


def drawn_module(rng, *, smooth=False):
    """Return a random chain of what can be read, folded parts left out."""
    sizes = rng.integers(2, 9, size=rng.integers(2, 6)).tolist()
    parts = [nn.Flatten()] if rng.random() < 0.2 else []
    for k, (n_in, n_out) in enumerate(pairwise(sizes)):
        parts.append(nn.Linear(n_in, n_out, bias=bool(rng.random() < 0.8)))
        if k == len(sizes) - 2:
            break
        if rng.random() < 0.3:
            parts.append(nn.LayerNorm(n_out))
        parts.append(ACTIVATIONS[rng.integers(len(ACTIVATIONS))]())
        if rng.random() < 0.2:
            parts.append(nn.Dropout(0.25))
        if rng.random() < 0.2:
            parts = [nn.Sequential(*parts)]
    return nn.Sequential(*parts)
