"""English words of the studio: why settings of page/settings.js work, or do not."""

__all__ = ["WORDS"]

WORDS = {
    "settings moons two layers": (
        "Two layers of tanh bend the border as often as it needs, and Adam finds suitable steps "
        "by itself. You will see the border bend within a few hundred steps."
    ),
    "settings moons one relu layer": (
        "Each relu neuron adds one kink, and eight of them are plenty. The border is made of "
        "straight pieces."
    ),
    "settings moons plain descent": (
        "Plain gradient descent is enough here if its learning rate is large: the loss falls "
        "slowly, then fast once the border has begun to bend."
    ),
    "settings moons no hidden layer": (
        "Without a hidden layer the border is a straight line. It gets about nine of ten points, "
        "and the tips of the moons stay wrong however long it runs."
    ),
    "settings moons too slow": (
        "The learning rate is far too small. Nothing is wrong with the direction of the steps: "
        "the loss does fall, but you would have to wait for tens of thousands of them."
    ),
    "settings moons zero weights": (
        "With all weights 0, every hidden neuron gives 0 and passes no gradient on. Only the "
        "biases of the output move, and the plane stays in one colour."
    ),
    "settings moons deep sigmoid": (
        "The slope of sigmoid is 1/4 at most, so each of the five layers shrinks the deltas. "
        "Hardly anything reaches the first layer, and every neuron behind it stays almost flat."
    ),
    "settings moons few noisy points": (
        "Twenty points, much noise, and hundreds of weights: it learns each point by heart. All "
        "training points become right while many held out ones are wrong, and their loss rises."
    ),
    "settings circles four tanh": (
        "Three straight cuts can enclose the disc; four neurons have one to spare. The border "
        "closes around the disc like a rounded triangle or square."
    ),
    "settings circles eight relu": (
        "Eight relu neurons enclose the disc with straight pieces. He weights keep the size of "
        "the values alike from layer to layer."
    ),
    "settings circles no hidden layer": (
        "No straight line parts a disc from the ring around it. The loss stays near 0.69 = log "
        "2, which is that of guessing."
    ),
    "settings circles two neurons": (
        "Two neurons make two cuts, which leave a strip or a corner open. The disc can't be "
        "enclosed: three are needed."
    ),
    "settings circles dead relu": (
        "The first steps are so large that they push every relu neuron below 0 for all points. "
        "From then on it gives 0, its slope is 0, and nothing brings it back."
    ),
    "settings circles equal weights": (
        "Neurons that begin alike get the same gradient and stay alike: eight neurons act as "
        "one. Their pictures never differ."
    ),
    "settings circles penalty": (
        "The penalty on large weights is stronger than what the data asks for. It pulls the "
        "weights to 0, and the plane becomes one colour."
    ),
    "settings spirals two layers": (
        "The first layer cuts the plane, the second combines the cuts to arms. Adam needs some "
        "hundreds of steps for it."
    ),
    "settings spirals wide relu": (
        "Sixteen neurons a layer are more than needed, and that makes it easy: the loss falls "
        "fast and evenly."
    ),
    "settings spirals plain descent": (
        "With wide layers and a large learning rate plain gradient descent gets there, too, only "
        "later than Adam."
    ),
    "settings spirals three neurons": (
        "Three neurons make three cuts: far too few for three arms that are wound about each "
        "other. Part of each arm stays wrong."
    ),
    "settings spirals deep sigmoid": (
        "Three layers of sigmoid with plain descent: deltas shrink on their way back, and the "
        "loss stays at log 3 for a long time before anything begins to move."
    ),
    "settings spirals too slow": (
        "This learning rate suits Adam, whose steps don't depend on the size of the gradient. "
        "Plain descent moves by learning rate times gradient, and that is tiny here."
    ),
    "settings spirals too fast": (
        "Every step moves each weight by about 1. The sums soon are so large that tanh is at -1 "
        "or 1 everywhere, where its slope is 0: nothing can be learnt any more."
    ),
    "settings spirals penalty": (
        "The arms need large weights, because the border has to turn sharply. The penalty "
        "forbids them, and the regions stay too smooth."
    ),
    "settings spirals equal weights": (
        "All neurons of a layer begin alike, get the same gradient, and stay alike. Sixteen "
        "neurons do the work of two."
    ),
    "settings xor four tanh": (
        "Two cuts have to be combined, and four neurons leave room for a bad beginning. Both "
        "diagonals find their colour within some hundred steps."
    ),
    "settings xor eight relu": (
        "Eight relu neurons and plain descent with a large learning rate: enough of them begin "
        "in a useful place."
    ),
    "settings xor no bend": (
        "There is a hidden layer, but it's linear: two linear layers are one linear layer. The "
        "border stays a straight line, as good as guessing."
    ),
    "settings xor two neurons": (
        "Two neurons could be enough, but from this beginning they get stuck where three of the "
        "four corners are right. More neurons would give more chances."
    ),
    "settings xor small weights": (
        "Weights near 0 in two layers: each delta is multiplied by tiny weights on its way back. "
        "The loss rests at log 2 as if nothing happened."
    ),
    "settings xor too fast": (
        "Momentum adds up steps that are too large already. The weights grow into the hundreds, "
        "tanh saturates, and the border jumps about without settling."
    ),
    "settings xor equal weights": (
        "Four equal neurons act as one: a single cut. About three quarters of the points are "
        "right, never more."
    ),
    "settings blobs no hidden layer": (
        "The clouds can be parted by straight lines, so no hidden layer is needed. The fewer "
        "weights, the clearer what each of them does."
    ),
    "settings blobs four tanh": (
        "A small hidden layer does no harm: it learns the same borders, a little rounded."
    ),
    "settings blobs too slow": (
        "After a thousand steps hardly anything has changed. Multiply the learning rate by a "
        "thousand, and a hundred steps are enough."
    ),
    "settings blobs deep sigmoid": (
        "An easy set, and a network that is too deep for it: five layers of sigmoid let almost "
        "no gradient through. Fewer layers would be better, or relu."
    ),
    "settings blobs wrong loss": (
        "Softmax with squared error, from large weights: where the network is surely wrong, the "
        "slope of softmax is nearly 0, and so is the delta. Cross-entropy has no such factor: "
        "choose it, and the same beginning is learnt."
    ),
    "settings blobs one neuron": (
        "Six clouds have to pass through one neuron, that is one number between 0 and 1. Clouds "
        "that lie side by side along its direction fall together."
    ),
    "settings blobs few noisy points": (
        "Thirty points and clouds that overlap: the network winds its borders around single "
        "points. All training points are right, the held out ones are not."
    ),
    "settings plane no hidden layer": (
        "A number that grows evenly is exactly what one linear neuron can say. The loss falls to "
        "that of the noise, and no further."
    ),
    "settings plane one tanh layer": (
        "Not needed, yet it works: tanh is almost straight near 0, and the layer uses that part."
    ),
    "settings plane too fast": (
        "Each step jumps over the bottom of the valley and lands higher than before. The loss "
        "grows without bound until the numbers leave all range."
    ),
    "settings plane too slow": (
        "It begins far away, with weights too large, and takes steps far too small. The loss "
        "falls steadily, but the way is long."
    ),
    "settings plane penalty": (
        "The penalty makes small weights worth more than a good fit. The surface becomes less "
        "than a third as steep as the data."
    ),
    "settings plane dead relu": (
        "There's only one relu neuron, and the first steps push it below 0 for every point. Then "
        "it gives 0 everywhere and learns no more. With eight, some would live on."
    ),
    "settings plane few noisy points": (
        "Twenty noisy points and a large network: it bends the surface through each of them. The "
        "training loss goes to 0 while that of the held out points is more than twice what a "
        "network without hidden layers has."
    ),
    "settings waves wide relu": (
        "Many neurons, each of which adds a fold; the hills are put together from flat pieces."
    ),
    "settings waves two layers": (
        "Two layers of eight tanh are smooth as the hills are, and few enough to be seen through."
    ),
    "settings waves no hidden layer": (
        "A plane through hills: the best it can do is to be flat, at the mean of all numbers."
    ),
    "settings waves two neurons": (
        "Two neurons give two slopes: too few for hills and hollows side by side."
    ),
    "settings waves deep sigmoid": (
        "Four layers of sigmoid: what reaches the first layer is so small that the surface stays "
        "flat at the mean."
    ),
    "settings waves penalty": (
        "All weights are pulled to 0, and the surface is flat. Hills need large weights."
    ),
    "settings waves too fast": (
        "Where a number is asked for, nothing bounds the delta: one step too large makes the "
        "next error larger, and so on until the numbers leave all range."
    ),
    "settings waves few noisy points": (
        "Thirty points can't tell a hill from noise. The network fits them all, and between them "
        "the surface is its own invention."
    ),
    "settings tutorial as it is": (
        "The tutorial's own settings. The first step goes past the answer, and still the loss "
        "falls at every step; after thirteen the output is within 0.01 of 4."
    ),
    "settings tutorial half as fast": (
        "Half the learning rate, and it arrives sooner: the steps no longer jump over the answer "
        "but go straight to it."
    ),
    "settings tutorial too fast": (
        "Three times the learning rate: every step lands further from the answer than the one "
        "before, and within ten steps the numbers are out of range."
    ),
    "settings tutorial too slow": (
        "A hundredth of the learning rate: every step is right and tiny. After fifty steps a "
        "sixth of the loss is still left."
    ),
    "settings tutorial zero weights": (
        "With all weights 0 the output is 0, and every gradient is a product with a 0 in it. The "
        "loss stays at 8 for ever: 4² / 2."
    ),
    "settings tutorial penalty": (
        "The penalty pulls all six weights towards 0, and the answer comes out too small: a "
        "compromise between fitting the point and small weights."
    ),
}
