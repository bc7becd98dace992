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
    "forward of layers": "Forward: z of each layer from what it reads, a = f(z)",
    "gradient of layers": "Gradients: δ times the slope of z along each parameter",
    "gradient": "Gradients: incoming activation times δ",
    "update": "Update: every gradient was taken at the old weights",
    "after": "Again, with the new weights",
    # the picture
    "inputs": "inputs",
    "layer": "layer {number}: {activation}",
    "output": "output: {activation}",
    "sample": "(sample {number})",
    "more": "({count} more)",
    "more of this form": "({count} more of the same form)",
    "target": "target t",
    "loss L": "loss {letter}",
    # conventions
    "mean": "mean over {count} samples",
    "sum": "sum over {count} samples",
    "one sample": "of one sample",
    "conventions": "Loss: {loss}, {mean}; δ = dL/dz; all gradients at the old weights.",
    "conventions otherwise": "Loss: {loss}, {mean}; all gradients at the old weights.",
    "written in": 'In the convention "{name}" {doc}.',
    "written idle": 'The convention "{name}" says nothing here: it is about {needs}.',
    "backward otherwise": "Backward: δ of each layer, from the loss to the input",
    "numbering": (
        "The tutorial's notation: the inputs are layer {first}, the loss is layer {last}; in the "
        "example single numbers are x, w, h and y, and the loss is E."
    ),
    "first delta": "The loss is layer {number}: its delta, d{letter}/d{letter} = 1, is the first.",
    "slope of a linear neuron": "Linear neurons: a = z, so f' = 1; that is the factor 1 in δ.",
    "slope at a kink": "f'({place}) of {activation} is {slope}.",
    "penalties": "Penalties count in loss and gradients, for weights, not for biases.",
    "penalties of": "Penalties count in loss and gradients, for {arrays} alone.",
    "rate factors": "The learning rate is multiplied: {factors}.",
    "rate factor": "by {factor} for {array} of layer {layers}",
    "and": ", ",
    # layer equations
    "given by": "given by {loss}",
    "bracketed": " ({})",
    "after the step": "after the step",
    "image": "The input as a picture",
    "image delta": "∂L/∂x of each pixel: where more ink would raise the loss (+) or lower it (−)",
    "changed": "Changed: {changes}.",
    "class more": "a class more, with {}",
    "further": "; ",
    "source": "Source of the numbers: {source}.",
    "source after": "Source: after {source}, with changed numbers: {names}.",
    "a class": "a class more",
    "more samples": "{count} more samples.",
    "strongest": "The {shown} strongest of {count} numbers, and all that they are made of:",
    "shown on request": "{count} numbers; --detail neurons shows them one by one.",
    # the batch
    "batch": "The batch: what each sample adds to the gradient",
    "of sample": "sample",
    "along": "cosine with g",
    "against": "against it",
    "cancellation": (
        "|sum of the parts| = {norm}: {share} of what the samples pull is left in the sum."
    ),
    "conflict": "Samples {one} and {other} pull apart most: the cosine between them is {cosine}.",
    # softmax beside sigmoid
    "softmax title": "Softmax beside sigmoid, on the same scores z",
    "of score": "score",
    "softmax bars": "softmax p: shares of one whole",
    "sigmoid bars": "sigmoid s: each for itself",
    "softmax general": "In general",
    "softmax formula": "softmax: pᵢ = exp(zᵢ) / Σⱼ exp(zⱼ); together they are 1.",
    "sigmoid formula": "sigmoid: sᵢ = 1 / (1 + exp(-zᵢ)); each looks at its own score alone.",
    "cross-entropy formula": (
        "cross-entropy: L = -Σᵢ tᵢ ln pᵢ, where t is 1 for the true class and else 0: "
        "minus the logarithm of its p. Then ∂L/∂zᵢ = pᵢ - tᵢ."
    ),
    "softmax loss": "Loss: the cross-entropy of the true class",
    "softmax curve": "The sigmoid of a difference",
    "curve of two": "p₁ = sigmoid(z₁ - z₂), with the two scores marked",
    "curve among two": "p₁ / (p₁ + p₂) = sigmoid(z₁ - z₂), with the two scores marked",
    "softmax values": (
        "Values: softmax shares one whole among the scores, sigmoid treats each alone"
    ),
    "softmax jacobians": "Jacobians: every score moves every p; a score moves only its own s",
    "softmax cancels": ("Cross-entropy: ∂L/∂z through the whole Jacobian, and cancelled to p - t"),
    "softmax squared": (
        "Half squared error instead: p - t meets the Jacobian, and nothing cancels"
    ),
    "softmax apart": (
        "Take softmax where exactly one class is true, sigmoid where each is true or false "
        "by itself."
    ),
    "softmax of two": (
        "With two scores softmax is the sigmoid of their difference: divide above and below "
        "by exp(z₁)."
    ),
    # promise and fact
    "promise": "The step's promise and the fact",
    "loss before": "loss before",
    "loss after": "loss after",
    "promised": "change promised",
    "gradient times step": "gradient · step",
    "brought": "change brought",
    "bent": "bending of the loss",
    "half curvature": "½ step · H step",
    "together": "both together",
    "promise kept": "The promise is kept: along this step the loss is a straight line.",
    "no number": "beyond all numbers",
    "step overflows": "The step is so long that the loss is no number any more.",
    "promise overflows": "The step is so long that what it promises is beyond all numbers.",
    "gap": (
        "The gradient speaks for the start of the step only; on the way the loss bends. Fact minus "
        "promise is {gap}; bending, the second order, accounts for {bent}, and higher orders for "
        "the remaining {rest}."
    ),
    "crossed kinks": (
        "{count} hidden values crossed a kink of their activation on the way; no order of the "
        "expansion sees that."
    ),
    "step too long": "The step is too long: the loss rose although the gradient promised a fall.",
    "best length": (
        "By the second order, {times} times this step would lower the loss most; twice as much as "
        "that would leave it where it was."
    ),
    # repeated until it is learnt
    "repeated": "Repeated until it is learnt",
    "step number": "step",
    "learnt at once": "It is learnt already: {measure}.",
    "learnt": "Learnt after {count}: {measure}.",
    "not learnt": "Not learnt after {count}: {measure}.",
    "all steps": "After {count}; nobody asked when it is learnt.",
    "diverged": (
        "After {count} the numbers are beyond all floats: the learning rate is too large."
    ),
    "one step": "1 step",
    "steps": "{count} steps",
    "difference measure": "the farthest output is {found} from its target (learnt: {limit})",
    "loss measure": "the loss is {found} (learnt: {limit})",
    "some steps": "{shown} of {count} rows are shown.",
    "any step": "Any step in full: --step 1 to --step {count}.",
    "curve of loss": "The loss after each step",
    "logarithmic": "{title} (logarithmic)",
    "of step": "Step {number}: {title}",
    # documents
    "document": "One training step, with every number",
    "shape": "{shape}; {count} parameters.",
    "step": "Step: {optimizer}, η = {rate}.",
    "biases stay": "Biases are left as they are.",
    "no bias": "Neurons of layer {layer} without a bias ({sign}): {neurons}.",
    "neuron": "neuron",
    "name": "name",
    "more terms": "{count} more",
    "compile": "Compile with {engine}.",
    "formula": "formula",
    "with numbers": "with its numbers",
    "result": "result",
    "number": "number",
    "notebook": (
        "Every number below is displayed as deltaprop worked it out; each code cell works it out "
        "again and compares."
    ),
    "notebook live": "Change any number here and run all cells: everything below follows.",
    "notebook changed": "Other numbers are given now: the text has the old ones, the cells yours.",
    "notebook holds": "{count} numbers hold.",
    "notebook fails": "{name} is {value}, but {text} is displayed.",
    "notebook given": "Given: the network, its parameters and the batch",
    "own rule": "The optimizer is not deltaprop's own; the new parameters are taken as given.",
    "proof": "proof",
    "coloured": "Blue is +, orange is −.",
    "outlined": "Full squares are +, outlined ones −.",
    # the page
    "values forward": "values flow forward →",
    "deltas back": "← deltas flow back",
    "contents": "On this page",
    "given numbers": "Given: inputs, targets, parameters, settings",
    "terms left out": "{count} more: {number}",
    "made of": "Made of",
    "goes into": "Goes into",
    "is given": "It is given.",
    "goes nowhere": "It goes into nothing further.",
    "stepper": "Steps",
    "first step": "First",
    "previous step": "Previous",
    "next step": "Next",
    "last step": "Last",
    "go back": "Back",
    "step of": "{number} of {count}",
    "trail": "The way here",
    "how to read": (
        "Click any number to see what it is made of, and where it goes. Keys: ← and → step, "
        "Home and End jump, Backspace goes back."
    ),
    "picture sample": "Sample {number}",
    "proved": "{right} of {count} gradients agree with central differences.",
    "right": "right",
    "wrong": "wrong",
    "kink": "not judged: the loss has a kink here",
    "undecided": "not judged: the loss is so large that its differences have no digits left here",
    "central difference": "central difference {number}",
    "relative error": "relative error {number}",
    "figures apart": ", ",
    "made by": "Made by deltaprop {version}",
    "pictures": "Pictures",
    "given": "Given",
    "samples": "Samples",
    "numbers of a kind": "({count} numbers)",
    # a page whose numbers can be changed
    "further lines": "{count} more, with all that they are made of",
    "live step": "Take the step: go on with the new weights",
    "live steps": "Steps taken: {count}. The loss is {loss}.",
    "live these": "step",
    "live how": (
        "Any given number can be changed: click it under Given, type another, and everything is "
        "worked out again."
    ),
    "live title": "Other numbers",
    "live change": "change {name}",
    "live changed": "Changed: {changes}.",
    "live loss": "The loss was {before} and is now {now}.",
    "live loss stays": "The loss is {now}.",
    "live was": "was {number}",
    "live back one": "Back to the original {name}",
    "live back": "Back to the original",
    "live original": "These are the original numbers.",
    "live fixed": "It follows from weights of all samples and cannot be changed here.",
    "live nothing": "An empty field",
    "live no number": "{text} is no number; write one such as 0.5, -2, 1/3 or 1e-3.",
    "live too far": "{text} is too large: numbers go up to 1.8e308.",
    "live above zero": "{name} is a number above 0.",
    "live from zero": "{name} is 0 or more.",
    "live below one": "{name} is from 0 up to below 1.",
    "live share": "{name} is a number from 0 to 1: the loss learns from no others.",
    "live whole": "{name} counts steps: a whole number from 1.",
    "live beyond": (
        "With this {name} the number {number} is {value}, beyond all numbers: nothing of this "
        "step could be shown."
    ),
    "live address": "The address asks for numbers that this page cannot take: {text}.",
    "live without formula": (
        "Numbers cannot be changed in this page: {name} was registered without its formula."
    ),
    "live too large": (
        "Numbers cannot be changed in this page: the network has {count} parameters, too many to "
        "carry along."
    ),
}
