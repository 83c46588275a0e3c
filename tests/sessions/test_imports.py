"""Importing sessions from the lines of a file."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from jobgate.sessions import import_sessions, read_line
from jobgate.sessions.imports import BATCH_SESSIONS, PROBLEMS_KEPT
from jobgate.testing import House
from tests.session_calls import entry, ids, response, set_sessions, settle
from tests.stored_sessions import read


def line(session_id: str | None = "s-1", **changes: Any) -> bytes:
    """A line of a file."""
    return msgspec.json.encode(entry(session_id, **changes)) + b"\n"


async def test_every_line_becomes_a_session(house: House) -> None:
    lines = [
        line("s-1", score=3, metadata={"a": 1}),
        b"\n",
        line(None),
        b"  \r\n",
        line("s-3", responses=[response("r")]),
    ]

    report = await import_sessions(house.db, 1, lines)
    await settle(house)

    assert (report.stored, report.refused, report.problems) == (3, 0, [])
    assert len(await ids(house)) == 3
    row = await read(house, "s-1")
    assert (row["score"], row["metadata"]) == (3, {"a": 1})
    assert (await read(house, "s-3"))["num_attempted"] == 1


async def test_problems_name_their_line_and_leave_the_others_alone(house: House) -> None:
    await set_sessions(house, entry("taken", user_id="u-2"))
    lines = [
        line("s-1"),
        b'{"user_id": "u-1"}\n',
        b"{user_id}\n",
        b"[1]\n",
        b'{"user_id": "\xff", "activity_id": "a-1"}\n',
        line("s-2", dt_saved="yesterday"),
        line("s-3", user_id="u" * 51),
        line("s-4", responses=[response("r"), response("r")]),
        line("taken"),
        line("s-5"),
    ]

    report = await import_sessions(house.db, 1, lines)

    assert (report.stored, report.refused) == (2, 8)
    assert sorted(report.problems) == [
        "line 2: `activity_id` must have a non-null value",
        "line 3: the line is not JSON: object keys must be strings (byte 1)",
        "line 4: the line must be a JSON object",
        "line 5: the line is not UTF-8",
        "line 6: `dt_saved` must be a Unix timestamp or an ISO 8601 date and time, not 'yesterday'",
        "line 7: `user_id` must contain at most 50 characters",
        "line 8: `response_id` 'r' stands twice in one session",
        "line 9: the session taken belongs to another user",
    ]
    assert (await read(house, "taken"))["user_id"] == "u-2"


async def test_a_large_file_is_stored_batch_by_batch(house: House) -> None:
    count = 2 * BATCH_SESSIONS + 7
    heard: list[int] = []

    report = await import_sessions(
        house.db, 1, (line(f"s-{number:04}") for number in range(count)), on_batch=heard.append
    )

    assert (report.stored, heard) == (count, [BATCH_SESSIONS, 2 * BATCH_SESSIONS, count])
    async with house.db.reading(1) as db:
        assert await db.connection.fetchval("select count(*) from session") == count


async def test_an_import_may_run_again(house: House) -> None:
    lines = [line("s-1", score=1), line("s-2"), line("s-1", score=2)]

    for _ in range(2):
        report = await import_sessions(house.db, 1, lines)

        assert (report.stored, report.problems) == (3, [])
        assert (await read(house, "s-1"))["score"] == 2


async def test_a_later_job_replaces_what_was_imported(house: House) -> None:
    await import_sessions(house.db, 1, [line("s-1", score=1)])

    (result,) = await set_sessions(house, entry("s-1", score=2))

    assert result == {"session_id": "s-1", "user_id": "u-1", "status": "ok"}
    assert (await read(house, "s-1"))["score"] == 2


async def test_what_a_newer_job_set_meanwhile_stays(house: House) -> None:
    await import_sessions(house.db, 1, [line("s-1", score=1)])
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set set_by = 1000000")

    report = await import_sessions(house.db, 1, [line("s-1", score=2)])

    assert report.problems == ["line 1: the session s-1 was set by a newer job meanwhile"]
    assert (await read(house, "s-1"))["score"] == 1


async def test_only_so_many_problems_are_kept(house: House) -> None:
    report = await import_sessions(house.db, 1, [b"{}\n"] * (PROBLEMS_KEPT + 1))

    assert (report.refused, len(report.problems)) == (PROBLEMS_KEPT + 1, PROBLEMS_KEPT)


async def test_nothing_to_import_is_fine(house: House) -> None:
    heard: list[int] = []

    report = await import_sessions(house.db, 1, [], on_batch=heard.append)

    assert (report.stored, report.refused, heard) == (0, 0, [0])


def test_a_line_is_read_or_refused_with_its_number() -> None:
    assert read_line(line("s-1"), 1).session_id == "s-1"
    assert read_line(line(None), 1).session_id != read_line(line(None), 1).session_id
    with pytest.raises(ValueError, match="line 17: `score` must be a number"):
        read_line(line("s-1", score=1e10), 17)
