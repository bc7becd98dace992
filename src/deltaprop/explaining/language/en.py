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
    "strongest": "The {shown} strongest of {count} numbers, and all that they are made of:",
    "shown on request": "{count} numbers; --detail neurons shows them one by one.",
    # promise and fact
    "promise": "The step's promise and the fact",
    "loss before": "loss before",
    "loss after": "loss after",
    "promised": "change promised",
    "gradient times step": "gradient · step",
    "brought": "change brought",
    # documents
    "document": "One training step, with every number",
    "parameters": "{count} parameters",
    "step": "Step: {optimizer}, η = {rate}.",
    "biases stay": "Biases are left as they are.",
    "neuron": "neuron",
    "name": "name",
    "rest": "{count} more",
    "compile": "Compile with {engine}.",
    "formula": "formula",
    "with numbers": "with its numbers",
    "result": "result",
    "number": "number",
    "notebook": (
        "Every number below is displayed as deltaprop worked it out; each code cell works it out again and compares."
    ),
    "given": "Given: the network, its parameters and the batch",
    "own parts": (
        "A part of this network is not deltaprop's own; register it before running the cells."
    ),
    "own rule": "The optimizer is not deltaprop's own; the new parameters are taken as given.",
}
