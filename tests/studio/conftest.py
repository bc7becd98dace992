"""The engine of the page, in Node and in a worker of Chromium: cases in, answers out."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import deltaprop
from deltaprop.studio.engine import engine_bytes, engine_script, packed_engine

PAGE = Path(deltaprop.__file__).parent / "studio" / "page"
ANSWERS = Path(__file__).parent / "answers.js"
MODULES_SINCE = (20, 19)  # Node knows a module by its text

IN_NODE = """
import {{ readFileSync }} from "node:fs";
import {{ loadEngine }} from "{page}/engine.js";
import {{ answersTo }} from "{answers}";
const engine = await loadEngine(readFileSync("{engine}"));
process.stdout.write(JSON.stringify(answersTo(engine, JSON.parse(readFileSync(0, "utf-8")))));
"""
IN_A_WORKER = """
onmessage = ({ data }) => begun.then((found) => postMessage(answersTo(found, data)));
"""
IN_A_PAGE = """
const worker = new Worker(URL.createObjectURL(new Blob([%s], { type: "text/javascript" })));
const say = (text) => { document.querySelector("pre").textContent = text; };
worker.onmessage = ({ data }) => say(JSON.stringify(data));
worker.onerror = ({ message }) => say(JSON.stringify(message));
worker.postMessage(%s);
"""
# what the studio's page has
POLICY = (
    "default-src 'none'; script-src 'sha256-{}' 'wasm-unsafe-eval'; worker-src blob:; "
    "connect-src 'none'; style-src 'unsafe-inline'; img-src data:"
)


def in_node(cases, _browser, _folder):
    node = shutil.which("node")
    told = (
        node
        and subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    )
    if not told or tuple(map(int, re.findall(r"\d+", told)[:2])) < MODULES_SINCE:
        pytest.skip("no Node that knows modules")
    program = IN_NODE.format(page=PAGE, answers=ANSWERS, engine=PAGE / "engine.wasm")
    ran = subprocess.run(
        [node, "--no-warnings", "--input-type=module", "-e", program],
        input=json.dumps(cases), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def in_chromium(cases, browser, folder):
    """Answer them in a worker of a page in one file, under the studio's policy."""
    function = re.sub(r"^export ", "", ANSWERS.read_text("utf-8"), flags=re.MULTILINE)
    begun = f"const begun = engine.engineBytes('{packed_engine()}').then(engine.loadEngine);"
    worker = engine_script(f"{function}\n{begun}\n{IN_A_WORKER}")
    script = (IN_A_PAGE % (json.dumps(worker), json.dumps(cases))).replace("</", "<\\/")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    path = folder / "page.html"
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{POLICY.format(digest)}"><pre></pre><script>{script}</script>',
        encoding="utf-8",
    )
    browser.get(path.as_uri())
    said, until = browser.find_element("css selector", "pre"), time.monotonic() + 120
    while not (text := said.get_attribute("textContent")) and time.monotonic() < until:
        time.sleep(0.02)
    answers = json.loads(text)
    assert isinstance(answers, list), answers
    return answers


HOSTS = {"node": in_node, "chromium": in_chromium}


@pytest.fixture(scope="session")
def ask(request, tmp_path_factory):
    """Return what answers cases, in the first host there is, or in one that is named."""
    if engine_bytes() is None:
        pytest.skip("the engine of the page was not built: make wasm")

    def answers(cases, host=None):
        if host is None:
            host = "node" if shutil.which("node") else "chromium"
        browser = request.getfixturevalue("browser") if host == "chromium" else None
        return HOSTS[host](cases, browser, tmp_path_factory.mktemp("page"))

    return answers
