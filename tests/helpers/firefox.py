"""Firefox, without a driver: it speaks WebDriver BiDi (w3c.github.io/webdriver-bidi) itself."""

import contextlib
import json
import re
import shutil
import subprocess
import time

PROGRAMS = ("firefox", "firefox-esr")


class Firefox:
    """One page of it."""

    def __init__(self, socket):
        self._socket, self._asked = socket, 0
        self._ask("session.new", capabilities={})
        self._page = self._ask("browsingContext.create", type="tab")["context"]

    def _ask(self, method, **params):
        self._asked += 1
        self._socket.send(json.dumps({"id": self._asked, "method": method, "params": params}))
        while (found := json.loads(self._socket.recv(timeout=60))).get("id") != self._asked:
            pass  # what it tells besides
        assert found["type"] == "success", found
        return found["result"]

    def visit(self, address):
        self._ask("browsingContext.navigate", context=self._page, url=address, wait="complete")

    def run(self, expression):
        """Return what a text of JavaScript comes to: a text, a number, or nothing."""
        target = {"context": self._page}
        found = self._ask(
            "script.evaluate", expression=expression, target=target, awaitPromise=True
        )
        assert found["type"] == "success", found
        return found["result"].get("value")

    def until(self, expression, seconds=60):
        end = time.monotonic() + seconds
        while not self.run(expression):
            assert time.monotonic() < end, expression
            time.sleep(0.05)


@contextlib.contextmanager
def started(folder):
    """Start it with a profile of its own; None where there is none."""
    from websockets.sync.client import connect

    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        yield None
        return
    words = [program, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", folder]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr.readline, "")
            found = (re.search(r"BiDi listening on (ws://\S+)", line) for line in lines)
            address = next(filter(None, found))[1]
            with connect(f"{address}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
            process.communicate(timeout=30)
