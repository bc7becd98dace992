"""Back-propagation once more in plain NumPy, with each of the named mistakes built in by hand."""

from dataclasses import dataclass

import numpy as np

from deltaprop.checking.gradients import check_gradients

ETA = 0.3


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# f and f', both of z
CURVES = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "softplus": (lambda z: np.log1p(np.exp(z)), sigmoid),
}


@dataclass(frozen=True)
class by_hand:  # noqa: N801 - it is a function with settings
    """A user's function with the mistake ``slip``, in all layers or only in some (from 0).

    A layer stands for its arrays; for a mistake on the way down, for the layer whose delta it is.
    """

    slip: str = ""
    layers: tuple[int, ...] | None = None

    def made(self, slip, layer=None):
        in_layer = self.layers is None or layer is None or layer in self.layers
        return self.slip == slip and in_layer

    def __call__(self, network, parameters, x, t):
        with np.errstate(all="ignore"):
            return self.step(network, parameters.W, parameters.b, parameters.flat, x, t)

    def output(self, loss, z):
        if loss in ("binary_cross_entropy", "half_squared_error_sigmoid"):
            return sigmoid(z)
        if loss == "half_squared_error":
            return z
        if self.made("softmax_index 1"):
            return np.ones_like(z) / z.shape[1]
        if self.made("softmax_index 2"):
            return np.exp(z) / np.exp(z).sum(axis=0)
        if self.made("softmax_without_exp 1"):
            return z / z.sum(axis=1, keepdims=True)
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)

    def value(self, loss, p, t):
        log = np.log10 if self.made("log10 1") else np.log
        if loss == "cross_entropy":
            return -np.sum(np.where(t > 0, t * log(p), 0.0)) / len(t)
        if loss == "binary_cross_entropy":
            return -np.sum(t * log(p) + (1 - t) * log(1 - p)) / len(t)
        return (1.0 if self.made("half 2") else 0.5) * np.sum((t - p) ** 2) / len(t)

    def last_delta(self, loss, p, t):
        delta = p - t
        if loss == "half_squared_error_sigmoid":
            delta = delta * p * (1 - p)
        if self.made("softmax_diagonal 1"):
            delta = -t * (1 - p) if loss == "cross_entropy" else (p - t) * p * (1 - p)
        elif loss == "half_squared_error_softmax":
            delta = p * (delta - np.sum(delta * p, axis=1, keepdims=True))
        if self.made("extra_output_prime 1"):
            delta = delta * p * (1 - p)
        factors = {"batch_mean 1": 1.0, "batch_mean 2": 1 / len(t) ** 2, "half 1": 2 / len(t),
                   "batch_mean 3": 1 / len(t) / t.shape[1], "sign 1": -1 / len(t)}  # fmt: skip
        return factors.get(self.slip, 1 / len(t)) * delta

    def step(self, network, W, b, flat, x, t):
        last, loss = len(W) - 1, network.loss_name
        names = [layer.activation or "identity" for layer in network.computing_layers]
        z, a = [], [x]
        for layer in range(last + 1):
            z.append(a[layer] @ W[layer] + (0 if b[layer] is None else b[layer]))
            hidden = layer < last
            a.append(CURVES[names[layer]][0](z[layer]) if hidden else self.output(loss, z[layer]))
        penalty = sum(network.l2 / 2 * np.sum(w**2) + network.l1 * np.sum(abs(w)) for w in W)
        value = self.value(loss, a[-1], t) + (2 if self.made("penalty 4") else 1) * penalty

        delta, upstream, parts = self.last_delta(loss, a[-1], t), None, []
        for layer in reversed(range(last + 1)):
            used = upstream if self.made("delta_by_a 1", layer) and layer < last else delta
            dW = a[layer].T @ used
            if self.made("transpose 2", layer) and dW.shape[0] == dW.shape[1]:
                dW = dW.T
            pull = network.l2 * W[layer] + network.l1 * np.sign(W[layer])
            dW = dW + pull * (
                2 if self.made("penalty 1", layer) else 0.5 if self.made("penalty 2", layer) else 1
            )
            block = [dW.ravel()]
            if b[layer] is not None:
                db = used.sum(axis=0)
                if self.made("bias_frozen 1", layer):
                    db = 0 * db
                if self.made("bias_per_weight 1", layer):
                    db = len(W[layer]) * db
                if self.made("bias_mean 1", layer):
                    db = db / len(x)
                if self.made("penalty 3", layer):
                    db = db + network.l2 * b[layer] + network.l1 * np.sign(b[layer])
                block.append(db)
            twice = 2 if self.made("stale_gradients 1", layer) else 1
            parts.insert(0, twice * np.concatenate(block))
            if layer > 0:
                upstream, below = self.below(layer, names, W, z, a, delta)
                delta = below
        gradients = np.concatenate(parts)
        rates = {"learning_rate 1": ETA**2, "learning_rate 2": 1.0, "sign 2": -ETA}
        return value, gradients, flat - rates.get(self.slip, ETA) * gradients

    def below(self, layer, names, W, z, a, delta):
        down, weights = layer - 1, W[layer]
        if self.made("transpose 1", down) and weights.shape[0] == weights.shape[1]:
            weights = weights.T
        if self.made("updated_weights 1", down):
            weights = weights - ETA * a[layer].T @ delta
        upstream, slope = delta @ weights.T, CURVES[names[down]][1]
        f_prime = slope(z[down])
        if self.made("missing_f_prime 1", down):
            f_prime = 1.0
        if self.made("f_prime_wrong_point 1", down):
            f_prime = slope(a[layer])
        if self.made("f_prime_wrong_point 2", down):
            near = [i for i in (down + 1, down - 1)
                    if 0 <= i < len(z) and z[i].shape == z[down].shape]  # fmt: skip
            f_prime = slope(z[near[0]]) if near else f_prime
        if self.made("relu_gate 1", down) and names[down] == "relu":
            f_prime = (upstream > 0) * 1.0
        return upstream, upstream * f_prime


def arguments(problem):
    return problem.network, problem.parameters, problem.x, problem.targets


def check(problem, function, **more):
    return check_gradients(*arguments(problem), gradients=function, **{"learning_rate": ETA} | more)
