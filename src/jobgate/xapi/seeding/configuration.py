"""What a seeding consists of: families of agents, groups, verbs and activities, and the statements drawn from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from jobgate import wire
from jobgate.xapi.values import is_iri

MAX_BYTES = 1024 * 1024
MAX_STATEMENTS = 10_000_000
MAX_FAMILY = 1_000_000
MAX_FAMILIES = 50

Kind = Literal["mbox", "openid", "account"]
Share = Annotated[float, Meta(ge=0, le=1)]
Family = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Families = Annotated[tuple[Family, ...], Meta(max_length=MAX_FAMILIES)]


class Misconfigured(Exception):
    """A configuration that nothing can be made from; the text says why."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Names that nobody knows are mistakes. What is left at its default is not written: see `Seeding.digest`."""


class Agents(_Part, frozen=True, kw_only=True):
    """A family of agents."""

    count: Annotated[int, Meta(ge=1, le=MAX_FAMILY)]
    types: Annotated[tuple[Kind, ...], Meta(min_length=1, max_length=3)] = ("mbox", "openid", "account")
    """How they are identified, in turns."""


class Groups(_Part, frozen=True, kw_only=True):
    """A family of identified groups."""

    count: Annotated[int, Meta(ge=1, le=MAX_FAMILY)]
    type: Kind = "mbox"
    members: Annotated[int, Meta(ge=0, le=50)] = 5
    """How many each has."""
    agents: Family = "default"
    """The family that they are taken from."""


class Verbs(_Part, frozen=True, kw_only=True):
    """A family of verbs; what they are called is the end of their ids."""

    ids: Annotated[tuple[Annotated[str, Meta(max_length=1000)], ...], Meta(min_length=1, max_length=1000)]


class Activities(_Part, frozen=True, kw_only=True):
    """A family of activities of one type."""

    type: Annotated[str, Meta(max_length=1000)]
    count: Annotated[int, Meta(ge=1, le=MAX_FAMILY)]


class Statements(_Part, frozen=True, kw_only=True):
    """How many, when, and what they are drawn from. A family is drawn first, evenly, then one of it."""

    count: Annotated[int, Meta(ge=0, le=MAX_STATEMENTS)]
    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)]
    """Their timestamps fill the time between, evenly and in order; this end is not reached."""
    agents: Families
    groups: Families = ()
    group_share: Share = 0
    """How many of the actors are groups."""
    verbs: Families
    objects: Families
    parent: Families = ()
    grouping: Families = ()
    category: Families = ()
    """Activities of the context; none where there is no family to draw from."""
    registration_share: Share = 1
    result_share: Share = 0
    attachment_share: Share = 0
    """Of a file that lies elsewhere: its data does not come along."""
    sub_statement_share: Share = 0
    """Statements about what somebody plans to do."""
    reference_share: Share = 0
    """Statements about a statement that was made before."""
    void_share: Share = 0
    """Statements that void one that was made before."""


class Seeding(_Part, frozen=True, kw_only=True):
    """A whole configuration."""

    description: str = ""
    seed: Annotated[str, Meta(max_length=100)] = "1"
    agents: Annotated[dict[Family, Agents], Meta(max_length=MAX_FAMILIES)]
    groups: Annotated[dict[Family, Groups], Meta(max_length=MAX_FAMILIES)] = {}
    verbs: Annotated[dict[Family, Verbs], Meta(max_length=MAX_FAMILIES)]
    activities: Annotated[dict[Family, Activities], Meta(max_length=MAX_FAMILIES)]
    statements: Statements

    def sow(self, *, seed: str | None = None, count: int | None = None) -> Seeding:
        """The same with another seed, or another number of statements over the same time."""
        statements = self.statements if count is None else msgspec.structs.replace(self.statements, count=count)
        return msgspec.structs.replace(self, seed=self.seed if seed is None else seed, statements=statements)

    @property
    def digest(self) -> bytes:
        """Equal for configurations that make equal statements, today and when there is more to choose."""
        return wire.encode_canonically(msgspec.structs.replace(self, description=""))


def read_seeding(text: bytes) -> Seeding:
    """A configuration from its JSON. Raises `Misconfigured` for what nothing can be made from."""
    if len(text) > MAX_BYTES:
        raise Misconfigured(f"it has more than {MAX_BYTES} bytes")
    try:
        seeding: Seeding = wire.decode(text, Seeding)
    except (ValueError, RecursionError) as error:
        raise Misconfigured(str(error)) from None
    problems = [*_find_unknown(seeding), *_find_impossible(seeding)]
    if problems:
        raise Misconfigured("; ".join(problems))
    return seeding


def _find_unknown(seeding: Seeding) -> Iterator[str]:
    """References to families that there are not."""
    drawn = seeding.statements
    named: list[tuple[str, Collection[str], str, Collection[str]]] = [
        ("statements.agents", drawn.agents, "agents", seeding.agents),
        ("statements.groups", drawn.groups, "groups", seeding.groups),
        ("statements.verbs", drawn.verbs, "verbs", seeding.verbs),
        ("statements.objects", drawn.objects, "activities", seeding.activities),
        ("statements.parent", drawn.parent, "activities", seeding.activities),
        ("statements.grouping", drawn.grouping, "activities", seeding.activities),
        ("statements.category", drawn.category, "activities", seeding.activities),
    ]
    for name, group in seeding.groups.items():
        named.append((f"groups.{name}.agents", [group.agents], "agents", seeding.agents))
    for place, names, kind, known in named:
        for name in names:
            if name not in known:
                yield f"{place} names `{name}`, which is no family of {kind}"


def _find_impossible(seeding: Seeding) -> Iterator[str]:
    """What each part allows, but not all of them together."""
    drawn = seeding.statements
    for name in ("agents", "verbs", "objects"):
        if not getattr(drawn, name):
            yield f"statements.{name} must name a family"
    if drawn.group_share and not drawn.groups:
        yield "statements.group_share needs statements.groups"
    if drawn.since >= drawn.until:
        yield "statements.since must be before statements.until"
    if drawn.since.astimezone(UTC).year < 1000:
        yield "statements.since must not be before the year 1000"
    if drawn.sub_statement_share + drawn.reference_share + drawn.void_share > 1:
        yield "sub_statement_share, reference_share and void_share must not be more than 1 together"
    for name, group in seeding.groups.items():
        if group.agents in seeding.agents and group.members > seeding.agents[group.agents].count:
            yield f"groups.{name}.members is more than there are in its family of agents"
    for name, verbs in seeding.verbs.items():
        for iri in verbs.ids:
            if not is_iri(iri):
                yield f"verbs.{name}.ids has what is no IRI"
    for name, activities in seeding.activities.items():
        if not is_iri(activities.type):
            yield f"activities.{name}.type is no IRI"
