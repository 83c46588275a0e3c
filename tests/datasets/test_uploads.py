"""Files put to upload URLs: what is taken, what is refused, and that a refused file leaves everything as it was."""

from __future__ import annotations

import asyncio
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.datasets.uploads import receive
from jobgate.embedded import Servers
from jobgate.testing import House, open_house
from tests.conftest import MakeHouse
from tests.datasets.samples import SESSIONS, line, put, set_dataset


@pytest.fixture(scope="module")
async def house(servers: Servers) -> AsyncIterator[House]:
    """One for all: every test has datasets of its own."""
    async with open_house(servers) as house:
        async with house.db.transaction() as tx:
            await tx.connection.execute("update consumer set unlimited = true")
        yield house


async def open_file(house: House) -> str:
    """A dataset with one file that holds one line; the URL of the file."""
    (url,) = (await set_dataset(house))["input_files"]
    assert (await put(house, url, line("ann", "north"))).data == {"lines": 1}
    return str(url)


async def members(house: House, url: str) -> list[tuple[str, list[str]]]:
    """What is stored of the dataset that the URL belongs to."""
    dataset_id = uuid.UUID(url.split("/")[4])
    async with house.db.reading(1) as tx:
        rows = await tx.connection.fetch(
            "select user_id, group_path from dataset_member where dataset_id = $1 order by user_id, group_path",
            dataset_id,
        )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b"", []),
        (b"\n \r\n\n", []),
        (line("a", "x", "y"), [("a", ["x", "y"])]),
        (line("a") + b"\n\n" + line("b") + b"\r\n", [("a", []), ("b", [])]),
        (line("a", "x", sessions=["s", "t"]), [("a", ["x"])]),
        (b'{"user_id":"a","group_path":[],"session_ids":null,"x":1}', [("a", [])]),
        (line("a", "\u00e4\n\t\\N") + b"\n", [("a", ["\u00e4\n\t\\N"])]),
        (line("a", "x") + b"\n" + line("a", "y"), [("a", ["x"]), ("a", ["y"])]),
    ],
)
async def test_a_file_replaces_the_one_before(house: House, body: bytes, stored: list[Any]) -> None:
    url = await open_file(house)

    reply = await put(house, url, body)

    assert reply.data == {"lines": len(stored)}
    assert await members(house, url) == stored


@pytest.mark.parametrize(
    ("bad", "code", "message"),
    [
        (b"{", 20009, "line 3: the line is not JSON"),
        (b"user,group", 20009, "line 3: the line is not JSON"),
        (b"\xff", 20009, "line 3: the line is not"),
        (b'{"user_id":"\xff","group_path":[]}', 20009, "line 3: the line is not UTF-8"),
        (b'{"user_id":"a\\u0000","group_path":[]}', 20009, "line 3: must not hold the character \\u0000"),
        (b'{"user_id":"a","group_path":["\\u0000"]}', 20009, "line 3: must not hold the character \\u0000"),
        (b'{"user_id":"a","group_path":[],"x":' + b"[" * 5000, 20009, "line 3: the line is"),
        (b"[]", 20003, "line 3: the line must be an object, not an array"),
        (b'{"group_path":[]}', 20000, "line 3: `user_id` must have a non-null value"),
        (b'{"user_id":"a"}', 20000, "line 3: `group_path` must have a non-null value"),
        (b'{"user_id":7,"group_path":[]}', 20003, "line 3: `user_id` must be a string, not an integer"),
        (b'{"user_id":"","group_path":[]}', 20001, "line 3: `user_id` must contain 1 or more characters"),
        (b'{"user_id":"a","group_path":"x"}', 20003, "line 3: `group_path` must be an array, not a string"),
        (line("a" * 51), 20001, "line 3: `user_id` must contain at most 50 characters"),
        (line("a", *["x"] * 17), 20002, "line 3: `group_path` must contain at most 16 entries"),
        (line("a", "x" * 257), 20001, "must contain at most 256 characters"),
        (line("a", ""), 20001, "must contain 1 or more characters"),
        (line("a", sessions=["s"] * 51), 20002, "line 3: `session_ids` must contain at most 50 entries"),
        (line("a", sessions=[""]), 20001, "line 3: `session_ids[0]` must contain 1 or more characters"),
        (b'{"user_id":"a","group_path":[],"session_ids":7}', 20003, "line 3: `session_ids` must be an array"),
        (line("a", sessions=["\0"]), 20009, "line 3: must not hold the character \\u0000"),
        (b" " * 65537 + line("a"), 20002, "line 3: must not be longer than 65536 bytes"),
    ],
)
async def test_a_bad_line_refuses_the_whole_file_and_is_named(
    house: House, bad: bytes, code: int, message: str
) -> None:
    url = await open_file(house)

    reply = await put(house, url, b"\n".join([line("bob"), b"", bad, line("cid")]))

    assert (reply.status, reply.code) == (400, code)
    assert message in reply.meta["message"]
    assert await members(house, url) == [("ann", ["north"])]


async def test_a_line_without_sessions_is_refused_where_sessions_are_what_counts(house: House) -> None:
    (url,) = (await set_dataset(house, dataset_type=SESSIONS))["input_files"]

    reply = await put(house, url, b"\n".join([line("ann", sessions=[]), line("bob")]))

    assert (reply.status, reply.code) == (400, 20000)
    assert reply.meta["message"] == "line 2: `session_ids` must have a non-null value"


async def test_a_user_has_at_most_50_sessions_in_all_files(house: House) -> None:
    first, second = (await set_dataset(house, dataset_type=SESSIONS, file_count=2))["input_files"]
    some = [f"session-{number}" for number in range(50)]
    assert (await put(house, first, line("bob", sessions=some[:1]) + b"\n" + line("ann", sessions=some))).status == 200

    assert (await put(house, second, line("ann", "x", sessions=some))).data == {"lines": 1}
    reply = await put(house, second, line("bob", sessions=some) + b"\n" + line("ann", "x", sessions=["another"]))

    assert reply.code == 20002
    assert reply.meta["message"].startswith("user 'ann' must not have more than 50 sessions")
    assert await members(house, first) == [("ann", []), ("ann", ["x"]), ("bob", [])]


async def test_a_user_is_in_at_most_1000_lines_that_name_sessions(house: House) -> None:
    (url,) = (await set_dataset(house, dataset_type=SESSIONS))["input_files"]

    assert (await put(house, url, b"\n".join([line("ann", sessions=["s"])] * 1000))).data == {"lines": 1000}
    assert (await put(house, url, b"\n".join([line("ann", sessions=["s"])] * 1001))).code == 20002


async def test_a_bad_line_in_the_middle_of_50_000_is_named(house: House) -> None:
    url = await open_file(house)
    lines = [line(f"user-{number}", "class") for number in range(50_000)]
    lines[25_000] = b'{"user_id": "user-25000"}'

    reply = await put(house, url, b"\n".join(lines))

    assert (reply.status, reply.code) == (400, 20000)
    assert reply.meta["message"] == "line 25001: `group_path` must have a non-null value"
    assert await members(house, url) == [("ann", ["north"])]


async def test_a_file_with_too_many_bytes_is_refused(make_house: MakeHouse) -> None:
    async with make_house(max_upload=100) as house:
        (url,) = (await set_dataset(house))["input_files"]
        body = line("ann").ljust(100)

        assert (await put(house, url, body)).data == {"lines": 1}
        assert (await put(house, url, body + b" ")).code == 20002


async def test_a_file_with_too_many_lines_is_refused(house: House) -> None:
    url = await open_file(house)

    reply = await put(house, url, (line("a") + b"\n") * 200_001)

    assert reply.code == 20002
    assert reply.meta["message"] == "a file must not have more than 200000 lines"
    assert await members(house, url) == [("ann", ["north"])]


async def test_files_of_one_dataset_do_not_replace_each_other(house: House) -> None:
    first, second = (await set_dataset(house, file_count=2))["input_files"]

    await put(house, first, line("ann"))
    await put(house, second, line("bob"))
    await put(house, first, line("cid"))

    assert await members(house, first) == [("bob", []), ("cid", [])]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("organisation=1", "organisation=2"),
        ("organisation=1", "organisation=%D9%A1"),
        ("organisation=1&", ""),
        ("/1?", "/2?"),
        ("/1?", "/x?"),
        ("/1?", "/01?"),
        ("expires=1", "expires=2"),
        ("expires=1", "expires=x"),
        ("signature=", "signature=0"),
        ("signature=", "signature=%C3%A4"),
        ("signature=", "sig="),
        ("uploads/", "uploads/no-uuid-"),
    ],
)
async def test_a_changed_url_is_refused(house: House, old: str, new: str) -> None:
    url = await open_file(house)
    assert old in url

    reply = await put(house, url.replace(old, new), line("bob"))

    assert (reply.status, reply.code) == (403, 41003)
    assert await members(house, url) == [("ann", ["north"])]


async def test_a_url_works_for_an_hour(house: House) -> None:
    past = datetime.fromtimestamp(datetime.now(UTC).timestamp() - 3601, UTC)
    url = await open_file(house)
    path = {"dataset_id": url.split("/")[4], "number": "1"}
    query = dict(pair.split("=") for pair in url.partition("?")[2].split("&"))
    handed_out_at = float(query["expires"]) - 3600

    async def receive_at(now_s: float) -> dict[str, int]:
        return await receive(house.db, house.gate.key, house.settings, path, query, stream(b""), now_s)

    assert past.timestamp() < handed_out_at
    assert await receive_at(handed_out_at + 3600) == {"lines": 0}
    with pytest.raises(Exception, match="has expired"):
        await receive_at(handed_out_at + 3601)


async def test_a_url_ends_with_the_file_that_it_was_for(house: House) -> None:
    answer = await set_dataset(house, file_count=2)
    await set_dataset(house, dataset_id=answer["dataset_id"], file_count=1)

    reply = await put(house, answer["input_files"][1], line("ann"))

    assert (reply.status, reply.code) == (400, 50000)


async def test_a_client_that_leaves_in_the_middle_leaves_everything_as_it_was(house: House) -> None:
    url = await open_file(house)
    path, _, query = url.removeprefix("http://127.0.0.1:8080").partition("?")
    inbox = [{"type": "http.disconnect"}, {"type": "http.request", "body": line("bob") + b"\n", "more_body": True}]
    statuses: list[int] = []

    async def hear() -> Any:
        return inbox.pop()

    async def answer(message: Any) -> None:
        statuses.append(message.get("status", 0))

    scope: Any = {
        "type": "http",
        "method": "PUT",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
        "client": None,
    }
    await house.app(scope, hear, answer)

    assert statuses[0] == 408
    assert house.gate.in_flight == 0
    assert await members(house, url) == [("ann", ["north"])]


async def test_files_of_one_dataset_may_arrive_together(house: House) -> None:
    urls = (await set_dataset(house, file_count=4))["input_files"]

    replies = await asyncio.gather(*[put(house, url, line(f"user-{n}")) for n, url in enumerate(urls)])

    assert [reply.status for reply in replies] == [200] * 4
    assert len(await members(house, urls[0])) == 4


async def test_a_large_file_passes_through_little_memory(house: House) -> None:
    answer = await set_dataset(house)
    url = answer["input_files"][0]
    query = dict(pair.split("=") for pair in url.partition("?")[2].split("&"))
    path = {"dataset_id": answer["dataset_id"], "number": "1"}
    lines = 40_000
    pieces = [line(f"user-{number}", "x" * 200, "y" * 200) + b"\n" for number in range(lines)]
    body = stream(*[b"".join(pieces[start : start + 100]) for start in range(0, lines, 100)])

    tracemalloc.start()
    taken = await receive(house.db, house.gate.key, house.settings, path, query, body, 0)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken == {"lines": lines}
    assert len(await members(house, url)) == lines
    assert sum(map(len, pieces)) > 17_000_000
    assert peak_bytes < 17_000_000


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    """A body that arrives in these pieces."""
    for piece in pieces:
        yield piece
