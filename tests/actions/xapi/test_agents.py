"""xapi/agents: whom statements name."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House
from tests.people import AGENTS, as_group
from tests.stored_statements import make, record

ADA, _, SITE, ACCOUNT = AGENTS


async def read(house: House, **filters: Any) -> Any:
    """The agents of the store `main` that fit."""
    return (await house.call("xapi/agents", "get", {"store": "main"} | filters)).data


async def test_agents_are_read_as_the_standard_writes_them(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    team = as_group(SITE, ADA | {"name": "Ada"})
    await record(house, [make(1, actor=team), make(2, actor=ACCOUNT)])
    await record(house, [make(3, actor=ACCOUNT)], pseudonymize_statements=True)

    pseudonym, account, *rest = await read(house)

    assert account["agent"] == {"objectType": "Agent"} | ACCOUNT
    assert sorted((each["agent"] for each in rest), key=str) == sorted(
        [{"objectType": "Agent", "name": "Ada"} | ADA, team], key=str
    )
    assert (pseudonym["pseudonymized"], account["pseudonymized"]) == (True, False)
    assert await read(house, pseudonymized=True) == [pseudonym]
    assert await read(house, agent=ACCOUNT | {"name": "whoever"}) == await read(house, id=[account["id"]]) == [account]
    assert await read(house, agent=ACCOUNT, id=[pseudonym["id"]]) == []
