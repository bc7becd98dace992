"""English words of the studio: practising."""

__all__ = ["WORDS"]

WORDS = {
    "practise": "Practise",
    "covered": "Numbers are hidden while you practise. End the practice to ask about them.",
    "scheme short": "short numbers",
    "practise about": (
        "Some numbers of the step that comes are hidden: you work them out, and the page marks "
        "them. Where one is wrong it tries to say which mistake it was. {digits} significant "
        "digits are enough; 0.25, 0,25 and 1/4 are read."
    ),
    "practise topic": "What is asked",
    "topic mixture": "the whole step",
    "topic forward": "forward: z and a",
    "topic loss": "the loss",
    "topic delta": "deltas",
    "topic gradient": "gradients",
    "topic update": "new weights",
    "practise amount": "How many",
    "amount some": "one number of each kind",
    "amount each": "all, one by one",
    "amount layer": "all of a layer at once",
    "practise samples": "Samples in the step",
    "practise numbers": "Numbers",
    "numbers view": "as they are",
    "numbers short": "two decimals",
    "practise begin": "Begin",
    "practise anew": "Begin anew",
    "practise stop": "End",
    "practise large": "The network is too large to work with by hand.",
    "practise count": "step t",
    "practise small about": "Long numbers are tiresome by hand.",
    "practise small": "A small network with short numbers",
    "practise broken": "The run went on, so this round is over.",
    "practise step one": "The step that comes, as one sample alone would make it.",
    "practise step": (
        "The step that comes, as {n} samples alone would make it: gradients are of the mean."
    ),
    "practise progress": "{at} of {of}.",
    "practise what z": "What does z come to?",
    "practise what a": "What is the activation?",
    "practise what loss": "What is the loss?",
    "practise what delta": "What is δ, the derivative of the loss by z?",
    "practise what dW": "What is the gradient of the weights?",
    "practise what db": "What is the gradient of the bias?",
    "practise what W after": "What are the new weights?",
    "practise what b after": "What is the new bias?",
    "practise check": "Check",
    "practise hint": "Hint",
    "practise more hint": "Further hint",
    "practise give up": "Show the solution",
    "practise keep": "Go on with my number",
    "practise right": "{symbol} = {text} is right.",
    "practise follows": (
        "{symbol} = {text} follows from the wrong number before it: it would be right if that were."
    ),
    "practise kept": "Going on with {symbol} = {text}.",
    "practise shown": "{symbol} is {text}.",
    "practise unread": "“{text}” is no number. Write it such as -0.25 or 1/4.",
    "practise coarse": "{symbol} = {text} is right but rounded: give {digits} significant digits.",
    "practise wrong": (
        "{symbol} = {text} is wrong, and no named mistake gives it: a slip in the arithmetic?"
    ),
    "practise named": "{symbol} = {text} is wrong: {doc}.",
    "practise fix": "What to do: {fix}.",
    "practise stands": "{taken} seems to stand where {belongs} belongs.",
    "practise or": "The same number may come of something else: {docs}.",
    "practise or between": "; or: ",
    "practise between": " ",
    "practise slip": "a slip in the arithmetic",
    "hint symbols": "The equation",
    "hint numbers": "With the numbers put in",
    "practise over": "Done: {right} of {of} right.",
    "practise should be": "What it should be",
    "practise another": "Another one",
    "practise session": "This session",
    "tally first": "{first} of {asked} numbers right at once.",
    "tally later": "{n} after another try or a hint.",
    "tally follows": "{n} following from a wrong one.",
    "tally kept": "{n} wrong, gone on with.",
    "tally shown": "{n} shown.",
    "tally mistake": "{n} × {doc}",
    "practise known": "The numbers to work with",
    "practise arrays": (
        "Rows of x, z, a and δ are samples. In W and ∂L/∂W, row i is for what comes in, column "
        "j for the neuron it leads to."
    ),
    "practise given": "Given",
    "practise yours": "your number, gone on with",
}
