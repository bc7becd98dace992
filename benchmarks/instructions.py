"""Count the instructions of a training step with callgrind: the figure that noise does not touch.

    python benchmarks/instructions.py            print the counts beside those on record
    python benchmarks/instructions.py --check    exit status 1 if one has grown by more than 2 %
    python benchmarks/instructions.py --record   put them on record for this compiler

Counts depend on the compiler, so each has its own record. Valgrind knows no AVX-512; the builds for
AVX2 and for any machine are counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORD = Path(__file__).with_suffix(".json")
GROWTH = 1.02
WORKLOADS = {  # widths, rows of a batch
    "T": ("2-2-2", 1),
    "SC": ("24-8-2", 200),
    "S": ("64-32-10", 32),
    "M/8": ("98-64-32-10", 128),
}
BUILDS = {"avx2": ["-mavx2", "-mfma", "-mbmi2"], "portable": []}
FLAGS = ["-O3", "-std=c++20", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"]
STEPS = 40


def compiler() -> tuple[str, str]:
    """Return the C++ compiler and its name with version."""
    command = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++") or ""
    if not command:
        raise SystemExit("No C++ compiler was found; set CXX.")
    first = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"\d+\.\d+(\.\d+)?", first.stdout)
    name = "clang" if "clang" in first.stdout else "gcc"
    return command, f"{name} {version.group(0) if version else 'unknown'}"


def compile_workload(command: str, folder: Path) -> Path:
    """Compile the kernels and the workload; return the program."""
    native = ROOT / "native"
    objects = [
        (native / f"{name}.cpp", folder / f"{name}.o", ["-O2", "-std=c++20"])
        for name in ("trainer", "choice", "memory", "team", "team_size", "cpu_features")
    ]
    # what is linked and never run: all for AVX-512
    avx512 = ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mbmi2"]
    for build, flags in {**BUILDS, "avx512": avx512, "avx512bf16": avx512}.items():
        chosen = [*(FLAGS if build in BUILDS else ["-O0", "-std=c++20"]), *flags, "-Wno-psabi"]
        source = native / "builds" / f"{build}.cpp"
        objects.append((source, folder / f"{build}.o", chosen))
    own = Path(__file__).with_name("workload.cpp")
    objects.append((own, folder / "workload.o", ["-O2", "-std=c++20"]))
    for source, target, flags in objects:
        subprocess.run(
            [
                command,
                "-c",
                *flags,
                f"-I{native}",
                "-DDELTAPROP_X86_BUILDS",
                str(source),
                "-o",
                str(target),
            ],
            check=True,
        )
    program = folder / "workload"
    names = [str(target) for _, target, _ in objects]
    subprocess.run([command, "-o", str(program), *names, "-pthread"], check=True)
    return program


def instructions(program: Path, build: str, widths: str, batch: int, epochs: int) -> int:
    """Return how many instructions a run takes."""
    arguments = [build, widths, str(batch), str(batch * STEPS), str(epochs)]
    callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    ran = subprocess.run(
        [*callgrind, str(program), *arguments], capture_output=True, text=True, check=True
    )
    found = re.search(r"Collected : (\d+)", ran.stderr)
    if found is None:
        raise SystemExit(f"valgrind said nothing of its count: {ran.stderr[-500:]}")
    return int(found.group(1))


def measure(program: Path) -> dict[str, int]:
    """Return the instructions of a step, by workload and build; what a run takes anyway cancels."""
    counts = {}
    for name, (widths, batch) in WORKLOADS.items():
        for build in BUILDS:
            one, three = (instructions(program, build, widths, batch, n) for n in (1, 3))
            counts[f"{name} {build}"] = (three - one) // (2 * STEPS)
    return counts


def main() -> int:
    """Measure, print, and check or record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true")
    what.add_argument("--record", action="store_true")
    chosen = parser.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind was not found.")
    command, name = compiler()
    with tempfile.TemporaryDirectory() as folder:
        counts = measure(compile_workload(command, Path(folder)))
    records = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    known = records.get(name, {})
    grown = []
    print(f"Instructions of a training step, {name}")
    for workload, count in counts.items():
        before = known.get(workload)
        told = "not on record" if before is None else f"on record {before:,}, x{count / before:.3f}"
        print(f"  {workload:14}{count:12,}   {told}")
        if before is not None and count > before * GROWTH:
            grown.append(workload)
    if chosen.record:
        records[name] = counts
        RECORD.write_text(json.dumps(records, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if chosen.check and grown:
        print(f"More instructions than on record: {', '.join(grown)}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
