"""The far ends of pulls and pushes: LRSs, and folders of files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobgate import jobs, wire
from jobgate.context import Context, Request
from jobgate.db import Transaction
from jobgate.deleting import require_one_or_all
from jobgate.errors import ApiError, Code, shown
from jobgate.outbound import Forbidden, read_rules, read_url
from jobgate.registry import action
from jobgate.remotes.folders import is_folder, is_name
from jobgate.stores.connections import (
    BELONGS,
    Connection,
    ConnectionFields,
    ConnectionKind,
    add_connection,
    change_connection,
    delete_connections,
    find_connections,
)
from jobgate.stores.credentials import Endpoint, Password, Username
from jobgate.xapi.violations import Version

ConnectionName = Annotated[str, Meta(min_length=1, max_length=200)]
Folder = Annotated[str, Meta(min_length=1, max_length=519)]
Prefix = Annotated[str, Meta(max_length=64)]


class GetConnections(Request, frozen=True, kw_only=True):
    """Which connections to read."""

    id: Annotated[list[uuid.UUID], Meta(max_length=1000)] | None = None
    """These; all of the organisation when absent."""


class SetConnection(Request, frozen=True, kw_only=True):
    """A new connection."""

    name: ConnectionName
    kind: ConnectionKind
    endpoint: Endpoint | None = None
    """`lrs`: what the resources of the standard are below, as in https://lrs.example/xapi/."""
    username: Username | None = None
    """`lrs`: as whom."""
    password: Password | None = None
    """`lrs`: it is kept wrapped and never answered."""
    version: Version | None = None
    """`lrs`: the version of xAPI to speak, 1.0.3 when absent."""
    folder: Folder | None = None
    """`file`: below the organisation's own; names of letters, digits, `.`, `_` and `-`, with slashes between them."""
    prefix: Prefix | None = None
    """`file`: what the names of files begin with, and an underscore."""


class UpdateConnection(Request, frozen=True, kw_only=True):
    """A connection, and what of it shall change; its kind stays."""

    id: uuid.UUID
    name: ConnectionName | None = None
    endpoint: Endpoint | None = None
    username: Username | None = None
    password: Password | None = None
    version: Version | None = None
    folder: Folder | None = None
    prefix: Prefix | None = None


class DeleteConnections(Request, frozen=True, kw_only=True):
    """Which connections to delete."""

    id: uuid.UUID | None = None
    all: bool = False
    """True: all of the organisation."""


class DeletedConnections(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    deleted: int


@action("get")
async def read_connections(ctx: Context, request: GetConnections) -> list[Connection]:
    """Read the connections of the organisation, newest first, without their passwords."""
    async with ctx.db.reading(ctx.organisation_id) as db:
        return await find_connections(db, ctx.organisation_id, ids=request.id)


@action("set", guarded=True)
async def create_connection(ctx: Context, request: SetConnection) -> Connection:
    """Add a connection; nothing is called before a job uses it."""
    fields = _read_fields(ctx, request)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        connection = await add_connection(tx, ctx.organisation_id, ctx.key, request.kind, fields)
        await jobs.accept(ctx, tx, connection)
        await _audit(ctx, tx, "set", [connection.id], _tell(request) | {"kind": request.kind})
    return connection


@action("update")
async def update_connection(ctx: Context, request: UpdateConnection) -> Connection:
    """Change a connection: what is given, and nothing else. Jobs that run go on with what they began with."""
    fields = _read_fields(ctx, request)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        connection = await change_connection(tx, ctx.organisation_id, ctx.key, request.id, fields)
        await _audit(ctx, tx, "update", [request.id], _tell(request))
    return connection


@action("delete")
async def delete(ctx: Context, request: DeleteConnections) -> DeletedConnections:
    """Delete a connection, or all; 409 as long as a saved job uses one of them."""
    require_one_or_all("id", request.id, request.all)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        deleted = await delete_connections(tx, ctx.organisation_id, request.id)
        await _audit(ctx, tx, "delete", [] if request.id is None else [request.id], {"deleted": deleted})
    return DeletedConnections(deleted=deleted)


def _read_fields(ctx: Context, request: SetConnection | UpdateConnection) -> ConnectionFields:
    """What is said of a connection. Raises 20004 for what no job could ever use."""
    fields = ConnectionFields(**{name: getattr(request, name) for name in ConnectionFields.__struct_fields__})
    if fields.endpoint is not None:
        _require_endpoint(ctx, fields.endpoint)
    if fields.folder is not None:
        if not ctx.settings.files_root:
            raise ApiError(Code.unsupported_value, "there are no files here: the operator sets JOBGATE_FILES_ROOT")
        if not is_folder(fields.folder):
            raise ApiError(Code.unsupported_value, f"`folder` must be names with slashes, not {shown(fields.folder)}")
    if fields.prefix and not is_name(fields.prefix):
        raise ApiError(Code.unsupported_value, f"`prefix` must be a name, not {shown(fields.prefix)}")
    return fields


def _require_endpoint(ctx: Context, endpoint: str) -> None:
    """Raise 20004 for a URL that no job could call; names are judged again at every call."""
    try:
        read_url(endpoint, read_rules(ctx.settings))
    except Forbidden as error:
        raise ApiError(Code.unsupported_value, f"`endpoint` cannot be called: {error}") from None
    if "?" in endpoint:
        raise ApiError(Code.unsupported_value, "`endpoint` must have no query")


def _tell(request: SetConnection | UpdateConnection) -> dict[str, Any]:
    """What was given, but for the password: that there was one."""
    names = ("name", *(name for each in BELONGS.values() for name in each))
    given: dict[str, Any] = {name: getattr(request, name) for name in names if getattr(request, name) is not None}
    return given | {"password": True} if "password" in given else given


async def _audit(ctx: Context, tx: Transaction, act: str, ids: Sequence[uuid.UUID], detail: dict[str, Any]) -> None:
    told = wire.encode({"ids": ids} | detail)
    act = f"xapi.connections.{act}"
    await tx.execute("insert_audit", ctx.organisation_id, ctx.caller.key, act, "connection", told, ctx.request_id)
