"""Reads of a large bank walk an index, whatever the planner thinks of it."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.testing import House
from tests.sessions.test_plans import general_plan, plan

_FILL = """
insert into bank_entry (organisation_id, kind, reference, version, body, set_at)
select 1, kind, kind || '-' || n, version, '{"questions": [{"reference": "question-1"}]}', now()
from unnest(array['question', 'item', 'activity']) as kind, generate_series(1, 2000) as n,
    generate_series(1, 3) as version
"""
_LAST = 2**62


@pytest.mark.parametrize(
    ("name", "args", "index"),
    [
        ("page_bank_entries", [1, "item", _LAST, None, 51, 10**7], "bank_entry_by_age"),
        ("page_bank_entries_named", [1, "item", _LAST, None, 51, 10**7, ["item-1", "item-2"]], "bank_entry_pkey"),
        ("page_questions_of_items", [1, ["item-1"] * 1000, 0, 0, 51, 10**7], "bank_entry_pkey"),
        ("find_items_to_take", [1, ["item-1"] * 1000, [None] * 1000], "bank_entry_pkey"),
        ("set_bank_entries", [1, "item", ["item-1"] * 50, [b"{}"] * 50], "bank_entry_pkey"),
    ],
)
async def test_every_statement_walks_an_index(house: House, name: str, args: list[Any], index: str) -> None:
    async with house.db.transaction(1) as tx:
        await tx.connection.execute(_FILL)
    async with house.db.connection() as queries:
        await queries.connection.execute("analyze bank_entry")

    async with house.db.transaction(1) as tx:
        for found in (await plan(tx, name, *args), await general_plan(tx, name)):
            assert index in found, found
            assert "Seq Scan" not in found, found
