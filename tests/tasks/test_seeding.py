"""Jobs of jobs/seeding: a store has the statements of a configuration, each once, whatever dies meanwhile."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from jobgate import wire
from jobgate.tasks.seeding import CHUNK_STATEMENTS
from jobgate.testing import House
from jobgate.xapi.seeding import Sower, find_seeding
from tests.conftest import MakeHouse
from tests.killing import kill_worker
from tests.stored_statements import look

COUNTS = ("statement", "agent", "activity", "term", "statement_agent", "statement_activity")


async def plan(house: House, **params: Any) -> Any:
    """Save a seeding of the store `main` that is to run at once; the answer."""
    request = {"repeat": "on", "date": "2999-01-01", "replay": True, "store": "main"} | params
    return await house.call("jobs/seeding", "set", request)


async def seed(house: House, **params: Any) -> dict[str, Any]:
    """Run a seeding to its end; what became of its statements."""
    assert (await plan(house, **params)).status == 200
    await house.carry()
    return await tell(house)


async def tell(house: House) -> dict[str, Any]:
    """The result of the last job."""
    (job,) = (await house.call("jobs", "get", {"include": ["results", "error"], "limit": 1})).data
    (result,) = job["results"]
    assert isinstance(result, dict)
    return result


OF_STORE = "where store_id = (select id from xapi_store where slug = $1)"


async def count(house: House, store: str = "main") -> dict[str, int]:
    """How many rows a store has."""
    found = {name: await look(house, f"select count(*) from xapi_{name} {OF_STORE}", store) for name in COUNTS}
    return {name: row["count"] for name, (row,) in found.items()}


async def fingerprint(house: House, store: str) -> str:
    """Of all that a store has, but for the times at which it was recorded."""
    what = "id, raw::jsonb - 'stored' as raw, voided"
    rows = await look(house, f"select {what} from xapi_statement {OF_STORE} order by id", store)
    return sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


async def test_a_store_gets_the_statements_of_a_configuration(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    result = await seed(house, config="varied", count=700)

    assert result == {"status": "ok", "recorded": 700, "known": 0, "rejected": 0}
    seeding = find_seeding("varied")
    assert seeding is not None
    made = {statement["id"]: statement for statement in Sower(seeding.sow(count=700)).make(0, 700)}
    rows = await look(house, "select id, raw, validated, valid, client from xapi_statement")
    assert {str(row["id"]) for row in rows} == made.keys()
    for row in rows:
        raw = wire.decode(row["raw"], dict[str, Any])
        assert made[raw["id"]].items() <= raw.items()
        assert (row["validated"], row["valid"], row["client"]) == (True, True, "jobs/seeding")


async def test_the_same_again_adds_nothing_and_another_seed_adds_others(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await seed(house, count=20)

    again = await seed(house, count=20)
    other = await seed(house, count=20, seed="2")

    assert again == {"status": "ok", "recorded": 0, "known": 20, "rejected": 0}
    assert other == {"status": "ok", "recorded": 20, "known": 0, "rejected": 0}


async def test_what_was_changed_since_is_left_alone(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await seed(house, count=20)
    await look(house, "update xapi_statement set raw = replace(raw::text, 'seeding.example', 'x.example')::json")

    result = await seed(house, count=20)

    assert result["rejected"] == 20
    assert (await count(house))["statement"] == 20


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House) -> None:
    statements = 3 * CHUNK_STATEMENTS // 2
    ends = []
    for store in ("calm", "main"):
        await house.call("xapi/stores", "set", {"slug": store})
        await plan(house, store=store, config="varied", count=statements)
        if store == "main":
            await kill_worker(house, "before checkpoint_job", 2)
            assert (await count(house, store))["statement"] == CHUNK_STATEMENTS
        await house.carry()
        ends.append((await tell(house), await count(house, store), await fingerprint(house, store)))

    calm, killed = ends
    assert calm[0] == {"status": "ok", "recorded": statements, "known": 0, "rejected": 0}
    assert killed == calm


@pytest.mark.parametrize("config", ["other", "", "../default", "x" * 65])
async def test_an_unknown_configuration_is_refused_on_create(house: House, config: str) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    typed = await plan(house, config=config)
    params = {"store": "main", "config": config}
    saved = await house.call("jobs/definitions", "set", {"name": "n", "type": "seeding", "params": params})

    assert (typed.status, saved.status) == (400, 400)
    assert "config" in typed.meta["message"]


async def test_a_store_is_required(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    missing = await house.call("jobs/seeding", "set", {"repeat": "now"})
    unknown = await plan(house, store="other")

    assert (missing.status, missing.code) == (400, 20000)
    assert (unknown.status, unknown.code) == (400, 20004)


async def test_ones_own_configurations_are_used_and_judged(make_house: MakeHouse, tmp_path: Path) -> None:
    seeding = find_seeding("default")
    assert seeding is not None
    (tmp_path / "ours.json").write_bytes(wire.encode(seeding.sow(count=7)))
    (tmp_path / "broken.json").write_bytes(wire.encode(seeding).replace(b'"lesson",', b'"lessen",'))

    async with make_house(seedings_dir=str(tmp_path)) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        result = await seed(house, config="ours")
        refused = await plan(house, config="broken")

    assert result["recorded"] == 7
    assert (refused.status, refused.code) == (400, 20004)
    assert "statements.objects names `lessen`" in refused.meta["message"]


async def test_a_configuration_that_is_gone_halts_the_run(make_house: MakeHouse, tmp_path: Path) -> None:
    seeding = find_seeding("default")
    assert seeding is not None
    (tmp_path / "ours.json").write_bytes(wire.encode(seeding))

    async with make_house(seedings_dir=str(tmp_path)) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        await plan(house, config="ours")
        (tmp_path / "ours.json").unlink()
        await house.carry()
        (job,) = (await house.call("jobs", "get", {"include": ["status", "error"], "status": ["halted"]})).data

    assert job["status"] == "halted"
    assert "no such configuration" in job["error"]["message"]
