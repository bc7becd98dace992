"""The engine of the page, in Node and in a worker of Chromium: cases in, answers out."""

import base64
import hashlib
import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from deltaprop.notation.page_script import one_script
from deltaprop.studio.engine import engine_bytes, packed_engine
from deltaprop.studio.page import studio_page
from helpers.practising import page_marking
from helpers.studio_modules import PAGE, a_node
from helpers.studio_page import serving, visiting

ANSWERS = Path(__file__).parent / "answers.js"

IN_NODE = """
import {{ readFileSync }} from "node:fs";
import {{ createInterface }} from "node:readline";
import {{ loadEngine }} from "{page}/engine.js";
import {{ answersTo }} from "{answers}";
const engine = await loadEngine(readFileSync(new URL("{page}/engine.wasm")));
function answer(line) {{
  try {{
    return answersTo(engine, JSON.parse(line));
  }} catch (error) {{
    return String(error.stack);
  }}
}}
for await (const line of createInterface({{ input: process.stdin }})) {{
  console.log(JSON.stringify(answer(line)));
}}
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


@pytest.fixture(scope="session")
def node():
    """Return a process that answers a line of cases with a line of answers."""
    if a_node() is None:
        pytest.skip("no Node that knows modules")
    script = IN_NODE.format(page=PAGE.as_uri(), answers=ANSWERS.as_uri())
    with subprocess.Popen(
        [a_node(), "--no-warnings", "--input-type=module", "-e", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        yield process
        process.stdin.close()


def in_node(cases, node, _folder):
    print(json.dumps(cases), file=node.stdin, flush=True)
    return json.loads(node.stdout.readline())


def in_chromium(cases, browser, folder):
    """Answer them in a worker of a page in one file, under the studio's policy."""
    function = re.sub(r"^export ", "", ANSWERS.read_text("utf-8"), flags=re.MULTILINE)
    begun = f"const begun = engine.engineBytes('{packed_engine()}').then(engine.loadEngine);"
    worker = one_script(PAGE, "engine", f"{function}\n{begun}\n{IN_A_WORKER}")
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
    return json.loads(text)


HOSTS = {"node": ("node", in_node), "chromium": ("browser", in_chromium)}


@pytest.fixture(scope="session")
def ask(request, tmp_path_factory):
    """Return what answers cases, in the first host there is, or in one that is named."""
    if engine_bytes() is None:
        pytest.skip("the engine of the page was not built: make wasm")

    def answers(cases, host=None):
        fixture, answered = HOSTS[host or ("node" if a_node() else "chromium")]
        found = answered(cases, request.getfixturevalue(fixture), tmp_path_factory.mktemp("page"))
        assert isinstance(found, list), found
        return found

    return answers


@pytest.fixture(scope="session")
def ask_marking(tmp_path_factory):
    """Return what asks the page's marking, in Node."""
    if a_node() is None:
        pytest.skip("no Node that knows modules")
    with page_marking(a_node(), tmp_path_factory.mktemp("practise")) as asking:
        yield asking


@pytest.fixture(scope="session")
def page_in_one_file(tmp_path_factory):
    if engine_bytes() is None:
        pytest.skip("the engine of the page was not built: make wasm")
    folder = tmp_path_factory.mktemp("studio")
    for language in ("en", "zh"):
        text = studio_page(language)
        (folder / f"{language}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def served():
    with serving() as address:
        yield address


# each test is tried at one of the doors, chosen by its name; at both with the slow ones
@pytest.fixture(params=[pytest.param(d, marks=pytest.mark.either) for d in ("page", "server")])
def studio(request, browser):
    if request.param == "page":
        folder = request.getfixturevalue("page_in_one_file")
        base = (folder / "en.html").as_uri()
    else:
        base = request.getfixturevalue("served")
    with visiting(browser) as visit:
        yield lambda address="": visit(f"{base}#{address}")
