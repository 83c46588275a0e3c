"""Postgres that is restarted, ends connections, or answers nobody."""

from __future__ import annotations

from tests.chaos.stage import Stage
from tests.faults.storms import loaded


async def test_a_crash_of_postgres_costs_503_and_nothing_else(stage: Stage) -> None:
    async with loaded(stage, long=0.1):
        await stage.injector.restart_postgres()


async def test_one_connection_that_postgres_ends_costs_at_most_its_statement(stage: Stage) -> None:
    async with loaded(stage, long=0.1):
        await stage.injector.terminate_one()


async def test_all_connections_that_postgres_ends_are_made_anew(stage: Stage) -> None:
    async with loaded(stage, long=0.1):
        await stage.injector.terminate_all()

    async with stage.servers.looking() as connection:
        ours = await connection.fetchval(
            "select count(*) from pg_stat_activity where application_name like 'jobgate %' and state <> 'idle'"
        )
    assert ours <= len(stage.fleet.all)  # at most a look each: no transaction was left open


async def test_a_commit_whose_answer_never_came_is_found_again(stage: Stage) -> None:
    before = stage.line.cuts
    async with loaded(stage, long=0.1):
        for _ in range(4):
            await stage.injector.cut_commit()

    assert stage.line.cuts == before + 4
