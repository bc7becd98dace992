"""Check that README.md and README.zh-CN.md have the same headings and the same code blocks."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def outline(text: str) -> tuple[list[int], list[str]]:
    """Split Markdown into the levels of its headings and its fenced code blocks."""
    levels: list[int] = []
    blocks: list[str] = []
    fence = ""
    block: list[str] = []
    for line in text.splitlines():
        marker = line.strip()
        if fence:
            block.append(line)
            if marker == fence:
                blocks.append("\n".join(block))
                fence = ""
        elif marker.startswith(("```", "~~~")):
            fence = marker[: len(marker) - len(marker.lstrip(marker[0]))]
            block = [line]
        elif line.startswith("#"):
            levels.append(len(line) - len(line.lstrip("#")))
    if fence:
        blocks.append("\n".join(block))
    return levels, blocks


def differences(english: str, chinese: str) -> list[str]:
    """Say where two texts differ in headings or code, one sentence each."""
    levels, blocks = outline(english)
    levels_zh, blocks_zh = outline(chinese)
    found = []
    if levels != levels_zh:
        found.append(f"heading levels are {levels} in English but {levels_zh} in Chinese")
    if len(blocks) != len(blocks_zh):
        found.append(f"{len(blocks)} code blocks in English but {len(blocks_zh)} in Chinese")
    found += [
        f"code block {number} differs:\n{a}\n--- Chinese:\n{b}"
        for number, (a, b) in enumerate(zip(blocks, blocks_zh, strict=False), start=1)
        if a != b
    ]
    return found


if __name__ == "__main__":
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]
    problems = differences(*texts)
    for problem in problems:
        print(f"README.md and README.zh-CN.md: {problem}", file=sys.stderr)
    sys.exit(bool(problems))
