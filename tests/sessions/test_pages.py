"""Paging over sessions: nothing is ever skipped, whoever writes meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.errors import ApiError
from jobgate.sessions.pages import Cursor, read_token
from jobgate.testing import House, Reply
from tests.session_calls import entry, ids, set_sessions, settle

ENDPOINT = "sessions/statuses"


async def page(house: House, token: str | None = None, **request: Any) -> Reply:
    """One page, after the token of another."""
    return await house.call(ENDPOINT, "get", request | ({} if token is None else {"next": token}))


def ids_of(reply: Reply) -> list[str]:
    """The sessions of a page."""
    return [record["session_id"] for record in reply.data]


async def test_a_walk_visits_every_session_once_in_the_order_of_updates(house: House) -> None:
    await set_sessions(house, *(entry(f"s-{number}") for number in range(5)))
    await set_sessions(house, entry("s-1"))

    first = await page(house, limit=2)
    second = await page(house, first.meta["next"], limit=2)
    third = await page(house, second.meta["next"], limit=2)
    end = await page(house, third.meta["next"], limit=2)

    assert [ids_of(each) for each in (first, second, third, end)] == [["s-0", "s-2"], ["s-3", "s-4"], ["s-1"], []]
    assert [each.meta["records"] for each in (first, second, third, end)] == [2, 2, 1, 0]
    assert end.meta["next"] == third.meta["next"]


@pytest.mark.parametrize(
    "filters", [{"user_id": ["u-1"]}, {"activity_id": ["a-1"]}, {"session_id": ["s-1", "s-2", "s-3"]}]
)
async def test_filtered_walks_go_on_where_they_were(house: House, filters: dict[str, Any]) -> None:
    await set_sessions(house, *(entry(f"s-{number}") for number in (1, 2, 3)))

    first = await page(house, limit=2, **filters)
    second = await page(house, first.meta["next"], limit=2, **filters)
    end = await page(house, second.meta["next"], limit=2, **filters)

    assert [ids_of(each) for each in (first, second, end)] == [["s-1", "s-2"], ["s-3"], []]
    backwards = await page(house, limit=2, sort="desc", **filters)
    rest = await page(house, backwards.meta["next"], limit=2, sort="desc", **filters)
    assert [ids_of(each) for each in (backwards, rest)] == [["s-3", "s-2"], ["s-1"]]


async def test_a_changed_session_comes_once_more(house: House) -> None:
    await set_sessions(house, entry("s-1"), entry("s-2"))
    end = await page(house)

    await set_sessions(house, entry("s-1", session_duration=7))
    again = await page(house, end.meta["next"])

    assert [(record["session_id"], record["session_duration"]) for record in again.data] == [("s-1", 7)]


async def test_the_token_of_an_empty_first_page_resumes(house: House) -> None:
    empty = await page(house)
    await set_sessions(house, entry("s-1"))

    assert empty.data == []
    assert ids_of(await page(house, empty.meta["next"])) == ["s-1"]


async def test_what_is_still_being_written_holds_back_what_is_newer(house: House) -> None:
    await set_sessions(house, entry("s-1"), entry("s-2"))
    start = await page(house)

    async with house.db.transaction(1) as slow:
        await slow.connection.execute("update session set updated_at = clock_timestamp() where session_id = 's-1'")
        async with house.db.transaction(1) as quick:
            await quick.connection.execute("update session set updated_at = clock_timestamp() where session_id = 's-2'")
        during = await page(house, start.meta["next"])
    await settle(house)
    after = await page(house, start.meta["next"])

    assert during.data == []
    assert during.meta["next"] == start.meta["next"]
    assert ids_of(after) == ["s-1", "s-2"]


async def test_a_transaction_that_has_not_read_the_clock_yet_holds_back_too(house: House) -> None:
    await set_sessions(house, entry("s-1"), entry("s-2"))
    start = await page(house)

    async with house.db.transaction(1) as slow:
        async with house.db.transaction(1) as quick:
            await quick.connection.execute("update session set updated_at = clock_timestamp() where session_id = 's-2'")
        during = await page(house, start.meta["next"])
        await slow.connection.execute("update session set updated_at = clock_timestamp() where session_id = 's-1'")
    await settle(house)

    assert during.data == []
    assert ids_of(await page(house, start.meta["next"])) == ["s-2", "s-1"]


async def test_a_reader_among_writers_ends_with_the_last_state_of_every_session(house: House) -> None:
    names = [f"s-{number:02}" for number in range(20)]
    await set_sessions(house, *(entry(name) for name in names))
    seen: dict[str, int] = {}

    async def write(seed: int) -> None:
        for turn in range(15):
            async with house.db.transaction(1) as tx:
                for step in range(3):
                    await tx.connection.execute(
                        "update session set session_duration = session_duration + 1, updated_at = clock_timestamp()"
                        " where session_id = $1",
                        f"s-{seed * 5 + (turn + step) % 5:02}",
                    )

    async def follow(token: str | None) -> str:
        reply = await page(house, token, limit=3)
        seen.update((record["session_id"], record["session_duration"]) for record in reply.data)
        following = reply.meta["next"]
        assert isinstance(following, str)
        return following

    writers = [asyncio.create_task(write(seed)) for seed in range(4)]
    token = await follow(None)
    while not all(writer.done() for writer in writers):
        token = await follow(token)
    await asyncio.gather(*writers)
    await settle(house)
    while (following := await follow(token)) != token:
        token = following

    async with house.db.reading(1) as db:
        rows = await db.connection.fetch("select session_id, session_duration from session")
    assert seen == {row["session_id"]: row["session_duration"] for row in rows}
    assert sum(seen.values()) == 4 * 15 * 3


async def test_sessions_updated_in_the_same_microsecond_are_told_apart_by_their_ids(house: House) -> None:
    await set_sessions(house, *(entry(f"s-{number}") for number in range(4)))
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set updated_at = '2020-01-01 00:00:00.000001'")

    first = await page(house, limit=3)
    second = await page(house, first.meta["next"], limit=3)
    backwards = await page(house, limit=3, sort="desc")
    rest = await page(house, backwards.meta["next"], limit=3)

    assert [ids_of(first), ids_of(second)] == [["s-0", "s-1", "s-2"], ["s-3"]]
    assert [ids_of(backwards), ids_of(rest)] == [["s-3", "s-2", "s-1"], ["s-0"]]


async def test_descending_pages_show_the_newest_and_end(house: House) -> None:
    await set_sessions(house, *(entry(f"s-{number}") for number in range(4)))

    first = await page(house, sort="desc", limit=2)
    second = await page(house, first.meta["next"], sort="desc", limit=2)

    assert [ids_of(first), ids_of(second)] == [["s-3", "s-2"], ["s-1", "s-0"]]
    assert "next" in first.meta
    assert "next" not in second.meta
    assert "next" not in (await page(house, sort="desc", session_id=["unknown"])).meta


async def test_bounds_hold_on_every_page(house: House) -> None:
    await set_sessions(house, *(entry(f"s-{number}") for number in range(6)))
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set updated_at = timestamptz '2020-01-01' + id * interval '1 s'")
        rows = await tx.connection.fetch("select updated_at from session order by id")
    bounds = {"mintime": rows[1][0].isoformat(), "maxtime": rows[4][0].isoformat(), "limit": 3}

    first = await page(house, **bounds)
    second = await page(house, first.meta["next"], **bounds)
    backwards = await page(house, sort="desc", **bounds)
    rest = await page(house, backwards.meta["next"], sort="desc", **bounds)

    assert [ids_of(first), ids_of(second)] == [["s-1", "s-2", "s-3"], ["s-4"]]
    assert [ids_of(backwards), ids_of(rest)] == [["s-4", "s-3", "s-2"], ["s-1"]]
    assert (await page(house, second.meta["next"], **bounds)).data == []


async def test_a_token_belongs_to_its_direction(house: House) -> None:
    await set_sessions(house, entry("s-1"), entry("s-2"))
    ascending = (await page(house, limit=1)).meta["next"]
    descending = (await page(house, limit=1, sort="desc")).meta["next"]

    assert (await page(house, ascending, sort="desc")).code == 20004
    assert (await page(house, descending, sort="asc")).code == 20004
    assert await ids(house, next=ascending) == await ids(house, next=ascending, sort="asc") == ["s-2"]
    assert await ids(house, next=descending) == await ids(house, next=descending, sort="desc") == ["s-1"]


async def test_a_token_of_another_organisation_opens_nothing(house: House) -> None:
    await set_sessions(house, entry("s-1"), entry("s-2"))
    token = (await page(house, limit=1)).meta["next"]

    assert (await house.call(ENDPOINT, "get", {"next": token}, as_=house.stranger)).data == []


def test_a_token_keeps_microseconds_and_large_ids() -> None:
    cursor = Cursor(datetime(2015, 10, 19, 0, 57, 31, 116501, tzinfo=UTC), 2**53 + 1)

    assert cursor.show("asc") == "1445216251.116501.9007199254740993"
    assert cursor.show("desc") == "1445216251.116501.9007199254740993.desc"
    assert read_token(cursor.show("asc")) == (cursor, "asc")
    assert read_token(cursor.show("desc")) == (cursor, "desc")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "1445216251",
        "1445216251.116501",
        "1445216251.1165.5",
        "01445216251.116501.5",
        "1445216251.116501.05",
        "1445216251.116501.5.asc",
        "1445216251.116501.5.desc.desc",
        "-1445216251.116501.5",
        "1445216251.116501.-5",
        " 1445216251.116501.5",
        "1445216251.116501.5\n",
        "\uff11445216251.116501.5",
        "999999999999.000000.1",
        "1445216251.116501.9999999999999999999",
        "1445216251.116501.5; drop table session",
    ],
)
def test_anything_else_is_no_token(token: str) -> None:
    with pytest.raises(ApiError) as refused:
        read_token(token)

    assert refused.value.code.number == 20004
    assert refused.value.message.startswith("`next` must be a token that a page answered")
