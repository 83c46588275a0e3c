"""Jobs of `jobs/testsuite`: ask an LRS whether it keeps the xAPI standard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from jobgate.conformance.lrs import Endpoint, Lrs
from jobgate.conformance.published import Unusable, run_published
from jobgate.conformance.report import ConformanceReport, Position, make_report
from jobgate.conformance.requirements import find_scope
from jobgate.conformance.suite import Gone, find_key, list_checks, run_some
from jobgate.context import ERROR, INFORMATION, WARNING, Run, TaskRefused
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code, shown
from jobgate.keys import KeyUnusable
from jobgate.outbound import Forbidden, Unreachable, read_url
from jobgate.registry import task
from jobgate.stores.binding import OfStore
from jobgate.stores.clients import open_client, require_client
from jobgate.stores.spaces import Slug, require_store
from jobgate.xapi.violations import Version

CHUNK_CHECKS = 25

MAX_SAID = 20
"""Failures that the log tells; the result has more of them."""


class Conformance(msgspec.Struct, OfStore, frozen=True, kw_only=True):
    """What is asked for, and of whom."""

    store: Slug
    client: Slug
    """The LRS: one of the clients of the store."""
    version: Version
    """Of the standard."""
    section: Annotated[str, Meta(max_length=64)] | None = None
    """A requirement (`XAPI-00113`) or a section (`Data 2.4.1`); everything when absent."""

    def __post_init__(self) -> None:
        if self.section is not None and find_scope(self.section) is None:
            raise ApiError(
                Code.unsupported_value,
                f"`section` must be a requirement such as XAPI-00113 or a section such as Data 2.4.1,"
                f" not {shown(self.section)}",
            )

    async def require(self, db: Transaction, organisation_id: int) -> None:
        """Raise 20004 for a client that the store does not have."""
        await require_client(db, organisation_id, self.client, self.store)


class ConformancePosition(Position, kw_only=True):
    """The same, and the checks that it counts."""

    key: str


@task("testsuite", timeout_s=3600, calls_out=True)
async def check_conformance(run: Run[Conformance]) -> None:
    """Run the published suite where there is one, and otherwise our own checks."""
    endpoint = await _find_endpoint(run)
    folder = run.outside.settings.xapi_suite_dir
    try:
        if folder:
            report = await _run_published(run, endpoint, Path(folder))
        else:
            report = await _run_own(run, endpoint)
    except (Forbidden, Gone) as error:
        raise TaskRefused(f"The endpoint of the client cannot be reached: {error}.") from None
    except Unusable as error:
        raise TaskRefused(f"The published suite cannot be run: {error}.") from None
    async with run.chunk() as chunk:
        chunk.save(None, done=report.total, total=report.total)
        for failure in report.failures[:MAX_SAID]:
            chunk.say(failure.line, WARNING)
        # What is said last tells whether the run did well.
        severity = ERROR if report.failed else INFORMATION
        chunk.say(report.summary, severity, passed=report.passed, failed=report.failed)
        chunk.finish([report])


async def _find_endpoint(run: Run[Conformance]) -> Endpoint:
    """Where the client is reached, as long as its store is there. Raises `TaskRefused` and `ApiError`."""
    key, organisation_id = run.outside.require_key(), run.facts.organisation_id
    async with run.outside.db.transaction(organisation_id) as tx:
        await require_store(tx, organisation_id, run.params.store)
        await require_client(tx, organisation_id, run.params.client, run.params.store)
        try:
            found = await open_client(tx, organisation_id, key, run.params.client)
        except KeyUnusable:
            raise TaskRefused("The password of the client does not open with this JOBGATE_SECRET_KEY.") from None
    return Endpoint(found.endpoint, found.username, found.password, run.params.version)


async def _run_own(run: Run[Conformance], endpoint: Endpoint) -> ConformanceReport:
    """Our own checks, some at a time; what a killed worker has not saved is asked again."""
    version, section = run.params.version, run.params.section
    checks = list_checks(version, section)
    key = find_key(checks)
    position = None if run.cursor is None else msgspec.convert(run.cursor, ConformancePosition)
    if position is None or position.key != key:  # other checks: a newer jobgate runs them all
        position = ConformancePosition(key=key)
    async with run.outside.client.keep(endpoint.url) as line:
        lrs = Lrs(line, endpoint)
        while position.place < len(checks):
            await run_some(lrs, checks, position, CHUNK_CHECKS)
            async with run.chunk() as chunk:
                chunk.save(position, done=position.place, total=len(checks))
    ids = {id for check in checks for id in check.ids}
    return make_report("own checks", version, section, run=ids, total=len(checks), position=position)


async def _run_published(run: Run[Conformance], endpoint: Endpoint, folder: Path) -> ConformanceReport:
    """The published suite, as a process beside us; it begins anew after every death."""
    client = run.outside.client
    try:
        await client.find_addresses(read_url(endpoint.url, client.rules))
    except Unreachable as error:
        raise Gone(str(error)) from None

    async def tell(done: int, total: int) -> None:
        async with run.chunk() as chunk:
            chunk.save(None, done=done, total=max(done, total))

    return await run_published(folder, endpoint, run.params.section, tell)
