"""Statements of a store."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta, Raw

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.db import Transaction
from jobgate.registry import action
from jobgate.stores.incoming import read_candidates
from jobgate.stores.logs import NOTICE, say
from jobgate.stores.options import (
    AUTHORITY_HOMEPAGE,
    AUTHORITY_NAME,
    AuthorityHomepage,
    AuthorityName,
    EntryOptions,
)
from jobgate.stores.pseudonym_keys import find_pseudonyms
from jobgate.stores.recording import MAX_STATEMENTS, Recorded, record
from jobgate.stores.spaces import Slug, Store, hold
from jobgate.xapi.violations import Version

StatementText = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]


class SetStatements(Request, frozen=True, kw_only=True):
    """Statements, the store that they are for, and what shall happen to them on the way (`docs/xapi.md`)."""

    judges_inside: ClassVar[bool] = True
    """What is wrong with a statement is told of that one, and refuses no other."""

    store: Slug
    statements: Annotated[list[StatementText], Meta(min_length=1, max_length=MAX_STATEMENTS)]
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


@action("set", guarded=True)
async def record_statements(ctx: Context, request: SetStatements) -> RecordedStatements:
    """Record up to 1,000 statements; each is accepted or refused for itself."""
    options = request.options
    candidates = await read_candidates(map(bytes, request.statements), options, request.version)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        store = await hold(tx, ctx.organisation_id, request.store)
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
