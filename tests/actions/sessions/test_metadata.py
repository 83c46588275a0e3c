"""`sessions/metadata` get."""

from __future__ import annotations

from jobgate.testing import House
from tests.session_calls import entry, read, set_sessions


async def test_metadata_comes_back_as_it_was_stored(house: House) -> None:
    metadata = {
        "session_tags": [{"type": "t", "name": "n"}],
        "text": "ü\u2028😀",
        "number": 1.5,
        "null": None,
        "deep": {"": []},
    }
    await set_sessions(house, entry(metadata=metadata), entry("s-2", metadata=[]))

    first, second = await read(house, "sessions/metadata")

    assert first == {"user_id": "u-1", "activity_id": "a-1", "session_id": "s-1", "metadata": metadata}
    assert second["metadata"] == {}


async def test_it_takes_the_common_filters_and_pages(house: House) -> None:
    await set_sessions(house, entry(), entry("s-2", user_id="u-2"))

    reply = await house.call("sessions/metadata", "get", {"user_id": ["u-2"], "limit": 1})
    after = await house.call("sessions/metadata", "get", {"user_id": ["u-2"], "next": reply.meta["next"]})

    assert [record["session_id"] for record in reply.data] == ["s-2"]
    assert after.data == []
    assert after.meta["next"] == reply.meta["next"]
