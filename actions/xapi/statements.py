"""Statements of a store, and the contents that are attached to them."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta, Raw

from jobgate import jobs
from jobgate.context import Context, Reply, Request
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.paging import read_instant, show_instant
from jobgate.registry import action
from jobgate.stores.contents import AttachedContent, take_contents
from jobgate.stores.finding import Filters, Found, Span, find_spots
from jobgate.stores.incoming import read_candidates
from jobgate.stores.logs import NOTICE, say
from jobgate.stores.naming import NamedAgent, read_named_agent
from jobgate.stores.options import (
    AUTHORITY_HOMEPAGE,
    AUTHORITY_NAME,
    AuthorityHomepage,
    AuthorityName,
    EntryOptions,
)
from jobgate.stores.pseudonym_keys import find_pseudonyms
from jobgate.stores.reading import Format, find_one, read_statements
from jobgate.stores.recording import MAX_STATEMENTS, Recorded, record
from jobgate.stores.spaces import Slug, Store, hold, require_store
from jobgate.times import Moment, read_moment
from jobgate.xapi.violations import Version

MAX_STATEMENTS_SHOWN = 100

FEW = 50
"""So many are recorded by the plans that Postgres has."""

StatementText = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
Iri = Annotated[str, Meta(min_length=1, max_length=2000)]
LanguageWanted = Annotated[str, Meta(min_length=1, max_length=100)]


class GetStatements(Request, frozen=True, kw_only=True):
    """Which statements to read, and how; one must fit all filters that are given, or refer to one that does."""

    store: Slug
    statement_id: UUID | None = None
    """This one, unless it is voided; no filter may stand beside it."""
    voided_statement_id: UUID | None = None
    """This one, if it is voided; likewise."""
    agent: NamedAgent | None = None
    """Who is actor or object, or a member of these."""
    related_agents: bool = False
    """True: or stands anywhere else, as authority, in the context, or in the statement within."""
    verb: Iri | None = None
    activity: Iri | None = None
    """What is the object."""
    related_activities: bool = False
    """True: or stands in the context, or in the statement within."""
    registration: UUID | None = None
    since: Moment | None = None
    """Stored later than this: Unix seconds or ISO 8601, UTC where no zone is given."""
    until: Moment | None = None
    """Stored up to this."""
    limit: Annotated[int, Meta(ge=0)] = 0
    """At most 100; 0 and more are taken for 100. A page may have fewer: where `next` is, there may be more."""
    ascending: bool = False
    """True: those that were stored first come first."""
    format: Format = "exact"
    """`exact`: as recorded. `ids`: of agents, activities and verbs no more than identifies them.
    `canonical`: activities and verbs as the catalogue describes them, in one language."""
    language: Annotated[list[LanguageWanted], Meta(max_length=20)] | None = None
    """Languages for `canonical`, the best first, as tags of RFC 5646."""
    attachments: bool = False
    """True: the contents that are attached to the statements come along."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class StatementPage(msgspec.Struct, frozen=True, kw_only=True):
    """Statements in order, and what is attached to them; `set` takes them back in this shape."""

    statements: list[StatementText]
    attachments: list[AttachedContent]
    """Each content once; empty unless they were asked for."""


class SetStatements(Request, frozen=True, kw_only=True):
    """Statements, the store that they are for, and what shall happen to them on the way (`docs/xapi.md`)."""

    judges_inside: ClassVar[bool] = True
    """What is wrong with a statement is told of that one, and refuses no other."""

    store: Slug
    statements: Annotated[list[StatementText], Meta(min_length=1, max_length=MAX_STATEMENTS)]
    attachments: Annotated[list[AttachedContent], Meta(max_length=1000)] | None = None
    """Contents; a statement must name each. Those that come with none are recorded without."""
    version: Version | None = None
    """Whose rules hold; absent: for each statement those of the version that it names, 1.0.3 if it names none."""
    atomic: bool = False
    """True: one that is refused, and none is recorded."""
    validate_statements: bool = True
    check_conflicts: bool = True
    void_statements: bool = True
    update_activities: bool = True
    update_agents: bool = True
    update_vocab: bool = True
    update_activity_ids: bool = True
    update_agent_ids: bool = True
    record_attachments: bool = True
    pseudonymize_statements: bool = False
    query_targeting: bool = True
    authority_name: AuthorityName = AUTHORITY_NAME
    authority_homepage: AuthorityHomepage = AUTHORITY_HOMEPAGE

    @property
    def options(self) -> EntryOptions:
        """The options of the pipeline."""
        return EntryOptions(**{name: getattr(self, name) for name in EntryOptions.__struct_fields__})


class RefusedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a statement breaks, and where."""

    path: str
    rule: str
    message: str


class RefusedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that was not recorded."""

    index: int
    """Its place in the request, from 0."""
    id: str | None
    violations: list[RefusedRule]


class RecordedStatements(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the statements."""

    accepted: list[UUID]
    """In the order of the request; those that the store had before are among them."""
    rejected: list[RefusedStatement]


@action("get")
async def find_statements(ctx: Context, request: GetStatements) -> Reply[StatementPage]:
    """Read statements, the newest first; voided ones only by their id."""
    filters = _read_filters(request)
    span = Span(
        since=read_moment(request.since, "since"),
        until=read_moment(request.until, "until"),
        ascending=request.ascending,
        after=None if request.next is None else read_instant(request.next),
    )
    limit = min(request.limit or MAX_STATEMENTS_SHOWN, MAX_STATEMENTS_SHOWN)
    id = request.statement_id or request.voided_statement_id
    async with ctx.db.reading(ctx.organisation_id) as db:
        store = await require_store(db, ctx.organisation_id, request.store)
        place = (db, ctx.organisation_id, store.id)
        if id is None:
            found = await find_spots(*place, filters, span, limit)
        else:
            found = Found(await find_one(*place, id, voided=request.statement_id is None), None)
        read = await read_statements(
            *place,
            found.spots,
            form=request.format,
            languages=request.language or (),
            attachments=request.attachments,
            max_bytes=ctx.settings.max_answer,
        )
    count = len(read.statements)
    reached = found.spots[count - 1] if count < len(found.spots) else found.reached
    page = StatementPage(statements=read.statements, attachments=read.contents)
    return Reply(data=page, records=count, next=None if reached is None else show_instant(*reached))


def _read_filters(request: GetStatements) -> Filters:
    """What is asked for. Raises 20004 for what cannot be asked together."""
    named = [name for name in ("statement_id", "voided_statement_id") if getattr(request, name) is not None]
    others = [
        field.name
        for field in msgspec.structs.fields(GetStatements)
        if field.name in BESIDE_NO_ID and getattr(request, field.name) != field.default
    ]
    if len(named) > 1 or (named and others):
        other = (named[1:] + others)[0]
        raise ApiError(Code.unsupported_value, f"`{named[0]}` names one statement: `{other}` cannot stand beside it")
    return Filters.read(
        agent=None if request.agent is None else read_named_agent(request.agent)[1],
        related_agents=request.related_agents,
        verb=request.verb,
        activity=request.activity,
        related_activities=request.related_activities,
        registration=request.registration,
    )


BESIDE_NO_ID = (
    *("agent", "related_agents", "verb", "activity", "related_activities", "registration"),
    *("since", "until", "limit", "ascending", "next"),
)
"""What chooses among many statements."""


@action("set", guarded=True)
async def record_statements(ctx: Context, request: SetStatements) -> RecordedStatements:
    """Record up to 1,000 statements; each is accepted or refused for itself."""
    options = request.options
    candidates = await read_candidates(map(bytes, request.statements), options, request.version)
    contents = take_contents(request.attachments or (), (candidate.statement for candidate in candidates))
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        store = await hold(tx, ctx.organisation_id, request.store, for_many=len(candidates) > FEW)
        pseudonyms = await find_pseudonyms(tx, ctx.organisation_id, ctx.key, make=options.pseudonymize_statements)
        done = await record(
            tx,
            ctx.organisation_id,
            store,
            candidates,
            options,
            client=ctx.caller.key,
            version=request.version,
            atomic=request.atomic,
            pseudonyms=pseudonyms,
            contents=contents,
        )
        answer = _show(done)
        await jobs.accept(ctx, tx, answer)
        if done.rejected:
            await _tell_refused(ctx, tx, store, done)
    return answer


def _show(done: Recorded) -> RecordedStatements:
    return RecordedStatements(
        accepted=done.accepted,
        rejected=[
            RefusedStatement(
                index=candidate.index,
                id=candidate.id,
                violations=[
                    RefusedRule(path=path, rule=rule, message=text) for path, rule, text in candidate.violations
                ],
            )
            for candidate in done.rejected
        ],
    )


async def _tell_refused(ctx: Context, tx: Transaction, store: Store, done: Recorded) -> None:
    await say(
        tx,
        ctx.organisation_id,
        store.id,
        "Statements were refused",
        type="xapi",
        level=NOTICE,
        api="xapi/statements",
        method="set",
        data={"accepted": len(done.accepted), "rejected": len(done.rejected)},
    )
