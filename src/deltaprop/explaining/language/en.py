"""English."""

from __future__ import annotations

WORDS = {
    # altitudes
    "overview": "Overview: values flow forward →, deltas flow back ←",
    "layers": "Layers: the equations",
    "neurons": "Neurons: every number",
    # phases
    "forward": "Forward: z = a W + b, a = f(z)",
    "loss": "Loss",
    "backward": "Backward: δ = dL/dz, from the loss to the input",
    "gradient": "Gradients: incoming activation times δ",
    "update": "Update: every gradient was taken at the old weights",
    "after": "Again, with the new weights",
    # the picture
    "inputs": "inputs",
    "layer": "layer {number}: {activation}",
    "output": "output: {activation}",
    "sample": "(sample {number})",
    "more": "({count} more)",
    "target": "target t",
    "loss L": "loss L",
    # conventions
    "mean": "mean over {count} samples",
    "sum": "sum over {count} samples",
    "one sample": "of one sample",
    "conventions": (
        "{loss}, {mean}; δ = dL/dz; all gradients at the old weights; f'(0) of ReLU is 0."
    ),
    "penalties": "Penalties count in loss and gradients, for weights, not for biases.",
    # layer equations
    "given by": "given by {loss}",
    "sum over samples": "Σ over samples of {what}",
    "new": "new {what}",
    "after the step": "after the step",
    "shown on request": "{count} numbers; --detail neurons shows them one by one.",
    # promise and fact
    "promise": "The step's promise and the fact",
    "loss before": "loss before",
    "loss after": "loss after",
    "promised": "change promised",
    "gradient times step": "gradient · step",
    "brought": "change brought",
}
