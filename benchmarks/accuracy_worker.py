"""A process that has imported what a learner needs, and measures each job in a fork of itself.

Importing takes some of the learners ten seconds and more, which nobody counts but who waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from accuracy_learners import Job
from common import HERE

from deltaprop.engines.cores import available_cores

BUSY = 0.1  # share of the cores that other work had, from which seconds are not to be trusted
IMPORTING = 300.0  # seconds that a learner's libraries may take


def busy_seconds() -> float | None:
    """Return the seconds that all cores together have worked; None where nobody counts them."""
    try:
        words = Path("/proc/stat").read_text(encoding="utf-8").split("\n")[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, soft, steal = map(int, words[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


class Worker:
    """Measures one job after another; starts its process again when the learner changes."""

    def __init__(self, environment: Mapping[str, str], busy_machine: bool = False) -> None:
        self._environment = dict(environment)
        self._busy_machine = busy_machine
        self._learner: str | None = None
        self._process: subprocess.Popen[str] | None = None
        # some libraries leave logs where they run
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._folder.cleanup()

    def measure(self, job: Job, limit: float) -> dict[str, Any]:
        """Run one job, and say what else the machine did meanwhile."""
        load = round(os.getloadavg()[0], 2)
        try:
            if self._learner != job.learner:
                self._start(job.learner)
            began, busy = time.monotonic(), busy_seconds()
            result = self._ask(json.dumps(asdict(job)), limit)
            seconds, after = time.monotonic() - began, busy_seconds()
        except (OSError, ValueError, TimeoutError) as error:
            self._end()
            return {"failed": str(error), "load": load, "disturbed": self._busy_machine}
        if busy is not None and after is not None:
            others = (after - busy - result["cpu"]) / (seconds * available_cores())
            result["others"] = round(max(0.0, others), 3)
        disturbed = self._busy_machine or result.get("others", 0) > BUSY
        return {**result, "load": load, "disturbed": disturbed}

    def _start(self, learner: str) -> None:
        self._end()
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "accuracy_learners.py"), learner],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=self._environment, cwd=self._folder.name, start_new_session=True,
        )  # fmt: skip
        self._learner = learner
        self._answer(IMPORTING)  # that it is ready

    def _ask(self, question: str, limit: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._answer(limit)

    def _answer(self, limit: float) -> dict[str, Any]:
        """Return the next line, which comes whole."""
        assert self._process is not None
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(limit):
                raise TimeoutError(f"took more than {limit:g} seconds")
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"its process ended with status {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> None:
        """End the process and the job it waits for."""
        self._learner = None
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:  # closes its pipes and waits for it
            self._process = None
