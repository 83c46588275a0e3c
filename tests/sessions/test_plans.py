"""Every page walks its own index, whatever the planner thinks of the filters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from jobgate.db import QUERIES, Transaction
from jobgate.testing import House

_EARLY = datetime(2025, 1, 1, tzinfo=UTC)
_LATE = datetime(9999, 12, 31, tzinfo=UTC)

_FILL = """
insert into session (organisation_id, session_id, user_id, activity_id, status, dt_saved, dt_started, updated_at,
    report_by)
select 1, 's-' || n, 'u-' || n % 4000, case when n < 8000 then 'large' else 'a-' || n % 200 end, 'Completed',
    now(), now(), timestamptz '2025-01-01' + n * interval '7.123 s', (n % 20 = 0)::integer
from generate_series(1, 20000) as n
"""


async def plan(db: Transaction, name: str, *args: Any) -> str:
    """How Postgres would run the statement with these arguments."""
    lines = await db.connection.fetch("explain " + QUERIES[name], *args)
    return "\n".join(line[0] for line in lines)


async def general_plan(db: Transaction, name: str) -> str:
    """How Postgres runs the statement once it has stopped looking at arguments."""
    statement = re.sub(r"^--.*", "", QUERIES[name], flags=re.MULTILINE)
    count = max(int(number) for number in re.findall(r"\$(\d+)", statement))
    await db.connection.execute(f"prepare {name} as {statement}")
    await db.connection.execute("set local plan_cache_mode = force_generic_plan")
    lines = await db.connection.fetch(f"explain execute {name}({', '.join(['null'] * count)})")
    await db.connection.execute(f"set local plan_cache_mode = auto; deallocate {name}")
    return "\n".join(line[0] for line in lines)


async def test_every_page_walks_its_own_index(house: House) -> None:
    async with house.db.transaction(1) as tx:
        await tx.connection.execute(_FILL)
    async with house.db.connection() as queries:
        await queries.connection.execute("analyze session")
    many = [f"u-{number}" for number in range(1000)]
    narrowest: dict[str, tuple[str, list[list[Any]]]] = {
        "page_sessions": ("session_by_update", [[]]),
        "page_reports": ("session_with_report", [[]]),
        "page_sessions_of_activities": ("session_by_activity_update", [[["large"]], [["a-1", "large"]]]),
        "page_sessions_of_users": ("session_by_user", [[["u-1"], None], [many, None], [many, ["large", *many]]]),
        "page_sessions_named": ("session_pkey", [[["s-1"], None, None], [["s-1"] * 200, many, ["large"]]]),
    }
    narrowest = {
        kind: (index, [[*list_, reported] for list_ in lists for reported in (False, True)] if lists[0] else lists)
        for kind, (index, lists) in narrowest.items()
    }
    others: list[list[Any]] = [[None] * 5, [["Completed"], _EARLY, _LATE, None, None]]

    async with house.db.reading(1) as db:
        for kind, (index, lists) in narrowest.items():
            for name, bounds in ((f"{kind}_asc", (_EARLY, 0, _LATE)), (f"{kind}_desc", (_LATE, 2**62, _EARLY))):
                plans = [await plan(db, name, 1, *bounds, 50, *other, *list_) for other in others for list_ in lists]
                for found in (await general_plan(db, name), *plans):
                    assert index in found, (name, found)
                    assert "Seq Scan" not in found, (name, found)
                    assert "Bitmap" not in found or kind == "page_sessions_named", (name, found)
