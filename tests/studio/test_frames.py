"""Messages with arrays: as they were sent, in Python and in the page; else they are refused."""

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.errors import DataError
from deltaprop.notation.page_script import one_script
from deltaprop.studio.frames import packed, unpacked

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
arrays = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.tuples(st.sampled_from(["<f8", "<f4", "<i4", "u1"]), st.integers(0, 9)).map(
        lambda given: np.arange(given[1]).astype(given[0])
    ),
    max_size=3,
)


@given(st.dictionaries(st.text("xyz", min_size=1), plain, max_size=3), arrays)
def test_a_message_is_read_as_it_was_written(message, sent):
    found, received = unpacked(packed(message, sent))
    assert found == message
    assert list(received) == list(sent)
    for name, array in sent.items():
        assert received[name].dtype == array.dtype
        np.testing.assert_array_equal(received[name], array)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_message_are_refused(data):
    with pytest.raises(DataError, match="no message"):
        unpacked(data)


@pytest.mark.parametrize(
    "told", [[["a", "f8", [9]]], [["a", "x4", [1]]], [["a", "f8", [-1]]], [["a", "f8", [2**70]]], 7]
)
def test_arrays_that_are_not_there_are_refused(told):
    text = json.dumps({"arrays": told}).encode()
    with pytest.raises(DataError):
        unpacked(len(text).to_bytes(4, "little") + text + bytes(16))


def test_the_page_writes_and_reads_them_alike(browser):
    script = one_script(files("deltaprop"), "studio/page/frames", "globalThis.frames_ = frames;")
    message = {"id": 3, "text": "δ = 1/3"}
    sent = {"x": np.array([0.1, -2.5]), "n": np.arange(3, dtype="<i4")}
    browser.get("about:blank")
    found = browser.execute_script(
        script
        + """
        const { message, arrays } = frames_.unpacked(Uint8Array.from(arguments[0]).buffer);
        const { arrays: told, ...rest } = message;
        const plain = Object.entries(arrays).map(([name, v]) => [name, Array.from(v)]);
        return [rest, Object.fromEntries(plain),
          Array.from(new Uint8Array(frames_.packed(rest, arrays)))];
        """,
        list(packed(message, sent)),
    )
    assert found[:2] == [message, {"x": [0.1, -2.5], "n": [0, 1, 2]}]
    again, arrays_again = unpacked(bytes(found[2]))
    assert again == message
    np.testing.assert_array_equal(arrays_again["x"], sent["x"])
