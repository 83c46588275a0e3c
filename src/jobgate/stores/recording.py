"""Recording: statements into a store, in the order that the options of a pipeline give.

    refuse what breaks a rule, what stands twice, what voids a voiding statement     (1)
    compare with what the store has under the same ids                               (2)
    replace identities                                                               (3)
    keep contents of attachments                                                     (4)
    write statements, with what they are found by                                    (5)
    mark what is voided, in either order of arrival                                  (6)
    keep the catalogues                                                              (7)

All of it is one transaction that holds the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from jobgate import wire
from jobgate.db import Transaction
from jobgate.stores import catalogue
from jobgate.stores.contents import Content, keep_contents
from jobgate.stores.erasing import erase_statements
from jobgate.stores.incoming import Candidate, Facts, complete, find_voided, look_into
from jobgate.stores.options import EntryOptions
from jobgate.stores.pseudonym_keys import Pseudonyms
from jobgate.stores.spaces import Store
from jobgate.turns import Turns
from jobgate.xapi.comparison import are_equal
from jobgate.xapi.positions import Place
from jobgate.xapi.signatures import check_signatures
from jobgate.xapi.violations import Version, Violation

MAX_STATEMENTS = 1000
"""How many one transaction takes."""

TWICE = Violation("$.id", "same-id-twice", "no other statement of the batch has the id")
CONFLICT = Violation("$.id", "id-conflict", "no other statement of the store has the id")
VOIDS_VOIDING = Violation("$.object.id", "voids-voiding", "a voiding statement cannot be voided")
WHOLE = Violation("$", "batch-refused", "no statement of the batch is refused")


@dataclass(slots=True)
class Recorded:
    """What became of a batch."""

    accepted: list[UUID] = field(default_factory=list)
    """In the order that they came in, those the store had before included."""
    rejected: list[Candidate] = field(default_factory=list)
    known: int = 0
    """How many of the accepted ones the store had before: nothing was done with them."""
    replaced: int = 0
    voided: int = 0


async def record(
    db: Transaction,
    organisation_id: int,
    store: Store,
    candidates: Sequence[Candidate],
    options: EntryOptions,
    *,
    client: str,
    version: Version | None = None,
    atomic: bool = False,
    may_repeat: bool = False,
    pseudonyms: Pseudonyms | None = None,
    contents: Mapping[str, Content] | None = None,
) -> Recorded:
    """Record statements; at most `MAX_STATEMENTS`. The store must be held. `atomic`: all of them or none.

    `may_repeat`: the batch is cut out of something longer, and a statement that comes again in it, saying the same, is
    known as it would be in the next batch.

    `pseudonyms` are needed where the options ask for them. They help otherwise too: what the store has under pseudonyms
    is then known again.
    """
    done = Recorded()
    if contents:
        _judge_signatures(candidates, contents)
    wanted, doubles = _part_doubles(candidates, done)
    if options.void_statements:
        wanted = await _refuse_voiding_of_voiding(db, organisation_id, store, wanted, done)
    new, accepted = await _compare(db, organisation_id, store, wanted, options, done, pseudonyms)
    _settle_doubles(doubles, accepted, done, may_repeat=may_repeat)
    if atomic and done.rejected:
        return _refuse_whole(candidates)
    replacing = pseudonyms if options.pseudonymize_statements else None
    stored: datetime = await db.fetchval("next_stored", organisation_id, store.id)
    facts, turns = list[Facts](), Turns()
    for place, candidate in enumerate(new):
        statement = candidate.statement if replacing is None else replacing.rewrite(candidate.statement)
        # No two statements of a batch share their time: whoever goes on after one of them misses none.
        moment = stored + timedelta(microseconds=place)
        facts.append(look_into(complete(statement, moment, options, version), moment))
        accepted[candidate.index] = facts[-1].id
        await turns.pass_on()
    done.accepted = [accepted[index] for index in sorted(accepted)]
    done.rejected.sort(key=lambda candidate: candidate.index)
    if not facts:
        return done
    if not options.check_conflicts:
        done.replaced = await erase_statements(db, organisation_id, store.id, [each.id for each in facts])
    contents = (contents or {}) if options.record_attachments else {}
    kept = await keep_contents(db, organisation_id, store.id, facts, contents)
    judged = [candidate.was_judged for candidate in new]
    await _write(db, organisation_id, store, facts, judged, options, client, replacing, kept)
    if options.void_statements:
        targets = [each.statement_ref for each in facts if each.is_voiding]
        if targets:
            done.voided = await db.execute("void_targets", organisation_id, store.id, targets)
        done.voided += await db.execute("void_awaited", organisation_id, store.id, [each.id for each in facts])
    await catalogue.keep(db, organisation_id, store.id, facts, options, replacing)
    return done


def _judge_signatures(candidates: Sequence[Candidate], contents: Mapping[str, Content]) -> None:
    """Refuse statements whose signatures came along and are none of theirs."""
    bodies = {sha2: content.content for sha2, content in contents.items()}
    for candidate in candidates:
        if candidate.was_judged and not candidate.violations:
            candidate.violations += check_signatures(candidate.statement, bodies)


def _part_doubles(
    candidates: Sequence[Candidate], done: Recorded
) -> tuple[list[Candidate], list[tuple[Candidate, Candidate]]]:
    """Those that keep all rules and have an id that none before them has; and those that have, each with the first."""
    seen: dict[str, Candidate] = {}
    wanted: list[Candidate] = []
    doubles: list[tuple[Candidate, Candidate]] = []
    for candidate in candidates:
        if candidate.violations:
            done.rejected.append(candidate)
        elif candidate.id is None or (first := seen.setdefault(candidate.id.lower(), candidate)) is candidate:
            wanted.append(candidate)
        else:
            doubles.append((candidate, first))
    return wanted, doubles


def _settle_doubles(
    doubles: Sequence[tuple[Candidate, Candidate]], accepted: dict[int, UUID], done: Recorded, *, may_repeat: bool
) -> None:
    for candidate, first in doubles:
        if may_repeat and not first.violations and are_equal(candidate.statement, first.statement):
            accepted[candidate.index] = UUID(first.id)
            done.known += 1
        else:
            candidate.violations.append(TWICE)
            done.rejected.append(candidate)


async def _refuse_voiding_of_voiding(
    db: Transaction, organisation_id: int, store: Store, wanted: Sequence[Candidate], done: Recorded
) -> list[Candidate]:
    targets = {candidate.index: find_voided(candidate.statement) for candidate in wanted}
    asked = [target for target in targets.values() if target is not None]
    if not asked:
        return list(wanted)
    rows = await db.fetch("find_voiding", organisation_id, store.id, asked)
    voiding = {row["id"] for row in rows}
    voiding |= {UUID(each.id) for each in wanted if each.id is not None and targets[each.index] is not None}
    left = []
    for candidate in wanted:
        if targets[candidate.index] in voiding:
            candidate.violations.append(VOIDS_VOIDING)
            done.rejected.append(candidate)
        else:
            left.append(candidate)
    return left


async def _compare(
    db: Transaction,
    organisation_id: int,
    store: Store,
    wanted: Sequence[Candidate],
    options: EntryOptions,
    done: Recorded,
    pseudonyms: Pseudonyms | None,
) -> tuple[list[Candidate], dict[int, UUID]]:
    """Those that the store does not have, and the ids of those that it has, by their places."""
    accepted: dict[int, UUID] = {}
    ids = {candidate.index: UUID(id) for candidate in wanted if (id := candidate.id) is not None}
    if not options.check_conflicts or not ids:
        return list(wanted), accepted
    rows = await db.fetch("find_raws", organisation_id, store.id, list(ids.values()))
    if not rows:
        return list(wanted), accepted
    there = {row["id"]: row["raw"] for row in rows}
    new, turns = [], Turns()
    for candidate in wanted:
        raw = there.get(ids.get(candidate.index))
        if raw is None:
            new.append(candidate)
        elif _is_known(candidate.statement, wire.decode(raw, dict[str, Any]), pseudonyms):
            accepted[candidate.index] = ids[candidate.index]
            done.known += 1
        else:
            candidate.violations.append(CONFLICT)
            done.rejected.append(candidate)
        await turns.pass_on()
    return new, accepted


def _is_known(statement: dict[str, Any], known: dict[str, Any], pseudonyms: Pseudonyms | None) -> bool:
    return are_equal(statement, known) or (pseudonyms is not None and are_equal(pseudonyms.rewrite(statement), known))


def _refuse_whole(candidates: Sequence[Candidate]) -> Recorded:
    for candidate in candidates:
        if not candidate.violations:
            candidate.violations.append(WHOLE)
    return Recorded(rejected=list(candidates))


async def _write(
    db: Transaction,
    organisation_id: int,
    store: Store,
    facts: Sequence[Facts],
    judged: Sequence[bool],
    options: EntryOptions,
    client: str,
    pseudonyms: Pseudonyms | None,
    kept: Mapping[UUID, Sequence[str]],
) -> None:
    by_agents, by_activities = options.update_agent_ids, options.update_activity_ids
    await db.execute(
        "insert_statements",
        organisation_id,
        store.id,
        client,
        None if pseudonyms is None else pseudonyms.key_id,
        options.query_targeting,
        [each.id for each in facts],
        [each.raw for each in facts],
        [each.stored for each in facts],
        [each.timestamp for each in facts],
        [each.is_voiding and options.void_statements for each in facts],
        judged,
        [each.actor_id for each in facts],
        [each.verb_id for each in facts],
        [each.object_id for each in facts],
        [each.type_id for each in facts],
        [each.registration for each in facts],
        [each.statement_ref for each in facts],
        [as_array([id.hex for id in each.agents]) if by_agents else "{}" for each in facts],
        [as_places(each.agents) if by_agents else "{}" for each in facts],
        [as_array([id.hex for id in each.activities]) if by_activities else "{}" for each in facts],
        [as_places(each.activities) if by_activities else "{}" for each in facts],
        [as_text_array(kept.get(each.id, ())) for each in facts],
    )


def as_array(items: Iterable[object]) -> str:
    """A Postgres array of what needs no quotes."""
    return "{" + ",".join(map(str, items)) + "}"


def as_places(links: Mapping[UUID, Place]) -> str:
    """The places of links, in their order."""
    return "{" + ",".join(["012"[place] for place in links.values()]) + "}"


def as_text_array(items: Iterable[str]) -> str:
    """A Postgres array of any texts."""
    return as_array('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in items)
