"""Fetch what others wrote of the studio's page, at the versions named here, into page/vendored.

    python scripts/vendor_page.py        (needs npm and its registry; run only to change a version)

Each file is one ES module without imports, minified, and says what is in it. ``LICENSES.txt`` has
their licences.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

TO = Path(__file__).resolve().parent.parent / "src/deltaprop/studio/page/vendored"
VERSIONS = {
    "preact": "11.2.0", "htm": "3.1.1", "@preact/signals": "2.11.4", "uplot": "1.6.32",
    "papaparse": "5.7.1",
}  # fmt: skip
BUNDLER = "esbuild@0.28.2"
MODULES = {
    "preact": (
        ("preact", "htm", "@preact/signals"),
        """
        import { h, render, Fragment } from "preact";
        import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
        import { batch, computed, effect, signal } from "@preact/signals";
        import htm from "htm";
        const html = htm.bind(h);
        export { Fragment, batch, computed, effect, html, render, signal, useEffect,
          useLayoutEffect, useRef };
        """,
        ("Fragment", "batch", "computed", "effect", "html", "render", "signal", "useEffect",
         "useLayoutEffect", "useRef"),
    ),
    "uplot": (("uplot",), 'export { default as uPlot } from "uplot";', ("uPlot",)),
    "papaparse": (("papaparse",), 'export { default as Papa } from "papaparse";', ("Papa",)),
}  # fmt: skip
STYLES = {"uplot.css": "uplot/dist/uPlot.min.css"}


def main() -> None:
    """Write the modules, the style sheets and the licences."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        wanted = [f"{name}@{version}" for name, version in VERSIONS.items()]
        subprocess.run(["npm", "install", "--silent", BUNDLER, *wanted], cwd=folder, check=True)
        installed = folder / "node_modules"
        TO.mkdir(parents=True, exist_ok=True)
        for name, (packages, entry, exported) in MODULES.items():
            (folder / "entry.js").write_text(entry)
            subprocess.run(
                [
                    str(installed / ".bin/esbuild"), "entry.js", "--bundle", "--minify",
                    "--format=iife", f"--global-name={name}Parts", "--legal-comments=none",
                    "--charset=ascii", "--log-level=warning", "--outfile=bundle.js",
                ],
                cwd=folder, check=True,
            )  # fmt: skip
            told = ", ".join(f"{package} {VERSIONS[package]}" for package in packages)
            exports = "".join(f"export const {n} = {name}Parts.{n};\n" for n in exported)
            code = (folder / "bundle.js").read_text()
            head = f"// @ts-nocheck {told}, by scripts/vendor_page.py: see LICENSES.txt\n"
            (TO / f"{name}.js").write_text(f"{head}{code}{exports}")
        for to, source in STYLES.items():
            (TO / to).write_text((installed / source).read_text().strip() + "\n")
        licences = [
            f"{name} {version}\n\n{_licence(installed / name)}"
            for name, version in VERSIONS.items()
        ]
        (TO / "LICENSES.txt").write_text(f"\n\n{'-' * 80}\n".join(licences) + "\n")


def _licence(folder: Path) -> str:
    found = [*folder.glob("LICENSE*"), *folder.glob("license*")]
    return found[0].read_text().strip()


if __name__ == "__main__":
    main()
