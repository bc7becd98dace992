"""What ``make demo`` shows: a classifier trained on a real table, and one of its steps explained.

Every line that starts with ``$`` is a command you can type yourself (in the folder of the
repository, as ``.venv/bin/deltaprop ...``).
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from deltaprop.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
TABLE = "examples/data/penguins.csv"
MODEL = "demo-output/penguins.safetensors"

SCENES = (
    (
        """A network learns to tell three kinds of penguins apart, from a CSV file as it
comes: words, numbers and missing cells. Plain gradient descent and four hidden
neurons are enough.""",
        f"train {TABLE} --target species --preset plain --hidden 4 --model {MODEL}",
    ),
    (
        "What it says about each bird of a table (here the first three):",
        f"predict {MODEL} {TABLE} --proba --first 3",
    ),
    (
        """One step of its training, explained: row 111 would move the weights like this.
Values flow forward, deltas flow back, and each weight's gradient is the value on its
left times the delta on its right.""",
        f"explain {MODEL} --data {TABLE} --row 111",
    ),
    (
        "Is that true? Every gradient is compared with a central difference of the loss.",
        f"check {MODEL} --data {TABLE} --row 111",
    ),
    (
        "And the example this all began with, number by number.",
        "explain tutorial --detail neurons",
    ),
)


def run() -> int:
    """Show the scenes one after another; return the first exit status that is not 0."""
    os.chdir(ROOT)
    Path("demo-output").mkdir(exist_ok=True)
    for number, (caption, command) in enumerate(SCENES, start=1):
        print(f"\n{'=' * 79}\n{number}. {caption}\n\n$ deltaprop {command}\n", flush=True)
        status = main(shlex.split(command))
        sys.stderr.flush()
        if status:
            return status
    print(f"\n{'=' * 79}\nYour own table: .venv/bin/deltaprop train YOUR.csv --target COLUMN")
    return 0


if __name__ == "__main__":
    sys.exit(run())
