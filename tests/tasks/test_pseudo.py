"""Jobs of jobs/pseudo: nobody is left but pseudonyms, of what is old enough, and nothing else has changed."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from jobgate import wire
from jobgate.conformance.samples import ATTACHMENT
from jobgate.keys import OuterKey
from jobgate.stores import recording
from jobgate.stores.contents import Content
from jobgate.stores.incoming import find_links, read_candidates
from jobgate.stores.options import EntryOptions
from jobgate.stores.pseudonym_keys import find_pseudonyms
from jobgate.stores.spaces import hold
from jobgate.testing import House
from jobgate.xapi.attachments import SIGNATURE, SIGNATURE_TYPE
from jobgate.xapi.identifiers import agent_id, identify
from jobgate.xapi.pseudonyms import HOME_PAGE, is_pseudonym
from tests.killing import kill_worker
from tests.people import AGENTS, OTHERS, as_group, find_traces, write_statements
from tests.stored_statements import id_of, look, make, move, plan_job, read_last_job, read_raws, record, run_job
from tests.xapi.test_pseudonyms import ODD

CUTOFF = datetime(2026, 3, 31, 12, tzinfo=UTC)

TABLES = ("statement", "statement_agent", "statement_activity", "statement_attachment", "agent", "person", "document")
UNCHANGED = "select id, stored, timestamp, verb_id, activity_ids from xapi_statement order by id"
NAMELESS = [{name: value for name, value in who.items() if name != "name"} for who in OTHERS]


async def read_all(house: House) -> dict[str, list[Any]]:
    """Every row of the tables of stores."""
    return {name: sorted(map(repr, await look(house, f"select * from xapi_{name}"))) for name in TABLES}


async def read_known(house: House) -> set[UUID]:
    """The ids of the agents that the catalogue knows."""
    return {row["id"] for row in await look(house, "select id from xapi_agent")}


async def add_document(house: House, kind: str, who: dict[str, Any], name: str, **columns: Any) -> None:
    """A document of somebody, which was changed last at the cutoff unless `updated` says otherwise."""
    sql = (
        "insert into xapi_document (organisation_id, store_id, kind, agent, agent_id, document_id, content,"
        " content_type, stored, updated) select 1, id, $1, $2, $3, $4, '{}', 'application/json', $5, $6 from xapi_store"
    )
    updated = columns.get("updated", CUTOFF)
    await look(house, sql, kind, wire.encode(who), id_of(who), name, min(CUTOFF, updated), updated)


async def test_nobody_is_left_and_a_second_run_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobgate.stores.pseudonymising.MAX_REPLACED", 7)
    monkeypatch.setattr("jobgate.stores.pseudonymising.MAX_BYTES", 3000)
    monkeypatch.setattr("jobgate.stores.forgetting.MAX_FORGOTTEN", 7)
    await house.call("xapi/stores", "set", {"slug": "main"})
    authority = {"authority_name": "ada-1815", "authority_homepage": "https://school.example"}
    written = write_statements(random.Random(5), 150, AGENTS)
    odd = [make(number) | change for number, change in enumerate(ODD.values())]
    await record(house, written[:130], **authority)
    await record(house, written[130:], update_agent_ids=False)
    await record(house, odd, validate_statements=False)
    before = await look(house, UNCHANGED)

    job = await run_job(house, "pseudo", until="now")

    known = await read_known(house)
    assert job["results"][0].items() >= {"status": "ok", "statements": len(written + odd), "documents": 0}.items()
    assert (
        await look(house, "select id, stored, timestamp, verb_id, activity_ids from xapi_statement order by id")
        == before
    )
    raws = await read_raws(house)
    async with house.db.transaction(1) as tx:
        pseudonyms = await find_pseudonyms(tx, 1, OuterKey(house.settings.secret_key))
    for who in AGENTS + NAMELESS:
        assert sum(find_traces(raw, who) for raw in raws) == 0
        assert id_of(who) not in known
        assert id_of(pseudonyms.rewrite_agent(who)) in known
    rows = await look(house, "select distinct kind, field_2, name, pseudonymized from xapi_agent")
    assert [tuple(row) for row in rows] == [("account", HOME_PAGE, None, True)]
    linked = await look(house, "select raw, actor_id, agent_ids, number from xapi_statement where agent_ids <> '{}'")
    for row in linked:
        raw = wire.decode(row["raw"], dict[str, Any])
        agents, _ = find_links(raw)
        links = await look(house, "select agent_id, place from xapi_statement_agent where number = $1", row["number"])
        assert {link["agent_id"]: link["place"] for link in links} == agents
        assert set(row["agent_ids"]) == set(agents)
        actor = identify(raw["actor"])
        assert actor is None or (is_pseudonym(actor) and row["actor_id"] == agent_id(actor))
    assert len(linked) == len(written + odd) - 20
    after = await read_all(house)

    again = await run_job(house, "pseudo", until="now")

    assert again["results"][0].items() >= {"statements": 0, "agents_deleted": 0, "groups_changed": 0}.items()
    assert await read_all(house) == after


async def test_one_person_has_one_pseudonym_in_every_store(house: House) -> None:
    for slug in ("main", "other"):
        await house.call("xapi/stores", "set", {"slug": slug})
        await record(house, [make(1), make(2, actor={"mbox": "mailto:learner-1@SCHOOL.example"})], store=slug)
        await run_job(house, "pseudo", until="now", store=slug)

    assert len({wire.encode(raw["actor"]) for raw in await read_raws(house)}) == 1
    (row,) = await look(house, "select count(distinct pseudonym_key) as keys, count(*) as flagged from xapi_statement")
    assert (row["keys"], row["flagged"]) == (1, 4)


async def test_what_is_recorded_later_stays_with_those_whom_it_names(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    team, learner = {"openid": "https://team.example/"}, make(1)["actor"]
    later = make(3, context={"team": as_group(team, AGENTS[0])})
    await record(house, [later, make(1, context={"team": as_group(team, learner, AGENTS[0])}), make(2)])
    for number in (1, 2, 3):
        await move(house, make(number)["id"], CUTOFF + timedelta(microseconds=number - 2))

    job = await run_job(house, "pseudo", until="date", until_date=CUTOFF.isoformat())

    rows = await look(house, "select id from xapi_statement where not pseudonymized")
    assert [str(row["id"]) for row in rows] == [later["id"]]  # a microsecond after the cutoff
    known = await read_known(house)
    assert {id_of(team), id_of(AGENTS[0]), id_of(later["actor"])} <= known
    assert not {id_of(learner), id_of(make(2)["actor"])} & known
    (group,) = await look(house, "select members from xapi_agent where id = $1", id_of(team))
    assert wire.decode(group["members"], list[Any]) == [AGENTS[0]]
    assert job["results"][0].items() >= {"statements": 2, "agents_deleted": 2, "groups_changed": 1}.items()


async def test_documents_are_pseudonymised_when_that_is_asked_for(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    mbox = "mailto:ada@school.example"
    ada, digest = {"mbox": mbox, "name": "Ada"}, hashlib.sha1(mbox.encode(), usedforsecurity=False).hexdigest()
    second = timedelta(seconds=1)
    await add_document(house, "states", ada, "bookmark", updated=CUTOFF - second)
    await add_document(house, "states", {"mbox_sha1sum": digest}, "bookmark")
    await add_document(house, "agent-profiles", ada, "settings")
    await add_document(house, "agent-profiles", AGENTS[3], "settings", updated=CUTOFF + second)
    await record(house, [make(1, actor=ada)])
    date = {"until": "date", "until_date": CUTOFF.isoformat()}

    without = await run_job(house, "pseudo", until="now")
    assert id_of(ada) in await read_known(house)
    job = await run_job(house, "pseudo", documents=True, **date)
    again = await run_job(house, "pseudo", documents=True, **date)

    assert without["results"][0].items() >= {"documents": 0, "agents_deleted": 0}.items()
    assert job["results"][0].items() >= {"documents": 2, "documents_deleted": 1, "agents_deleted": 1}.items()
    assert again["results"][0].items() >= {"documents": 0, "documents_deleted": 0}.items()
    rows = await look(house, "select agent, updated, pseudonymized from xapi_document order by number")
    assert [(row["updated"], row["pseudonymized"]) for row in rows] == [
        (CUTOFF, True),
        (CUTOFF, True),
        (CUTOFF + second, False),
    ]
    assert rows[0]["agent"] == rows[1]["agent"]
    assert b"mbox" not in rows[0]["agent"]
    assert id_of(ada) not in await read_known(house)


async def test_a_signature_goes_with_its_content(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    signature = ATTACHMENT | {"usageType": SIGNATURE, "contentType": SIGNATURE_TYPE, "sha2": "a" * 64}
    attachments = {str(each["sha2"]): each for each in (ATTACHMENT, signature)}
    contents = {sha2: Content(content_type="x/y", content=b"") for sha2 in attachments}
    options = EntryOptions(validate_statements=False)  # nobody asks whether the signature is one
    texts = [wire.encode(make(1, attachments=[*attachments.values()]))]
    async with house.db.transaction(1) as tx:
        candidates = await read_candidates(texts, options, None)
        store = await hold(tx, 1, "main")
        await recording.record(tx, 1, store, candidates, options, client="test", contents=contents)
    assert len(await look(house, "select from xapi_statement_attachment")) == 2

    await run_job(house, "pseudo", until="now")

    for table in ("attachment", "statement_attachment"):
        assert [row["sha2"] for row in await look(house, f"select sha2 from xapi_{table}")] == [ATTACHMENT["sha2"]]
    (row,) = await look(house, "select attachments from xapi_statement")
    assert row["attachments"] == [ATTACHMENT["sha2"]]


async def test_a_run_that_dies_goes_on_where_it_was(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(number) for number in range(5)])
    await plan_job(house, "pseudo", until="now")

    await kill_worker(house, "before checkpoint_job", 3)  # statements are done, agents in work
    await house.carry()

    counts = {"statements": 5, "agents_deleted": 5, "documents": 0, "documents_deleted": 0, "groups_changed": 0}
    assert (await read_last_job(house))["results"][0].items() >= counts.items()
    assert b"learner" not in b"".join([row["raw"] for row in await look(house, "select raw from xapi_statement")])
    (count,) = await look(house, "select count(*) from xapi_agent where pseudonymized")
    assert count["count"] == 5


async def test_a_worker_with_another_key_says_so(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1)], pseudonymize_statements=True)
    await plan_job(house, "pseudo", until="now")

    await house.carry(settings=msgspec.structs.replace(house.settings, secret_key=OuterKey.make()))

    assert "does not open with JOBGATE_SECRET_KEY" in (await read_last_job(house))["error"]["message"]


async def test_what_was_done_is_audited_without_anybody_in_it(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1)])

    job = await run_job(house, "pseudo", until="now")

    (row,) = await look(house, "select detail from audit where act = 'jobs.pseudo'")
    assert wire.decode(row["detail"], dict[str, Any])["pseudonymised"]["statements"] == 1
    assert job["reference"] in row["detail"].decode()
    assert b"learner" not in row["detail"]
