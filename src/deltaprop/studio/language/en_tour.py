"""English words of the studio: its guided tour (page/tour.js)."""

__all__ = ["WORDS"]

WORDS = {
    "tour": "Tour",
    "tour steps": "Steps of the tour",
    "tour title": "{k}. {title}",
    "tour leave": "Leave the tour",
    "tour back": "Back",
    "tour next": "Next",
    "tour end": "Finish",
    "tour show": "Do it for me",
    "tour there": "Take me there",
    "tour done": "Done.",
    "tour begin title": "What happens when a network learns?",
    "tour begin": (
        "This tour goes one way three times: first the overall view, then layer by layer, then "
        "with every number. The example is so small that you can check it on paper. You may "
        "leave at any time, and come back to the step where you left."
    ),
    "tour net title": "Overall view: a network",
    "tour net": (
        "Two inputs on the left, two hidden neurons, one output. Each line is a weight, and its "
        "number stands on it. The only point has the inputs 1 and 0.5, and the answer for it is "
        "to be 4."
    ),
    "tour forward title": "Overall view: values flow forward",
    "tour forward": (
        "A neuron multiplies what comes in by the weights and adds it up: 1 · 0.5 + 0.5 · 1.5 = "
        "1.25 for the upper one. So the values go from left to right."
    ),
    "tour forward do": "Press “One phase” (the ring) once.",
    "tour forward after": (
        "The hidden neurons have 1.25 and 3.8, and their sum 5.05 comes out. The answer should "
        "have been 4."
    ),
    "tour loss title": "Overall view: the loss",
    "tour loss": (
        "At the far right stands the loss: half the square of what is missing. It's one number "
        "that says how wrong the network is, and all learning is about making it smaller."
    ),
    "tour loss do": "Press “One phase” again.",
    "tour loss after": "(5.05 − 4)² / 2 = 0.55125.",
    "tour backward title": "Overall view: deltas flow back",
    "tour backward": (
        "Now back, from right to left. A delta says how much the loss would grow if the sum in "
        "this neuron grew a little. It begins with 1 at the loss itself: ∂L/∂L = 1."
    ),
    "tour backward do": "Press “One phase” a third time.",
    "tour backward after": (
        "The output has the delta 5.05 − 4 = 1.05. It goes back along the lines, times the "
        "weights, which are 1 here: both hidden neurons get 1.05."
    ),
    "tour layer title": "Layer by layer: the value of a neuron",
    "tour layer": (
        "The same once more, as equations. For every layer there's one equation for values: z = "
        "a W (+ b), and then a = f(z). In this example f is the identity, so a and z are the "
        "same number."
    ),
    "tour layer do": "Click the upper hidden neuron.",
    "tour layer after": (
        "Below the picture stands its equation, and then the equation with its numbers. Every "
        "number there can be clicked: it tells where it comes from."
    ),
    "tour delta title": "Layer by layer: the delta of a neuron",
    "tour delta": (
        "Under “Backward” stands its delta: each delta of the next layer, times the weight that "
        "leads there, added up; then times the slope f'(z). Linear neurons have the slope 1, so "
        "nothing is seen of it here; with tanh or sigmoid it's the factor that can make deltas "
        "small."
    ),
    "tour gradient title": "Layer by layer: the gradient of a weight",
    "tour gradient": (
        "A weight stands between a value on its left and a delta on its right. Its gradient is "
        "the product of the two: how much the loss would grow if this weight grew a little."
    ),
    "tour gradient do": "Click the line from the lower hidden neuron to the output.",
    "tour gradient after": "3.8 · 1.05 = 3.99: the value on its left times the delta on its right.",
    "tour update title": "The example: one step",
    "tour update": (
        "Every weight moves against its gradient, by the learning rate 0.1 times as much: 1 − "
        "0.1 · 3.99 = 0.601. All gradients are worked out with the old weights; only then all "
        "weights move at once."
    ),
    "tour update do": "Press “One step”.",
    "tour update after": "The six weights are new now, and the loss fell from 0.55125 to 0.3388.",
    "tour again title": "The example: what one step did",
    "tour again": (
        "With the new weights 3.1768 comes out instead of 5.05. The step went past 4, because it "
        "was rather large; but the new error is smaller than the old one."
    ),
    "tour repeat title": "Repeat until it is learnt",
    "tour repeat": (
        "Learning is nothing but this, again and again: forward, loss, backward, update."
    ),
    "tour repeat do": "Press “One step” until the loss is below 0.00005.",
    "tour repeat after": (
        "After thirteen steps the output is within 0.01 of 4. With the arrows to the left you "
        "can go back, to exactly the same numbers."
    ),
    "tour rate title": "How far a step goes",
    "tour rate": (
        "The learning rate says how far each step goes. A larger one is faster, until it's too "
        "large: then every step lands further away than before."
    ),
    "tour rate do": "Choose the learning rate 0.3 and take some steps.",
    "tour rate after": (
        "The loss grows from step to step until the numbers leave all range. That's called "
        "divergence."
    ),
    "tour classes title": "From one number to classes",
    "tour classes": (
        "Often not a number is asked for but a class: how many stars a film gets, on which shelf "
        "a book belongs. Then there are as many outputs as classes, here three. Nothing else "
        "changes: values flow forward, deltas flow back."
    ),
    "tour classes do": "Press “Play” until at least 95 % are right.",
    "tour classes after": "The plane is parted into three regions, one for each class.",
    "tour softmax title": "Softmax: shares of one whole",
    "tour softmax": (
        "Softmax turns the three sums z into three probabilities: exp of each, divided by the "
        "sum of all three. They lie between 0 and 1 and add up to 1. With cross-entropy n times "
        "the delta is simply p − t, where n is the number of points in the batch."
    ),
    "tour softmax do": "Click one of the three outputs.",
    "tour softmax after": (
        "In its equation all three sums occur. If one probability grows, the others shrink."
    ),
    "tour sigmoid title": "Sigmoid: each on its own",
    "tour sigmoid": (
        "Sigmoid looks at one sum only and gives the probability of yes: 1 / (1 + exp(−z)); no "
        "has the rest. For two classes one sigmoid is enough. For several, each output answers "
        "its own question, and nothing makes them add up to 1."
    ),
    "tour sigmoid do": "Choose binary cross-entropy as the loss: it brings sigmoids.",
    "tour sigmoid after": (
        "The numbers in the outputs no longer add up to 1. The equation of an output has only "
        "its own z in it."
    ),
    "tour zero title": "Why a bad start learns nothing",
    "tour zero": (
        "Another set, and all first weights are 0. The picture shows deltas. What do you expect?"
    ),
    "tour zero do": "Press “Play”, and “Pause” after some hundred steps.",
    "tour zero after": (
        "Nothing: on its way back each delta is multiplied by weights, and they are 0. A "
        "gradient is value times delta, and there both are 0. Were all weights equal but not 0, "
        "all neurons of a layer would stay alike."
    ),
    "tour start title": "A good start",
    "tour start": (
        "So weights begin at random, neither too small nor too large: small numbers of both "
        "signs, chosen so that values and deltas keep their size from layer to layer."
    ),
    "tour start do": (
        "Choose Glorot as first weights, and press “Play” until at least 95 % are right."
    ),
    "tour start after": "The same network on the same points: only the start was different.",
    "tour finish title": "That was all",
    "tour finish": (
        "Forward, loss, backward, update: larger networks do nothing else. Below you find "
        "settings that work and settings that don't, with the reasons. Or draw a set of your "
        "own, and see what it takes to learn it."
    ),
}
