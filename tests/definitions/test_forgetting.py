"""Executions are kept by how they ended; other jobs are not touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobgate import archive
from jobgate.definitions.forgetting import forget
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.definitions.factory import execute, look, save


async def end(house: House, state: str, days: int, *, is_execution: bool = True) -> None:
    """A job that ended so many days ago, and said something."""
    saved = await save(house)
    asked = await execute(house, saved.id)
    await look(
        house,
        "update job set state = $2, completed_at = now() - $3::interval,"
        " definition_id = case when $4 then definition_id end where reference = $1",
        asked.reference,
        state,
        timedelta(days=days),
        is_execution,
    )
    await look(house, "insert into job_log (job_id, severity, message) select max(id), 0, 'it' from job")


@pytest.mark.parametrize("is_archived", [False, True])
async def test_what_was_halted_is_kept_longer(make_house: MakeHouse, is_archived: bool) -> None:
    kept = {"completed_executions_kept_days": 10, "halted_executions_kept_days": 20}
    async with make_house(sweep_s=3600, archive_after_s=1, **kept) as house:
        for state in ("completed", "halted"):
            for days in (9, 11, 21):
                await end(house, state, days)
        await end(house, "completed", 30, is_execution=False)
        if is_archived:
            await archive_all(house)

        await forget(house.db, house.settings)

        jobs = await look(
            house,
            "select state, extract(day from now() - completed_at)::int as days from every_job order by state, days",
        )
        assert [(row["state"], row["days"]) for row in jobs] == [
            ("completed", 9),
            ("completed", 30),
            ("halted", 9),
            ("halted", 11),
        ]
        (logged,) = await look(house, "select count(*) from every_job_log")
        assert logged["count"] == 4


async def archive_all(house: House) -> None:
    """Move every job to the archive."""
    while await look(house, "select from job limit 1"):
        await archive.tend(house.db, house.settings, house.metrics)
