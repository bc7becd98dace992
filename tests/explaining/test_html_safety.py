"""What a page lets nobody do: names are text, nothing is fetched; and it can be read."""

import base64
import hashlib
import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.explaining.renderers.html import page as html
from helpers.explained import tutorial
from helpers.pages import HOSTILE, Document, render


def hostile(rng):
    network = dp.Network([2, 3, 2], "tanh")
    names = Names(HOSTILE, (HOSTILE, "javascript:alert(3)"), (HOSTILE, "--><b>"))
    return dp.explain(network, network.init(rng), rng.normal(size=(2, 2)), [0, 1], names=names)


def test_names_are_text_and_nothing_else(rng):
    plain = dp.Network([2, 3, 2], "tanh")
    harmless = dp.explain(plain, plain.init(rng), rng.normal(size=(2, 2)), [0, 1])
    document, other = Document(render(hostile(rng))), Document(render(harmless))
    tags = {element.tag for element in document.root.iter()}
    assert "img" not in tags
    assert not [e for e in document.root.iter() if any(k.startswith("on") for k in e.attrib)]
    count = [sum(e.tag == "script" for e in d.root.iter()) for d in (document, other)]
    assert count == [2, 2]  # the one that runs, and the data of the step
    assert "alert(1)" in "".join(document.root.itertext())
    assert "\x00" not in render(hostile(rng))
    assert "\x1b" not in render(hostile(rng))


def test_nothing_outside_is_asked_for(rng):
    for text in (render(tutorial()), render(hostile(rng), language="zh")):
        document = Document(text)
        for element in document.root.iter():
            assert not {"src", "srcset", "action", "style", "poster", "data"} & set(element.attrib)
            assert element.get("href", "#").startswith("#")
        assert set(re.findall(r"https?://[^\"'\s<]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert "url(" not in text
        assert "@import" not in text
        for call in ("fetch(", "XMLHttpRequest", "import(", "eval(", "innerHTML", "WebSocket"):
            assert call not in text


def test_only_the_own_script_and_style_may_run(rng):
    text = render(hostile(rng))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("asset", ["page.css", "network.css"])
def test_text_stands_out_from_every_ground_it_stands_on(asset, theme):
    colors = {}
    for sheet in ("colours.css", asset):
        block = html._asset(sheet).split("@media")[theme]
        colors |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    grounds = [colors[g] for g in ("paper", "sheet", "card", "lit", "current") if g in colors]
    texts = ("ink", "positive", "negative") + (
        ("muted", "gradient") if asset == "network.css" else ()
    )
    pairs = [(text, ground) for text in texts for ground in grounds]
    pairs += [(text, colors["paper"]) for text in ("muted", "gradient")]
    if asset == "page.css":
        pairs += [(t, colors[g]) for t in ("muted", "right", "wrong") for g in ("sheet", "current")]
        pairs += [("on-accent", colors["accent"]), ("accent", colors["sheet"])]
    for text, ground in pairs:
        light, dark = sorted((luminance(colors[text]), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
