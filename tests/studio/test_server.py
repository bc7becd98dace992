"""Nobody gets in: the server is for whoever has its address, on this computer, in its own page."""

import http.client
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import numpy as np
import pytest

from deltaprop.studio.engine import engine_bytes
from deltaprop.studio.frames import packed, unpacked

server = pytest.importorskip("deltaprop.studio.server")
client = pytest.importorskip("websockets.sync.client")
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402


@pytest.fixture(scope="module")
def address(served):
    return urlsplit(served)


def asked(address, path="/?{query}", **headers):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.request("GET", path.format(query=address.query), headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def socket_at(address, query=None, origin=None, **settings):
    own = f"http://{address.netloc}"
    return client.connect(
        f"ws://{address.netloc}/run?{address.query if query is None else query}",
        origin=own if origin is None else origin, proxy=None, **settings,
    )  # fmt: skip


def test_the_page_comes_with_its_address_and_may_be_kept_by_nobody(address):
    answer, body = asked(address)
    assert answer.status == 200
    assert b'id="studio"' in body
    assert answer.getheader("cache-control") == "no-store"
    assert answer.getheader("x-frame-options") == "DENY"
    assert b"default-src 'none'" in body
    assert b"unsafe-inline" not in body.split(b"<title>")[0]


def test_the_page_with_the_engine_comes_as_safely_for_whoever_takes_a_run_away(address):
    answer, body = asked(address, "/page?{query}")
    if engine_bytes() is None:
        assert answer.status == 404
        assert b"make wasm" in body
    else:
        assert answer.status == 200
        assert b'id="kernels"' in body
    assert answer.getheader("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/page", {}),
        ("/page?token=guess", {}),
        ("/?token=", {}),
        ("/?token=guess", {}),
        ("/?token=%C3%BC", {}),
        ("/?{query}x", {}),
        ("/?{query}", {"Host": "evil.example"}),
        ("/?{query}", {"Host": "127.0.0.1:1"}),
        ("/?{query}", {"Host": "127.0.0.1.evil.example"}),
    ],
)
def test_without_it_nothing_comes(address, path, headers):
    answer, body = asked(address, path, **headers)
    assert answer.status == 403
    assert len(body) < 100


@pytest.mark.parametrize("path", ["/../etc/passwd?{query}", "/run?{query}", "/page/engine.wasm"])
def test_there_is_nothing_else(address, path):
    answer, _ = asked(address, path)
    assert answer.status == 404


@pytest.mark.parametrize(
    ("query", "origin"),
    [
        ("token=guess", None),
        (None, "http://evil.example"),
        (None, "null"),
        (None, ""),
        (None, "https://127.0.0.1"),
    ],
)
def test_a_page_of_somebody_elses_opens_no_run(address, query, origin):
    with pytest.raises(InvalidStatus) as refused:
        socket_at(address, query, origin)
    assert refused.value.response.status_code == 403


def test_it_listens_to_this_computer_alone(address):
    hostname = socket.gethostbyname(socket.gethostname())
    if hostname.startswith("127."):
        pytest.skip("this computer has no address but its own")
    with socket.socket() as other:
        other.settimeout(5)
        assert other.connect_ex((hostname, address.port)) != 0


def answer_to(run, kind, plain, **arrays):
    run.send(packed({"id": 1, "kind": kind, "asked": plain}, arrays))
    return unpacked(run.recv(timeout=30))


def test_garbage_is_refused_and_the_run_goes_on(address):
    with socket_at(address) as run:
        for data in (b"", b"\xff" * 40, packed({"id": "x"}), packed({"kind": "begin"})):
            run.send(data)
            message, _ = unpacked(run.recv(timeout=30))
            assert message["refused"]
        for path in ("/etc/passwd", "file:///etc/passwd"):
            message, _ = answer_to(run, "open", {"path": path})
            assert "does not know" in message["refused"]
        message, _ = answer_to(run, "frame", {"since": 0})
        assert message["refused"] == "There is no network yet."


def test_text_ends_a_run_and_no_other(address):
    with socket_at(address) as one, socket_at(address) as other:
        one.send("text")
        with pytest.raises(ConnectionClosed):
            one.recv(timeout=30)
        assert answer_to(other, "go", {"steps": 1})[0]["refused"]


def test_two_pages_have_runs_of_their_own(address):
    plan = {
        "sizes": [2, 2], "activations": [], "loss": "cross_entropy", "l2": 0, "l1": 0,
        "optimizer": {"name": "gradient_descent"}, "learningRate": 0.1, "batchSize": 2, "seed": 0,
    }  # fmt: skip
    rows = {"x": np.ones(8), "labels": np.array([0, 1, 0, 1], np.int32), "parameters": np.zeros(6)}
    with socket_at(address) as one, socket_at(address) as other:
        for run in (one, other):
            assert answer_to(run, "begin", {"plan": plan}, **rows)[0]["answer"] == {"parameters": 6}
        answer_to(one, "go", {"steps": 3})
        frames = [answer_to(run, "frame", {"since": -1})[0]["answer"] for run in (one, other)]
    assert [frame["step"] for frame in frames] == [3, 0]


def test_the_command_says_its_address_and_ends_with_ctrl_c():
    with subprocess.Popen(
        [sys.executable, "-m", "deltaprop", "studio", "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        late = threading.Timer(60, process.kill)  # a test that fails ends, too
        late.start()
        said = process.stdout.readline()
        process.send_signal(2)
        _, remark = process.communicate()
        late.cancel()
    assert said.startswith("http://127.0.0.1:")
    assert "Ctrl-C" in remark
    assert "Traceback" not in remark
    assert process.returncode == 0


def test_a_port_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = subprocess.run(
            [sys.executable, "-m", "deltaprop", "studio", "--no-browser", "--port", port],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ran.returncode == 2
    assert port in ran.stderr
    assert "Traceback" not in ran.stderr
