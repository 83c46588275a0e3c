"""Records on their way into a store: read and judged before the transaction, then kept as their service asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jobgate import wire
from jobgate.db import Transaction
from jobgate.errors import ApiError
from jobgate.exchange.trips import Trip
from jobgate.remotes.attachments import Contents
from jobgate.remotes.records import (
    RECORDS,
    ActivityProfileRecord,
    ActivityRecord,
    AgentProfileRecord,
    AgentRecord,
    DocumentRecord,
    StateRecord,
    Unreadable,
)
from jobgate.stores.catalogue import Activity, Agent, keep_activities, keep_agents, read_agent
from jobgate.stores.contents import Content
from jobgate.stores.documents import Document, make_document, put_documents
from jobgate.stores.incoming import Candidate
from jobgate.stores.naming import read_named_agent
from jobgate.stores.options import EntryOptions
from jobgate.stores.pseudonym_keys import Pseudonyms, find_pseudonyms
from jobgate.stores.recording import Recorded, record
from jobgate.stores.spaces import Store
from jobgate.xapi.bulk import check_bulk
from jobgate.xapi.identifiers import agent_id, iri_id
from jobgate.xapi.objects import check_activity
from jobgate.xapi.pseudonyms import is_pseudonym
from jobgate.xapi.violations import Report

CLIENT = "jobs/pull"
"""Who brought the statements."""

Thing = Activity | Agent | Document


def read_thing(record: ActivityRecord | AgentRecord | DocumentRecord) -> Thing:
    """What a record of another service than statements is for the store; raises `Unreadable`."""
    try:
        if isinstance(record, ActivityRecord):
            return _read_activity(bytes(record.activity))
        if isinstance(record, AgentRecord):
            agent, identifier = read_named_agent(_decode(bytes(record.agent)))
            return read_agent(identifier, agent)
        return _read_document(record)
    except ApiError as error:
        raise Unreadable(error.message) from None


def _read_activity(text: bytes) -> Activity:
    found = _decode(text)
    report = Report("2.0.0")
    if type(found) is dict:
        check_activity(found, None, report)
        check_bulk(found, report)
    if type(found) is not dict or report.violations:
        raise Unreadable(report.violations[0].message if report.violations else "an activity is an object")
    return Activity(found["id"], found.get("definition", {}))


def _read_document(record: DocumentRecord) -> Document:
    return make_document(
        next(kind for kind in ("states", "activity-profiles", "agent-profiles") if isinstance(record, RECORDS[kind])),
        activity_iri=record.activity_iri if isinstance(record, StateRecord | ActivityProfileRecord) else None,
        agent=_decode(bytes(record.agent)) if isinstance(record, StateRecord | AgentProfileRecord) else None,
        id=record.state_id if isinstance(record, StateRecord) else record.profile_id,
        registration=record.registration if isinstance(record, StateRecord) else None,
        content=record.read_content(),
        content_type=record.content_type,
    )


def _decode(text: bytes) -> Any:
    try:
        return wire.decode(text, Any)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None


# -- keeping -------------------------------------------------------------------------------------------------------


async def keep_things(db: Transaction, organisation_id: int, store_id: int, things: Sequence[Thing]) -> int:
    """Keep what came for one service in a store that is held; how many were new, or said something new."""
    activities: dict[Any, Activity] = {}
    agents: dict[bool, dict[Any, Agent]] = {False: {}, True: {}}
    documents: list[Document] = []
    for thing in things:
        if isinstance(thing, Activity):
            activities[iri_id(thing.iri)] = thing
        elif isinstance(thing, Agent):
            agents[is_pseudonym(thing.identifier)][agent_id(thing.identifier)] = thing
        else:
            documents.append(thing)
    written = await keep_activities(db, organisation_id, store_id, activities) if activities else 0
    for are_pseudonyms, found in agents.items():
        written += await keep_agents(db, organisation_id, store_id, found, are_pseudonyms=are_pseudonyms)
    return written + await put_documents(db, organisation_id, store_id, documents)


async def keep_statements(
    db: Transaction,
    trip: Trip[Any],
    store: Store,
    candidates: Sequence[Candidate],
    options: EntryOptions,
    contents: Contents,
) -> Recorded:
    """Record statements in a store that is held."""
    organisation_id = trip.organisation_id
    key = trip.run.outside.require_key()
    pseudonyms: Pseudonyms | None = await find_pseudonyms(db, organisation_id, key, make=False)
    return await record(
        db,
        organisation_id,
        store,
        candidates,
        options,
        client=CLIENT,
        may_repeat=True,
        pseudonyms=pseudonyms,
        contents={sha2: Content(content_type=each.content_type, content=each.data) for sha2, each in contents.items()},
    )


def tell_rejected(trip: Trip[Any], rejected: Iterable[Candidate], name: Callable[[Candidate], str]) -> None:
    """Count statements that were not taken, and say why."""
    for candidate in rejected:
        path, rule, message = candidate.violations[0]
        trip.reject(name(candidate), f"{rule} at {path}: {message}")
