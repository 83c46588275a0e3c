"""Statements before they are recorded: read and judged one by one, then brought into the form that a store keeps.

Everything here is arithmetic: it needs no database, and belongs before the transaction that records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from jobgate import wire
from jobgate.stores.options import EntryOptions
from jobgate.turns import Turns, uncollected
from jobgate.xapi.identifiers import Identifier, agent_id, identify, iri_id
from jobgate.xapi.instants import read_instant
from jobgate.xapi.positions import RELATIONS, Place, walk_activities, walk_actors
from jobgate.xapi.statements import read_loosely, read_statement
from jobgate.xapi.verbs import VOIDED
from jobgate.xapi.violations import Version, Violation


@dataclass(slots=True)
class Candidate:
    """A statement that wants in."""

    index: int
    """Its place among those that came with it."""
    statement: Any
    violations: list[Violation] = field(default_factory=list)
    """Why it is refused."""
    was_judged: bool = True

    @property
    def id(self) -> str | None:
        """As far as it says one."""
        id = self.statement.get("id") if type(self.statement) is dict else None
        return id if type(id) is str else None


async def read_candidates(texts: Iterable[bytes], options: EntryOptions, version: Version | None) -> list[Candidate]:
    """Statements from their JSON, judged under `version`, or each under the one that it names itself.

    Without `validate_statements` only what could not be stored is refused.
    """
    turns, found = Turns(), []
    with uncollected():
        for index, text in enumerate(texts):
            if options.validate_statements:
                statement, violations = read_statement(text, version or find_version(text))
            else:
                statement, violations = read_loosely(text)
            found.append(Candidate(index, statement, violations, options.validate_statements))
            await turns.pass_on()
    return found


def find_version(text: bytes) -> Version:
    """Under which version a statement wants to be read."""
    if b'"2.' not in text and b"\\u" not in text:  # nearly always: no need to decode it here
        return "1.0.3"
    try:
        named = wire.decode(text, dict[str, Any]).get("version")
    except (ValueError, RecursionError):
        return "1.0.3"
    return version_of(named)


def version_of(named: Any) -> Version:
    """The version of the standard that has a statement's rules, by what it says itself."""
    return "2.0.0" if type(named) is str and named.startswith("2.") else "1.0.3"


class NamedActor(NamedTuple):
    """An agent or an identified group in a statement."""

    id: UUID
    identifier: Identifier
    place: Place
    actor: dict[str, Any]


class NamedActivity(NamedTuple):
    """An activity in a statement."""

    id: UUID
    iri: str
    place: Place
    relation: str | None
    """In which a context names it."""
    activity: dict[str, Any]


@dataclass(slots=True)
class Facts:
    """A statement as a store keeps it, and what it is found by."""

    id: UUID
    statement: dict[str, Any]
    raw: bytes
    stored: datetime
    timestamp: datetime | None
    is_voiding: bool
    actor_id: UUID | None
    verb_id: UUID | None
    object_id: UUID | None
    type_id: UUID | None
    registration: UUID | None
    statement_ref: UUID | None
    agents: dict[UUID, Place]
    activities: dict[UUID, Place]
    actors_named: list[NamedActor]
    activities_named: list[NamedActivity]


def complete(
    statement: dict[str, Any], stored: datetime, options: EntryOptions, version: Version | None
) -> dict[str, Any]:
    """What a receiver adds: id, stored, timestamp, authority, version; and context activities become arrays."""
    moment = show_stored(stored)
    id = statement.get("id")
    whole = _with_arrays(statement) | {
        "id": id.lower() if type(id) is str else str(uuid4()),
        "stored": moment,
        "authority": options.authority,
    }
    whole.setdefault("timestamp", moment)
    whole.setdefault("version", "2.0.0" if version == "2.0.0" else "1.0.0")
    return whole


def show_stored(moment: datetime) -> str:
    """A time as stored has it, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def look_into(statement: dict[str, Any], stored: datetime) -> Facts:
    """What a complete statement is found by."""
    about = statement.get("object")
    about = about if type(about) is dict else {}
    kind = about.get("objectType", "Activity")
    verb = statement.get("verb")
    verb_iri = _text(verb.get("id")) if type(verb) is dict else None
    definition = about.get("definition") if kind == "Activity" else None
    type_iri = _text(definition.get("type")) if type(definition) is dict else None
    context = statement.get("context")
    timestamp = _text(statement.get("timestamp"))
    actors, activities = list(name_actors(statement)), list(name_activities(statement))
    return Facts(
        id=UUID(statement["id"]),
        statement=statement,
        raw=wire.encode(statement),
        stored=stored,
        timestamp=None if timestamp is None else read_instant(timestamp, is_2=False),
        is_voiding=find_voided(statement) is not None,
        actor_id=_actor_id(statement.get("actor")),
        verb_id=None if verb_iri is None else iri_id(verb_iri),
        object_id=_object_id(kind, about),
        type_id=None if type_iri is None else iri_id(type_iri),
        registration=_uuid(context.get("registration")) if type(context) is dict else None,
        statement_ref=_uuid(about.get("id")) if kind == "StatementRef" else None,
        agents=_link(actors),
        activities=_link(activities),
        actors_named=actors,
        activities_named=activities,
    )


def find_voided(statement: dict[str, Any]) -> UUID | None:
    """The statement that this one voids; None for one that voids nothing."""
    verb, about = statement.get("verb"), statement.get("object")
    if type(verb) is not dict or verb.get("id") != VOIDED or type(about) is not dict:
        return None
    return _uuid(about.get("id")) if about.get("objectType") == "StatementRef" else None


def name_actors(statement: dict[str, Any]) -> Iterator[NamedActor]:
    """The agents and identified groups of a statement, as often as it names them."""
    for place, actor in walk_actors(statement):
        identifier = identify(actor)
        if identifier is not None:
            yield NamedActor(agent_id(identifier), identifier, place, actor)


def name_activities(statement: dict[str, Any]) -> Iterator[NamedActivity]:
    """The activities of a statement, as often as it names them."""
    for place, relation, activity in walk_activities(statement):
        iri = activity.get("id")
        if type(iri) is str:
            yield NamedActivity(iri_id(iri), iri, place, relation, activity)


def find_links(statement: dict[str, Any]) -> tuple[dict[UUID, Place], dict[UUID, Place]]:
    """The agents and the activities that a statement names, each with its most telling place."""
    return _link(name_actors(statement)), _link(name_activities(statement))


def _link(named: Iterable[NamedActor | NamedActivity]) -> dict[UUID, Place]:
    links: dict[UUID, Place] = {}
    for each in named:
        if each.id not in links or each.place < links[each.id]:
            links[each.id] = each.place
    return links


def _with_arrays(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement, and the one within it, with arrays for all context activities."""
    found = dict(statement)
    context = found.get("context")
    activities = context.get("contextActivities") if type(context) is dict else None
    if type(context) is dict and type(activities) is dict and dict in map(type, activities.values()):
        arrays = {
            name: [each] if name in RELATIONS and type(each) is dict else each for name, each in activities.items()
        }
        found["context"] = context | {"contextActivities": arrays}
    about = found.get("object")
    if type(about) is dict and about.get("objectType") == "SubStatement":
        found["object"] = _with_arrays(about)
    return found


def _actor_id(actor: Any) -> UUID | None:
    identifier = identify(actor)
    return None if identifier is None else agent_id(identifier)


def _object_id(kind: Any, about: dict[str, Any]) -> UUID | None:
    if kind in ("Agent", "Group"):
        return _actor_id(about)
    iri = _text(about.get("id"))
    return iri_id(iri) if kind == "Activity" and iri is not None else None


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if type(value) is str else None
    except ValueError:
        return None
