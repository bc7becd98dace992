"""Pieces of a program, run in one process: its imports are paid for once."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys, traceback
beginning, parts = json.load(open(sys.argv[1], encoding="utf-8"))
for name, code in parts.items():
    there = {"__name__": "__main__", "__file__": __file__}
    try:
        exec(compile(beginning + code, __file__, "exec"), there)
    except BaseException:
        print(name, "went wrong:", file=sys.stderr)
        traceback.print_exc()
    else:
        print("ended well:", name, flush=True)
"""


def run_parts(folder, parts, beginning="", options=(), environment=None):
    """Run each part behind the same beginning, in names of its own; what fails stops no other."""
    (folder / "parts.json").write_text(json.dumps([beginning, parts]), encoding="utf-8")
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, *options, folder / "program.py", folder / "parts.json"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=500, check=False,
        env=environment,
    )  # fmt: skip


def assert_ended_well(done, part):
    """Hold that a part came to its end."""
    assert done.returncode == 0, done.stderr[-9000:]
    assert f"ended well: {part}" in done.stdout.splitlines(), done.stderr[-9000:]
