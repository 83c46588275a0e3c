"""Tables: what a spreadsheet would run is text in CSV, and nothing is changed in Parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from jobgate.cli.failures import Unusable
from jobgate.cli.tables import FORMULA_STARTS, Column, CsvTable, ParquetTable, csv_line, guard

COLUMNS = [Column("name", "text"), Column("count", "integer"), Column("mean", "number"), Column("path", "json")]
ROWS: list[dict[str, Any]] = [
    {"name": "=1+1", "count": 3, "mean": -0.5, "path": ["=x"]},
    {"name": 'say "hi", \u00e4\n', "count": None, "mean": 4.0},
]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ('a "b", c', '"a ""b"", c"'),
        ("two\r\nlines", '"two\r\nlines"'),
        ("=HYPERLINK(1)", '"\'=HYPERLINK(1)"'),
        ("+1", '"\'+1"'),
        ("-1", '"\'-1"'),
        ("@SUM(A1)", '"\'@SUM(A1)"'),
        ("\t=1", '"\'\t=1"'),
        ("\r=1", '"\'\r=1"'),
        ("\n=1", '"\'\n=1"'),
        ("\0=1", '"\'\0=1"'),
        ("\uff1d1", '"\'\uff1d1"'),
        ("\uff0b1", '"\'\uff0b1"'),
        ("\uff0d1", '"\'\uff0d1"'),
        ("\uff201", '"\'\uff201"'),
        ("a=1", '"a=1"'),
        (-1, "-1"),
        (0.25, "0.25"),
        (None, ""),
        (["=a", "b"], '"[""=a"", ""b""]"'),
    ],
)
def test_a_cell(value: object, cell: str) -> None:
    assert csv_line([value]) == cell + "\r\n"


@given(st.lists(st.text().filter(lambda text: "\0" not in text), min_size=1))
def test_a_reader_gets_the_texts_back_and_none_is_a_formula(texts: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(csv_line(texts), newline=""), strict=True)

    assert read == [guard(text) for text in texts]
    assert not any(cell[:1] in FORMULA_STARTS for cell in read if cell)


def test_a_csv_file_has_names_and_rows(tmp_path: Path) -> None:
    with CsvTable(tmp_path / "t", COLUMNS) as table:
        table.write(ROWS[:1])
        table.write(ROWS[1:])

    assert (tmp_path / "t").read_bytes().decode() == (
        '"name","count","mean","path"\r\n"\'=1+1",3,-0.5,"[""=x""]"\r\n"say ""hi"", \u00e4\n",,4.0,\r\n'
    )


def test_a_parquet_file_keeps_types_and_values(tmp_path: Path) -> None:
    with ParquetTable(tmp_path / "t", COLUMNS) as table:
        table.write(ROWS[:1])
        table.write([])
        table.write(ROWS[1:])

    found = parquet.read_table(tmp_path / "t")
    assert [str(field.type) for field in found.schema] == ["string", "int64", "double", "string"]
    assert found.to_pylist() == [
        {"name": "=1+1", "count": 3, "mean": -0.5, "path": json.dumps(["=x"])},
        {"name": 'say "hi", \u00e4\n', "count": None, "mean": 4.0, "path": None},
    ]


def test_without_the_extra_parquet_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(Unusable, match=r"pip install 'jobgate\[parquet\]'"):
        ParquetTable(tmp_path / "t", COLUMNS)
