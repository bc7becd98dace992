"""How fast the engine of the page is, and how large: the kernels as WebAssembly, in Node.

Processor time of its one thread; where much else runs, caches are shared and it is still slower.

python benchmarks/wasm.py            print the table (needs make wasm, and Node)
python benchmarks/wasm.py --write    put it into docs/performance.md
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
from typing import Any

import numpy as np
from common import HERE, alone, machine_sentence, write_part

import deltaprop as dp
from deltaprop.benchmark.machine import describe_machine
from deltaprop.studio.engine import NO_ENGINE, description, engine_bytes, packed_engine

PAGE = HERE.parent / "src" / "deltaprop" / "studio" / "page"
NETWORKS = {"2-8-8-3": ([2, 8, 8, 3], 512), "64-32-10": ([64, 32, 10], 1792)}
BATCH, REPEATS, GOAL = 32, 31, 50_000


def problem(sizes: list[int], n: int) -> dict[str, Any]:
    """Return a network in batches of 32 with random rows, and how many steps are timed at once."""
    rng = np.random.default_rng(0)
    network = dp.Network(sizes, "tanh")
    return {
        "description": description(network, dp.Adam(), batch_size=BATCH),
        "parameters": network.init(rng).flat.tolist(),
        "x": rng.normal(size=(n, sizes[0])).tolist(),
        "labels": rng.integers(0, sizes[-1], n).tolist(),
        "steps": 20 * n // BATCH,
    }


def measured(node: str) -> dict[str, Any]:
    """Run all of it in a process of Node."""
    spec = {"repeats": REPEATS, "networks": [problem(*each) for each in NETWORKS.values()]}
    words = [node, "--no-warnings", str(HERE / "wasm.mjs"), str(PAGE)]
    ran = subprocess.run(words, input=json.dumps(spec), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def table(found: dict[str, Any], content: bytes) -> str:
    """Return what was found, as Markdown."""
    lines = ["| what | best | median | goal |", "|---|---|---|---|"]
    for name, each in zip(NETWORKS, found["networks"], strict=True):
        best, median = (1000 * each["steps"] / each[which] for which in ("best", "median"))
        met = f"{GOAL:,}: {'met' if median >= GOAL else 'missed'}" if name == "2-8-8-3" else "-"
        what = f"{name}, batches of {BATCH}, Adam: steps a second"
        lines.append(f"| {what} | {best:,.0f} | {median:,.0f} | {met} |")
    for what, key, goal in (
        ("the outputs on 100 x 100 points, ms", "field", None),
        ("a of all 19 neurons on 100 x 100 points, ms", "everyNeuron", None),
        ("the trace of a step, ms", "trace", None),
        ("500 steps again from a snapshot, to the same bits, ms", "back", 50),
    ):
        best, median = found[key]["best"], found[key]["median"]
        met = "-" if goal is None else f"{goal}: {'met' if median < goal else 'missed'}"
        lines.append(f"| 2-8-8-3: {what} | {best:.2f} | {median:.2f} | {met} |")
    lines.append(f"| compiled and ready, ms | {found['ready']:.1f} | - | 150 |")
    packed, in_page = len(gzip.compress(content, 9)), len(packed_engine())
    sizes = (
        f"`engine.wasm` has {len(content) / 1000:.0f} kB, {packed / 1000:.0f} kB gzipped, and "
        f"{in_page / 1000:.0f} kB as base64 in a page of one file. All of it had "
        f"{found['memory'] / 1e6:.1f} MB of memory at the end."
    )
    return "\n".join(lines) + f"\n\n{sizes}"


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    node, content = shutil.which("node"), engine_bytes()
    if node is None or content is None:
        raise SystemExit("This needs Node." if node is None else NO_ENGINE)
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    with alone():
        sentence = machine_sentence(describe_machine(), {"Node": version.strip()})
        text = f"{sentence}\n\n{table(measured(node), content)}"
    print(text)
    if options.write:
        write_part("wasm", text)


if __name__ == "__main__":
    main()
