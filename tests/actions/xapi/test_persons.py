"""xapi/persons: whom somebody has declared to be one human."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House
from tests.people import AGENTS, OTHERS, as_agent, as_group
from tests.stored_statements import look, make, record

ADA, DIGEST, SITE, ACCOUNT = AGENTS


async def declare(house: House, *persons: Any, **request: Any) -> Any:
    """Declare persons in the store `main`; the answer."""
    return await house.call("xapi/persons", "set", {"store": "main", "persons": list(persons)} | request)


async def read(house: House, **filters: Any) -> Any:
    """The persons of the store `main` that fit."""
    return (await house.call("xapi/persons", "get", {"store": "main"} | filters)).data


async def test_agents_are_joined_and_moved(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1, actor=ADA | {"name": "Ada"})])

    first, second = (await declare(house, [ADA, '{"openid": "https://ada.example/"}'], [ACCOUNT])).data

    assert first["agents"] == [as_agent({"name": "Ada"} | ADA), as_agent(SITE)]
    assert await read(house) == [second, first]
    assert await read(house, agent=SITE) == await read(house, id=[first["id"]]) == [first]

    again = (await declare(house, [SITE, ADA])).data
    (grown,) = (await declare(house, [DIGEST, ADA, SITE, SITE])).data
    assert again == [first]
    assert (grown["id"], len(grown["agents"])) == (first["id"], 3)

    (moved,) = (await declare(house, [ADA, ACCOUNT])).data
    assert moved["id"] == second["id"]  # it consists of nobody but these; the other keeps two
    left, joined = await read(house), (await read(house, agent=DIGEST))[0]
    assert [person["id"] for person in left] == [second["id"], first["id"]]
    assert joined["agents"] == [as_agent(SITE), as_agent(DIGEST)]

    await declare(house, [SITE, DIGEST, *OTHERS], [ADA], [ACCOUNT])
    assert len(await read(house)) == len(await look(house, "select from xapi_person")) == 3


NO_PERSONS: tuple[Any, ...] = (
    [[ADA], [SITE, ADA]],
    [[as_group(ADA)]],
    [[ADA | SITE]],
    [[{"name": "Ada"}]],
    [["ada"]],
    [[]],
    [],
    [[7]],
)


async def test_what_makes_no_person_is_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    for persons in NO_PERSONS:
        assert (await declare(house, *persons)).status == 400, persons

    assert await look(house, "select from xapi_agent") == []


async def test_lists_are_read_page_by_page(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await declare(house, *[[each] for each in AGENTS + OTHERS])

    for endpoint in ("persons", "agents"):
        found: list[str] = []
        following = None
        while not found or following:
            reply = await house.call(f"xapi/{endpoint}", "get", {"store": "main", "limit": 3, "next": following})
            found += [each["id"] for each in reply.data]
            following = reply.meta.get("next")
        assert len(set(found)) == len(found) == len(AGENTS + OTHERS)


async def test_a_stranger_sees_nobody(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    (person,) = (await declare(house, [ADA])).data
    await house.call("xapi/stores", "set", {"slug": "main"}, as_=house.stranger)

    for endpoint, filters in (("persons", {"id": [person["id"]]}), ("agents", {"person": person["id"]})):
        request = {"store": "main"} | filters
        assert (await house.call(f"xapi/{endpoint}", "get", request, as_=house.stranger)).data == []
        assert len((await house.call(f"xapi/{endpoint}", "get", request)).data) == 1
        assert (await house.call(f"xapi/{endpoint}", "get", {"store": "none"})).data == []
