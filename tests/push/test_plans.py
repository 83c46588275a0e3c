"""Whatever waits and whatever was delivered: looking for work and reading pages walks an index."""

from __future__ import annotations

import re
import uuid
from typing import Any

from jobgate.testing import House
from tests.sessions.test_plans import general_plan, plan

_FILL = """
with target as (
    insert into push_target (organisation_id, id, url, kinds, secret)
    select 1, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'https://lms.example/', '{}', ''
    from generate_series(1, 20) as n returning id
), made as (
    insert into push_delivery (organisation_id, target_id, kind, session_id, body, state)
    select 1, ('00000000-0000-4000-8000-' || lpad((1 + n % 20)::text, 12, '0'))::uuid, 'session.status',
        's-' || n % 5000, '{}', case when n % 10 = 0 then 'queued' when n % 1000 = 1 then 'failed' else 'delivered' end
    from generate_series(1, 40000) as n returning target_id, id, state
)
insert into outbox (organisation_id, target_id, delivery_id, due_at, lease_until)
select 1, target_id, id, clock_timestamp() + (random() - 0.5) * interval '1 day', '-infinity'
from made where state = 'queued'
"""
TARGET = uuid.UUID("00000000-0000-4000-8000-000000000001")


async def test_every_statement_walks_its_own_index(house: House) -> None:
    async with house.db.transaction(1) as tx:
        await tx.connection.execute(_FILL)
    async with house.db.connection() as queries:
        await queries.connection.execute("analyze push_delivery, push_target, outbox")
    some = [uuid.uuid4() for _ in range(50)]
    page: list[Any] = [1, 2**63 - 1, None, None, 51]
    expected: dict[str, tuple[set[str], list[Any]]] = {
        "page_deliveries": ({"push_delivery_by_number"}, page),
        "page_deliveries_in_state": ({"push_delivery_by_state"}, [1, 2**63 - 1, "failed", TARGET, 51]),
        "page_deliveries_of_target": ({"push_delivery_by_target"}, [1, 2**63 - 1, None, TARGET, 51]),
        "page_deliveries_of_session": ({"push_delivery_by_session"}, [*page, "s-1"]),
        "page_deliveries_named": ({"push_delivery_pkey"}, [*page, some, None]),
        "find_tries": ({"push_try_pkey"}, [1, some]),
        "find_due_lines": ({"outbox_line"}, [[TARGET], 10]),
        "lock_target": ({"outbox_under_way"}, [1, TARGET]),
        "claim_deliveries": ({"outbox_line", "outbox_pkey", "push_delivery_pkey"}, [1, TARGET, 4, None]),
    }

    async with house.db.reading(1) as db:
        for name, (indexes, args) in expected.items():
            for told in (await plan(db, name, *args), await general_plan(db, name)):
                assert not re.search(r"Seq Scan on (push_delivery|push_try|outbox)", told), f"{name}\n{told}"
                used = set(re.findall(r"(?:using|Bitmap Index Scan on) (\w+)", told))
                assert used - {"push_target_pkey"} == indexes, f"{name}\n{told}"  # there are only twenty targets
