"""One library in a process of its own: orders as lines of JSON on standard input, answers back.

python -m deltaprop.benchmark.worker PEER

Orders are {"do": "start", "work": {...}} and {"do": "run", "epochs": n}; the answer to both is
{"seconds": s}, or {"error": "..."}. The process ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO

from deltaprop.benchmark.peers import Epochs, peer_named
from deltaprop.benchmark.workloads import Workload
from deltaprop.errors import DeltapropError

__all__ = ["serve"]

_LONG = 0.25  # seconds of an epoch that needs no other before it to be warm


def serve(name: str, orders: TextIO, answers: TextIO) -> None:
    """Carry out orders until there are no more."""
    peer = peer_named(name)
    epochs: Epochs | None = None
    last = 0.0
    for line in orders:
        order = json.loads(line)
        answer: dict[str, Any]
        try:
            if order["do"] == "start":
                epochs = None  # what the last one held is free before the next one begins
                work = Workload.from_dict(order["work"])
                began = time.perf_counter()
                epochs = peer.start(work)
                epochs(1)
                answer = {"seconds": time.perf_counter() - began}
                last = epochs(1)
            else:
                assert epochs is not None
                if last < _LONG:
                    epochs(1)  # other processes have had the caches in between
                seconds = epochs(order["epochs"])
                last = seconds / order["epochs"]
                answer = {"seconds": seconds}
        except DeltapropError as error:
            answer = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 - other people's code, and its failure is an answer
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # a library that prints must not be taken for an answer
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as own:
        os.dup2(2, 1)
        serve(sys.argv[1], sys.stdin, own)
