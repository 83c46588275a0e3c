"""Statements of a seeding, by number: each depends on the configuration and its number alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from hashlib import sha256
from typing import Any

from jobgate.xapi.seeding.chance import Chance
from jobgate.xapi.seeding.configuration import Seeding
from jobgate.xapi.seeding.families import HOME, Families
from jobgate.xapi.verbs import VOIDED

PLAIN, SUB_STATEMENT, REFERENCE, VOIDING = range(4)

_MILLISECOND = timedelta(milliseconds=1)


class Sower:
    """Makes the statements of a configuration.

    Other numbers of statements, other seeds, other configurations: other ids, so that what is made twice is equal and
    what differs never meets.
    """

    def __init__(self, seeding: Seeding) -> None:
        self.count = seeding.statements.count
        self._drawn = drawn = seeding.statements
        self._families = Families(seeding)
        self.key = sha256(seeding.digest).digest()
        """Tells configurations that make other statements apart."""
        self._since = drawn.since.astimezone(UTC).replace(tzinfo=None)
        self._span_ms = (drawn.until - drawn.since) // _MILLISECOND

    def make(self, start: int, count: int) -> Iterator[dict[str, Any]]:
        """The statements from this number on, from 0; fewer where they end."""
        for number in range(start, min(start + count, self.count)):
            yield self.make_one(number)

    def make_one(self, number: int) -> dict[str, Any]:
        """The statement with this number."""
        drawn, families = self._drawn, self._families
        id, kind, chance = self._begin(number)
        target = chance.below(number) if number else None
        if kind == VOIDING and target is not None and self._begin(target)[1] != VOIDING:
            verb: dict[str, Any] = {"id": VOIDED, "display": {"en": "voided"}}
            about = {"objectType": "StatementRef", "id": self._begin(target)[0]}
        else:
            verb = families.draw_verb(chance, drawn.verbs)
            about = self._draw_object(chance, kind, target)
        statement: dict[str, Any] = {"id": id, "actor": self._draw_actor(chance), "verb": verb, "object": about}
        if chance.happens(drawn.result_share):
            statement["result"] = _draw_result(chance)
        context = self._draw_context(chance)
        if context:
            statement["context"] = context
        moment = self._since + self._span_ms * number // self.count * _MILLISECOND
        statement["timestamp"] = moment.isoformat(timespec="milliseconds") + "Z"
        if chance.happens(drawn.attachment_share):
            statement["attachments"] = [_draw_attachment(chance, id)]
        return statement

    def _begin(self, number: int) -> tuple[str, int, Chance]:
        """The id of a statement, what it is about, and what decides the rest."""
        chance, drawn = Chance(self.key + number.to_bytes(8, "big")), self._drawn
        id, luck = chance.uuid(), chance.below(1_000_000) / 1_000_000
        for kind, share in (
            (SUB_STATEMENT, drawn.sub_statement_share),
            (REFERENCE, drawn.reference_share),
            (VOIDING, drawn.void_share),
        ):
            if luck < share:
                return id, kind, chance
            luck -= share
        return id, PLAIN, chance

    def _draw_actor(self, chance: Chance) -> dict[str, Any]:
        if chance.happens(self._drawn.group_share):
            return self._families.draw_group(chance, self._drawn.groups)
        return self._families.draw_agent(chance, self._drawn.agents)

    def _draw_object(self, chance: Chance, kind: int, target: int | None) -> dict[str, Any]:
        drawn, families = self._drawn, self._families
        if kind == REFERENCE and target is not None:
            return {"objectType": "StatementRef", "id": self._begin(target)[0]}
        activity = families.draw_activity(chance, drawn.objects)
        if kind != SUB_STATEMENT:
            return activity
        return {
            "objectType": "SubStatement",
            "actor": families.draw_agent(chance, drawn.agents),
            "verb": families.draw_verb(chance, drawn.verbs),
            "object": activity,
        }

    def _draw_context(self, chance: Chance) -> dict[str, Any]:
        drawn = self._drawn
        context: dict[str, Any] = {}
        if chance.happens(drawn.registration_share):
            context["registration"] = chance.uuid()
        related = {
            place: [self._families.draw_activity(chance, names)]
            for place, names in (("parent", drawn.parent), ("grouping", drawn.grouping), ("category", drawn.category))
            if names
        }
        if related:
            context["contextActivities"] = related
        return context


def _draw_result(chance: Chance) -> dict[str, Any]:
    raw = chance.below(101)
    return {
        "score": {"scaled": raw / 100, "raw": raw, "min": 0, "max": 100},
        "success": raw >= 50,
        "completion": chance.happens(0.9),
        "duration": f"PT{chance.below(60)}M{chance.below(60)}S",
    }


def _draw_attachment(chance: Chance, id: str) -> dict[str, Any]:
    length = 1_000 + chance.below(1_000_000)
    return {
        "usageType": f"{HOME}/attachments/essay",
        "display": {"en": "Essay"},
        "contentType": "text/plain; charset=utf-8",
        "length": length,
        "sha2": sha256(f"{id}/{length}".encode()).hexdigest(),
        "fileUrl": f"{HOME}/files/{id}.txt",
    }
