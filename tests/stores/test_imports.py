"""Importing statements from the lines of a file."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from jobgate.cli import load_statements
from jobgate.cli.load_statements import read_lines
from jobgate.stores import imports
from jobgate.stores.imports import Import, StatementReport, import_statements
from jobgate.stores.options import EntryOptions
from jobgate.testing import House
from tests.stored_statements import look, make, void

NAMELESS = {name: value for name, value in make(0).items() if name != "id"}


def write(*lines: Any) -> io.BytesIO:
    """A file."""
    return io.BytesIO(b"".join((line if type(line) is bytes else json.dumps(line).encode()) + b"\n" for line in lines))


async def take(house: House, *lines: Any, atomic: bool = False, **options: Any) -> StatementReport:
    """Import them into the store `main`."""
    how = Import(options=EntryOptions(**options), atomic=atomic)
    return await import_statements(house.db, 1, "main", read_lines(write(*lines), lambda _: None), how)


async def test_bare_statements_and_records_come_in(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    record = {"id": make(2)["id"], "store": "other", "stored": "2020-01-01T00:00:00Z", "statement": make(2)}

    report = await take(house, b"\xef\xbb\xbf" + json.dumps(make(1)).encode(), b"", record, void(3, 1), b"  ")

    assert (report.accepted, report.rejected, report.voided) == (3, 0, 1)
    (logged,) = await look(house, "select data from xapi_log where description = 'Loaded statements'")
    assert json.loads(logged["data"])["accepted"] == 3


async def test_loading_again_changes_nothing(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    lines = [make(1), NAMELESS, NAMELESS, void(2, 1)]

    first, again = await take(house, *lines), await take(house, *lines)

    assert (first.accepted, first.known) == (4, 0)
    assert (again.accepted, again.known, again.rejected) == (4, 4, 0)
    assert len(await look(house, "select from xapi_statement")) == 4


async def test_problems_name_their_line_and_leave_the_others_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    monkeypatch.setattr(load_statements, "MAX_LINE", 5_000)
    long = make(7, result={"response": "x" * 20_000})

    report = await take(house, make(1), b"{nonsense", make(2, verb={}, actor=3), long, b"3", make(1, verb={}), make(8))

    assert (report.accepted, report.rejected) == (2, 5)
    assert report.problems == [
        "line 2: the line is not JSON",
        f"line 3: {make(2)['id']}: $.actor XAPI-00006: a value has the JSON type of its place (and 1 more)",
        "line 4: the line has more than 5000 bytes",
        "line 5: the line is not a record of its service",
        f"line 6: {make(1)['id']}: $.verb XAPI-00044: a verb has an id, an IRI",
    ]


async def test_a_large_file_is_recorded_batch_by_batch(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    monkeypatch.setattr(imports, "MAX_STATEMENTS", 3)
    heard: list[tuple[int, int]] = []
    read: list[bytes] = []

    lines = read_lines(write(*map(make, range(7))), read.append)
    how = Import(options=EntryOptions())
    report = await import_statements(
        house.db, 1, "main", lines, how, on_batch=lambda done: heard.append((done.accepted, len(read)))
    )

    assert (report.accepted, heard) == (7, [(3, 3), (6, 6), (7, 7)])  # no line is read before its batch


async def test_what_a_file_says_again_is_known_wherever_batches_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    lines = [make(1), make(2), make(1), make(2, verb={"id": "https://x.example/other"})]

    whole = await take(house, *lines)
    monkeypatch.setattr(imports, "MAX_STATEMENTS", 1)
    again = await take(house, *lines)

    assert (whole.accepted, whole.known, whole.rejected) == (3, 1, 1)
    assert (again.accepted, again.known, again.rejected) == (3, 3, 1)


async def test_an_atomic_import_stops_at_the_first_refusal(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    monkeypatch.setattr(imports, "MAX_STATEMENTS", 2)

    report = await take(house, make(1), make(2), make(3), make(4, verb={}), make(5), make(6), atomic=True)
    broken = await take(house, make(1), b"?", make(5), atomic=True)

    assert (report.accepted, report.was_stopped) == (2, True)
    assert [problem.split()[1] for problem in report.problems] == ["3:", "4:"]
    assert (broken.accepted, broken.rejected, broken.was_stopped) == (0, 1, True)
    assert len(await look(house, "select from xapi_statement")) == 2


async def test_unjudged_and_replacing(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await take(house, make(1))

    report = await take(house, make(1, verb={}), validate_statements=False, check_conflicts=False)

    assert (report.accepted, report.replaced) == (1, 1)
    (row,) = await look(house, "select validated from xapi_statement")
    assert row["validated"] is False
