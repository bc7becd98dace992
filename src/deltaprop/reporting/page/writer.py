"""What the sections of a report are put together from: words, numbers, tables; all escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, TypeVar

from deltaprop.languages import told
from deltaprop.notation.mathml import escape
from deltaprop.reporting.figures.figures import Finding
from deltaprop.reporting.language import words_of

__all__ = ["Writer"]

T = TypeVar("T")

_NONE = "–"
_IN_PERCENT = ("accuracy", "majority", "low", "high", "score", "recall")
_LARGE = 100.0  # from which on decimals tell nothing
_MOST_PLAIN = 1e12  # numbers below are written out


class Writer:
    """Writes small parts of the page in one language."""

    def __init__(self, language: str) -> None:
        self.words, self.language = words_of(language), language

    def text(self, key: str, **values: Any) -> str:
        """Return words, filled in and ready to stand in the page."""
        return escape(self.words[key].format(**values))

    def texts(self, *keys: str) -> list[str]:
        """Return words that need no filling in, ready to stand in the page."""
        return [self.text(key) for key in keys]

    def sentence(self, finding: Finding) -> str:
        """Return what is worth a look; not escaped."""
        values: dict[str, Any] = {
            name: self.share(value) if name in _IN_PERCENT else value
            for name, value in finding.values.items()
        }
        if "classes" in values:
            named = [
                name if isinstance(name, str) else f"{name[0]}: {name[1]}"
                for name in values["classes"]
            ]
            more = ["…"] if values["count"] > len(named) else []
            values["classes"] = self.listed([*named, *more])
        return self.words[f"finding {finding.kind}"].format(**values)

    def remark(self, text: str) -> str:
        """Return an entry of a list: what was said in English, in the language if that is known."""
        said = told(text, self.language)
        language = ' lang="en"' if said == text and self.language != "en" else ""
        return f"<li{language}>{escape(said)}</li>"

    def paragraph(self, key: str, kind: str = "", **values: Any) -> str:
        """Return words as a paragraph."""
        attribute = f' class="{kind}"' if kind else ""
        return f"<p{attribute}>{self.text(key, **values)}</p>"

    def listed(self, names: Iterable[str]) -> str:
        """Return names one after the other; not escaped."""
        return self.words["and"].join(names)

    def figure(self, value: float | None, digits: int = 4) -> str:
        """Return a number with so many significant digits; written out unless it is very long."""
        if value is None or not isfinite(value):
            return _NONE
        text = f"{value:.{digits}g}"
        if "e+" in text and abs(value) < _MOST_PLAIN:
            text = f"{float(text):,.0f}"
        return text.replace("-", "−")

    def share(self, value: float | None) -> str:
        """Return a share in percent."""
        return _NONE if value is None or not isfinite(value) else f"{100 * value:.1f} %"

    def probability(self, p: float | None) -> str:
        """Return a probability; none is shown as certain."""
        if p is None or not isfinite(p):
            return _NONE
        return "> 0.999" if p > 0.9995 else "< 0.001" if p < 0.0005 else f"{p:.3f}"

    def count(self, n: int) -> str:
        """Return how many."""
        return f"{n:,}"

    def signed(self, value: float, spread: float, *, percent: bool = False) -> str:
        """Return a mean and its spread."""
        if not (isfinite(value) and isfinite(spread)):
            return _NONE
        if percent:
            return _without_minus_zero(f"{100 * value:.1f} ± {100 * spread:.1f} %")
        if max(abs(value), spread) >= _LARGE:
            return _without_minus_zero(f"{value:.4g} ± {spread:.2g}")
        return _without_minus_zero(f"{value:.3f} ± {spread:.3f}")

    def table(
        self,
        label: str,
        head: Sequence[str],
        rows: Iterable[Sequence[str]],
        kinds: Sequence[str] = (),
        *,
        wide: bool = False,
    ) -> Iterator[str]:
        """Yield a table in a region that can be scrolled by keyboard.

        Parameters
        ----------
        label : str
            What it is called: a key of the wording.
        head : sequence of str
            Its titles, escaped.
        rows : iterable of sequence of str
            Its cells, escaped; the first of each row is its heading.
        kinds : sequence of str
            The class of each column's cells; figures behind a name when left out.
        wide : bool
            Whether it is as wide as its place.
        """
        kinds = kinds or ("name", *("figure",) * (len(head) - 1))
        yield self.region(label)
        yield '<table class="wide">' if wide else "<table>"
        yield "<thead><tr>"
        for title, kind in zip(head, kinds, strict=True):
            heading = f'<th scope="col" class="{kind}">{title}</th>'
            yield heading if title else f'<td class="{kind}"></td>'  # a picture needs none
        yield "</tr></thead><tbody>"
        for row in rows:
            first, *rest = zip(row, kinds, strict=True)
            cells = "".join(f'<td class="{kind}">{cell}</td>' for cell, kind in rest)
            yield f'<tr><th scope="row" class="{first[1]}">{first[0]}</th>{cells}</tr>'
        yield "</tbody></table></div>"

    def region(self, label: str) -> str:
        """Return the beginning of what may be wider than the page and is scrolled by itself."""
        return f'<div class="scroll" role="region" tabindex="0" aria-label="{self.text(label)}">'

    def folded(self, key: str, lines: Iterable[str], **values: Any) -> Iterator[str]:
        """Yield lines that are shown when they are asked for."""
        yield f"<details><summary>{self.text(key, **values)}</summary>"
        yield from lines
        yield "</details>"

    def opened(
        self, items: Sequence[T], most: int, table: Callable[[Sequence[T]], Iterator[str]]
    ) -> Iterator[str]:
        """Yield a table of the first items, and one of the others when it is asked for."""
        yield from table(items[:most])
        if rest := items[most:]:
            yield from self.folded("more columns", table(rest), count=len(rest))

    def facts(self, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
        """Yield what is known, as terms (keys of the wording) and their descriptions (escaped)."""
        yield '<dl class="facts">'
        for key, value in pairs:
            yield f"<dt>{self.text(key)}</dt><dd>{value}</dd>"
        yield "</dl>"


def _without_minus_zero(text: str) -> str:
    number = text.split(" ", maxsplit=1)[0]
    return text.lstrip("-") if float(number) == 0 else text.replace("-", "−")
