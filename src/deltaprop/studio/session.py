"""One page's run on this computer: it answers what ``page/answers.js`` says."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.explaining.examples import worked_example
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.studio.asked import floats as _floats
from deltaprop.studio.asked import listed as _list
from deltaprop.studio.asked import number as _number
from deltaprop.studio.asked import whole as _whole
from deltaprop.studio.frames import Arrays
from deltaprop.studio.learning import Change, Figures, Learning, Rows
from deltaprop.studio.planes import field_of
from deltaprop.studio.session_tables import Tables
from deltaprop.studio.step import step_that_comes
from deltaprop.studio.tables import OpenTable
from deltaprop.training.checks import check_rows
from deltaprop.training.optimizers import optimizer_from_dict

__all__ = ["Session"]

Answer = tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]

_SLICE = 0.012  # seconds of steps between two looks at what is asked
_MOST_STEPS = 100_000  # at once: nothing else is answered meanwhile
_MOST_TRIED = 10_000
_MOST_PARAMETERS = 5_000_000
_STOPS = (
    "openTable",
    "choose",
    "begin",
    "goTo",
    "setParameters",
    "setLearningRate",
    "setRow",
    "play",
)
_NO_FIGURES = Figures(float("nan"), None)


class Session:
    """A run, and the thread that plays it. One question at a time."""

    def __init__(self, language: str = "en", own: OpenTable | None = None) -> None:
        self._tables = Tables(language, own)
        self._lock = threading.Lock()
        self._learning: Learning | None = None
        self._playing: threading.Thread | None = None
        self._running = False
        self._rate = 0.0
        self._judged: tuple[float, Figures, Figures] | None = None
        self._answers: Mapping[str, Callable[[Mapping[str, Any], Arrays], Answer]] = {
            "openTable": self._open_table,
            "choose": lambda asked, _: self._choose(asked),
            "begin": self._begin,
            "try": self._try,
            "go": lambda asked, _: self._to(self._its().step + _whole(asked, "steps")),
            "goTo": lambda asked, _: self._to(_whole(asked, "step")),
            "play": lambda asked, _: self._play(asked.get("rate")),
            "pause": lambda _asked, _: self._pause(),
            "setParameters": self._set_parameters,
            "setLearningRate": self._set_learning_rate,
            "setRow": self._set_row,
            "edits": lambda _asked, _: self._edits(),
            "frame": self._frame,
            "trace": lambda _asked, _: self._trace(),
            "explain": lambda asked, _: _explain(asked),
        }

    def answer(self, kind: object, asked: object, arrays: Arrays) -> Answer:
        """Return the answer to a question.

        Raises
        ------
        DeltapropError
            It cannot be done; the message is for whoever asked.
        """
        if kind not in self._answers or not isinstance(asked, dict):
            raise DataError(f"The studio does not know what {kind!r} asks.")
        if kind in _STOPS:
            self._stop()
        with self._lock:
            return self._answers[str(kind)](asked, arrays)

    def close(self) -> None:
        """Let the thread that plays it end."""
        self._stop()

    # what is asked

    def _open_table(self, asked: Mapping[str, Any], arrays: Arrays) -> Answer:
        self._learning = None
        self._tables.open(asked, arrays)
        return {}, {}

    def _choose(self, asked: Mapping[str, Any]) -> Answer:
        self._learning = None  # its rows are those of the table
        found = self._tables.choose(asked)
        return found.told, found.sample

    def _made(self, asked: Mapping[str, Any], arrays: Arrays) -> Learning:
        plan = asked.get("plan")
        if not isinstance(plan, dict):
            raise DataError("A run begins with a plan.")
        sizes = [_whole({"size": size}, "size", least=1) for size in _list(plan, "sizes")]
        n_parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        if n_parameters > _MOST_PARAMETERS:
            raise SettingError(
                f"This network has {n_parameters:,} parameters; the studio takes up to "
                f"{_MOST_PARAMETERS:,}."
            )
        network = Network(
            sizes, [str(name) for name in _list(plan, "activations")], str(plan.get("loss")),
            l2=_number(plan, "l2"), l1=_number(plan, "l1"), bias=plan.get("biases") is not False,
        )  # fmt: skip
        optimizer = plan.get("optimizer")
        if not isinstance(optimizer, dict):
            raise DataError("A plan has an optimizer.")
        flat = _parameters(arrays, network)
        if asked.get("table"):
            rows, held = self._tables.rows(network)
        else:
            rows = _rows(network, arrays, "")
            held = _rows(network, arrays, "held") if "heldX" in arrays else None
        rule = optimizer_from_dict({**optimizer, "learning_rate": _number(plan, "learningRate")})
        return Learning(
            network, Parameters(network.layout, flat), rule, rows, held,
            _whole(plan, "batchSize", least=1), _whole(plan, "seed"),
            edits=_edits(asked.get("edits", []), arrays, network),
            changes=_changes(asked.get("changes", []), rows),
        )  # fmt: skip

    def _begin(self, asked: Mapping[str, Any], arrays: Arrays) -> Answer:
        self._learning = self._judged = None
        self._learning = self._made(asked, arrays)
        return {"parameters": self._learning.network.n_parameters}, {}

    def _try(self, asked: Mapping[str, Any], arrays: Arrays) -> Answer:
        steps = _whole(asked, "steps")
        if steps > _MOST_TRIED:
            raise SettingError(f"A run is tried for up to {_MOST_TRIED:,} steps.")
        tried = self._made(asked, arrays)
        tried.go(steps)
        last = tried.figures(tried.rows)
        curve = np.array(tried.curve).reshape(-1)
        told = {"step": tried.step, "loss": _told(last.loss), "right": _told(last.right)}
        return {**told, "diverged": tried.diverged}, {"curve": curve}

    def _to(self, step: int) -> Answer:
        its = self._its()
        if step > its.step + _MOST_STEPS:
            raise SettingError(f"At once it takes up to {_MOST_STEPS:,} steps; play takes more.")
        its.go_to(step)
        return {}, {}

    def _play(self, rate: object) -> Answer:
        self._its()
        wanted = None if rate is None else _number({"rate": rate}, "rate")
        if wanted is not None and not 0.0 < wanted < 1e9:
            raise DataError(f"rate is {rate!r}; it is so many steps a second.")
        self._running = True
        self._playing = threading.Thread(target=self._plays, args=(wanted,), daemon=True)
        self._playing.start()
        return {}, {}

    def _pause(self) -> Answer:
        self._running = False
        return {}, {}

    def _set_parameters(self, _asked: Mapping[str, Any], arrays: Arrays) -> Answer:
        its = self._its()
        its.set_parameters(_parameters(arrays, its.network))
        return {}, {}

    def _set_learning_rate(self, asked: Mapping[str, Any], _arrays: Arrays) -> Answer:
        its = self._its()
        its.set_learning_rate(_rate(asked))
        return {}, {}

    def _set_row(self, asked: Mapping[str, Any], _arrays: Arrays) -> Answer:
        its = self._its()
        its.set_row(*_row(asked.get("row"), its.rows))
        return {}, {}

    def _edits(self) -> Answer:
        its = self._its()
        flat = np.concatenate([np.empty(0), *its.edits.values()])
        changes = [
            {"step": step, "learningRate": own.learning_rate, "rows": _told_rows(own)}
            for step, own in its.changes.items()
        ]
        return {"edits": list(its.edits), "changes": changes}, {"edits": flat}

    def _frame(self, asked: Mapping[str, Any], arrays: Arrays) -> Answer:
        its, since = self._its(), _number(asked, "since")
        curve = np.array([point for point in its.curve if point[0] > since]).reshape(-1)
        found: dict[str, npt.NDArray[Any]] = {"curve": curve}
        plane = asked.get("plane")
        if isinstance(plane, dict):
            found["field"] = field_of(its.network, its.parameters, plane, arrays)
        if asked.get("parameters"):
            found["parameters"] = its.parameters.flat.copy()
        if asked.get("outputs"):
            shown = [_whole({"rows": n}, "rows") for n in asked.get("shown") or (2**52, 2**52)]
            found["outputs"] = its.outputs(its.rows.first(shown[0])).reshape(-1)
            if its.held is not None:
                found["heldOutputs"] = its.outputs(its.held.first(shown[-1])).reshape(-1)
        own, held = self._figures(its)
        return {
            "step": its.step, "epoch": its.step // its.steps_per_epoch,
            "stepsPerEpoch": its.steps_per_epoch,
            "running": self._running, "diverged": its.diverged, "rate": self._rate,
            "learningRate": its.learning_rate(), "rows": _told_rows(its.in_force),
            "figures": {
                "step": its.step, "loss": _told(own.loss), "held": _told(held.loss),
                "right": _told(own.right), "heldRight": _told(held.right),
            },
        }, found  # fmt: skip

    def _figures(self, its: Learning) -> tuple[Figures, Figures]:
        """Return what the rows come to; while it plays they take a tenth of the time at most."""
        began = time.perf_counter()
        if self._running and self._judged is not None and began < self._judged[0]:
            return self._judged[1:]
        held = _NO_FIGURES if its.held is None else its.figures(its.held)
        found = its.figures(its.rows), held
        now = time.perf_counter()
        self._judged = now + 9 * (now - began), *found
        return found

    def _trace(self) -> Answer:
        told, arrays = step_that_comes(self._its())
        return {**told, "loss": _told(told["loss"])}, arrays

    def _its(self) -> Learning:
        if self._learning is None:
            raise DataError("There is no network yet.")
        return self._learning

    # playing

    def _plays(self, rate: float | None) -> None:
        """Take steps while it runs: as many as there can be, or ``rate`` a second."""
        began, done = time.perf_counter(), 0
        seen, at_once = (began, self._its().step), 16
        while self._running:
            now = time.perf_counter()
            with self._lock:
                its = self._learning
                if its is None or its.diverged is not None:
                    self._running = False
                    return
                if rate is None:
                    its.go(at_once)
                else:
                    owed = int((now - began) * rate) - done
                    for _ in range(owed):
                        its.go(1)
                        if time.perf_counter() - now > _SLICE:
                            break
                    done += owed
                took = time.perf_counter() - now
                step = its.step
            at_once = max(1, min(2 * at_once, int(at_once * _SLICE / max(took, 1e-4))))
            if now - seen[0] > 0.5:
                self._rate, seen = (step - seen[1]) / (now - seen[0]), (now, step)
            # whoever asks waits for the lock: leave it for a moment
            time.sleep(0.0005 if rate is None else min(0.016, 1 / rate))

    def _stop(self) -> None:
        self._running = False
        if self._playing is not None:
            self._playing.join()
            self._playing = None


def _explain(asked: Mapping[str, Any]) -> Answer:
    example = asked.get("example")
    if not isinstance(example, dict):
        raise DataError("The question lacks its worked example.")
    language = str(asked.get("language"))
    text = worked_example(example).explain().to(str(asked.get("form")), language=language)
    return {"text": text}, {}


def _rows(network: Network, arrays: Arrays, of: str) -> Rows:
    """Return the rows to learn from, or those held out, as the page sends them."""

    def called(name: str) -> str:
        return name if not of else of + name[0].upper() + name[1:]

    x = _floats(arrays, called("x"))
    if x.size % network.n_in:
        raise DataError(f"The rows have {network.n_in} inputs each; {x.size} numbers came.")
    x = x.reshape(-1, network.n_in).copy()
    given: npt.NDArray[Any] = np.asarray(arrays.get(called("labels"), ()), dtype=np.int64)
    if called("labels") not in arrays:
        given = _floats(arrays, called("targets"))
        if given.size % network.n_out:
            raise DataError(f"Rows have {network.n_out} targets each; {given.size} numbers came.")
        given = given.reshape(-1, network.n_out).copy()
    checked, targets = check_rows(network, x, given, "the rows")
    assert isinstance(checked, np.ndarray)
    return Rows(checked, targets)


def _parameters(arrays: Arrays, network: Network) -> npt.NDArray[np.float64]:
    flat = _floats(arrays, "parameters").copy()
    if flat.size != network.n_parameters or not np.isfinite(flat).all():
        raise DataError(f"The network has {network.n_parameters} parameters, finite numbers.")
    return flat


def _edits(steps: object, arrays: Arrays, network: Network) -> dict[int, npt.NDArray[np.float64]]:
    """Return the parameters that were set by hand, by step."""
    if not isinstance(steps, list) or not steps:
        return {}
    flat, n = _floats(arrays, "edits"), network.n_parameters
    return {
        _whole({"step": step}, "step"): _parameters({"parameters": flat[k * n :][:n]}, network)
        for k, step in enumerate(steps)
    }


def _changes(given: object, rows: Rows) -> dict[int, Change]:
    """Return what else was changed by hand, by step."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise DataError("Changes are a list of objects.")
    return {
        _whole(one, "step"): Change(
            None if one.get("learningRate") is None else _rate(one),
            dict(_row(row, rows) for row in _list(one, "rows")),
        )
        for one in given
    }


def _rate(asked: Mapping[str, Any]) -> float:
    rate = _number(asked, "learningRate")
    if not 0 < rate < math.inf:
        raise SettingError(f"learning_rate is {rate!r}; it must be a positive number.")
    return rate


def _row(given: object, rows: Rows) -> tuple[int, tuple[float, ...]]:
    """Return which row is changed, and its numbers: x, with targets behind where they are."""
    n_in = rows.x.shape[1]
    n_t = rows.t.shape[1] if rows.t.ndim == 2 else 0
    numbers = given[1:] if isinstance(given, list) else []
    told = tuple(_number({"number": number}, "number") for number in numbers)
    if len(told) not in (n_in, n_in + n_t) or not np.isfinite(told).all():
        raise DataError(f"A row has {n_in} inputs, and {n_t} targets behind them.")
    which = _whole({"row": given[0] if isinstance(given, list) else None}, "row")
    if which >= len(rows):
        raise DataError(f"There are {len(rows)} rows; row {which} is none of them.")
    return which, told


def _told_rows(change: Change) -> list[list[float]]:
    return [[row, *numbers] for row, numbers in change.rows.items()]


def _told(value: float | None) -> float | None:
    """Return a number as JSON can say it."""
    return None if value is None or not np.isfinite(value) else float(value)
