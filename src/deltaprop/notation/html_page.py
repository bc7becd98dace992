"""One page of HTML that needs nothing else: what all pages of deltaprop begin and end with.

Nothing is loaded and nothing runs but what stands in the page: its policy names the digests of its
style and its script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable

from deltaprop._version import __version__

__all__ = ["html_page", "json_in_html", "language_tag"]

_TAGS = {"en": "en", "zh": "zh-Hans"}


def language_tag(language: str) -> str:
    """Return the tag of a language for ``lang``: "zh-Hans" for "zh"."""
    return _TAGS.get(language, language)


def html_page(
    title: str,
    body: Iterable[str],
    *,
    language: str,
    style: str,
    script: str = "",
    kind: str = "",
    scripts_may: str = "",
    policy: str = "",
) -> str:
    """Return a page: its title and the lines of its body as HTML, its style sheet and its script.

    ``kind`` are the classes of the body, which the style sheet goes by. ``scripts_may`` is what
    the policy lets scripts do besides, and ``policy`` what else it allows.
    """
    may = [_digest(script), *scripts_may.split()]
    runs = f"script-src {' '.join(may)}; " if script else ""
    whole = (
        f"default-src 'none'; style-src {_digest(style)}; {runs}{policy}base-uri 'none'; "
        "form-action 'none'"
    )
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{language_tag(language)}">',
        '<head><meta charset="utf-8"/>',
        f'<meta http-equiv="Content-Security-Policy" content="{whole}"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        '<meta name="color-scheme" content="light dark"/>',
        f'<meta name="generator" content="deltaprop {__version__}"/>',
        f"<title>{title}</title>",
        f"<style>{style}</style></head>",
        f'<body class="{kind}">' if kind else "<body>",
        *body,
        *([f"<script>{script}</script>"] if script else []),
        "</body></html>\n",
    ]
    return "\n".join(lines)


def json_in_html(data: object) -> str:
    """Return data as JSON that may stand in a page: nothing in it ends its element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
