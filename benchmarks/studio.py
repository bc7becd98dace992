"""What the studio's page is like to use, in both doors: how soon it is there, how fast, how even.

python benchmarks/studio.py                print the table
python benchmarks/studio.py --minutes 10   and how memory grows over so long a run
python benchmarks/studio.py --write        put it into docs/performance.md

It needs make wasm, selenium, Chromium and its driver. Each door has browsers of its own; with
``--door page`` or ``--door server`` one of them is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import HERE, alone, machine_sentence, write_part

from deltaprop.benchmark.machine import describe_machine
from deltaprop.studio.page import studio_page

OPENINGS = 7  # of which the median is told
RUN_SECONDS = 60
# 2-8-8-3 in batches of 32; 1,600 points, none held out, in batches of 3 would be slow to draw
USUAL = ""
PENGUINS = HERE.parent / "examples" / "data" / "penguins.csv"
FAR_BACK = (
    "data-n=2000&held=0&batchSize=4"  # an epoch of 500 steps, which "one epoch back" goes back
)
WATCH = """
globalThis.seen = { frames: 0, gaps: [], long: [], last: 0 };
const tick = (now) => {
  if (seen.last) seen.gaps.push(now - seen.last);
  seen.last = now;
  seen.frames += 1;
  requestAnimationFrame(tick);
};
requestAnimationFrame(tick);
new PerformanceObserver((list) => seen.long.push(...list.getEntries().map((each) => each.duration)))
  .observe({ type: "longtask" });
"""
BEGUN = "return performance.getEntriesByName('first frame').length"
BACK = """
const done = arguments[arguments.length - 1];
const step = () => Number(document.getElementById("step").textContent);
const from = step();
const began = performance.now();
const look = () =>
  step() === from - 500 ? done(performance.now() - began) : requestAnimationFrame(look);
document.getElementById("epoch back").click();
look();
"""


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Start a Chromium of its own."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1280,900"):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as started:
        started.set_script_timeout(120)
        yield started


@contextlib.contextmanager
def door_of_page() -> Iterator[tuple[str, int | None]]:
    """Write the page to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studio.html"
        path.write_text(studio_page(), encoding="utf-8")
        yield path.as_uri(), None


@contextlib.contextmanager
def door_of_server(*data: str) -> Iterator[tuple[str, int | None]]:
    """Start the server as a user does, perhaps with a table."""
    words = [sys.executable, "-m", "deltaprop", "studio", *data, "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.pid
        process.terminate()


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("The page does not get there.")
        time.sleep(0.02)


def text_of(driver: Any, name: str) -> str:
    """Return what an element of the page says."""
    found: str = driver.execute_script(
        "return document.getElementById(arguments[0])?.textContent ?? ''", name
    )
    return found


def press(driver: Any, name: str) -> None:
    """Press a button."""
    driver.execute_script("document.getElementById(arguments[0]).click()", name)


def open_page(driver: Any, address: str) -> dict[str, float]:
    """Open the page; return when it was painted, its engine ready, its first frame drawn, in ms."""
    driver.get("about:blank")
    driver.get(address)
    until(lambda: driver.execute_script(BEGUN))
    found: dict[str, float] = driver.execute_script(
        "return Object.fromEntries(performance.getEntries().filter((e) => "
        "['first-contentful-paint', 'engine ready', 'first frame'].includes(e.name))"
        ".map((e) => [e.name, e.startTime]))"
    )
    return found


def run(driver: Any, seconds: float) -> dict[str, float]:
    """Let it play; return steps and frames a second, the median gap and the longest task, in ms."""
    driver.execute_script(WATCH)
    press(driver, "play")
    time.sleep(2)  # until it has found its pace
    began, first = time.monotonic(), int(text_of(driver, "step"))
    driver.execute_script("Object.assign(seen, { frames: 0, gaps: [], long: [] })")
    time.sleep(seconds)
    seen = driver.execute_script("return seen")
    took, steps = time.monotonic() - began, int(text_of(driver, "step")) - first
    press(driver, "pause")
    return {
        "steps": steps / took, "frames": seen["frames"] / took,
        "gap": statistics.median(seen["gaps"]), "longest": max(seen["long"], default=0.0),
    }  # fmt: skip


def back(driver: Any, address: str) -> float:
    """Return how long 500 steps back take until the page shows it, in ms."""
    open_page(driver, address)
    press(driver, "one epoch")
    until(lambda: text_of(driver, "step") == "500")
    found = []
    for _ in range(5):
        press(driver, "one epoch")
        until(lambda: text_of(driver, "step") == "1000")
        found.append(driver.execute_async_script(BACK))
    return statistics.median(found)


def memory(driver: Any, server: int | None) -> tuple[float, float]:
    """Return what the page's objects take, and the server, in MB."""
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    driver.execute_cdp_cmd("Performance.enable", {})
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    (heap,) = (each["value"] for each in metrics if each["name"] == "JSHeapUsedSize")
    own = Path(f"/proc/{server}/statm")
    return heap / 1e6, int(own.read_text().split()[1]) * 4096 / 1e6 if server else 0.0


def growth(driver: Any, address: str, server: int | None, minutes: float) -> tuple[float, float]:
    """Return by how many MB in ten minutes page and server grow, after a first minute."""
    open_page(driver, address)
    press(driver, "play")
    time.sleep(60)
    seen, end = [], time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        seen.append((time.monotonic() / 600, *memory(driver, server)))
        time.sleep(5)
    press(driver, "pause")
    at, page, own = np.array(seen).T
    return float(np.polyfit(at, page, 1)[0]), float(np.polyfit(at, own, 1)[0])


def penguins(driver: Any) -> float:
    """Return the seconds from the command with a table to regions that move, by one click."""
    began = time.monotonic()
    with door_of_server(str(PENGUINS)) as (address, _):
        open_page(driver, address)
        press(driver, "play")
        until(lambda: int(text_of(driver, "step")) > 20)
        return time.monotonic() - began


def requests(driver: Any) -> int:
    """Return how many requests leave the page and its server."""
    told = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [each["params"] for each in told if each["method"] == "Network.requestWillBeSent"]
    own = ("file:", "blob:", "data:", "http://127.0.0.1")
    return sum(not each["request"]["url"].startswith(own) for each in asked)


class Rows:
    """What was measured, line by line."""

    def __init__(self, title: str) -> None:
        self.lines = ["", f"| {title} | measured | goal |", "|---|---|---|"]

    def add(self, what: str, value: float, goal: float, form: str, least: bool = False) -> None:
        """Add a value; it is to be at most the goal, or at least."""
        met = value >= goal if least else value <= goal
        told = f"{form.format(goal)}: {'met' if met else 'missed'}"
        self.lines.append(f"| {what} | {form.format(value)} | {told} |")


def measured(name: str, minutes: float) -> list[str]:
    """Return the table of a door."""
    door, title = {
        "page": (door_of_page, "engine in the page, from file://"),
        "server": (door_of_server, "engine at the server"),
    }[name]
    rows = Rows(title)
    with door() as (address, server):
        if server is None:
            packed = len(gzip.compress(studio_page().encode(), 9)) / 1000
            rows.add("the page in one file, gzipped, kB", packed, 400, "{:.0f}")
        opened = []
        for _ in range(OPENINGS):
            with browser() as driver:
                opened.append(open_page(driver, address))
                asked = requests(driver)
        rows.add("requests that leave it", asked, 0, "{:.0f}")
        for what, goal in (("first-contentful-paint", 300), ("first frame", 500)):
            took = statistics.median(each[what] for each in opened)
            rows.add(f"{what.replace('-', ' ')}, ms", took, goal, "{:.0f}")
        took = statistics.median(each["engine ready"] for each in opened)
        rows.add("engine ready, from the page's begin, ms", took, 150, "{:.0f}")
        with browser() as driver:
            open_page(driver, address)
            found = run(driver, RUN_SECONDS)
            what = "2-8-8-3 in batches of 32: steps a second"
            rows.add(what, found["steps"], 50_000, "{:,.0f}", least=True)
            rows.add("frames a second meanwhile", found["frames"], 55, "{:.1f}", least=True)
            rows.add("median gap between frames, ms", found["gap"], 17, "{:.1f}")
            rows.add(f"longest task in {RUN_SECONDS} s, ms", found["longest"], 50, "{:.0f}")
            took = back(driver, f"{address}#{FAR_BACK}")
            rows.add("500 steps back, until they are shown, ms", took, 50, "{:.0f}")
            if server:
                what = "deltaprop studio penguins.csv until its regions move, s"
                rows.add(what, penguins(driver), 5, "{:.1f}")
            if minutes:
                grown = growth(driver, address, server, minutes)
                for whose, by in zip(("page", "server"), grown, strict=True):
                    if whose == "page" or server:
                        what = f"the {whose}'s memory in {minutes:.0f} minutes, MB in ten"
                        rows.add(what, by, 1, "{:.2f}")
    return rows.lines


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--door", choices=("page", "server", "both"), default="both")
    parser.add_argument("--minutes", type=float, default=0.0, help="that memory is watched")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    doors = ("page", "server") if options.door == "both" else (options.door,)
    with alone():
        with browser() as driver:
            versions = {"Chromium": driver.capabilities["browserVersion"]}
        sentence = machine_sentence(describe_machine(), versions)
        lines = [line for name in doors for line in measured(name, options.minutes)]
    text = "\n".join([sentence, *lines])
    print(text)
    if options.write:
        write_part("studio", text)


if __name__ == "__main__":
    main()
