"""Train 784-128-10 on Fashion-MNIST in the studio's server: how smooth is the page, what grows.

    python benchmarks/studio_fashion.py [SECONDS]     (60 if left out; needs selenium and Chromium)

It makes a table of the images, as a CSV of 785 columns, sends it through the page, plays, and
prints every ten seconds: frames a second, the longest task of the page, steps a second, and the
memory of page and server.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
IMAGES = Path(os.environ.get("DELTAPROP_SHARED", ROOT.parent / "shared")) / "data/fashion-mnist"
SETUP = "layers=128-relu&learningRate=0.001&batchSize=64&held=0.1"
WATCH = """
window.frames_ = 0; window.longest_ = 0;
const count = () => { window.frames_ += 1; requestAnimationFrame(count); };
requestAnimationFrame(count);
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.longest_ = Math.max(window.longest_, one.duration);
}).observe({ type: "longtask" });
"""
READ = """
const found = [window.frames_, window.longest_, performance.memory?.usedJSHeapSize ?? 0,
  document.getElementById("step").textContent, document.getElementById("right").textContent];
window.frames_ = 0; window.longest_ = 0;
return found;
"""


def table(path: Path) -> None:
    """Write the training images with their labels as CSV."""
    from deltaprop.tabular import load_dataset

    data = load_dataset(
        IMAGES / "train-images-idx3-ubyte.gz", IMAGES / "train-labels-idx1-ubyte.gz"
    )
    pixels = np.asarray(data.features).reshape(data.n_rows, -1)
    head = ",".join([*(f"pixel{i}" for i in range(pixels.shape[1])), "label"])
    rows = np.column_stack([pixels, data.target])
    with path.open("w", encoding="ascii") as file:
        file.write(head + "\n")
        for row in rows:
            file.write(",".join(map(str, row.tolist())) + "\n")


def memory_of(pid: int) -> float:
    """Return how many MB a process holds."""
    status = Path(f"/proc/{pid}/statm").read_text()
    return int(status.split()[1]) * resource.getpagesize() / 1e6


def main() -> None:
    """Run it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "fashion.csv"
        table(path)
        print(f"the table: {path.stat().st_size / 1e6:.0f} MB")
        server = subprocess.Popen(
            [sys.executable, "-m", "deltaprop", "studio", "--no-browser"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        options = Options()
        options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,900",
                         "--enable-precise-memory-info"):  # fmt: skip
            options.add_argument(argument)
        driver = os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")
        browser = webdriver.Chrome(options=options, service=Service(driver))
        browser.set_script_timeout(300)
        try:
            browser.get(f"{address}#{SETUP}")
            time.sleep(3)
            browser.execute_script(WATCH)
            began = time.monotonic()
            browser.find_element("id", "own-file").send_keys(str(path))
            while not browser.find_elements("css selector", ".sample-picture"):
                time.sleep(0.1)
                assert time.monotonic() - began < 600
            print(f"opened in {time.monotonic() - began:.1f} s")
            time.sleep(2)
            longest = browser.execute_script(READ)[1]
            print(f"longest task while it was opened: {longest:.0f} ms")
            browser.execute_script("document.getElementById('play').click()")
            time.sleep(1)
            browser.execute_script(READ)
            before = 0
            print("  s  frames/s  longest ms  steps/s  right   page MB  server MB")
            for k in range(max(1, seconds // 10)):
                at = time.monotonic()
                time.sleep(10)
                took = time.monotonic() - at
                frames, longest, heap, step, right = browser.execute_script(READ)
                rate = (int(step) - before) / took
                before = int(step)
                print(
                    f"{10 * (k + 1):3d}  {frames / took:8.1f}  {longest:10.0f}  {rate:7.0f}  "
                    f"{right:>7} {heap / 1e6:8.1f}  {memory_of(server.pid):9.0f}", flush=True,
                )  # fmt: skip
            browser.save_screenshot("/tmp/studio_fashion.png")
        finally:
            browser.quit()
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    main()
