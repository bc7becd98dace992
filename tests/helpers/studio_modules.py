"""The modules of the studio's page, in a Node."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

import deltaprop
from deltaprop.studio.engine import engine_bytes
from deltaprop.studio.page import studio_page

PAGE = Path(deltaprop.__file__).parent / "studio" / "page"
_MODULES_SINCE = (20, 19)  # Node knows a module by its text
# a document that has the facts of the page and nothing else
_BEFORE = """
import { readFileSync } from "node:fs";
const given = JSON.parse(readFileSync(0, "utf8"));
globalThis.document = { getElementById: () => ({ textContent: JSON.stringify(given.facts) }) };
globalThis.location = { hash: "" };
const of = (name) => import(`${given.page}/${name}.js`);
const bytes = () => readFileSync(new URL(`${given.page}/engine.wasm`));
"""


@cache
def a_node():
    """Return the path of a Node that knows modules, or None."""
    program = shutil.which("node")
    if program is None:
        return None
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = tuple(map(int, re.findall(r"\d+", told.stdout)[:2]))
    return program if version >= _MODULES_SINCE else None


def answer_of_modules(script, **given):
    """Return what a script logs as JSON: `await of("setup")` is a module, `given` what it gets."""
    if engine_bytes() is None or a_node() is None:
        pytest.skip("no engine of the page, or no Node to run it")
    page = studio_page()
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', page, re.DOTALL)[1])
    done = subprocess.run(
        [a_node(), "--no-warnings", "--input-type=module", "-e", _BEFORE + script],
        input=json.dumps({"facts": facts, "page": PAGE.as_uri(), **given}), capture_output=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
