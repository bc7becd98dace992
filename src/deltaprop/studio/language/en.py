"""English words of the studio."""

__all__ = ["WORDS"]

WORDS = {
    "title": "deltaprop studio",
    "subtitle": "see a network learn, and touch every number",
    "needs scripts": "This page trains a network by itself and needs JavaScript for it.",
    # where the numbers come from
    "engine in page": "The engine is in this page: nothing leaves it.",
    "engine at server": "The engine is deltaprop on this computer.",
    "diverged": (
        "The numbers have left the range of floating point: training diverged. Go back, and take a "
        "smaller learning rate."
    ),
    "server gone": (
        "The server has ended or cannot be reached. Start it again (deltaprop studio) and open the "
        "address that it prints."
    ),
    # data
    "data": "Data",
    "set moons": "Two moons",
    "set circles": "A disc in a ring",
    "set spirals": "Spirals",
    "set xor": "Exclusive or",
    "set blobs": "Clouds",
    "set plane": "A plane (a number is asked for)",
    "set waves": "Waves (a number is asked for)",
    "set drawn": "Drawn by hand",
    "about drawn": "Your own points: press on the board and paint.",
    "set tutorial": "The tutorial's example",
    "about tutorial": "One point, six weights, no biases: small enough for pencil and paper.",
    "about moons": "Two half moons: the border between them bends.",
    "about circles": "A disc within a ring: no straight line parts them.",
    "about spirals": "Arms wound about each other: the hardest of these sets.",
    "about xor": "One class where both inputs have the same sign.",
    "about blobs": "Clouds of points: one layer is enough for them.",
    "about plane": "The number grows evenly: a network without hidden layers fits it.",
    "about waves": "The number rises and falls: a surface of hills.",
    "points": "Points",
    "noise": "Noise",
    "parts spirals": "Arms",
    "parts blobs": "Clouds",
    "parts waves": "Waves",
    "held out": "Held out to judge",
    "batch size": "Batch size",
    "draw again": "Other points",
    "as usual": "All as at first",
    # network
    "network": "Network",
    "hidden layers": "Hidden layers: {count}",
    "add layer": "Add a layer",
    "remove layer": "Remove layer {layer}",
    "fewer neurons": "One neuron less in layer {layer}",
    "more neurons": "One neuron more in layer {layer}",
    "activation of": "Activation of layer {layer}",
    "picture of the network": "The network {sizes}, its weights as lines",
    # what the picture shows
    "mode": "What is shown",
    "mode values": "Values",
    "mode deltas": "Deltas",
    "mode gradients": "Gradients",
    "mode updates": "Updates",
    "mode hint values": (
        "Each square is what a neuron makes of the plane: blue above 0, orange below; its number "
        "is that of the sample. Lines are weights; dashed ones are negative. Click anything."
    ),
    "mode hint deltas": (
        "In each square stands its delta, how the loss grows with the neuron's z, for this sample. "
        "A line carries its part back: the weight times the delta at its end. Dashed is negative."
    ),
    "mode hint gradients": (
        "In each square stands the gradient of its bias, on each line that of its weight, of the "
        "whole batch: uphill. Dashed is negative."
    ),
    "mode hint updates": (
        "What the coming step adds to each bias and, on the lines, to each weight, by the "
        "optimizer that is chosen. Dashed is negative."
    ),
    "mode hint updated": (
        "The step was taken: what was before stands above what is now; lines have grown or shrunk "
        "from what they were. The next phase belongs to the next step."
    ),
    "flow": "Gain and attenuation",
    "flow hint": (
        "Each number is a ratio of root mean squares over the batch, on a scale of powers of ten. "
        "Far to the left over several layers, and a signal dies out; far to the right, and it "
        "blows up."
    ),
    "flow forward": "Forward: a over what the layer reads",
    "flow backward": "Backward: delta over that of the next layer",
    "flow update": "Update over weight",
    "least forward": "dies out",
    "most forward": "blows up",
    "least backward": "dies out",
    "most backward": "blows up",
    "least update": "hardly moves",
    "most update": "is overthrown",
    "gain and slope": "weights × {gain}, f′ × {slope}",
    "inputs": "Inputs",
    "layer": "Layer {l}",
    "whole way": "The whole way",
    "slope": "Loss along the step",
    "slope curve": "The loss of the batch along the step, with the tangent at where it is now",
    "slope now": "now",
    "slope promised": "as the gradient promises",
    "slope after": "after the step",
    "slope by": "Change",
    "slope hint": (
        "The curve is the loss of this batch had the step been taken with another learning rate. "
        "The dashed line is what the gradient knows of it: its slope where we stand. Move the "
        "learning rate, and see how long the promise holds and where the step is too long."
    ),
    "sides": "Before and after",
    "side before": "Before",
    "side after": "After",
    "gradient": "Gradient",
    "added": "Step",
    "target": "Target",
    "picture before": "The network before the step",
    "picture after": "The network after the step",
    "output of class": "Output for class {name}",
    "output of sample": "Output for the sample",
    "sides hint": (
        "Step {step}, on both sides: weights as lines, and the values of sample {s} in the "
        "neurons. Point at anything to find it in all of them; click to ask about it."
    ),
    "scale": "Fullest colour {node}, thickest line {edge}",
    "of so many": "of {n}",
    "loss of the batch": "Loss of the batch",
    "the step taken": (
        "Step {step}, which was just taken: a batch of {rows} points; the sample shown is point "
        "{row}."
    ),
    # output
    "output": "Output",
    "neuron": "Neuron {j} of layer {layer}",
    "picture of the output": "What the network makes of each point of the plane",
    "show held out": "Show the points held out (hollow)",
    "loss": "Loss",
    "right": "Right",
    "training": "Training",
    "held": "Held out",
    "confusion": "Confusion matrix",
    "confusion hint": (
        "Rows: the true class. Columns: the class that the network chose. Off the diagonal stand "
        "the mistakes."
    ),
    "true by predicted": "True class by predicted class",
    "class": "class {k}",
    "predicted against true": "Predicted against true",
    "true number": "true",
    "predicted number": "predicted",
    "curve of the loss": "The loss over the steps, of training and held out points",
    # controls
    "controls": "Run",
    "back to start": "Back to the start",
    "epoch back": "One epoch back",
    "step back": "One step back",
    "play": "Play",
    "pause": "Pause",
    "one phase": "One phase: forward, loss, backward, update",
    "one step": "One step",
    "one epoch": "One epoch",
    "epoch": "Epoch",
    "step": "Step",
    "speed": "Speed",
    "phase": "Phase",
    "phase ready": "ready",
    "phase forward": "forward: z and a",
    "phase loss": "loss",
    "phase backward": "backward: delta",
    "one phase a second": "one phase a second",
    "phase update": "update: old and new",
    "steps a second": "{rate} steps/s",
    "how fast": "Speed",
    "as fast as can be": "as fast as can be",
    "learning rate": "Learning rate",
    "optimizer": "Optimizer",
    "l2": "L2 penalty",
    "beginning": "First weights",
    "scheme he": "He",
    "scheme lecun": "LeCun",
    "scheme glorot": "Glorot",
    "scheme small": "too small (0.01)",
    "scheme large": "too large (3)",
    "scheme equal": "all equal",
    "scheme zero": "all zero",
    "scheme given": "given",
    "biases": "Biases",
    "other weights": "Other weights",
    "undo": "Undo",
    "redo": "Redo",
    "status": "Step {step}, loss {loss}.",
    "input": "Input x{j}",
    # the panels below
    "panels": "More",
    # asking
    "ask": "Ask",
    "ask hint": (
        "Click a neuron or a line: its equation appears here with the numbers of the step that "
        "comes next, and what it is made of is lit. Every number in it can be clicked in turn. "
        "Drag a line, a neuron or an input up or down, and watch what changes."
    ),
    "ask about the loss": "The loss",
    "ask while it stands": "Numbers are shown while the run stands still.",
    "asked before": "Before",
    "close": "Close",
    "sample": "Sample",
    "the step that comes": (
        "Step {step}, before it is taken: a batch of {rows} points; the sample shown is point "
        "{row}."
    ),
    "forward": "Forward",
    "backward": "Backward",
    "update": "Gradient and update",
    "after": "After the step",
    "this weight": "This weight",
    "this input": "This input of the sample",
    "this target": "This target of the sample",
    "this rate": "The learning rate",
    "promise none": "The loss of this batch changed by {done}.",
    "promise of rate": (
        "By this learning rate the step is promised to change the loss of this batch by "
        "{promised}; it changes it by {done}."
    ),
    "this bias": "This bias",
    "drag": "Drag to change it",
    "promise": (
        "The gradient promised that the loss of this batch would change by {promised}; it changed "
        "by {done}."
    ),
    # settings that work, and settings that do not
    "settings": "Settings",
    "settings of": "Settings for: {set}",
    "settings work": "These work",
    "settings fail": "These do not",
    "settings none": "There are no prepared settings for this set; choose a built-in one.",
    "take over": "Take over",
    "taken over": "Taken over",
    "run them": "Run {steps} steps",
    "sees right least": "After {steps} steps at least {value} of the training points are right.",
    "sees right most": "After {steps} steps at most {value} of the training points are right.",
    "sees heldRight least": "At least {value} of the held out points are right.",
    "sees heldRight most": "At most {value} of the held out points are right.",
    "sees loss least": "After {steps} steps the loss is still above {value}.",
    "sees loss most": "After {steps} steps the loss is below {value}.",
    "sees held least": "That of the held out points is above {value}.",
    "sees held most": "That of the held out points is below {value}.",
    "sees diverged": "Within {steps} steps the numbers have left all range.",
    "no hidden layers": "no hidden layer",
    # taking away
    "away": "Take away",
    "away hint": (
        "Files that need nothing of this page any more. If a phone shows one instead of keeping "
        "it, use Share and then Save to Files."
    ),
    "away file": "Save .{form}",
    "away copy": "Copy .{form}",
    "away saved": "Saved as {name}.",
    "away copied": "Copied.",
    "away run": "The run",
    "about away run": (
        "One page with the engine in it, to pass on: it opens without a network, stands at this "
        "step, and goes back to the first and on again with the same numbers, changes made by hand "
        "included."
    ),
    "away run of server": (
        "The page computes by itself: its numbers begin like those of this server and may part "
        "from them in the last digits."
    ),
    "away code": "Python code that repeats it",
    "about away code": (
        "Data, network, first weights, and training by deltaprop, step by step the same; it ends "
        "at the same numbers."
    ),
    "away model": "The model",
    "about away model": (
        "The network as it is now: dp.load gives network and parameters, for dp.explain, "
        "dp.predict, dp.to_torch and the rest."
    ),
    "away step": "The step that comes",
    "about away step": (
        "As a worked example, for deltaprop explain FILE in all its forms; and as LaTeX: the lines "
        "of what is asked about, or of the whole step for the sample that is shown."
    ),
    "away too long": "That would be {n} lines, and {most} are the most. Ask about something first.",
    "away explained": "The step, explained by deltaprop",
    "about away explained": (
        "What deltaprop explain writes of it: a page that can be clicked through, a LaTeX "
        "document, and the network as a picture."
    ),
    "away network": "Picture of the network",
    "about away network": "As it stands above, on white paper.",
    "away regions": "Picture of the plane",
    "about away regions": "What the network makes of the plane, with the points.",
    # a set drawn by hand
    "board": "Board to draw points on",
    "draw classes": "Classes",
    "draw numbers": "Numbers",
    "class to draw": "Class of the points",
    "number to draw": "Number of the points",
    "paint": "Paint",
    "erase": "Erase",
    "clear drawn": "Clear",
    "drawn count": "{count} points.",
    "drawn none": "No points yet: put one on the board, and the network appears.",
    "drawn full": "There are {most} points, and no more can be kept. Erase some.",
    "drawn cursor": "Cursor at {x}, {y}.",
    "drawn keys title": "Drawing with keys",
    "drawn keys": (
        "Arrows move the cursor, with Shift five times as far. Digits choose the class, + and - "
        "the number. Space puts a point, Delete erases around the cursor."
    ),
}
