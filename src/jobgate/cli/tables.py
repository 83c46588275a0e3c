"""Tables in files: CSV in which no spreadsheet finds a formula, and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple, Protocol, Self

from jobgate.cli.failures import Unusable

Row = Mapping[str, Any]

FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001  # a spreadsheet reads the wide ones as the others
CSV_RULE = (
    "RFC 4180 in UTF-8: every text in quotes, numbers bare, nothing for null; a text that begins with = + - @, a tab, "
    "a line end, NUL or a full-width form of these has an apostrophe before it"
)
PARQUET_RULE = "values as they are"


class Column(NamedTuple):
    """A column: `json` is an array or an object, kept as JSON text."""

    name: str
    kind: Literal["text", "integer", "number", "json"]


class Table(Protocol):
    """A file that takes rows; what a row lacks is null."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def guard(text: str) -> str:
    """The text as a spreadsheet shows it and never runs it."""
    return "'" + text if text[:1] in FORMULA_STARTS and text else text


def csv_line(cells: Iterable[Any]) -> str:
    """A line of CSV."""
    return ",".join(map(_csv_cell, cells)) + "\r\n"


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return '"' + guard(text).replace('"', '""') + '"'


class CsvTable:
    """A CSV file with a line of column names."""

    def __init__(self, file: Path, columns: Sequence[Column]) -> None:
        self._names = [column.name for column in columns]
        self._opened: IO[str] = file.open("w", encoding="utf-8", newline="")
        self._opened.write(csv_line(self._names))

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        self._opened.writelines(csv_line(row.get(name) for name in self._names) for row in rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()


class ParquetTable:
    """A Parquet file, a row group for each `write`."""

    def __init__(self, file: Path, columns: Sequence[Column]) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise Unusable("Parquet needs the extra `parquet`: pip install 'jobgate[parquet]'") from error
        kinds = {"text": pyarrow.string(), "json": pyarrow.string()}
        kinds |= {"integer": pyarrow.int64(), "number": pyarrow.float64()}
        self._columns = columns
        self._schema = pyarrow.schema([(column.name, kinds[column.kind]) for column in columns])
        self._make_table = pyarrow.Table.from_pylist
        self._writer = parquet.ParquetWriter(file, self._schema)

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        if rows:
            names = [(column, column.name) for column in self._columns]
            shown = [{name: _arrow_cell(column, row.get(name)) for column, name in names} for row in rows]
            self._writer.write_table(self._make_table(shown, schema=self._schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


def _arrow_cell(column: Column, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if column.kind == "json" and value is not None else value
