"""Where the answers of a model go, some rows after another: to a file, or to standard output."""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import ExitStack
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from deltaprop.cli.show import plain, print_json, say
from deltaprop.model.files import writing_atomically

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

    Columns = dict[str, npt.NDArray[Any]]

__all__ = ["Answers", "answers_to"]

# What a spreadsheet would run: words that begin so and are no number, and no sign alone.
_FORMULA = r"^(?:[=@\t\r]|[+-](?:[^0-9.]|[0-9.]+[^0-9.]))"
_IN_MEMORY = 1 << 24  # bytes


class Answers:
    """Takes columns of answers, those of further rows again and again; nothing if that fails."""

    def __init__(self) -> None:
        self.n_rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what has been taken, if there was no error."""

    def add(self, columns: Columns) -> None:
        """Take the answers for some rows."""
        self.n_rows += len(next(iter(columns.values())))

    def show(self) -> None:
        """Print what goes to standard output."""


def answers_to(out: str | None, *, json: bool, formulas: bool, words: bool) -> Answers:
    """Return what takes answers.

    Parameters
    ----------
    out : str, optional
        A .csv or .parquet file; standard output when left out.
    json : bool
        Whether they are printed as JSON.
    formulas : bool
        Whether words that a spreadsheet would take for formulas stay as they are.
    words : bool
        Whether a word among the answers would be read as a missing value, if it was not quoted.
    """
    if out is None and json:
        return _Json()
    if out is not None and out.lower().endswith(".parquet"):
        return _Parquet(out)
    return _Csv(out, formulas=formulas, words=words)


class _Json(Answers):
    def __init__(self) -> None:
        super().__init__()
        self._lists: dict[str, list[Any]] = {}

    def add(self, columns: Columns) -> None:
        super().add(columns)
        for name, values in columns.items():
            self._lists.setdefault(name, []).extend(values.tolist())

    def show(self) -> None:
        print_json(self._lists)


class _Parquet(Answers):
    def __init__(self, out: str) -> None:
        super().__init__()
        self._out = out
        self._frames: list[pl.DataFrame] = []

    def add(self, columns: Columns) -> None:
        super().add(columns)
        self._frames.append(_frame(columns))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        import polars as pl

        if kind is None:
            with writing_atomically(self._out) as file:
                pl.concat(self._frames).write_parquet(file)


class _Csv(Answers):
    def __init__(self, out: str | None, *, formulas: bool, words: bool) -> None:
        super().__init__()
        self._formulas = formulas
        self._style: Literal["non_numeric", "necessary"] = "non_numeric" if words else "necessary"
        self._stack, self._to_file = ExitStack(), out is not None
        self._file: IO[bytes]
        if out is None:
            self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - show reads it
        else:
            self._file = self._stack.enter_context(writing_atomically(out))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)
        if kind is not None:
            self._file.close()

    def add(self, columns: Columns) -> None:
        frame = _frame(columns)
        frame = frame if self._formulas else _without_formulas(frame)
        frame.write_csv(self._file, include_header=not self.n_rows, quote_style=self._style)
        super().add(columns)

    def show(self) -> None:
        if self._to_file:
            return
        with self._file as file:
            file.seek(0)
            if sys.stdout.isatty():
                for line in file:  # a terminal obeys control characters
                    say(plain(line.decode().rstrip("\n")), result=True)
                return
            sys.stdout.flush()
            while content := file.read(_IN_MEMORY):
                sys.stdout.buffer.write(content)


def _frame(columns: Columns) -> pl.DataFrame:
    import polars as pl

    lists = {name: v.tolist() if v.dtype.kind == "O" else v for name, v in columns.items()}
    return pl.DataFrame(lists)


def _without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    words = pl.col(pl.String)
    return frame.with_columns(
        pl.when(words.str.contains(_FORMULA)).then("'" + words).otherwise(words).name.keep()
    ).rename(lambda title: f"'{title}" if re.search(_FORMULA, title) else title)
