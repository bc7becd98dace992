"""A network as one header of C99: loops over its stages, no allocation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.arrays import shape
from deltaprop.functional.expressions import (
    Call,
    Comparison,
    Expression,
    Matrix,
    MatrixProduct,
    Number,
    Power,
    Product,
    Quotient,
    Reduced,
    Sum,
    Transposed,
    matrices,
)
from deltaprop.functional.normal import erfc_series
from deltaprop.interop.forward import Stage

__all__ = ["Stored", "header"]

Array = npt.NDArray[np.float64]

# what small machines' libraries lack, each told once where it is used
_OWN = {
    "log1p": """static inline float {name}_log1p(float x) {{
    const float u = 1.0f + x;
    return u == 1.0f ? x : logf(u) * (x / (u - 1.0f));
}}
""",
    "expm1": """static inline float {name}_expm1(float x) {{
    const float u = expf(x);
    if (u == 1.0f) return x;
    return u - 1.0f == -1.0f ? -1.0f : (u - 1.0f) * (x / logf(u));
}}
""",
    "Phi": """/* the normal distribution function, by a series in 2 t - 1 */
static inline float {name}_Phi(float z) {{
    static const float c[{n}] = {{{series}}};
    const float x = fabsf(z) * 0.70710678f, t = 2.0f / (2.0f + x), u = 4.0f * t - 2.0f;
    float d = 0.0f, e = 0.0f, tail;
    int k;
    for (k = {n} - 1; k > 0; k--) {{
        const float f = d;
        d = u * d - e + c[k];
        e = f;
    }}
    tail = 0.5f * t * expf(0.5f * u * d - e + c[0] - x * x);
    return z < 0.0f ? tail : 1.0f - tail;
}}
""",
    "erf": """static inline float {name}_erf(float x) {{
    return 2.0f * {name}_Phi(1.41421356f * x) - 1.0f;
}}
""",
}
_NEEDS = {"erf": ("Phi",)}
_KNOWN = {"exp": "expf", "log": "logf", "tanh": "tanhf", "sqrt": "sqrtf", "abs": "fabsf",
          "cos": "cosf", "sin": "sinf"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stored:
    """An array of a layer as it is kept: numbers of float, or of int8 times a scale."""

    name: str
    values: Array
    scale: float | None = None


def header(
    name: str,
    title: str,
    stages: list[Stage],
    arrays: list[Stored],
    examples: tuple[Array, Array],
    tolerance: float,
) -> str:
    """Return the text; ``examples`` are rows and what the network makes of them."""
    x, p = examples
    writer = _Writer(name, {each.name: each for each in arrays}, {"x": x.shape[1]})
    body: list[str] = []
    for stage in stages:
        body += writer.stage(stage)
    big = name.upper()
    own = [
        _OWN[each].format(name=name, n=len(erfc_series()), series=_numbers(erfc_series()))
        for each in _OWN
        if each in writer.used
    ]
    return f"""/* {title} Written by deltaprop {__version__}.
   C99, no allocation; link with -lm. {name}_self_test() returns 0 where it computes rightly. */
#ifndef {big}_H
#define {big}_H

#include <math.h>
#include <stdint.h>

#define {big}_N_IN {x.shape[1]}
#define {big}_N_OUT {p.shape[1]}

{_lines(_array(name, each) for each in arrays)}
{_lines(own)}/* p of one row x */
static inline void {name}_predict(const float x[{big}_N_IN], float p[{big}_N_OUT]) {{
{_lines("    " + line for line in body)}}}

/* the output that is largest: the class, of a network of classes */
static inline int {name}_largest(const float p[{big}_N_OUT]) {{
    int best = 0, j;
    for (j = 1; j < {big}_N_OUT; j++)
        if (p[j] > p[best]) best = j;
    return best;
}}

/* the number of outputs of known rows that are wrong */
static inline int {name}_self_test(void) {{
    static const float rows[{len(x)}][{big}_N_IN] = {_rows(x)};
    static const float right[{len(x)}][{big}_N_OUT] = {_rows(p)};
    float p[{big}_N_OUT];
    int i, j, wrong = 0;
    for (i = 0; i < {len(x)}; i++) {{
        {name}_predict(rows[i], p);
        for (j = 0; j < {big}_N_OUT; j++) {{
            const float most = {_number(tolerance)} * (1.0f + fabsf(right[i][j]));
            if (!(fabsf(p[j] - right[i][j]) <= most)) wrong++;
        }}
    }}
    return wrong;
}}

#ifdef {big}_MAIN
int main(void) {{ return {name}_self_test(); }}
#endif

#endif
"""


@dataclass
class _Writer:
    """Writes stages as loops; ``widths`` are those that are there, ``used`` what functions are."""

    name: str
    arrays: dict[str, Stored]
    widths: dict[str, int]
    used: set[str] = field(default_factory=set)
    _before: list[str] = field(default_factory=list)
    _buffers: int = 0

    def stage(self, stage: Stage) -> list[str]:
        """Return the lines that fill a stage; the last one, p, is the caller's."""
        lines = [] if stage.name == "p" else [f"float {stage.name}[{stage.width}];"]
        for part in stage.parts:
            self._before = []
            text = self._entry(part.tree, "0", "j")
            to = f"{stage.name}[{_plus('j', part.start)}]"
            loop = _loop("j", part.stop - part.start, f"{to} = {text};")
            lines += ["{", *(f"    {line}" for line in [*self._before, loop]), "}"]
        self.widths[stage.name] = stage.width
        return lines

    def _entry(self, tree: Expression, i: str, j: str) -> str:
        """Return the entry in row i and column j of a tree of arrays."""

        def of(part: Expression) -> str:
            return self._entry(part, i, j)

        if not matrices(tree):
            return _number(evaluate(tree))
        match tree:
            case Matrix():
                return self._placed(tree, i, j)
            case Transposed(of=inner):
                return self._entry(inner, j, i)
            case Sum(terms=terms, signs=signs):
                first, *others = zip(map(of, terms), signs, strict=True)
                text = first[0] if first[1] > 0 else f"-{first[0]}"
                text += "".join(f" {'+' if sign > 0 else '-'} {term}" for term, sign in others)
                return f"({text})"
            case Product(factors=factors):
                return f"({' * '.join(map(of, factors))})"
            case Quotient(above=above, below=below):
                return f"({of(above)} / {of(below)})"
            case Power(base=base, exponent=Number(text="2" | "3" as times)):
                return f"({' * '.join([of(base)] * int(times))})"
            case Power(base=base, exponent=exponent):
                return f"powf({of(base)}, {of(exponent)})"
            case Comparison(left=left, relation=relation, right=right):
                return f"({of(left)} {relation} {of(right)} ? 1.0f : 0.0f)"
            case Call(name="max", arguments=arguments):
                return reduce("fmaxf({}, {})".format, map(of, arguments))
            case Call(name=name, arguments=(argument,)):
                return f"{self._function(name)}({of(argument)})"
            case MatrixProduct(left=left, right=right):
                return self._product(left, right, j)
            case Reduced(name=name, of=inner):
                return self._reduced(name, inner)
            case _:
                raise TypeError(f"{tree!r} is in no formula of arrays.")

    def _product(self, left: Expression, right: Expression, j: str) -> str:
        """Work a row times a matrix out beforehand, and return its column j."""
        n, m = shape(left)[1], shape(right)[1]
        k, c, buffer = self._new("k"), self._new("c"), self._new("t")
        row, scale = self._entry(left, "0", k), self._scale_of(right)
        column = self._entry(right, k, c)
        self._before += [
            f"float {buffer}[{m}];",
            f"for (int {c} = 0; {c} < {m}; {c}++) {{",
            "    float sum = 0.0f;",
            f"    {_loop(k, n, f'sum += {row} * {column};')}",
            f"    {buffer}[{c}] = sum{scale};",
            "}",
        ]
        return f"{buffer}[{j}]"

    def _reduced(self, name: str, inner: Expression) -> str:
        """Work a number of the row out beforehand: its sum, its mean or its largest."""
        n, k, buffer = shape(inner)[1], self._new("k"), self._new("s")
        text = self._entry(inner, "0", k)
        begin, step = "0.0f", f"{buffer} += {text};"
        if name == "largest":
            begin, step = "-INFINITY", f"{buffer} = fmaxf({buffer}, {text});"
        self._before += [f"float {buffer} = {begin};", _loop(k, n, step)]
        return f"({buffer} / {_number(n)})" if name == "mean" else buffer

    def _scale_of(self, tree: Expression) -> str:
        own = self.arrays.get(tree.id) if isinstance(tree, Matrix) else None
        return "" if own is None or own.scale is None else f" * {_number(own.scale)}"

    def _placed(self, matrix: Matrix, i: str, j: str) -> str:
        if matrix.id in self.widths:
            width, start = self.widths[matrix.id], matrix.origin[-1]
            return f"{matrix.id}[{_plus(j, start) if width > 1 else '0'}]"
        stored = self.arrays[matrix.id]
        own, *front = stored.values, *matrix.origin[:-2]
        n = own.shape[-1]
        if own.ndim == 1:
            return f"{self.name}_{matrix.id}[{j}]"
        row = _plus(i, matrix.origin[-2] + (front[0] * own.shape[1] if front else 0))
        row = f"({row})" if "+" in row else row
        return f"{self.name}_{matrix.id}[{row} * {n} + {j}]"

    def _function(self, name: str) -> str:
        if name in _KNOWN:
            return _KNOWN[name]
        self.used |= {name, *_NEEDS.get(name, ())}
        return f"{self.name}_{name}"

    def _new(self, kind: str) -> str:
        self._buffers += 1
        return f"{kind}{self._buffers}"


def _plus(index: str, start: int) -> str:
    return index if start == 0 else str(start) if index == "0" else f"{index} + {start}"


def _loop(index: str, n: int, text: str) -> str:
    return f"for (int {index} = 0; {index} < {n}; {index}++) {text}"


def _number(value: float) -> str:
    """Return a number of float that is read back as it was."""
    text = str(np.float32(value))
    text = text if "." in text or "e" in text else f"{text}.0"
    return f"({text}f)" if value < 0 else f"{text}f"


def _numbers(values: Iterable[float]) -> str:
    texts = [_number(value).strip("()") for value in values]
    rows = [", ".join(texts[start : start + 8]) for start in range(0, len(texts), 8)]
    return ",\n    ".join(rows)


def _rows(array: Array) -> str:
    return "{\n    " + ",\n    ".join(f"{{{_numbers(row)}}}" for row in array) + "}"


def _array(name: str, stored: Stored) -> str:
    n = stored.values.size
    if stored.scale is None:
        numbers = _numbers(stored.values.ravel())
        return f"static const float {name}_{stored.name}[{n}] = {{\n    {numbers}}};"
    texts = [str(int(value)) for value in stored.values.ravel()]
    rows = [", ".join(texts[start : start + 20]) for start in range(0, n, 20)]
    return f"static const int8_t {name}_{stored.name}[{n}] = {{\n    " + ",\n    ".join(rows) + "};"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
