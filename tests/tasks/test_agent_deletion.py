"""Jobs of jobs/agent-deletion: no trace of somebody stays, and nothing of anybody else goes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from jobgate import wire
from jobgate.conformance.samples import ATTACHMENT
from jobgate.keys import OuterKey
from jobgate.stores.pseudonym_keys import find_pseudonyms
from jobgate.testing import House
from tests.killing import kill_worker
from tests.people import AGENTS, OTHERS, as_group, find_traces, group_of, write_statements
from tests.stored_statements import id_of, look, make, plan_job, read_last_job, read_raws, record, run_job
from tests.xapi.test_pseudonyms import ODD

ADA, DIGEST, SITE, ACCOUNT = AGENTS
HERS = {"authority_name": "ada-1815", "authority_homepage": "https://school.example"}
SHA1 = {"mbox_sha1sum": "24d17674de9ee9705940708722e8d5dca329dc1f"}
"""Of the mbox."""


async def delete(house: House, agent: Any = ADA, **params: Any) -> dict[str, Any]:
    """Run a deletion to its end; what it counted."""
    job = await run_job(house, "agent-deletion", agent=agent, **({"person": False} | params))
    (result,) = job["results"]
    assert result["status"] == "ok"
    found: dict[str, Any] = result["found"] if params.get("dry_run") else result["deleted"]
    return found


async def join(house: House, *agents: Any) -> None:
    """Declare that these are one person."""
    assert (await house.call("xapi/persons", "set", {"store": "main", "persons": [list(agents)]})).status == 200


async def write_profile(house: House, agent: Any, id: str = "settings") -> None:
    """An agent profile of somebody."""
    profile = {"store": "main", "service": "agent-profiles", "agent": agent, "profile_id": id, "content": {}}
    assert (await house.call("xapi/documents", "set", profile)).status == 200


async def add_token(house: House, agent: Any) -> None:
    """A cmi5 token for somebody."""
    sql = (
        "insert into xapi_token (organisation_id, store_id, digest, activity_iri, agent, agent_id)"
        " select 1, id, $1, 'https://school.example/quiz/1', $2, $3 from xapi_store"
    )
    await look(house, sql, random.randbytes(8), wire.encode(agent), id_of(agent))


async def fill(house: House) -> list[dict[str, Any]]:
    """A store in which a person and others stand everywhere; the statements, as they were sent."""
    await house.call("xapi/stores", "set", {"slug": "main"})
    written = write_statements(random.Random(11), 120, AGENTS)
    odd = [make(number) | change for number, change in enumerate(ODD.values())]
    mentions = [
        make(101, result={"extensions": {"https://x.example/judge": [SITE["openid"]]}}),
        make(102, result={"response": f"not {ADA['mbox']} but somebody else"}),
        make(103, attachments=[ATTACHMENT | {"display": {"en": "essay"}}]),
    ]
    await record(house, written[:80] + mentions, **HERS)
    await record(house, written[80:], update_agent_ids=False, update_agents=False)
    await record(house, odd, validate_statements=False)
    await join(house, *AGENTS)
    for who in AGENTS + OTHERS:
        await write_profile(house, who)
        await add_token(house, who)
    await write_profile(house, as_group(OTHERS[3], SITE), "of a group")
    return written + odd + mentions


async def test_no_trace_of_a_person_stays_and_nothing_of_others_goes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobgate.stores.traces.MAX_SEARCHED", 7)
    monkeypatch.setattr("jobgate.stores.traces.MAX_BYTES", 3000)
    statements = await fill(house)
    hers = {each["id"] for each in statements if any(find_traces(each, who) for who in AGENTS)}
    assert 80 < len(hers) < len(statements) - 10
    before = {raw["id"]: raw for raw in await read_raws(house)}

    dry = await delete(house, person=True, dry_run=True)
    assert {raw["id"]: raw for raw in await read_raws(house)} == before
    counts = await delete(house, wire.encode(ADA | {"name": "Ada"}).decode(), person=True)

    assert counts == dry
    left = {raw["id"]: raw for raw in await read_raws(house)}
    assert left == {id: raw for id, raw in before.items() if id not in hers}
    assert sum(find_traces(raw, who) for raw in left.values() for who in AGENTS) == 0
    assert find_traces({"by": left[make(103)["id"]]["authority"]}, ACCOUNT) == 1
    groups = counts.pop("groups_changed")
    people = {"agents": 4, "persons": 1, "tokens": 4, "states": 0, "agent_profiles": 5}
    assert counts == {"statements": len(hers)} | people
    assert groups > 0
    ids = list(map(id_of, AGENTS))
    for table, where in (
        ("statement_agent", "place < 2 and agent_id"),
        ("document", "agent_id"),
        ("token", "agent_id"),
    ):
        assert await look(house, f"select from xapi_{table} where {where} = any($1)", ids) == []
    assert await look(house, "select from xapi_person") == []
    members = [wire.decode(row["members"], list[Any]) for row in await look(house, MEMBERS)]
    assert members
    assert sum(find_traces({"member": each}, who) for each in members for who in AGENTS) == 0
    assert set((await delete(house, person=True)).values()) == {0}


MEMBERS = "select members from xapi_agent where members is not null"


async def test_one_agent_goes_and_the_others_of_the_person_stay(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1, actor=ADA), make(2, actor=SITE), make(3, actor=SHA1)])
    await join(house, ADA, SITE)

    counts = await delete(house, {"mbox": "mailto:ada@SCHOOL.example"})

    assert (counts["statements"], counts["agents"], counts["persons"]) == (1, 1, 0)
    (person,) = (await house.call("xapi/persons", "get", {"store": "main"})).data
    assert [agent["openid"] for agent in person["agents"]] == [SITE["openid"]]
    assert [raw["id"] for raw in await read_raws(house)] == [make(2)["id"], make(3)["id"]]

    assert (await delete(house, mbox_sha1sum=True))["statements"] == 1
    assert [raw["id"] for raw in await read_raws(house)] == [make(2)["id"]]


async def test_what_was_pseudonymised_goes_when_that_is_asked_for(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1, actor=ADA), make(2, actor=OTHERS[0])])
    assert (await delete(house, pseudonyms=True, dry_run=True))["statements"] == 1
    await run_job(house, "pseudo", until="now")

    assert (await delete(house))["statements"] == 0
    assert (await delete(house, pseudonyms=True))["statements"] == 1
    async with house.db.transaction(1) as tx:
        pseudonyms = await find_pseudonyms(tx, 1, OuterKey(house.settings.secret_key))
    (agent,) = await look(house, "select id from xapi_agent")
    assert agent["id"] == id_of(pseudonyms.rewrite_agent(OTHERS[0]))


async def test_nobody_is_told_of_but_in_the_saved_job(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1, actor=ADA)])

    (saved,) = await plan_job(house, "agent-deletion", agent=ADA | {"name": "Ada"}, person=True)
    await house.carry()

    assert saved["settings"]["agent"] == ADA
    (audit,) = await look(house, "select detail from audit where act = 'jobs.agent-deletion'")
    assert wire.decode(audit["detail"], dict[str, Any])["deleted"]["statements"] == 1
    for table in ("job", "job_log", "audit", "xapi_log"):
        for row in await look(house, f"select row_to_json({table})::text as told from {table}"):
            assert "ada@school" not in row["told"]
    (logged,) = await look(house, "select data from xapi_log where description = 'Deleted records'")
    assert b'"statements":1' in logged["data"]


NOBODY: tuple[Any, ...] = ("ada", "{", {}, ADA | SITE, {"name": "Ada"}, {"mbox": "ada@school.example"}, group_of(ADA))


async def test_who_is_nobody_is_refused_when_the_job_is_saved(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    for agent in NOBODY:
        request = {"repeat": "now", "store": "main", "agent": agent, "person": True}

        reply = await house.call("jobs/agent-deletion", "set", request)
        saved = await house.call("jobs/definitions", "set", {"name": "d", "type": "agent-deletion", "params": request})

        assert (reply.status, saved.status) == (400, 400), agent
        assert "agent" in reply.meta["message"]
    assert (await house.call("jobs/definitions", "get")).data == []


async def test_a_run_that_dies_goes_on_where_it_was(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(number, actor=who) for number, who in enumerate(AGENTS + OTHERS)])
    await join(house, ADA, SITE)
    await plan_job(house, "agent-deletion", agent=ADA, person=True)

    await kill_worker(house, "after delete_agents")
    await house.carry()

    deleted = (await read_last_job(house))["results"][0]["deleted"]
    assert (deleted["statements"], deleted["agents"], deleted["persons"]) == (2, 2, 1)
    assert len(await look(house, "select from xapi_statement")) == len(AGENTS + OTHERS) - 2
    assert not any(find_traces(raw, who) for raw in await read_raws(house) for who in (ADA, SITE))
