"""Definitions to test with."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from jobgate import definitions
from jobgate.definitions import Checked, Definition, Draft
from jobgate.schedule import Schedule
from jobgate.testing import House

EMPTY = Checked(b'{"statuses":[]}', 1, None)


async def save(house: House, now: datetime | None = None, organisation_id: int = 1, **what: Any) -> Definition:
    """Save a definition of jobs that do nothing; keywords are those of a draft, and `schedule` may be a dict."""
    if isinstance(what.get("schedule"), dict):
        what["schedule"] = Schedule(**what["schedule"])
    draft = {"consumer_key": house.home.key, "name": "it", "type": "sessionstatusupdate", "checked": EMPTY}
    async with house.db.transaction(organisation_id) as tx:
        now = now or await definitions.read_clock(tx)
        return await definitions.save(tx, organisation_id, Draft(**(draft | what)), now)


async def find(house: House, organisation_id: int = 1, **filters: Any) -> list[Definition]:
    """The definitions of an organisation."""
    async with house.db.reading(organisation_id) as tx:
        return await definitions.find(tx, organisation_id, **({"limit": 50} | filters))


async def execute(house: House, id: uuid.UUID, **what: Any) -> definitions.Execution:
    """Ask for an execution."""
    async with house.db.transaction(1) as tx:
        return await definitions.execute(tx, 1, id, house.home.key, **what)


async def look(house: House, sql: str, *args: Any) -> list[dict[str, Any]]:
    """Rows as organisation 1 sees them."""
    async with house.db.transaction(1) as tx:
        return [dict(row) for row in await tx.connection.fetch(sql, *args)]
