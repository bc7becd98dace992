"""English words of the studio: which change helps a run that does not learn (page/mend.js)."""

__all__ = ["WORDS"]

WORDS = {
    "mend": "Which change helps?",
    "mend run": "A run that does not learn: {k} of {n}",
    "mend hint": (
        "Look at its loss and at its numbers, and find out what keeps it from learning. Pick a "
        "change: then all four are tried on the same points, here and now."
    ),
    "mend ask": "Which change would help?",
    "mend points": "The points: two classes, inputs as large as {most}",
    "mend curve": "The loss of this run over its steps",
    "mend curve of": "The loss with the change: {said}",
    "mend steps": "{steps} steps",
    "mend ended": "The loss ends at {loss}; {right} % are right.",
    "mend diverged": "The numbers left all range.",
    "mend yours": "(your choice)",
    "mend right": "Right.",
    "mend wrong": "That does not help.",
    "mend because": "It does not learn because {said}.",
    "mend again": "Pick again",
    "mend next": "Next run",
    "mend why learning_rate_too_low": (
        "Its loss falls evenly and has not come far: the direction is right, the steps are too "
        "small. Three times as many steps of this size are still too few, and more neurons take "
        "steps as small."
    ),
    "mend why learning_rate_too_high": (
        "Its loss jumps about instead of falling: every step goes far past the bottom, and the "
        "weights have become so large that the neurons are saturated. More steps of this size "
        "only go on jumping; scaled inputs make little difference."
    ),
    "mend why no_nonlinearity": (
        "Without a hidden layer the border between the classes is a straight line, and no "
        "straight line parts these. Neither more nor larger steps can bend it."
    ),
    "mend why symmetric_weights": (
        "At the start W and its gradient are 0 in both layers: a hidden neuron gives 0, and what "
        "flows back is multiplied by weights that are 0. However many neurons there are, they "
        "stay alike; only weights drawn at random set them apart."
    ),
    "mend why dead_units": (
        "Every hidden neuron gives 0, because the bias of −30 keeps relu below 0 for all points; "
        "there its slope is 0 as well, so nothing can lift it. With tanh and the same biases the "
        "neurons are saturated instead: what has to change is where they begin."
    ),
    "mend why unscaled_inputs": (
        "The inputs go into the thousands, so each sum is far out where tanh is flat: its slope "
        "is almost 0, and the first layer hardly learns. Brought to mean 0 and deviation 1 they "
        "fall where tanh is steep."
    ),
    "mend why saturated_units": (
        "The bias of 25 makes every hidden neuron give 1 for all points. There the slope of "
        "sigmoid is almost 0, and tanh is as flat: larger steps move only the last layer. With "
        "biases of 0 the neurons tell the points apart."
    ),
}
