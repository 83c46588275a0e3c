"""Connections: LRSs and folders of files that an organisation's consumers name, and the passwords that open them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec

from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code, shown
from jobgate.keys import OuterKey
from jobgate.paging import NEWEST
from jobgate.times import show_moment
from jobgate.xapi.violations import Version

ConnectionKind = Literal["lrs", "file"]

CONNECTED = ("pull", "push")
"""Types of jobs that have a connection."""

MAX_CONNECTIONS = 100
"""How many an organisation may have."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A far end of pulls and pushes."""

    id: uuid.UUID
    name: str
    kind: ConnectionKind
    endpoint: str | None
    """Of an LRS; null for files, as the next two."""
    username: str | None
    version: Version | None
    """The version of xAPI that it is spoken to in."""
    folder: str | None
    """Of files, below the organisation's own; null for an LRS, as the next."""
    prefix: str | None
    """What the names of files begin with, and an underscore."""
    created_at: str | None
    updated_at: str | None


class ConnectionFields(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a connection; None: not said."""

    name: str | None = None
    endpoint: str | None = None
    username: str | None = None
    password: str | None = None
    version: Version | None = None
    folder: str | None = None
    prefix: str | None = None


class OpenConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection with all that is needed to use it, for as long as it is used."""

    kind: ConnectionKind
    endpoint: str
    username: str
    password: str
    version: Version
    folder: str
    prefix: str

    def __repr__(self) -> str:
        return f"OpenConnection({self.kind})"


BELONGS = {
    "lrs": ("endpoint", "username", "password", "version"),
    "file": ("folder", "prefix"),
}
NEEDED = {"lrs": ("endpoint", "username", "password"), "file": ("folder",)}


async def find_connections(
    db: Transaction,
    organisation_id: int,
    *,
    ids: Sequence[uuid.UUID] | None = None,
    before: int = NEWEST,
    limit: int = MAX_CONNECTIONS,
) -> list[Connection]:
    """The organisation's connections, or those of them with these ids, newest first."""
    return [_show(row) for row in await db.fetch("find_connections", organisation_id, ids, before, limit)]


async def add_connection(
    db: Transaction, organisation_id: int, key: OuterKey, kind: ConnectionKind, fields: ConnectionFields
) -> Connection:
    """A new connection. Raises 20000, 20004 naming what is missing or out of place, 20011 when there are too many."""
    _require_fields(kind, fields)
    for name in NEEDED[kind]:
        if getattr(fields, name) is None:
            raise ApiError(
                Code.missing_parameter, f"`{name}` must have a non-null value for a connection of kind {kind}"
            )
    await db.execute("lock_organisation", organisation_id)
    if await db.fetchval("count_connections", organisation_id) >= MAX_CONNECTIONS:
        raise ApiError(Code.conflict, f"an organisation has at most {MAX_CONNECTIONS} connections; delete one")
    id = uuid.uuid4()
    of_lrs = kind == "lrs"
    await db.execute(
        "insert_connection",
        organisation_id,
        id,
        fields.name,
        kind,
        fields.endpoint,
        fields.username,
        _wrap(key, organisation_id, id, fields.password),
        (fields.version or "1.0.3") if of_lrs else None,
        fields.folder,
        None if of_lrs else fields.prefix or "",
    )
    (connection,) = await find_connections(db, organisation_id, ids=[id])
    return connection


async def change_connection(
    db: Transaction, organisation_id: int, key: OuterKey, id: uuid.UUID, fields: ConnectionFields
) -> Connection:
    """Change what is given; the kind stays. Raises 20004."""
    row = await db.fetchrow("lock_connection", organisation_id, id)
    if row is None:
        raise unknown_connection()
    _require_fields(row["kind"], fields)
    if fields.endpoint not in (None, row["endpoint"]) and fields.password is None:
        # Who does not know the password must not learn it by having it sent somewhere else.
        raise ApiError(Code.missing_parameter, "`password` must have a non-null value where `endpoint` changes")
    wrapped = _wrap(key, organisation_id, id, fields.password)
    others = (fields.version, fields.folder, fields.prefix)
    await db.execute(
        "update_connection", organisation_id, id, fields.name, fields.endpoint, fields.username, wrapped, *others
    )
    (connection,) = await find_connections(db, organisation_id, ids=[id])
    return connection


async def delete_connections(db: Transaction, organisation_id: int, id: uuid.UUID | None) -> int:
    """Delete one, or all; how many there were. Raises 20011 as long as a saved job uses one of them."""
    ids = [row["id"] for row in await db.fetch("lock_connections", organisation_id, id)]
    user = await db.fetchval("find_connection_users", organisation_id, CONNECTED, [str(each) for each in ids])
    if user is not None:
        raise ApiError(Code.conflict, f"the saved job {shown(user)} uses the connection; change or delete it first")
    return await db.execute("delete_connections", organisation_id, ids)


async def require_connection(db: Transaction, organisation_id: int, id: uuid.UUID) -> ConnectionKind:
    """The kind of a connection, which stays as long as the transaction lasts. Raises 20004."""
    row = await db.fetchrow("keep_connection", organisation_id, id)
    if row is None:
        raise unknown_connection()
    kind: ConnectionKind = row["kind"]
    return kind


async def open_connection(db: Transaction, organisation_id: int, key: OuterKey, id: uuid.UUID) -> OpenConnection | None:
    """A connection with its password; None if there is none. Raises `KeyUnusable` when that does not open."""
    row = await db.fetchrow("open_connection", organisation_id, id)
    if row is None:
        return None
    wrapped = row["password"]
    return OpenConnection(
        kind=row["kind"],
        endpoint=row["endpoint"] or "",
        username=row["username"] or "",
        password="" if wrapped is None else key.unwrap(wrapped, _owner(organisation_id, id)).decode(),
        version=row["version"] or "1.0.3",
        folder=row["folder"] or "",
        prefix=row["prefix"] or "",
    )


def unknown_connection() -> ApiError:
    """What a call hears that names a connection which the organisation does not have."""
    return ApiError(Code.unsupported_value, "`connection` must be the id of a connection of the organisation")


def _require_fields(kind: ConnectionKind, fields: ConnectionFields) -> None:
    """Refuse what belongs to another kind."""
    for other, names in BELONGS.items():
        for name in names:
            if other != kind and getattr(fields, name) is not None:
                raise ApiError(Code.unsupported_value, f"`{name}` does not belong to a connection of kind {kind}")


def _wrap(key: OuterKey, organisation_id: int, id: uuid.UUID, password: str | None) -> bytes | None:
    return None if password is None else key.wrap(password.encode(), _owner(organisation_id, id))


def _owner(organisation_id: int, id: uuid.UUID) -> str:
    return f"connection {organisation_id} {id}"


def _show(row: Record) -> Connection:
    return Connection(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        endpoint=row["endpoint"],
        username=row["username"],
        version=row["version"],
        folder=row["folder"],
        prefix=row["prefix"],
        created_at=show_moment(row["created_at"]),
        updated_at=show_moment(row["updated_at"]),
    )
