"""How long it takes until something happens: importing, the command line, the first step.

    python benchmarks/startup.py [--quick] [--write]

Importing deltaprop loads nothing but names, so it is timed alone and with what training takes.

Wall seconds of whole commands, from start to exit, median of five turns after one warm-up; the
commands take turns, so that a difference of two is one of the same minute. Bytecode is kept from
the warm-up on, as it is after an installation, in a folder of its own and whatever the environment
says; with --quick there is no warm-up, and the bytecode is what it is. The first training step is
timed inside its process, after importing: one epoch of a table of 150 rows, and the same again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from common import HERE, alone, machine_sentence, tell, write_part

from deltaprop.benchmark import describe_machine
from deltaprop.benchmark.tables import markdown_table

PENGUINS = HERE.parent / "examples" / "data" / "penguins.csv"
USING = "import numpy, deltaprop; deltaprop.Network; deltaprop.train"
FIRST_STEP = """
import json, time
import numpy as np
from deltaprop import Network, train

X = np.random.default_rng(0).normal(size=(150, 4))
y = np.arange(150) % 3
network = Network([4, 16, 3])
parameters = network.init(np.random.default_rng(1))

def epoch():
    began = time.perf_counter()
    train(network, parameters, X, y, epochs=1)
    return time.perf_counter() - began

print(json.dumps([epoch(), epoch()]))
"""


@dataclass(frozen=True)
class Command:
    """Something that is started, what it is called in the table, and what was aimed at."""

    title: str
    words: tuple[str, ...]
    aim: float | None = None  # seconds


def python(title: str, code: str) -> Command:
    return Command(title, (sys.executable, "-c", code))


def deltaprop(title: str, aim: float, *words: str) -> Command:
    """Return the installed command, or the module where there is none."""
    installed = Path(sys.executable).parent / "deltaprop"
    begin = (str(installed),) if installed.exists() else (sys.executable, "-m", "deltaprop")
    return Command(title, (*begin, *words), aim)


NUMPY = python('`python -c "import numpy"`', "import numpy")
IMPORTING = python('`python -c "import numpy, deltaprop"`', "import numpy, deltaprop")
TAKING = python(f'`python -c "{USING}"`', USING)
COMMANDS = (
    NUMPY,
    IMPORTING,
    TAKING,
    deltaprop("`deltaprop --help`", 0.3, "--help"),
    deltaprop("`deltaprop train examples/data/penguins.csv --target species`", 1.5,
              "train", str(PENGUINS), "--target", "species"),
)  # fmt: skip
AIM_OF_IMPORTING = 0.06


def run(words: tuple[str, ...], folder: str, *, fresh: bool = True) -> tuple[float, str]:
    """Return the seconds from start to exit, and what was printed; ``fresh`` is of the bytecode."""
    environment = dict(os.environ)
    if fresh:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
    began = time.perf_counter()
    done = subprocess.run(words, check=True, cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    return time.perf_counter() - began, done.stdout


def first_steps(folder: str, *, fresh: bool) -> tuple[float, float]:
    """Return the seconds of the first epoch of a process, and of its second."""
    first, second = json.loads(run((sys.executable, "-c", FIRST_STEP), folder, fresh=fresh)[1])
    return float(first), float(second)


def measure(
    rounds: int, warm_up: int = 1
) -> tuple[dict[str, list[float]], list[tuple[float, float]]]:
    """Return the seconds of every command in every turn, and those of the first steps."""
    times: dict[str, list[float]] = {command.title: [] for command in COMMANDS}
    steps = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(1 - warm_up, rounds + 1):
            tell(f"turn {turn} of {rounds}" if turn else "warm-up")
            fresh = warm_up > 0
            seconds = [run(command.words, folder, fresh=fresh)[0] for command in COMMANDS]
            both = first_steps(folder, fresh=fresh)
            if turn:
                steps.append(both)
                for command, spent in zip(COMMANDS, seconds, strict=True):
                    times[command.title].append(spent)
    return times, steps


def table(times: dict[str, list[float]], steps: list[tuple[float, float]]) -> str:
    """Return medians beside what was aimed at."""
    middle = {title: median(spent) for title, spent in times.items()}
    rows = [
        _row(command.title, middle[command.title], max(times[command.title]), command.aim)
        for command in COMMANDS
    ]
    for command, aim in ((TAKING, None), (IMPORTING, AIM_OF_IMPORTING)):
        more = [b - a for a, b in zip(times[NUMPY.title], times[command.title], strict=True)]
        own = _row("the same, less `import numpy`", median(more), max(more), aim)
        rows.insert(COMMANDS.index(command) + 1, own)
    for title, spent in zip(
        ("`train`, one epoch of 150 rows, first in its process", "the same once more"),
        zip(*steps, strict=True),
        strict=True,
    ):
        rows.append(_row(title, median(spent), max(spent), None))
    return markdown_table(["what", "seconds, median", "longest", "aim"], rows)


def _row(title: str, middle: float, longest: float, aim: float | None) -> list[str]:
    told = "-" if aim is None else f"under {aim:g}: {'met' if middle < aim else 'missed'}"
    return [title, f"{middle:.4f}", f"{longest:.4f}", told]


def main() -> None:
    parser = argparse.ArgumentParser(description="How long starting takes.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one turn, no warm-up")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    machine = describe_machine()
    with alone():
        times, steps = measure(rounds, warm_up=0 if options.quick else 1)
    before = f"Wall seconds from start to exit, median of {rounds}:"
    wait = median(first - second for first, second in steps)
    after = (
        f"The first epoch of a process takes {1e3 * wait:.1f} ms longer than the second: loading "
        "what is used, and no compiling."
    )
    text = "\n\n".join([machine_sentence(machine, {}), before, table(times, steps), after])
    print(text)
    if options.write:
        write_part("startup", text)


if __name__ == "__main__":
    main()
