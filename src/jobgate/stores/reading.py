"""Reading statements: whole, with the contents that are attached to them, in the form that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from msgspec import Raw

from jobgate import wire
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.stores.contents import AttachedContent
from jobgate.stores.finding import Spot
from jobgate.turns import Turns
from jobgate.xapi.formats import list_verb_iris, make_canonical, reduce_to_ids
from jobgate.xapi.identifiers import iri_id
from jobgate.xapi.positions import walk_activities

Format = Literal["exact", "ids", "canonical"]


@dataclass(slots=True)
class Read:
    """What was read: the statements up to a weight, and the contents that are attached to them, each once."""

    statements: list[Raw] = field(default_factory=list)
    contents: list[AttachedContent] = field(default_factory=list)


async def find_one(db: Transaction, organisation_id: int, store_id: int, id: UUID, *, voided: bool) -> list[Spot]:
    """Where the statement with this id is, if it is there, and voided as is asked for."""
    rows = await db.fetch("find_statement", organisation_id, store_id, id, voided)
    return [(row["stored"], row["number"]) for row in rows]


async def read_statements(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    spots: Sequence[Spot],
    *,
    form: Format = "exact",
    languages: Sequence[str] = (),
    attachments: bool = False,
    max_bytes: int,
) -> Read:
    """The statements in these places, in order, as many as an answer of `max_bytes` holds for sure.

    Raises 20027 when it may not hold the first one.
    """
    place = (organisation_id, store_id)
    times, numbers = [stored for stored, _ in spots], [number for _, number in spots]
    rows = await db.fetch("read_statements", *place, times, numbers, attachments, max_bytes)
    if rows and rows[0]["is_too_heavy"]:
        raise ApiError(Code.answer_too_large, "a statement with what is attached to it would be too large an answer")
    read = Read()
    if form == "exact":
        read.statements = [Raw(row["raw"]) for row in rows]
    else:
        read.statements = await _reshape(db, place, [row["raw"] for row in rows], form, languages)
    digests = sorted({sha2 for row in rows for sha2 in row["attachments"]}) if attachments else []
    if digests:
        rows = await db.fetch("read_contents", *place, digests)
        read.contents = [AttachedContent(**row) for row in rows]
    return read


async def _reshape(
    db: Transaction, place: tuple[int, int], raws: Sequence[bytes], form: Format, languages: Sequence[str]
) -> list[Raw]:
    turns, shown = Turns(), []
    statements = [wire.decode(raw, dict[str, Any]) for raw in raws]
    definitions, displays = await _look_up(db, place, statements) if form == "canonical" else ({}, {})
    for statement in statements:
        if form == "ids":
            reduce_to_ids(statement)
        else:
            make_canonical(statement, definitions, displays, languages)
        shown.append(Raw(wire.encode(statement)))
        await turns.pass_on()
    return shown


async def _look_up(
    db: Transaction, place: tuple[int, int], statements: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the catalogue says about the activities and verbs of statements, by their IRIs."""
    activities = {
        iri
        for statement in statements
        for _, _, activity in walk_activities(statement)
        if type(iri := activity.get("id")) is str
    }
    verbs = {iri for statement in statements for iri in list_verb_iris(statement)}
    definitions = await db.fetch("describe_activities", *place, [iri_id(iri) for iri in activities])
    displays = await db.fetch("describe_verbs", *place, [iri_id(iri) for iri in verbs])
    return (
        {row["iri"]: wire.decode(row["definition"], dict[str, Any]) for row in definitions},
        {row["iri"]: wire.decode(row["display"], dict[str, Any]) for row in displays},
    )
