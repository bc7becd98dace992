"""A column of numbers, however they are written: scaled by quartiles, missing ones marked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.cells import refuse_infinite, strays_of, to_floats
from deltaprop.tabular.encoding.codes import exact_differences, is_code
from deltaprop.tabular.encoding.column import Column, Encoded, Floats, Output, Wording, joined
from deltaprop.tabular.encoding.kinds.constant import ConstantColumn
from deltaprop.tabular.encoding.ranges import find_edges, shares
from deltaprop.tabular.encoding.scaling import robust_scale
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.encoding.training_column import TrainingColumn
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.find_notation import read_numbers
from deltaprop.tabular.reading.missing import without_dashes
from deltaprop.tabular.reading.notation import Notation

__all__ = ["NumericColumn"]


@dataclass(frozen=True)
class NumericColumn(Column):
    """A column of numbers; times and durations are seconds."""

    parts: ClassVar[tuple[str, ...]] = ("value", "missing")
    kind = "numeric"
    kind_names = ("number", "数值")
    in_chinese: ClassVar[Wording] = (
        (r"median (\S+), scale (\S+)", r"中位数 \1，缩放 \2"),
        ("missing marked in a column of its own", "缺失另用一列标记"),
        (r"(\d+) ranges beside it", r"另加 \1 个区间"),
        (r"(\d+) cells that are no numbers taken as missing", r"\1 个不是数的单元格视为缺失"),
        (r"counted from (-?\d+)", r"从 \1 数起"),
        (r"(.*) is read as missing", r"\1 视为缺失"),
        (r"(.*) is read as in English", r"\1 按英文习惯读"),
        (r"(.*) is read as (.*)", r"\1 读作 \2"),
        ("nothing tells the decimal mark", "看不出哪个是小数点"),
        (r"no cell tells what the comma is: taken that it .*, so (.*) is (.*)",
         r"没有单元格说明逗号的意义：\1 读作 \2"),
        (r"no cell tells what the point is: taken that it .*, so (.*) is (.*)",
         r"没有单元格说明点号的意义：\1 读作 \2"),
    )  # fmt: skip
    is_number = True
    takes_ranges = True
    holds_text = False

    strays: int = 0  # cells that were no numbers at training and were taken as missing
    edges: tuple[float, ...] = ()  # of the ranges that become further outputs; see `shares`
    notation: Notation | None = None  # how they were written at training, if not plainly
    offset: int = 0  # what is taken from whole numbers beyond 2^53 before they are floats

    @classmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Take numbers that are no codes: plain ones, long ones, and those in another notation."""
        if column.numbers is None:
            if column.text is None or column.written.notation is None or is_code(column.text):
                return None
            return cls._written(column)
        if column.is_code:
            return None
        if column.is_long:
            if column.differences is None:
                return None
            differences, offset = column.differences
            return cls._fitted(column, to_floats(differences), offset=offset)
        if column.text is not None and column.written.notation not in (None, Notation()):
            return cls._written(column)
        doubt = "" if column.text is None else column.written.doubt
        return cls._fitted(column, to_floats(column.numbers), doubt)

    @classmethod
    def _written(cls, column: TrainingColumn) -> Column:
        """Return a column of numbers with a unit, marks of thousands and the like."""
        text, notation = column.text, column.written.notation
        assert text is not None
        assert notation is not None
        numbers = notation.read(text)
        strays = strays_of(text, numbers)
        if strays:
            column.warnings.append(strays.sentence(column.where))
        plain = notation.is_plain(text)
        return cls._fitted(
            column,
            to_floats(numbers),
            joined("" if plain else notation.described(text), column.written.doubt),
            strays=strays.count if strays else 0,
            notation=None if plain else notation,
        )

    @classmethod
    def _fitted(cls, column: TrainingColumn, values: Floats, note: str = "", **own: Any) -> Column:
        refuse_infinite(values, column.name, column.where)
        known = values[~np.isnan(values)]
        missing = values.size - known.size
        if not known.size:
            return ConstantColumn.empty(column)
        center, scale = robust_scale(known)
        if scale == 0.0:
            return ConstantColumn.of(column, missing, float(known[0]), note)
        outputs = [Output("value", center, scale)]
        if missing:
            outputs.append(Output.of_missing(missing, values.size))
        said = {
            "strays": "{} cells that are no numbers taken as missing", "offset": "counted from {}",
        }  # fmt: skip
        more = (said[key].format(own[key]) for key in said if own.get(key))
        return cls(column.name, missing, tuple(outputs), joined(*more, note), **own)

    @property
    def n_dense(self) -> int:
        return len(self.outputs) + self.n_ranges

    @property
    def n_ranges(self) -> int:
        return max(0, len(self.edges) - 1)

    @property
    def plain_cells_are(self) -> str | None:
        return None if self.notation is not None or self.offset else "number"

    @property
    def range_edges(self) -> tuple[float, ...]:
        return self.edges

    @property
    def output_names(self) -> tuple[str, ...]:
        ranges = (f"{self.name} from {low:.6g} to {high:.6g}" for low, high in pairwise(self.edges))
        return *(self._named(output.part) for output in self.outputs), *ranges

    def described(self) -> tuple[str, ...]:
        value = self.outputs[0]
        return (
            f"median {value.center:.6g}, scale {value.scale:.6g}",
            "missing marked in a column of its own" if self.missing else "",
            f"{self.n_ranges} ranges beside it" if self.edges else "",
            self.note,
        )

    def fill(self, block: Encoded, series: pl.Series, where: str, found: Surprises) -> None:
        values, odd = self.numbers(series, where)
        if odd:
            found.of_cells(self.name, odd)
        self.fill_parts(block, {"value": values})
        if self.edges:
            block[:, len(self.outputs) :] = shares(values, self.edges, self.outputs[0].center)

    def plain_cells(self, series: pl.Series) -> pl.Series | None:
        return None if self.offset else pl.Series(self.numbers(series, "")[0])

    def check(self, series: pl.Series, where: str) -> None:
        self.numbers(series, where)

    def divided(self, series: pl.Series, most: int, where: str) -> Column:
        values, _ = self.numbers(series, where)
        return replace(self, edges=find_edges(values[~np.isnan(values)], most))

    def numbers(self, series: pl.Series, where: str) -> tuple[Floats, int]:
        """Return later cells as numbers, and how many are none (only if training had such, too)."""
        odd = 0
        if series.dtype in (pl.String, pl.Categorical, pl.Enum):
            text = without_dashes(series.cast(pl.String))
            if self.offset:
                series = text.cast(pl.Int128, strict=False)
            else:
                series = read_numbers(text, self.notation)
            strange = (text.is_not_null() & series.is_null()).arg_true()
            odd = strange.len()
            if odd and not self.strays:
                unit = self.notation.unit if self.notation else ""
                self.refuse_cell(
                    text, strange, f"a number in {unit}" if unit else "a number", where
                )
        elif not (
            series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null, pl.Duration, pl.Time)
        ):
            self.refuse_type(series, "numbers", where)
        if self.offset:
            differences = exact_differences(series, self.offset)
            series = series if differences is None else differences[0]
        values = to_floats(series)
        refuse_infinite(values, self.name, where)
        return values, odd

    def own_values(self) -> dict[str, Any]:
        # More digits than JSON's numbers keep everywhere.
        return super().own_values() | ({"offset": str(self.offset)} if self.offset else {})

    @classmethod
    def own_entries(cls, stored: Stored) -> dict[str, Any]:
        own: dict[str, Any] = {"strays": stored.count("strays")}
        if "edges" in stored.values:
            edges = own["edges"] = stored.numbers("edges")
            if edges and (len(edges) < 2 or sorted(set(edges)) != list(edges)):
                expected = "ascending edges of the ranges of a numeric column"
                stored.refuse("edges", list(edges[:8]), expected)
        if "notation" in stored.values:
            place = f"{stored.where}, notation"
            own["notation"] = Notation.from_dict(place, stored.values["notation"])
        if "offset" in stored.values:
            text = stored.text("offset")
            if not re.fullmatch(r"-?[1-9]\d{0,37}", text):
                stored.refuse("offset", text, "a whole number of up to 38 digits")
            own["offset"] = int(text)
        return own
