"""The page's marking in Node, and random networks to ask it about."""

import json
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import deltaprop as dp
from deltaprop.checking.step import Given, work_out
from deltaprop.explaining.examples import WorkedExample
from deltaprop.practice.marking.step import step_of
from deltaprop.studio.page import studio_page

PAGE = Path(dp.__file__).parent / "studio" / "page"
SCRIPT = Path(__file__).parents[1] / "studio" / "practise.js"
RULES = (dp.GradientDescent, dp.Momentum, dp.Adam, dp.RMSProp, dp.AdamW, dp.Lion)
LOSSES = [name for name, row in dp.LOSSES.items() if row.targets != "count"]


@contextmanager
def page_marking(node, folder):
    """Yield a function that asks the page's modules and returns their answer."""
    facts = folder / "facts.json"
    page = studio_page("en", "run")
    facts.write_text(re.search(r'id="facts">(.*?)</script>', page, re.DOTALL)[1], "utf-8")
    with subprocess.Popen(
        [node, "--no-warnings", SCRIPT, facts, PAGE.as_uri()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip

        def ask(question, **facts):
            print(json.dumps({"ask": question, **facts}), file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline())
            assert not isinstance(answer, str), answer
            return answer

        yield ask
        process.stdin.close()


def drawn(rng, case):
    """Return a random network's step, as Python has it and as the page is told of it."""
    sizes = [int(n) for n in rng.integers(1, 4, size=rng.integers(2, 5))]
    hidden = [str(n) for n in rng.choice(list(dp.ACTIVATIONS), size=len(sizes) - 2)]
    loss = LOSSES[case % len(LOSSES)]
    l2, l1 = (float(rng.choice([0, s])) for s in (0.1, 0.2))
    bias = case % 5 != 4
    network = dp.Network(sizes, hidden, loss, l2=l2, l1=l1, bias=bias)
    rule, n = RULES[case % len(RULES)](0.3), int(rng.integers(1, 4))
    x = rng.normal(size=(n, sizes[0])).round(2)
    targets = rng.random((n, sizes[-1])).round(2)
    if network.loss.targets == "distribution":
        targets = np.eye(sizes[-1])[rng.integers(0, sizes[-1], size=n)]
    parameters = network.init(rng)
    parameters.flat[:] = rng.normal(size=parameters.flat.size).round(2)
    worked = WorkedExample("", network, parameters, x.tolist(), targets.tolist(), rule)
    settings = {
        name: getattr(rule, name)
        for name in ("momentum", "decay", "epsilon", "beta_1", "beta_2", "weight_decay")
        if hasattr(rule, name)
    }
    told = {
        "plan": {
            "sizes": sizes, "activations": hidden, "loss": loss, "l2": l2, "l1": l1,
            "learningRate": 0.3, "biases": bias, "optimizer": {"name": rule.name, **settings},
        },
        "now": {
            "x": x.tolist(), "targets": targets.tolist(), "parameters": parameters.flat.tolist(),
            "states": [[0.0] * network.n_parameters] * 2, "steps": 0,
        },
    }  # fmt: skip
    return step_of(worked), told


def quantities_of(step):
    """Return the keys of what a mistake can be made in, before the second pass."""
    names = ("z", "a", "loss", "delta", "dW", "db", "W", "b")
    return [
        key
        for key in step.right
        if key.partition(".")[0] in names
        and (key[0] not in "Wb" or key.endswith(".after"))
        and (key[0] not in "zal" or not key.endswith(".after"))
    ]


def by_rules(step, form, given=None):
    """Return every quantity by a mistake's rules, from the right numbers, or those given."""
    return work_out(step, form.rules, given or Given(step.right))[0]
